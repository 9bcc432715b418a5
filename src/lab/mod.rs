//! The embedded cloud on loopback.
//!
//! An issuer, STS, Secrets Manager with KMS and IAM, Entra, Key Vault, Google Cloud and a deployment, over TLS from an authority made
//! at start, on ports that the system chooses. It speaks the clouds' wire protocols and reads nothing but the wire: STS
//! fetches the issuer's documents, verifies signatures and evaluates the role's trust policy; Secrets Manager verifies
//! the request's signature and evaluates the caller's policies. What a scenario breaks is a thing in the [`World`],
//! never an answer.
//!
//! One liberty: its issuer has a port, which IAM would refuse.

mod accounts;
mod arm;
mod authority;
mod cloudtrail;
mod denials;
mod deployment;
mod entra;
mod fetcher;
mod google;
mod graph;
mod iam;
mod issuer;
mod journal;
mod json_protocol;
mod keys;
mod kms;
mod query;
mod secretsmanager;
mod server;
mod session;
mod sign_ins;
mod sigv4;
mod start;
mod sts;
mod toolbox;
mod trail;
mod vault;
pub mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use google::Google;
pub use google::GoogleUrls;
use keys::Keys;
use world::Description;
pub use world::{Scenario, TokenFrom, World, WorldError};

/// How a lab behaves, whatever its world.
#[derive(Clone, Debug, Default)]
pub struct LabOptions {
    /// Wait before every answer.
    pub delay: Duration,
    /// How long a connection may stay without a request; for ever where nothing is said, as a lab inside the program
    /// ends with it.
    pub idle_limit: Option<Duration>,
    /// Authorities that are trusted, beside the lab's own, where its clouds fetch the documents of issuers elsewhere.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl LabOptions {
    /// Trusts the authorities of a PEM file.
    ///
    /// # Errors
    /// Where a part of it is no certificate.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), LabError> {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.authorities.push(certificate.map_err(|_| LabError::Authorities)?);
        }
        if self.authorities.is_empty() { Err(LabError::Authorities) } else { Ok(()) }
    }
}

/// Why a lab could not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Authorities that cannot be read.
    #[error("it holds no certificate; name a PEM file with the authority's certificate")]
    Authorities,
    /// No port on loopback.
    #[error("no port on 127.0.0.1 could be opened: {0}")]
    Bind(std::io::Error),
    /// The authority or its certificates could not be made.
    #[error("the lab's certificates could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS would not take the certificates.
    #[error("the lab's TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// Keys could not be made or would not sign.
    #[error("the lab's keys could not be made or used")]
    Keys,
    /// The world makes no sense.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// Where the lab's services listen, and what to ask them for. A service that the lab does not have is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoints {
    pub issuer: String,
    pub sts: String,
    pub iam: String,
    pub secretsmanager: String,
    pub kms: String,
    pub cloudtrail: String,
    pub iam_toolbox: String,
    pub entra: Option<String>,
    pub vault: Option<String>,
    pub graph: String,
    pub arm: String,
    pub deployment: Option<String>,
    #[serde(flatten)]
    pub google: GoogleUrls,
}

/// What the user's profile holds in this world.
#[derive(Clone, Debug)]
pub struct LabProfile {
    pub guide: String,
    pub issuer_url: String,
    /// Empty where the profile names none.
    pub organization: String,
    /// Whose tokens are meant, by the profile's own keys.
    pub workload: BTreeMap<String, String>,
    pub token: world::TokenFrom,
    pub role_arn: String,
    pub target_role_arn: Option<String>,
    pub external_id: Option<String>,
    /// Id and secret, where the profile has a key at hand.
    pub access_key: Option<(String, SecretString)>,
    pub region: String,
    /// A secret's name, `name#key`, or ARN.
    pub secret: String,
    /// The length of the session that is asked for, seconds.
    pub session_duration_s: Option<u32>,
    /// The text of the trust policy that the user has at hand.
    pub trust_policy: Option<String>,
    /// The text of the permissions policy that the user has at hand.
    pub identity_policy: Option<String>,
    pub azure: LabAzure,
    pub google: LabGoogle,
    pub deployment: LabDeployment,
}

/// What the user's profile holds of the deployment in this world.
#[derive(Clone, Debug, Default)]
pub struct LabDeployment {
    /// `None` where the profile names no deployment.
    pub url: Option<String>,
    /// The bearer token that the user has.
    pub token: SecretString,
    /// The automation's variable that carries the secret.
    pub variable: String,
    /// The inputs of a kickoff, a JSON object's text.
    pub inputs: Option<String>,
}

/// What the user's profile holds of Azure in this world.
#[derive(Clone, Debug, Default)]
pub struct LabAzure {
    pub tenant_id: String,
    pub client_id: String,
    pub subscription_id: String,
    pub resource_group: String,
    /// The vault's name, which its address on loopback does not have.
    pub vault_name: String,
    /// `None` where the profile names no vault.
    pub vault_url: Option<String>,
    pub authority_host: String,
    pub scope: Option<String>,
    /// The federated credentials that the user has at hand, as `az ad app federated-credential list` prints them.
    pub federated_credential: Option<String>,
    /// Used in place of the workload's token.
    pub client_secret: Option<SecretString>,
}

/// What the user's profile holds of Google in this world.
#[derive(Clone, Debug, Default)]
pub struct LabGoogle {
    pub project_id: String,
    /// Empty where the profile names none.
    pub provider: String,
    /// What the provider allows in place of its own name.
    pub audience: Option<String>,
    pub location: Option<String>,
    /// The address of the service account that is impersonated, or that the key is of.
    pub service_account: Option<String>,
    /// The service account's key, as the file that its maker gets.
    pub key_file: Option<SecretString>,
    /// The provider that the user has at hand, as `gcloud … providers describe` prints it.
    pub provider_file: Option<String>,
    /// The project's policy that the user has at hand.
    pub iam_policy: Option<String>,
}

/// The keys of somebody who changes things in this world, in each cloud; no profile holds them.
#[derive(Clone, Debug, Default)]
pub struct LabOperator {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    pub client_id: String,
    pub client_secret: SecretString,
    /// An access token of Google's.
    pub google_token: SecretString,
}

/// A running lab. It serves on the runtime it was started on until it is shut down or dropped.
#[derive(Debug)]
pub struct Lab {
    pub endpoints: Endpoints,
    /// The authority's certificate, for clients to trust.
    pub ca_pem: String,
    /// The role, as the profile names it.
    pub role_arn: String,
    pub account: String,
    pub region: String,
    /// The secret, as the profile names it.
    pub secret: String,
    pub profile: LabProfile,
    pub operator: LabOperator,
    /// Whoever looks after the secrets: for rotating.
    pub secrets_admin: LabOperator,
    /// The scenario's name.
    pub scenario: String,
    mint: Mint,
    stop: watch::Sender<()>,
    servers: Vec<JoinHandle<()>>,
}

/// The platform's part: hands out workload tokens.
struct Mint {
    description: Description,
    keys: Arc<Keys>,
}

impl std::fmt::Debug for Mint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mint")
    }
}

impl Lab {
    /// A token as the platform hands it to the workload now.
    ///
    /// # Errors
    ///
    /// Where the key would not sign.
    pub fn workload_token(&self) -> Result<SecretString, LabError> {
        let now = server::now() + self.mint.description.clock_offset_s;
        issuer::workload_token(&self.mint.description, &self.mint.keys, now)
    }

    /// Stops accepting, lets requests under way finish, and returns when all is quiet.
    pub async fn shutdown(self) {
        drop(self.stop);
        for server in self.servers {
            let _ = server.await;
        }
    }
}

fn profile(world: &Description, google: &Google, keys: &Keys) -> LabProfile {
    let own = &world.profile;
    let role = own.role_arn.rsplit('/').next().and_then(|name| world.aws.roles.get(name));
    let at_hand = |given: &Option<world::Policy>, of_role: Option<String>| {
        let text = given.as_ref().map_or_else(|| of_role.unwrap_or_default(), world::Policy::text);
        (!text.trim().is_empty()).then_some(text)
    };
    LabProfile {
        guide: world.guide.clone(),
        issuer_url: own.issuer_url.clone(),
        organization: own.organization.clone(),
        workload: own.workload.clone(),
        token: own.token,
        role_arn: own.role_arn.clone(),
        target_role_arn: own.target_role_arn.clone(),
        external_id: own.external_id.clone(),
        access_key: (!own.access_key.id.is_empty()).then(|| (own.access_key.id.clone(), own.access_key.secret.clone())),
        region: own.region.clone(),
        secret: own.secret.clone(),
        session_duration_s: own.session_duration_s,
        trust_policy: at_hand(&own.trust_policy, role.map(|role| role.trust_policy.text())),
        identity_policy: at_hand(
            &own.identity_policy,
            role.and_then(|role| role.policies.values().next()).map(world::Policy::text),
        ),
        azure: azure_profile(world),
        google: google_profile(world, google, keys),
        deployment: deployment_profile(world),
    }
}

fn deployment_profile(world: &Description) -> LabDeployment {
    let own = &world.profile.deployment;
    LabDeployment {
        url: (!own.url.is_empty()).then(|| own.url.clone()),
        token: own.token.clone().unwrap_or_else(|| world.deployment.token.clone()),
        variable: world.deployment.variable.clone(),
        inputs: own.inputs.as_ref().map(|inputs| serde_json::Value::Object(inputs.clone()).to_string()),
    }
}

fn google_profile(world: &Description, google: &Google, keys: &Keys) -> LabGoogle {
    let own = &world.profile.google;
    let at_hand =
        |given: &Option<String>, real: Option<String>| given.clone().or(real).filter(|text| !text.trim().is_empty());
    LabGoogle {
        audience: own.audience.clone(),
        provider_file: at_hand(&own.provider_file, google.provider_json(&own.provider)),
        iam_policy: at_hand(&own.iam_policy, Some(google.policy_json())),
        project_id: own.project_id.clone(),
        provider: own.provider.clone(),
        location: own.location.clone(),
        service_account: own.service_account.clone(),
        key_file: own.key_file.as_ref().and_then(|own| google.key_file(own, keys)),
    }
}

/// The keys of the user and of the application of this name, and a token of the person.
fn keys_of(world: &Description, google: &Google, name: &str) -> LabOperator {
    let user = world.aws.users.get(name).filter(|user| user.present);
    let app = world.azure.apps.get(name).filter(|app| app.present);
    let secret = app.and_then(|app| app.client_secrets.first()).map(|secret| secret.value.clone());
    LabOperator {
        access_key_id: user.map(|user| user.access_key_id.clone()).unwrap_or_default(),
        secret_access_key: user.map(|user| user.secret_access_key.clone().into()).unwrap_or_default(),
        client_id: app.map(|app| app.client_id.clone()).unwrap_or_default(),
        client_secret: secret.unwrap_or_default(),
        google_token: google.sign_in(&format!("{name}@example.com"), world.clock_offset_s),
    }
}

fn azure_profile(world: &Description) -> LabAzure {
    let own = &world.profile.azure;
    let filled = |text: &String| (!text.trim().is_empty()).then(|| text.clone());
    // The user looks at the application itself, also where the profile names another one.
    let app = world.azure.app(&own.client_id).or_else(|| world.azure.apps.values().next());
    let at_hand = own.federated_credential.clone().or_else(|| app.map(world::App::credentials_json));
    LabAzure {
        tenant_id: own.tenant_id.clone(),
        client_id: own.client_id.clone(),
        subscription_id: world.azure.subscription_id.clone(),
        resource_group: world.azure.resource_group.clone(),
        vault_name: world.azure.vault.name.clone(),
        vault_url: filled(&own.vault_url),
        authority_host: own.authority_host.clone(),
        scope: own.scope.clone(),
        federated_credential: at_hand.as_ref().and_then(filled),
        client_secret: own.client_secret.clone(),
    }
}
