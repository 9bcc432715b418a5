//! The fixes of trust policies, run as they are printed by AWS's own CLI against a lab. Skipped with a word where the CLI
//! is missing.

mod scripts;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{RunningLab, trustline};

/// A lab's account and what the program says of it.
struct Site {
    lab: RunningLab,
    cli: PathBuf,
}

impl Site {
    fn of(lab: impl FnOnce() -> RunningLab) -> Option<Site> {
        let Some(cli) = std::env::var_os("TRUSTLINE_TEST_AWS_CLI").map(PathBuf::from) else {
            println!("skipped: TRUSTLINE_TEST_AWS_CLI names no AWS CLI");
            return None;
        };
        Some(Site { lab: lab(), cli })
    }

    fn check(&self) -> Value {
        let output = trustline()
            .args(["check", "--output", "json", "--profile-file", &self.lab.file("profile.toml")])
            .args(["--ca-file", &self.lab.file("ca.pem"), "--allow-host", "127.0.0.1"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn sh(&self, script: &str) -> Output {
        let path = format!("{}:{}", self.cli.parent().unwrap().display(), std::env::var("PATH").unwrap());
        Command::new("sh")
            .args(["-c", &format!(". {}\n{script}", self.lab.ready["operator_env"].as_str().unwrap())])
            .env("PATH", path)
            .env("AWS_PAGER", "")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
            .output()
            .unwrap()
    }

    fn done(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The role as IAM has it.
    fn role(&self) -> Value {
        serde_json::from_str(&self.done("aws iam get-role --role-name crewai-secrets-reader --output json")).unwrap()
    }

    fn copy(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.lab.file("trust-policy.json")).unwrap()).unwrap()
    }
}

fn first_fix(report: &Value) -> &Value {
    &report["findings"][0]["fixes"][0]
}

fn text<'v>(fix: &'v Value, part: &str) -> &'v str {
    fix[part].as_str().unwrap_or_else(|| panic!("no {part} in {fix:#}"))
}

#[test]
fn the_fix_of_every_trust_policy_fixes_and_its_undo_brings_the_role_back() {
    for scenario in [
        "sub-mismatch",
        "sub-case-mismatch",
        "operator-wrong",
        "aud-mismatch",
        "condition-key-wrong",
        "principal-arn-wrong",
        "action-missing",
        "explicit-deny",
        "assume-role-untrusted",
    ] {
        let Some(site) = Site::of(|| RunningLab::start(scenario)) else { return };
        let before = (site.role(), site.copy());
        let report = site.check();
        assert_eq!(report["verdict"], "fail", "{scenario}");
        let fix = first_fix(&report);
        site.done(text(fix, "command"));
        let fixed = site.check();
        assert_eq!((&fixed["verdict"], &fixed["findings"]), (&json!("pass"), &json!([])), "{scenario}");
        assert_eq!(site.role()["Role"]["AssumeRolePolicyDocument"], site.copy(), "{scenario}");
        site.done(text(fix, "undo"));
        assert_eq!((site.role(), site.copy()), before, "{scenario}");
    }
}

#[test]
fn a_policy_that_changed_after_the_check_is_left_as_it_is() {
    let Some(site) = Site::of(|| RunningLab::start("sub-mismatch")) else { return };
    let report = site.check();
    let fix = first_fix(&report);
    let mut changed = site.copy();
    changed["Statement"][0]["Sid"] = json!("Changed");
    site.done(&format!(
        "aws iam update-assume-role-policy --role-name crewai-secrets-reader --policy-document '{changed}'"
    ));
    let before = (site.role(), site.copy());
    for script in [text(fix, "command"), text(fix, "undo")] {
        let output = site.sh(script);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("Nothing was changed"));
        assert_eq!((site.role(), site.copy()), before);
    }
}

/// A role with a path, whose policy serves several issuers.
#[test]
fn only_the_statement_that_is_wrong_is_touched() {
    const WORLD: &str = r#"
name = "several"
title = "a policy for several issuers, one of them misspelt"

[aws.roles.crewai-secrets-reader]
path = "/teams/a/"
trust-policy = '''
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Pipelines",
      "Effect": "Allow",
      "Principal": { "Federated": "arn:aws:iam::${account}:oidc-provider/gitlab.com" },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": { "StringLike": { "gitlab.com:sub": "project_path:g/p:*" }, "StringEquals": { "gitlab.com:aud": "https://gitlab.com" } }
    },
    {
      "Sid": "Platform",
      "Effect": "Allow",
      "Principal": { "Federated": "arn:aws:iam::${account}:oidc-provider/${issuer-host}" },
      "Action": ["sts:AssumeRole", "sts:TagSession"],
      "Condition": {
        "StringEquals": {
          "${issuer-host}:aud": ["another", "sts.amazonaws.com"],
          "${issuer-host}:sub": ["organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24", "organization:*"]
        }
      }
    },
    { "Sid": "NoPlain", "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": { "Bool": { "aws:SecureTransport": "false" } } }
  ]
}
'''

[profile]
role-arn = "arn:aws:iam::${account}:role/teams/a/crewai-secrets-reader"
"#;
    let Some(site) = Site::of(|| RunningLab::world(WORLD)) else { return };
    let before = site.copy();
    let report = site.check();
    site.done(text(first_fix(&report), "command"));
    assert_eq!(site.check()["verdict"], "pass");
    let after = site.copy();
    for index in [0, 2] {
        assert_eq!(after["Statement"][index], before["Statement"][index]);
    }
    let actions = &after["Statement"][1]["Action"];
    assert_eq!(*actions, json!(["sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"]));
    let subjects = after["Statement"][1]["Condition"]["StringEquals"].as_object().unwrap().iter();
    let subjects = subjects.filter(|(key, _)| key.ends_with(":sub")).map(|(_, values)| values).next().unwrap();
    assert_eq!(subjects[0], "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24");
    assert!(!subjects[1].as_str().unwrap().contains('*'), "{subjects}");
}
