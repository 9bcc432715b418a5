//! What is named on Azure is fixed by what is printed, with Microsoft's own CLI: the loop closes, and the way back leads
//! back.

use std::fs;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::azure_cli::Operator;
use crate::support::{RunningLab, trustline};

/// How many scenarios run at once; the command line starts slowly.
const AT_ONCE: usize = 4;

/// What only an administrator can do, and who that is.
const ADMINISTRATORS: [(&str, &str); 11] = [
    ("azure-issuer-not-configured", "the platform's sets an issuer"),
    ("azure-jwks-unreachable", "the issuer's opens the keys' address"),
    ("azure-jwks-kid-missing", "the issuer's publishes the key"),
    ("azure-signature-invalid", "the issuer's signs with the published key"),
    ("azure-token-expired", "the platform's: it mints a token at every kickoff"),
    ("azure-clock-ahead", "the platform's sets its clock"),
    ("azure-token-lifetime", "the platform's shortens its tokens"),
    ("azure-conditional-access", "the directory's decides"),
    ("azure-tenant-policy", "the directory's decides"),
    ("azure-private-endpoint", "the vault's, for public access is off on purpose"),
    ("azure-static-private-endpoint", "the vault's, for public access is off on purpose"),
];

/// One of each kind of fault that jobs and pods have besides.
const OF_OTHER_ISSUERS: [&str; 4] = [
    "github-azure-environment",
    "github-azure-immutable-sub",
    "kubernetes-azure-issuer-slash",
    "kubernetes-azure-swapped",
];

/// What no script ends here, and why.
const OPEN: [(&str, &str); 7] = [
    ("azure-throttled", "waiting helps, and the lab's Entra stays busy"),
    ("azure-vault-throttled", "waiting helps, and the lab's vault stays busy"),
    ("azure-vault-tenant", "it has a test of its own"),
    ("azure-challenge-mismatch", "what answers at the vault's own address is no vault"),
    ("azure-app-disabled", "whoever switched signing in off decides"),
    ("azure-access-policy-missing", "only an operator's reads name it"),
    ("azure-blank", "nothing is set up: the guide is the way"),
];

/// A scenario of its own, the finding that comes first, and whoever fixes it.
struct Broken {
    lab: RunningLab,
    folder: TempDir,
}

impl Broken {
    fn of(scenario: &str) -> Self {
        Broken { lab: RunningLab::start(scenario), folder: tempfile::tempdir().unwrap() }
    }

    fn check(&self) -> Value {
        let (profile, authority) = (self.lab.file("profile.toml"), self.lab.file("ca.pem"));
        let output = trustline()
            .args(["check", "--output", "json", "--profile-file", &profile, "--ca-file", &authority])
            // The one scenario whose vault is elsewhere; the name resolves nowhere.
            .args(["--allow-host", "no-such-vault.vault.azure.net.invalid"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs a script as it is printed, with the program itself in the path and a value in a private file.
    fn run(&self, operator: &Operator<'_>, script: &str) -> Output {
        let value = self.folder.path().join("value");
        fs::write(&value, "a value of the lab").unwrap();
        let program = assert_cmd::cargo::cargo_bin!("trustline");
        let own = program.parent().unwrap().to_str().unwrap();
        let around = format!("PATH='{own}':$PATH\nexport VALUE_FILE='{}'\n{script}", value.display());
        operator.run(self.folder.path(), &around, "")
    }

    /// What the reader's own files hold, besides the documents' layout.
    fn files(&self) -> Vec<String> {
        let credentials = fs::read_to_string(self.lab.file("federated-credentials.json")).unwrap_or_default();
        let credentials: Value = serde_json::from_str(&credentials).unwrap_or_default();
        let secret = fs::read_to_string(self.lab.file("client-secret")).unwrap_or_default();
        vec![fs::read_to_string(self.lab.file("profile.toml")).unwrap(), compared(&credentials), secret]
    }
}

/// What the credentials compare, and nothing that the command line adds to them.
fn compared(credentials: &Value) -> String {
    let each = credentials.as_array().into_iter().flatten();
    each.map(|one| format!("{} {} {} {}\n", one["name"], one["issuer"], one["subject"], one["audiences"])).collect()
}

/// The first finding: what was wrong and how it was shown, without what differs from run to run.
fn first(report: &Value) -> String {
    let finding = &report["findings"][0];
    format!("{} {} {} {}", finding["cause"], finding["summary"], finding["expected"], finding["actual"])
}

fn causes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["cause"].as_str()).collect()
}

fn passed(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|c| c["outcome"] == "pass" || c["outcome"] == "warn").filter_map(|c| c["id"].as_str()).collect()
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn what_is_printed_fixes_what_is_named_and_leads_back() {
    let listed = trustline().args(["lab", "--list", "--output", "json"]).output().unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<&str> = listed
        .iter()
        .filter(|scenario| scenario["guide"].as_str().unwrap().starts_with("azure") && !scenario["expects"].is_null())
        .map(|scenario| scenario["name"].as_str().unwrap())
        .collect();
    let others: Vec<&str> = ADMINISTRATORS.iter().chain(&OPEN).map(|(name, _)| *name).collect();
    for name in &others {
        assert!(names.contains(name), "{name} is no scenario");
    }
    let mine: Vec<&str> = names.into_iter().filter(|name| !others.contains(name)).collect();
    assert!(mine.len() >= 30, "{mine:?}");
    all_close(&mine);
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn jobs_and_pods_are_fixed_alike() {
    all_close(&OF_OTHER_ISSUERS);
}

/// Carries out the loop of each scenario, several at once.
fn all_close(names: &[&str]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = closes(name) {
                        wrong.lock().unwrap().push(format!("{name}: {problem}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} of {} scenarios are fixed by what is printed", names.len() - wrong.len(), names.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The scenario is fixed by its first finding's first script, loses nothing, and is broken again by the way back.
fn closes(name: &str) -> Result<(), String> {
    let broken = Broken::of(name);
    let operator = Operator::of(&broken.lab);
    let (before, files) = (broken.check(), broken.files());
    let cause = before["findings"][0]["cause"].as_str().ok_or("nothing is named")?;
    let fixes = before["findings"][0]["fixes"].as_array().unwrap();
    let fix = fixes.iter().find(|fix| fix["actor"] == "you" && fix["command"].is_string());
    let fix = fix.ok_or_else(|| format!("{cause} has no script: {fixes:?}"))?;
    let command = fix["command"].as_str().unwrap();
    if command.contains("az ") {
        operator.sign_in(broken.folder.path());
    }
    let ran = broken.run(&operator, command);
    let said = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        return Err(format!("{cause}: {said}\n{command}"));
    }
    let after = broken.check();
    if causes(&after).contains(&cause) {
        return Err(format!("{cause} is still named: {said}\n{command}"));
    }
    let passed_after = passed(&after);
    if let Some(lost) = passed(&before).into_iter().find(|id| !passed_after.contains(id)) {
        return Err(format!("{lost} passed before the fix of {cause}"));
    }
    let Some(undo) = fix["undo"].as_str() else {
        return if cause == "propagation-delay" { Ok(()) } else { Err(format!("{cause} has no way back")) };
    };
    let ran = broken.run(&operator, undo);
    if !ran.status.success() {
        return Err(format!("the way back of {cause}: {}\n{undo}", String::from_utf8_lossy(&ran.stderr)));
    }
    let (again, files_again) = (broken.check(), broken.files());
    if first(&again) != first(&before) || files_again != files {
        return Err(format!("the way back of {cause} leads to {:?}, not to {:?}", first(&again), first(&before)));
    }
    Ok(())
}

/// Whoever can act is told so, in words with values, and no script pretends otherwise.
#[test]
fn what_others_must_do_is_said_to_them() {
    for (name, _) in ADMINISTRATORS {
        let broken = Broken::of(name);
        let report = broken.check();
        let fixes = report["findings"][0]["fixes"].as_array().unwrap().clone();
        assert!(!fixes.is_empty(), "{name}: nothing is said");
        assert!(fixes.iter().all(|fix| fix["command"].is_null()), "{name}: {fixes:?}");
        let text = fixes[0]["text"].as_str().unwrap();
        let has_values = text.contains("127.0.0.1") || text.contains("crewai-lab") || text.contains("11111111-aaaa");
        assert!(has_values && !text.contains('<'), "{name}: {text}");
    }
}

/// Somebody changes the credential between reading the fix and running it: nothing is written.
#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn a_fix_that_is_out_of_date_writes_nothing() {
    let broken = Broken::of("azure-sub-mismatch");
    let operator = Operator::of(&broken.lab);
    operator.sign_in(broken.folder.path());
    let command = broken.check()["findings"][0]["fixes"][0]["command"].as_str().unwrap().to_owned();
    let (app, files) = (broken.lab.ready["client_id"].as_str().unwrap().to_owned(), broken.files());
    operator.sh(
        broken.folder.path(),
        &format!(
            "az ad app federated-credential update --id {app} --federated-credential-id crewai-org-prod \
             --parameters '{{\"subject\": \"organization:somebody-elses-change\"}}'"
        ),
        "",
    );
    let ran = broken.run(&operator, &command);
    assert!(!ran.status.success());
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("nothing was changed"), "{said}");
    let list = format!("az ad app federated-credential list --id {app} --query '[].subject' --output tsv");
    assert_eq!(operator.sh(broken.folder.path(), &list, "").trim(), "organization:somebody-elses-change");
    assert_eq!(broken.files(), files);
}

/// The vault kept the directory that its subscription had before: it gets the new one, and back.
#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn a_vault_of_the_former_directory_is_moved_after_its_subscription() {
    let broken = Broken::of("azure-vault-tenant");
    let before = broken.check();
    let fix = before["findings"].as_array().unwrap().iter().find(|f| f["cause"] == "tenant-wrong").unwrap()["fixes"][0]
        .clone();
    let operator = Operator::of(&broken.lab);
    operator.sign_in(broken.folder.path());
    let ran = broken.run(&operator, fix["command"].as_str().unwrap());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(broken.check()["verdict"], "pass");
    let ran = broken.run(&operator, fix["undo"].as_str().unwrap());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(first(&broken.check()), first(&before));
}

/// The profile names no copy of the credentials: the script reads the one that is meant, and changes its audience alone.
#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn without_a_copy_of_the_credential_its_audience_is_set_and_put_back() {
    let broken = Broken::of("azure-aud-mismatch");
    let profile = broken.lab.file("profile.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("federated-credential")).collect();
    assert_ne!(without.len(), text.lines().count(), "the profile names a copy: {text}");
    fs::write(&profile, without.join("\n")).unwrap();
    let before = broken.check();
    assert_eq!(before["findings"][0]["cause"], "aud-mismatch", "{before:#}");
    let fix = &before["findings"][0]["fixes"][0];
    let operator = Operator::of(&broken.lab);
    operator.sign_in(broken.folder.path());
    let ran = broken.run(&operator, fix["command"].as_str().unwrap());
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    assert_eq!(broken.check()["verdict"], "pass");
    let known = said.split_once("AUDIENCE_BEFORE=").unwrap().1.lines().next().unwrap();
    let undo = format!("AUDIENCE_BEFORE={known}\n{}", fix["undo"].as_str().unwrap());
    let ran = broken.run(&operator, &undo);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(first(&broken.check()), first(&before));
    // A second run of the way back finds another audience than the fix's, and stops.
    let ran = broken.run(&operator, &undo);
    assert!(String::from_utf8_lossy(&ran.stderr).contains("was changed since"), "{ran:?}");
}
