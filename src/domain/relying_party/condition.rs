//! The conditions that a relying party's rules are made of: each finds one thing in a token, a key set or a discovery
//! document, and says what it found. None knows a cloud.

use std::borrow::Cow;

use serde_json::Value;
use url::Url;

use super::Presented;
use crate::domain::discovery::{Discovery, is_loopback};
use crate::domain::jwks::{Jwk, Jwks, KeyProblem};
use crate::domain::timestamp::in_words;
use crate::domain::token::{DecodedToken, SignaturePart, TokenProblem};

/// One thing that can be found.
#[derive(Debug)]
pub(super) enum Condition {
    TokenEncrypted,
    TokenMalformed,
    TokenLongerThan(usize),
    IssuerNotHttps,
    IssuerHasPort,
    IssuerHasQuery,
    IssuerHasBlanks,
    IssuerLongerThan(usize),
    /// `localhost` and its like, whatever the scheme.
    IssuerOnThisMachine,
    DocumentUnusable,
    DocumentNamesAnotherIssuer,
    DocumentLacks(&'static [&'static str]),
    DocumentHasEmpty(&'static [&'static str]),
    DocumentDoesNotName {
        field: &'static str,
        value: &'static str,
    },
    KeysNotHttps,
    KeysUnusable,
    /// No key that a signature can be checked with.
    NoKey,
    MoreKeysThan(usize),
    KeySetHolds(&'static [&'static str]),
    /// The token's algorithm, or every one that the published keys allow, is none of these.
    AlgorithmNoneOf(&'static [&'static str]),
    /// Without a token: some that the published keys allow are none of these.
    AlgorithmNotAlwaysOf(&'static [&'static str]),
    /// The header has no `kid`; without a token, no published key has one.
    NoKid {
        keys: KeyCount,
    },
    KidNotPublished,
    /// The named key is published behind so many others.
    KeyBehind(usize),
    KeyUnusable,
    KeyLimitsOperations,
    KeyOfAnotherType,
    HeaderHasCritical,
    TypeNoneOf(&'static [&'static str]),
    TypeMissing,
    ClaimMissing(&'static [&'static str]),
    ClaimEmpty(&'static [&'static str]),
    ClaimIllTyped(&'static [&'static str]),
    SubjectLongerThan(usize),
    SeveralAudiences,
    SeveralAudiencesWithoutAzp,
    AudienceIsAList,
    AzpReplacesAudience,
    TimeNotWhole(&'static [&'static str]),
    LifetimeAbove(i64),
}

/// How many keys are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyCount {
    /// One, or so many as nobody looked at.
    One,
    Several,
    Any,
}

impl Condition {
    /// What it finds, in words; `None` where it does not hold, or cannot be seen.
    pub(super) fn find(&self, presented: &Presented<'_>) -> Option<String> {
        let token = presented.token.filter(|token| is_readable(token));
        let discovery = presented.discovery.read();
        let keys = presented.keys.read();
        let issuer = || presented.issuer();
        match self {
            Condition::TokenEncrypted => is_encrypted(presented.token?).then(String::new),
            Condition::TokenMalformed => malformed(presented.token?),
            Condition::TokenLongerThan(most) => too_long(presented.token?, *most),

            Condition::IssuerNotHttps => {
                let issuer = issuer()?;
                (!has_scheme(issuer, "https")).then(|| issuer.to_owned())
            }
            Condition::IssuerHasPort => written_port(issuer()?).map(str::to_owned),
            Condition::IssuerHasQuery => {
                let issuer = issuer()?;
                issuer.find(['?', '#']).and_then(|at| issuer.get(at..)).map(str::to_owned)
            }
            Condition::IssuerHasBlanks => {
                let issuer = issuer()?;
                (issuer.trim() != issuer).then(|| issuer.to_owned())
            }
            Condition::IssuerLongerThan(most) => longer(issuer()?, *most),
            Condition::IssuerOnThisMachine => {
                let url = Url::parse(issuer()?).ok()?;
                is_loopback(&url).then(|| url.host_str().map(str::to_owned)).flatten()
            }

            Condition::DocumentUnusable => presented.discovery.unusable(),
            Condition::DocumentNamesAnotherIssuer => {
                let named = discovery?.issuer.as_deref()?;
                (named != issuer()?).then(|| named.to_owned())
            }
            Condition::DocumentLacks(fields) => listed(fields, |field| !has_field(discovery, field)),
            Condition::DocumentHasEmpty(fields) => {
                let discovery = discovery?;
                listed(fields, |field| is_empty_in(discovery, field))
            }
            Condition::DocumentDoesNotName { field, value } => {
                let named = values_of(discovery?, field)?;
                let names = named.iter().any(|entry| entry.split(' ').any(|part| part == *value));
                (!names).then(|| named.join(", "))
            }
            Condition::KeysNotHttps => {
                let uri = discovery?.jwks_uri.as_deref()?;
                (!has_scheme(uri, "https")).then(|| uri.to_owned())
            }

            Condition::KeysUnusable => presented.keys.unusable(),
            Condition::NoKey => no_key(keys?),
            Condition::MoreKeysThan(most) => more_keys(keys?, *most),
            Condition::KeySetHolds(types) => {
                let key = keys?.keys.iter().find(|key| key.kty.as_deref().is_some_and(|kty| types.contains(&kty)))?;
                Some(key.type_name())
            }

            Condition::AlgorithmNoneOf(known) => {
                let possible = possible_algorithms(token, discovery, keys)?;
                let fits = possible.iter().any(|alg| known.contains(&alg.as_str()));
                (!fits).then(|| possible.join(", "))
            }
            Condition::AlgorithmNotAlwaysOf(known) => {
                if token.is_some() {
                    return None;
                }
                let possible = possible_algorithms(token, discovery, keys)?;
                let (fit, unfit): (Vec<_>, Vec<_>) =
                    possible.into_iter().partition(|alg| known.contains(&alg.as_str()));
                (!fit.is_empty() && !unfit.is_empty()).then(|| unfit.join(", "))
            }
            Condition::NoKid { keys: count } => {
                let who = no_kid(token, keys)?;
                let several = keys.is_some_and(|set| set.keys.len() > 1);
                let is_meant = match count {
                    KeyCount::Any => true,
                    KeyCount::Several => several,
                    KeyCount::One => !several,
                };
                is_meant.then(|| who.to_owned())
            }
            Condition::KidNotPublished => {
                let (kid, set) = (named_kid(token?)?, keys?);
                let is_lost = !set.keys.is_empty() && !set.keys.iter().any(|key| key.kid.as_deref() == Some(kid));
                is_lost.then(|| kid.to_owned())
            }
            Condition::KeyBehind(most) => {
                let key = named_key(token?, keys?)?;
                (key.position > *most).then(|| format!("the key is number {} of its set", key.position))
            }
            Condition::KeyUnusable => {
                let key = named_key(token?, keys?)?;
                let problem = key.problems.iter().find(|problem| is_fault_of_key(problem))?;
                Some(format!("the key it names cannot be used: {problem}"))
            }
            Condition::KeyLimitsOperations => {
                let key = named_key(token?, keys?)?;
                key.key_ops.as_ref().map(|_| "the key it names".to_owned())
            }
            Condition::KeyOfAnotherType => {
                let (alg, key) = (token?.alg()?, named_key(token?, keys?)?);
                let (wanted, found) = (key_type(alg)?, key.kty.as_deref()?);
                (wanted != found)
                    .then(|| format!("alg {alg} needs a key of type {wanted}, and the one it names is {found}"))
            }

            Condition::HeaderHasCritical => token?.header.as_ref()?.contains_key("crit").then(String::new),
            Condition::TypeNoneOf(known) => {
                let typ = token?.header.as_ref()?.get("typ")?;
                let is_known =
                    typ.as_str().is_some_and(|typ| known.iter().any(|known| known.eq_ignore_ascii_case(typ)));
                (!is_known).then(|| short(typ).into_owned())
            }
            Condition::TypeMissing => (!token?.header.as_ref()?.contains_key("typ")).then(String::new),

            Condition::ClaimMissing(names) => {
                let token = token?;
                listed(names, |name| token.claim(name).is_none_or(Value::is_null))
            }
            Condition::ClaimEmpty(names) => {
                let token = token?;
                listed(names, |name| token.claim(name).is_some_and(is_empty))
            }
            Condition::ClaimIllTyped(names) => {
                let token = token?;
                let wrong = |name: &&&str| token.claim(name).is_some_and(|value| !is_text(name, value));
                names.iter().find(wrong).map(|name| format!("`{name}` is no text"))
            }
            Condition::SubjectLongerThan(most) => {
                let bytes = token?.subject()?.len();
                (bytes > *most).then(|| bytes.to_string())
            }
            Condition::SeveralAudiences => several_audiences(token?),
            Condition::SeveralAudiencesWithoutAzp => {
                let token = token?;
                several_audiences(token).filter(|_| token.claim("azp").is_none())
            }
            Condition::AudienceIsAList => {
                let list = token?.claim("aud")?.as_array()?;
                (list.len() == 1).then(String::new)
            }
            Condition::AzpReplacesAudience => token?.azp().map(str::to_owned),
            Condition::TimeNotWhole(names) => {
                let token = token?;
                listed(names, |name| token.claim(name).is_some_and(|value| !is_whole_time(value)))
            }
            Condition::LifetimeAbove(most) => {
                let lifetime = token?.lifetime()?;
                (lifetime > *most).then(|| in_words(lifetime.unsigned_abs()))
            }
        }
    }
}

fn is_encrypted(token: &DecodedToken) -> bool {
    token.problems.contains(&TokenProblem::Encrypted)
}

/// Whether header and claims can be looked at.
fn is_readable(token: &DecodedToken) -> bool {
    token.header.is_some() && token.claims.is_some() && !is_encrypted(token)
}

fn malformed(token: &DecodedToken) -> Option<String> {
    if is_encrypted(token) {
        return None;
    }
    let is_unsigned = matches!(token.signature, SignaturePart::Missing | SignaturePart::Empty);
    if token.has_form_of_token() && !is_unsigned {
        return None;
    }
    Some(token.problems.first().map_or_else(|| "it has no signature".to_owned(), ToString::to_string))
}

fn too_long(token: &DecodedToken, most: usize) -> Option<String> {
    token.problems.iter().find_map(|problem| match problem {
        TokenProblem::TooLong { characters } if *characters > most => Some(characters.to_string()),
        _ => None,
    })
}

fn longer(text: &str, most: usize) -> Option<String> {
    let characters = text.chars().count();
    (characters > most).then(|| characters.to_string())
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.split_once("://").is_some_and(|(own, _)| own.eq_ignore_ascii_case(scheme))
}

/// The port that a URL writes out, the scheme's own included: an issuer is compared as it is written.
pub(super) fn written_port(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.rsplit('@').next()?;
    let behind_host = host_and_port.rsplit_once(']').map_or(host_and_port, |(_, behind)| behind);
    behind_host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.is_empty())
}

fn listed(names: &[&str], is_met: impl Fn(&str) -> bool) -> Option<String> {
    let met: Vec<&str> = names.iter().copied().filter(|name| is_met(name)).collect();
    (!met.is_empty()).then(|| met.join(", "))
}

/// Whether the document has the field; one that was not looked at lacks nothing.
fn has_field(discovery: Option<&Discovery>, field: &str) -> bool {
    let Some(discovery) = discovery else { return true };
    match field {
        "issuer" => discovery.issuer.is_some(),
        "jwks_uri" => discovery.jwks_uri.is_some(),
        "authorization_endpoint" => discovery.authorization_endpoint.is_some(),
        _ => values_of(discovery, field).is_some(),
    }
}

fn is_empty_in(discovery: &Discovery, field: &str) -> bool {
    match field {
        "authorization_endpoint" => discovery.authorization_endpoint.as_deref() == Some(""),
        _ => values_of(discovery, field).is_some_and(<[String]>::is_empty),
    }
}

fn values_of<'d>(discovery: &'d Discovery, field: &str) -> Option<&'d [String]> {
    match field {
        "response_types_supported" => discovery.response_types_supported.as_deref(),
        "subject_types_supported" => discovery.subject_types_supported.as_deref(),
        "id_token_signing_alg_values_supported" => discovery.id_token_signing_alg_values_supported.as_deref(),
        "claims_supported" => discovery.claims_supported.as_deref(),
        _ => None,
    }
}

fn no_key(set: &Jwks) -> Option<String> {
    if set.keys.is_empty() {
        return Some("the key set is empty".to_owned());
    }
    let can_sign = |key: &Jwk| !key.problems.iter().any(is_fault_of_key);
    (!set.keys.iter().any(can_sign)).then(|| "no key of the set can check a signature".to_owned())
}

/// Whether no cloud can check a signature with such a key, whatever algorithms it takes: those are the algorithm's rule.
fn is_fault_of_key(problem: &KeyProblem) -> bool {
    problem.prevents_checking() && !matches!(problem, KeyProblem::KtyUnsupported { .. })
}

fn more_keys(set: &Jwks, most: usize) -> Option<String> {
    let count = |kty: &str| set.keys.iter().filter(|key| key.kty.as_deref() == Some(kty)).count();
    ["RSA", "EC"].into_iter().map(count).find(|count| count > &most).map(|count| count.to_string())
}

/// The algorithms that a token of this issuer may be signed with: the token's own, else what its keys and its document allow.
fn possible_algorithms(
    token: Option<&DecodedToken>,
    discovery: Option<&Discovery>,
    keys: Option<&Jwks>,
) -> Option<Vec<String>> {
    if let Some(token) = token {
        return Some(vec![token.alg().unwrap_or("missing").to_owned()]);
    }
    let listed = discovery.and_then(|discovery| discovery.id_token_signing_alg_values_supported.as_deref());
    let Some(keys) = keys.filter(|set| !set.keys.is_empty()) else {
        return listed.filter(|listed| !listed.is_empty()).map(<[String]>::to_vec);
    };
    Some(algorithms_of_set(keys, listed.unwrap_or_default())).filter(|possible| !possible.is_empty())
}

/// What a token may be signed with by the keys of a set, where the document lists these algorithms.
pub fn algorithms_of_set(keys: &Jwks, listed: &[String]) -> Vec<String> {
    let mut possible: Vec<String> = Vec::new();
    for key in keys.keys.iter().filter(|key| !key.problems.iter().any(is_fault_of_key)) {
        for alg in algorithms_of(key, listed) {
            if !possible.contains(&alg) {
                possible.push(alg);
            }
        }
    }
    possible
}

/// What a key may sign with: its own `alg`, its curve's, or of an RSA key those that the document lists.
fn algorithms_of(key: &Jwk, listed: &[String]) -> Vec<String> {
    if let Some(alg) = &key.alg {
        return vec![alg.clone()];
    }
    let by_curve = match (key.kty.as_deref(), key.crv.as_deref()) {
        (Some("EC"), Some("P-256")) => "ES256",
        (Some("EC"), Some("P-384")) => "ES384",
        (Some("EC"), Some("P-521")) => "ES512",
        (Some("EC"), Some(other)) => other,
        (Some("OKP"), _) => "EdDSA",
        (Some("RSA"), _) => {
            let of_rsa: Vec<String> =
                listed.iter().filter(|alg| key_type(alg) == Some("RSA")).map(String::clone).collect();
            // Nearly every one signs with RS256, where nothing says otherwise (OpenID Connect Core, section 15.1).
            return if of_rsa.is_empty() { vec!["RS256".to_owned()] } else { of_rsa };
        }
        _ => return Vec::new(),
    };
    vec![by_curve.to_owned()]
}

/// The `kty` of the keys that an algorithm signs with.
fn key_type(alg: &str) -> Option<&'static str> {
    match alg.get(..2)? {
        "RS" | "PS" => Some("RSA"),
        "ES" => Some("EC"),
        "Ed" => Some("OKP"),
        _ => None,
    }
}

fn named_kid(token: &DecodedToken) -> Option<&str> {
    token.kid().filter(|kid| !kid.is_empty())
}

/// The key that the token names; of several with the same name the last, as STS takes it.
fn named_key<'k>(token: &DecodedToken, keys: &'k Jwks) -> Option<&'k Jwk> {
    let kid = named_kid(token)?;
    keys.keys.iter().rev().find(|key| key.kid.as_deref() == Some(kid))
}

/// Who names no key: the header, or where there is no token, all the keys of the set.
fn no_kid(token: Option<&DecodedToken>, keys: Option<&Jwks>) -> Option<&'static str> {
    match token {
        Some(token) => named_kid(token).is_none().then_some("the header"),
        None => {
            let set = keys.filter(|set| !set.keys.is_empty())?;
            let is_nameless = |key: &Jwk| key.kid.as_deref().unwrap_or_default().is_empty();
            set.keys.iter().all(is_nameless).then_some("the key set")
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Whether a claim is a text, or, of an audience, a list of texts.
fn is_text(name: &str, value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Null => true,
        Value::Array(list) => name == "aud" && list.iter().all(Value::is_string),
        _ => false,
    }
}

fn several_audiences(token: &DecodedToken) -> Option<String> {
    let list = token.claim("aud")?.as_array()?;
    (list.len() > 1).then(|| list.len().to_string())
}

/// Whole seconds, as a number or as text.
fn is_whole_time(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::String(text) => text.parse::<i64>().is_ok(),
        _ => false,
    }
}

fn short(value: &Value) -> Cow<'_, str> {
    const MOST: usize = 60;
    match value {
        Value::String(text) if text.chars().count() <= MOST => format!("`{text}`").into(),
        other => other.to_string().chars().take(MOST).collect::<String>().into(),
    }
}
