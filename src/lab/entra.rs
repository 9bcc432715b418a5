//! Entra's token endpoint: OAuth 2.0's client-credentials grant in, an access token or a JSON error out; and the
//! document that leads clients to it.
//!
//! It believes nothing: the assertion's issuer is asked for its documents, the signature, the times and the federated
//! credentials are checked. In which order Entra does so is not documented; here it is tenant, application,
//! assertion's form and times, credentials, keys, policies, scope.

mod assertion;

use std::sync::Arc;
use std::time::Instant;

use http::Method;
use http::header::RETRY_AFTER;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use url::form_urlencoded;

use super::fetcher::Fetcher;
use super::keys::random_uuid;
use super::server::now;
use super::server::{Request, Response, Service};
use super::sign_ins::{Application, SignIn, SignIns};
use super::world::SharedState;
use super::world::{App, AzureWorld, EntraPolicy};
use crate::domain::jwks::Jwks;
use crate::domain::signature;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::token::RawToken;
pub(super) use assertion::{AccessTokens, Claims};

const JSON: &str = "application/json; charset=utf-8";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What stands for the directories of all that sign in with a name and a password.
const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// The token endpoint of one lab.
pub(super) struct Entra {
    azure: Arc<SharedState<AzureWorld>>,
    fetcher: Fetcher,
    tokens: Arc<AccessTokens>,
    url: String,
    started: Instant,
    sign_ins: Arc<SignIns>,
}

/// The form of a request.
struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&str, EntraError> {
        self.get(name).ok_or_else(|| {
            EntraError::new(
                900_144,
                400,
                "invalid_request",
                format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    }
}

impl Entra {
    pub(super) fn new(
        azure: Arc<SharedState<AzureWorld>>,
        fetcher: Fetcher,
        tokens: Arc<AccessTokens>,
        url: String,
        sign_ins: Arc<SignIns>,
    ) -> Self {
        Entra { azure, fetcher, tokens, url, started: Instant::now(), sign_ins }
    }

    async fn grant(&self, tenant: &str, form: &Form, now: i64, seen: &mut SignIn) -> Result<String, EntraError> {
        let grant = form.required("grant_type")?;
        let client_id = form.required("client_id")?;
        let scope = form.required("scope")?;
        if grant != "client_credentials" {
            return Err(EntraError::new(
                70_003,
                400,
                "unsupported_grant_type",
                format!("The app requested an unsupported grant type '{grant}'."),
            ));
        }
        let world = self.azure.now();
        if world.entra.throttled {
            return Err(EntraError::new(
                90_024,
                429,
                "temporarily_unavailable",
                "RequestBudgetExceededError - A transient error has occurred. Please try again.",
            ));
        }
        check_tenant(&world, tenant)?;
        let app = world.app(client_id).ok_or_else(|| unknown_app(&world, client_id))?;
        seen.application = Some(Application::of(app));
        seen.proof =
            if form.get("client_assertion").is_some() { "federatedIdentityCredential" } else { "clientSecret" };
        match (form.get("client_assertion"), form.get("client_secret")) {
            (Some(assertion), _) => {
                if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                    return Err(EntraError::new(
                        900_144,
                        400,
                        "invalid_request",
                        "The request body must contain the following parameter: 'client_assertion_type'.",
                    ));
                }
                if app.multitenant {
                    return Err(EntraError::new(
                        70_052,
                        400,
                        "invalid_request",
                        "The identity must be a managed identity, single tenant app, or service account.",
                    ));
                }
                self.check_assertion(app, assertion, now, seen).await?;
            }
            (None, Some(secret)) => check_secret(app, secret)?,
            (None, None) => {
                return Err(EntraError::new(
                    7_000_218,
                    401,
                    "invalid_client",
                    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                ));
            }
        }
        if !app.service_principal {
            return Err(EntraError::new(
                7_000_229,
                401,
                "invalid_client",
                format!(
                    "The client application {client_id} is missing service principal in the tenant {tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
                ),
            ));
        }
        if !app.enabled {
            return Err(EntraError::new(
                7_000_112,
                401,
                "unauthorized_client",
                format!("Application '{client_id}'({}) is disabled.", app.display_name),
            ));
        }
        check_policy(&world)?;
        let resource = resource(&world, scope)?;
        Ok(self.tokens.issue(&world.tenant_id, app, &resource, now))
    }

    async fn check_assertion(&self, app: &App, text: &str, now: i64, seen: &mut SignIn) -> Result<(), EntraError> {
        let (raw, decoded) = assertion::decoded(text, &self.azure.now().entra.algorithms)?;
        assertion::check_times(&decoded, now)?;
        let age = self.started.elapsed().as_secs();
        let matched = assertion::check_credentials(app, &decoded, age, self.azure.now().entra.old_codes)?;
        seen.credential = Some(matched);
        let issuer = decoded.issuer().unwrap_or_default();
        let failed = |code| EntraError::new(code, 400, "invalid_request", "Request to External OIDC endpoint failed.");
        let document = self.fetcher.document(issuer).await.ok_or_else(|| failed(50_166))?;
        if EMPTY_REFUSED.iter().any(|name| document.get(name).is_some_and(is_empty)) {
            return Err(failed(501_661));
        }
        let keys = self.fetcher.keys_of(&document).await.and_then(|bytes| Jwks::parse(&bytes).ok());
        let keys = keys.ok_or_else(|| failed(50_166))?;
        check_signature(&raw, &decoded, &keys, issuer)
    }
}

impl Service for Entra {
    async fn answer(&self, request: Request) -> Response {
        let path = request.path.trim_matches('/');
        let (tenant, operation) = path.split_once('/').unwrap_or((path, ""));
        let trace_id = random_uuid();
        let outcome = match (&request.method, operation) {
            (&Method::POST, "oauth2/v2.0/token") => {
                let form = Form(form_urlencoded::parse(&request.body).into_owned().collect());
                let mut seen = SignIn::default();
                let outcome = self.grant(tenant, &form, now(), &mut seen).await;
                let refusal = outcome.as_ref().err().map(|fault| (fault.code, fault.message.as_str()));
                self.sign_ins.add(&trace_id, &seen, refusal);
                outcome.map(|token| granted(&token))
            }
            (&Method::GET, DISCOVERY_PATH) if SHARED.contains(&tenant) => {
                Ok(discovery_document(&self.url, tenant, "{tenantid}"))
            }
            (&Method::GET, DISCOVERY_PATH) => {
                check_tenant(&self.azure.now(), tenant).map(|()| discovery_document(&self.url, tenant, tenant))
            }
            (&Method::GET, KEYS_PATH) => Ok(key_set()),
            _ => return Response::new(404, "text/plain", String::new()),
        };
        match outcome {
            Ok(body) => Response::new(200, JSON, body.to_string()),
            Err(fault) => {
                let answer = Response::new(fault.status, JSON, fault.body(&trace_id, &random_uuid(), now()));
                if fault.status == 429 { answer.with_header(RETRY_AFTER, "10".into()) } else { answer }
            }
        }
    }
}

fn granted(token: &str) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": assertion::LIFETIME - 1,
        "ext_expires_in": assertion::LIFETIME - 1,
        "access_token": token,
    })
}

fn check_tenant(world: &AzureWorld, tenant: &str) -> Result<(), EntraError> {
    if SHARED.contains(&tenant) {
        return Err(EntraError::new(
            9_001_023,
            400,
            "invalid_request",
            format!(
                "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint. ({tenant})"
            ),
        ));
    }
    if !tenant.contains('.') && !is_uuid(tenant) {
        return Err(EntraError::new(
            900_023,
            400,
            "invalid_request",
            format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."),
        ));
    }
    if !tenant.eq_ignore_ascii_case(&world.tenant_id) {
        return Err(EntraError::new(
            90_002,
            400,
            "invalid_request",
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        ));
    }
    Ok(())
}

fn unknown_app(world: &AzureWorld, client_id: &str) -> EntraError {
    EntraError::new(
        700_016,
        400,
        "unauthorized_client",
        format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            world.tenant_id
        ),
    )
}

fn check_signature(
    raw: &RawToken,
    decoded: &crate::domain::token::DecodedToken,
    keys: &Jwks,
    issuer: &str,
) -> Result<(), EntraError> {
    let kid = decoded.kid().unwrap_or_default();
    let published = keys.keys.iter().take(assertion::KEYS_KEPT).any(|key| key.kid.as_deref() == Some(kid));
    let checked = signature::verify(raw, decoded, Some(keys));
    match checked.state {
        _ if kid.is_empty() || !published => Err(EntraError::new(
            7_000_272,
            401,
            "invalid_client",
            format!(
                "The certificate with identifier {} used to sign the federated credential could not be found in the metadata of identity provider {issuer}. Please make sure the signing key is published.",
                assertion::key_identifier(kid)
            ),
        )),
        SignatureState::Verified if matches!(checked.reason, SignatureReason::NamedKey { .. }) => Ok(()),
        _ => Err(EntraError::new(700_027, 401, "invalid_client", "Client assertion failed signature validation.")),
    }
}

fn check_policy(world: &AzureWorld) -> Result<(), EntraError> {
    match world.entra.policy {
        EntraPolicy::None => Ok(()),
        EntraPolicy::ConditionalAccess => Err(EntraError::new(
            53_003,
            400,
            "access_denied",
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        )),
        EntraPolicy::Issuers => Err(EntraError::new(
            700_238,
            401,
            "invalid_client",
            "Federated identity credentials issued by this issuer are not allowed by the policy of the tenant.",
        )),
    }
}

fn resource(world: &AzureWorld, scope: &str) -> Result<String, EntraError> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(EntraError::new(
            1_002_012,
            400,
            "invalid_scope",
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    };
    // A resource may end in a slash, as `https://management.core.windows.net/` does; the token's audience has it too.
    if !world.entra.resources.contains(resource.strip_suffix('/').unwrap_or(resource)) {
        return Err(EntraError::new(
            500_011,
            400,
            "invalid_resource",
            format!(
                "The resource principal named {resource} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
                world.tenant_id
            ),
        ));
    }
    Ok(resource.to_owned())
}

fn check_secret(app: &App, secret: &str) -> Result<(), EntraError> {
    let client_id = &app.client_id;
    match app.client_secrets.iter().find(|known| known.value.expose_secret() == secret) {
        None => Err(EntraError::new(
            7_000_215,
            401,
            "invalid_client",
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
            ),
        )),
        Some(known) if known.expired => Err(EntraError::new(
            7_000_222,
            401,
            "invalid_client",
            format!(
                "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
            ),
        )),
        Some(_) => Ok(()),
    }
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// What the token endpoint answers instead of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EntraError {
    pub code: u32,
    pub status: u16,
    pub error: &'static str,
    pub message: String,
}

impl EntraError {
    fn new(code: u32, status: u16, error: &'static str, message: impl Into<String>) -> Self {
        EntraError { code, status, error, message: message.into() }
    }

    /// The JSON body, with the identifiers that support asks for.
    fn body(&self, trace: &str, correlation: &str, now: i64) -> String {
        let time = server_time(now);
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        })
        .to_string()
    }
}

/// `2025-10-13 14:54:34Z`.
fn server_time(now: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(now).ok().and_then(|t| t.format(format).ok()).unwrap_or_default()
}

/// `2025-10-13T14:54:34.0000000Z`, as the texts quote times.
fn quoted_time(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].0000000Z");
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|t| t.format(format).ok()).unwrap_or_default()
}

/// The path of the document below the directory.
const DISCOVERY_PATH: &str = "v2.0/.well-known/openid-configuration";
/// What a discovery document may lack and may not have empty, as SPIRE's had it.
const EMPTY_REFUSED: [&str; 2] = ["authorization_endpoint", "subject_types_supported"];

fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
}

/// The path of the keys below the directory.
const KEYS_PATH: &str = "discovery/v2.0/keys";

/// The document at `tenant`, whose tokens are issued by `issuer`.
fn discovery_document(url: &str, tenant: &str, issuer: &str) -> Value {
    let directory = format!("{url}/{tenant}");
    json!({
        "issuer": format!("{url}/{issuer}/v2.0"),
        "authorization_endpoint": format!("{directory}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{directory}/oauth2/v2.0/token"),
        "jwks_uri": format!("{directory}/{KEYS_PATH}"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// None: access tokens are opaque to all but the service that they are for.
fn key_set() -> Value {
    json!({ "keys": [] })
}
