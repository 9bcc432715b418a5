//! The AWS part of a world: one account with its identity provider, roles, users, policies, KMS keys and secrets.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::WorldError;
use super::values::wrong;

/// One AWS account, as far as the handshake meets it. Accounts that a world does not describe exist only as numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsWorld {
    pub account: String,
    /// The region where things are unless they say otherwise.
    pub region: String,
    /// How long an event is on its way until CloudTrail shows it; several minutes at AWS.
    pub events_after_s: u64,
    /// How long after a denial of Secrets Manager its details can be looked up; where it is not said, denials carry no
    /// authorization id.
    pub authorization_details_after_s: Option<u64>,
    /// So many reads of IAM are refused at first, for having been asked too often.
    pub throttled_reads: u32,
    /// How many items of a list IAM gives at a time, where a call does not say; 100 where it is not said here either.
    pub page_size: Option<usize>,
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
    /// The trust policy that STS goes by until it learns of the one that IAM has.
    pub former_trust_policy: Option<Policy>,
    /// Seconds after the lab's start at which STS learns of it.
    pub trust_effective_after_s: u64,
    /// The identity policies, by name.
    pub policies: BTreeMap<String, Policy>,
    /// The managed policies attached to it, by name.
    pub attached: Vec<String>,
    /// The managed policy that bounds what its policies may grant, by name.
    pub boundary: Option<String>,
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
    /// The document of its default version.
    pub document: Policy,
    /// The number of its default version.
    #[serde(skip)]
    pub default_version: u32,
    /// Its other versions, by number.
    #[serde(skip)]
    pub other_versions: BTreeMap<u32, Policy>,
}

impl ManagedPolicy {
    /// Every version by its number, the default one among them.
    pub fn versions(&self) -> BTreeMap<u32, &Policy> {
        let others = self.other_versions.iter().map(|(number, document)| (*number, document));
        others.chain([(self.default_version, &self.document)]).collect()
    }

    /// Makes another version the default one; whether there is such a version.
    pub fn make_default(&mut self, number: u32) -> bool {
        let Some(document) = self.other_versions.remove(&number) else { return number == self.default_version };
        let former = std::mem::replace(&mut self.document, document);
        self.other_versions.insert(std::mem::replace(&mut self.default_version, number), former);
        true
    }
}

/// An IAM user with one access key.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct User {
    pub present: bool,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// Its key is a session's, with this token.
    pub session_token: Option<String>,
    /// Seconds after the lab's start at which the session ends; below zero one that has ended.
    pub expires_s: Option<i64>,
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
    /// Those beside it, by name: a secret may have several since November 2026.
    pub resource_policies: BTreeMap<String, Policy>,
    /// Where it is a replica of a secret in another account.
    pub replica_of: Option<Replica>,
    /// The function that rotates it.
    pub rotation_function: Option<RotationFunction>,
}

impl Secret {
    /// Every policy of the secret, by its name.
    pub fn every_resource_policy(&self) -> BTreeMap<String, String> {
        let unnamed = self.resource_policy.iter().map(|policy| (DEFAULT_POLICY.to_owned(), policy.text()));
        unnamed.chain(self.resource_policies.iter().map(|(name, policy)| (name.clone(), policy.text()))).collect()
    }
}

/// A replica's primary, and how far the replica is behind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Replica {
    pub primary: String,
    /// As Secrets Manager words it, such as `InSync` or `InProgress`.
    pub status: String,
}

/// The name of a secret's policy that is put without one.
pub const DEFAULT_POLICY: &str = "default";

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
    #[serde(deserialize_with = "super::values::optional_secret_text")]
    pub value: Option<SecretString>,
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion").field("id", &self.id).field("stages", &self.stages).finish_non_exhaustive()
    }
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
            former_trust_policy: None,
            trust_effective_after_s: 0,
            policies: BTreeMap::new(),
            attached: Vec::new(),
            boundary: None,
            max_session_duration_s: 3600,
            effective_after_s: 0,
            id: String::new(),
            created_at: 0,
        }
    }
}

impl Default for ManagedPolicy {
    fn default() -> Self {
        ManagedPolicy {
            path: "/".into(),
            document: Policy::default(),
            default_version: 1,
            other_versions: BTreeMap::new(),
        }
    }
}

impl Default for User {
    fn default() -> Self {
        User {
            present: true,
            access_key_id: String::new(),
            secret_access_key: String::new(),
            session_token: None,
            expires_s: None,
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
            resource_policies: BTreeMap::new(),
            replica_of: None,
            rotation_function: None,
        }
    }
}

impl AwsWorld {
    pub(super) fn check(&self) -> Result<(), WorldError> {
        if self.account.len() != 12 || !self.account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("aws.account", "is no account id; write twelve digits"));
        }
        if self.region.is_empty() {
            return Err(wrong("aws.region", "is empty; write a region such as us-east-1"));
        }
        self.check_policies()?;
        for (name, role) in &self.roles {
            if let Some(policy) = role.boundary.as_ref().filter(|policy| !self.policies.contains_key(*policy)) {
                let problem = format!("names the policy `{policy}`, which is not in aws.policies");
                return Err(wrong(format!("aws.roles.{name}.boundary"), problem));
            }
        }
        for (name, secret) in &self.secrets {
            if let Some(key) = secret.kms_key.as_ref().filter(|key| !self.keys.contains_key(*key)) {
                let problem = format!("names the key `{key}`, which is not in aws.keys");
                return Err(wrong(format!("aws.secrets.{name}.kms-key"), problem));
            }
        }
        Ok(())
    }

    fn check_policies(&self) -> Result<(), WorldError> {
        let mut policies = Vec::new();
        for (name, role) in &self.roles {
            policies.push((format!("aws.roles.{name}.trust-policy"), &role.trust_policy));
            let former = role.former_trust_policy.as_ref();
            policies.extend(former.map(|policy| (format!("aws.roles.{name}.former-trust-policy"), policy)));
            for (policy, document) in &role.policies {
                policies.push((format!("aws.roles.{name}.policies.{policy}"), document));
            }
        }
        for (name, key) in &self.keys {
            policies.push((format!("aws.keys.{name}.policy"), &key.policy));
        }
        for (name, secret) in &self.secrets {
            policies.extend(secret.resource_policy.iter().map(|p| (format!("aws.secrets.{name}.resource-policy"), p)));
            for (policy, document) in &secret.resource_policies {
                policies.push((format!("aws.secrets.{name}.resource-policies.{policy}"), document));
            }
        }
        for (at, policy) in policies {
            if !policy.text().is_empty() && policy.document().is_none() {
                return Err(wrong(at, "is not a JSON object; write a policy document"));
            }
        }
        Ok(())
    }
}
