//! Which of an issuer's keys verifies a token, and whether it does.

use aws_lc_rs::signature;
use aws_lc_rs::signature::{EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use x509_parser::prelude::FromDer as _;

use super::token::ParsedToken;
use crate::lab::json_protocol::AwsError;

/// More keys of one type than this, and tokens of that type find none.
const MAX_KEYS_OF_A_TYPE: usize = 100;

enum Verifier {
    Rsa(&'static RsaParameters),
    Ec { algorithm: &'static EcdsaVerificationAlgorithm, curve: &'static str, half: usize },
}

/// Verifies the signature with the key that the token names.
///
/// A later key replaces an earlier one of the same `kid`. A token without `kid` finds a key only where there is exactly
/// one. A key without `kid`, or for encryption, or whose certificate says otherwise, is none. The key's own `alg` is not
/// looked at, and one with `key_ops` verifies nothing.
pub(super) fn verify(token: &ParsedToken, key_set: &[u8]) -> Result<(), AwsError> {
    let document: Value = serde_json::from_slice(key_set).map_err(|_| AwsError::no_verification_key())?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or_else(AwsError::no_verification_key)?;
    let key_type = if token.alg.starts_with("ES") { "EC" } else { "RSA" };
    let of_type = |key: &&Map<String, Value>| key.get("kty").and_then(Value::as_str) == Some(key_type);
    let of_this_type: Vec<&Map<String, Value>> = keys.iter().filter_map(Value::as_object).filter(of_type).collect();
    if of_this_type.len() > MAX_KEYS_OF_A_TYPE {
        return Err(AwsError::no_verification_key());
    }
    let key = select(token, &of_this_type).ok_or_else(AwsError::no_verification_key)?;
    if key.contains_key("key_ops") {
        return Err(AwsError::not_validated());
    }
    let verifier = verifier(&token.alg).ok_or_else(AwsError::not_validated)?;
    if verifies(&verifier, key, token) { Ok(()) } else { Err(AwsError::not_validated()) }
}

fn select<'a>(token: &ParsedToken, keys: &[&'a Map<String, Value>]) -> Option<&'a Map<String, Value>> {
    let kid = |key: &Map<String, Value>| key.get("kid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let usable = |key: &Map<String, Value>| {
        !kid(key).is_empty()
            && key.get("use").is_none_or(|purpose| purpose == "sig")
            && has_parameters(key)
            && agrees_with_certificate(key)
    };
    let mut indexed: Vec<(String, &Map<String, Value>)> = Vec::new();
    for key in keys.iter().copied().filter(|key| usable(key)) {
        indexed.retain(|(known, _)| *known != kid(key));
        indexed.push((kid(key), key));
    }
    match (&token.kid, indexed.as_slice()) {
        (Some(wanted), keys) => keys.iter().find(|(kid, _)| kid == wanted).map(|(_, key)| *key),
        (None, [(_, only)]) => Some(only),
        (None, _) => None,
    }
}

fn has_parameters(key: &Map<String, Value>) -> bool {
    let names: &[&str] = if key.get("kty").is_some_and(|kty| kty == "EC") { &["x", "y"] } else { &["n", "e"] };
    names.iter().all(|name| bytes(key, name).is_some_and(|value| !value.is_empty()))
}

/// Whether the first certificate of `x5c`, where there is one, carries the key's own modulus.
fn agrees_with_certificate(key: &Map<String, Value>) -> bool {
    let Some(chain) = key.get("x5c") else { return true };
    let certificate = || {
        let der = STANDARD.decode(chain.as_array()?.first()?.as_str()?).ok()?;
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).ok()?;
        let parsed = certificate.public_key().parsed().ok()?;
        let same = match parsed {
            x509_parser::public_key::PublicKey::RSA(rsa) => {
                let modulus = bytes(key, "n")?;
                let unsigned = |bytes: &[u8]| bytes.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
                unsigned(rsa.modulus) == unsigned(&modulus)
            }
            x509_parser::public_key::PublicKey::EC(point) => Some(point.data()) == point_of(key).as_deref(),
            _ => false,
        };
        Some(same)
    };
    certificate().unwrap_or(false)
}

fn verifier(alg: &str) -> Option<Verifier> {
    Some(match alg {
        "RS256" => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "ES256" => Verifier::Ec { algorithm: &signature::ECDSA_P256_SHA256_FIXED, curve: "P-256", half: 32 },
        "ES384" => Verifier::Ec { algorithm: &signature::ECDSA_P384_SHA384_FIXED, curve: "P-384", half: 48 },
        "ES512" => Verifier::Ec { algorithm: &signature::ECDSA_P521_SHA512_FIXED, curve: "P-521", half: 66 },
        _ => return None,
    })
}

fn verifies(verifier: &Verifier, key: &Map<String, Value>, token: &ParsedToken) -> bool {
    let message = token.signing_input.as_bytes();
    match verifier {
        Verifier::Rsa(parameters) => {
            let (Some(n), Some(e)) = (bytes(key, "n"), bytes(key, "e")) else { return false };
            RsaPublicKeyComponents { n, e }.verify(parameters, message, &token.signature).is_ok()
        }
        Verifier::Ec { algorithm, curve, half } => {
            let Some(point) = point_of(key).filter(|point| point.len() == 1 + 2 * half) else { return false };
            key.get("crv").is_some_and(|crv| crv == curve)
                && UnparsedPublicKey::new(*algorithm, point).verify(message, &token.signature).is_ok()
        }
    }
}

/// The uncompressed point of an elliptic-curve key (SEC 1).
fn point_of(key: &Map<String, Value>) -> Option<Vec<u8>> {
    Some([vec![4], bytes(key, "x")?, bytes(key, "y")?].concat())
}

fn bytes(key: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::token;
    use super::*;
    use crate::lab::keys::Keys;

    struct Case {
        keys: Keys,
    }

    impl Case {
        fn jwk(&self, name: &str, change: Value) -> Value {
            let mut jwk = self.keys.public_jwk(name).unwrap();
            jwk.insert("kid".into(), Keys::kid(name).into());
            for (member, value) in change.as_object().unwrap() {
                match value {
                    Value::Null => drop(jwk.shift_remove(member)),
                    value => drop(jwk.insert(member.clone(), value.clone())),
                }
            }
            Value::Object(jwk)
        }

        fn verify(&self, header: Value, jwks: Vec<Value>) -> Result<(), String> {
            let token = self.keys.mint(header.as_object().unwrap(), r#"{"a":1}"#).unwrap();
            let key_set = json!({ "keys": jwks }).to_string();
            verify(&token::parse(&token).unwrap(), key_set.as_bytes()).map_err(|fault| {
                if fault == AwsError::no_verification_key() { "no key" } else { "not validated" }.to_owned()
            })
        }
    }

    fn case() -> Case {
        Case { keys: Keys::new().unwrap() }
    }

    #[test]
    fn every_algorithm_of_the_six() {
        let case = case();
        for alg in ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] {
            let header = json!({"alg": alg, "kid": Keys::kid(alg)});
            assert_eq!(case.verify(header, vec![case.jwk(alg, json!({}))]), Ok(()), "{alg}");
        }
    }

    #[test]
    fn key_rules_as_recorded() {
        let case = case();
        let jwk = |change| case.jwk("RS256", change);
        let with_kid = json!({"alg": "RS256", "kid": "lab-rs256"});
        let without = json!({"alg": "RS256"});
        let other = case.jwk("RS384", json!({}));
        let wrong = jwk(json!({"n": case.keys.public_jwk("spare").unwrap()["n"]}));
        let many: Vec<Value> = (0..101).map(|i| jwk(json!({"kid": format!("k{i}")}))).collect();
        let ec = case.jwk("ES256", json!({}));
        let no_key = Err("no key".to_owned());
        let refused = Err("not validated".to_owned());
        for (name, header, jwks, expected) in [
            ("one key", &with_kid, vec![jwk(json!({}))], Ok(())),
            ("no kid in the header, one key", &without, vec![jwk(json!({}))], Ok(())),
            ("no kid in the header, two keys", &without, vec![jwk(json!({})), other.clone()], no_key.clone()),
            ("empty kid", &json!({"alg": "RS256", "kid": ""}), vec![jwk(json!({})), other.clone()], no_key.clone()),
            ("unknown kid", &json!({"alg": "RS256", "kid": "unknown"}), vec![jwk(json!({}))], no_key.clone()),
            ("no kid in the key", &without, vec![jwk(json!({"kid": null}))], no_key.clone()),
            ("another alg in the key", &with_kid, vec![jwk(json!({"alg": "RS512"}))], Ok(())),
            ("encryption key", &with_kid, vec![jwk(json!({"use": "enc"}))], no_key.clone()),
            ("key_ops sign", &with_kid, vec![jwk(json!({"key_ops": ["sign"]}))], refused.clone()),
            ("key_ops verify", &with_kid, vec![jwk(json!({"key_ops": ["verify"]}))], refused.clone()),
            ("duplicate, wrong first", &with_kid, vec![wrong.clone(), jwk(json!({}))], Ok(())),
            ("duplicate, wrong last", &with_kid, vec![jwk(json!({})), wrong.clone()], refused.clone()),
            ("no modulus", &with_kid, vec![jwk(json!({"n": null}))], no_key.clone()),
            ("bad certificate", &with_kid, vec![jwk(json!({"x5c": ["AAAA"]}))], no_key.clone()),
            ("101 RSA keys", &json!({"alg": "RS256", "kid": "k0"}), many.clone(), no_key.clone()),
            ("no keys", &with_kid, vec![], no_key.clone()),
            ("none", &json!({"alg": "none", "kid": "lab-rs256"}), vec![jwk(json!({}))], refused.clone()),
            ("HS256", &json!({"alg": "HS256", "kid": "lab-rs256"}), vec![jwk(json!({}))], refused.clone()),
            ("PS256", &json!({"alg": "PS256", "kid": "lab-rs256"}), vec![jwk(json!({}))], refused.clone()),
        ] {
            assert_eq!(case.verify(header.clone(), jwks), expected, "{name}");
        }
        let with_ec = [many, vec![ec]].concat();
        assert_eq!(case.verify(json!({"alg": "ES256", "kid": "lab-es256"}), with_ec), Ok(()));
    }

    #[test]
    fn a_changed_payload_does_not_verify() {
        let case = case();
        let header = json!({"alg": "RS256", "kid": "lab-rs256"});
        let token = case.keys.mint(header.as_object().unwrap(), "{}").unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let changed = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(r#"{"a":2}"#), parts[2]);
        let key_set = json!({ "keys": [case.jwk("RS256", json!({}))] }).to_string();
        let fault = verify(&token::parse(&changed).unwrap(), key_set.as_bytes()).unwrap_err();
        assert_eq!(fault, AwsError::not_validated());
    }

    #[test]
    fn what_is_no_key_set_has_no_key() {
        let case = case();
        let header = json!({"alg": "RS256", "kid": "lab-rs256"});
        let token = token::parse(&case.keys.mint(header.as_object().unwrap(), "{}").unwrap()).unwrap();
        for text in ["", "<html>", "[]", "{\"keys\": {}}"] {
            assert_eq!(verify(&token, text.as_bytes()), Err(AwsError::no_verification_key()), "{text}");
        }
    }
}
