//! The platform's side: discovery document, key set, and a mint that signs whatever it is given.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::LOCATION;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::LabError;
use super::keys::{self, Keys};
use super::server::{Request, Response, Service};
use super::world::{Description, IssuerWorld, PublishedKey, Redirect, Slow, TokenWorld};

const JSON: &str = "application/json";
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
const JWKS_PATH: &str = "/oauth2/jwks";
const MINT_PATH: &str = "/lab/mint";
/// Where the documents are in a world whose issuer redirects.
const MOVED: &str = "/moved";

/// The issuer of one lab.
pub(super) struct Issuer {
    world: IssuerWorld,
    keys: Arc<Keys>,
    discovery: String,
    /// The document of the issuer below the host's further path.
    below: String,
    jwks: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MintRequest {
    header: Option<Map<String, Value>>,
    payload: String,
}

impl Issuer {
    pub(super) fn new(description: &Description, keys: Arc<Keys>) -> Self {
        let world = description.issuer.clone();
        let discovery = discovery_document(&world, &world.url);
        let below = discovery_document(&world, &format!("{}{}", world.url, world.path));
        let jwks = key_set(world.jwks.as_deref(), &keys);
        Issuer { world, keys, discovery, below, jwks }
    }

    fn discovery(&self, document: &str) -> Response {
        let body = self.world.discovery_body.clone().unwrap_or_else(|| match self.world.discovery_status {
            200 => document.to_owned(),
            status => json!({ "error": "not available", "status": status }).to_string(),
        });
        self.late(Slow::Discovery, Response::new(self.world.discovery_status, JSON, body))
    }

    fn jwks(&self) -> Response {
        let body = self.world.jwks_body.clone().unwrap_or_else(|| match self.world.jwks_status {
            200 => self.jwks.clone(),
            status => json!({ "error": "not available", "status": status }).to_string(),
        });
        self.late(Slow::Jwks, Response::new(self.world.jwks_status, JSON, body))
    }

    fn late(&self, document: Slow, mut answer: Response) -> Response {
        if self.world.slow == Slow::Both || self.world.slow == document {
            answer.delay = Duration::from_millis(self.world.delay_ms);
        }
        answer
    }

    fn mint(&self, body: &[u8]) -> Response {
        let request: MintRequest = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => {
                let message = format!("{error}; send {{\"header\": {{…}}, \"payload\": \"<JSON text>\"}}");
                return Response::new(400, JSON, json!({ "error": message }).to_string());
            }
        };
        let header = request.header.unwrap_or_else(|| Keys::header(keys::DEFAULT));
        match self.keys.mint(&header, &request.payload) {
            Ok(token) => Response::new(200, JSON, json!({ "token": token }).to_string()),
            Err(error) => Response::new(500, JSON, json!({ "error": error.to_string() }).to_string()),
        }
    }
}

impl Service for Issuer {
    async fn answer(&self, request: Request) -> Response {
        let moved =
            |path: &str| Response::new(302, JSON, String::new()).with_header(LOCATION, format!("{MOVED}{path}"));
        match (&request.method, request.path.as_str()) {
            (&Method::GET | &Method::HEAD, DISCOVERY_PATH) if self.world.redirect == Redirect::Discovery => {
                moved(DISCOVERY_PATH)
            }
            (&Method::GET | &Method::HEAD, JWKS_PATH) if self.world.redirect == Redirect::Jwks => moved(JWKS_PATH),
            (&Method::GET | &Method::HEAD, path) => match path.strip_prefix(MOVED).unwrap_or(path) {
                DISCOVERY_PATH => self.discovery(&self.discovery),
                path if path.strip_prefix(self.world.path.as_str()) == Some(DISCOVERY_PATH) => {
                    self.discovery(&self.below)
                }
                JWKS_PATH => self.jwks(),
                _ => not_found(),
            },
            (&Method::POST, MINT_PATH) => self.mint(&request.body),
            _ => not_found(),
        }
    }
}

fn not_found() -> Response {
    Response::new(404, JSON, json!({ "error": "not found" }).to_string())
}

/// The document of OpenID Connect Discovery 1.0 section 3, with what AWS asks of it.
fn discovery_document(world: &IssuerWorld, issuer: &str) -> String {
    let mut document = json!({
        "issuer": issuer,
        "jwks_uri": world.jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "organization_id"],
    });
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|name, _| !world.discovery_without.contains(name));
    }
    document.to_string()
}

/// A key set with the public halves of these keys, or of those that are published by default.
pub(super) fn key_set(published: Option<&[PublishedKey]>, keys: &Keys) -> String {
    let default: Vec<PublishedKey> = keys::NAMES
        .iter()
        .filter(|name| **name != "spare")
        .map(|name| PublishedKey { key: (*name).to_owned(), ..PublishedKey::default() })
        .collect();
    let published = published.unwrap_or(&default);
    let jwks: Vec<Value> = published.iter().flat_map(|key| published_jwks(key, keys)).map(Value::Object).collect();
    json!({ "keys": jwks }).to_string()
}

fn published_jwks(published: &PublishedKey, keys: &Keys) -> Vec<Map<String, Value>> {
    let Some(mut jwk) = keys.public_jwk(&published.key) else { return Vec::new() };
    if published.corrupt {
        for member in ["n", "x"] {
            if let Some(Value::String(text)) = jwk.get_mut(member) {
                text.replace_range(text.len() - 4.., "AAAA");
            }
        }
    }
    let mut named = Keys::header(&published.key);
    named.remove("typ");
    named.insert("use".into(), "sig".into());
    named.extend(jwk);
    named.extend(published.set.clone());
    named.retain(|name, _| !published.without.contains(name));
    let copies = (1..=published.copies).map(|n| {
        let mut copy = named.clone();
        copy.insert("kid".into(), format!("{}-{n}", Keys::kid(&published.key)).into());
        copy
    });
    std::iter::once(named.clone()).chain(copies).collect()
}

/// The token that the platform hands to the workload at `now`, seconds since the epoch by the clouds' clock.
pub(super) fn workload_token(description: &Description, keys: &Keys, now: i64) -> Result<SecretString, LabError> {
    let world: &TokenWorld = &description.token;
    if let Some(text) = &world.text {
        return Ok(SecretString::from(text.clone()));
    }
    let issued = now + description.issuer.clock_offset_s - world.age_s;
    let mut claims = world.claims.clone();
    for (name, value) in [
        ("iat", Some(issued)),
        ("exp", Some(issued + world.lifetime_s)),
        ("nbf", world.not_before_s.map(|seconds| issued + seconds)),
    ] {
        if let Some(value) = value {
            claims.entry(name).or_insert(value.into());
        }
    }
    claims.retain(|name, _| !world.without.contains(name));
    let mut header = Keys::header(&world.key);
    header.extend(world.header.clone());
    let payload = Value::Object(claims).to_string();
    // Signed by the key that the world names, even where the header was made to name another.
    keys.mint_with(&world.key, &header, &payload).map(SecretString::from)
}
