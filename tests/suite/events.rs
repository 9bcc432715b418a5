//! `trustline events`: logs in, refused exchanges out, as people and programs see it.

mod google;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{RunningLab, trustline};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const HOST: &str = "token.actions.githubusercontent.com";
const MAIN: &str = "repo:o/r:ref:refs/heads/main";

/// An event as CloudTrail writes it: a refusal, unless `granted`.
fn event(number: u32, subject: &str, granted: bool) -> Value {
    let provider = format!("arn:aws:iam::123456789012:oidc-provider/{HOST}");
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject, "identityProvider": provider,
        },
        "eventTime": format!("2026-11-30T05:00:{:02}Z", number % 60), "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity", "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7",
        "requestParameters": {"roleArn": ROLE, "roleSessionName": "GitHubActions"},
        "responseElements": null, "requestID": format!("00000000-0000-4000-8000-{number:012}"),
        "additionalEventData": {"RequestDetails": {"endpointType": "regional", "awsServingRegion": "eu-west-1"}},
    });
    if granted {
        event["responseElements"] = json!({"credentials": {"accessKeyId": "ASIAPLANTEDPLANTED00", "sessionToken": "planted-session"},
            "subjectFromWebIdentityToken": subject, "audience": "sts.amazonaws.com"});
    } else {
        event["errorCode"] = "AccessDenied".into();
        event["errorMessage"] = "An unknown error occurred".into();
    }
    event
}

fn policy(conditions: &Value) -> String {
    let conditions: serde_json::Map<String, Value> = conditions
        .as_object()
        .unwrap()
        .iter()
        .map(|(claim, value)| (format!("{HOST}:{claim}"), value.clone()))
        .collect();
    json!({"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{HOST}")},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": conditions}}}}})
    .to_string()
}

/// Runs on files of these names and contents; yields the status, standard output and standard error.
fn run(files: &[(&str, &str)], arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let output = run_in(folder.path(), arguments, stdin);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn run_in(folder: &Path, arguments: &[&str], stdin: &str) -> std::process::Output {
    trustline().arg("events").args(arguments).current_dir(folder).write_stdin(stdin.to_owned()).output().unwrap()
}

#[test]
fn a_log_file_is_told_as_few_entries_with_whose_token_it_was_and_why() {
    let log = json!({"Records": [event(1, MAIN, false), event(2, "repo:o/r:pull_request", false), {"eventName": "GetUser"},
        event(3, "repo:o/r:pull_request", false), event(4, MAIN, true)]});
    let files = [("log.json", log.to_string()), ("role.json", policy(&json!({"sub": MAIN, "repository_id": "7"})))];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let (status, json, _) = run(&files, &["log.json", "--policy", "role.json", "--output", "json"], "");
    assert_eq!(status, Some(0));
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "trustline.events/1");
    let told: Vec<(&Value, &Value, &Value, &Value)> = document["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["subject"], &entry["count"], &entry["outcome"], &entry["verdict"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("repo:o/r:pull_request"), &json!(2), &json!("refused"), &json!("deny")),
            (&json!(MAIN), &json!(1), &json!("refused"), &json!("unknown")),
            (&json!(MAIN), &json!(1), &json!("granted"), &json!("unknown")),
        ]
    );
    let denied = &document["events"][0];
    assert_eq!((&denied["first"], &denied["last"]), (&json!("2026-11-30T05:00:02Z"), &json!("2026-11-30T05:00:03Z")));
    assert_eq!(denied["request_ids"][0], "00000000-0000-4000-8000-000000000002");
    assert_eq!((&denied["resource"], &denied["audience"]), (&json!(ROLE), &json!("sts.amazonaws.com")));
    assert_eq!(denied["issuer"], format!("https://{HOST}"));
    let cause = &denied["causes"][0];
    assert_eq!((&cause["cause"], &cause["certainty"]), (&json!("sub-mismatch"), &json!("proven")));
    // A log keeps no other claim of the token: which one it was about is told.
    assert!(document["events"][1]["why"].as_str().unwrap().contains("repository_id"), "{document:#}");

    let (_, text, _) = run(&files, &["log.json", "--policy", "role.json"], "");
    for told in [
        "exchanges: 3 refused and 1 granted, among 5 events of log.json",
        "refused 2 times",
        "sub-mismatch, proven by events",
        // No token was seen: what is compared is what the event keeps of it.
        "event     repo:o/r:pull_request",
        "the event has `repo:o/r:pull_request`",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    let (_, markdown, _) = run(&files, &["log.json", "--policy", "role.json", "--output", "markdown"], "");
    assert!(
        markdown.contains("| count |") && markdown.contains("repo:o/r:pull\\_request")
            || markdown.contains("repo:o/r:pull_request"),
        "{markdown}"
    );
    assert!(!(json + &text + &markdown).contains("planted-session"));
}

#[test]
fn the_same_is_read_from_standard_input_whatever_wraps_it() {
    let (one, two) = (event(1, MAIN, false), event(2, MAIN, false));
    let looked_up =
        |event: &Value| json!({"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": event.to_string()});
    for (name, log) in [
        ("a log file", json!({"Records": [one, two]}).to_string()),
        ("looked up", format!("{:#}", json!({"Events": [looked_up(&one), looked_up(&two)], "NextToken": "x"}))),
        ("lines", format!("{one}\n{two}\n")),
        ("a log group", json!({"events": [{"message": one.to_string()}, {"message": two.to_string()}]}).to_string()),
        ("a bus", format!("{}{}", json!({"detail": one}), json!({"detail": two}))),
    ] {
        let (status, json, said) = run(&[], &["--output", "json"], &log);
        assert_eq!(status, Some(0), "{name}: {said}");
        let document: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&document["events"][0]["count"], &document["events"][1]), (&json!(2), &json!(null)), "{name}");
        assert_eq!(document["events"][0]["verdict"], "unknown", "{name}");
        assert!(document["events"][0]["why"].as_str().unwrap().contains("--policy"), "{name}");
    }
}

#[test]
fn each_is_a_line_of_its_own_and_since_leaves_out_what_was_before() {
    let log: String = (0..50).map(|number| format!("{}\n", event(number, MAIN, number % 5 == 0))).collect();
    let (status, lines, _) = run(&[], &["--each"], &log);
    assert_eq!(status, Some(0));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 50);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["request_ids"], json!([format!("00000000-0000-4000-8000-{number:012}")]));
        assert_eq!(line["outcome"], if number % 5 == 0 { "granted" } else { "refused" });
    }
    let (_, later, _) = run(&[], &["--each", "--since", "2026-11-30T05:00:40Z"], &log);
    assert_eq!(later.lines().count(), 10);
}

#[test]
fn a_sign_in_is_told_with_the_credential_that_matched_or_why_none() {
    let sign_in = |code: u32, reason: &str, matched: &str| {
        json!({"id": "x", "createdDateTime": "2026-11-30T05:00:00Z", "appId": "5b1f2c9e-0000-4000-8000-000000000001",
            "servicePrincipalId": "6b1f2c9e-0000-4000-8000-000000000001", "clientCredentialType": "federatedIdentityCredential",
            "federatedCredentialId": matched, "status": {"errorCode": code, "failureReason": reason}})
    };
    let reason = "No matching federated identity record found for presented assertion subject 'organization:2'. Check your \
                  federated identity credential Subject, Audience and Issuer against the presented assertion.";
    let log =
        json!({"value": [sign_in(700_213, reason, ""), sign_in(0, "Other.", "7b1f2c9e-0000-4000-8000-000000000001")]});
    let credentials = json!({"value": [{"id": "7b1f2c9e-0000-4000-8000-000000000001", "name": "crewai", "issuer": "https://i",
        "subject": "organization:1", "audiences": ["api://AzureADTokenExchange"]}]});
    let files = [("fics.json", credentials.to_string())];
    let (status, json, said) =
        run(&[(files[0].0, &files[0].1)], &["--credential", "fics.json", "--output", "json"], &log.to_string());
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&json).unwrap();
    let [refused, granted] = &document["events"].as_array().unwrap()[..] else { panic!("{document:#}") };
    assert_eq!((&refused["code"], &refused["verdict"]), (&json!("AADSTS700213"), &json!("deny")));
    assert_eq!(refused["causes"][0]["cause"], "sub-mismatch");
    assert_eq!(refused["causes"][0]["expected"], "organization:1");
    assert_eq!((&granted["credential"], &granted["verdict"]), (&json!("crewai"), &json!("allow")));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_what_to_give_instead() {
    let broken = format!(
        "{{\"Records\": [\n{},\n{{\"eventName\": \"AssumeRoleWithWebIdentity\", nul}}]}}",
        event(1, MAIN, false)
    );
    for (name, log, place) in [
        ("broken", broken.as_str(), "standard input, line 3, column"),
        ("cut", &broken[..200], "line 2, column 187: the text ends here"),
        ("a page", "<html>\u{1b}[2J", "line 1, column 1: `<` begins no JSON"),
        ("nothing", "", "standard input is empty"),
        ("another document", "{\"Statement\": []}", "holds no event of CloudTrail"),
    ] {
        let (status, out, said) = run(&[], &[], log);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{name}: {said}");
        assert!(said.contains(place) && said.contains("aws cloudtrail lookup-events"), "{name}: {said}");
        assert!(!said.contains('\u{1b}'), "{name}");
    }
    let (status, _, said) = run(&[], &["--policy", "-"], "");
    assert!(status == Some(2) && said.contains("one standard input"), "{said}");
}

#[test]
fn what_is_huge_deep_or_steers_a_terminal_is_read_all_the_same() {
    let mut huge = event(1, MAIN, false);
    huge["requestParameters"]["policy"] = "x".repeat(10 << 20).into();
    let mut deep = event(2, MAIN, false).to_string();
    deep.insert_str(1, &format!("\"deep\": {}{}, ", "[".repeat(200_000), "]".repeat(200_000)));
    let mut steering = event(3, "a\u{1b}[2J\u{202e}b", false);
    steering["userIdentity"]["note"] = "\u{9b}".into();
    let token = format!("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{}", "A".repeat(80));
    let planted = event(4, &token, false);
    let log = format!("{huge}\n{deep}\n{steering}\n{planted}\n");
    for arguments in [&["--output", "json"][..], &["--output", "markdown"], &["--each"], &[]] {
        let (status, out, said) = run(&[], arguments, &log);
        assert_eq!(status, Some(0), "{arguments:?}: {said}");
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{arguments:?}");
        assert!(!out.contains(&"A".repeat(20)), "{arguments:?}: {out}");
        assert!(out.len() < 1 << 20 && out.contains(MAIN), "{arguments:?}");
    }
}

/// What an operator of the lab reads of its account, after a run was refused there.
fn live(lab: &RunningLab, key: (&str, &str)) -> (Option<i32>, String, String) {
    let (profile, authority) = (lab.file("profile.toml"), lab.ready["ca_file"].as_str().unwrap());
    let output = trustline()
        .args(["events", "--operator", "--profile-file", &profile, "--ca-file", authority, "--output", "json"])
        .env("AWS_ACCESS_KEY_ID", key.0)
        .env("AWS_SECRET_ACCESS_KEY", key.1)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn refused_in(scenario: &str) -> RunningLab {
    let lab = RunningLab::start(scenario);
    let (profile, authority) = (lab.file("profile.toml"), lab.ready["ca_file"].as_str().unwrap());
    let only = ["check", "--only", "aws.assume-role-with-web-identity"];
    let output = trustline().args(only).args(["--profile-file", &profile, "--ca-file", authority]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{scenario}");
    lab
}

const OPERATOR: (&str, &str) = ("AKIALABOPERATOR00000", "lab/only/secret/access/key/of/operator00");

#[test]
fn an_operator_reads_the_accounts_record_and_the_trust_in_force() {
    for (scenario, cause) in
        [("sub-mismatch", "sub-mismatch"), ("aud-mismatch", "aud-mismatch"), ("role-missing", "role-missing")]
    {
        let lab = refused_in(scenario);
        let (status, json, said) = live(&lab, OPERATOR);
        assert_eq!(status, Some(0), "{scenario}: {said}");
        let document: Value = serde_json::from_str(&json).unwrap();
        let [entry] = &document["events"].as_array().unwrap()[..] else { panic!("{scenario}: {document:#}") };
        let first = &entry["causes"][0];
        assert_eq!(
            (&entry["verdict"], &entry["outcome"]),
            (&json!("deny"), &json!("refused")),
            "{scenario}: {entry:#}"
        );
        assert_eq!((&first["cause"], &first["certainty"]), (&json!(cause), &json!("proven")), "{scenario}: {entry:#}");
        assert!(said.contains("Reading with ") && said.contains("AWS_ACCESS_KEY_ID"), "{said}");
        assert!(!said.contains(OPERATOR.1) && !json.contains(OPERATOR.1));
    }
}

#[test]
fn an_exchange_that_is_skipped_is_not_sent() {
    let lab = RunningLab::start("healthy");
    let (profile, authority) = (lab.file("profile.toml"), lab.ready["ca_file"].as_str().unwrap());
    let output = trustline()
        .args(["check", "--skip", "aws.assume-role-with-web-identity", "--output", "json"])
        .args(["--profile-file", &profile, "--ca-file", authority])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = |id: &str| report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
    assert_eq!(check("aws.assume-role-with-web-identity")["outcome"], "skipped", "{report:#}");
    assert_eq!(check("trust.policy")["outcome"], "pass", "{report:#}");
    let of_get = check("aws.get-secret");
    assert_eq!(of_get["reason"], "blocked by aws.assume-role-with-web-identity", "{report:#}");
    let (status, json, said) = live(&lab, OPERATOR);
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["events"], json!([]), "the account's record has no exchange");
}

#[test]
fn an_operator_without_the_right_is_told_which_it_lacks() {
    let lab = refused_in("sub-mismatch");
    let (status, json, said) = live(&lab, ("AKIALABSECRETSREADER", "lab/only/secret/access/key/of/the/reader"));
    assert_eq!((status, json.as_str()), (Some(2), ""), "{said}");
    assert!(said.contains("the operator lacks cloudtrail:LookupEvents"), "{said}");
}

#[test]
fn nothing_that_an_operator_signs_goes_unasked_to_a_host_that_a_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("planted.toml");
    let planted = "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"https://i.example.com\"\n[aws]\n\
                   role-arn = \"arn:aws:iam::123456789012:role/r\"\nregion = \"eu-west-1\"\n\
                   cloudtrail-endpoint-url = \"https://collector.example.net\"\n";
    std::fs::write(&profile, planted).unwrap();
    let output = trustline()
        .args(["events", "--operator", "--profile-file", profile.to_str().unwrap()])
        .envs([("AWS_ACCESS_KEY_ID", OPERATOR.0), ("AWS_SECRET_ACCESS_KEY", OPERATOR.1)])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("collector.example.net") && said.contains("--allow-host"), "{said}");
}
