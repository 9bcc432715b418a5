//! Google's Security Token Service: a token of the issuer in, an access token out.
//!
//! Texts, limits and leeway are those of answers recorded in September 2026 and of Google's page on troubleshooting workload
//! identity federation. In which order Google looks is not documented; here it is request, provider, form, issuer and
//! audience, times, keys, mapping, condition.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::Cloud;
use super::error::JSON;
use super::project::{Caller, Project, pool_name};
use crate::domain::gcp::{PoolProvider, ProviderEvaluation, Refusal, Subject, evaluate};
use crate::domain::iam::Truth;
use crate::domain::jwks::{Curve, Jwks, Material};
use crate::domain::pool_name::ProviderName;
use crate::domain::signature;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::token::{DecodedToken, RawToken, decode};
use crate::lab::fetcher::Fetcher;
use crate::lab::server::{Request, Response, Service, now};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TYPES: [&str; 2] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
/// Seconds by which a token's times may be off.
const LEEWAY: i64 = 60;
/// The longest that an access token lives, in seconds.
const LONGEST: i64 = 3600;
/// What an access token lives shorter than its token, in seconds.
const MARGIN: i64 = 2;
/// The algorithms that Google takes.
const ALGORITHMS: [&str; 2] = ["RS256", "ES256"];
/// What Google needs of the discovery document.
const REQUIRED: [&str; 2] = ["issuer", "jwks_uri"];

/// What the service answers instead of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    error: &'static str,
    pub description: String,
}

impl Refused {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Refused { status: 400, error, description: description.into() }
    }

    fn grant(description: impl Into<String>) -> Self {
        Refused::new("invalid_grant", description)
    }

    /// A failure of the service's own.
    fn internal() -> Self {
        Refused { status: 500, error: "INTERNAL", description: "Internal error encountered.".to_owned() }
    }

    fn answer(&self) -> Response {
        let body = match self.status {
            500 => json!({ "error": { "code": 500, "message": self.description, "status": self.error } }),
            _ => json!({ "error": self.error, "error_description": self.description }),
        };
        Response::new(self.status, JSON, body.to_string())
    }
}

/// The token service of one lab.
pub(super) struct Exchange {
    cloud: Arc<Cloud>,
    fetcher: Fetcher,
}

/// What becomes known on the way, for the record.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// `projects/NUMBER/…/providers/PROVIDER`, as it was asked for.
    pub provider: String,
    /// What the mapping made of the token.
    pub subject: Option<String>,
    pub principal: Option<String>,
}

impl Exchange {
    pub(super) fn new(cloud: Arc<Cloud>, fetcher: Fetcher) -> Self {
        Exchange { cloud, fetcher }
    }

    async fn exchange(&self, request: &Request, now: i64, seen: &mut Seen) -> Result<Value, Refused> {
        let asked = Parameters::read(request)?;
        let project = self.cloud.project.now();
        if project.is_throttled {
            let description = "The request was throttled due to rate limit: sts.googleapis.com/requests. Please retry after a few seconds.";
            return Err(Refused { status: 429, error: "quota_exceeded", description: description.to_owned() });
        }
        if asked.get("grant_type") != GRANT {
            return Err(invalid_value("grant_type"));
        }
        if asked.get("requested_token_type") != ACCESS_TOKEN {
            return Err(invalid_value("requested_token_type"));
        }
        let name = named_provider(asked.get("audience"))?;
        seen.provider = name.to_string();
        if !SUBJECT_TYPES.contains(&asked.get("subject_token_type")) {
            return Err(invalid_value("subject_token_type"));
        }
        let (provider, uploaded) = offered(&project, &name)?;
        let (raw, token) = read(asked.get("subject_token"))?;
        let claims = token.claims.clone().unwrap_or_default();
        let evaluation = evaluate(&provider, None, Subject { claims: &claims, unknown: &[] });
        check_addressee(&provider, &token, &evaluation)?;
        let left = check_times(&token, now)?;
        let keys = match uploaded {
            Some(keys) => Some(keys.into_bytes()),
            None => self.fetcher.key_set_of(&provider.issuer, &REQUIRED).await,
        };
        check_signature(&raw, &token, keys.as_deref())?;
        seen.subject = evaluation.attributes.get("google.subject").and_then(Value::as_str).map(str::to_owned);
        seen.principal.clone_from(&evaluation.principal);
        check_mapped(&evaluation)?;
        let granted_s = granted(left)?;
        let caller = Caller::Federated { pool: name.pool, attributes: evaluation.attributes };
        let expires = now + left.clamp(1, LONGEST);
        let access = self.cloud.tokens.issue(caller, asked.get("scope"), expires);
        let mut answer = json!({
            "access_token": access.expose_secret(),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
        });
        if let Some(seconds) = granted_s {
            answer["expires_in"] = seconds.into();
        }
        Ok(answer)
    }
}

impl Service for Exchange {
    async fn answer(&self, request: Request) -> Response {
        if (request.method.as_str(), request.path.as_str()) != ("POST", "/v1/token") {
            return Response::new(404, JSON, json!({ "error": { "code": 404, "status": "NOT_FOUND" } }).to_string());
        }
        let (now, mut seen) = (now(), Seen::default());
        let outcome = self.exchange(&request, now, &mut seen).await;
        let number = self.cloud.project.now().number.clone();
        self.cloud.audit.exchanged(&number, &seen, outcome.as_ref().err(), now);
        match outcome {
            Ok(answer) => Response::new(200, JSON, answer.to_string()),
            Err(refused) => refused.answer(),
        }
    }
}

/// What is asked for, as a form or as JSON, in either spelling of the names.
struct Parameters(Map<String, Value>);

impl Parameters {
    fn read(request: &Request) -> Result<Self, Refused> {
        // A client may say the type of a form twice, so it is not compared whole.
        let is_json = request.header("content-type").starts_with("application/json");
        let given: Map<String, Value> = match is_json {
            true => serde_json::from_slice(&request.body)
                .map_err(|_| Refused::new("invalid_request", "Invalid JSON payload received."))?,
            false => form_urlencoded::parse(&request.body)
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        };
        Ok(Parameters(given.into_iter().map(|(name, value)| (snake_case(&name), value)).collect()))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, letter| {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
        text
    })
}

fn invalid_value(parameter: &str) -> Refused {
    Refused::new("invalid_request", format!("Invalid value for \"{parameter}\"."))
}

/// The provider that the audience names: with the project's number, and never a pool alone.
fn named_provider(audience: &str) -> Result<ProviderName, Refused> {
    let of_iam = audience.strip_prefix("//iam.googleapis.com/");
    of_iam.and_then(ProviderName::parse).filter(ProviderName::has_number).ok_or_else(|| {
        Refused::new(
            "invalid_request",
            "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.",
        )
    })
}

/// The provider where it takes tokens, and its uploaded keys.
fn offered(project: &Project, name: &ProviderName) -> Result<(PoolProvider, Option<String>), Refused> {
    let pool = project.pools.get(&name.pool).filter(|pool| !pool.is_disabled && !pool.is_deleted);
    let provider = pool.filter(|_| name.project == project.number).and_then(|pool| pool.providers.get(&name.provider));
    let offered = provider.filter(|provider| !provider.is_disabled && !provider.is_deleted).and_then(|provider| {
        let full = format!("{}/providers/{}", pool_name(&project.number, &name.pool), name.provider);
        // What does not parse was refused when it was written.
        let read = PoolProvider::parse(&provider.described(&full).to_string()).ok()?;
        Some((read, provider.jwks_json.clone()))
    });
    offered.ok_or_else(|| {
        Refused::new(
            "invalid_target",
            "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        )
    })
}

fn read(text: &str) -> Result<(RawToken, DecodedToken), Refused> {
    let (raw, cleaned) = RawToken::clean(text);
    let decoded = decode(&raw);
    // The service repairs nothing: what had to be cleaned was no token.
    match cleaned.is_empty() && decoded.parts == 3 && decoded.header.is_some() && decoded.claims.is_some() {
        true => Ok((raw, decoded)),
        false => Err(Refused::grant("Unable to parse the ID Token.")),
    }
}

fn check_addressee(
    provider: &PoolProvider,
    token: &DecodedToken,
    evaluation: &ProviderEvaluation,
) -> Result<(), Refused> {
    match evaluation.refused() {
        Some((_, Refusal::Issuer)) => Err(Refused::grant(format!(
            "The issuer in ID Token {} does not match the expected ones: {}",
            token.issuer().unwrap_or("null"),
            provider.issuer
        ))),
        Some((_, Refusal::Audience)) => Err(Refused::grant(format!(
            "The audience in ID Token [{}] does not match the expected audience.",
            token.audiences().join(", ")
        ))),
        _ => Ok(()),
    }
}

/// The seconds that the token still has; one text for every fault of its times.
fn check_times(token: &DecodedToken, now: i64) -> Result<i64, Refused> {
    let issued = token.issued_at();
    let stale = || {
        let issued = issued.map_or_else(|| "null".to_owned(), |issued| issued.to_string());
        Refused::grant(format!("ID Token issued at {issued} is stale to sign-in."))
    };
    let (issued, expires) = (issued.ok_or_else(stale)?, token.expires_at().ok_or_else(stale)?);
    if issued.saturating_sub(LEEWAY) > now || expires.saturating_add(LEEWAY) < now {
        return Err(stale());
    }
    Ok(expires.saturating_sub(now))
}

/// Google reads RSA keys and those of P-256; what another key signed has no key.
fn check_signature(raw: &RawToken, token: &DecodedToken, keys: Option<&[u8]>) -> Result<(), Refused> {
    let unconnected = || Refused::grant("Error connecting to the given credential's issuer.");
    let unverified = || Refused::grant("Unable to verify the ID Token signature.");
    let mut set = keys.and_then(|keys| Jwks::parse(keys).ok()).ok_or_else(unconnected)?;
    let is_read =
        |material: &Material| matches!(material, Material::Rsa { .. } | Material::Ec { curve: Curve::P256, .. });
    set.keys.retain(|key| key.material.as_ref().is_some_and(is_read));
    let checked = signature::verify(raw, token, Some(&set));
    match (checked.state, &checked.reason) {
        (_, SignatureReason::KidNotFound { .. } | SignatureReason::NoKeys) => Err(unconnected()),
        (SignatureState::Verified, _) if token.alg().is_some_and(|alg| ALGORITHMS.contains(&alg)) => Ok(()),
        _ => Err(unverified()),
    }
}

/// What the mapping and the condition say. An attribute of one's own that gets no value is left out.
fn check_mapped(evaluation: &ProviderEvaluation) -> Result<(), Refused> {
    let rejected =
        || Refused::new("unauthorized_client", "The given credential is rejected by the attribute condition.");
    match evaluation.refused() {
        Some((_, Refusal::MappingMissing { .. })) => Err(Refused::new(
            "unauthorized_client",
            "Could not obtain a value for google.subject from the given credential.",
        )),
        Some((test, Refusal::MappingType)) if test.key == "google.groups" => Err(Refused::new(
            "unauthorized_client",
            "The elements in mapped attribute 'google.groups' must be of type STRING.",
        )),
        Some((test, Refusal::MappingType)) => Err(Refused::new(
            "unauthorized_client",
            format!("The mapped attribute '{}' must be of type STRING.", test.key),
        )),
        Some((_, Refusal::SubjectTooLong { .. })) => Err(Refused::new(
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
        )),
        Some(_) => Err(rejected()),
        None => {
            let tests = evaluation.statements.first().map(|rule| rule.conditions.as_slice()).unwrap_or_default();
            let holds = |operator: &str| tests.iter().all(|t| t.operator != operator || t.result == Truth::True);
            if holds("holds") { Ok(()) } else { Err(rejected()) }
        }
    }
}

/// What the answer says of the access token's life, of a token that has this many seconds left.
fn granted(left: i64) -> Result<Option<i64>, Refused> {
    match left.min(LONGEST) - MARGIN {
        -1 => Err(Refused::internal()),
        seconds => Ok((seconds > 0).then_some(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_an_access_token_is_the_rest_of_the_tokens() {
        for (left, expected) in [
            (86_400, Ok(Some(3598))),
            (3600, Ok(Some(3598))),
            (300, Ok(Some(298))),
            (3, Ok(Some(1))),
            (2, Ok(None)),
            (1, Err(500)),
            (-59, Ok(None)),
        ] {
            assert_eq!(granted(left).map_err(|refused| refused.status), expected, "{left}");
        }
    }

    fn token(claims: &Value) -> DecodedToken {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        decode(&RawToken::clean(&format!("{}.{}.AAAA", part(&json!({ "alg": "RS256" })), part(claims))).0)
    }

    #[test]
    fn times_may_be_off_by_a_minute_and_every_fault_has_one_text() {
        let now = 1_000_000;
        for (iat, exp, left) in [
            (Some(now), Some(now + 300), Ok(300)),
            (Some(now + 60), Some(now + 300), Ok(300)),
            (Some(now + 119), Some(now + 300), Err("1000119")),
            (Some(now - 300), Some(now - 59), Ok(-59)),
            (Some(now - 300), Some(now - 61), Err("999700")),
            (None, Some(now + 300), Err("null")),
            (Some(now), None, Err("1000000")),
        ] {
            let expected = left.map_err(|iat| format!("ID Token issued at {iat} is stale to sign-in."));
            let mut claims = json!({});
            for (name, value) in [("iat", iat), ("exp", exp)] {
                if let Some(value) = value {
                    claims[name] = value.into();
                }
            }
            assert_eq!(check_times(&token(&claims), now).map_err(|refused| refused.description), expected);
        }
    }

    #[test]
    fn the_audience_of_an_exchange_is_a_provider_of_a_numbered_project() {
        let provider = "projects/1/locations/global/workloadIdentityPools/pool/providers/ci";
        assert_eq!(named_provider(&format!("//iam.googleapis.com/{provider}")).unwrap().to_string(), provider);
        for wrong in [
            provider.to_owned(),
            format!("https://iam.googleapis.com/{provider}"),
            format!("//iam.googleapis.com/{}", provider.replace("projects/1/", "projects/my-project/")),
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool".to_owned(),
            String::new(),
        ] {
            let refused = named_provider(&wrong).unwrap_err();
            assert!(refused.error == "invalid_request" && refused.description.contains("\"audience\""), "{wrong}");
        }
    }

    #[test]
    fn parameters_are_read_in_both_forms() {
        let read = |content_type: &'static str, body: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("content-type", http::HeaderValue::from_static(content_type));
            let (path, query) = ("/v1/token".to_owned(), String::new());
            let body = bytes::Bytes::from_static(body.as_bytes());
            Parameters::read(&Request { method: http::Method::POST, path, query, headers, body })
        };
        let form = "application/x-www-form-urlencoded,application/x-www-form-urlencoded";
        for parameters in [
            read(form, "grant_type=a%3Ab&scope="),
            read("application/json; charset=utf-8", r#"{"grantType": "a:b"}"#),
            read("application/json", r#"{"grant_type": "a:b"}"#),
        ] {
            let parameters = parameters.unwrap();
            assert_eq!((parameters.get("grant_type"), parameters.get("scope")), ("a:b", ""));
        }
        assert_eq!(read("application/json", "grant_type=a").err().unwrap().error, "invalid_request");
    }
}
