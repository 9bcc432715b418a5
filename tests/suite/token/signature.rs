//! What is said of a signature: every algorithm, every state, and the attacks on verification.

use serde_json::{Value, json};

use super::signing::{OTHER_RSA, P256, P384, P521, RSA, b64};
use super::{Case, causes, claims, sound, text_of};

#[test]
fn every_algorithm_verifies_and_notices_tampering() {
    for (alg, key) in
        [("RS256", &*RSA), ("RS384", &*RSA), ("RS512", &*RSA), ("ES256", &*P256), ("ES384", &*P384), ("ES512", &*P521)]
    {
        let keys = [P256.jwk("other"), key.jwk("k1")];
        let token = key.token(&json!({"alg": alg, "kid": "k1"}), &claims());
        let (code, document) = Case::new(&token, &keys).verified();
        assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{alg}: {document:#}");
        assert_eq!(document["problems"], json!([]), "{alg}");

        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let mut forged = claims();
        forged["sub"] = json!("organization:other");
        parts[1] = b64(forged.to_string());
        let (code, document) = Case::new(parts.join("."), &keys).verified();
        assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{alg}: {document:#}");
        assert_eq!(causes(&document), ["signature-invalid"], "{alg}");
    }
}

#[test]
fn states_are_never_confused() {
    let sound = sound();
    let no_kid = RSA.token(&json!({"alg": "RS256"}), &claims());
    let with_kid = |kid: &str| RSA.token(&json!({"alg": "RS256", "kid": kid}), &claims());
    let jwk = RSA.jwk("k1");
    let changed = |name: &str, value: Value| {
        let mut jwk = RSA.jwk("k1");
        jwk[name] = value;
        jwk
    };
    for (what, token, keys, code, state, cause) in [
        ("sound", &sound, vec![jwk.clone()], 0, "verified", None),
        ("kid not published", &with_kid("k2"), vec![jwk.clone()], 3, "cannot-check", Some("jwks-kid-missing")),
        ("no keys", &sound, vec![], 3, "cannot-check", Some("jwks-invalid")),
        ("no kid, one key", &no_kid, vec![jwk.clone(), P256.jwk("e")], 0, "verified", Some("jwks-kid-missing")),
        (
            "no kid, two keys",
            &no_kid,
            vec![jwk.clone(), OTHER_RSA.jwk("k2")],
            3,
            "cannot-check",
            Some("jwks-kid-missing"),
        ),
        ("no kid, no fitting key", &no_kid, vec![P256.jwk("e")], 3, "cannot-check", Some("jwks-kid-missing")),
        ("empty kid", &with_kid(""), vec![jwk.clone(), OTHER_RSA.jwk("")], 3, "cannot-check", Some("jwks-kid-missing")),
        ("another key of the name", &sound, vec![OTHER_RSA.jwk("k1")], 1, "failed", Some("signature-invalid")),
        (
            "signed by another published key",
            &sound,
            vec![OTHER_RSA.jwk("k1"), RSA.jwk("k2")],
            1,
            "failed",
            Some("signature-invalid"),
        ),
        ("later duplicate counts", &sound, vec![OTHER_RSA.jwk("k1"), jwk.clone()], 0, "verified", Some("jwks-invalid")),
        (
            "earlier duplicate does not",
            &sound,
            vec![jwk.clone(), OTHER_RSA.jwk("k1")],
            1,
            "failed",
            Some("jwks-invalid"),
        ),
        ("key of another type", &sound, vec![P256.jwk("k1")], 1, "failed", Some("signature-invalid")),
        ("key for encryption", &sound, vec![changed("use", json!("enc"))], 3, "cannot-check", Some("jwks-invalid")),
        ("key_ops", &sound, vec![changed("key_ops", json!(["verify"]))], 1, "verified", Some("jwks-invalid")),
        (
            "modulus missing",
            &sound,
            vec![json!({"kty": "RSA", "kid": "k1", "e": "AQAB"})],
            3,
            "cannot-check",
            Some("jwks-invalid"),
        ),
    ] {
        let (exit, document) = Case::new(token, &keys).verified();
        assert_eq!(document["signature"], state, "{what}: {document:#}");
        assert_eq!(causes(&document).first().copied(), cause, "{what}: {document:#}");
        assert_eq!(exit, code, "{what}: {document:#}");
        assert!(document["signature_reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{what}");
    }
}

#[test]
fn without_keys_nothing_is_said_of_the_signature() {
    let (code, document) = Case::new(sound(), &[]).json(&[]);
    assert_eq!((code, &document["signature"]), (0, &json!("not-checked")));
    let text = text_of(&Case::new(sound(), &[]).run(&[]));
    assert!(text.contains("not checked: no key set was given"), "{text}");
    assert!(!text.contains("failed") && !text.contains("invalid"), "{text}");
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // The attack: the public key's own text as the HMAC secret, under its kid.
    let jwk = RSA.jwk("k1");
    let message = format!("{}.{}", b64(r#"{"alg":"HS256","kid":"k1"}"#), b64(claims().to_string()));
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let token = format!("{message}.{}", b64(aws_lc_rs::hmac::sign(&key, message.as_bytes())));
        let (code, document) = Case::new(token, std::slice::from_ref(&jwk)).verified();
        assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{document:#}");
        assert_eq!(causes(&document), ["alg-unsupported"]);
    }
    let token = sound().replacen(&b64(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#), &b64(r#"{"alg":"HS256"}"#), 1);
    let (code, document) = Case::new(token, &[jwk]).verified();
    assert_eq!((code, &document["signature"]), (1, &json!("cannot-check")), "{document:#}");
}

#[test]
fn an_unsigned_token_fails_with_and_without_keys() {
    for alg in ["none", "None", "nOnE"] {
        let token = format!("{}.{}.", b64(json!({"alg": alg, "kid": "k1"}).to_string()), b64(claims().to_string()));
        for arguments in [&[][..], &["--jwks", "jwks.json"]] {
            let (code, document) = Case::new(&token, &[RSA.jwk("k1")]).json(arguments);
            assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{document:#}");
            assert_eq!(causes(&document), ["malformed-token"], "{document:#}");
        }
    }
}

#[test]
fn a_key_in_the_header_is_never_used() {
    let header = json!({"alg": "RS256", "kid": "k1", "jwk": OTHER_RSA.jwk("k1"), "jku": "https://127.0.0.1:1/jwks"});
    let token = OTHER_RSA.token(&header, &claims());
    let (code, document) = Case::new(token, &[RSA.jwk("k1")]).verified();
    assert_eq!((code, &document["signature"]), (1, &json!("failed")));
    let told: Vec<&Value> = document["problems"].as_array().unwrap().iter().map(|f| &f["summary"]).collect();
    assert!(told.iter().any(|s| s.as_str().unwrap().contains("`jku`")), "{told:?}");
    assert!(told.iter().any(|s| s.as_str().unwrap().contains("`jwk`")), "{told:?}");
}
