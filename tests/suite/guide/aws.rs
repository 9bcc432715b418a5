//! The AWS commands run as printed, by AWS's own CLI against moto. Skipped with a word where one of them is missing.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Home;

struct Moto {
    address: String,
    server: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Moto {
    fn start() -> Option<Moto> {
        let Some(program) = std::env::var_os("TRUSTLINE_TEST_MOTO") else {
            println!("skipped: TRUSTLINE_TEST_MOTO names no moto server");
            return None;
        };
        if cli().is_none() {
            println!("skipped: there is no AWS CLI on the path");
            return None;
        }
        let mut server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let address = log
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| line.split_once("Running on http://").map(|(_, address)| address.trim().to_owned()))
            .expect("moto ended before it listened");
        // It logs every request; nobody reading would stop it once the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        Some(Moto { address, server })
    }

    /// Runs a script in `home` with a value on its standard input, and gives back what it printed.
    fn sh(&self, home: &Home, script: &str, input: &str) -> String {
        let file = home.folder.path().join("script.sh");
        fs::write(&file, script).unwrap();
        let mut shell = Command::new("sh")
            .arg(&file)
            .current_dir(home.folder.path())
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_PAGER", "")
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, home: &Home, command: &str) -> Value {
        let text = self.sh(home, &format!("{command} --output json\n"), "");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
    }
}

fn cli() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join("aws")).find(|path| path.is_file())
}

#[test]
fn the_commands_of_the_federation_set_it_up() {
    let Some(moto) = Moto::start() else { return };
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
fn the_commands_of_the_other_aws_guides_run() {
    for (guide, user, role) in [
        ("aws-static", true, None),
        ("aws-assume-role", true, Some("crewai-secrets-reader")),
        ("gitlab-aws", false, Some("crewai-secrets-reader")),
        ("circleci-aws", false, Some("circleci-oidc")),
    ] {
        let Some(moto) = Moto::start() else { return };
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
