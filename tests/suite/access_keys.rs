//! `check` with an access key: each way in which it is given, and nothing of it in what leaves the process.

use std::fs;
use std::process::Output;

use serde_json::Value;

use super::support::{RunningLab, trustline};

const ID: &str = "AKIALABSECRETSREADER";
const SECRET: &str = "lab/only/secret/access/key/of/the/reader";

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn check_of<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}"))
}

/// What tells a check where the lab is, and which secret to read there.
fn arguments(lab: &RunningLab, guide: &str) -> Vec<String> {
    let ready = |key: &str| lab.ready[key].as_str().unwrap().to_owned();
    let mut arguments = vec!["check".to_owned(), "--ca-file".to_owned(), lab.file("ca.pem")];
    for (key, value) in [
        ("guide", guide.to_owned()),
        ("aws.region", ready("region")),
        ("aws.sts-endpoint-url", ready("sts")),
        ("aws.secretsmanager-endpoint-url", ready("secretsmanager")),
        ("secret.name", ready("secret")),
    ] {
        arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    arguments
}

/// Arguments, variables, and the place that is named.
type RotationMethod<'a> = (Vec<String>, Vec<(&'a str, &'a str)>, &'a str);

#[test]
fn every_way_of_giving_the_key_is_taken() {
    let lab = RunningLab::start("static");
    let home = tempfile::tempdir().unwrap();
    let shared = home.path().join(".aws");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("credentials"), format!("[ci]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n"))
        .unwrap();
    let json = home.path().join("access-key.json");
    let answer =
        serde_json::json!({ "AccessKey": { "AccessKeyId": ID, "SecretAccessKey": SECRET, "Status": "Active" } });
    fs::write(&json, answer.to_string()).unwrap();
    let file = |path: &str| vec!["--set".to_owned(), format!("aws.access-keys-csv={path}")];
    let home = home.path().to_str().unwrap().to_owned();
    let ways: [RotationMethod<'_>; 5] = [
        (file(&lab.file("accessKeys.csv")), vec![], "accessKeys.csv"),
        (file(json.to_str().unwrap()), vec![], "access-key.json"),
        (vec![], vec![("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)], "AWS_ACCESS_KEY_ID"),
        (vec![], vec![("AWS_PROFILE", "ci"), ("HOME", &home)], "profile `ci`"),
        (vec!["--set".into(), "aws.config-profile=ci".into()], vec![("HOME", &home)], "profile `ci`"),
    ];
    for (more, variables, from) in ways {
        for form in ["json", "text", "junit", "markdown"] {
            let recording = tempfile::tempdir().unwrap();
            let recording = recording.path().join("run.jsonl");
            let output = trustline()
                .args(arguments(&lab, "aws-static"))
                .args(&more)
                .args(["--output", form, "--record", recording.to_str().unwrap()])
                .envs(variables.iter().copied())
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(0), "{from}: {}", String::from_utf8_lossy(&output.stdout));
            let recorded = fs::read(&recording).unwrap();
            for text in [&output.stdout, &output.stderr, &recorded] {
                let text = String::from_utf8_lossy(text);
                assert!(!text.contains(SECRET) && !text.contains(ID), "{form} of {from} holds the key");
            }
            if form == "json" {
                let report = report(&output);
                let key = check_of(&report, "aws.access-key");
                assert_eq!((&key["facts"]["id"], &key["facts"]["kind"]), (&"AKIA…ADER".into(), &"long-term".into()));
                assert!(key["facts"]["source"].as_str().unwrap().contains(from), "{key:#}");
            }
        }
    }
}

#[test]
fn a_sessions_key_needs_its_token_and_a_users_key_has_none() {
    let lab = RunningLab::start("static");
    let secret = ("AWS_SECRET_ACCESS_KEY", SECRET);
    for (variables, code, cause) in [
        (vec![("AWS_ACCESS_KEY_ID", "ASIALABSECRETSREADER"), secret], 1, "static-key-wrong"),
        (vec![("AWS_ACCESS_KEY_ID", ID), secret, ("AWS_SESSION_TOKEN", "left over")], 1, "env-conflict"),
        (vec![("AWS_ACCESS_KEY_ID", ID)], 1, "env-not-set"),
        (vec![], 1, "env-not-set"),
        (vec![("AWS_ACCESS_KEY_ID", "AIDALABSECRETSREADER"), secret], 1, "static-key-wrong"),
    ] {
        let output = trustline()
            .args(arguments(&lab, "aws-static"))
            .args(["--output", "json"])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let report = report(&output);
        assert_eq!((output.status.code(), &report["findings"][0]["cause"]), (Some(code), &cause.into()), "{report:#}");
        assert!(report["findings"][0]["step"].as_u64().is_some(), "{report:#}");
    }
}

#[test]
fn the_role_is_assumed_with_the_external_id() {
    let lab = RunningLab::start("assume-role");
    let run = |more: &[String]| {
        let output = trustline()
            .args(arguments(&lab, "aws-assume-role"))
            .args(["--set", "aws.role-arn=arn:aws:iam::123456789012:role/crewai-secrets-reader"])
            .args(["--set", &format!("aws.access-keys-csv={}", lab.file("accessKeys.csv")), "--output", "json"])
            .args(more)
            .output()
            .unwrap();
        report(&output)
    };
    let set = |key: &str, value: &str| ["--set".to_owned(), format!("{key}={value}")];
    let policy = set("aws.trust-policy", &lab.file("trust-policy.json"));
    let right = set("aws.external-id", "of-our-own-making");
    let wrong = set("aws.external-id", "of-somebody-elses");
    let good = run(&right);
    assert_eq!(good["verdict"], "pass", "{good:#}");
    assert_eq!(check_of(&good, "aws.caller-identity")["facts"]["arn"], "arn:aws:iam::123456789012:user/secrets-reader");
    let assumed = check_of(&good, "aws.assume-role")["facts"]["assumed_role_arn"].as_str().unwrap().to_owned();
    assert!(assumed.contains("assumed-role/crewai-secrets-reader"), "{assumed}");
    // Without the policy at hand both sides are possible; with it the external id is it.
    for (more, certainty) in [
        (policy.to_vec(), Some("proven")),
        ([policy.to_vec(), wrong.to_vec()].concat(), Some("proven")),
        (wrong.to_vec(), None),
    ] {
        let report = run(&more);
        let candidates = report["undecided"]["candidates"].as_array().into_iter().flatten();
        let named = report["findings"].as_array().unwrap().iter().chain(candidates);
        let found = named.into_iter().find(|f| f["cause"] == "external-id");
        let found = found.unwrap_or_else(|| panic!("{report:#}"));
        if let Some(certainty) = certainty {
            assert_eq!(found["certainty"], certainty, "{report:#}");
        }
        assert!(!report.to_string().contains("of-somebody-elses"), "the external id is printed");
        assert_eq!(check_of(&report, "aws.get-secret")["outcome"], "skipped");
    }
}
