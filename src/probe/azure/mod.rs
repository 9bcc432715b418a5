//! Azure: exchange the token (or a client secret) at Entra, list a vault's secrets, read one. One attempt a call,
//! through the vendor's SDK over the one HTTP stack.

mod exchange;
mod operator;
mod side;
mod tenant;
mod transport;
mod vault;

use http::header::WWW_AUTHENTICATE;
use serde_json::Value;
use url::Url;

use super::http as stack;
use super::http::HttpStack;
use crate::check::facts::azure::{SubscriptionFact, SubscriptionSeen};
use crate::check::facts::secret::{Answer, Call};
use crate::domain::keyvault::Challenge;
use crate::domain::profile::AzureSettings;
pub use exchange::{AzureSession, Proof};
pub use operator::CliRefusal;
pub use side::OperatorSession;

/// Where to call and as whom.
#[derive(Clone, Debug)]
pub struct AzureTarget {
    http: HttpStack,
    tenant_id: String,
    client_id: String,
    authority: String,
    scope: String,
    /// Whether the profile names the scope: then the vault is given that token, whatever it asks for.
    scope_is_chosen: bool,
    vault_url: Option<Url>,
}

impl AzureTarget {
    /// The target of a profile; `None` where it names no directory or application.
    ///
    /// The authority is the profile's, else that of the vault's cloud, else the public one's. The scope is the
    /// profile's, else that of the vault's cloud, else that of the authority's.
    pub fn new(http: HttpStack, settings: &AzureSettings) -> Option<Self> {
        Some(AzureTarget {
            http,
            tenant_id: settings.tenant_id.clone()?,
            client_id: settings.client_id.clone()?,
            authority: settings.effective_authority(),
            scope: settings.effective_scope(),
            scope_is_chosen: settings.scope.is_some(),
            vault_url: settings.vault_url.as_deref().and_then(|url| Url::parse(url).ok()),
        })
    }

    /// The same place for another application: an operator's.
    #[must_use]
    pub fn as_application(&self, client_id: &str) -> Self {
        AzureTarget { client_id: client_id.to_owned(), ..self.clone() }
    }
}

/// Asks for the subscription of a profile; `None` where it names none.
pub async fn subscription(http: &HttpStack, settings: &AzureSettings) -> Option<SubscriptionFact> {
    let subscription = settings.subscription_id.clone()?;
    let url = settings.subscription_url()?;
    let client = http.client();
    let observed = client.get(url, &[], stack::ANSWER_LIMIT).await;
    let failure = observed.exchange.failure.clone();
    let answer = match (&observed.answer, failure) {
        (Some(answer), _) => read(answer),
        (None, Some(failure)) => Answer::Network { failure },
        (None, None) => Answer::Unreadable { http_status: observed.exchange.status, detail: "no answer".into() },
    };
    let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: Some(observed.exchange) };
    Some(SubscriptionFact { subscription, call })
}

fn read(answer: &stack::Answer) -> Answer<SubscriptionSeen> {
    let header = answer.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let tenant = header.and_then(Challenge::parse).and_then(|challenge| challenge.tenant);
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    match (answer.status.as_u16(), tenant, code) {
        (401, Some(tenant), _) => Answer::Granted(SubscriptionSeen::Of { tenant }),
        (404, _, Some("SubscriptionNotFound")) => Answer::Granted(SubscriptionSeen::Nowhere),
        (status, ..) => Answer::Unreadable {
            http_status: Some(status),
            detail: "it does not say whose directory the subscription is of".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::probe::http::{HttpSettings, ProxyUse};

    #[test]
    fn the_vaults_cloud_decides_authority_and_scope() {
        let http = HttpStack::new(&HttpSettings {
            ca_pem: None,
            ca_of_clients: Vec::new(),
            timeout: Duration::from_secs(1),
            proxy: ProxyUse::None,
        })
        .unwrap();
        let target = |vault: Option<&str>, authority: Option<&str>, scope: Option<&str>| {
            let settings = AzureSettings {
                tenant_id: Some("t".into()),
                client_id: Some("c".into()),
                vault_url: vault.map(str::to_owned),
                authority_host: authority.map(str::to_owned),
                scope: scope.map(str::to_owned),
                ..AzureSettings::default()
            };
            let target = AzureTarget::new(http.clone(), &settings).unwrap();
            (target.authority, target.scope)
        };
        let pair = |authority: &str, scope: &str| (authority.to_owned(), scope.to_owned());
        let public = pair("https://login.microsoftonline.com", "https://vault.azure.net/.default");
        assert_eq!(target(None, None, None), public);
        assert_eq!(target(Some("https://v.vault.azure.net"), None, None), public);
        assert_eq!(
            target(Some("https://v.vault.azure.cn"), None, None),
            pair("https://login.chinacloudapi.cn", "https://vault.azure.cn/.default")
        );
        assert_eq!(
            target(Some("https://127.0.0.1:1"), Some("https://login.microsoftonline.us"), None),
            pair("https://login.microsoftonline.us", "https://vault.usgovcloudapi.net/.default")
        );
        assert_eq!(target(None, Some("https://127.0.0.1:2"), Some("x")), pair("https://127.0.0.1:2", "x"));
        assert!(AzureTarget::new(http, &AzureSettings::default()).is_none());
    }
}
