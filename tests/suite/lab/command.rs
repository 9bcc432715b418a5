//! `trustline lab` as a user runs it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::trustline;

#[test]
fn lists_scenarios() {
    let output = trustline().args(["lab", "--list", "--output", "json"]).output().unwrap();
    let list: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && list.len() > 40);
    assert_eq!((list[0]["name"].as_str(), &list[0]["expects"]), (Some("healthy"), &Value::Null));
    for scenario in &list {
        assert!(scenario["title"].is_string() && scenario["guide"].is_string(), "{scenario}");
    }
    let text = trustline().args(["lab", "--list"]).output().unwrap().stdout;
    assert_eq!(String::from_utf8(text).unwrap().lines().count(), list.len());
}

#[test]
fn refuses_what_it_does_not_know() {
    let output = trustline().args(["lab", "sub-mismach"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`sub-mismatch`"));
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.toml");
    std::fs::write(&world, "[issuer]\nspeed = 1\n").unwrap();
    let output = trustline().args(["lab", "--world"]).arg(&world).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("world.toml") && message.contains("speed") && message.contains("line 2"), "{message}");
}

/// A lab that does not outlive a failing test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn serves_until_it_is_told_to_stop() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let lab = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(["lab", "--output", "json"])
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lab = Running(lab);
        let mut line = String::new();
        BufReader::new(lab.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let members: Vec<&String> = ready.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            [
                "ca_file",
                "issuer",
                "sts",
                "iam",
                "secretsmanager",
                "kms",
                "cloudtrail",
                "iam_toolbox",
                "entra",
                "vault",
                "graph",
                "arm",
                "deployment",
                "google_oauth2",
                "google_sts",
                "iamcredentials",
                "google_secretmanager",
                "google_iam",
                "google_resource_manager",
                "google_logging",
                "google_serviceusage",
                "role_arn",
                "account",
                "region",
                "tenant_id",
                "client_id",
                "secret",
                "google_credentials_file",
                "profile",
                "operator_env",
                "deployment_token_file"
            ]
        );
        let ca_file = std::path::PathBuf::from(ready["ca_file"].as_str().unwrap());
        assert!(std::fs::read_to_string(&ca_file).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&ca_file), mode(ca_file.parent().unwrap())), (0o600, 0o700));
        let told = Command::new("kill").args([signal, &lab.0.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(lab.0.wait().unwrap().code(), Some(status));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
