//! The accounts and the tenant of one lab as operations change them: a request belongs to the account whose key signed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::LabError;
use super::entra::{AccessTokens, Claims};
use super::keys::random_uuid;
use super::server::now;
use super::server::{Request, Response, Service};
use super::session::Account;
use super::world::SharedState;
use super::world::{AwsWorld, AzureWorld};

/// The accounts of one lab: the one of the identity provider, and the sub-account where the world has one.
pub(super) struct Accounts {
    home: Arc<Account>,
    sub: Option<Arc<Account>>,
}

impl Accounts {
    pub(super) fn new(home: AwsWorld, sub: Option<AwsWorld>) -> Result<Self, LabError> {
        let open = |world| Account::new(world).map(Arc::new);
        Ok(Accounts { home: open(home)?, sub: sub.map(open).transpose()? })
    }

    /// The account that an ARN names; the home account where there is no such account here.
    pub(super) fn of_arn(&self, arn: &str) -> &Arc<Account> {
        let number = arn.split(':').nth(4).unwrap_or_default();
        self.sub.as_ref().filter(|sub| sub.world().account == number).unwrap_or(&self.home)
    }

    /// The account whose key signs a request; the home account where no account knows the key.
    pub(super) fn of_signer(&self, request: &Request) -> &Arc<Account> {
        self.signing_sub(request).unwrap_or(&self.home)
    }

    fn signing_sub(&self, request: &Request) -> Option<&Arc<Account>> {
        let (_, credential) = request.header("authorization").split_once("Credential=")?;
        let key_id = credential.split('/').next().unwrap_or_default();
        self.sub.as_ref().filter(|sub| sub.find(key_id).is_some())
    }
}

/// A service that each account has for itself.
pub(super) struct EachAccount<S> {
    accounts: Arc<Accounts>,
    home: S,
    sub: Option<S>,
}

impl<S> EachAccount<S> {
    pub(super) fn new(accounts: Arc<Accounts>, serve: impl Fn(Arc<Account>) -> S) -> Self {
        let (home, sub) = (serve(accounts.home.clone()), accounts.sub.clone().map(&serve));
        EachAccount { accounts, home, sub }
    }
}

impl<S: Service> Service for EachAccount<S> {
    async fn answer(&self, request: Request) -> Response {
        match &self.sub {
            Some(sub) if self.accounts.signing_sub(&request).is_some() => sub.answer(request).await,
            _ => self.home.answer(request).await,
        }
    }
}

/// The world with everything out of it that is not present, and with the ids that a description does not give.
pub(super) fn open_tenant(mut world: AzureWorld) -> SharedState<AzureWorld> {
    world.apps.retain(|_, app| app.present);
    let now = now();
    world.vault.roles.retain(|_, assignment| assignment.present);
    world.vault.roles.values_mut().for_each(|assignment| assignment.created_at = now - assignment.age_s);
    for (name, app) in &mut world.apps {
        app.registration_id = random_uuid();
        app.created_at = now - app.age_s;
        if app.display_name.is_empty() {
            app.display_name.clone_from(name);
        }
        app.credentials.retain(|_, credential| credential.present);
        app.credentials.values_mut().for_each(|credential| credential.id = random_uuid());
        app.client_secrets.iter_mut().for_each(|secret| secret.key_id = random_uuid());
    }
    SharedState::new(world)
}

/// Why a bearer token proves nobody.
pub(super) enum Rejection {
    /// There is none.
    Missing,
    /// It is not Entra's, or too old.
    Invalid,
    /// It is for another service.
    OtherAudience,
}

/// The holder of the request's token, which must be for one of the audiences.
pub(super) fn bearer(request: &Request, tokens: &AccessTokens, audiences: &[&str]) -> Result<Claims, Rejection> {
    let token = request.header("authorization").strip_prefix("Bearer ").ok_or(Rejection::Missing)?;
    let claims = tokens.read(token).filter(|claims| claims.exp > now()).ok_or(Rejection::Invalid)?;
    if audiences.contains(&claims.aud.trim_end_matches('/')) { Ok(claims) } else { Err(Rejection::OtherAudience) }
}

/// How Graph and Resource Manager hand lists out: so many entries a page, with the address of the next one.
pub(super) struct Pages {
    azure: Arc<SharedState<AzureWorld>>,
    url: String,
    /// Reads that were refused for having been asked too often.
    refused: AtomicU32,
}

impl Pages {
    pub(super) fn new(azure: Arc<SharedState<AzureWorld>>, url: String) -> Self {
        Pages { azure, url, refused: AtomicU32::new(0) }
    }

    /// Whether this request is one too many.
    pub(super) fn is_too_often(&self, request: &Request) -> bool {
        let most = self.azure.now().throttled_reads;
        let counted = |refused: u32| (refused < most).then_some(refused + 1);
        request.method == Method::GET
            && self.refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_ok()
    }

    /// The page of `entries` that is asked for; `link` is what the address of the next one is called.
    pub(super) fn page(&self, request: &Request, entries: Vec<Value>, link: &str) -> Value {
        let size = self.azure.now().page_size.unwrap_or(usize::MAX).max(1);
        let skipped = request.parameter(SKIP).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let next = skipped.saturating_add(size);
        let mut page = json!({});
        if next < entries.len() {
            let kept = form_urlencoded::parse(request.query.as_bytes()).filter(|(name, _)| name != SKIP);
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(kept).append_pair(SKIP, &next.to_string());
            page[link] = format!("{}{}?{}", self.url, request.path, query.finish()).into();
        }
        page["value"] = entries.into_iter().skip(skipped).take(size).collect();
        page
    }
}

const SKIP: &str = "$skiptoken";
