//! `trustline trust` on infrastructure code with open parts: what has no value is named and makes the decision unknown, unless what
//! is written decides it; what a sibling file gives is known.

use serde_json::{Value, json};

use super::Files;
use crate::support::trustline;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:octo/app:ref:refs/heads/main";

/// The answer for a trust given by this flag, and the exit status.
fn asked(files: &Files, flag: &str, code: &str, audience: &str, more: &[&str]) -> (Value, i32) {
    let claims =
        json!({"iss": GITHUB, "aud": audience, "sub": SUBJECT, "repository": "octo/app", "repository_owner": "octo"});
    let (code, claims) = (files.write("main.tf", code), files.write("claims.json", &claims.to_string()));
    let mut command = trustline();
    command.args(["trust", flag]).arg(code).arg("--claims").arg(claims).args(["--output", "json"]).args(more);
    let output = command.output().unwrap();
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (answer, output.status.code().unwrap())
}

fn role(policy: &str) -> String {
    format!("variable \"x\" {{}}\nresource \"aws_iam_role\" \"ci\" {{\n  assume_role_policy = {policy}\n}}\n")
}

fn policy(version: &str, subject: &str) -> String {
    role(&format!(
        r#"jsonencode({{
    {version}
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }}
      Condition = {{ StringLike = {{ "token.actions.githubusercontent.com:sub" = {subject} }} }}
    }}]
  }})"#
    ))
}

fn credential(subject: &str) -> String {
    format!(
        "variable \"x\" {{}}\nresource \"azurerm_federated_identity_credential\" \"ci\" {{\n  name = \"ci-main\"\n  issuer = \"{GITHUB}\"\n  audience = [\"api://AzureADTokenExchange\"]\n  subject = {subject}\n}}\n"
    )
}

fn provider(lines: &str) -> String {
    format!(
        "variable \"x\" {{}}\nresource \"google_iam_workload_identity_pool_provider\" \"ci\" {{\n{lines}\n  oidc {{\n    issuer_uri = \"{GITHUB}\"\n    allowed_audiences = [\"me\"]\n  }}\n}}\n"
    )
}

#[test]
fn what_code_leaves_open_is_unknown_by_name_at_every_cloud() {
    let files = Files::new();
    let mapping = "attribute_mapping = { \"google.subject\" = \"assertion.sub\" }";
    let condition = |condition: &str| provider(&format!("{mapping}\nattribute_condition = {condition}"));
    let version = "Version = \"2012-10-17\"";
    for (flag, audience, code, decision) in [
        ("--policy", "sts.amazonaws.com", policy(version, "\"repo:${var.x}/app:*\""), "unknown"),
        ("--policy", "sts.amazonaws.com", policy("", "\"repo:${var.x}/app:*\""), "unknown"),
        ("--policy", "sts.amazonaws.com", policy(version, "\"repo:${var.x}/other:*\""), "deny"),
        ("--policy", "sts.amazonaws.com", policy(version, "[\"repo:${var.x}/api:*\", \"repo:octo/app:*\"]"), "allow"),
        ("--policy", "sts.amazonaws.com", role("var.x"), "unknown"),
        (
            "--credential",
            "api://AzureADTokenExchange",
            credential("\"repo:${var.x}/app:ref:refs/heads/main\""),
            "unknown",
        ),
        ("--credential", "api://AzureADTokenExchange", credential("var.x"), "unknown"),
        ("--credential", "api://AzureADTokenExchange", credential("\"repo:${var.x}/app:environment:prod\""), "deny"),
        ("--provider", "me", condition("\"assertion.repository_owner == '${var.x}'\""), "unknown"),
        ("--provider", "me", condition("var.x"), "unknown"),
        ("--provider", "me", provider("attribute_mapping = var.x"), "unknown"),
        ("--provider", "me", condition("\"assertion.repository == 'other/${var.x}'\""), "deny"),
        (
            "--provider",
            "me",
            condition("\"assertion.repository_owner == 'octo' || assertion.ref == '${var.x}'\""),
            "allow",
        ),
    ] {
        let (answer, status) = asked(&files, flag, &code, audience, &["--lint"]);
        assert_eq!(answer["decision"], decision, "{code}: {answer:#}");
        let expected = match decision {
            "unknown" => 3,
            "deny" => 1,
            _ => 0,
        };
        assert_eq!(status, expected, "{code}");
        if decision == "unknown" {
            let whys = answer["statements"][0].to_string();
            assert!(whys.contains("var.x") && whys.contains("${unknown:var.x}"), "{code}: {answer:#}");
            assert_eq!(answer["problems"], json!([]), "{code}");
            let severe = answer["lint"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "critical");
            assert_eq!(severe.count(), 0, "no alarm is raised over what is not known: {answer:#}");
        }
    }
}

#[test]
fn what_a_file_beside_it_gives_is_known_and_a_broken_one_elsewhere_does_not_matter() {
    let files = Files::new();
    files.write("terraform.tfvars", "x = \"octo\"\n");
    files.write("broken.tf", "resource {\n");
    let version = "Version = \"2012-10-17\"";
    let (answer, status) =
        asked(&files, "--policy", &policy(version, "\"repo:${var.x}/app:*\""), "sts.amazonaws.com", &[]);
    assert_eq!((&answer["decision"], status), (&json!("allow"), 0), "{answer:#}");
    // A file of another name is read as well, and is no part of that module.
    let code = files.write("main", &policy(version, "\"repo:octo/app:*\""));
    let claims = files.folder.path().join("claims.json");
    let output = trustline().args(["trust", "--policy"]).arg(code).arg("--claims").arg(claims).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_json_syntax_is_read_as_the_native_one() {
    let files = Files::new();
    let trust = policy("Version = \"2012-10-17\"", "\"repo:octo/app:*\"");
    let jsonencode = trust.split_once("assume_role_policy = ").unwrap().1.rsplit_once("\n}").unwrap().0;
    let code = json!({"resource": {"aws_iam_role": {"ci": {"assume_role_policy": format!("${{{jsonencode}}}")}}}});
    let (answer, status) = asked(&files, "--policy", &code.to_string(), "sts.amazonaws.com", &[]);
    assert_eq!((&answer["decision"], status), (&json!("allow"), 0), "{answer:#}");
}
