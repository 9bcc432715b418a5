//! The Azure part of a world: a directory with its applications, and a key vault.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Deserialize;

use super::WorldError;
use super::values::wrong;
use crate::domain::iam::Truth;
use crate::domain::iam::pattern::{Effort, like_ignoring_case};

/// The age in seconds of what was there before anybody looked: a quarter of a year.
const LONG_AGO: i64 = 7_776_000;

/// One Entra directory and one key vault. Other directories exist only as ids.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AzureWorld {
    pub tenant_id: String,
    pub subscription_id: String,
    /// Where the vault is.
    pub resource_group: String,
    pub entra: EntraWorld,
    /// How many entries Graph and Resource Manager put on a page; all of them where absent.
    pub page_size: Option<usize>,
    /// How many reads Graph and Resource Manager refuse at first, each, for having been asked too often.
    pub throttled_reads: u32,
    pub apps: BTreeMap<String, App>,
    /// The role definitions, by their names.
    pub roles: BTreeMap<String, RoleDefinition>,
    pub vault: VaultWorld,
    /// The secrets of a second vault, which is like the first in everything else.
    pub second_vault: BTreeMap<String, VaultSecret>,
}

/// How the token endpoint answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntraWorld {
    /// The resources that tokens can be had for.
    pub resources: BTreeSet<String>,
    /// Answers 429 to everything.
    pub throttled: bool,
    /// Says AADSTS70021 for any difference, as it did until 2024.
    pub old_codes: bool,
    /// Denies by a policy, after everything else was right.
    pub policy: EntraPolicy,
    /// The signing algorithms that it takes of an issuer's token; what Entra is documented to take where none is named.
    pub algorithms: BTreeSet<String>,
}

/// A policy of the directory that denies tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntraPolicy {
    #[default]
    None,
    ConditionalAccess,
    /// Limits which issuers may federate.
    Issuers,
}

/// An application's registration, with its service principal.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct App {
    pub present: bool,
    /// What people call it; its name in this world where empty.
    pub display_name: String,
    pub client_id: String,
    /// The object id of its service principal: what roles and policies name.
    pub object_id: String,
    /// Whether accounts of any directory may use it.
    pub multitenant: bool,
    /// Whether it has a service principal in the directory.
    pub service_principal: bool,
    /// Whether that may sign in.
    pub enabled: bool,
    /// A user-assigned managed identity: it has a service principal and no registration.
    pub managed_identity: bool,
    /// Seconds since it was made.
    pub age_s: i64,
    pub credentials: BTreeMap<String, Credential>,
    pub client_secrets: Vec<ClientSecret>,
    /// The groups that its service principal is in, by their object ids.
    pub groups: BTreeSet<String>,
    /// The directory roles that it holds, such as `Application Administrator`.
    pub directory_roles: BTreeSet<String>,
    /// The permissions of Graph's that an administrator granted it, such as `Application.Read.All`.
    pub graph_permissions: BTreeSet<String>,
    /// The object id of the registration itself, made at start. No role assignment that names it ever matches.
    #[serde(skip)]
    pub registration_id: String,
    /// When it was made, by the lab's clock; known at start.
    #[serde(skip)]
    pub created_at: i64,
}

/// A federated credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Credential {
    pub present: bool,
    pub issuer: String,
    /// Empty where there is an expression.
    pub subject: String,
    pub audience: String,
    pub expression: Option<String>,
    pub description: Option<String>,
    /// Seconds after the lab's start at which the token endpoint learns of it.
    pub effective_after_s: u64,
    /// Its object id, made at start.
    #[serde(skip)]
    pub id: String,
}

/// A client secret.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientSecret {
    #[serde(deserialize_with = "super::values::secret_text")]
    pub value: SecretString,
    pub expired: bool,
    /// What people call it.
    pub display_name: Option<String>,
    /// Its id, made at start. It is no secret, and often sent in the value's place.
    #[serde(skip)]
    pub key_id: String,
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSecret").field("expired", &self.expired).finish_non_exhaustive()
    }
}

/// A key vault.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct VaultWorld {
    pub name: String,
    /// The directory that it trusts; the world's own where empty.
    pub tenant_id: String,
    /// The audience that its challenge names and its tokens must have.
    pub resource: String,
    /// Named in the challenge in place of `resource`.
    pub challenge_resource: Option<String>,
    pub model: PermissionModel,
    pub network: VaultNetwork,
    /// The addresses, or blocks of them, that the firewall lets in.
    pub addresses: BTreeSet<String>,
    /// Answers 429 to everything that carries a token.
    pub throttled: bool,
    /// Role assignments; they count in the role model.
    pub roles: BTreeMap<String, RoleAssignment>,
    /// Deny assignments; they count in the role model, before any role.
    pub denials: BTreeMap<String, DenyAssignment>,
    /// Access policies; they count in the other model.
    pub policies: BTreeMap<String, AccessPolicy>,
    pub secrets: BTreeMap<String, VaultSecret>,
}

/// What a vault decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionModel {
    #[default]
    Rbac,
    AccessPolicy,
}

/// From where a vault may be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultNetwork {
    #[default]
    Open,
    /// An address rule that the caller is not in.
    Firewall,
    /// Through a private endpoint only.
    PrivateOnly,
}

/// What a role allows: patterns of actions on resources, and of actions on what is in them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RoleDefinition {
    pub id: String,
    /// Made by the directory's own people.
    pub custom: bool,
    pub actions: BTreeSet<String>,
    pub not_actions: BTreeSet<String>,
    pub data_actions: BTreeSet<String>,
    pub not_data_actions: BTreeSet<String>,
}

impl RoleDefinition {
    /// Whether it allows an action on a resource.
    pub fn allows_action(&self, action: &str) -> bool {
        any_matches(&self.actions, action) && !any_matches(&self.not_actions, action)
    }

    /// Whether it allows an action on what is in a resource.
    pub fn allows_data_action(&self, action: &str) -> bool {
        any_matches(&self.data_actions, action) && !any_matches(&self.not_data_actions, action)
    }
}

fn any_matches(patterns: &BTreeSet<String>, action: &str) -> bool {
    patterns.iter().any(|pattern| like_ignoring_case(pattern, action, &Effort::full()) == Truth::True)
}

/// A right taken from a principal, whatever its roles are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DenyAssignment {
    /// An object id.
    pub principal: String,
    pub data_actions: BTreeSet<String>,
    /// The secret that it is limited to; the whole vault where absent.
    pub secret: Option<String>,
}

impl DenyAssignment {
    /// Whether it forbids the action on what is in the vault.
    pub fn takes(&self, data_action: &str) -> bool {
        any_matches(&self.data_actions, data_action)
    }
}

/// What roles are assigned at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Subscription,
    ResourceGroup,
    Vault,
    Secret(String),
}

impl Scope {
    /// Its resource id.
    pub fn id(&self, world: &AzureWorld) -> String {
        match self {
            Scope::Subscription => format!("/subscriptions/{}", world.subscription_id),
            Scope::ResourceGroup => {
                format!("{}/resourceGroups/{}", Scope::Subscription.id(world), world.resource_group)
            }
            Scope::Vault => world.vault_id(),
            Scope::Secret(name) => format!("{}/secrets/{name}", world.vault_id()),
        }
    }

    /// Whether what is assigned here counts there.
    pub fn covers(&self, other: &Scope) -> bool {
        match (self, other) {
            (Scope::Secret(own), Scope::Secret(other)) => own.eq_ignore_ascii_case(other),
            _ => self.depth() <= other.depth() && !matches!(self, Scope::Secret(_)),
        }
    }

    const fn depth(&self) -> u8 {
        match self {
            Scope::Subscription => 0,
            Scope::ResourceGroup => 1,
            Scope::Vault => 2,
            Scope::Secret(_) => 3,
        }
    }
}

/// Where above its secrets a role is assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignedAt {
    Subscription,
    ResourceGroup,
    #[default]
    Vault,
}

/// A role for a principal.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RoleAssignment {
    pub present: bool,
    /// The role's name, such as `Key Vault Secrets User`.
    pub role: String,
    /// An object id.
    pub principal: String,
    /// The secret that it is limited to.
    pub secret: Option<String>,
    /// What it is assigned at, where that is not a secret.
    pub at: AssignedAt,
    /// Seconds after the lab's start at which the vault learns of it.
    pub effective_after_s: u64,
    /// Seconds before the lab's start at which it was made.
    pub age_s: i64,
    /// When it was made, by the lab's clock; known at start.
    #[serde(skip)]
    pub created_at: i64,
}

impl RoleAssignment {
    pub fn scope(&self) -> Scope {
        match (&self.secret, self.at) {
            (Some(secret), _) => Scope::Secret(secret.clone()),
            (None, AssignedAt::Vault) => Scope::Vault,
            (None, AssignedAt::ResourceGroup) => Scope::ResourceGroup,
            (None, AssignedAt::Subscription) => Scope::Subscription,
        }
    }

    /// With the scope in place of its own.
    #[must_use]
    pub fn at(self, scope: &Scope) -> Self {
        let (secret, at) = match scope {
            Scope::Secret(name) => (Some(name.clone()), AssignedAt::Vault),
            Scope::Vault => (None, AssignedAt::Vault),
            Scope::ResourceGroup => (None, AssignedAt::ResourceGroup),
            Scope::Subscription => (None, AssignedAt::Subscription),
        };
        RoleAssignment { secret, at, ..self }
    }
}

/// An access policy of a vault.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AccessPolicy {
    /// An object id.
    pub principal: String,
    /// `get`, `list`, `set`, `delete`, `recover`.
    pub secrets: BTreeSet<String>,
    /// Demands that this application acts on a user's behalf.
    pub application_id: Option<String>,
}

/// A secret in the vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct VaultSecret {
    pub present: bool,
    /// Deleted, and to be recovered until it is purged.
    pub deleted: bool,
    pub versions: Vec<VaultVersion>,
}

/// A version of a secret; the last one is current.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct VaultVersion {
    /// 32 hexadecimal digits; made up where absent.
    pub id: Option<String>,
    #[serde(deserialize_with = "super::values::secret_text")]
    pub value: SecretString,
    pub enabled: bool,
    /// Seconds since it was made.
    pub age_s: i64,
    /// Seconds until it expires; below zero where it has.
    pub expires_in_s: Option<i64>,
}

impl std::fmt::Debug for VaultVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultVersion").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// What the user's profile holds of Azure.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AzureProfile {
    pub tenant_id: String,
    pub client_id: String,
    /// Empty where the profile names no vault.
    pub vault_url: String,
    pub authority_host: String,
    pub scope: Option<String>,
    /// The federated credentials the user has at hand, as JSON; those of the application where absent, none where empty.
    pub federated_credential: Option<String>,
    /// Used in place of a token.
    #[serde(deserialize_with = "super::values::optional_secret_text")]
    pub client_secret: Option<SecretString>,
}

impl AzureWorld {
    /// The resource id of the vault.
    pub fn vault_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/vaults/{}",
            self.subscription_id, self.resource_group, self.vault.name
        )
    }

    /// Whether what is given to `principal` counts for the service principal `oid`: it is that, or a group of its.
    pub fn counts_for(&self, oid: &str, principal: &str) -> bool {
        let own = |app: &App| app.object_id.eq_ignore_ascii_case(oid);
        let in_group = |app: &App| app.groups.iter().any(|group| group.eq_ignore_ascii_case(principal));
        principal.eq_ignore_ascii_case(oid) || self.apps.values().any(|app| own(app) && in_group(app))
    }

    /// The resource id of a user-assigned managed identity.
    pub fn identity_id(&self, name: &str) -> String {
        let group = Scope::ResourceGroup.id(self);
        format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")
    }

    /// The application of this client id, where there is one.
    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.values().find(|app| app.present && app.client_id.eq_ignore_ascii_case(client_id))
    }

    pub(super) fn check(&self) -> Result<(), WorldError> {
        for (name, app) in &self.apps {
            if app.client_id.is_empty() || app.object_id.is_empty() {
                return Err(wrong(
                    format!("azure.apps.{name}"),
                    "needs `client-id` and `object-id`; write a UUID each",
                ));
            }
        }
        for (name, secret) in self.vault.secrets.iter().chain(&self.second_vault) {
            if secret.present && secret.versions.is_empty() {
                let problem = "has no version; write `versions = [{ value = \"…\" }]`";
                return Err(wrong(format!("azure.vault.secrets.{name}"), problem));
            }
        }
        Ok(())
    }
}

impl App {
    /// Its federated credentials as `az ad app federated-credential list` prints them.
    pub fn credentials_json(&self) -> String {
        let listed: Vec<serde_json::Value> = self
            .credentials
            .iter()
            .filter(|(_, credential)| credential.present)
            .map(|(name, credential)| {
                let mut listed = serde_json::json!({
                    "name": name,
                    "issuer": credential.issuer,
                    "audiences": [credential.audience],
                });
                match &credential.expression {
                    Some(text) => {
                        listed["claimsMatchingExpression"] = serde_json::json!({ "value": text, "languageVersion": 1 });
                    }
                    None => listed["subject"] = credential.subject.clone().into(),
                }
                listed
            })
            .collect();
        serde_json::Value::Array(listed).to_string()
    }
}

impl Default for App {
    fn default() -> Self {
        App {
            present: true,
            display_name: String::new(),
            client_id: String::new(),
            object_id: String::new(),
            multitenant: false,
            service_principal: true,
            enabled: true,
            managed_identity: false,
            age_s: LONG_AGO,
            credentials: BTreeMap::new(),
            client_secrets: Vec::new(),
            directory_roles: BTreeSet::new(),
            graph_permissions: BTreeSet::new(),
            groups: BTreeSet::new(),
            created_at: 0,
            registration_id: String::new(),
        }
    }
}

impl Default for Credential {
    fn default() -> Self {
        Credential {
            present: true,
            issuer: String::new(),
            subject: String::new(),
            audience: String::new(),
            expression: None,
            description: None,
            effective_after_s: 0,
            id: String::new(),
        }
    }
}

impl Default for RoleAssignment {
    fn default() -> Self {
        RoleAssignment {
            present: true,
            role: String::new(),
            principal: String::new(),
            secret: None,
            at: AssignedAt::Vault,
            effective_after_s: 0,
            age_s: LONG_AGO,
            created_at: 0,
        }
    }
}

impl Default for VaultSecret {
    fn default() -> Self {
        VaultSecret { present: true, deleted: false, versions: Vec::new() }
    }
}

impl Default for VaultVersion {
    fn default() -> Self {
        VaultVersion { id: None, value: SecretString::default(), enabled: true, age_s: 0, expires_in_s: None }
    }
}
