//! The Google part of a world: a project with its workload identity pools, its grants, its service accounts and its secrets.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Deserialize;

use super::WorldError;
use super::values::{PublishedKey, check_key, wrong};

/// One project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleWorld {
    pub project_id: String,
    pub project_number: String,
    /// The numbers of the folders that the project is in, the innermost first.
    pub folders: Vec<String>,
    /// The number of the organization above it all.
    pub organization: Option<String>,
    /// By what they are called where they are attached.
    pub deny_policies: BTreeMap<String, GoogleDenyPolicy>,
    /// Services that nobody has enabled, such as `secretmanager.googleapis.com`.
    pub disabled_services: BTreeSet<String>,
    /// The token service answers 429 to every exchange.
    pub throttled: bool,
    /// So many requests of people are answered 429 first.
    pub throttled_reads: u32,
    pub pools: BTreeMap<String, GooglePool>,
    /// The permissions of each role, as far as something here asks for them.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// By a name of the world's own, so that another world can change one of them.
    pub grants: BTreeMap<String, GoogleGrant>,
    /// By what stands before the `@` of their addresses.
    pub service_accounts: BTreeMap<String, GoogleServiceAccount>,
    pub secrets: BTreeMap<String, GoogleSecret>,
}

/// A workload identity pool.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GooglePool {
    pub present: bool,
    pub disabled: bool,
    /// Deleted, and not yet gone.
    pub deleted: bool,
    pub providers: BTreeMap<String, GoogleProvider>,
}

/// A provider of a pool.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleProvider {
    pub present: bool,
    pub disabled: bool,
    pub deleted: bool,
    pub issuer_uri: String,
    /// In place of the provider's own name.
    pub allowed_audiences: Vec<String>,
    /// The uploaded key set; the issuer's own is fetched where there is none.
    pub uploaded_keys: Option<Vec<PublishedKey>>,
    pub attribute_mapping: BTreeMap<String, String>,
    /// Every token that maps is taken where it is empty.
    pub attribute_condition: String,
}

/// A role that is granted to members on a resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleGrant {
    pub present: bool,
    pub role: String,
    pub members: Vec<String>,
    /// The secret that it is limited to.
    pub secret: Option<String>,
    /// The service account that it is on.
    pub service_account: Option<String>,
    /// The folder or organization that it is on: `folders/NUMBER`, `organizations/NUMBER`.
    pub above: Option<String>,
    /// Seconds after the lab's start at which it takes effect.
    pub effective_after_s: u64,
}

/// A deny policy with one rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleDenyPolicy {
    /// `folders/NUMBER` or `organizations/NUMBER`; the project where absent.
    pub above: Option<String>,
    pub denied_principals: Vec<String>,
    pub exception_principals: Vec<String>,
    /// In the form of IAM v2: `secretmanager.googleapis.com/versions.access`.
    pub denied_permissions: Vec<String>,
    pub exception_permissions: Vec<String>,
    /// No resource of a lab has a tag, so that a rule with a condition denies nothing.
    pub condition: Option<String>,
}

/// A service account.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleServiceAccount {
    pub present: bool,
    pub disabled: bool,
    /// Its keys, by their ids.
    pub keys: BTreeMap<String, GoogleAccountKey>,
}

/// A key of a service account.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleAccountKey {
    pub present: bool,
    pub disabled: bool,
    /// Which of the lab's keys it is.
    pub key: String,
}

/// A secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleSecret {
    pub present: bool,
    /// The only region that it is in; regional secrets are at the region's own host.
    pub location: Option<String>,
    pub versions: Vec<GoogleVersion>,
    /// Numbers of versions by their other names.
    pub aliases: BTreeMap<String, u64>,
}

/// A version of a secret; they are numbered from 1.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleVersion {
    #[serde(deserialize_with = "super::values::secret_text")]
    pub value: SecretString,
    pub state: VersionState,
    /// Seconds since it was made.
    pub age_s: i64,
}

/// What can be done with a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    #[default]
    Enabled,
    Disabled,
    Destroyed,
}

impl VersionState {
    /// The word of Google's API.
    pub const fn word(self) -> &'static str {
        match self {
            VersionState::Enabled => "ENABLED",
            VersionState::Disabled => "DISABLED",
            VersionState::Destroyed => "DESTROYED",
        }
    }
}

/// What the user's profile holds of Google.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleProfile {
    pub project_id: String,
    pub provider: String,
    /// Set where the provider allows another audience than its own name.
    pub audience: Option<String>,
    /// Set where the profile reads at a region's own host.
    pub location: Option<String>,
    /// Set where the profile impersonates, or has a key.
    pub service_account: Option<String>,
    /// The key file that the user has; none where absent.
    pub key_file: Option<GoogleKeyFile>,
    /// The provider that the user has at hand, as JSON; the one in force where absent, none where empty.
    pub provider_file: Option<String>,
    /// The project's policy that the user has at hand, likewise.
    pub iam_policy: Option<String>,
}

/// A key's file as its maker handed it over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoogleKeyFile {
    /// The address of whom it is of.
    pub account: String,
    pub id: String,
    /// Which of the lab's keys it holds.
    pub key: String,
    /// In place of all that.
    pub text: Option<String>,
}

impl GoogleWorld {
    /// The number before a resource's own name, `projects/NUMBER`.
    pub fn numbered(&self) -> String {
        format!("projects/{}", self.project_number)
    }

    /// What is above the project, the innermost first: `folders/NUMBER`, `organizations/NUMBER`.
    pub fn ancestors(&self) -> Vec<String> {
        let folders = self.folders.iter().map(|number| format!("folders/{number}"));
        folders.chain(self.organization.iter().map(|number| format!("organizations/{number}"))).collect()
    }

    /// The address of a service account.
    pub fn address(&self, account: &str) -> String {
        format!("{account}@{}.iam.gserviceaccount.com", self.project_id)
    }

    pub(super) fn check(&self) -> Result<(), WorldError> {
        for (pool, held) in &self.pools {
            for (provider, held) in &held.providers {
                let at = format!("google.pools.{pool}.providers.{provider}");
                for key in held.uploaded_keys.iter().flatten() {
                    check_key(&format!("{at}.uploaded-keys"), &key.key)?;
                }
                if held.present && !held.attribute_mapping.contains_key("google.subject") {
                    return Err(wrong(at, "maps no `google.subject`; write `\"google.subject\" = \"assertion.sub\"`"));
                }
            }
        }
        for (account, held) in &self.service_accounts {
            for (id, key) in &held.keys {
                check_key(&format!("google.service-accounts.{account}.keys.{id}"), &key.key)?;
            }
        }
        let ancestors = self.ancestors();
        let grants = self.grants.iter().map(|(name, grant)| (format!("google.grants.{name}"), &grant.above));
        let denies =
            self.deny_policies.iter().map(|(name, held)| (format!("google.deny-policies.{name}"), &held.above));
        for (at, above) in grants.chain(denies) {
            if let Some(above) = above.as_ref().filter(|above| !ancestors.contains(above)) {
                let problem = format!("`{above}` is not above the project; write one of {}", ancestors.join(", "));
                return Err(wrong(at, problem));
            }
        }
        for (name, grant) in self.grants.iter().filter(|(_, grant)| grant.present) {
            if !self.roles.contains_key(&grant.role) {
                let known = self.roles.keys().cloned().collect::<Vec<_>>().join(", ");
                let problem = format!("`{}` is no role of this world; write one of {known}", grant.role);
                return Err(wrong(format!("google.grants.{name}"), problem));
            }
        }
        Ok(())
    }
}

impl Default for GooglePool {
    fn default() -> Self {
        GooglePool { present: true, disabled: false, deleted: false, providers: BTreeMap::new() }
    }
}

impl Default for GoogleProvider {
    fn default() -> Self {
        GoogleProvider {
            present: true,
            disabled: false,
            deleted: false,
            issuer_uri: String::new(),
            allowed_audiences: Vec::new(),
            uploaded_keys: None,
            attribute_mapping: BTreeMap::new(),
            attribute_condition: String::new(),
        }
    }
}

impl Default for GoogleGrant {
    fn default() -> Self {
        GoogleGrant {
            present: true,
            role: String::new(),
            members: Vec::new(),
            secret: None,
            service_account: None,
            above: None,
            effective_after_s: 0,
        }
    }
}

impl Default for GoogleServiceAccount {
    fn default() -> Self {
        GoogleServiceAccount { present: true, disabled: false, keys: BTreeMap::new() }
    }
}

impl Default for GoogleAccountKey {
    fn default() -> Self {
        GoogleAccountKey { present: true, disabled: false, key: "RS512".to_owned() }
    }
}

impl Default for GoogleSecret {
    fn default() -> Self {
        GoogleSecret { present: true, location: None, versions: Vec::new(), aliases: BTreeMap::new() }
    }
}

impl std::fmt::Debug for GoogleVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoogleVersion").field("state", &self.state).finish_non_exhaustive()
    }
}
