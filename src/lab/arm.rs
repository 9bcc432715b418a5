//! Azure Resource Manager, as far as the guides' commands and a diagnosis go: the subscription, the vault and its secrets
//! as resources, managed identities' credentials, role definitions, role and deny assignments. The vault counts what is
//! assigned here at once.

mod assignment;
mod scope;
mod vault;

use std::sync::Arc;

use http::Method;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::accounts::{Pages, Rejection, bearer};
use super::authority::VAULT_DOMAIN;
use super::entra::{AccessTokens, Claims};
use super::journal::Journal;
use super::server::{Request, Response, Service};
use super::world::{AzureWorld, Scope, SharedState};
use scope::Target;

const JSON: &str = "application/json; charset=utf-8";
/// What tokens for it are for: its own name, and that of the service that was there before it.
const AUDIENCES: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];

/// The Resource Manager of one lab.
pub(super) struct Arm {
    azure: Arc<SharedState<AzureWorld>>,
    tokens: Arc<AccessTokens>,
    places: Neighbours,
    pages: Pages,
    journal: Journal,
}

/// The URLs of itself and of the services that it tells of.
pub(super) struct Neighbours {
    pub entra: String,
    pub graph: String,
    pub arm: String,
    pub vault: String,
}

/// What an operation yields: an HTTP status and a body.
type Outcome = Result<(u16, Value), ArmError>;

impl Arm {
    pub(super) fn new(azure: Arc<SharedState<AzureWorld>>, tokens: Arc<AccessTokens>, places: Neighbours) -> Self {
        let pages = Pages::new(azure.clone(), places.arm.clone());
        Arm { azure, tokens, places, pages, journal: Journal::default() }
    }

    /// Names the directory of the subscription, also to somebody without a token.
    fn challenge(&self) -> String {
        let tenant = &self.azure.now().tenant_id;
        format!(
            "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\", error_description=\"The authentication failed because of missing 'Authorization' header.\""
        )
    }

    fn act(&self, request: &Request) -> Outcome {
        // Whoever sets a command line up for a cloud has no token of it yet.
        if request.path == METADATA_PATH && request.method == Method::GET {
            return Ok((200, metadata_endpoints(&self.places)));
        }
        if request.path == Journal::PATH && request.method == Method::GET {
            return Ok((200, self.journal.shown()));
        }
        let caller = self.authenticate(request)?;
        self.journal.note_bearer(request, &caller.appid);
        if self.pages.is_too_often(request) {
            let message = "The request was throttled: the number of read requests for the subscription is too high.";
            return Err(ArmError::new(429, "TooManyRequests", message));
        }
        self.answered(request, &caller)
    }

    /// Whether there is such a subscription is told before anybody's token is looked at.
    fn authenticate(&self, request: &Request) -> Result<Claims, ArmError> {
        let path = percent_decode_str(&request.path).decode_utf8_lossy();
        scope::known_subscription(&path, &self.azure.now())?;
        bearer(request, &self.tokens, &AUDIENCES).map_err(|rejection| match rejection {
            Rejection::Missing => {
                ArmError::new(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
            }
            Rejection::Invalid => ArmError::new(401, "InvalidAuthenticationToken", "The access token is invalid."),
            Rejection::OtherAudience => ArmError::new(
                401,
                "InvalidAuthenticationTokenAudience",
                format!("The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences '{}/'.", AUDIENCES.join("/','")),
            ),
        })
    }

    fn answered(&self, request: &Request, caller: &Claims) -> Outcome {
        if request.parameter("api-version").is_none() {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(ArmError::new(400, "MissingApiVersionParameter", message));
        }
        let path = percent_decode_str(&request.path).decode_utf8_lossy();
        let Some(target) = Target::read(&path, &self.azure.now())? else {
            return Err(ArmError::new(404, "InvalidResourceType", "The resource type could not be found."));
        };
        match (&request.method, target) {
            (&Method::GET, Target::Subscriptions) => Ok((200, self.subscriptions(caller))),
            (&Method::GET, Target::Subscription) => self.subscription(caller),
            (&Method::GET, Target::Tenants) => Ok((200, self.tenants())),
            (&Method::GET, Target::Vaults) => self.list_vaults(caller),
            (&Method::GET, Target::Vault) => self.get_vault(caller),
            // The command line writes the whole resource back.
            (&Method::PATCH | &Method::PUT, Target::Vault) => self.update_vault(caller, &object(request)?),
            (&Method::GET, Target::Secret(name)) => self.get_secret(caller, name),
            (&Method::GET, Target::Definitions(scope)) => self.list_definitions(request, caller, &scope),
            (&Method::GET, Target::Definition(id)) => self.get_definition(caller, &id),
            (&Method::GET, Target::Assignments(scope)) => self.list_assignments(request, caller, &scope),
            (&Method::GET, Target::Assignment(scope, name)) => self.get_assignment(caller, &scope, &name),
            (&Method::PUT, Target::Assignment(scope, name)) => {
                self.put_assignment(caller, &scope, &name, &object(request)?)
            }
            (&Method::DELETE, Target::Assignment(scope, name)) => self.delete_assignment(caller, &scope, &name),
            (&Method::GET, Target::Denials(scope)) => self.list_denials(request, caller, &scope),
            (&Method::GET, Target::Identities) => self.list_identities(request, caller),
            (&Method::GET, Target::IdentityCredentials(name)) => self.list_identity_credentials(request, caller, &name),
            (method, _) => Err(ArmError::new(
                405,
                "MethodNotAllowed",
                format!("The HTTP method '{method}' is not supported for this resource."),
            )),
        }
    }

    /// Whether a role of the caller's at the scope, or above it, allows the action.
    fn authorize(&self, caller: &Claims, action: &str, scope: &Scope) -> Result<(), ArmError> {
        let world = self.azure.now();
        let may = world.vault.roles.values().any(|assignment| {
            world.counts_for(&caller.oid, &assignment.principal)
                && assignment.scope().covers(scope)
                && world.roles.get(&assignment.role).is_some_and(|role| role.allows_action(action))
        });
        if may {
            return Ok(());
        }
        let (oid, scope) = (&caller.oid, scope.id(&world));
        Err(ArmError::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{oid}' with object id '{oid}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            ),
        ))
    }
}

impl Service for Arm {
    async fn answer(&self, request: Request) -> Response {
        match self.act(&request) {
            Ok((status, body)) => Response::new(status, JSON, body.to_string()),
            Err(fault) => {
                let answer = Response::new(fault.status, JSON, fault.body());
                match fault.status {
                    401 => answer.with_header(WWW_AUTHENTICATE, self.challenge()),
                    429 => answer.with_header(RETRY_AFTER, "1".into()),
                    _ => answer,
                }
            }
        }
    }
}

/// The request's body, which must be an object.
fn object(request: &Request) -> Result<Map<String, Value>, ArmError> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ArmError::new(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        )),
    }
}

/// What Resource Manager answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ArmError {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl ArmError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        ArmError { status, code, message: message.into() }
    }

    fn body(&self) -> String {
        json!({ "error": { "code": self.code, "message": self.message } }).to_string()
    }
}

const METADATA_PATH: &str = "/metadata/endpoints";

/// The services that the lab has. A vault's address is its name, a dot and `keyVaultDns`.
fn metadata_endpoints(places: &Neighbours) -> Value {
    let port = places.vault.rsplit_once(':').map_or("", |(_, port)| port);
    json!({
        "name": "trustline-lab",
        "resourceManager": places.arm,
        "microsoftGraphResourceId": places.graph,
        "authentication": {
            "loginEndpoint": places.entra,
            "audiences": AUDIENCES.map(|audience| format!("{audience}/")),
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": { "keyVaultDns": format!("{VAULT_DOMAIN}:{port}") },
    })
}

impl Arm {
    /// Those in which the caller has any role: none, and no refusal, where it has no role.
    fn subscriptions(&self, caller: &Claims) -> Value {
        let world = self.azure.now();
        let seen = has_a_role(&world, caller).then(|| describe_subscription(&world));
        json!({ "value": seen.into_iter().collect::<Vec<_>>(), "count": { "type": "Total", "value": 1 } })
    }

    fn subscription(&self, caller: &Claims) -> Outcome {
        let world = self.azure.now();
        if has_a_role(&world, caller) {
            return Ok((200, describe_subscription(&world)));
        }
        let (oid, scope) = (&caller.oid, format!("/subscriptions/{}", world.subscription_id));
        Err(ArmError::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{oid}' with object id '{oid}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/read' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            ),
        ))
    }

    fn tenants(&self) -> Value {
        let tenant = &self.azure.now().tenant_id;
        json!({ "value": [{ "id": format!("/tenants/{tenant}"), "tenantId": tenant, "displayName": "trustline lab" }] })
    }
}

fn has_a_role(world: &AzureWorld, caller: &Claims) -> bool {
    world.vault.roles.values().any(|assignment| world.counts_for(&caller.oid, &assignment.principal))
}

fn describe_subscription(world: &AzureWorld) -> Value {
    json!({
        "id": format!("/subscriptions/{}", world.subscription_id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": world.subscription_id,
        "tenantId": world.tenant_id,
        "displayName": "trustline lab",
        "state": "Enabled",
    })
}
