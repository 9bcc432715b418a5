//! `trustline audit --events`: what a cloud's log says of each trust, in every form of the report.

use serde_json::{Value, json};

use super::{ACCOUNT, GITHUB, arn, audit, by_subject, folder_with, json_of, role};

/// CloudTrail's event of an exchange on a day of November.
fn event(role: &str, day: u8, subject: &str, is_refused: bool) -> Value {
    let provider = arn(GITHUB);
    let mut event = json!({
        "eventName": "AssumeRoleWithWebIdentity", "eventSource": "sts.amazonaws.com", "awsRegion": "eu-west-1",
        "eventTime": format!("2026-11-{day:02}T05:00:00Z"),
        "userIdentity": {"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject, "identityProvider": provider},
        "requestParameters": {"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "roleSessionName": "s"},
    });
    if is_refused {
        event["errorCode"] = "AccessDenied".into();
    }
    event
}

fn account_and_log() -> tempfile::TempDir {
    let named = |name: &str, repository: &str| {
        role(
            name,
            json!([by_subject(GITHUB, "StringEquals", &format!("repo:octo@1/{repository}:ref:refs/heads/main"))]),
        )
    };
    let by_name = role("by-name", json!([by_subject(GITHUB, "StringEquals", "repo:octo/old:ref:refs/heads/main")]));
    let roles = json!([named("used", "app@2"), named("unused", "app@2"), named("refusing", "lib@3"), by_name]);
    let events = json!({"Records": [
        event("used", 1, "repo:octo@1/app@2:ref:refs/heads/main", false),
        event("used", 28, "repo:octo@1/app@2:ref:refs/heads/main", false),
        event("refusing", 27, "repo:octo@1/lib@3:ref:refs/heads/main", false),
        event("refusing", 29, "repo:octo@1/lib@3:ref:refs/heads/develop", true),
        event("by-name", 26, "repo:octo/old:ref:refs/heads/main", false),
        event("elsewhere", 28, "repo:octo@1/old@9:environment:prod", false),
    ]});
    folder_with(&[("account.json", json!({"RoleDetailList": roles}).to_string()), ("log.json", events.to_string())])
}

const ARGUMENTS: [&str; 5] = ["account.json", "--events", "log.json", "--unused-days", "14"];

#[test]
fn every_trust_is_told_with_its_use_and_what_the_log_shows_is_a_finding() {
    let folder = account_and_log();
    let document = json_of(folder.path(), &ARGUMENTS);
    let uses = document["uses"].as_array().unwrap();
    let of = |name: &str| {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        uses.iter().find(|of| of["resource"] == arn.as_str()).unwrap_or_else(|| panic!("{name}: {document:#}"))
    };
    assert_eq!((&of("used")["granted"], &of("used")["last_granted"]), (&json!(2), &json!("2026-11-28T05:00:00Z")));
    assert_eq!((&of("unused")["granted"], of("unused").get("last_granted")), (&json!(0), None));
    assert_eq!(of("unused")["reach"], json!(["2026-11-01T05:00:00Z", "2026-11-29T05:00:00Z"]));
    assert_eq!((&of("refusing")["granted"], &of("refusing")["refused"]), (&json!(1), &json!(1)));
    assert_eq!(document["read"]["events"]["exchanges"], 6);
    let mut found: Vec<(&str, &str, &str)> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let name = finding["resource"].as_str().unwrap().rsplit('/').next().unwrap();
            (name, finding["cause"].as_str().unwrap(), finding["severity"].as_str().unwrap())
        })
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("by-name", "immutable-sub", "low"),
            ("by-name", "subject-recyclable", "low"),
            ("refusing", "sub-mismatch", "low"),
            ("unused", "trust-dead", "low"),
        ]
    );
}

#[test]
fn every_form_of_the_report_has_the_use() {
    let folder = account_and_log();
    let printed = |form: &str| {
        let output = audit(folder.path(), &[&ARGUMENTS[..], &["--output", form]].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let unseen = "not seen in these events, from 2026-11-01T05:00:00Z to 2026-11-29T05:00:00Z";
    for form in ["json", "ndjson", "sarif", "junit", "markdown", "github", "text"] {
        let printed = printed(form);
        let said = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("2026-11-28T05:00:00Z") || form == "github", "{form} has no last use: {printed}");
        match form {
            "json" | "ndjson" => assert!(said.contains("\"granted\""), "{form}: {printed}"),
            _ => assert!(said.contains(unseen), "{form}: {printed}"),
        }
    }
    let lines = printed("ndjson");
    let used = lines.lines().filter(|line| serde_json::from_str::<Value>(line).unwrap()["use"]["resource"].is_string());
    assert_eq!(used.count(), 4);
    assert!(printed("text").contains("3 of 4 trusts were used: 6 exchanges in log.json"), "{}", printed("text"));
}

#[test]
fn a_log_says_nothing_of_another_account_and_nothing_beyond_its_reach() {
    let folder = account_and_log();
    let arguments = ["account.json", "--events", "log.json"];
    let causes = |document: &Value| document["findings"].to_string().matches("trust-dead").count();
    assert_eq!(causes(&json_of(folder.path(), &arguments)), 0, "28 days of events say nothing of 30");
    let elsewhere =
        std::fs::read_to_string(folder.path().join("account.json")).unwrap().replace(ACCOUNT, "999988887777");
    std::fs::write(folder.path().join("elsewhere.json"), elsewhere).unwrap();
    let document = json_of(folder.path(), &["elsewhere.json", "--events", "log.json", "--unused-days", "1"]);
    assert_eq!(causes(&document), 0);
    assert!(document["uses"].as_array().unwrap().iter().all(|of| of.get("reach").is_none()), "{document:#}");
}

#[test]
fn what_is_no_log_is_named() {
    let folder = account_and_log();
    for (arguments, said) in [
        (&["account.json", "--events", "account.json"][..], "no event of CloudTrail"),
        (&["account.json", "--events", "none.json"], "none.json cannot be read"),
        (&["-", "--events", "-"], "one standard input"),
        (&["account.json", "--unused-days", "7"], "--events"),
    ] {
        let output = audit(folder.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.contains(said)), (Some(2), true), "{arguments:?}: {stderr}");
    }
}
