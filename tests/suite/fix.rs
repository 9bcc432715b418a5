//! One root with one fix: what stands beside it, that it is whole, and that it fixes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::support::{RunningLab, outside, trustline};

fn checked(scenario: &str, form: &str) -> String {
    let output = trustline().args(["check", "--lab", scenario, "--output", form]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn report(scenario: &str) -> Value {
    serde_json::from_str(&checked(scenario, "json")).unwrap()
}

/// The findings that follow from no other.
fn roots(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().filter(|found| found.get("follows_from").is_none()).collect()
}

#[test]
fn nothing_possible_stands_beside_a_proven_root() {
    for (scenario, cause) in [
        ("tls-expired", "tls-expired"),
        ("issuer-differs", "issuer-differs"),
        ("jwks-too-many", "jwks-invalid"),
        ("secret-not-found", "secret-not-found"),
        ("secret-wrong-region", "secret-wrong-region"),
    ] {
        let found = report(scenario);
        let roots = roots(&found);
        assert_eq!(roots.len(), 1, "{scenario}: {roots:?}");
        assert_eq!((&roots[0]["cause"], &roots[0]["certainty"]), (&cause.into(), &"proven".into()), "{scenario}");
        assert!(found.get("undecided").is_none(), "{scenario}");
        for follower in found["findings"].as_array().unwrap().iter().skip(1) {
            assert_eq!(follower["follows_from"], cause, "{scenario}");
            assert_eq!(follower["fixes"], serde_json::json!([]), "{scenario}");
        }
        for form in ["text", "markdown", "junit"] {
            let text = checked(scenario, form);
            assert!(text.contains(cause) && !text.contains("possible"), "{scenario} as {form}: {text}");
        }
    }
}

#[test]
fn what_is_undecided_is_one_block_with_the_command_that_decides() {
    let found = report("circleci-sub-account-trust");
    assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{found}");
    let undecided = &found["undecided"];
    let candidates: Vec<&str> =
        undecided["candidates"].as_array().unwrap().iter().map(|one| one["cause"].as_str().unwrap()).collect();
    assert_eq!(candidates.first(), Some(&"assume-role-denied"));
    assert!(!candidates.contains(&"env-conflict"), "the caller is the first role's session: {candidates:?}");
    assert!(undecided["refused"].as_str().unwrap().contains("sts:AssumeRole"), "{undecided}");
    let decide = undecided["decide"]["command"].as_str().unwrap();
    assert!(decide.starts_with("aws iam get-role --role-name "), "{decide}");
    for form in ["text", "markdown", "junit"] {
        let text = checked("circleci-sub-account-trust", form);
        assert_eq!(text.matches(decide.split('\n').next().unwrap()).count(), 1, "{form}: {text}");
    }
    let explained = trustline()
        .args(["explain", "--output", "json"])
        .write_stdin("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
        .output()
        .unwrap();
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert!(explained["causes"].as_array().unwrap().len() <= 12);
    let decide = explained["undecided"]["decide"]["command"].as_str().unwrap();
    assert!(decide.contains("aws iam get-role") && decide.contains("trustline explain"), "{decide}");
}

fn fix(arguments: &[&str]) -> Output {
    trustline().arg("fix").args(arguments).output().unwrap()
}

#[test]
fn fix_ends_as_its_cause_stands_and_nothing_to_run_fails_in_a_pipe() {
    for (scenario, status, said) in [
        ("healthy", 3, "Nothing was found"),
        ("token-expired", 1, "There is no script"),
        ("tls-expired", 1, "administrator"),
        ("circleci-sub-account-trust", 3, "undecided"),
    ] {
        let output = fix(&["--lab", scenario]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{scenario}: {stderr}");
        assert!(stderr.contains(said), "{scenario}: {stderr}");
        let script = String::from_utf8(output.stdout).unwrap();
        let ran = Command::new("sh").arg("-c").arg(&script).output().unwrap();
        assert_eq!(ran.status.code(), Some(1), "{scenario}: {script}");
    }
}

/// Runs a pipeline of the shell beside a lab, with the operator's variables, the AWS CLI and the program on the path.
fn in_shell(lab: &RunningLab, aws: &Path, home: &Path, pipeline: &str) -> Output {
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    let folders = [program.parent().unwrap(), aws.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")];
    Command::new("sh")
        .arg("-c")
        .arg(format!(". '{}'; {pipeline}", lab.file("operator.env")))
        .env_clear()
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn the_printed_fix_fixes_and_its_undo_takes_it_back() {
    let (aws, lab) = (outside("TRUSTLINE_TEST_AWS_CLI"), RunningLab::start("sub-mismatch"));
    let home = tempfile::tempdir().unwrap();
    let profile = format!(
        "--profile-file '{}' --ca-file '{}' --allow-command --allow-host 127.0.0.1 --allow-host localhost",
        lab.file("profile.toml"),
        lab.file("ca.pem")
    );
    let run = |pipeline: &str| in_shell(&lab, &aws, home.path(), pipeline);
    let text = |output: &Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let diff = run(&format!("trustline fix {profile} --diff"));
    let shown = text(&diff);
    assert!(shown.lines().any(|l| l.starts_with("-  ")) && shown.lines().any(|l| l.starts_with("+  ")), "{shown}");
    let undo = run(&format!("trustline fix {profile} --undo"));
    let fixed = run(&format!("trustline fix {profile} | sh"));
    assert!(fixed.status.success(), "{}", text(&fixed));
    let check = run(&format!("trustline check {profile}"));
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));

    std::fs::write(home.path().join("undo.sh"), &undo.stdout).unwrap();
    let undone = run("sh \"$HOME/undo.sh\"");
    assert!(undone.status.success(), "{}", text(&undone));
    assert_eq!(run(&format!("trustline check {profile}")).status.code(), Some(1));
}

#[test]
fn a_lab_that_ends_with_the_check_is_served_to_be_fixed() {
    for form in ["text", "markdown", "json"] {
        let shown = checked("sub-mismatch", form).replace('\\', "");
        assert!(shown.contains("serve it with `trustline lab sub-mismatch`"), "{form}: {shown}");
        assert!(!shown.contains("trustline fix --lab"), "{form}: {shown}");
    }
    assert_eq!(report("sub-mismatch")["findings"][0]["fixes"][0].get("verify"), None);
    // Waiting needs no served lab: another try starts one of its own.
    assert!(!checked("role-propagation", "json").contains("serve it with"));
}
