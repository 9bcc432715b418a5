//! The AWS commands run as printed, by AWS's own CLI: against moto, and in the lab.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Home;
use crate::support::{Moto, RunningLab, outside, trustline};

impl Moto {
    /// Runs a script in `home` with a value on its standard input, and gives back what it printed.
    fn sh(&self, home: &Home, script: &str, input: &str) -> String {
        let address = format!("http://{}", self.address);
        let variables = [
            ("AWS_ENDPOINT_URL", address.as_str()),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
        ];
        sh(home.folder.path(), &variables, script, input)
    }

    fn json(&self, home: &Home, command: &str) -> Value {
        let text = self.sh(home, &format!("{command} --output json\n"), "");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
    }
}

/// Runs a script in a folder with a value on its standard input, and gives back what it printed.
fn sh(folder: &Path, variables: &[(&str, &str)], script: &str, input: &str) -> String {
    let own = [("AWS_PAGER", ""), ("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")];
    super::sh(&outside("TRUSTLINE_TEST_AWS_CLI"), folder, &[&own[..], variables].concat(), script, input)
}

#[test]
#[ignore = "needs moto and the AWS CLI (TRUSTLINE_TEST_MOTO, TRUSTLINE_TEST_AWS_CLI)"]
fn the_commands_of_the_federation_set_it_up() {
    let moto = Moto::start();
    let home = Home::with("aws-workload-identity");
    moto.sh(&home, &home.render("commands"), "{\"password\": \"correct horse\"}\n");
    let provider = moto.json(
        &home,
        "aws iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::123456789012:oidc-provider/app.example.com",
    );
    assert_eq!(provider["ClientIDList"], serde_json::json!(["sts.amazonaws.com"]));
    let role = moto.json(&home, "aws iam get-role --role-name crewai-secrets-reader");
    let policy: Value = serde_json::from_str(&home.render("trust-policy")).unwrap();
    assert_eq!(role["Role"]["AssumeRolePolicyDocument"], policy);
    let inline =
        moto.json(&home, "aws iam get-role-policy --role-name crewai-secrets-reader --policy-name SecretsManagerRead");
    let permissions: Value = serde_json::from_str(&home.render("secrets-policy")).unwrap();
    assert_eq!(inline["PolicyDocument"], permissions);
    let read = "aws secretsmanager get-secret-value --region eu-west-1 --secret-id crewai-db";
    let before = moto.json(&home, read);
    assert_eq!(before["SecretString"], "{\"password\": \"correct horse\"}");
    moto.sh(&home, &home.render("rotate-secret"), "{\"password\": \"battery staple\"}\n");
    let after = moto.json(&home, read);
    assert_eq!(after["SecretString"], "{\"password\": \"battery staple\"}");
    assert_ne!(before["VersionId"], after["VersionId"]);
    // The rest of the guide's commands.
    moto.sh(&home, &home.render("update-trust-policy"), "");
    moto.sh(&home, &home.render("managed-policy"), "");
    let version = moto.sh(&home, &home.render("verify-read"), "");
    assert!(version.contains(after["VersionId"].as_str().unwrap()), "{version}");
    assert!(!version.contains("staple"), "the value is printed");
}

#[test]
#[ignore = "needs moto and the AWS CLI (TRUSTLINE_TEST_MOTO, TRUSTLINE_TEST_AWS_CLI)"]
fn the_commands_of_the_other_aws_guides_run() {
    for (guide, user, role) in [
        ("aws-static", true, None),
        ("aws-assume-role", true, Some("crewai-secrets-reader")),
        ("gitlab-aws", false, Some("crewai-secrets-reader")),
        ("circleci-aws", false, Some("circleci-oidc")),
    ] {
        let moto = Moto::start();
        let home = Home::with(guide);
        moto.sh(&home, &home.render("commands"), "{\"password\": \"x\"}\n");
        if user {
            moto.json(&home, "aws iam get-user --user-name crewai-secrets-reader");
            let key = home.folder.path().join("access-key.json");
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(key).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{guide}: others may read the key");
        }
        if let Some(role) = role {
            let answer = moto.json(&home, &format!("aws iam get-role --role-name {role}"));
            let policy: Value = serde_json::from_str(&home.render("trust-policy")).unwrap();
            assert_eq!(answer["Role"]["AssumeRolePolicyDocument"], policy, "{guide}");
        }
    }
}

/// From an account with nothing in it to a green check, by the commands as they are printed.
#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn the_commands_set_up_the_blank_lab() {
    let lab = RunningLab::start("blank");
    let folder = tempfile::tempdir().unwrap();
    let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let check = || {
        let arguments = ["check", "--profile-file", &profile, "--ca-file", &ca, "--output", "json"];
        let output = trustline().args(arguments).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let cause = |report: &Value| report["findings"][0]["cause"].as_str().unwrap_or_default().to_owned();
    let run = |artifact: &str, input: &str| {
        let output = trustline().args(["render", artifact, "--profile-file", &profile]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        sh(folder.path(), &[], &format!("set -e\n. {}\n{script}", lab.file("operator.env")), input)
    };
    let mut causes = vec![cause(&check())];
    for (artifact, input) in
        [("create-oidc-provider", ""), ("create-role", ""), ("put-role-policy", ""), ("create-secret", "a value\n")]
    {
        run(artifact, input);
        causes.push(cause(&check()));
    }
    // Without a role STS's one sentence has several causes.
    assert_eq!(causes[0], "provider-missing", "{causes:?}");
    assert_eq!(causes[2..], ["missing-list", "secret-not-found", ""], "{causes:?}");
    assert_eq!(check()["verdict"], "pass");
    let printed = run("verify-read", "");
    assert!(printed.contains("crewai-test-keyword") && !printed.contains("a value"), "{printed}");
    run("managed-policy", "");
    run("update-trust-policy", "");
    assert_eq!(check()["verdict"], "pass");
}

/// The other guides' commands, where nothing is set up yet; CircleCI's second role stands ready in the sub-account.
#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn the_other_guides_commands_set_up_a_blank_lab() {
    let absent = |tables: &[&str]| -> String { tables.iter().map(|t| format!("[{t}]\npresent = false\n")).collect() };
    let common = ["aws.users.secrets-reader", "aws.secrets.crewai-test-keyword", "aws.roles.crewai-secrets-reader"];
    let federated = [&common[..], &["aws.providers.platform"]].concat();
    let circleci = [&federated[..], &["aws.roles.circleci-oidc"]].concat();
    let hop = "[profile]\ntarget-role-arn = \"arn:aws:iam::${sub-account}:role/crewai-secrets-reader\"\n";
    for (guide, gone, world, more) in [
        ("aws-static", &common[..], "", "account-id = \"123456789012\""),
        ("aws-assume-role", &common, "[profile]\nexternal-id = \"of-our-own-making\"\n", ""),
        ("gitlab-aws", &federated, "", "[gitlab]\nproject-path = \"mygroup/myproject\"\nref = \"main\""),
        ("circleci-aws", &circleci, hop, "[circleci]\nproject = \"5b1f2c9e-0000-4000-8000-0123456789ab\""),
    ] {
        let head = format!("name = \"blank\"\ntitle = \"t\"\nguide = \"{guide}\"\n");
        let lab = RunningLab::world(&format!("{head}{}{world}", absent(gone)));
        let folder = tempfile::tempdir().unwrap();
        let own = fs::read_to_string(lab.file("profile.toml")).unwrap();
        // What the guide is told beside what the lab's user has; the key comes out of the commands.
        let known = ["access-keys-csv", "trust-policy", "identity-policy"];
        let kept = own.lines().filter(|line| !known.iter().any(|key| line.starts_with(key)));
        let text = kept.collect::<Vec<_>>().join("\n");
        let text = if more.starts_with('[') {
            format!("{text}\n{more}\n")
        } else {
            text.replace("[aws]", &format!("[aws]\n{more}"))
        };
        let profile = folder.path().join("profile.toml").to_str().unwrap().to_owned();
        fs::write(&profile, text).unwrap();
        for file in ["token.jwt", "deployment-token"] {
            fs::copy(lab.file(file), folder.path().join(file)).unwrap();
        }
        let rendered = trustline().args(["render", "commands", "--profile-file", &profile]).output().unwrap();
        let script = String::from_utf8(rendered.stdout).unwrap();
        assert!(rendered.status.success(), "{guide}: {}", String::from_utf8_lossy(&rendered.stderr));
        let script = format!("set -e\n. {}\n{script}", lab.file("operator.env"));
        sh(folder.path(), &[], &script, "a value\n");

        let mut check = trustline();
        check.args(["check", "--profile-file", &profile, "--ca-file", &lab.file("ca.pem"), "--output", "json"]);
        if let Ok(key) = fs::read_to_string(folder.path().join("access-key.json")) {
            let key: Value = serde_json::from_str(&key).unwrap();
            let member = |name: &str| key["AccessKey"][name].as_str().unwrap().to_owned();
            check.env("AWS_ACCESS_KEY_ID", member("AccessKeyId"));
            check.env("AWS_SECRET_ACCESS_KEY", member("SecretAccessKey"));
        }
        let report: Value = serde_json::from_slice(&check.output().unwrap().stdout).unwrap();
        // Without the hop's policy or with a wrong one nothing is read: the sub-account's role has the secret.
        assert_eq!(report["verdict"], "pass", "{guide}: {report:#}");
    }
}
