//! Providers of workload identity pools, as `gcloud iam workload-identity-pools providers describe` prints them in JSON.

use serde::Serialize;
use serde_json::{Map, Value};

use super::expression::Expression;
use crate::domain::iam::open_text::is_open;
use crate::domain::pool_name::ProviderName;
use crate::domain::text::json_kind;

/// Google's limits on a provider (IAM API, `projects.locations.workloadIdentityPools.providers`).
const LONGEST_MAPPING: usize = 2048;
const LONGEST_CONDITION: usize = 4096;
const MOST_AUDIENCES: usize = 10;
const LONGEST_AUDIENCE: usize = 256;
const MOST_CUSTOM_ATTRIBUTES: usize = 50;
const LONGEST_KEY: usize = 100;

/// A provider for tokens of one issuer.
#[derive(Debug)]
pub struct PoolProvider {
    /// `None` where the answer has no name, or another one.
    pub name: Option<ProviderName>,
    /// The `iss` that a token must carry.
    pub issuer: String,
    /// In place of the provider's own name; empty where that is the audience.
    pub allowed_audiences: Vec<String>,
    /// Whether keys were uploaded, so that Google does not fetch the issuer's.
    pub has_uploaded_keys: bool,
    /// The mapped attributes in the order that Google lists them, `google.subject` first.
    pub mapping: Vec<Mapping>,
    /// Which tokens are accepted; all that map where there is none.
    pub condition: Option<Expression>,
    /// Whether no new token is exchanged: disabled, or deleted and not yet gone.
    pub is_off: bool,
    /// What Google would refuse, or what no token can pass.
    pub problems: Vec<ProviderProblem>,
}

/// A mapped attribute.
#[derive(Debug)]
pub struct Mapping {
    /// `google.subject`, `google.groups`, `attribute.NAME`.
    pub attribute: String,
    pub expression: Expression,
}

/// What is wrong with a provider, whatever the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderProblem {
    /// `attributeMapping.google.subject`, `attributeCondition`, `oidc.issuerUri` …
    pub at: String,
    pub what: String,
    pub instead: String,
}

/// Why a text holds no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("the provider's file is empty")]
    Empty,
    #[error("line {line}, column {column}: not JSON: {detail}")]
    NotJson { line: usize, column: usize, detail: String },
    #[error("it is {found} instead of a provider's JSON object")]
    NotAnObject { found: &'static str },
    #[error("it holds {count} providers")]
    Several { count: usize },
    #[error("`{field}` is missing")]
    Missing { field: &'static str },
    #[error("`{field}` is not what Google's API has there")]
    Malformed { field: &'static str },
    #[error("it is a provider for {kind} credentials, which have no claims")]
    NotOidc { kind: &'static str },
    #[error("{at}: {detail}")]
    Expression { at: String, detail: String },
}

impl ProviderError {
    /// What to give instead.
    pub const fn hint(&self) -> &'static str {
        match self {
            ProviderError::Several { .. } => {
                "give one: the answer of `gcloud iam workload-identity-pools providers describe`"
            }
            ProviderError::Expression { .. } => "correct the expression; Google refuses it too",
            ProviderError::NotOidc { .. } => "give a provider with `oidc.issuerUri`",
            _ => {
                "save the answer of `gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global --format=json`"
            }
        }
    }
}

impl PoolProvider {
    /// Reads a provider.
    ///
    /// # Errors
    ///
    /// Where the text holds none, or an expression that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ProviderError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(ProviderError::Empty);
        }
        let value: Value = serde_json::from_str(text).map_err(|error| ProviderError::NotJson {
            line: error.line(),
            column: error.column(),
            detail: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
        })?;
        match value {
            Value::Object(object) => read(&object),
            Value::Array(items) => match items.as_slice() {
                [Value::Object(only)] => read(only),
                many => Err(ProviderError::Several { count: many.len() }),
            },
            other => Err(ProviderError::NotAnObject { found: json_kind(&other) }),
        }
    }
}

fn read(object: &Map<String, Value>) -> Result<PoolProvider, ProviderError> {
    for (member, kind) in [("aws", "AWS"), ("saml", "SAML"), ("x509", "X.509")] {
        if object.contains_key(member) {
            return Err(ProviderError::NotOidc { kind });
        }
    }
    let oidc = match object.get("oidc") {
        Some(Value::Object(oidc)) => oidc,
        Some(_) => return Err(ProviderError::Malformed { field: "oidc" }),
        None => return Err(ProviderError::Missing { field: "oidc" }),
    };
    let issuer = match oidc.get("issuerUri") {
        Some(Value::String(issuer)) => issuer.clone(),
        Some(_) => return Err(ProviderError::Malformed { field: "oidc.issuerUri" }),
        None => return Err(ProviderError::Missing { field: "oidc.issuerUri" }),
    };
    let allowed_audiences = match oidc.get("allowedAudiences") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(audiences)) => audiences
            .iter()
            .map(|audience| audience.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(ProviderError::Malformed { field: "oidc.allowedAudiences" })?,
        Some(_) => return Err(ProviderError::Malformed { field: "oidc.allowedAudiences" }),
    };
    let condition = match object.get("attributeCondition") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(expression("attributeCondition", text)?),
        Some(_) => return Err(ProviderError::Malformed { field: "attributeCondition" }),
    };
    let mut mapping = match object.get("attributeMapping") {
        Some(Value::String(text)) if is_open(text) => open_mapping(text, condition.as_ref())?,
        Some(Value::Object(mapping)) => mapping.iter().map(mapped).collect::<Result<Vec<_>, _>>()?,
        Some(_) => return Err(ProviderError::Malformed { field: "attributeMapping" }),
        None => return Err(ProviderError::Missing { field: "attributeMapping" }),
    };
    mapping.sort_by_key(|mapping| (!mapping.attribute.starts_with("google."), mapping.attribute != "google.subject"));
    let is_off = object.get("disabled").and_then(Value::as_bool).unwrap_or_default()
        || object.get("state").and_then(Value::as_str) == Some("DELETED");
    let name = object.get("name").and_then(Value::as_str).and_then(ProviderName::parse);
    let has_uploaded_keys = oidc.get("jwksJson").and_then(Value::as_str).is_some_and(|keys| !keys.is_empty());
    let mut provider = PoolProvider {
        name,
        issuer,
        allowed_audiences,
        has_uploaded_keys,
        mapping,
        condition,
        is_off,
        problems: Vec::new(),
    };
    provider.problems = problems(&provider);
    Ok(provider)
}

/// A mapping that the code leaves open: whatever is read of it is not known.
fn open_mapping(text: &str, condition: Option<&Expression>) -> Result<Vec<Mapping>, ProviderError> {
    let read = condition.into_iter().flat_map(Expression::attributes).filter(|name| *name != "google.subject");
    let names = std::iter::once("google.subject").chain(read);
    names.map(|attribute| mapped((&attribute.to_owned(), &text.into()))).collect()
}

fn mapped((attribute, value): (&String, &Value)) -> Result<Mapping, ProviderError> {
    let Value::String(text) = value else { return Err(ProviderError::Malformed { field: "attributeMapping" }) };
    let expression = expression(&format!("attributeMapping.{attribute}"), text)?;
    Ok(Mapping { attribute: attribute.clone(), expression })
}

fn expression(at: &str, text: &str) -> Result<Expression, ProviderError> {
    Expression::compile(text).map_err(|detail| ProviderError::Expression { at: at.to_owned(), detail })
}

/// What Google refuses at set-up, and what no token can pass.
fn problems(provider: &PoolProvider) -> Vec<ProviderProblem> {
    let mut found = Vec::new();
    let mut add = |at: &str, what: String, instead: &str| {
        found.push(ProviderProblem { at: at.to_owned(), what, instead: instead.to_owned() });
    };
    if !provider.issuer.starts_with("https://") && !is_open(&provider.issuer) {
        add("oidc.issuerUri", "the scheme is not https".to_owned(), "write the `iss` of the tokens, with https://");
    }
    if provider.allowed_audiences.len() > MOST_AUDIENCES {
        let what = format!("{} audiences; Google takes {MOST_AUDIENCES}", provider.allowed_audiences.len());
        add("oidc.allowedAudiences", what, "keep those that tokens have");
    }
    if provider.allowed_audiences.iter().any(|audience| audience.len() > LONGEST_AUDIENCE) {
        let what = format!("an audience is longer than {LONGEST_AUDIENCE} characters");
        add("oidc.allowedAudiences", what, "have the issuer write a shorter one");
    }
    if !provider.mapping.iter().any(|mapping| mapping.attribute == "google.subject") {
        add("attributeMapping", "`google.subject` is not mapped".to_owned(), "map it, usually to `assertion.sub`");
    }
    let custom = provider.mapping.iter().filter(|mapping| mapping.attribute.starts_with("attribute.")).count();
    if custom > MOST_CUSTOM_ATTRIBUTES {
        let what = format!("{custom} custom attributes; Google takes {MOST_CUSTOM_ATTRIBUTES}");
        add("attributeMapping", what, "map those that bindings or the condition use");
    }
    for Mapping { attribute, expression } in &provider.mapping {
        let at = format!("attributeMapping.{attribute}");
        if expression.text().len() > LONGEST_MAPPING {
            let what = format!("longer than {LONGEST_MAPPING} characters");
            add(&at, what, "shorten the expression");
        }
        if expression.attributes().next().is_some() {
            let what = "a mapping sees `assertion` alone".to_owned();
            add(&at, what, "map from `assertion`; `google` and `attribute` are for the condition");
        }
        let key = attribute.strip_prefix("attribute.");
        let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY || !key.chars().all(is_usual)) {
            let what = format!("a key has at most {LONGEST_KEY} characters of a-z, 0-9 and _");
            add(&at, what, "rename the attribute, here and in the members that name it");
        }
        if key.is_none() && !matches!(attribute.as_str(), "google.subject" | "google.groups") {
            add(
                &at,
                "there is no such attribute".to_owned(),
                "map `google.subject`, `google.groups` or `attribute.NAME`",
            );
        }
    }
    if let Some(condition) = &provider.condition {
        if condition.text().len() > LONGEST_CONDITION {
            let what = format!("longer than {LONGEST_CONDITION} characters");
            add("attributeCondition", what, "move what bindings can decide into the bindings");
        }
        for name in condition.attributes() {
            if !provider.mapping.iter().any(|mapping| mapping.attribute == name) {
                let what = format!("it reads `{name}`, which the mapping does not set");
                add("attributeCondition", what, "map the attribute, or read the claim from `assertion`");
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAME: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/issuer";

    fn provider(changes: &Value) -> Value {
        let mut provider = json!({
            "name": NAME,
            "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"attribute.team": "assertion.team", "google.subject": "assertion.sub"},
            "attributeCondition": "assertion.team == 'a'",
            "state": "ACTIVE",
        });
        for (key, value) in changes.as_object().unwrap() {
            provider[key] = value.clone();
        }
        provider
    }

    #[test]
    fn a_provider_is_read_as_gcloud_prints_it() {
        let read = PoolProvider::parse(&provider(&json!({})).to_string()).unwrap();
        assert_eq!(read.name.as_ref().unwrap().to_string(), NAME);
        assert!(read.name.unwrap().has_number());
        assert_eq!(read.mapping[0].attribute, "google.subject");
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        assert!(!read.is_off);
        for off in [json!({"disabled": true}), json!({"state": "DELETED"})] {
            assert!(PoolProvider::parse(&provider(&off).to_string()).unwrap().is_off);
        }
        // A list of one is that one.
        assert!(PoolProvider::parse(&json!([provider(&json!({}))]).to_string()).is_ok());
    }

    #[test]
    fn names_are_read_in_every_form_and_no_other() {
        for text in
            [NAME.to_owned(), format!("//iam.googleapis.com/{NAME}"), format!("https://iam.googleapis.com/{NAME}")]
        {
            assert_eq!(ProviderName::parse(&text).unwrap().to_string(), NAME);
        }
        let pool = NAME.split("/providers").next().unwrap();
        for text in ["", pool, &format!("{NAME}/x"), &NAME.replace("global", "eu")] {
            assert_eq!(ProviderName::parse(text), None, "{text}");
        }
        assert!(!ProviderName::parse(&NAME.replace("123456789012", "my-project")).unwrap().has_number());
    }

    #[test]
    fn what_google_would_refuse_is_told() {
        let long = format!("assertion.team == '{}'", "x".repeat(4096));
        for (changes, part) in [
            (json!({"oidc": {"issuerUri": "http://issuer.example"}}), "https"),
            (json!({"oidc": {"issuerUri": "https://i", "allowedAudiences": vec!["a"; 11]}}), "11 audiences"),
            (json!({"attributeMapping": {"attribute.team": "assertion.team"}}), "`google.subject` is not mapped"),
            (json!({"attributeMapping": {"google.subject": "attribute.x", "attribute.team": "assertion.t"}}), "alone"),
            (json!({"attributeMapping": {"google.subject": "assertion.sub", "attribute.Team": "assertion.t"}}), "a-z"),
            (json!({"attributeMapping": {"google.subject": "assertion.sub", "team": "assertion.t"}}), "no such"),
            (json!({"attributeCondition": "attribute.other == 'x'"}), "`attribute.other`, which the mapping"),
            (json!({"attributeCondition": long}), "longer than 4096"),
        ] {
            let problems = PoolProvider::parse(&provider(&changes).to_string()).unwrap().problems;
            assert!(problems.iter().any(|problem| problem.what.contains(part)), "{part}: {problems:?}");
        }
    }

    #[test]
    fn what_is_no_provider_says_what_is_wrong() {
        for (text, part) in [
            (String::new(), "empty"),
            ("name: x".to_owned(), "line 1"),
            ("3".to_owned(), "number"),
            ("[]".to_owned(), "0 providers"),
            ("{}".to_owned(), "`oidc` is missing"),
            (json!({"oidc": {}}).to_string(), "`oidc.issuerUri` is missing"),
            (provider(&json!({"attributeMapping": 3})).to_string(), "`attributeMapping`"),
            (provider(&json!({"attributeCondition": "a =="})).to_string(), "attributeCondition"),
            (json!({"aws": {"accountId": "1"}}).to_string(), "AWS"),
        ] {
            let error = PoolProvider::parse(&text).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(!error.hint().is_empty());
        }
    }
}
