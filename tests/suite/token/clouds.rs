//! What each cloud says to a token: a line and a JSON entry for AWS, Entra and Google, whatever the audience.

use serde_json::{Value, json};

use super::signing::{P256, RSA, b64};
use super::{Case, claims, sound, text_of};

const ISSUER: &str = "https://app.example.com";

fn header(change: &Value) -> Value {
    changed(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), change)
}

/// `value` with each member of `change` set, or, where it is `null`, gone.
fn changed(value: &Value, change: &Value) -> Value {
    let mut value = value.clone();
    for (name, member) in change.as_object().unwrap() {
        match member {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            member => value[name] = member.clone(),
        }
    }
    value
}

fn document(change: &Value) -> Value {
    let whole = json!({
        "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "authorization_endpoint": format!("{ISSUER}/auth"),
        "token_endpoint": format!("{ISSUER}/token"), "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub"],
    });
    changed(&whole, change)
}

/// Each cloud's verdict.
fn verdicts(document: &Value) -> Vec<(&str, &str)> {
    let clouds = document["clouds"].as_array().unwrap_or_else(|| panic!("{document:#}"));
    clouds.iter().map(|cloud| (cloud["cloud"].as_str().unwrap(), cloud["verdict"].as_str().unwrap())).collect()
}

fn fixes(document: &Value) -> String {
    document["problems"][0]["fixes"].to_string()
}

/// Place 3: what is nothing to AWS is a refusal elsewhere, and every cloud has its line.
#[test]
fn an_rs512_token_is_for_aws_alone() {
    let token = RSA.token(&header(&json!({"alg": "RS512"})), &claims());
    let case = Case::new(&token, &[RSA.jwk("k1")]);
    let (code, document) = case.verified();
    assert_eq!(code, 0, "without --for the clouds decide nothing: {document:#}");
    assert_eq!(verdicts(&document), [("aws", "accept"), ("entra", "refuse"), ("google", "refuse")]);
    assert_eq!(document["clouds"][1]["cause"], "alg-unsupported");
    assert_eq!(document["clouds"][1]["rests_on"], "documented");
    assert_eq!(document["clouds"][2]["rests_on"], "measured");
    let said = text_of(&case.run(&["--jwks", "jwks.json"]));
    for part in ["AWS accepts it", "Entra refuses it", "Google refuses it (invalid_grant)", "; signature verified"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("nothing is wrong"), "{said}");
}

/// `--for` chooses, and then what a cloud says decides the status.
#[test]
fn the_clouds_that_are_named_decide_the_status() {
    let token = RSA.token(&header(&json!({"alg": "RS512"})), &claims());
    let case = Case::new(&token, &[RSA.jwk("k1")]);
    for (named, code, asked) in [("aws", 0, 1), ("entra", 1, 1), ("google,aws", 1, 2)] {
        let (ended, document) = case.json(&["--jwks", "jwks.json", "--for", named]);
        assert_eq!((ended, verdicts(&document).len()), (code, asked), "{named}: {document:#}");
    }
    let nameless = Case::new(RSA.token(&header(&json!({"kid": null})), &claims()), &[RSA.jwk("k1")]);
    let (ended, document) = nameless.json(&["--jwks", "jwks.json", "--for", "aws,google"]);
    assert_eq!((ended, verdicts(&document)), (3, vec![("aws", "unknown"), ("google", "unknown")]));
    let said = text_of(&case.run(&["--for", "oracle"]).code(2));
    assert!(said.contains("aws, entra, google"), "{said}");
}

/// Places 7, 9 and 10: the fix is the case's own, and "nothing is wrong" follows no finding.
#[test]
fn fixes_fit_the_case() {
    let of_type = Case::new(RSA.token(&header(&json!({"typ": "at+jwt"})), &claims()), &[RSA.jwk("k1")]);
    let (_, document) = of_type.json(&["--jwks", "jwks.json", "--for", "entra"]);
    assert_eq!(document["problems"][0]["cause"], "token-type-unfit", "{document:#}");
    assert_eq!(document["clouds"][0]["error"], "AADSTS5002727");
    assert!(fixes(&document).contains("typ JWT") && !fixes(&document).contains("kubectl"), "{document:#}");
    let (code, document) = of_type.verified();
    assert_eq!((code, verdicts(&document)[0].1, document["problems"].to_string().as_str()), (0, "accept", "[]"));

    for (name, part) in [("sub", "workload's name into `sub`"), ("aud", "with an audience")] {
        let without = RSA.token(&header(&json!({})), &changed(&claims(), &json!({ name: null })));
        let (code, document) = Case::new(without, &[RSA.jwk("k1")]).verified();
        assert_eq!((code, &document["problems"][0]["cause"]), (1, &json!("malformed-token")));
        assert!(fixes(&document).contains(part) && !fixes(&document).contains("three parts"), "{document:#}");
        assert!(verdicts(&document).iter().all(|(_, verdict)| *verdict == "refuse"), "{document:#}");
    }

    let nameless = Case::new(RSA.token(&header(&json!({"kid": null})), &claims()), &[RSA.jwk("k1")]);
    let (code, document) = nameless.verified();
    assert_eq!((code, verdicts(&document)[1].1), (0, "refuse"));
    assert!(fixes(&document).contains("write the `kid`"), "{document:#}");
    let said = text_of(&nameless.run(&["--jwks", "jwks.json"]));
    assert!(!said.contains("nothing is wrong"), "{said}");
}

/// Place 4: plain http and a port are said of a token, too.
#[test]
fn an_issuer_that_no_cloud_can_take_is_told_of_its_token() {
    let token = RSA.token(&header(&json!({})), &changed(&claims(), &json!({"iss": "http://id.example:9704"})));
    let (_, document) = Case::new(token, &[RSA.jwk("k1")]).verified();
    assert!(document["clouds"].as_array().unwrap().iter().all(|cloud| cloud["cause"] == "issuer-url-unfit"));
    assert!(document["clouds"][0]["also"].to_string().contains("port 9704"), "{document:#}");
}

/// The saved document is judged with the token, and a recognised server's own setting is named.
#[test]
fn a_saved_document_counts_and_names_the_setting() {
    let case = Case::new(sound(), &[RSA.jwk("k1")]);
    let with = |change: Value| {
        std::fs::write(case.path("discovery.json"), document(&change).to_string()).unwrap();
        case.json(&["--jwks", "jwks.json", "--discovery", "discovery.json"]).1
    };
    assert!(verdicts(&with(json!({}))).iter().all(|(_, verdict)| *verdict == "accept"));
    let plain = with(json!({"jwks_uri": "http://app.example.com/jwks"}));
    assert!(verdicts(&plain).iter().all(|(_, verdict)| *verdict == "refuse"), "{plain:#}");
    assert!(plain["clouds"][0]["setting"].as_str().unwrap().contains("provider.proxy"), "{plain:#}");
    let said = text_of(&case.run(&["--jwks", "jwks.json", "--discovery", "discovery.json"]));
    assert_eq!(said.matches("provider.proxy").count(), 1, "the setting is said once: {said}");
    std::fs::write(case.path("discovery.json"), "<html>").unwrap();
    let said = text_of(&case.run(&["--discovery", "discovery.json"]).code(2));
    assert!(said.contains("openid-configuration"), "{said}");
}

/// Place 8: an opaque token's issuer is asked for another kind, and no cluster is mentioned.
#[test]
fn an_opaque_token_needs_another_kind() {
    let (code, document) = Case::new("3f2c9a61d0b84e5f", &[RSA.jwk("k1")]).verified();
    assert_eq!((code, &document["problems"][0]["cause"]), (1, &json!("wrong-token-kind")), "{document:#}");
    assert!(
        fixes(&document).contains("access tokens JWTs") && !document.to_string().contains("kubectl"),
        "{document:#}"
    );
    assert!(verdicts(&document).iter().all(|(_, verdict)| *verdict == "refuse"), "{document:#}");
}

/// Place 16: a subject that is a row number, and a time with a fraction that no cloud reads.
#[test]
fn what_no_cloud_minds_is_remarked() {
    let claims = changed(&claims(), &json!({"sub": "1", "auth_time": 1_700_000_000.25}));
    let case = Case::new(RSA.token(&header(&json!({})), &claims), &[RSA.jwk("k1")]);
    let (code, document) = case.verified();
    assert_eq!((code, document["remarks"].as_array().unwrap().len()), (0, 2), "{document:#}");
    let said = text_of(&case.run(&["--jwks", "jwks.json"]));
    for part in ["bare number `1`", "`auth_time` has a fraction"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(Case::new(sound(), &[RSA.jwk("k1")]).verified().1["remarks"], json!([]));
}

/// Signature and clock have checks of their own, and never change what the rules say.
#[test]
fn signature_and_clock_stand_apart() {
    let expired =
        RSA.token(&header(&json!({})), &changed(&claims(), &json!({"exp": 1_600_003_600, "iat": 1_600_000_000})));
    let forged = format!("{}.{}.{}", b64(header(&json!({})).to_string()), b64(claims().to_string()), "A".repeat(342));
    for token in [expired, forged] {
        let (code, document) =
            Case::new(token, &[RSA.jwk("k1")]).json(&["--jwks", "jwks.json", "--for", "aws,entra,google"]);
        assert_eq!(code, 1, "{document:#}");
        assert!(verdicts(&document).iter().all(|(_, verdict)| *verdict == "accept"), "{document:#}");
    }
    let of_curve = P256.token(&header(&json!({"alg": "ES256"})), &claims());
    let (_, document) = Case::new(of_curve, &[P256.jwk("k1")]).verified();
    assert_eq!(verdicts(&document), [("aws", "accept"), ("entra", "refuse"), ("google", "accept")]);
}
