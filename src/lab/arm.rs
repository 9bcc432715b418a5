//! Azure Resource Manager, as far as the guides' commands go: the subscription, the vault's resource, role definitions,
//! and role assignments at the vault and at one of its secrets. The vault counts what is assigned here at once.

mod assignment;
mod definition;
mod fault;
mod metadata;
mod scope;
mod subscription;
mod vault;

use std::sync::Arc;

use http::Method;
use http::header::WWW_AUTHENTICATE;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use fault::Fault;
use scope::{Scope, Target};

use super::changing::Changing;
use super::entra::{AccessTokens, Claims};
use super::server::{Answer, Received, Service};
use super::tenant::{Rejection, bearer};
use super::world::AzureWorld;

const JSON: &str = "application/json; charset=utf-8";
/// What tokens for it are for: its own name, and that of the service that was there before it.
const AUDIENCES: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];

/// The Resource Manager of one lab.
pub(super) struct Arm {
    azure: Arc<Changing<AzureWorld>>,
    tokens: Arc<AccessTokens>,
    places: Neighbours,
}

/// The URLs of itself and of the services that it tells of.
pub(super) struct Neighbours {
    pub entra: String,
    pub graph: String,
    pub arm: String,
    pub vault: String,
}

/// What an operation yields: an HTTP status and a body.
type Outcome = Result<(u16, Value), Fault>;

impl Arm {
    pub(super) fn new(azure: Arc<Changing<AzureWorld>>, tokens: Arc<AccessTokens>, places: Neighbours) -> Self {
        Arm { azure, tokens, places }
    }

    /// Names the directory of the subscription, also to somebody without a token.
    fn challenge(&self) -> String {
        let tenant = &self.azure.now().tenant_id;
        format!(
            "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\", error_description=\"The authentication failed because of missing 'Authorization' header.\""
        )
    }

    fn act(&self, request: &Received) -> Outcome {
        // Whoever sets a command line up for a cloud has no token of it yet.
        if request.path == metadata::PATH && request.method == Method::GET {
            return Ok((200, metadata::endpoints(&self.places)));
        }
        let caller = self.authenticate(request)?;
        self.answered(request, &caller)
    }

    /// Whether there is such a subscription is told before anybody's token is looked at.
    fn authenticate(&self, request: &Received) -> Result<Claims, Fault> {
        let path = percent_decode_str(&request.path).decode_utf8_lossy();
        scope::known_subscription(&path, &self.azure.now())?;
        bearer(request, &self.tokens, &AUDIENCES).map_err(|rejection| match rejection {
            Rejection::Missing => {
                Fault::new(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
            }
            Rejection::Invalid => Fault::new(401, "InvalidAuthenticationToken", "The access token is invalid."),
            Rejection::OtherAudience => Fault::new(
                401,
                "InvalidAuthenticationTokenAudience",
                format!("The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences '{}/'.", AUDIENCES.join("/','")),
            ),
        })
    }

    fn answered(&self, request: &Received, caller: &Claims) -> Outcome {
        if request.parameter("api-version").is_none() {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(Fault::new(400, "MissingApiVersionParameter", message));
        }
        let path = percent_decode_str(&request.path).decode_utf8_lossy();
        let Some(target) = Target::read(&path, &self.azure.now())? else {
            return Err(Fault::new(404, "InvalidResourceType", "The resource type could not be found."));
        };
        match (&request.method, target) {
            (&Method::GET, Target::Subscriptions) => Ok((200, self.subscriptions(caller))),
            (&Method::GET, Target::Subscription) => self.subscription(caller),
            (&Method::GET, Target::Tenants) => Ok((200, self.tenants())),
            (&Method::GET, Target::Vaults) => self.list_vaults(caller),
            (&Method::GET, Target::Vault) => self.get_vault(caller),
            // The command line writes the whole resource back.
            (&Method::PATCH | &Method::PUT, Target::Vault) => self.update_vault(caller, &object(request)?),
            (&Method::GET, Target::Definitions) => {
                Ok((200, definition::list(&self.azure.now().subscription_id, request.parameter("$filter").as_deref())))
            }
            (&Method::GET, Target::Assignments(scope)) => self.list_assignments(caller, &scope),
            (&Method::GET, Target::Assignment(scope, name)) => self.get_assignment(caller, &scope, &name),
            (&Method::PUT, Target::Assignment(scope, name)) => {
                self.put_assignment(caller, &scope, &name, &object(request)?)
            }
            (&Method::DELETE, Target::Assignment(scope, name)) => self.delete_assignment(caller, &scope, &name),
            (method, _) => Err(Fault::new(
                405,
                "MethodNotAllowed",
                format!("The HTTP method '{method}' is not supported for this resource."),
            )),
        }
    }

    /// Whether one of the caller's roles at the scope, or above it, is among these.
    fn authorize(&self, caller: &Claims, action: &str, scope: &Scope, roles: &[&str]) -> Result<(), Fault> {
        let world = self.azure.now();
        let may = world.vault.roles.values().any(|assignment| {
            assignment.principal.eq_ignore_ascii_case(&caller.oid)
                && roles.contains(&assignment.role.as_str())
                && (assignment.secret.is_none() || assignment.secret == scope.secret)
        });
        if may {
            return Ok(());
        }
        let (oid, scope) = (&caller.oid, scope.id(&world));
        Err(Fault::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{oid}' with object id '{oid}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            ),
        ))
    }
}

impl Service for Arm {
    async fn answer(&self, request: Received) -> Answer {
        match self.act(&request) {
            Ok((status, body)) => Answer::new(status, JSON, body.to_string()),
            Err(fault) => {
                let answer = Answer::new(fault.status, JSON, fault.body());
                if fault.status == 401 { answer.with_header(WWW_AUTHENTICATE, self.challenge()) } else { answer }
            }
        }
    }
}

/// The request's body, which must be an object.
fn object(request: &Received) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::new(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        )),
    }
}
