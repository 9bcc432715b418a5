//! What an operator's reads meet beside answers: an ended sign-in, another account, a busy service, very much of everything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{check, checked, checked_with};
use crate::support::{RunningLab, trustline};

const ROLE: &str = "[aws.roles.crewai-secrets-reader]\n";

fn world(differences: &str) -> RunningLab {
    RunningLab::world(&format!("name = \"refusals\"\ntitle = \"what a read meets\"\n{differences}"))
}

fn reason<'r>(report: &'r Value, id: &str) -> &'r str {
    check(report, id)["reason"].as_str().unwrap_or_default()
}

fn outcome<'r>(report: &'r Value, id: &str) -> &'r str {
    check(report, id)["outcome"].as_str().unwrap()
}

const READS: [&str; 4] = ["aws.oidc-provider", "aws.role", "aws.role-permissions", "aws.secret-settings"];

#[test]
fn a_session_that_has_ended_is_told_and_what_needs_none_goes_on() {
    let lab = world("[aws.users.operator]\nsession-token = \"lab-only-session-token\"\nexpires-s = -60\n");
    let report = checked_with(&lab, &["--operator"], &[("AWS_SESSION_TOKEN", "lab-only-session-token")]);
    assert_eq!(outcome(&report, "aws.operator"), "inconclusive", "{report:#}");
    let told = reason(&report, "aws.operator");
    assert!(told.starts_with("the operator's session has expired; sign in again: STS answered ExpiredToken"), "{told}");
    for id in READS {
        assert_eq!(reason(&report, id), "blocked by aws.operator", "{report:#}");
    }
    assert_eq!(outcome(&report, "aws.get-secret"), "pass", "{report:#}");
    assert_eq!(report["findings"], json!([]), "{report:#}");
    assert!(!report.to_string().contains("lab-only-session-token"));
}

/// A program of this name that ends as a command line does whose sign-in is over.
fn ended_sign_in(program: &str, said: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(program);
    fs::write(&path, format!("#!/bin/sh\necho '{said}' >&2\nexit 1\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn a_command_line_whose_sign_in_has_ended_is_told_in_its_own_words() {
    for (lab, program, said, id, told) in [
        (
            "healthy",
            "aws",
            "Error when retrieving token from sso: Token has expired and refresh failed",
            "aws.operator",
            "Token has expired and refresh failed; run `aws sso login`",
        ),
        (
            "azure",
            "az",
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1",
            "azure.operator",
            "The refresh token has expired due to inactivity.",
        ),
    ] {
        let (lab, folder) = (RunningLab::start(lab), ended_sign_in(program, said));
        let output = trustline()
            .env("PATH", folder.path())
            .args(["check", "--operator", "--output", "json", "--profile-file", &lab.file("profile.toml")])
            .args(["--ca-file", &lab.file("ca.pem")])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(outcome(&report, id), "inconclusive", "{report:#}");
        assert!(reason(&report, id).contains(told), "{}", reason(&report, id));
        assert_eq!(report["findings"], json!([]), "{report:#}");
    }
}

#[test]
fn an_operator_of_another_account_is_told_before_anything_of_that_account_is_read() {
    let lab = world(
        "[sub-account]\naccount = \"210987654321\"\nregion = \"us-east-1\"\n\
         [sub-account.users.elsewhere]\naccess-key-id = \"AKIALABELSEWHERE0000\"\n\
         secret-access-key = \"lab/only/secret/access/key/elsewhere/00\"\n",
    );
    let key = [
        ("AWS_ACCESS_KEY_ID", "AKIALABELSEWHERE0000"),
        ("AWS_SECRET_ACCESS_KEY", "lab/only/secret/access/key/elsewhere/00"),
    ];
    let report = checked_with(&lab, &["--operator"], &key);
    let told = reason(&report, "aws.operator");
    assert!(told.starts_with("the operator is of account 210987654321, and the role is of 123456789012"), "{told}");
    for id in READS {
        assert_eq!(reason(&report, id), "blocked by aws.operator", "{report:#}");
    }
    let checks: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    let place = |id: &str| checks.iter().position(|known| *known == id).unwrap();
    assert!(READS.iter().all(|id| place("aws.operator") < place(id)), "{checks:?}");
}

#[test]
fn a_busy_iam_is_asked_again_and_that_is_told() {
    let report = checked(&world("[aws]\nthrottled-reads = 6\n"), &["--operator"]);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    let told: Vec<&str> = READS.iter().map(|id| reason(&report, id)).filter(|why| why.contains("throttled ")).collect();
    assert!(!told.is_empty() && told.iter().all(|why| why.contains(", waited ")), "{report:#}");
    let times = |id: &str, path: &str| check(&report, id)["facts"].pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let all = times("aws.oidc-provider", "/provider/throttled/times")
        + times("aws.oidc-provider", "/listed/throttled/times")
        + times("aws.role", "/throttled/times")
        + times("aws.role-permissions", "/reader/throttled/times");
    assert_eq!(all, 6, "each refusal is counted once: {report:#}");
}

#[test]
fn an_iam_that_stays_busy_ends_with_the_time_and_what_else_was_read_is_kept() {
    let lab = world("[aws]\nthrottled-reads = 1000000\n");
    let report = checked(&lab, &["--operator", "--timeout", "20"]);
    for id in ["aws.oidc-provider", "aws.role", "aws.role-permissions"] {
        let told = reason(&report, id);
        assert_eq!(outcome(&report, id), "inconclusive", "{report:#}");
        assert!(told.contains("Throttling: Rate exceeded") && told.contains("throttled "), "{id}: {told}");
    }
    assert_eq!(outcome(&report, "aws.secret-settings"), "pass", "{report:#}");
    assert_eq!(outcome(&report, "aws.get-secret"), "pass", "{report:#}");
    assert_eq!((&report["verdict"], &report["findings"]), (&json!("inconclusive"), &json!([])), "{report:#}");
}

/// A policy of at least so many characters that allows nothing of what is checked.
fn long_policy(characters: usize) -> String {
    let resources: Vec<String> =
        (0..=characters / 40).map(|number| format!("arn:aws:s3:::a-bucket-of-number-{number:05}/*")).collect();
    json!({ "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resources }] })
    .to_string()
}

#[test]
fn very_long_policies_on_very_many_pages_are_all_read() {
    let inline: String = (0..60).map(|n| format!("Inline{n:02} = '{}'\n", long_policy(160))).collect();
    let managed: String =
        (0..20).map(|n| format!("[aws.policies.managed-{n:02}]\ndocument = '{}'\n", long_policy(6000))).collect();
    let deny = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "AtTheVeryEnd", "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*" }] });
    let attached: Vec<String> = (0..20).map(|n| format!("managed-{n:02}")).collect();
    // What decides is the last item of the last page.
    let lab = world(&format!(
        "[aws]\npage-size = 1\n{ROLE}attached = {attached:?}\n[aws.roles.crewai-secrets-reader.policies]\n{inline}\
         Long = '{}'\nZ = '{deny}'\n{managed}",
        long_policy(10_000)
    ));
    let report = checked(&lab, &["--operator"]);
    let policies = check(&report, "aws.role-permissions")["facts"]["reader"]["policies"].as_array().unwrap().len();
    // One is that of every world's role.
    assert_eq!(policies, 60 + 20 + 2 + 1, "{:#}", check(&report, "aws.role-permissions"));
    let first = &report["findings"][0];
    assert_eq!((&first["cause"], &first["certainty"]), (&json!("explicit-deny"), &json!("proven")), "{report:#}");
    assert!(first.to_string().contains("AtTheVeryEnd"), "{first:#}");
}
