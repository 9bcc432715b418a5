//! `trustline check`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::support::trustline;

/// What one operation may take where the whole leaves it that: `cli::network`.
const OPERATION_MS: u64 = 10_000;

fn report(arguments: &[&str]) -> (Value, i32) {
    let output = trustline().arg("check").args(arguments).args(["--output", "json"]).output().unwrap();
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (document, output.status.code().unwrap())
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}"))
}

fn text(arguments: &[&str]) -> String {
    String::from_utf8(trustline().arg("check").args(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn the_healthy_lab_passes_from_end_to_end() {
    let (report, code) = report(&["--lab"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("pass")), "{report:#}");
    assert_eq!(report["schema"], "trustline.check/1");
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    for id in ["issuer.jwks", "token.signature", "trust.policy", "aws.caller-identity", "aws.get-secret"] {
        assert_eq!(check(&report, id)["outcome"], "pass", "{id}");
    }
    let read = &check(&report, "aws.get-secret")["facts"];
    assert!(read["fingerprint"].as_str().is_some_and(|keyed| keyed.starts_with("hmac-sha256:")), "{read:#}");
    assert!(read["keyed_because"].is_string(), "a phrase can be guessed: {read:#}");
    assert_eq!(read["stages"], serde_json::json!(["AWSCURRENT"]));
}

#[test]
fn independent_answers_overlap() {
    let (report, _) = report(&["--lab", "--delay-ms", "100"]);
    // Document, then keys; beside them the exchange, then the read: two answers in a row, of seven.
    let (chain, sum) = (200, 700);
    let took = report["duration_ms"].as_u64().unwrap();
    assert!(took >= chain && took < sum, "{took} ms");
}

#[test]
fn a_field_of_a_json_secret_is_judged_apart() {
    let (report, code) = report(&["--lab", "--set", "secret.name=crewai-database#pasword"]);
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(report["findings"][0]["cause"], "json-key-missing", "{report:#}");
    assert_eq!(check(&report, "aws.get-secret")["outcome"], "pass");
}

#[test]
fn only_and_skip_choose() {
    let (only, code) = report(&["--lab", "--only", "aws.caller-identity"]);
    assert_eq!(code, 0);
    assert_eq!(check(&only, "aws.caller-identity")["outcome"], "pass");
    assert_eq!(check(&only, "issuer.tls")["reason"], "not asked for");
    let (skip, _) = report(&["--lab", "missing-list", "--skip", "aws.list-secrets"]);
    assert_eq!(skip["verdict"], "pass", "{skip:#}");
    trustline().args(["check", "--lab", "--only", "aws.nonsense"]).assert().code(2);
}

#[test]
fn a_refusal_is_shown_aligned_with_its_first_difference_marked() {
    let text = text(&["--lab", "sub-mismatch"]);
    let lines: Vec<&str> = text.lines().collect();
    let expected = lines.iter().position(|l| l.trim_start().starts_with("policy ")).unwrap();
    let (wanted, found, mark) = (lines[expected], lines[expected + 1], lines[expected + 2]);
    let column = mark.find('^').unwrap();
    assert_eq!(wanted[..column].replace("policy", ""), found[..column].replace("token ", ""), "{text}");
    assert_ne!(wanted.as_bytes()[column], found.as_bytes()[column], "{text}");
    assert!(text.contains("serve it with `trustline lab sub-mismatch`") && !text.contains("| sh"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour off a terminal");
}

#[test]
fn other_forms_hold_the_same_verdicts() {
    let junit = text(&["--lab", "missing-get", "--output", "junit"]);
    assert!(junit.contains("<failure") && junit.contains("classname=\"aws.get-secret\""), "{junit}");
    let markdown = text(&["--lab", "missing-get", "--output", "markdown"]);
    assert!(markdown.contains("**failed**") && markdown.contains("missing-get"), "{markdown}");
}

#[test]
fn a_new_role_is_waited_for() {
    let (now, code) = report(&["--lab", "role-propagation"]);
    assert_eq!((code, now["findings"][0]["cause"].as_str()), (1, Some("propagation-delay")), "{now:#}");
    let (later, code) = report(&["--lab", "role-propagation", "--wait", "60"]);
    assert_eq!((code, later["verdict"].as_str()), (0, Some("pass")), "{later:#}");
}

#[test]
fn warnings_count_under_strict_alone() {
    let (lenient, code) = report(&["--lab", "deployment-inputs-missing"]);
    assert_eq!((code, check(&lenient, "deployment.reachable")["outcome"].as_str()), (0, Some("warn")), "{lenient:#}");
    assert_eq!(report(&["--lab", "deployment-inputs-missing", "--strict"]).1, 4);
    assert_eq!(report(&["--lab", "--strict"]).1, 0);
}

/// STS refuses a token under a policy for everybody, so such a policy fails here, and does not merely look wide.
#[test]
fn a_policy_for_everybody_lets_no_token_in() {
    let policy = tempfile::NamedTempFile::new().unwrap();
    let wide = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
    std::fs::write(policy.path(), wide).unwrap();
    let setting = format!("aws.trust-policy={}", policy.path().display());
    let (report, code) = report(&["--lab", "--set", &setting]);
    // The role of the lab is another's: the copy denies, and the exchange was granted all the same.
    assert_eq!((code, check(&report, "trust.policy")["outcome"].as_str()), (0, Some("warn")), "{report:#}");
    assert_eq!(report["findings"][0]["cause"], "policy-drift");
    let evidence = report["findings"][0]["evidence"].to_string();
    assert!(evidence.contains("`*` is for callers who sign"), "{evidence}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("policy.json");
    for path in [missing.to_str().unwrap(), folder.path().to_str().unwrap()] {
        let (report, code) = report(&["--lab", "missing-get", "--set", &format!("aws.identity-policy={path}")]);
        assert_eq!(code, 1, "{report:#}");
        let evidence = report["findings"][0]["evidence"].to_string();
        assert!(evidence.contains("aws.identity-policy") && evidence.contains(path), "{evidence}");
    }
    let output = trustline().args(["check", "--lab", "--ca-file"]).arg(&missing).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("policy.json"));
}

/// A container's limit of processes, for example.
#[test]
#[ignore = "needs root, setpriv and prlimit"]
fn without_a_thread_to_start_the_program_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("trustline");
    std::fs::copy(env!("CARGO_BIN_EXE_trustline"), &program).unwrap();
    for arguments in [&["check", "--lab"][..], &["issuer", "https://127.0.0.1:1"]] {
        let mut limited = std::process::Command::new("setpriv");
        limited.args(["--reuid=65534", "--clear-groups", "prlimit", "--nproc=1"]).arg(&program).args(arguments);
        let output = limited.current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("no thread can be started") && said.contains("ulimit -u"), "{said}");
    }
}

#[test]
fn the_whole_ends_within_its_timeout() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("issuer.url=https://{}", silent.local_addr().unwrap());
    let arguments =
        ["--set", &issuer, "--set", "token.file=/nonexistent/token", "--timeout", "1", "--set", "aws.region=us-east-1"];
    let (report, code) = report(&arguments);
    assert_eq!(code, 1, "{report:#}");
    // Either the operation is cut, which alone would have waited longer, or the whole is before it.
    if report["cut_short"] != "no answer within 1 s" {
        assert_eq!(report["findings"][0]["check"], "issuer.tls", "{report:#}");
        let evidence = report["findings"][0]["evidence"][0].as_str().unwrap();
        let waited = evidence.split_once(" after ").unwrap().1.split_once(" ms").unwrap().0;
        assert!(waited.parse::<u64>().unwrap() < OPERATION_MS, "{evidence}");
    }
}

#[test]
fn a_mistyped_scenario_is_told() {
    let output = trustline().args(["check", "--lab", "sub-mismach"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sub-mismatch"));
}

#[test]
fn a_trust_is_judged_without_a_token_by_what_the_profile_expects() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |subject: &str| {
        serde_json::json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.example.com"},
            "Condition": {"StringEquals": {"app.example.com:aud": "sts.amazonaws.com", "app.example.com:sub": subject}}}})
    };
    let profile = folder.path().join("p.toml");
    std::fs::write(
        &profile,
        "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"https://app.example.com\"\n\
         [platform]\norganization = \"7f3e81c4-1111-4222-8333-9d20c1a09a1c\"\n\
         [aws]\nrole-arn = \"arn:aws:iam::123456789012:role/reader\"\nregion = \"us-east-1\"\ntrust-policy = \"t.json\"\n",
    )
    .unwrap();
    let checked = |subject: &str| {
        std::fs::write(folder.path().join("t.json"), policy(subject).to_string()).unwrap();
        let output = trustline()
            .args(["check", "--only", "trust.policy,token.claims", "--output", "json", "--profile-file"])
            .arg(&profile)
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let check = |id: &str| report["checks"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone();
        (check("trust.policy"), check("token.claims"), report["findings"][0].clone())
    };
    let (trust, claims, _) = checked("organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c");
    assert_eq!((&trust["outcome"], &trust["facts"]["predicted"]), (&"pass".into(), &true.into()), "{trust:#}");
    assert!(trust["reason"].as_str().unwrap().starts_with("predicted: "));
    assert_eq!((&claims["outcome"], &claims["facts"]["predicted"]), (&"skipped".into(), &true.into()), "{claims:#}");
    assert_eq!(claims["facts"]["claims"]["sub"], "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c");
    let (trust, _, finding) = checked("organization:00000000-1111-4222-8333-9d20c1a09a1c");
    assert_eq!((&trust["outcome"], &finding["certainty"]), (&"fail".into(), &"likely".into()), "{trust:#}");
    assert!(finding["summary"].as_str().unwrap().starts_with("predicted: "), "{finding:#}");
}

#[test]
fn what_was_not_asked_for_is_not_printed() {
    let output = trustline().args(["check", "--lab", "--only", "issuer.reachable"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("not asked for"), "{text}");
}

#[test]
fn numbers_that_cannot_be_are_told_with_what_to_write() {
    for (arguments, told) in [
        (&["check", "--all", "--concurrency", "0"][..], "write a number from 1"),
        (&["guide", "aws-workload-identity", "x"], "write the number of a step"),
    ] {
        let output = trustline().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}
