//! Microsoft Graph, as far as the guides' commands go: applications, their service principals and federated
//! credentials. What is changed here, the token endpoint knows at once.

mod application;
mod credential;
mod fault;
mod filter;
mod password;
mod principal;

use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use fault::Fault;

use super::changing::Changing;
use super::entra::AccessTokens;
use super::server::{Answer, Received, Service};
use super::tenant::{Rejection, bearer};
use super::world::{App, AzureWorld};

const JSON: &str = "application/json;odata.metadata=minimal;charset=utf-8";
const AUDIENCE: &str = "https://graph.microsoft.com";
/// The directory roles that may look after applications.
const ADMINISTRATORS: [&str; 3] =
    ["Application Administrator", "Cloud Application Administrator", "Global Administrator"];

/// The Graph of one lab.
pub(super) struct Graph {
    azure: Arc<Changing<AzureWorld>>,
    tokens: Arc<AccessTokens>,
    url: String,
}

/// What an operation yields: an HTTP status, and a body where there is one.
type Outcome = Result<(u16, Option<Value>), Fault>;

impl Graph {
    pub(super) fn new(azure: Arc<Changing<AzureWorld>>, tokens: Arc<AccessTokens>, url: String) -> Self {
        Graph { azure, tokens, url }
    }

    fn act(&self, request: &Received) -> Outcome {
        self.authorize(request)?;
        let decoded = percent_decode_str(&request.path).decode_utf8_lossy();
        let path: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let ["v1.0" | "beta", path @ ..] = path.as_slice() else {
            return Err(Fault::segment(path.first().copied().unwrap_or_default()));
        };
        // `applications(appId='…')` addresses one as `applications/…` does.
        let (collection, rest) = (path.first().copied().unwrap_or_default(), path.get(1..).unwrap_or_default());
        let by_app_id = collection.split_once("(appId='").and_then(|(name, id)| Some((name, id.strip_suffix("')")?)));
        let (collection, key) = match by_app_id {
            Some((name, id)) => (name, Some(Selector::AppId(id))),
            None => (collection, rest.first().map(|id| Selector::Id(id))),
        };
        let below = if by_app_id.is_some() { rest } else { rest.get(1..).unwrap_or_default() };
        match (collection, key, below) {
            ("applications", None, []) => self.applications(request),
            ("applications", Some(key), []) => self.application(request, &key),
            ("applications", Some(key), ["federatedIdentityCredentials"]) => self.credentials(request, &key),
            ("applications", Some(key), ["federatedIdentityCredentials", credential]) => {
                self.credential(request, &key, credential)
            }
            ("applications", Some(key), ["addPassword"]) => self.add_password(request, &key),
            ("applications", Some(key), ["removePassword"]) => self.remove_password(request, &key),
            ("servicePrincipals", None, []) => self.principals(request),
            ("servicePrincipals", Some(key), []) => self.principal(request, &key),
            (other, _, below) => Err(Fault::segment(below.last().copied().unwrap_or(other))),
        }
    }

    /// Applications call for themselves here, and need a directory role.
    fn authorize(&self, request: &Received) -> Result<(), Fault> {
        let claims = bearer(request, &self.tokens, &[AUDIENCE, &self.url]).map_err(|rejection| {
            let message = match rejection {
                Rejection::Missing => "Access token is empty.",
                Rejection::Invalid => "Signing key is invalid.",
                Rejection::OtherAudience => "Access token validation failure. Invalid audience.",
            };
            Fault::new(401, "InvalidAuthenticationToken", message)
        })?;
        let world = self.azure.now();
        let may = world
            .app(&claims.appid)
            .is_some_and(|app| app.directory_roles.iter().any(|role| ADMINISTRATORS.contains(&role.as_str())));
        if may {
            return Ok(());
        }
        Err(Fault::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
    }
}

/// How a request names one object of a collection.
enum Selector<'a> {
    /// By its object id.
    Id(&'a str),
    /// By its application's client id.
    AppId(&'a str),
}

impl Selector<'_> {
    /// Whether it names the application, whose object id is `id`.
    fn names(&self, app: &App, id: &str) -> bool {
        match self {
            Selector::Id(wanted) => !id.is_empty() && wanted.eq_ignore_ascii_case(id),
            Selector::AppId(wanted) => wanted.eq_ignore_ascii_case(&app.client_id),
        }
    }

    fn text(&self) -> &str {
        match self {
            Selector::Id(text) | Selector::AppId(text) => text,
        }
    }
}

impl Service for Graph {
    async fn answer(&self, request: Received) -> Answer {
        match self.act(&request) {
            Ok((status, body)) => Answer::new(status, JSON, body.map(|body| body.to_string()).unwrap_or_default()),
            Err(fault) => Answer::new(fault.status, JSON, fault.body()),
        }
    }
}

/// The request's body, which must be an object.
fn object(request: &Received) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )),
    }
}

/// A page with all there is.
fn page(entries: Vec<Value>) -> Outcome {
    Ok((200, Some(json!({ "value": entries }))))
}

fn not_allowed(method: &Method) -> Fault {
    Fault::new(
        405,
        "Request_BadRequest",
        format!("Specified HTTP method {method} is not allowed for the request target."),
    )
}
