//! The whole corrected policy that `trust` and `explain` print for a policy at hand.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Site, own_fix};
use crate::support::{RunningLab, trustline};

const HOST: &str = "app.example.com";
const OURS: &str = "organization:6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";

fn policy(condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Platform", "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
         "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{HOST}")}},
        {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sts:*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})
}

fn file(folder: &TempDir, name: &str, document: &Value) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

fn claims(folder: &TempDir, subject: &str) -> PathBuf {
    let claims = json!({"iss": format!("https://{HOST}"), "sub": subject, "aud": "sts.amazonaws.com"});
    file(folder, &subject.replace(':', "-"), &claims)
}

fn trust(policy: &Path, claims: &Path, arguments: &[&str]) -> String {
    let mut command = trustline();
    command.arg("trust").arg("--policy").arg(policy).arg("--claims").arg(claims).args(arguments);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn answer(policy: &Path, claims: &Path) -> Value {
    serde_json::from_str(&trust(policy, claims, &["--lint", "--output", "json"])).unwrap()
}

/// Policies that refuse the token, each by a fault of its own.
fn wrong() -> [(&'static str, Value); 4] {
    let (aud, sub) = (format!("{HOST}:aud"), format!("{HOST}:sub"));
    let theirs = "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24";
    [
        ("aud-mismatch", json!({"StringEquals": {&aud: "another", &sub: OURS}})),
        ("operator-wrong", json!({"StringEquals": {&aud: "sts.amazonaws.com", &sub: "organization:*"}})),
        ("condition-key-wrong", json!({"StringEquals": {"app.exmaple.com:aud": "sts.amazonaws.com", &sub: OURS}})),
        (
            "sub-case-mismatch",
            json!({"StringEquals": {&aud: ["sts.amazonaws.com", "x"], &sub: [OURS.to_uppercase().replace("ORGANIZATION", "organization"), theirs.to_owned()]}}),
        ),
    ]
}

#[test]
fn a_policy_that_refuses_is_printed_whole_as_it_has_to_be() {
    let folder = TempDir::new().unwrap();
    let ours = claims(&folder, OURS);
    let stranger = claims(&folder, "organization:ffffffff-ffff-4fff-8fff-ffffffffffff");
    for (cause, condition) in wrong() {
        let before = policy(&condition);
        let path = file(&folder, "policy.json", &before);
        let told = answer(&path, &ours);
        let finding = &told["findings"][0];
        assert_eq!((&told["decision"], &finding["cause"]), (&json!("deny"), &json!(cause)), "{told:#}");
        let document = finding["fixes"][0]["document"].as_str().unwrap_or_else(|| panic!("{cause}: {finding:#}"));
        let shown = trust(&path, &ours, &[]);
        for line in document.lines() {
            assert!(shown.contains(line), "{cause}: {line} is not in {shown}");
        }
        let after: Value = serde_json::from_str(document).unwrap();
        let fixed = file(&folder, "fixed.json", &after);
        assert_eq!(answer(&fixed, &ours)["decision"], "allow", "{cause}: {document}");
        assert_eq!(answer(&fixed, &stranger)["decision"], "deny", "{cause}: {document}");
        assert_eq!(after["Statement"][1], before["Statement"][1], "{cause}");

        let explained = trustline()
            .args(["explain", "--output", "json", "--policy"])
            .arg(&path)
            .arg("--claims")
            .arg(&ours)
            .write_stdin("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
            .output()
            .unwrap();
        let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
        assert_eq!(explained["causes"][0]["fixes"][0]["document"], document, "{cause}: {explained:#}");
    }
}

#[test]
fn a_trust_that_lets_strangers_in_is_printed_without_them() {
    let folder = TempDir::new().unwrap();
    let wide = json!({"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com"},
        "StringLike": {format!("{HOST}:sub"): "organization:*"}});
    let (path, ours) = (file(&folder, "policy.json", &policy(&wide)), claims(&folder, OURS));
    let told = answer(&path, &ours);
    assert_eq!((&told["decision"], &told["lint"][0]["cause"]), (&json!("allow"), &json!("trust-too-wide")), "{told:#}");
    let document = told["lint"][0]["fixes"][0]["document"].as_str().unwrap_or_else(|| panic!("{told:#}"));
    std::fs::write(&path, document).unwrap();
    assert_eq!(answer(&path, &ours)["decision"], "allow");
    assert!(!trust(&path, &ours, &["--lint"]).contains("trust-too-wide"), "{document}");
}

#[test]
fn another_organizations_token_is_not_let_in() {
    let folder = TempDir::new().unwrap();
    let sub = json!({"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com", format!("{HOST}:sub"): OURS}});
    let path = file(&folder, "policy.json", &policy(&sub));
    let told = answer(&path, &claims(&folder, "organization:ffffffff-ffff-4fff-8fff-ffffffffffff"));
    let fix = &told["findings"][0]["fixes"][0];
    assert_eq!(fix.get("document"), None, "{fix}");
    assert!(fix["text"].as_str().unwrap().contains("another organization"), "{fix}");
}

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn a_script_finds_the_profiles_files_from_any_folder() {
    let site = Site::new(RunningLab::start("sub-mismatch"));
    let folder = PathBuf::from(site.lab.file("profile.toml")).parent().unwrap().to_owned();
    let check = |flags: &[&str]| -> Value {
        let mut check = trustline();
        check.current_dir(&folder).args(["check", "--profile-file", "profile.toml", "--ca-file", "ca.pem"]);
        serde_json::from_slice(&check.args(["--output", "json"]).args(flags).output().unwrap().stdout).unwrap()
    };
    let copies = [&[][..], &["--set", "aws.trust-policy=trust-policy.json"]];
    for flags in copies {
        let report = check(flags);
        let fix = own_fix(&report).unwrap();
        let before = site.files();
        site.sh(fix["command"].as_str().unwrap());
        assert_ne!(site.files(), before, "the copy was not found");
        assert_eq!(check(flags)["verdict"], "pass");
        site.sh(fix["undo"].as_str().unwrap());
        assert_eq!(site.files(), before);
    }
}
