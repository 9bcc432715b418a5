//! What a CI shows of findings: annotations, the job's summary, code scanning; and the scripts that our actions run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::support::{RunningLab, trustline};

const WIDE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
      "StringLike": {
        "token.actions.githubusercontent.com:sub": "repo:*"
      }
    }
  }]
}"#;

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// A folder with a trust that lets any repository in.
fn wide(folder: &Path) -> PathBuf {
    let file = folder.join("wide trust.json");
    fs::write(&file, WIDE).unwrap();
    file
}

#[test]
fn what_cannot_be_read_is_an_error_at_the_lines_that_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("profile.toml", "guide = \"aws-workload-identity\"\n[aws]\nregion = \"us-esat-1\"\nrole = \"x\"\n");
    write("broken.toml", "guide = \"aws-workload-identity\"\n[aws\n");
    write("policy.json", "{\n\"Statement\": [\n}");
    let said_in = |arguments: &[&str], form: &str| {
        let output = trustline().current_dir(folder.path()).args(arguments).args(["--output", form]).output().unwrap();
        let (printed, errors) = said(&output);
        assert!(output.status.code() == Some(2) && !errors.is_empty(), "{arguments:?}: {printed}{errors}");
        printed
    };
    for (arguments, places) in [
        (&["check", "--profile-file", "profile.toml"][..], &[("profile.toml", 3), ("profile.toml", 4)][..]),
        (&["check", "--profile-file", "broken.toml"], &[("broken.toml", 2)]),
        (&["trust", "--policy", "policy.json", "--lint"], &[("policy.json", 3)]),
        (&["audit", "policy.json"], &[("policy.json", 3)]),
    ] {
        let printed = said_in(arguments, "github");
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), places.len(), "{arguments:?}: {printed}");
        for (line, (file, at)) in lines.iter().zip(places) {
            assert!(line.starts_with(&format!("::error file={file},line={at},title=")), "{arguments:?}: {line}");
        }
        let log: Value = serde_json::from_str(&said_in(arguments, "sarif")).unwrap();
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false, "{log:#}");
        let notified = invocation["toolExecutionNotifications"].as_array().unwrap();
        let at = |of: &Value| of["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap();
        let mut seen: Vec<u64> = notified.iter().map(at).collect();
        seen.sort_unstable();
        assert_eq!(seen, places.iter().map(|(_, line)| *line).collect::<Vec<u64>>(), "{log:#}");
        assert!(notified.iter().all(|of| of["level"] == "error"), "{log:#}");
    }
    let printed = said_in(&["check", "--profile", "nobody"], "github");
    assert!(printed.starts_with("::error title=") && printed.contains("there is no profile"), "{printed}");
    assert_eq!(said_in(&["check", "--profile-file", "profile.toml"], "json"), "");
}

#[test]
fn a_failed_check_is_an_error_at_the_profiles_line_and_a_summary() {
    let lab = RunningLab::start("secret-not-found");
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "earlier steps\n").unwrap();
    let profile = lab.file("profile.toml");
    let output = trustline()
        .env("GITHUB_STEP_SUMMARY", &summary)
        .args(["check", "--output", "github", "--profile-file", &profile, "--ca-file", &lab.file("ca.pem")])
        .output()
        .unwrap();
    let (printed, errors) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}{errors}");
    let error = printed.lines().find(|line| line.starts_with("::error ")).unwrap_or_else(|| panic!("{printed}"));
    assert!(error.contains("title=secret-not-found (proven)"), "{error}");
    let line: usize = error.split_once(",line=").unwrap().1.split(',').next().unwrap().parse().unwrap();
    let lines: Vec<String> = fs::read_to_string(&profile).unwrap().lines().map(str::to_owned).collect();
    assert!(line == 1 || lines[line - 1].contains("name"), "line {line} of {lines:?}");
    assert!(printed.lines().all(|line| line.starts_with("::")), "{printed}");
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(summary.starts_with("earlier steps\n") && summary.contains("secret-not-found"), "{summary}");
}

#[test]
fn a_passed_check_annotates_nothing() {
    let output = trustline().args(["check", "--lab", "--output", "github"]).output().unwrap();
    let (printed, errors) = said(&output);
    assert_eq!((output.status.code(), printed.as_str()), (Some(0), ""), "{errors}");
}

#[test]
fn a_lint_is_an_alert_at_the_line_of_what_is_too_wide() {
    let folder = tempfile::tempdir().unwrap();
    let trust = wide(folder.path());
    let lint = |form: &str| {
        let output = trustline()
            .args(["trust", "--lint", "--fail-on", "high", "--output", form, "--policy"])
            .arg(&trust)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{:?}", said(&output));
        said(&output).0
    };
    let printed = lint("github");
    assert!(printed.lines().any(|line| line.starts_with("::error file=") && line.contains(",line=")), "{printed}");
    let log: Value = serde_json::from_str(&lint("sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules: Vec<&str> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!((log["version"].as_str(), results.is_empty()), (Some("2.1.0"), false));
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result}");
        assert!(result["partialFingerprints"]["trustline/v1"].is_string(), "{result}");
        let physical = &result["locations"][0]["physicalLocation"];
        assert!(physical["artifactLocation"]["uri"].as_str().unwrap().ends_with("/wide%20trust.json"), "{result}");
        assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1, "{result}");
    }
    let about_subject = results.iter().filter(|result| result["message"]["text"].as_str().unwrap().contains("repo:*"));
    let lines: Vec<u64> = about_subject
        .map(|result| result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert!(lines.contains(&10), "none points at the pattern: {lines:?} in {log:#}");
}

/// Runs the actions' script as GitHub's runner would, with what the step was given as variables.
fn action(command: &str, folder: &Path, given: &[(&str, &str)]) -> (Output, String) {
    let (outputs, summary) = (folder.join("outputs"), folder.join("summary"));
    let output = std::process::Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/actions/run.sh"))
        .arg(command)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TRUSTLINE", assert_cmd::cargo::cargo_bin!("trustline"))
        .env("TRUSTLINE_CONFIG_DIR", folder.join("none"))
        .envs([("GITHUB_OUTPUT", &outputs), ("GITHUB_STEP_SUMMARY", &summary)])
        .envs(given.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    (output, fs::read_to_string(outputs).unwrap_or_default())
}

#[test]
fn the_audit_action_annotates_writes_sarif_and_never_reads_an_input_as_shell() {
    let folder = tempfile::tempdir().unwrap();
    wide(folder.path());
    fs::write(folder.path().join("$(touch owned)"), WIDE).unwrap();
    let given = [("TRUSTLINE_PATHS", "wide trust.json\n$(touch owned)"), ("TRUSTLINE_SARIF", "out.sarif")];
    let (output, outputs) = action("audit", folder.path(), &given);
    let (printed, errors) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}{errors}");
    assert!(printed.contains("::error file=wide trust.json,line="), "{printed}");
    assert_eq!(outputs, "status=1\nsarif=out.sarif\n");
    let log: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("out.sarif")).unwrap()).unwrap();
    assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty());
    assert!(!folder.path().join("owned").exists());
    let summary = fs::read_to_string(folder.path().join("summary")).unwrap();
    assert!(summary.contains("trust-too-wide"), "{summary}");
}

#[test]
fn the_check_action_runs_with_the_jobs_own_variables() {
    let lab = RunningLab::start("healthy");
    let folder = tempfile::tempdir().unwrap();
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let given = [("TRUSTLINE_PROFILE_FILE", profile.as_str()), ("TRUSTLINE_CA_FILE", &authority)];
    let (output, outputs) = action("check", folder.path(), &given);
    assert_eq!((output.status.code(), outputs.as_str()), (Some(0), "status=0\n"), "{:?}", said(&output));
    let summary = fs::read_to_string(folder.path().join("summary")).unwrap();
    assert!(summary.contains("PASS"), "{summary}");
    let (output, outputs) =
        action("check", folder.path(), &[&given[..], &[("TRUSTLINE_SET", "secret.name=none")]].concat());
    assert_eq!(output.status.code(), Some(1), "{:?}", said(&output));
    assert!(outputs.ends_with("status=1\n"), "{outputs}");
}
