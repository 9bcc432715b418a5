//! OpenID Connect discovery documents: whether they say what the clouds need
//! (OpenID Connect Discovery 1.0; IAM user guide, "Create an OpenID Connect identity provider in IAM").

mod address;

use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use super::text::json_kind;

use super::redaction::cut_from_text;
pub use address::{AddressError, IssuerAddress, WELL_KNOWN, is_loopback};

/// The signing algorithms that AWS STS takes.
pub const ALGORITHMS: &[&str] = &["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/// A discovery document, as far as the clouds look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Discovery {
    pub issuer: Option<String>,
    pub jwks_uri: Option<String>,
    pub response_types_supported: Option<Vec<String>>,
    pub subject_types_supported: Option<Vec<String>>,
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    pub claims_supported: Option<Vec<String>>,
    /// Entra insists on it, though nobody signs in here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// What the clouds would stumble over, the worst first.
    #[serde(skip)]
    pub problems: Vec<DiscoveryProblem>,
}

/// Why an answer is no discovery document at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer is an HTML page, not JSON")]
    Html,
    #[error("the answer is not JSON: {detail}")]
    NotJson { detail: String },
    #[error("the answer is JSON, but {found}, not an object")]
    NotObject { found: String },
}

/// What a cloud would stumble over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryProblem {
    /// The document names another issuer than the one it was fetched from.
    IssuerDiffers { expected: String, actual: String },
    /// A field that must be there is not.
    Missing { field: &'static str },
    /// A field is of another JSON type than it must be.
    IllTyped { field: &'static str, expected: &'static str, found: &'static str },
    /// `jwks_uri` is not a URL.
    JwksUriInvalid { text: String },
    /// `jwks_uri` is plain http.
    JwksUriNotHttps { text: String },
    /// `jwks_uri` has a user name or password in it, of which `text` shows none.
    JwksUriCredentials { text: String },
    /// `jwks_uri` is on another host: allowed, and a second host that must be reachable.
    JwksUriElsewhere { host: String },
    /// No algorithm that AWS takes is named.
    NoKnownAlgorithm { named: Vec<String> },
    /// No response type with an ID token is named.
    NoIdToken { named: Vec<String> },
    /// The `public` subject type is not named.
    NoPublicSubject { named: Vec<String> },
}

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Federation cannot work.
    Fatal,
    /// A cloud's documentation asks for it; not every cloud checks it at every exchange.
    Documented,
    /// Good to know.
    Note,
}

impl DiscoveryProblem {
    pub fn weight(&self) -> Weight {
        match self {
            DiscoveryProblem::Missing { field: "claims_supported" }
            | DiscoveryProblem::IllTyped { field: "claims_supported", .. }
            | DiscoveryProblem::NoIdToken { .. }
            | DiscoveryProblem::NoPublicSubject { .. } => Weight::Documented,
            DiscoveryProblem::JwksUriElsewhere { .. } => Weight::Note,
            _ => Weight::Fatal,
        }
    }

    /// The problem in a sentence without an end.
    pub fn words(&self) -> String {
        match self {
            DiscoveryProblem::IssuerDiffers { .. } => {
                "the document's `issuer` is not the URL it was fetched from, character by character".to_owned()
            }
            DiscoveryProblem::Missing { field } => format!("the required field `{field}` is missing"),
            DiscoveryProblem::IllTyped { field, expected, found } => {
                format!("the field `{field}` must be {expected} and is {found}")
            }
            DiscoveryProblem::JwksUriInvalid { text } => format!("`jwks_uri` is not a URL: `{text}`"),
            DiscoveryProblem::JwksUriNotHttps { text } => format!("`jwks_uri` must begin with https://: `{text}`"),
            DiscoveryProblem::JwksUriCredentials { text } => {
                format!("`jwks_uri` has a user name or password in it, and is not asked: `{text}`")
            }
            DiscoveryProblem::JwksUriElsewhere { host } => {
                format!("the keys are on another host, `{host}`, which the cloud must reach too")
            }
            DiscoveryProblem::NoKnownAlgorithm { named } => format!(
                "`id_token_signing_alg_values_supported` names none of {} but {}",
                ALGORITHMS.join(", "),
                listed(named)
            ),
            DiscoveryProblem::NoIdToken { named } => {
                format!("`response_types_supported` must name `id_token` and names {}", listed(named))
            }
            DiscoveryProblem::NoPublicSubject { named } => {
                format!("`subject_types_supported` must name `public` and names {}", listed(named))
            }
        }
    }
}

fn listed(values: &[String]) -> String {
    const SHOWN: usize = 8;
    match values {
        [] => "nothing".to_owned(),
        _ if values.len() > SHOWN => format!("{} and {} more", values[..SHOWN].join(", "), values.len() - SHOWN),
        _ => values.join(", "),
    }
}

impl Discovery {
    /// Reads the document that was fetched for `issuer`.
    ///
    /// # Errors
    /// Where the answer is no JSON object. Whatever else is wrong is among the problems.
    pub fn parse(answer: &[u8], issuer: &str) -> Result<Discovery, DiscoveryError> {
        let text = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer).trim_ascii();
        if text.is_empty() {
            return Err(DiscoveryError::Empty);
        }
        let value: Value = serde_json::from_slice(text).map_err(|e| match text.first() {
            Some(b'<') => DiscoveryError::Html,
            _ => DiscoveryError::NotJson { detail: e.to_string() },
        })?;
        let Value::Object(fields) = value else {
            return Err(DiscoveryError::NotObject { found: json_kind(&value).to_owned() });
        };
        Ok(Self::read(&fields, issuer))
    }

    fn read(fields: &Map<String, Value>, expected_issuer: &str) -> Discovery {
        let mut problems = Vec::new();
        let mut discovery = Discovery {
            issuer: text(fields, "issuer", &mut problems),
            jwks_uri: text(fields, "jwks_uri", &mut problems),
            response_types_supported: texts(fields, "response_types_supported", &mut problems),
            subject_types_supported: texts(fields, "subject_types_supported", &mut problems),
            id_token_signing_alg_values_supported: texts(
                fields,
                "id_token_signing_alg_values_supported",
                &mut problems,
            ),
            claims_supported: texts(fields, "claims_supported", &mut problems),
            authorization_endpoint: endpoint(fields, "authorization_endpoint"),
            token_endpoint: endpoint(fields, "token_endpoint"),
            problems: Vec::new(),
        };
        if let Some(actual) = discovery.issuer.as_ref().filter(|i| *i != expected_issuer) {
            let (expected, actual) = (expected_issuer.to_owned(), actual.clone());
            problems.insert(0, DiscoveryProblem::IssuerDiffers { expected, actual });
        }
        if let Some(uri) = &discovery.jwks_uri {
            problems.extend(jwks_uri_problem(uri, expected_issuer));
        }
        let named = &discovery.id_token_signing_alg_values_supported;
        if let Some(named) = named.clone().filter(|n| !n.iter().any(|a| ALGORITHMS.contains(&a.as_str()))) {
            problems.push(DiscoveryProblem::NoKnownAlgorithm { named });
        }
        let named = &discovery.response_types_supported;
        let has_id_token = |n: &Vec<String>| n.iter().any(|r| r.split(' ').any(|part| part == "id_token"));
        if let Some(named) = named.clone().filter(|n| !has_id_token(n)) {
            problems.push(DiscoveryProblem::NoIdToken { named });
        }
        let named = &discovery.subject_types_supported;
        if let Some(named) = named.clone().filter(|n| !n.iter().any(|s| s == "public")) {
            problems.push(DiscoveryProblem::NoPublicSubject { named });
        }
        problems.sort_by_key(DiscoveryProblem::weight);
        discovery.problems = problems;
        discovery
    }
}

/// Where the keys are to be asked for.
///
/// # Errors
/// Where they are not to be. Whoever sits in between could answer a plain request with keys of his own: only an issuer on this
/// machine, which is somebody's own, may name another place on it.
pub fn keys_address(uri: &str, issuer: &str) -> Result<Url, DiscoveryProblem> {
    let text = || cut_from_text(uri).into_owned();
    let Ok(url) = Url::parse(uri) else { return Err(DiscoveryProblem::JwksUriInvalid { text: text() }) };
    let is_ones_own = is_loopback(&url) && Url::parse(issuer).is_ok_and(|issuer| is_loopback(&issuer));
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err(DiscoveryProblem::JwksUriCredentials { text: text() })
        }
        "https" => Ok(url),
        "http" if is_ones_own => Ok(url),
        "http" => Err(DiscoveryProblem::JwksUriNotHttps { text: text() }),
        _ => Err(DiscoveryProblem::JwksUriInvalid { text: text() }),
    }
}

fn jwks_uri_problem(uri: &str, issuer: &str) -> Option<DiscoveryProblem> {
    let url = match keys_address(uri, issuer) {
        Ok(url) => url,
        Err(problem) => return Some(problem),
    };
    let issuer_host = Url::parse(issuer).ok().and_then(|u| u.host_str().map(str::to_owned));
    let host = url.host_str()?;
    (issuer_host.as_deref() != Some(host)).then(|| DiscoveryProblem::JwksUriElsewhere { host: host.to_owned() })
}

/// An address that not every issuer has.
fn endpoint(fields: &Map<String, Value>, field: &str) -> Option<String> {
    fields.get(field)?.as_str().map(|text| cut_from_text(text).into_owned())
}

fn text(fields: &Map<String, Value>, field: &'static str, problems: &mut Vec<DiscoveryProblem>) -> Option<String> {
    match fields.get(field) {
        Some(Value::String(text)) => return Some(cut_from_text(text).into_owned()),
        None | Some(Value::Null) => problems.push(DiscoveryProblem::Missing { field }),
        Some(other) => {
            problems.push(DiscoveryProblem::IllTyped { field, expected: "a text", found: json_kind(other) });
        }
    }
    None
}

fn texts(
    fields: &Map<String, Value>,
    field: &'static str,
    problems: &mut Vec<DiscoveryProblem>,
) -> Option<Vec<String>> {
    let found = match fields.get(field) {
        Some(Value::Array(values)) => {
            let texts: Option<Vec<String>> = values.iter().map(|v| v.as_str().map(str::to_owned)).collect();
            if texts.is_some() {
                return texts;
            }
            "a list with other values"
        }
        None | Some(Value::Null) => {
            problems.push(DiscoveryProblem::Missing { field });
            return None;
        }
        Some(other) => json_kind(other),
    };
    problems.push(DiscoveryProblem::IllTyped { field, expected: "a list of texts", found });
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://app.example.com";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": "https://app.example.com/oauth2/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "aud"],
        })
    }

    fn problems(document: &Value) -> Vec<DiscoveryProblem> {
        Discovery::parse(document.to_string().as_bytes(), ISSUER).unwrap().problems
    }

    #[test]
    fn a_good_document_has_no_problem() {
        assert_eq!(problems(&document()), []);
    }

    #[test]
    fn each_required_field_is_missed() {
        for field in [
            "issuer",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
            "claims_supported",
        ] {
            let mut without = document();
            without.as_object_mut().unwrap().remove(field);
            assert!(
                matches!(problems(&without)[..], [DiscoveryProblem::Missing { field: f }] if f == field),
                "{field}"
            );
            let mut ill_typed = document();
            ill_typed[field] = json!(7);
            let found = problems(&ill_typed);
            assert!(matches!(found[..], [DiscoveryProblem::IllTyped { field: f, .. }] if f == field), "{field}");
        }
    }

    #[test]
    fn the_issuer_is_compared_byte_by_byte() {
        for other in ["https://app.example.com/", "https://App.example.com", "http://app.example.com", ""] {
            let mut document = document();
            document["issuer"] = json!(other);
            let expected = DiscoveryProblem::IssuerDiffers { expected: ISSUER.into(), actual: other.into() };
            assert_eq!(problems(&document)[0], expected);
        }
    }

    #[test]
    fn values_that_the_clouds_do_not_take() {
        for (field, value, weight) in [
            ("id_token_signing_alg_values_supported", json!(["HS256", "PS256"]), Weight::Fatal),
            ("id_token_signing_alg_values_supported", json!([]), Weight::Fatal),
            ("response_types_supported", json!(["code"]), Weight::Documented),
            ("subject_types_supported", json!(["pairwise"]), Weight::Documented),
            ("jwks_uri", json!("http://app.example.com/jwks"), Weight::Fatal),
            ("jwks_uri", json!("/jwks"), Weight::Fatal),
            ("jwks_uri", json!("ftp://app.example.com/jwks"), Weight::Fatal),
            ("jwks_uri", json!("https://keys.example.net/jwks"), Weight::Note),
        ] {
            let mut document = document();
            document[field] = value.clone();
            let found = problems(&document);
            assert_eq!(found.len(), 1, "{field} {value}");
            assert_eq!(found[0].weight(), weight, "{field} {value}");
        }
    }

    #[test]
    fn what_is_no_document_says_what_it_is() {
        for (answer, expected) in [
            ("", DiscoveryError::Empty),
            (" \n", DiscoveryError::Empty),
            ("<!doctype html><title>Sign in</title>", DiscoveryError::Html),
            ("[]", DiscoveryError::NotObject { found: "a list".into() }),
            ("\"x\"", DiscoveryError::NotObject { found: "a text".into() }),
        ] {
            assert_eq!(Discovery::parse(answer.as_bytes(), ISSUER), Err(expected), "{answer:?}");
        }
        let cut = Discovery::parse(b"{\"issuer\":", ISSUER);
        assert!(matches!(cut, Err(DiscoveryError::NotJson { .. })), "{cut:?}");
        let deep = "[".repeat(500_000);
        assert!(Discovery::parse(deep.as_bytes(), ISSUER).is_err());
    }

    proptest! {
        #[test]
        fn no_input_panics(answer in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,60}") {
            let _ = Discovery::parse(&answer, &text);
        }
    }
}
