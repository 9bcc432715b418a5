//! The scripts of the GitLab include and of the CircleCI orb, taken from their files and run as those runners do, with their
//! environment and what a job gives them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::support::RunningLab;

const GITLAB: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/actions/gitlab.yml"));
const CIRCLECI: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/actions/circleci.yml"));

/// A trust that lets any repository in.
const WIDE: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
  "Action": "sts:AssumeRoleWithWebIdentity",
  "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}}]}"#;

/// The lines of a block of YAML below a line that begins so, up to where the indentation ends, without it.
fn block<'t>(text: &'t str, from: &str, head: &str) -> Vec<&'t str> {
    let after = text.split_once(from).unwrap_or_else(|| panic!("no {from}")).1;
    let mut lines = after.lines().skip_while(|line| line.trim() != head);
    let own = lines.next().unwrap_or_else(|| panic!("no {head} below {from}"));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let inner: Vec<&str> = lines.take_while(|line| indent(line) > indent(own)).collect();
    let cut = inner.iter().map(|line| indent(line)).min().unwrap();
    inner.into_iter().map(|line| &line[cut..]).collect()
}

/// The `script` of a job of the include: a command an entry.
fn of_gitlab(job: &str) -> String {
    let entries = block(GITLAB, &format!("{job}:\n"), "script:");
    let commands = entries.into_iter().map(|entry| entry.strip_prefix("- ").unwrap());
    format!("set -eo pipefail\n{}\n", commands.collect::<Vec<_>>().join("\n"))
}

/// The `run` step of a command of the orb, with its parameters filled in as CircleCI does: by their text.
fn of_circleci(command: &str, parameters: &[(&str, &str)]) -> String {
    let mut script = block(CIRCLECI, &format!("    {command}:\n"), "command: |").join("\n");
    for (name, value) in parameters {
        script = script.replace(&format!("<< parameters.{name} >>"), value);
    }
    assert!(!script.contains("<<"), "a parameter is left: {script}");
    format!("set -eo pipefail\n{script}\n")
}

/// Runs a script with bash in a folder, with what the runner sets and nothing else of this process.
fn run(script: &str, folder: &Path, variables: &[(&str, &str)]) -> Output {
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    let path = std::env::join_paths([program.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    Command::new("bash")
        .args(["-c", script])
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("CI", "true")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a job of a lab is given beside its token.
fn of_lab(lab: &RunningLab) -> Vec<(&str, &str)> {
    let ready = |key: &str| lab.ready[key].as_str().unwrap();
    vec![
        ("AWS_REGION", ready("region")),
        ("AWS_ROLE_ARN", ready("role_arn")),
        ("AWS_ENDPOINT_URL_STS", ready("sts")),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", ready("secretsmanager")),
    ]
}

/// A report of JUnit with tests in it, some of which failed or none.
fn assert_junit(path: &Path, has_failed: bool) {
    let report = fs::read_to_string(path).unwrap();
    assert!(report.starts_with("<?xml") && report.contains("<testcase"), "{report}");
    assert_eq!(report.contains("<failure"), has_failed, "{report}");
}

#[test]
fn gitlabs_check_records_reports_and_ends_as_the_check_did() {
    let lab = RunningLab::start("gitlab");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let arguments = format!("--ca-file {} --set secret.name=crewai-test-keyword", lab.file("ca.pem"));
    let own = [
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", lab.ready["issuer"].as_str().unwrap()),
        ("TRUSTLINE", "trustline"),
        ("TRUSTLINE_ARGUMENTS", &arguments),
    ];
    for (with_token, status) in [(true, 0), (false, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let held = with_token.then_some(("GITLAB_OIDC_TOKEN", token.trim()));
        let variables: Vec<_> = own.into_iter().chain(of_lab(&lab)).chain(held).collect();
        let output = run(&of_gitlab(".trustline-check"), folder.path(), &variables);
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        assert_junit(&folder.path().join("trustline.xml"), !with_token);
        let record = fs::read_to_string(folder.path().join("trustline.ndjson")).unwrap();
        assert!(record.lines().count() > 3 && !(record + &said(&output)).contains(token.trim()));
    }
}

#[test]
fn circlecis_check_records_reports_and_ends_as_the_check_did() {
    let lab = RunningLab::start("circleci");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let arguments = format!(
        "--ca-file {} --set secret.name=crewai-test-keyword --set issuer.url={} \
         --set aws.target-role-arn=arn:aws:iam::123456789012:role/crewai-secrets-reader",
        lab.file("ca.pem"),
        lab.ready["issuer"].as_str().unwrap()
    );
    let script = of_circleci("check", &[("arguments", &arguments)]);
    let own = [("CIRCLECI", "true"), ("CIRCLE_ORGANIZATION_ID", "6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1")];
    for (with_token, status) in [(true, 0), (false, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let held = with_token.then_some(("CIRCLE_OIDC_TOKEN_V2", token.trim()));
        let variables: Vec<_> = own.into_iter().chain(of_lab(&lab)).chain(held).collect();
        let output = run(&script, folder.path(), &variables);
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        // What `store_test_results` takes, and nothing that it cannot read.
        assert_junit(&folder.path().join("trustline/results.xml"), !with_token);
        let record = fs::read_to_string(folder.path().join("trustline/run.ndjson")).unwrap();
        assert!(record.lines().count() > 3 && !(record + &said(&output)).contains(token.trim()));
    }
}

#[test]
fn both_audits_report_what_is_too_wide_and_end_by_the_threshold() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trust.json"), WIDE).unwrap();
    let orb = [("paths", "trust.json"), ("fail-on", "high")];
    for (script, report) in
        [(of_gitlab(".trustline-audit"), "trustline.xml"), (of_circleci("audit", &orb), "trustline/results.xml")]
    {
        let given = [("TRUSTLINE", "trustline"), ("TRUSTLINE_PATHS", "trust.json"), ("TRUSTLINE_FAIL_ON", "high")];
        let output = run(&script, folder.path(), &given);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("trust-too-wide"), "the log shows the findings: {}", said(&output));
        assert_junit(&folder.path().join(report), true);
    }
    let narrow = WIDE.replace("repo:*", "repo:octo-org@1/octo-repo@2:ref:refs/heads/main");
    fs::write(folder.path().join("trust.json"), narrow).unwrap();
    let output = run(&of_circleci("audit", &orb), folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_junit(&folder.path().join("trustline/results.xml"), false);
}
