//! Google Cloud: the token service, the credentials of service accounts, Secret Manager, and what an operator reads and
//! changes: pools, providers, policies, the audit log. Each has an address of its own, as it has at Google.

mod access;
mod account_keys;
mod audit;
mod credentials;
mod denies;
mod error;
mod exchange;
mod policies;
mod pools;
mod project;
mod secrets;
mod service_accounts;
mod services;
mod token;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use rustls::ServerConfig;
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::LabError;
use super::fetcher::Fetcher;
use super::journal::Journal;
use super::keys::Keys;
use super::server::{Port, ServerOptions, now};
use super::world::SharedState;
use super::world::{GoogleKeyFile, GoogleWorld};
use crate::domain::pool_name::ProviderName;
use access::{AccessTokens, Api};
use audit::AuditLog;
use exchange::Exchange;
use project::{Caller, Project, Resource, pool_name};
use token::TokenEndpoint;

/// How long an operator's token is good for, in seconds: as long as a lab is likely to run.
const OPERATORS_LIFETIME: i64 = 86_400;

/// What the services share.
struct Cloud {
    project: SharedState<Project>,
    tokens: AccessTokens,
    audit: AuditLog,
    /// Where what a service account's key has signed is taken.
    token_uri: String,
    journal: Journal,
    /// Reads of the operator's that were refused for having been asked too often.
    refused_reads: AtomicU32,
}

/// The addresses of the services, before they answer.
pub(super) struct Ports {
    oauth2: Port,
    sts: Port,
    iamcredentials: Port,
    secretmanager: Port,
    iam: Port,
    resource_manager: Port,
    logging: Port,
    services: Port,
}

/// Where the services are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GoogleUrls {
    /// The token endpoint's host.
    #[serde(rename = "google_oauth2")]
    pub oauth2: String,
    #[serde(rename = "google_sts")]
    pub sts: String,
    pub iamcredentials: String,
    /// The global host of Secret Manager, and the regions' own.
    #[serde(rename = "google_secretmanager")]
    pub secretmanager: String,
    #[serde(rename = "google_iam")]
    pub iam: String,
    #[serde(rename = "google_resource_manager")]
    pub resource_manager: String,
    #[serde(rename = "google_logging")]
    pub logging: String,
    #[serde(rename = "google_serviceusage")]
    pub services: String,
}

impl Ports {
    pub(super) fn bind() -> Result<Self, LabError> {
        Ok(Ports {
            oauth2: Port::bind()?,
            sts: Port::bind()?,
            iamcredentials: Port::bind()?,
            secretmanager: Port::bind()?,
            iam: Port::bind()?,
            resource_manager: Port::bind()?,
            logging: Port::bind()?,
            services: Port::bind()?,
        })
    }

    pub(super) fn urls(&self) -> GoogleUrls {
        GoogleUrls {
            oauth2: self.oauth2.url(),
            sts: self.sts.url(),
            iamcredentials: self.iamcredentials.url(),
            secretmanager: self.secretmanager.url(),
            iam: self.iam.url(),
            resource_manager: self.resource_manager.url(),
            logging: self.logging.url(),
            services: self.services.url(),
        }
    }

    /// Serves from all of them.
    pub(super) fn serve(
        self,
        google: &Google,
        tls: &Arc<ServerConfig>,
        manner: &ServerOptions,
        stop: &watch::Receiver<()>,
    ) -> Result<Vec<JoinHandle<()>>, LabError> {
        let exchange = Arc::new(Exchange::new(google.cloud.clone(), google.fetcher.clone()));
        let endpoint = Arc::new(TokenEndpoint::new(google.cloud.clone()));
        let mut servers = vec![
            self.sts.serve(tls.clone(), exchange, manner.clone(), stop.clone())?,
            self.oauth2.serve(tls.clone(), endpoint, manner.clone(), stop.clone())?,
        ];
        let services = [
            (self.iamcredentials, credentials::SERVICE),
            (self.secretmanager, secrets::SERVICE),
            (self.iam, pools::SERVICE),
            (self.resource_manager, policies::SERVICE),
            (self.logging, audit::SERVICE),
            (self.services, services::SERVICE),
        ];
        for (port, service) in services {
            let api = Arc::new(Api::new(google.cloud.clone(), service));
            servers.push(port.serve(tls.clone(), api, manner.clone(), stop.clone())?);
        }
        Ok(servers)
    }
}

/// The Google of one lab.
pub(super) struct Google {
    cloud: Arc<Cloud>,
    fetcher: Fetcher,
}

impl Google {
    /// The Google of a world; `places` is where its services will be, and `ahead_s` how far its clocks are ahead.
    pub(super) fn new(
        world: &GoogleWorld,
        keys: &Keys,
        fetcher: Fetcher,
        places: &GoogleUrls,
        ahead_s: i64,
    ) -> Result<Self, LabError> {
        let project = SharedState::new(Project::open(world, keys, now() + ahead_s));
        let tokens = AccessTokens::new()?;
        let (audit, journal, refused_reads) = (AuditLog::default(), Journal::default(), AtomicU32::new(0));
        let token_uri = format!("{}/token", places.oauth2);
        let cloud = Cloud { project, tokens, audit, token_uri, journal, refused_reads };
        Ok(Google { cloud: Arc::new(cloud), fetcher })
    }

    /// A provider as the IAM API describes it.
    pub(super) fn provider_json(&self, name: &str) -> Option<String> {
        let parsed = ProviderName::parse(name)?;
        let project = self.cloud.project.now();
        let provider = project.pools.get(&parsed.pool)?.providers.get(&parsed.provider)?;
        let full = format!("{}/providers/{}", pool_name(&project.number, &parsed.pool), parsed.provider);
        Some(format!("{:#}\n", provider.described(&full)))
    }

    /// The policy of the project.
    pub(super) fn policy_json(&self) -> String {
        let policy = policies::policy_json(&self.cloud.project.now().policy(&Resource::Project));
        format!("{policy:#}\n")
    }

    /// The file that the user of a key has.
    pub(super) fn key_file(&self, own: &GoogleKeyFile, keys: &Keys) -> Option<SecretString> {
        if let Some(text) = &own.text {
            return Some(text.clone().into());
        }
        let pem = keys.private_pem(&own.key)?;
        let project = &self.cloud.project.now().id;
        let file = account_keys::file(project, &own.account, &own.id, &pem, &self.cloud.token_uri);
        Some(format!("{file:#}\n").into())
    }

    /// An access token of a person, as signing in would give one.
    pub(super) fn sign_in(&self, address: &str, ahead_s: i64) -> SecretString {
        let expires = now() + ahead_s + OPERATORS_LIFETIME;
        self.cloud.tokens.issue(Caller::User(format!("user:{address}")), access::ALL, expires)
    }
}
