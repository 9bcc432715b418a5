//! The accounts behind one endpoint: a request belongs to the account whose key signed it.

use std::sync::Arc;

use super::LabError;
use super::server::{Answer, Received, Service};
use super::session::Account;
use super::world::AwsWorld;

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
    pub(super) fn of_signer(&self, request: &Received) -> &Arc<Account> {
        self.signing_sub(request).unwrap_or(&self.home)
    }

    fn signing_sub(&self, request: &Received) -> Option<&Arc<Account>> {
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
    async fn answer(&self, request: Received) -> Answer {
        match &self.sub {
            Some(sub) if self.accounts.signing_sub(&request).is_some() => sub.answer(request).await,
            _ => self.home.answer(request).await,
        }
    }
}
