//! Google's audit logs: exchanges at the Security Token Service and reads that were refused, as Logging gives them.

use serde_json::{Value, json};

use super::run;

const NAME: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
const MAIN: &str = "repo:o/r:ref:refs/heads/main";
const SECRET: &str = "projects/123456789012/secrets/key/versions/latest";

fn entry(number: u32, payload: &Value) -> Value {
    json!({"insertId": format!("id{number}"), "timestamp": format!("2026-11-30T05:00:{number:02}.5Z"), "severity": "ERROR",
           "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access", "protoPayload": payload})
}

fn exchange(number: u32, subject: &str, status: &Value) -> Value {
    let payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "sts.googleapis.com",
        "methodName": "google.identity.sts.v1.SecurityTokenService.ExchangeToken",
        "authenticationInfo": {"principalSubject": subject},
        "request": {"audience": format!("//iam.googleapis.com/{NAME}"),
                    "grantType": "urn:ietf:params:oauth:grant-type:token-exchange"},
        "status": status,
    });
    entry(number, &payload)
}

fn refused(number: u32, subject: &str) -> Value {
    let message = "The given credential is rejected by the attribute condition.";
    exchange(number, subject, &json!({"code": 3, "message": message}))
}

fn refused_read(number: u32) -> Value {
    let principal = format!("principal://iam.googleapis.com/{}/subject/{MAIN}", NAME.replace("/providers/github", ""));
    let payload = json!({
        "serviceName": "secretmanager.googleapis.com", "resourceName": SECRET,
        "methodName": "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
        "authenticationInfo": {"principalSubject": principal},
        "status": {"code": 7, "message": "Permission 'secretmanager.versions.access' denied for resource (or it may not exist)."},
    });
    entry(number, &payload)
}

fn provider(condition: &str) -> String {
    json!({"name": NAME, "state": "ACTIVE", "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
           "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": condition})
    .to_string()
}

fn bindings(subject: &str) -> String {
    let pool = NAME.replace("/providers/github", "");
    let member = format!("principal://iam.googleapis.com/{pool}/subject/{subject}");
    json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member]}]}).to_string()
}

#[test]
fn refused_exchanges_and_reads_are_judged_by_the_provider_and_the_bindings() {
    let log = json!([
        refused(1, "repo:o/r:pull_request"),
        refused(2, "repo:o/r:pull_request"),
        refused_read(3),
        exchange(4, MAIN, &json!({})),
        entry(5, &json!({"methodName": "google.iam.admin.v1.GetRole"}))
    ]);
    let (provider, bindings) =
        (provider("assertion.sub == 'repo:o/r:ref:refs/heads/main'"), bindings("repo:o/r:other"));
    let log = log.to_string();
    let files = [("log.json", log.as_str()), ("provider.json", &provider), ("iam.json", &bindings)];
    let trusts = ["log.json", "--provider", "provider.json", "--iam-policy", "iam.json"];
    let (status, json, said) = run(&files, &[&trusts[..], &["--output", "json"]].concat(), "");
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&json).unwrap();
    let events = document["events"].as_array().unwrap();
    let find = |subject: &str, outcome: &str| {
        let fits = |entry: &&Value| entry["subject"] == subject && entry["outcome"] == outcome;
        events.iter().find(fits).unwrap_or_else(|| panic!("{document:#}"))
    };
    let denied = find("repo:o/r:pull_request", "refused");
    assert_eq!((&denied["count"], &denied["verdict"]), (&json!(2), &json!("deny")), "{denied:#}");
    assert_eq!((&denied["resource"], &denied["code"]), (&json!(NAME), &json!("INVALID_ARGUMENT")));
    assert_eq!(denied["request_ids"], json!(["id1", "id2"]));
    let cause = |entry: &Value| (entry["causes"][0]["cause"].clone(), entry["causes"][0]["certainty"].clone());
    assert_eq!(cause(denied), (json!("attribute-condition"), json!("proven")));
    let read = find(MAIN, "refused");
    assert_eq!((&read["resource"], &read["verdict"]), (&json!(SECRET), &json!("deny")), "{read:#}");
    assert_eq!(cause(read), (json!("principalset-mismatch"), json!("proven")));
    assert_eq!(find(MAIN, "granted")["verdict"], "allow");

    let (_, text, _) = run(&files, &trusts, "");
    for told in
        ["3 refused and 1 granted, among 5 events", "provider  ", "secret    ", "attribute-condition, proven by events"]
    {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn the_same_is_read_however_logging_gives_it() {
    let (one, two) = (refused(1, MAIN), refused(2, MAIN));
    for (name, log) in [
        ("gcloud", json!([one, two]).to_string()),
        ("entries:list", format!("{:#}", json!({"entries": [one, two], "nextPageToken": "x"}))),
        ("lines", format!("{one}\n{two}\n")),
    ] {
        let (status, json, said) = run(&[], &["--output", "json"], &log);
        assert_eq!(status, Some(0), "{name}: {said}");
        let document: Value = serde_json::from_str(&json).unwrap();
        let entry = &document["events"][0];
        assert_eq!((&entry["count"], &entry["verdict"]), (&json!(2), &json!("unknown")), "{name}");
        assert_eq!(entry["causes"][0]["cause"], "attribute-condition", "{name}: the message alone allows it");
        assert!(entry["why"].as_str().unwrap().contains("--provider"), "{name}");
    }
}

#[test]
fn a_condition_on_a_claim_that_no_log_keeps_is_unknown_and_named() {
    let provider = provider("assertion.repository_owner_id == '7'");
    let log = refused(1, MAIN).to_string();
    let files = [("log.json", log.as_str()), ("provider.json", &provider)];
    let (_, json, said) = run(&files, &["log.json", "--provider", "provider.json", "--output", "json"], "");
    let document: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{said}"));
    let entry = &document["events"][0];
    assert_eq!(entry["verdict"], "unknown", "{entry:#}");
    assert!(entry["why"].as_str().unwrap().contains("repository_owner_id"), "{entry:#}");
}
