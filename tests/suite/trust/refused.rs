//! A trust that fits, and a token that the cloud refuses in itself: never "allowed".

use serde_json::{Value, json};

use super::{Files, HOST, ISSUER, allow, run};
use crate::support::trustline;

fn b64(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with this header and these claims beside the usual, signed by nobody: offline, only its words count.
fn token(header: &Value, claims: &Value) -> String {
    let mut all =
        json!({"iss": ISSUER, "sub": "organization:a1", "aud": "api://AzureADTokenExchange", "iat": 1000, "exp": 4600});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    format!("{}.{}.{}", b64(header), b64(&all), "A".repeat(342))
}

fn credential() -> String {
    json!({"name": "ci", "issuer": ISSUER, "subject": "organization:a1", "audiences": ["api://AzureADTokenExchange"]})
        .to_string()
}

/// Place 1: Entra's own rules on header and lifetime stand before what a credential says.
#[test]
fn a_credential_that_fits_does_not_help_a_token_that_entra_refuses() {
    let usual = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
    let with = |name: &str, value: Value| {
        let mut header = usual.clone();
        header[name] = value;
        header
    };
    for (header, claims, cause) in [
        (usual.clone(), json!({}), None),
        (with("alg", json!("EdDSA")), json!({}), Some("alg-unsupported")),
        (with("alg", json!("HS256")), json!({}), Some("alg-unsupported")),
        (with("alg", json!("RS512")), json!({}), Some("alg-unsupported")),
        (with("typ", json!("at+jwt")), json!({}), Some("token-type-unfit")),
        (with("kid", json!("")), json!({}), Some("jwks-kid-missing")),
        (usual.clone(), json!({"exp": 1000 + 864_000}), Some("token-lifetime-too-long")),
    ] {
        let files = Files::new();
        let fic = files.write("fic.json", &credential());
        let token = files.write("token.jwt", &token(&header, &claims));
        let ask = |form: &str| {
            let output = trustline()
                .args(["trust", "--output", form, "--credential"])
                .arg(&fic)
                .arg("--token")
                .arg(&token)
                .output();
            output.unwrap()
        };
        let answer: Value = serde_json::from_slice(&ask("json").stdout).unwrap();
        let decision = if cause.is_some() { "deny" } else { "allow" };
        assert_eq!(answer["decision"], decision, "{header} {claims}: {answer:#}");
        assert_eq!(answer["findings"][0]["cause"].as_str(), cause, "{answer:#}");
        assert_eq!(ask("json").status.code(), Some(i32::from(cause.is_some())));
        let said = String::from_utf8(ask("text").stdout).unwrap();
        assert_eq!(said.contains("allowed"), cause.is_none(), "{said}");
        assert_eq!(said.contains("Entra refuses the token itself"), cause.is_some(), "{said}");
    }
}

/// Place 11: `azp` is named where it replaces `aud`, and no other audience is asked for.
#[test]
fn a_policy_says_that_azp_replaces_the_audience() {
    let files = Files::new();
    let policy = allow(
        &json!({"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com", format!("{HOST}:sub"): "organization:a1"}}),
    );
    let policy = files.write("policy.json", &policy.to_string());
    let claims = json!({"aud": ["testrp", "sts.amazonaws.com"], "azp": "testrp"});
    let token = files.write("token.jwt", &token(&json!({"alg": "RS256", "kid": "k"}), &claims));
    let (answer, code) = run(&policy, "--token", &token, &[]);
    assert_eq!((code, &answer["findings"][0]["cause"]), (1, &json!("aud-mismatch")), "{answer:#}");
    let finding = answer["findings"][0].to_string();
    assert!(finding.contains("`azp` = `testrp`, which STS takes in place of `aud`"), "{finding}");
    assert!(answer["cloud"]["notes"][0].as_str().unwrap().contains("`azp` = `testrp` replaces `aud`"), "{answer:#}");
}

/// A policy that fits does not help a token that no cloud takes.
#[test]
fn a_policy_that_fits_does_not_help_a_token_that_sts_refuses() {
    let files = Files::new();
    let policy = allow(&json!({"StringEquals": {format!("{HOST}:sub"): "organization:a1"}}));
    let policy = files.write("policy.json", &policy.to_string());
    let edwards = files.write("token.jwt", &token(&json!({"alg": "EdDSA", "kid": "k"}), &json!({})));
    let (answer, code) = run(&policy, "--token", &edwards, &[]);
    assert_eq!((code, &answer["decision"]), (1, &json!("deny")), "{answer:#}");
    assert_eq!(answer["findings"][0]["cause"], "alg-unsupported");
}
