//! `trustline trust --credential`: offline.

use std::fs;

use serde_json::{Value, json};

use crate::support::trustline;

fn ask(credential: &str, claims: &Value, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (credentials, token) = (folder.path().join("fic.json"), folder.path().join("claims.json"));
    fs::write(&credentials, credential).unwrap();
    fs::write(&token, claims.to_string()).unwrap();
    let output = trustline()
        .arg("trust")
        .arg("--credential")
        .arg(&credentials)
        .arg("--claims")
        .arg(&token)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn credential(issuer: &str, subject: &str) -> Value {
    json!({"name": "crewai-org-prod", "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]})
}

fn claims(subject: &str) -> Value {
    json!({"iss": "https://i.example.com", "sub": subject, "aud": "api://AzureADTokenExchange"})
}

#[test]
fn each_difference_has_its_cause_and_exit() {
    let list = |issuer: &str, subject: &str| json!([credential(issuer, subject)]).to_string();
    for (text, subject, code, cause) in [
        (list("https://i.example.com", "organization:1"), "organization:1", 0, None),
        (
            json!({"value": [credential("https://i.example.com", "organization:1")]}).to_string(),
            "organization:1",
            0,
            None,
        ),
        (list("https://i.example.com/", "organization:1"), "organization:1", 1, Some("iss-mismatch")),
        (list("https://i.example.com", "organization:2"), "organization:1", 1, Some("sub-mismatch")),
        (list("https://i.example.com", "Organization:1"), "organization:1", 1, Some("sub-case-mismatch")),
        (list("https://i.example.com", "repo:o/r:ref:x"), "repo:o@1/r@2:ref:x", 1, Some("immutable-sub")),
        ("[]".to_owned(), "organization:1", 1, Some("fic-missing")),
    ] {
        let (status, stdout, stderr) = ask(&text, &claims(subject), &["--output", "json"]);
        assert_eq!(status, Some(code), "{text}: {stderr}");
        let answer: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(answer["schema"], "trustline.trust/1");
        assert_eq!(answer["decision"], if code == 0 { "allow" } else { "deny" });
        assert_eq!(answer["findings"][0]["cause"].as_str(), cause, "{text}");
        let (_, readable, _) = ask(&text, &claims(subject), &[]);
        assert!(readable.contains(if code == 0 { "allowed" } else { "denied" }), "{readable}");
    }
}

#[test]
fn of_several_the_nearest_comes_first_and_limits_are_told() {
    let mut many: Vec<Value> =
        (0..21).map(|n| credential("https://other.example.com", &format!("organization:{n}"))).collect();
    many.push(credential("https://i.example.com", "organization:7"));
    let (status, stdout, _) = ask(&json!(many).to_string(), &claims("organization:8"), &["--output", "json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((status, &answer["statements"][0]["index"]), (Some(1), &json!(21)));
    assert_eq!(answer["findings"][0]["cause"], "sub-mismatch");
    assert!(answer["problems"][0]["what"].as_str().unwrap().starts_with("22 federated credentials"), "{answer:#}");
}

#[test]
fn flexible_credentials_are_evaluated_and_linted() {
    let flexible = json!({
        "name": "main", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": { "value": "claims['sub'] matches 'repo:*:ref:refs/heads/main'", "languageVersion": 1 },
    });
    let token = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "api://AzureADTokenExchange",
        "sub": "repo:octo/app:ref:refs/heads/main",
    });
    let (status, stdout, _) = ask(&flexible.to_string(), &token, &["--output", "json", "--lint"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((status, &answer["lint"][0]["cause"]), (Some(0), &json!("trust-too-wide")), "{answer:#}");
    let hidden = json!([{"name": "main", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"]}]);
    let (status, stdout, _) = ask(&hidden.to_string(), &token, &[]);
    assert_eq!(status, Some(3), "{stdout}");
}

#[test]
fn what_is_no_credential_is_refused_with_advice() {
    for (text, part) in [
        ("", "az ad app federated-credential list"),
        ("{", "not JSON (line 1"),
        (r#"{"appId":"abc"}"#, "az ad app federated-credential list --id abc"),
    ] {
        let (status, _, stderr) = ask(text, &claims("x"), &[]);
        assert!(status == Some(2) && stderr.contains(part), "{text}: {stderr}");
    }
    let output = trustline().args(["trust", "--policy", "a", "--credential", "b", "--claims", "c"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
