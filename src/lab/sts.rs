//! The Security Token Service: AWS's Query protocol in, XML out.

mod assume_role;
mod caller_identity;
mod fetch;
mod roles_claim;
mod tags;
mod token;
mod verification;
mod web_identity;

use std::sync::Arc;

pub(super) use fetch::Fetcher;

use super::accounts::Accounts;
use super::clock::now;
use super::fault::Fault;
use super::query::{Element, Outcome, Protocol};
use super::server::{Answer, Received, Service};
use super::session::Credentials;
use crate::domain::timestamp::rfc3339;

const QUERY: Protocol =
    Protocol { service: "sts", version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };

/// The STS of one lab; one endpoint serves all regions.
pub(super) struct Sts {
    accounts: Arc<Accounts>,
    fetcher: Fetcher,
}

impl Sts {
    pub(super) fn new(accounts: Arc<Accounts>, fetcher: Fetcher) -> Self {
        Sts { accounts, fetcher }
    }

    async fn act(&self, request: &Received) -> Result<Outcome, Fault> {
        let parameters = QUERY.read(request)?;
        match parameters.get("Action") {
            Some("AssumeRoleWithWebIdentity") => self.assume_role_with_web_identity(&parameters).await,
            Some("GetCallerIdentity") => self.get_caller_identity(request),
            Some("AssumeRole") => self.assume_role(request, &parameters),
            _ => Err(QUERY.unknown_action(&parameters)),
        }
    }

    /// The `Credentials` element.
    fn credentials(credentials: &Credentials) -> Element {
        use secrecy::ExposeSecret as _;
        Element::of(
            "Credentials",
            vec![
                Element::text("AccessKeyId", credentials.access_key_id.clone()),
                Element::text("SecretAccessKey", credentials.secret_access_key.expose_secret().to_owned()),
                Element::text("SessionToken", credentials.session_token.expose_secret().to_owned()),
                Element::text("Expiration", rfc3339(credentials.expires).unwrap_or_default()),
            ],
        )
    }
}

impl Service for Sts {
    async fn answer(&self, request: Received) -> Answer {
        QUERY.answer(self.act(&request).await)
    }
}
