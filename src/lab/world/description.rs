//! The description of a world: every key of the format, with its default.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::WorldError;
use super::azure::{AzureProfile, AzureWorld};
use super::deployment::{DeploymentProfile, DeploymentWorld};
use crate::lab::keys;

const DECADE_S: i64 = 10 * 366 * 86_400;
pub(super) const MAX_DELAY_MS: u64 = 600_000;
const MAX_COPIES: u32 = 1000;

/// A whole world.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Description {
    pub name: String,
    /// What the scenario teaches, in a line.
    pub title: String,
    /// The setup guide that the profile follows.
    pub guide: String,
    /// The cause that a check must name first; none in a world without a fault.
    pub expects: Option<String>,
    /// The verdict that a rotation and a kickoff lead to.
    pub rotation: Option<String>,
    pub issuer: IssuerWorld,
    pub token: TokenWorld,
    pub aws: AwsWorld,
    pub azure: AzureWorld,
    pub deployment: DeploymentWorld,
    pub profile: ProfileWorld,
}

/// The platform's host: what it publishes and how it answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerWorld {
    /// The `issuer` of the discovery document.
    pub url: String,
    /// The `jwks_uri` of the discovery document.
    pub jwks_uri: String,
    pub discovery_status: u16,
    /// Sent instead of the discovery document.
    pub discovery_body: Option<String>,
    /// Fields left out of the discovery document.
    pub discovery_without: Vec<String>,
    pub jwks_status: u16,
    /// Sent instead of the key set.
    pub jwks_body: Option<String>,
    /// The published keys; the six default ones where the list is absent.
    pub jwks: Option<Vec<PublishedKey>>,
    pub redirect: Redirect,
    pub certificate: Certificate,
    /// Wait before the slow documents are sent, milliseconds.
    pub delay_ms: u64,
    /// Which documents that is.
    pub slow: Slow,
    /// Seconds the platform's clock is ahead of the clouds'.
    pub clock_offset_s: i64,
}

/// A key in the issuer's key set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PublishedKey {
    /// Which of the lab's keys.
    pub key: String,
    /// Members added to the JSON Web Key, or put in place of its own.
    pub set: Map<String, Value>,
    /// Members left out of it.
    pub without: Vec<String>,
    /// How many more times it is published, each under a `kid` of its own.
    pub copies: u32,
    /// Publishes a changed modulus, or point, under this key's name.
    pub corrupt: bool,
}

/// Which of the issuer's documents answer with a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    #[default]
    None,
    Discovery,
    Jwks,
}

/// Which of the issuer's documents come late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slow {
    #[default]
    Both,
    Discovery,
    Jwks,
}

/// The kind of certificate that the issuer's host shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    #[default]
    Valid,
    Expired,
    NotYetValid,
    OtherName,
    SelfSigned,
}

/// The token that the platform hands to the workload.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenWorld {
    /// Which of the lab's keys signs.
    pub key: String,
    /// Members of the header, beside or in place of `alg`, `kid`, `typ`.
    pub header: Map<String, Value>,
    /// The claims; `iat` and `exp` come from the two ages unless they stand here.
    pub claims: Map<String, Value>,
    /// Claims left out, the two times included.
    pub without: Vec<String>,
    /// Seconds since the token was issued, by the platform's clock.
    pub age_s: i64,
    /// Seconds from `iat` to `exp`.
    pub lifetime_s: i64,
    /// Seconds from `iat` to `nbf`; no `nbf` where absent.
    pub not_before_s: Option<i64>,
    /// Given instead of a token.
    pub text: Option<String>,
}

/// One AWS account, as far as the handshake meets it. Other accounts exist only as numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsWorld {
    pub account: String,
    /// The region where things are unless they say otherwise.
    pub region: String,
    pub providers: BTreeMap<String, Provider>,
    pub roles: BTreeMap<String, Role>,
    pub users: BTreeMap<String, User>,
    /// Managed policies, by name.
    pub policies: BTreeMap<String, ManagedPolicy>,
    pub keys: BTreeMap<String, KmsKey>,
    pub secrets: BTreeMap<String, Secret>,
}

impl AwsWorld {
    /// A role's ARN.
    pub fn role_arn(&self, name: &str, role: &Role) -> String {
        format!("arn:aws:iam::{}:role{}{name}", self.account, role.path)
    }

    /// A managed policy's ARN.
    pub fn policy_arn(&self, name: &str, policy: &ManagedPolicy) -> String {
        format!("arn:aws:iam::{}:policy{}{name}", self.account, policy.path)
    }

    /// A provider's ARN: the URL without its scheme is the name.
    pub fn provider_arn(&self, provider: &Provider) -> String {
        let name = provider.url.strip_prefix("https://").unwrap_or(&provider.url);
        format!("arn:aws:iam::{}:oidc-provider/{name}", self.account)
    }
}

/// An IAM OIDC identity provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provider {
    pub present: bool,
    pub url: String,
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, forty hexadecimal digits each.
    pub thumbprints: Vec<String>,
    /// Seconds since the epoch.
    #[serde(skip)]
    pub created_at: i64,
}

/// An IAM role.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Role {
    pub present: bool,
    /// `/`, or `/a/b/`.
    pub path: String,
    pub trust_policy: Policy,
    /// The identity policies, by name.
    pub policies: BTreeMap<String, Policy>,
    /// The managed policies attached to it, by name.
    pub attached: Vec<String>,
    pub max_session_duration_s: u32,
    /// Seconds after the lab's start at which STS learns of the role.
    pub effective_after_s: u64,
    /// Its unique id, made at start.
    #[serde(skip)]
    pub id: String,
    /// Seconds since the epoch.
    #[serde(skip)]
    pub created_at: i64,
}

/// A managed policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ManagedPolicy {
    /// `/`, or `/a/b/`.
    pub path: String,
    pub document: Policy,
}

/// An IAM user with one access key.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct User {
    pub present: bool,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub policies: BTreeMap<String, Policy>,
    /// The managed policies attached to it, by name.
    pub attached: Vec<String>,
    /// Its unique id, made at start.
    #[serde(skip)]
    pub id: String,
    /// Seconds since the epoch.
    #[serde(skip)]
    pub created_at: i64,
}

/// A customer key in KMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct KmsKey {
    pub id: String,
    pub region: Option<String>,
    pub policy: Policy,
    pub state: KeyState,
}

/// The state of a customer key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    #[default]
    Enabled,
    Disabled,
    PendingDeletion,
}

/// A secret in Secrets Manager.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Secret {
    pub present: bool,
    /// Its name, where that is not its name in this world: a region has a name once, the world too.
    pub name: Option<String>,
    pub region: Option<String>,
    /// The six characters at the end of the ARN.
    pub suffix: String,
    /// The customer key that encrypts it, by its name in this world; the account's default key where absent.
    pub kms_key: Option<String>,
    pub versions: Vec<SecretVersion>,
    /// Days since it was marked for deletion.
    pub deleted_days_ago: Option<u32>,
    pub resource_policy: Option<Policy>,
    /// The function that rotates it.
    pub rotation_function: Option<RotationFunction>,
}

/// What a rotation's function does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationFunction {
    Works,
    /// It leaves its version pending, without a value.
    Fails,
}

/// A version of a secret.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretVersion {
    pub id: Option<String>,
    pub stages: Vec<String>,
    /// A rotation that failed can leave a version without a value.
    #[serde(deserialize_with = "super::azure::optional_secret_text")]
    pub value: Option<SecretString>,
}

pub(super) fn secret_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion").field("id", &self.id).field("stages", &self.stages).finish_non_exhaustive()
    }
}

/// What the user's profile holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProfileWorld {
    pub issuer_url: String,
    pub organization: String,
    pub role_arn: String,
    /// The role of the second hop.
    pub target_role_arn: Option<String>,
    pub external_id: Option<String>,
    /// The access key that the static guides' user has at hand.
    pub access_key: AccessKeyWorld,
    pub region: String,
    /// A secret's name, `name#key`, or ARN.
    pub secret: String,
    /// The length of the session that is asked for, seconds.
    pub session_duration_s: Option<u32>,
    /// The trust policy the user has at hand; the role's own where absent, none where empty.
    pub trust_policy: Option<Policy>,
    /// The permissions policy the user has at hand; the role's own where absent, none where empty.
    pub identity_policy: Option<Policy>,
    pub azure: AzureProfile,
    pub deployment: DeploymentProfile,
}

/// An access key as the console hands it over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AccessKeyWorld {
    /// Empty where there is none.
    pub id: String,
    #[serde(deserialize_with = "secret_text")]
    pub secret: SecretString,
}

/// A policy document, written as a text or as the document itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Policy {
    /// JSON text.
    Text(String),
    /// The document.
    Document(Map<String, Value>),
}

impl Policy {
    /// The document's text; empty where there is none.
    pub fn text(&self) -> String {
        match self {
            Policy::Text(text) => text.clone(),
            Policy::Document(map) => serde_json::to_string(map).unwrap_or_default(),
        }
    }

    /// The document, where the text is a JSON object.
    pub fn document(&self) -> Option<Map<String, Value>> {
        match self {
            Policy::Text(text) => serde_json::from_str(text).ok(),
            Policy::Document(map) => Some(map.clone()),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy::Text(String::new())
    }
}

impl Default for Provider {
    fn default() -> Self {
        Provider { present: true, url: String::new(), client_ids: Vec::new(), thumbprints: Vec::new(), created_at: 0 }
    }
}

impl Default for Role {
    fn default() -> Self {
        Role {
            present: true,
            path: "/".into(),
            trust_policy: Policy::default(),
            policies: BTreeMap::new(),
            attached: Vec::new(),
            max_session_duration_s: 3600,
            effective_after_s: 0,
            id: String::new(),
            created_at: 0,
        }
    }
}

impl Default for ManagedPolicy {
    fn default() -> Self {
        ManagedPolicy { path: "/".into(), document: Policy::default() }
    }
}

impl Default for User {
    fn default() -> Self {
        User {
            present: true,
            access_key_id: String::new(),
            secret_access_key: String::new(),
            policies: BTreeMap::new(),
            attached: Vec::new(),
            id: String::new(),
            created_at: 0,
        }
    }
}

impl Default for Secret {
    fn default() -> Self {
        Secret {
            present: true,
            name: None,
            region: None,
            suffix: "a1B2c3".into(),
            kms_key: None,
            versions: Vec::new(),
            deleted_days_ago: None,
            resource_policy: None,
            rotation_function: None,
        }
    }
}

impl Description {
    /// Refuses what no world can be made of.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        let wrong = |at: String, problem: &str| Err(WorldError::Value { at, problem: problem.to_owned() });
        let known_key = |name: &str| keys::NAMES.contains(&name);
        let key_names = format!("is not one of the lab's keys; write one of {}", keys::NAMES.join(", "));
        if self.aws.account.len() != 12 || !self.aws.account.bytes().all(|b| b.is_ascii_digit()) {
            return wrong("aws.account".into(), "is no account id; write twelve digits");
        }
        if self.aws.region.is_empty() {
            return wrong("aws.region".into(), "is empty; write a region such as us-east-1");
        }
        if !known_key(&self.token.key) {
            return wrong("token.key".into(), &key_names);
        }
        for published in self.issuer.jwks.iter().flatten() {
            if !known_key(&published.key) {
                return wrong(format!("issuer.jwks: key `{}`", published.key), &key_names);
            }
        }
        for (at, status) in
            [("issuer.discovery-status", self.issuer.discovery_status), ("issuer.jwks-status", self.issuer.jwks_status)]
        {
            if !(200..600).contains(&status) {
                return wrong(at.into(), "is no HTTP status; write a number from 200 to 599");
            }
        }
        for (at, seconds) in [
            ("issuer.clock-offset-s", self.issuer.clock_offset_s),
            ("token.age-s", self.token.age_s),
            ("token.lifetime-s", self.token.lifetime_s),
        ] {
            if !(-DECADE_S..=DECADE_S).contains(&seconds) {
                return wrong(at.into(), "is more than ten years; write fewer seconds");
            }
        }
        if self.issuer.delay_ms > MAX_DELAY_MS {
            return wrong("issuer.delay-ms".into(), "is more than ten minutes; write 600000 or less");
        }
        if self.issuer.jwks.iter().flatten().any(|published| published.copies > MAX_COPIES) {
            return wrong("issuer.jwks: copies".into(), "is too many; write 1000 or less");
        }
        self.check_policies()?;
        self.azure.check()?;
        self.deployment.check()?;
        for (name, secret) in &self.aws.secrets {
            if let Some(key) = secret.kms_key.as_ref().filter(|key| !self.aws.keys.contains_key(*key)) {
                let problem = format!("names the key `{key}`, which is not in aws.keys");
                return wrong(format!("aws.secrets.{name}.kms-key"), &problem);
            }
        }
        Ok(())
    }

    fn check_policies(&self) -> Result<(), WorldError> {
        let mut policies = Vec::new();
        for (name, role) in &self.aws.roles {
            policies.push((format!("aws.roles.{name}.trust-policy"), &role.trust_policy));
            for (policy, document) in &role.policies {
                policies.push((format!("aws.roles.{name}.policies.{policy}"), document));
            }
        }
        for (name, key) in &self.aws.keys {
            policies.push((format!("aws.keys.{name}.policy"), &key.policy));
        }
        for (name, secret) in &self.aws.secrets {
            policies.extend(secret.resource_policy.iter().map(|p| (format!("aws.secrets.{name}.resource-policy"), p)));
        }
        for (at, policy) in policies {
            if !policy.text().is_empty() && policy.document().is_none() {
                return Err(WorldError::Value { at, problem: "is not a JSON object; write a policy document".into() });
            }
        }
        Ok(())
    }
}
