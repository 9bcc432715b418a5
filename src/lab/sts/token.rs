//! The token's shape and claims, as STS checks them: pure functions of the token, the requested role and the time.
//!
//! Texts, leeways and odd corners are those of answers recorded from STS in September 2026; the requirements are at
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>.

use crate::domain::roles_claim::RolesClaim;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::lab::json_protocol::AwsError;

/// Seconds by which a token's times may be off.
const LEEWAY: i64 = 300;
/// Seconds after `iat` from which a token is too old, although its `exp` is in the future. AWS does not say where the
/// bound is: tokens of 24 hours work, one of 5 days was refused.
const MAX_AGE: i64 = 86_400;

const REQUIRED: [&str; 5] = ["iss", "sub", "aud", "iat", "exp"];

/// A token taken apart, and nothing in it believed.
#[derive(Clone)]
pub(super) struct ParsedToken {
    pub alg: String,
    /// Absent also where it is empty: both find no key.
    pub kid: Option<String>,
    pub claims: Map<String, Value>,
    /// The bytes that the signature covers.
    pub signing_input: String,
    pub signature: Vec<u8>,
}

/// What the claims say of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub issuer: String,
    pub subject: String,
    /// `azp` where there is one, else the only audience.
    pub audience: String,
    pub source_identity: Option<String>,
    pub tags: Tags,
}

/// Takes the token apart. A header that asks for extensions (`crit`) makes it no JWT that STS would read.
pub(super) fn parse(token: &str) -> Result<ParsedToken, AwsError> {
    let not_a_jwt = || {
        AwsError::invalid_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    };
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { return Err(not_a_jwt()) };
    let object = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => Some(map),
            _ => None,
        }
    };
    let (Some(fields), Some(claims)) = (object(header), object(payload)) else { return Err(not_a_jwt()) };
    let decoded = URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).map_err(|_| not_a_jwt())?;
    let Some(Value::String(alg)) = fields.get("alg") else { return Err(not_a_jwt()) };
    if fields.contains_key("crit") {
        return Err(not_a_jwt());
    }
    let kid = fields.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty()).map(str::to_owned);
    Ok(ParsedToken { alg: alg.clone(), kid, claims, signing_input: format!("{header}.{payload}"), signature: decoded })
}

/// Checks the claims for a request of `role_arn` at `now`, seconds since the epoch.
pub(super) fn check_claims(claims: &Map<String, Value>, role_arn: &str, now: i64) -> Result<Identity, AwsError> {
    for name in REQUIRED {
        if !claims.contains_key(name) {
            return Err(AwsError::invalid_token(format!("Missing a required claim: {name}")));
        }
    }
    let subject = subject(&claims["sub"])?;
    check_times(claims, now)?;
    let audience = audience(claims)?;
    let Value::String(issuer) = &claims["iss"] else { return Err(AwsError::not_validated()) };
    check_roles_claim(claims, role_arn)?;
    let tags = read_session_tags(claims)?;
    let source_identity = match claims.get("https://aws.amazon.com/source_identity") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if is_source_identity(text) => Some(text.clone()),
        Some(_) => return Err(AwsError::not_validated()),
    };
    Ok(Identity { issuer: issuer.clone(), subject, audience, source_identity, tags })
}

/// A subject may be empty, short, or a number, which becomes text. `null` makes STS itself fail.
fn subject(sub: &Value) -> Result<String, AwsError> {
    match sub {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(AwsError::internal("Unknown error validating third-party token")),
    }
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), AwsError> {
    let iat = timestamp(&claims["iat"])?;
    let exp = timestamp(&claims["exp"])?;
    let nbf = claims.get("nbf").map(timestamp).transpose()?;
    // The leeway is taken off, or put on, the time that the text calls current.
    let (early, late) = (now.saturating_sub(LEEWAY), now.saturating_add(LEEWAY));
    if early >= exp {
        return Err(AwsError::new(
            "ExpiredTokenException",
            400,
            format!("Token expired: current date/time {early} must be before the expiration date/time {exp}"),
        ));
    }
    if let Some(nbf) = nbf.filter(|nbf| late < *nbf) {
        return Err(AwsError::invalid_token(format!(
            "Token not yet valid: current date/time {late} must be after or equal to the not-before date/time {nbf}"
        )));
    }
    if iat > late {
        return Err(AwsError::invalid_token(format!("Token issued in the future: {iat}")));
    }
    let age = now.saturating_sub(iat);
    if age > MAX_AGE + LEEWAY {
        return Err(AwsError::new("ExpiredTokenException", 400, format!("Token too old: {age}")));
    }
    Ok(())
}

/// Whole seconds, as a number or as text.
fn timestamp(value: &Value) -> Result<i64, AwsError> {
    let seconds = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    seconds.ok_or_else(|| AwsError::invalid_token("Invalid timestamp in token claims."))
}

/// The authorized party replaces the audience altogether; without one, there must be exactly one audience.
fn audience(claims: &Map<String, Value>) -> Result<String, AwsError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(AwsError::not_validated()),
    };
    let empty = || AwsError::invalid_token("Claim is not allowed to be empty: aud");
    let audiences = match &claims["aud"] {
        Value::Null => return Err(empty()),
        Value::Array(items) if items.is_empty() => return Err(empty()),
        Value::Array(items) => items.iter().map(text).collect::<Result<Vec<_>, _>>()?,
        single => vec![text(single)?],
    };
    match claims.get("azp") {
        None | Some(Value::Null) => match <[String; 1]>::try_from(audiences) {
            Ok([only]) => Ok(only),
            Err(_) => Err(AwsError::invalid_token(
                "Token audience contains more than one audience while authorized party is not present",
            )),
        },
        Some(party) => text(party),
    }
}

const NESTED_TAGS: &str = "https://aws.amazon.com/tags";
const FLAT_TAGS: &str = "https://aws.amazon.com/tags/principal_tags/";

/// Key and value of each tag.
pub(super) type Tags = BTreeMap<String, String>;

/// Reads the tags: a nested tag's value is a list of one text, a flat one's a text.
pub(super) fn read_session_tags(claims: &Map<String, Value>) -> Result<Tags, AwsError> {
    let wrong = || AwsError::invalid_token("principal_tags passed in claim is not in correct format.");
    let mut tags = Tags::new();
    match claims.get(NESTED_TAGS) {
        None => {}
        Some(Value::Object(nested)) => match nested.get("principal_tags") {
            None => {}
            Some(Value::Object(principal)) => {
                for (key, value) in principal {
                    let [Value::String(value)] = value.as_array().map(Vec::as_slice).ok_or_else(wrong)? else {
                        return Err(wrong());
                    };
                    tags.insert(key.clone(), value.clone());
                }
            }
            Some(_) => return Err(wrong()),
        },
        Some(_) => return Err(wrong()),
    }
    for (name, value) in claims {
        let Some(key) = name.strip_prefix(FLAT_TAGS) else { continue };
        let Value::String(value) = value else { return Err(wrong()) };
        tags.insert(key.to_owned(), value.clone());
    }
    Ok(tags)
}

/// 2 to 64 characters of `[\w+=,.@-]`, not beginning with `aws:`.
pub(super) fn is_source_identity(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

/// Refuses a claim that does not list `role_arn`, and one that lists nothing.
pub(super) fn check_roles_claim(claims: &Map<String, Value>, role_arn: &str) -> Result<(), AwsError> {
    let claim = RolesClaim::of(claims);
    let refusal = match &claim {
        _ if claim.admits(role_arn) => return Ok(()),
        RolesClaim::Unreadable(_) => "The roles claim is not in a supported format",
        RolesClaim::Listed(roles) if roles.is_empty() => "The roles claim contains no valid role ARNs",
        _ => "The target role ARN is not present in the roles claim of the identity token",
    };
    Err(AwsError::invalid_token(refusal))
}

#[cfg(test)]
mod tags_tests {
    use serde_json::json;

    use super::*;

    fn tags(claims: Value) -> Result<Vec<(String, String)>, String> {
        read_session_tags(claims.as_object().unwrap())
            .map(|tags| tags.into_iter().collect())
            .map_err(|fault| fault.message)
    }

    #[test]
    fn both_forms() {
        let team = Ok(vec![("Team".to_owned(), "engineering".to_owned())]);
        assert_eq!(tags(json!({NESTED_TAGS: {"principal_tags": {"Team": ["engineering"]}}})), team);
        assert_eq!(tags(json!({"https://aws.amazon.com/tags/principal_tags/Team": "engineering"})), team);
        assert_eq!(tags(json!({})), Ok(vec![]));
    }

    #[test]
    fn a_nested_text_is_refused() {
        for value in [json!("engineering"), json!([]), json!(["a", "b"]), json!([1])] {
            let fault = tags(json!({NESTED_TAGS: {"principal_tags": {"Team": value}}})).unwrap_err();
            assert_eq!(fault, "principal_tags passed in claim is not in correct format.");
        }
    }
}

#[cfg(test)]
mod roles_claim_tests {
    use serde_json::json;

    use super::*;
    use crate::domain::roles_claim::ROLES_CLAIM;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    #[test]
    fn refuses_with_the_recorded_texts() {
        let none = "The roles claim contains no valid role ARNs";
        let format = "The roles claim is not in a supported format";
        let another = "The target role ARN is not present in the roles claim of the identity token";
        for (value, message) in [
            (json!(["arn:aws:iam::123456789012:role/another-role"]), another),
            (json!([]), none),
            (json!(""), none),
            (json!("arn:aws:iam::123456789012:role/*"), none),
            (json!(123), format),
            (json!({"role": ROLE}), format),
        ] {
            let claims = Map::from_iter([(ROLES_CLAIM.to_owned(), value.clone())]);
            assert_eq!(
                check_roles_claim(&claims, ROLE).map_err(|fault| fault.message),
                Err(message.to_owned()),
                "{value}"
            );
        }
        assert!(check_roles_claim(&Map::from_iter([(ROLES_CLAIM.to_owned(), json!([ROLE]))]), ROLE).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_789_123_721;
    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    fn claims(change: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "https://i.example", "sub": "s", "aud": "a", "iat": NOW - 10, "exp": NOW + 900,
        });
        for (name, value) in change.as_object().unwrap() {
            match value.as_str() {
                Some("absent") => drop(claims.as_object_mut().unwrap().shift_remove(name)),
                _ => claims[name] = value.clone(),
            }
        }
        claims.as_object().unwrap().clone()
    }

    fn check(change: Value) -> Result<Identity, AwsError> {
        check_claims(&claims(change), ROLE, NOW)
    }

    #[test]
    fn refuses_with_the_recorded_code_and_text() {
        for (change, code, message) in [
            (json!({"iss": "absent"}), "InvalidIdentityToken", "Missing a required claim: iss"),
            (json!({"sub": "absent"}), "InvalidIdentityToken", "Missing a required claim: sub"),
            (json!({"aud": "absent"}), "InvalidIdentityToken", "Missing a required claim: aud"),
            (json!({"iat": "absent"}), "InvalidIdentityToken", "Missing a required claim: iat"),
            (json!({"exp": "absent"}), "InvalidIdentityToken", "Missing a required claim: exp"),
            (json!({"sub": null}), "InternalFailure", "Unknown error validating third-party token"),
            (
                json!({"exp": 1_789_123_397}),
                "ExpiredTokenException",
                "Token expired: current date/time 1789123421 must be before the expiration date/time 1789123397",
            ),
            (
                json!({"exp": NOW - 300}),
                "ExpiredTokenException",
                "Token expired: current date/time 1789123421 must be before the expiration date/time 1789123421",
            ),
            (
                json!({"nbf": 1_789_127_298}),
                "InvalidIdentityToken",
                "Token not yet valid: current date/time 1789124021 must be after or equal to the not-before date/time \
                 1789127298",
            ),
            (json!({"iat": 1_789_127_298}), "InvalidIdentityToken", "Token issued in the future: 1789127298"),
            (json!({"iat": NOW - 441_398}), "ExpiredTokenException", "Token too old: 441398"),
            (json!({"iat": null}), "InvalidIdentityToken", "Invalid timestamp in token claims."),
            (json!({"iat": 1_789_123_697.5}), "InvalidIdentityToken", "Invalid timestamp in token claims."),
            (json!({"exp": 1_789_123_798.5}), "InvalidIdentityToken", "Invalid timestamp in token claims."),
            (json!({"nbf": "soon"}), "InvalidIdentityToken", "Invalid timestamp in token claims."),
            (json!({"exp": true}), "InvalidIdentityToken", "Invalid timestamp in token claims."),
            (json!({"aud": []}), "InvalidIdentityToken", "Claim is not allowed to be empty: aud"),
            (
                json!({"aud": ["a", "b"]}),
                "InvalidIdentityToken",
                "Token audience contains more than one audience while authorized party is not present",
            ),
        ] {
            let fault = check(change.clone()).unwrap_err();
            assert_eq!((fault.code, fault.message.as_str()), (code, message), "{change}");
            assert_eq!(fault.status, if code == "InternalFailure" { 500 } else { 400 });
        }
    }

    #[test]
    fn takes_what_sts_takes() {
        for (change, subject, audience) in [
            (json!({}), "s", "a"),
            (json!({"sub": ""}), "", "a"),
            (json!({"sub": 123}), "123", "a"),
            (json!({"aud": ["a"]}), "s", "a"),
            (json!({"aud": ""}), "s", ""),
            (json!({"aud": "other", "azp": "b"}), "s", "b"),
            (json!({"aud": ["other", "a"], "azp": "b"}), "s", "b"),
            (json!({"azp": ""}), "s", ""),
            (json!({"iat": NOW.to_string(), "exp": (NOW + 5).to_string(), "nbf": NOW.to_string()}), "s", "a"),
            (json!({"exp": NOW - 299}), "s", "a"),
            (json!({"iat": NOW + 300, "nbf": NOW + 300}), "s", "a"),
            (json!({"iat": NOW - 86_400}), "s", "a"),
        ] {
            let identity = check(change.clone()).unwrap();
            assert_eq!((identity.subject.as_str(), identity.audience.as_str()), (subject, audience), "{change}");
        }
    }

    #[test]
    fn only_three_parts_of_json_are_a_token() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = part(r#"{"alg":"RS256","kid":"k"}"#);
        for token in [
            "opaque".to_owned(),
            "a.b".to_owned(),
            format!("{header}.{}.x.y.z", part("{}")),
            format!("{header}.{}.c2ln", part("[]")),
            format!("{header}.!!.c2ln"),
            format!("{}.{}.c2ln", part("{"), part("{}")),
            format!("{}.{}.c2ln", part(r#"{"kid":"k"}"#), part("{}")),
            format!("{}.{}.c2ln", part(r#"{"alg":"RS256","crit":["x"],"x":1}"#), part("{}")),
        ] {
            let fault = parse(&token).err().unwrap();
            assert!(fault.message.contains("not a valid JWT"), "{token}: {}", fault.message);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_token_makes_it_panic(text in ".{0,200}", iat: i64, exp: i64, now: i64) {
            let _ = parse(&text);
            let part = URL_SAFE_NO_PAD.encode(&text);
            let _ = parse(&format!("{part}.{part}.{part}"));
            let _ = check_claims(&claims(json!({"iat": iat, "exp": exp, "sub": text, "nbf": text})), ROLE, now);
            let _ = check_times(&claims(json!({"iat": iat, "exp": exp, "nbf": exp})), now);
        }
    }

    #[test]
    fn the_last_of_duplicate_claims_counts() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"aud":"a","aud":"b"}"#);
        let token = parse(&format!("{}.{payload}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#))).unwrap();
        assert_eq!(token.claims["aud"], "b");
        assert_eq!(token.kid, None);
    }
}
