//! The Azure commands run as printed, by Microsoft's own CLI, in a lab where nothing is set up yet.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::azure_cli::Operator;
use crate::support::{RunningLab, trustline};

/// A profile that names no application yet, in a folder of its own, and whoever sets things up.
struct Blank<'l> {
    lab: &'l RunningLab,
    operator: Operator<'l>,
    folder: TempDir,
}

impl<'l> Blank<'l> {
    fn of(lab: &'l RunningLab) -> Self {
        let (folder, operator) = (tempfile::tempdir().unwrap(), Operator::of(lab));
        let blank = Blank { lab, operator, folder };
        for file in ["token.jwt", "deployment-token"] {
            fs::copy(lab.file(file), blank.path(file)).unwrap();
        }
        blank.enter("", &["client-id"]);
        blank.operator.sign_in(blank.folder.path());
        blank
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes the lab's profile, each line through `change`.
    fn write(&self, change: impl Fn(&str) -> Option<String>) {
        let own = fs::read_to_string(self.lab.file("profile.toml")).unwrap();
        fs::write(self.path("profile.toml"), own.lines().filter_map(change).collect::<Vec<_>>().join("\n")).unwrap();
    }

    /// Enters the application's id, and takes out what `without` begins with.
    fn enter(&self, client_id: &str, without: &[&str]) {
        self.write(|line| match line {
            line if without.iter().any(|start| line.starts_with(start)) => None,
            line if line.starts_with("client-id") => Some(format!("client-id = \"{client_id}\"")),
            line => Some(line.to_owned()),
        });
    }

    /// Runs an artifact as it is printed, with a value in the file that `VALUE_FILE` names.
    fn carry_out(&self, artifact: &str, value: &str) -> String {
        let output =
            trustline().args(["render", artifact, "--profile-file", &self.path("profile.toml")]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let script = String::from_utf8(output.stdout).unwrap();
        let has_placeholder = script.split('<').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        assert!(output.status.success() && !has_placeholder, "{artifact}: {script}\n{said}");
        fs::write(self.path("value"), value).unwrap();
        let script = format!("export VALUE_FILE='{}'\n{script}", self.path("value"));
        self.operator.sh(self.folder.path(), &script, "")
    }

    /// The first cause that a check names, or its verdict.
    fn check(&self) -> String {
        let (profile, ca) = (self.path("profile.toml"), self.lab.file("ca.pem"));
        let arguments = ["check", "--profile-file", &profile, "--ca-file", &ca, "--output", "json"];
        let output = trustline().args(arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let cause = report["findings"][0]["cause"].as_str();
        cause.unwrap_or_else(|| report["verdict"].as_str().unwrap()).to_owned()
    }
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn each_command_takes_the_check_a_step_further() {
    let lab = RunningLab::start("azure-blank");
    let blank = Blank::of(&lab);
    let id = blank.carry_out("app-create", "");
    blank.enter(id.trim(), &[]);
    let mut seen = vec![("app-create", blank.check())];
    for (artifact, input) in [
        ("sp-create", ""),
        ("federated-credential-create", ""),
        ("role-assignment-secret", ""),
        ("keyvault-secret-set", "a value"),
        ("role-assignment-vault", ""),
    ] {
        let printed = blank.carry_out(artifact, input);
        assert!(!printed.contains("a value"), "{printed}");
        seen.push((artifact, blank.check()));
    }
    let seen: Vec<(&str, &str)> = seen.iter().map(|(artifact, cause)| (*artifact, cause.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("app-create", "fic-missing"),
            ("sp-create", "fic-missing"),
            ("federated-credential-create", "rbac-missing"),
            // The secret can be read now, and the vault cannot be listed.
            ("role-assignment-secret", "rbac-scope-single-secret"),
            ("keyvault-secret-set", "rbac-scope-single-secret"),
            ("role-assignment-vault", "pass"),
        ]
    );
    assert_eq!(blank.carry_out("vault-rbac", "").trim(), "true");
}

/// Without subscription and group the scope is looked up in the command itself.
#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn all_commands_at_once_make_a_check_pass() {
    for without in [&[][..], &["subscription-id", "resource-group"]] {
        let lab = RunningLab::start("azure-blank");
        let blank = Blank::of(&lab);
        blank.enter("", &[without, &["client-id"]].concat());
        blank.carry_out("commands", "a value");
        let folder = blank.folder.path();
        let find = "az ad app list --display-name crewai-secrets-reader --query '[0].appId' --output tsv";
        blank.enter(blank.operator.sh(folder, find, "").trim(), without);
        assert_eq!(blank.check(), "pass");
        let read =
            "az keyvault secret show --vault-name crewai-lab --name crewai-test-keyword --query value --output tsv";
        assert_eq!(blank.operator.sh(folder, read, "").trim(), "a value");
        // What the CLI shows of the vault and of the application fills a profile's fields.
        let shown = blank.operator.sh(folder, "az role assignment list --scope \"$(az keyvault show --name crewai-lab --query id -o tsv)\" --query \"[?roleDefinitionName=='Key Vault Secrets User'].scope\" -o tsv", "");
        assert!(shown.trim().ends_with("/vaults/crewai-lab"), "{shown}");
    }
}

/// A secret's data-plane address is no scope: the reason why the commands write out the vault's resource id.
#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn the_secrets_address_is_no_scope() {
    let lab = RunningLab::start("azure");
    let operator = Operator::of(&lab);
    let folder = tempfile::tempdir().unwrap();
    operator.sign_in(folder.path());
    let show = "az keyvault secret show --vault-name crewai-lab --name crewai-test-keyword --query id --output tsv";
    let create = format!(
        "az role assignment create --assignee-object-id 33333333-dddd-4eee-8fff-444444444444 \
         --assignee-principal-type ServicePrincipal --role 'Key Vault Secrets User' --scope \"$({show})\""
    );
    let output = operator.run(folder.path(), &create, "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("MissingSubscription"), "{said}");
}
