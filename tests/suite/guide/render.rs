//! Every artifact of every guide: parsed by who reads it, exact, and without a secret.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use trustline::domain::fingerprint::Fingerprint;

use super::{GUIDES, Home, ORGANIZATION, artifacts};
use crate::support::{RunningLab, trustline};

/// The diagnostics of `sh -n`; empty where the script is well formed.
fn shell_says(script: &str) -> String {
    let mut shell = Command::new("sh")
        .arg("-n")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    String::from_utf8(shell.wait_with_output().unwrap().stderr).unwrap()
}

/// What a program prints for a text on its standard input.
fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)], text: &str) -> (String, Option<i32>) {
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove("API_KEY")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn what_an_automation_reports_is_trustlines_own_fingerprint_of_the_value_and_never_the_value() {
    let home = Home::with("aws-workload-identity");
    for (artifact, program, arguments) in
        [("report-fingerprint", "python3", &["-"][..]), ("report-fingerprint-sh", "sh", &["-s"])]
    {
        let (text, said, status) = home.run(&["render", artifact, "--set", "deployment.variable=API_KEY"]);
        assert_eq!(status, Some(0), "{said}");
        for value in ["correct horse battery", "gr\u{fc}n \u{65e5}\u{672c} $HOME `id`", "two\nlines", "-n"] {
            let (printed, status) = run(program, arguments, &[("API_KEY", value)], &text);
            let expected = format!("credential.fingerprint={}\n", Fingerprint::of(value.as_bytes()));
            assert_eq!((printed, status), (expected, Some(0)), "{artifact}");
        }
        for variables in [&[][..], &[("API_KEY", "")]] {
            let (printed, _) = run(program, arguments, variables, &text);
            assert_eq!(printed, "ERROR: API_KEY env var is not set.\n", "{artifact}");
        }
    }
}

fn assert_parses(what: &str, form: &str, text: &str) {
    match form {
        "json" => {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{what}: {error}\n{text}"));
        }
        "shell" => assert_eq!(shell_says(text), "", "{what}\n{text}"),
        "terraform" => {
            let body: hcl::Body = hcl::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}\n{text}"));
            assert!(body.blocks().any(|block| block.identifier() == "resource"), "{what}");
        }
        "yaml" => {
            assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains('\t'), "{what}\n{text}")
        }
        "python" => {
            let check = ["-c", "import sys; compile(sys.stdin.read(), 'artifact', 'exec')"];
            assert_eq!(run("python3", &check, &[], text), (String::new(), Some(0)), "{what}\n{text}");
        }
        other => panic!("{what}: nobody here reads {other}"),
    }
}

#[test]
fn every_artifact_renders_for_a_full_profile() {
    for (guide, _) in GUIDES {
        let home = Home::with(guide);
        let all = artifacts(guide);
        assert!(all.len() >= 8, "{guide}: {all:?}");
        for (artifact, form) in all {
            let (text, said, status) = home.run(&["render", &artifact]);
            let what = format!("{artifact} of {guide}");
            assert_eq!(status, Some(0), "{what}: {said}");
            assert!(!said.contains("--set KEY=VALUE"), "{what} lacks a value: {said}");
            assert!(text.ends_with('\n'), "{what}\n{text}");
            assert_parses(&what, &form, &text);
        }
    }
}

#[test]
fn every_artifact_renders_with_placeholders_where_nothing_is_known() {
    for (guide, _) in GUIDES {
        for (artifact, form) in artifacts(guide) {
            let what = format!("{artifact} of {guide}");
            let render = |flags: &[&str]| {
                let set = format!("guide={guide}");
                trustline().args(["render", &artifact, "--set", &set]).args(flags).output().unwrap()
            };
            let described = render(&["--output", "json"]);
            assert_eq!(described.status.code(), Some(0), "{what}");
            let described: Value = serde_json::from_slice(&described.stdout).unwrap();
            let text = described["text"].as_str().unwrap();
            assert_parses(&what, &form, text);
            // A pipe gets the whole text or nothing: what lacks is named, so that nobody runs a placeholder.
            let missing = described["missing"].as_array().unwrap();
            let piped = render(&[]);
            let said = String::from_utf8(piped.stderr).unwrap();
            if missing.is_empty() {
                assert_eq!(String::from_utf8(piped.stdout).unwrap(), text, "{what}");
            } else {
                assert_eq!((piped.status.code(), piped.stdout.len()), (Some(2), 0), "{what}");
                assert!(missing.iter().all(|lack| said.contains(lack["key"].as_str().unwrap())), "{what}: {said}");
            }
        }
    }
}

#[test]
fn no_command_takes_a_secret_as_an_argument() {
    for (guide, _) in GUIDES {
        let home = Home::with(guide);
        for (artifact, form) in artifacts(guide) {
            if form != "shell" && form != "yaml" {
                continue;
            }
            let text = home.render(&artifact);
            for refused in
                ["--value ", "--secret-string hello", "--web-identity-token ", "AWS_SECRET_ACCESS_KEY", "CI_JOB_JWT"]
            {
                assert!(!text.contains(refused), "{artifact} of {guide} holds {refused}\n{text}");
            }
            for (at, _) in text.match_indices("--secret-string ") {
                assert!(text[at..].starts_with("--secret-string file://\"$work\"/value"), "{artifact}\n{text}");
            }
        }
    }
}

/// Pipes the rendered trust policy into `trust`, and gives back the decision for these claims.
fn decision(home: &Home, claims: &Value) -> Value {
    let policy = home.render("trust-policy");
    let file = home.folder.path().join("claims.json");
    std::fs::write(&file, claims.to_string()).unwrap();
    let output = trustline()
        .args(["trust", "--policy", "-", "--lint", "--output", "json", "--claims"])
        .arg(&file)
        .write_stdin(policy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn the_trust_policy_lets_the_profiles_subject_in_and_no_other() {
    let circle = format!("https://oidc.circleci.com/org/{ORGANIZATION}");
    let project = "5b1f2c9e-0000-4000-8000-0123456789ab";
    for (guide, issuer, audience, subject, foreign) in [
        (
            "aws-workload-identity",
            "https://app.example.com",
            "sts.amazonaws.com",
            format!("organization:{ORGANIZATION}"),
            vec![
                "organization:7f3e81c4-0000-4000-8000-9d20c1a09a1c".to_owned(),
                format!("organization:{}", ORGANIZATION.to_uppercase()),
                format!("organization:{ORGANIZATION}:x"),
                String::new(),
                "*".to_owned(),
            ],
        ),
        (
            "gitlab-aws",
            "https://gitlab.example.com",
            "https://gitlab.example.com",
            "project_path:mygroup/myproject:ref_type:branch:ref:main".to_owned(),
            vec![
                "project_path:mygroup/myproject:ref_type:tag:ref:main".to_owned(),
                "project_path:mygroup/myproject:ref_type:branch:ref:mainline".to_owned(),
                "project_path:mygroup-evil/myproject:ref_type:branch:ref:main".to_owned(),
                "project_path:mygroup/other:ref_type:branch:ref:main".to_owned(),
            ],
        ),
        (
            "circleci-aws",
            circle.as_str(),
            ORGANIZATION,
            format!("org/{ORGANIZATION}/project/{project}/user/1234"),
            vec![
                format!("org/{ORGANIZATION}/project/0b1f2c9e-0000-4000-8000-0123456789ab/user/1234"),
                format!("org/{project}/project/{project}/user/1234"),
            ],
        ),
    ] {
        let home = Home::with(guide);
        let claims = |iss: &str, aud: &str, sub: &str| json!({ "iss": iss, "aud": aud, "sub": sub, "iat": 1_700_000_000, "exp": 1_700_003_600 });
        let answer = decision(&home, &claims(issuer, audience, &subject));
        assert_eq!(answer["decision"], "allow", "{guide}: {answer:#}");
        assert_eq!(answer["lint"], json!([]), "{guide}: the lint finds fault with it");
        for other in foreign {
            let answer = decision(&home, &claims(issuer, audience, &other));
            assert_eq!(answer["decision"], "deny", "{guide}: {other} gets in");
        }
        for (iss, aud) in [(issuer, "api://AzureADTokenExchange"), ("https://evil.example.com", audience)] {
            let answer = decision(&home, &claims(iss, aud, &subject));
            assert_eq!(answer["decision"], "deny", "{guide}: {iss} {aud} gets in");
        }
    }
}

/// The resources of the statement with this action.
fn resources(policy: &str, action: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let has = |statement: &&Value| statement["Action"].as_array().unwrap().iter().any(|a| a == action);
    let statement = statements.iter().find(has).unwrap_or_else(|| panic!("{action} is not granted: {policy:#}"));
    statement["Resource"].as_array().unwrap().iter().map(|r| r.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_secrets_policy_names_prefix_region_and_key() {
    let arn = |rest: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{rest}");
    for (settings, expected) in [
        (vec!["aws.secret-prefix=crewai", "secret.name=crewai-db"], vec![arn("crewai-*")]),
        (vec!["aws.secret-prefix=crewai", "secret.name=crewai"], vec![arn("crewai-*")]),
        (vec!["aws.secret-prefix=crewai/", "secret.name=crewai/db"], vec![arn("crewai/*")]),
        // A hyphen does not reach behind a slash, so the secret is named beside the prefix.
        (vec!["aws.secret-prefix=crewai", "secret.name=crewai/db"], vec![arn("crewai-*"), arn("crewai/db-??????")]),
        (vec!["secret.name=db#password"], vec![arn("db-??????")]),
    ] {
        let mut arguments = vec!["render", "secrets-policy"];
        for setting in settings.iter().chain(&[
            "aws.region=eu-west-1",
            "aws.role-arn=arn:aws:iam::123456789012:role/r",
            "aws.kms-key-arn=arn:aws:kms:eu-west-1:123456789012:key/1234abcd",
        ]) {
            arguments.extend(["--set", setting]);
        }
        let output = trustline().args(arguments).output().unwrap();
        let policy = String::from_utf8(output.stdout).unwrap();
        assert_eq!(resources(&policy, "secretsmanager:GetSecretValue"), expected, "{settings:?}");
        assert_eq!(resources(&policy, "secretsmanager:ListSecrets"), ["*"]);
        assert_eq!(resources(&policy, "kms:Decrypt"), ["arn:aws:kms:eu-west-1:123456789012:key/1234abcd"]);
    }
}

/// The artifact's text, with placeholders for what the settings leave out.
fn rendered(artifact: &str, settings: &[&str]) -> String {
    let mut command = trustline();
    command.args(["render", artifact, "--output", "json"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["text"].as_str().unwrap().to_owned()
}

#[test]
fn partitions_and_national_clouds_are_kept_apart() {
    let china = [
        "aws.role-arn=arn:aws-cn:iam::123456789012:role/r",
        "aws.region=cn-north-1",
        "issuer.url=https://app.example.com",
    ];
    assert!(rendered("trust-policy", &china).contains("arn:aws-cn:iam::123456789012:oidc-provider/app.example.com"));
    assert!(rendered("secrets-policy", &china).contains("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:"));
    let provider = rendered("create-oidc-provider", &china);
    assert!(provider.contains("--region cn-north-1") && !provider.contains("thumbprint"), "{provider}");

    let government = [
        "guide=azure-workload-identity",
        "azure.vault-url=https://my-vault.vault.usgovcloudapi.net",
        "azure.tenant-id=0f1e2d3c-0000-4000-8000-000000000001",
    ];
    assert!(rendered("federated-credential", &government).contains("api://AzureADTokenExchangeUSGov"));
    assert!(rendered("app-create", &government).contains("az cloud set --name AzureUSGovernment"));
    let terraform = rendered("terraform", &government);
    assert!(terraform.contains("\"usgovernment\"") && terraform.contains("AzureADTokenExchangeUSGov"), "{terraform}");
}

#[test]
fn a_role_is_assigned_at_an_arm_id() {
    let home = Home::with("azure-workload-identity");
    let id = "/subscriptions/0f1e2d3c-0000-4000-8000-000000000003/resourceGroups/rg(prod)/providers/Microsoft.KeyVault/vaults/my-vault";
    assert!(home.render("role-assignment-vault").contains(&format!("--scope '{id}'")));
    let one = home.render("role-assignment-secret");
    assert!(one.contains(&format!("--scope '{id}/secrets/crewai-db'")), "{one}");
    assert!(!one.contains("vault.azure.net/secrets"), "{one}");
    // Without subscription and group the id is looked up, and never the secret's own address.
    let looked_up = rendered(
        "role-assignment-secret",
        &[
            "guide=azure-workload-identity",
            "azure.vault-url=https://my-vault.vault.azure.net",
            "secret.name=db_password",
        ],
    );
    let scope = r#"--scope "$(az keyvault show --name my-vault --query id --output tsv)"/secrets/db-password"#;
    assert!(looked_up.contains(scope), "{looked_up}");
}

#[test]
fn jobs_ask_for_their_token_and_write_no_credential_down() {
    let gitlab = Home::with("gitlab-aws").render("gitlab-job");
    assert!(gitlab.contains("id_tokens:") && gitlab.contains("aud: \"https://gitlab.example.com\""), "{gitlab}");
    assert!(gitlab.contains("AWS_WEB_IDENTITY_TOKEN_FILE"), "{gitlab}");
    let circle = Home::with("circleci-aws").render("circleci-config");
    assert!(circle.contains("\"$CIRCLE_OIDC_TOKEN\"") && circle.contains("source_profile = first"), "{circle}");
    assert!(circle.contains("role_arn = arn:aws:iam::210987654321:role/reader"), "{circle}");
}

#[test]
fn the_thumbprint_is_of_the_topmost_certificate_that_the_issuer_serves_now() {
    let lab = RunningLab::start("healthy");
    let (profile, ca_file) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let issuer = lab.ready["issuer"].as_str().unwrap();
    let live = |more: &[&str]| {
        let arguments = ["render", "create-oidc-provider", "--live", "--profile-file", &profile];
        let output = trustline().args(arguments).args(more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (String::from_utf8(output.stdout).unwrap(), said, output.status.code().unwrap())
    };
    let seen = trustline().args(["issuer", issuer, "--ca-file", &ca_file, "--output", "json"]).output().unwrap();
    let seen: Value = serde_json::from_slice(&seen.stdout).unwrap();
    let last = seen["tls"]["chain"].as_array().unwrap().last().unwrap();
    let thumbprint = last["thumbprint_sha1"].as_str().unwrap();

    let (script, said, status) = live(&["--ca-file", &ca_file]);
    assert_eq!(status, 0, "{said}");
    assert!(script.contains("--thumbprint-list") && script.contains(thumbprint), "{script}");
    assert!(said.contains(thumbprint) && said.contains(last["subject"].as_str().unwrap()), "{said}");
    assert!(said.contains("serves now"), "{said}");
    // The same without anything but the program.
    let alone = trustline().args(["render", "create-oidc-provider", "--live", "--lab"]).output().unwrap();
    assert!(alone.status.success() && String::from_utf8(alone.stdout).unwrap().contains("--thumbprint-list"));

    // Certificates that were not verified could be anybody's, and a host that is not there has none.
    for more in [&[][..], &["--ca-file", &ca_file, "--set", "issuer.url=https://127.0.0.1:9"]] {
        let (script, said, status) = live(more);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains("certificates could not be had"), "{said}");
        assert!(
            script.contains("create-open-id-connect-provider") && !script.contains("--thumbprint-list"),
            "{script}"
        );
    }
    for refused in [&["trust-policy", "--live"][..], &["create-oidc-provider", "--live"], &["--list", "--live"]] {
        let output = trustline().arg("render").args(refused).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{refused:?}");
    }
}
