//! Key Vault's data plane for secrets: the challenge, the token, the network rules, the rights, then the secret.

mod rights;
mod store;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use http::Method;
use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::entra::{AccessTokens, Claims};
use super::journal::Journal;
use super::keys::random_uuid;
use super::server::now;
use super::server::{Request, Response, Service};
use super::world::SharedState;
use super::world::{AzureWorld, VaultNetwork};
use crate::domain::keyvault::SecretName;
use rights::Right;
use store::Store;

const JSON: &str = "application/json; charset=utf-8";
/// Where everybody who reaches a lab comes from.
const CALLER: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The vault of one lab.
pub(super) struct Vault {
    azure: Arc<SharedState<AzureWorld>>,
    tokens: Arc<AccessTokens>,
    store: Store,
    started: Instant,
    journal: Journal,
}

/// What a request is for.
enum Asked<'p> {
    List,
    Get { name: &'p str, version: Option<&'p str> },
    Versions { name: &'p str },
    Set { name: &'p str },
    Update { name: &'p str, version: Option<&'p str> },
    Delete { name: &'p str },
    GetDeleted { name: &'p str },
    Recover { name: &'p str },
}

impl Vault {
    pub(super) fn new(azure: Arc<SharedState<AzureWorld>>, url: String, tokens: Arc<AccessTokens>) -> Self {
        let store = Store::new(&azure.now().vault.secrets, url, now());
        Vault { azure, tokens, store, started: Instant::now(), journal: Journal::default() }
    }

    fn act(&self, request: &Request) -> Result<Value, VaultError> {
        if request.path == Journal::PATH && request.method == Method::GET {
            return Ok(self.journal.shown());
        }
        let caller = self.authenticate(request)?;
        self.journal.note_bearer(request, &caller.appid);
        if self.azure.now().vault.throttled {
            return Err(VaultError::new(
                429,
                "Throttled",
                "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
            ));
        }
        self.check_network(&caller)?;
        if request.parameter("api-version").is_none() {
            return Err(VaultError::new(400, "BadParameter", "api-version must be specified"));
        }
        let asked = asked(request)?;
        if let Some(name) = asked.name()
            && SecretName::of(name).is_ok_and(|name| name.written.is_none())
        {
            self.authorize(&caller, asked.right(), Some(name))?;
        } else if let Some(name) = asked.name() {
            return Err(VaultError::new(
                400,
                "BadParameter",
                format!("The request URI contains an invalid name: {name}"),
            ));
        } else {
            self.authorize(&caller, asked.right(), None)?;
        }
        match asked {
            Asked::List => Ok(self.store.list(&request.query)),
            Asked::Get { name, version } => self.store.get(name, version),
            Asked::Versions { name } => Ok(self.store.versions(name, &request.query)),
            Asked::Set { name } => self.store.set(name, &request.body, now()),
            Asked::Update { name, version } => self.store.update(name, version, &request.body, now()),
            Asked::Delete { name } => self.store.delete(name, now()),
            Asked::GetDeleted { name } => self.store.deleted(name),
            Asked::Recover { name } => self.store.recover(name),
        }
    }

    fn tenant(&self) -> String {
        let world = self.azure.now();
        let own = &world.vault.tenant_id;
        if own.is_empty() { world.tenant_id.clone() } else { own.clone() }
    }

    fn challenge(&self) -> String {
        let vault = &self.azure.now().vault;
        let resource = vault.challenge_resource.as_ref().unwrap_or(&vault.resource);
        format!("Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"{resource}\"", self.tenant())
    }

    fn authenticate(&self, request: &Request) -> Result<Claims, VaultError> {
        let unauthorized = |message: String| VaultError::new(401, "Unauthorized", message);
        let token = request
            .header("authorization")
            .strip_prefix("Bearer ")
            .ok_or_else(|| unauthorized("AKV10000: Request is missing a Bearer or PoP token.".into()))?;
        let claims =
            self.tokens.read(token).filter(|claims| claims.exp > now()).ok_or_else(|| {
                unauthorized("AKV10046: Unable to resolve the key used for signature validation.".into())
            })?;
        if claims.tid != self.tenant() {
            return Err(unauthorized(format!(
                "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{}/, found {}.",
                self.tenant(),
                claims.iss
            )));
        }
        let expected = &self.azure.now().vault.resource;
        if claims.aud != *expected {
            return Err(unauthorized(format!(
                "AKV10022: Invalid audience. Expected {expected}, found: {}.",
                claims.aud
            )));
        }
        Ok(claims)
    }

    fn check_network(&self, caller: &Claims) -> Result<(), VaultError> {
        let world = self.azure.now();
        let (who, vault) = (rights::caller(caller), rights::location(&world));
        match world.vault.network {
            VaultNetwork::Open => Ok(()),
            VaultNetwork::Firewall if world.vault.addresses.iter().any(|block| address_rule_holds(block, CALLER)) => Ok(()),
            VaultNetwork::Firewall => Err(VaultError::new(403, "Forbidden", format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: {CALLER}\r\nCaller: {who}\r\nVault: {vault}"
            ))
            .within("ForbiddenByFirewall")),
            VaultNetwork::PrivateOnly => Err(VaultError::new(403, "Forbidden", format!(
                "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: {who}\r\nVault: {vault}"
            ))
            .within("ForbiddenByConnection")),
        }
    }

    fn authorize(&self, caller: &Claims, right: Right, secret: Option<&str>) -> Result<(), VaultError> {
        rights::check(&self.azure.now(), caller, right, secret, self.started.elapsed().as_secs())
    }
}

impl Asked<'_> {
    fn name(&self) -> Option<&str> {
        match self {
            Asked::List => None,
            Asked::Get { name, .. }
            | Asked::Versions { name }
            | Asked::Set { name }
            | Asked::Update { name, .. }
            | Asked::Delete { name }
            | Asked::GetDeleted { name }
            | Asked::Recover { name } => Some(name),
        }
    }

    fn right(&self) -> Right {
        match self {
            Asked::List | Asked::Versions { .. } => Right::List,
            Asked::Get { .. } | Asked::GetDeleted { .. } => Right::Get,
            Asked::Set { .. } | Asked::Update { .. } => Right::Set,
            Asked::Delete { .. } => Right::Delete,
            Asked::Recover { .. } => Right::Recover,
        }
    }
}

fn asked(request: &Request) -> Result<Asked<'_>, VaultError> {
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["secrets"]) => Ok(Asked::List),
        (&Method::GET, ["secrets", name, "versions"]) => Ok(Asked::Versions { name }),
        (&Method::GET, ["secrets", name]) => Ok(Asked::Get { name, version: None }),
        (&Method::GET, ["secrets", name, version]) => Ok(Asked::Get { name, version: Some(version) }),
        (&Method::PUT, ["secrets", name]) => Ok(Asked::Set { name }),
        (&Method::PATCH, ["secrets", name]) => Ok(Asked::Update { name, version: None }),
        (&Method::PATCH, ["secrets", name, version]) => Ok(Asked::Update { name, version: Some(version) }),
        (&Method::DELETE, ["secrets", name]) => Ok(Asked::Delete { name }),
        (&Method::GET, ["deletedsecrets", name]) => Ok(Asked::GetDeleted { name }),
        (&Method::POST, ["deletedsecrets", name, "recover"]) => Ok(Asked::Recover { name }),
        _ => Err(VaultError::new(404, "ResourceNotFound", "The requested resource was not found.")),
    }
}

impl Service for Vault {
    async fn answer(&self, request: Request) -> Response {
        let answer = match self.act(&request) {
            Ok(value) => Response::new(200, JSON, value.to_string()),
            Err(fault) => {
                let body = json!({ "error": fault.body() }).to_string();
                let answer = Response::new(fault.status, JSON, body);
                match fault.status {
                    401 => answer.with_header(WWW_AUTHENTICATE, self.challenge()),
                    429 => answer.with_header(RETRY_AFTER, "10".into()),
                    _ => answer,
                }
            }
        };
        answer.with_header(HeaderName::from_static("x-ms-request-id"), random_uuid())
    }
}

/// What the vault answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
struct VaultError {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub inner: Option<&'static str>,
}

impl VaultError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        VaultError { status, code, message: message.into(), inner: None }
    }

    /// Adds the inner code.
    fn within(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    /// The `error` member of the body.
    fn body(&self) -> Value {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(inner) = self.inner {
            body["innererror"] = json!({ "code": inner });
        }
        body
    }
}

/// Whether a rule, an address or a block such as `203.0.113.0/24`, holds the address.
fn address_rule_holds(rule: &str, address: Ipv4Addr) -> bool {
    let (base, bits) = rule.split_once('/').unwrap_or((rule, "32"));
    let (Ok(base), Ok(bits @ 0..=32)) = (base.parse::<Ipv4Addr>(), bits.parse::<u32>()) else { return false };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    base.to_bits() & mask == address.to_bits() & mask
}

#[cfg(test)]
mod network_tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses() {
        for (rule, held) in [
            ("127.0.0.1", true),
            ("127.0.0.1/32", true),
            ("127.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("127.0.0.2", false),
            ("128.0.0.0/8", false),
            ("127.0.0.0/33", false),
            ("x", false),
        ] {
            assert_eq!(address_rule_holds(rule, Ipv4Addr::LOCALHOST), held, "{rule}");
        }
    }
}
