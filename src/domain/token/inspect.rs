//! Inspects a header and claims for what clouds refuse or people overlook.

use serde_json::{Map, Value};

use super::problem::{TimeFlaw, TokenProblem};
use crate::domain::confusable::looks_like;
use crate::domain::roles_claim::RolesClaim;
use crate::domain::signature::Algorithm;
use crate::domain::text;
use crate::domain::text::json_kind;
use crate::domain::timestamp::UnixSeconds;

const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";

/// What AWS STS requires of every token ("Missing a required claim").
const REQUIRED: [&str; 5] = ["iss", "sub", "aud", "iat", "exp"];

/// The most problems of one sort that are told: a hostile token could have one for each of its bytes.
const MAX_OF_A_SORT: usize = 16;

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// Seconds of the year 2001 read as milliseconds, and of the year 2286.
const MILLISECONDS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// A time claim in whole seconds, as far as it can be read at all.
pub(super) fn seconds(value: &Value) -> Option<UnixSeconds> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|f| f.abs() < 9e15)?;
            // Whole and small enough: the cast is exact.
            Some(float.trunc() as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn header(header: &Map<String, Value>, problems: &mut Vec<TokenProblem>) {
    // An encrypted token's `alg` and `kid` speak of its addressee's key, not of a signature.
    if problems.contains(&TokenProblem::Encrypted) {
        return;
    }
    if header.contains_key("enc") {
        problems.push(TokenProblem::Encrypted);
        return;
    }
    match header.get("alg") {
        Some(Value::String(alg)) if alg.eq_ignore_ascii_case("none") => {
            problems.push(TokenProblem::AlgorithmNone { alg: alg.clone() });
        }
        Some(Value::String(alg)) if matches!(alg.as_str(), "HS256" | "HS384" | "HS512") => {
            problems.push(TokenProblem::AlgorithmSymmetric { alg: alg.clone() });
        }
        Some(Value::String(alg)) if alg.parse::<Algorithm>().is_err() => {
            problems.push(TokenProblem::AlgorithmUnsupported { alg: alg.clone() });
        }
        Some(Value::String(_)) => {}
        _ => problems.push(TokenProblem::NoAlgorithm),
    }
    match header.get("kid") {
        None => problems.push(TokenProblem::KeyIdMissing),
        Some(Value::String(kid)) if kid.is_empty() => problems.push(TokenProblem::KeyIdEmpty),
        Some(Value::String(_)) => {}
        Some(other) => problems.push(TokenProblem::KeyIdNotText { found: json_kind(other).to_owned() }),
    }
    for name in ["jku", "x5u", "jwk", "x5c"] {
        if header.contains_key(name) {
            problems.push(TokenProblem::KeyInHeader { name: name.to_owned() });
        }
    }
    if let Some(crit) = header.get("crit") {
        let names = match crit {
            Value::Array(names) => {
                names.iter().take(MAX_OF_A_SORT).map(|name| name.as_str().unwrap_or("?").to_owned()).collect()
            }
            other => vec![json_kind(other).to_owned()],
        };
        problems.push(TokenProblem::Critical { names });
    }
}

pub(super) fn claims(claims: &Map<String, Value>, problems: &mut Vec<TokenProblem>) {
    for name in REQUIRED {
        if !claims.contains_key(name) {
            problems.push(TokenProblem::MissingClaim { name: name.to_owned() });
        }
    }
    for name in ["iss", "sub", "azp"] {
        if let Some(value) = claims.get(name) {
            text_claim(name, value, problems);
        }
    }
    if let Some(value) = claims.get("aud") {
        audience(value, claims.contains_key("azp"), problems);
    }
    for name in ["iat", "nbf", "exp"] {
        if let Some(value) = claims.get(name)
            && let Some(flaw) = time_flaw(value)
        {
            problems.push(TokenProblem::BadTime { name: name.to_owned(), flaw, found: excerpt(value) });
        }
    }
    if let (Some(iat), Some(exp)) = (claims.get("iat").and_then(seconds), claims.get("exp").and_then(seconds))
        && exp <= iat
        && iat >= 0
    {
        problems.push(TokenProblem::NoLifetime { seconds: exp.saturating_sub(iat) });
    }
    if let RolesClaim::Unreadable(value) = RolesClaim::of(claims) {
        problems.push(TokenProblem::RolesFormat { found: json_kind(value).to_owned() });
    }
    if let Some(Value::Object(tags)) = claims.get(TAGS_CLAIM).and_then(|tags| tags.get("principal_tags")) {
        let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let unfit = tags.iter().filter(|(_, value)| !is_list(value)).take(MAX_OF_A_SORT);
        problems.extend(unfit.map(|(name, _)| TokenProblem::TagsFormat { name: name.clone() }));
    }
}

fn text_claim(name: &str, value: &Value, problems: &mut Vec<TokenProblem>) {
    match value {
        Value::String(text) if text.is_empty() => problems.push(TokenProblem::EmptyClaim { name: name.to_owned() }),
        Value::String(text) => characters(name, text, problems),
        other => problems.push(TokenProblem::ClaimType {
            name: name.to_owned(),
            expected: "text".to_owned(),
            found: json_kind(other).to_owned(),
        }),
    }
}

fn audience(value: &Value, has_azp: bool, problems: &mut Vec<TokenProblem>) {
    let name = "aud".to_owned();
    let expected = "text or a list of texts".to_owned();
    match value {
        Value::String(text) if text.is_empty() => problems.push(TokenProblem::EmptyClaim { name }),
        Value::String(text) => characters("aud", text, problems),
        Value::Array(list) if list.is_empty() => problems.push(TokenProblem::EmptyClaim { name }),
        Value::Array(list) => {
            if let Some(other) = list.iter().find(|entry| !entry.is_string()) {
                let found = format!("a list with {}", json_kind(other));
                problems.push(TokenProblem::ClaimType { name, expected, found });
            }
            for text in list.iter().filter_map(Value::as_str).take(MAX_OF_A_SORT) {
                characters("aud", text, problems);
            }
            if list.len() > 1 && !has_azp {
                problems.push(TokenProblem::SeveralAudiences { count: list.len() });
            }
        }
        other => problems.push(TokenProblem::ClaimType { name, expected, found: json_kind(other).to_owned() }),
    }
}

fn time_flaw(value: &Value) -> Option<TimeFlaw> {
    let number = match value {
        Value::Number(number) => number,
        Value::String(text) if text.parse::<i64>().is_ok() => return Some(TimeFlaw::NumericText),
        _ => return Some(TimeFlaw::NotANumber),
    };
    match number.as_i64() {
        Some(seconds) if seconds < 0 => Some(TimeFlaw::Negative),
        Some(seconds) if MILLISECONDS.contains(&seconds) => Some(TimeFlaw::Milliseconds),
        Some(seconds) if seconds > LAST_SECOND => Some(TimeFlaw::OutOfRange),
        Some(_) => None,
        None if number.is_u64() => Some(TimeFlaw::OutOfRange),
        None if number.as_f64().is_some_and(|f| f.abs() > 1e15) => Some(TimeFlaw::OutOfRange),
        None => Some(TimeFlaw::Fraction),
    }
}

/// A value as JSON, cut to what a sentence can hold.
fn excerpt(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// What deceives the eye in a claim that is compared byte for byte: the first case of each sort.
fn characters(name: &str, value: &str, problems: &mut Vec<TokenProblem>) {
    if value.trim().len() != value.len() {
        problems.push(TokenProblem::ClaimBlanks { name: name.to_owned() });
    }
    if let Some((at, character)) = value.chars().enumerate().find(|(_, c)| text::is_unsafe(*c)) {
        problems.push(TokenProblem::Invisible { name: name.to_owned(), at, character });
    }
    // A word wholly in another script deceives nobody; one such letter among ASCII letters does.
    let mut words = value.split(|c: char| !c.is_alphanumeric());
    let is_url = value.starts_with("https://") || value.starts_with("http://");
    let deceptive = is_url
        || words.any(|w| w.chars().any(|c| c.is_ascii_alphabetic()) && w.chars().any(|c| looks_like(c).is_some()));
    if deceptive
        && let Some((at, (character, ascii))) =
            value.chars().enumerate().find_map(|(at, c)| Some((at, (c, looks_like(c)?))))
    {
        problems.push(TokenProblem::LookAlike { name: name.to_owned(), at, character, looks_like: ascii });
    }
}
