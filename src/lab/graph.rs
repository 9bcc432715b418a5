//! Microsoft Graph, as far as the guides' commands go: applications, their service principals and federated
//! credentials. What is changed here, the token endpoint knows at once.

mod application;
mod credential;

use std::sync::Arc;

use http::Method;
use http::header::RETRY_AFTER;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::accounts::{Pages, Rejection, bearer};
use super::entra::AccessTokens;
use super::journal::Journal;
use super::keys::random_uuid;
use super::server::now;
use super::server::{Request, Response, Service};
use super::sign_ins::{SignInQuery, SignIns};
use super::world::SharedState;
use super::world::{App, AzureWorld};

const JSON: &str = "application/json;odata.metadata=minimal;charset=utf-8";
const AUDIENCE: &str = "https://graph.microsoft.com";
/// The directory roles and permissions that may look after applications.
const ADMINISTRATORS: [&str; 4] = [
    "Application Administrator",
    "Cloud Application Administrator",
    "Global Administrator",
    "Application.ReadWrite.All",
];
/// Those that may look at them.
const READERS: [&str; 3] = ["Directory Readers", "Application.Read.All", "Directory.Read.All"];

/// The Graph of one lab.
pub(super) struct Graph {
    azure: Arc<SharedState<AzureWorld>>,
    tokens: Arc<AccessTokens>,
    url: String,
    sign_ins: Arc<SignIns>,
    pages: Pages,
    journal: Journal,
}

/// What an operation yields: an HTTP status, and a body where there is one.
type Outcome = Result<(u16, Option<Value>), GraphError>;

impl Graph {
    pub(super) fn new(
        azure: Arc<SharedState<AzureWorld>>,
        tokens: Arc<AccessTokens>,
        url: String,
        sign_ins: Arc<SignIns>,
    ) -> Self {
        let pages = Pages::new(azure.clone(), url.clone());
        Graph { azure, tokens, url, sign_ins, pages, journal: Journal::default() }
    }

    fn act(&self, request: &Request) -> Outcome {
        if request.path == Journal::PATH && request.method == Method::GET {
            return Ok((200, Some(self.journal.shown())));
        }
        self.authorize(request)?;
        if self.pages.is_too_often(request) {
            return Err(GraphError::new(429, "TooManyRequests", "Too many requests"));
        }
        let decoded = percent_decode_str(&request.path).decode_utf8_lossy();
        let path: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let [version @ ("v1.0" | "beta"), path @ ..] = path.as_slice() else {
            return Err(GraphError::segment(path.first().copied().unwrap_or_default()));
        };
        let is_beta = *version == "beta";
        // `applications(appId='…')` addresses one as `applications/…` does.
        let (collection, rest) = (path.first().copied().unwrap_or_default(), path.get(1..).unwrap_or_default());
        let by_app_id = collection.split_once("(appId='").and_then(|(name, id)| Some((name, id.strip_suffix("')")?)));
        let (collection, key) = match by_app_id {
            Some((name, id)) => (name, Some(Selector::AppId(id))),
            None => (collection, rest.first().map(|id| Selector::Id(id))),
        };
        let below = if by_app_id.is_some() { rest } else { rest.get(1..).unwrap_or_default() };
        match (collection, key, below) {
            ("applications", None, []) => self.applications(request, is_beta),
            ("applications", Some(key), []) => self.application(request, &key),
            ("applications", Some(key), ["federatedIdentityCredentials"]) => self.credentials(request, &key, is_beta),
            ("applications", Some(key), ["federatedIdentityCredentials", credential]) => {
                self.credential(request, &key, credential, is_beta)
            }
            ("applications", Some(key), ["addPassword"]) => self.add_password(request, &key),
            ("applications", Some(key), ["removePassword"]) => self.remove_password(request, &key),
            ("servicePrincipals", None, []) => self.principals(request),
            ("servicePrincipals", Some(key), []) => self.principal(request, &key),
            ("auditLogs", Some(Selector::Id("signIns")), []) => self.sign_ins(request),
            ("servicePrincipals", Some(key), ["transitiveMemberOf", ..]) => self.groups(request, &key),
            (other, _, below) => Err(GraphError::segment(below.last().copied().unwrap_or(other))),
        }
    }

    /// The record of sign-ins, which administrators of applications may read.
    fn sign_ins(&self, request: &Request) -> Outcome {
        if request.method != Method::GET {
            return Err(not_allowed(&request.method));
        }
        let [filter, top, token] = ["$filter", "$top", "$skiptoken"].map(|name| request.parameter(name));
        let query = SignInQuery::read(filter.as_deref(), top.as_deref(), token.as_deref())
            .ok_or_else(|| GraphError::bad_request("Invalid filter clause"))?;
        let link = |next: u64| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in [("$filter", &filter), ("$top", &top)] {
                query.extend_pairs(value.iter().map(|value| (name, value)));
            }
            query.append_pair("$skiptoken", &next.to_string());
            format!("{}{}?{}", self.url, request.path, query.finish())
        };
        Ok((200, Some(self.sign_ins.page(&query, link))))
    }

    /// Applications call for themselves here, and need a directory role.
    fn authorize(&self, request: &Request) -> Result<(), GraphError> {
        let claims = bearer(request, &self.tokens, &[AUDIENCE, &self.url]).map_err(|rejection| {
            let message = match rejection {
                Rejection::Missing => "Access token is empty.",
                Rejection::Invalid => "Signing key is invalid.",
                Rejection::OtherAudience => "Access token validation failure. Invalid audience.",
            };
            GraphError::new(401, "InvalidAuthenticationToken", message)
        })?;
        self.journal.note_bearer(request, &claims.appid);
        let world = self.azure.now();
        let has = |app: &App, wanted: &[&str]| {
            app.directory_roles.iter().chain(&app.graph_permissions).any(|held| wanted.contains(&held.as_str()))
        };
        let may = world
            .app(&claims.appid)
            .is_some_and(|app| has(app, &ADMINISTRATORS) || request.method == Method::GET && has(app, &READERS));
        if may {
            return Ok(());
        }
        Err(GraphError::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
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
    async fn answer(&self, request: Request) -> Response {
        match self.act(&request) {
            Ok((status, body)) => Response::new(status, JSON, body.map(|body| body.to_string()).unwrap_or_default()),
            Err(fault) => {
                let answer = Response::new(fault.status, JSON, fault.body());
                if fault.status == 429 { answer.with_header(RETRY_AFTER, "1".into()) } else { answer }
            }
        }
    }
}

/// The request's body, which must be an object.
fn object(request: &Request) -> Result<Map<String, Value>, GraphError> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(GraphError::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )),
    }
}

impl Graph {
    fn page(&self, request: &Request, entries: Vec<Value>) -> Outcome {
        Ok((200, Some(self.pages.page(request, entries, "@odata.nextLink"))))
    }
}

fn not_allowed(method: &Method) -> GraphError {
    GraphError::new(
        405,
        "Request_BadRequest",
        format!("Specified HTTP method {method} is not allowed for the request target."),
    )
}

/// What Graph answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GraphError {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl GraphError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        GraphError { status, code, message: message.into() }
    }

    /// `Request_BadRequest`, 400.
    fn bad_request(message: impl Into<String>) -> Self {
        GraphError::new(400, "Request_BadRequest", message)
    }

    /// A path that leads nowhere.
    fn segment(segment: &str) -> Self {
        GraphError::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
    }

    /// No object of this id.
    fn not_found(id: &str) -> Self {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        GraphError::new(404, "Request_ResourceNotFound", message)
    }

    /// Something with this key is there already.
    fn duplicate(message: impl Into<String>) -> Self {
        GraphError::new(409, "Request_MultipleObjectsWithSameKeyValue", message)
    }

    /// The JSON body, with the identifiers that support asks for.
    fn body(&self) -> String {
        let inner = json!({
            "date": crate::domain::timestamp::rfc3339(now()),
            "request-id": random_uuid(),
            "client-request-id": random_uuid(),
        });
        json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } }).to_string()
    }
}

/// What a filter asks of an object.
enum Filter {
    Everything,
    Equals {
        property: String,
        value: String,
    },
    StartsWith {
        property: String,
        value: String,
    },
    /// One of the service principal's names.
    PrincipalName(String),
}

impl Filter {
    /// Reads the request's query.
    fn read(request: &Request) -> Result<Self, GraphError> {
        let Some(text) = request.parameter("$filter") else { return Ok(Filter::Everything) };
        let parsed = Filter::parse(&text);
        parsed.ok_or_else(|| {
            let message = "Unsupported or invalid query filter clause specified for property of resource.";
            GraphError::new(400, "Request_UnsupportedQuery", message)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("servicePrincipalNames/any(") {
            let (_, value) = name.strip_suffix(')')?.split_once(" eq ")?;
            return Some(Filter::PrincipalName(quoted(value)?));
        }
        let starts = text.strip_prefix("startswith(").or_else(|| text.strip_prefix("startsWith("));
        if let Some(arguments) = starts {
            let (property, value) = arguments.strip_suffix(')')?.split_once(',')?;
            return Some(Filter::StartsWith { property: property.trim().to_owned(), value: quoted(value)? });
        }
        let (property, value) = text.split_once(" eq ")?;
        Some(Filter::Equals { property: property.trim().to_owned(), value: quoted(value)? })
    }

    /// Whether an object's JSON fits.
    fn fits(&self, object: &serde_json::Value) -> bool {
        let text = |property: &String| object[property.as_str()].as_str().unwrap_or_default().to_lowercase();
        match self {
            Filter::Everything => true,
            Filter::Equals { property, value } => text(property) == value.to_lowercase(),
            Filter::StartsWith { property, value } => text(property).starts_with(&value.to_lowercase()),
            Filter::PrincipalName(name) => {
                let names = object["servicePrincipalNames"].as_array();
                names.is_some_and(|names| names.iter().any(|known| known == name))
            }
        }
    }
}

/// A text in single quotes, which it doubles inside.
fn quoted(text: &str) -> Option<String> {
    Some(text.trim().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
}

#[cfg(test)]
mod filter_tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_forms_that_command_lines_send() {
        let object = json!({ "appId": "A1", "displayName": "crew's", "servicePrincipalNames": ["A1"] });
        for (filter, fits) in [
            ("appId eq 'a1'", true),
            ("appId eq 'b'", false),
            ("displayName eq 'crew''s'", true),
            ("startswith(displayName, 'crew')", true),
            ("startswith(displayName,'x')", false),
            ("servicePrincipalNames/any(c:c eq 'A1')", true),
            ("servicePrincipalNames/any(c:c eq 'B')", false),
        ] {
            assert_eq!(Filter::parse(filter).map(|filter| filter.fits(&object)), Some(fits), "{filter}");
        }
        for filter in ["", "appId", "appId eq A1", "startswith(displayName)", "any(c:c eq 'x')x"] {
            assert!(Filter::parse(filter).is_none(), "{filter}");
        }
    }
}
