//! Inspects a header and claims for what clouds refuse or people overlook.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::{TimeFlaw, TokenProblem};
use crate::domain::jwks::Algorithm;
use crate::domain::roles_claim::RolesClaim;
use crate::domain::text;
use crate::domain::text::{json_kind, looks_like};
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
        Some(Value::String(alg)) if !alg.parse::<Algorithm>().is_ok_and(Algorithm::is_taken_by_sts) => {
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

/// A text made of nothing but repeated names is one flaw, not thousands.
const MAX_REPEATED: usize = 16;

/// What could be read of a JSON text that should be one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReadObject {
    /// The members read; the last of a repeated name wins, as at AWS STS.
    pub members: Map<String, Value>,
    /// The names that occur more than once, each once; at most [`MAX_REPEATED`] of them.
    pub repeated: Vec<String>,
    /// Why the text is not one JSON object.
    pub flaw: Option<Flaw>,
}

/// Why a text is not one JSON object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flaw {
    /// Another kind of JSON value.
    NotAnObject(&'static str),
    /// Not JSON from this line and column on (counted from 1).
    NotJson { line: usize, column: usize },
}

/// Reads `bytes` as one JSON object.
pub(super) fn read(bytes: &[u8]) -> ReadObject {
    let mut read = ReadObject::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = Collect(&mut read).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    if let Err(error) = outcome {
        let other = serde_json::from_slice::<Value>(bytes).ok().map(|value| json_kind(&value));
        read.flaw = Some(match other {
            Some(json_kind) => Flaw::NotAnObject(json_kind),
            None => Flaw::NotJson { line: error.line(), column: error.column() },
        });
    }
    read
}

/// Fills a [`ReadObject`] member by member, so that an error later in the text leaves what came before.
struct Collect<'r>(&'r mut ReadObject);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.0.repeated.len() < MAX_REPEATED && self.0.members.contains_key(&name) && seen.insert(name.clone()) {
                self.0.repeated.push(name.clone());
            }
            let value = map.next_value::<Value>()?;
            self.0.members.insert(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod object_tests {
    use super::*;

    #[test]
    fn keeps_what_stands_before_the_break() {
        let read = read(br#"{"iss":"https://a","sub":"b","au"#);
        assert_eq!(read.members.keys().collect::<Vec<_>>(), ["iss", "sub"]);
        assert_eq!(read.flaw, Some(Flaw::NotJson { line: 1, column: 32 }));
    }

    #[test]
    fn notices_repeated_names_and_keeps_the_last() {
        let read = read(br#"{"aud":"a","aud":"b","aud":"c","exp":1}"#);
        assert_eq!(read.members["aud"], "c");
        assert_eq!((read.repeated, read.flaw), (vec!["aud".to_owned()], None));
    }

    #[test]
    fn tells_other_values_from_no_json() {
        assert_eq!(read(b"[1]").flaw, Some(Flaw::NotAnObject("a list")));
        assert_eq!(read(b"\"x\"").flaw, Some(Flaw::NotAnObject("a text")));
        assert!(matches!(read(b"{} trailing").flaw, Some(Flaw::NotJson { .. })));
        assert!(matches!(read(b"").flaw, Some(Flaw::NotJson { .. })));
        assert!(matches!(read(&b"[".repeat(100_000)).flaw, Some(Flaw::NotJson { .. })));
    }
}
