//! Google's own side as the operator read it: the project, the pool with its provider, who has which roles, the secret.

use serde::Serialize;
use serde_json::{Value, json};

use super::read::{Read, Throttled};
use super::trust::Drift;
use crate::domain::gcp::{Binding, DenyPolicy, RolePermissions};
use crate::domain::profile::Profile;

/// What the reads take.
pub mod permission {
    pub const READ_PROJECT: &str = "resourcemanager.projects.get";
    pub const READ_PROJECT_POLICY: &str = "resourcemanager.projects.getIamPolicy";
    pub const READ_FOLDER: &str = "resourcemanager.folders.get";
    pub const READ_FOLDER_POLICY: &str = "resourcemanager.folders.getIamPolicy";
    pub const READ_ORGANIZATION_POLICY: &str = "resourcemanager.organizations.getIamPolicy";
    pub const LIST_DENIES: &str = "iam.denypolicies.list";
    pub const READ_DENY: &str = "iam.denypolicies.get";
    pub const READ_POOL: &str = "iam.workloadIdentityPools.get";
    pub const READ_PROVIDER: &str = "iam.workloadIdentityPoolProviders.get";
    pub const LIST_PROVIDERS: &str = "iam.workloadIdentityPoolProviders.list";
    pub const READ_ACCOUNT_POLICY: &str = "iam.serviceAccounts.getIamPolicy";
    /// Of custom roles; whoever is signed in may read Google's own.
    pub const READ_ROLE: &str = "iam.roles.get";
    pub const READ_SECRET: &str = "secretmanager.secrets.get";
    pub const READ_SECRET_POLICY: &str = "secretmanager.secrets.getIamPolicy";
    pub const READ_VERSION: &str = "secretmanager.versions.get";
    /// For a secret that is a region's own.
    pub const LIST_LOCATIONS: &str = "secretmanager.locations.list";
    /// For the audit log, which `events` reads.
    pub const READ_LOG: &str = "logging.privateLogEntries.list";

    /// The permissions that a role of the project for the operator holds. What is above it no such role reaches.
    pub const OF_OPERATOR: [&str; 12] = [
        READ_ACCOUNT_POLICY,
        READ_ROLE,
        LIST_PROVIDERS,
        READ_PROVIDER,
        READ_POOL,
        READ_LOG,
        READ_PROJECT,
        READ_PROJECT_POLICY,
        LIST_LOCATIONS,
        READ_SECRET,
        READ_SECRET_POLICY,
        READ_VERSION,
    ];
}

/// The code of a refusal by a service that the project, or whoever asks, has not enabled.
pub const SERVICE_DISABLED: &str = "SERVICE_DISABLED";

/// Google's own side. `None` where something was not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoogleSide {
    /// As whom the operator reads, or why nobody does.
    pub identity: Option<Result<String, String>>,
    /// The project with the secrets.
    pub project: Option<Read<ProjectInForce>>,
    pub provider: Option<ProviderSide>,
    pub rights: Option<RightsSide>,
    pub secret: Option<SecretSide>,
}

impl GoogleSide {
    /// Whether there is an access token, and it is taken.
    pub fn has_access(&self) -> bool {
        let is_refused = self.project.as_ref().and_then(|read| read.call.refusal()).map(|refusal| refusal.http_status);
        matches!(self.identity, Some(Ok(_))) && is_refused != Some(401)
    }

    /// That the service account which is impersonated is not there, in a sentence.
    pub fn missing_account(&self, profile: &Profile) -> Option<String> {
        let is_nowhere = self.rights.as_ref()?.account.as_ref()?.is_nowhere();
        let account = profile.gcp.service_account.as_deref().filter(|_| is_nowhere)?;
        Some(format!("there is no service account {account}"))
    }

    /// The profile's provider as IAM has it, and where that comes from.
    pub fn provider_in_force(&self) -> Option<(String, &str)> {
        let side = self.provider.as_ref()?;
        Some((format!("the provider in force, {}", side.name), side.provider.seen()?.text.as_str()))
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectInForce {
    pub id: String,
    pub number: String,
    /// What it is in, `folders/NUMBER` or `organizations/NUMBER`; nothing of a project without an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl ProjectInForce {
    /// Reads Resource Manager's answer about a project.
    pub fn read(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let parent = match answer.get("parent") {
            None => None,
            Some(parent) => Some(format!("{}s/{}", parent["type"].as_str()?, parent["id"].as_str()?)),
        };
        Some(ProjectInForce { id: text("projectId")?, number: text("projectNumber")?, parent })
    }
}

/// The pool and the provider of the profile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProviderSide {
    pub name: String,
    pub pool: Read<StateInForce>,
    pub provider: Read<ProviderInForce>,
    /// The providers of a pool of the same name in the project with the secrets, where that is another project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_own_project: Option<Read<Vec<NamedProvider>>>,
    /// The pool's providers, where it has none of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<Read<Vec<NamedProvider>>>,
}

/// Whether something takes part in exchanges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateInForce {
    /// `ACTIVE`, `DELETED`.
    pub state: String,
    pub disabled: bool,
}

impl StateInForce {
    /// Reads IAM's answer about a pool or a provider.
    pub fn read(answer: &Value) -> Option<Self> {
        answer["name"].as_str()?;
        let state = answer["state"].as_str().unwrap_or("ACTIVE").to_owned();
        Some(StateInForce { state, disabled: answer["disabled"].as_bool().unwrap_or_default() })
    }

    /// What keeps it from taking a token: `disabled`, `deleted`.
    pub fn is_off_because(&self) -> Option<&'static str> {
        match (self.state.as_str(), self.disabled) {
            ("DELETED", _) => Some("deleted"),
            (_, true) => Some("disabled"),
            _ => None,
        }
    }
}

/// A provider as IAM has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderInForce {
    #[serde(flatten)]
    pub state: StateInForce,
    /// What `trust.policy` evaluates, and shows.
    #[serde(skip)]
    pub text: String,
}

impl ProviderInForce {
    pub fn read(answer: &Value) -> Option<Self> {
        Some(ProviderInForce { state: StateInForce::read(answer)?, text: format!("{answer:#}") })
    }
}

/// A provider of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedProvider {
    pub name: String,
    #[serde(skip)]
    pub text: String,
}

impl NamedProvider {
    pub fn read(entry: &Value) -> Option<Self> {
        Some(NamedProvider { name: entry["name"].as_str()?.to_owned(), text: entry.to_string() })
    }
}

/// Who has which roles where it counts for the reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RightsSide {
    pub project: Read<Vec<Binding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Read<Vec<Binding>>>,
    /// Of the service account, where one is impersonated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Read<Vec<Binding>>>,
    /// What the project is in, the innermost first, as far as it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<AncestorSide>,
    /// The deny policies of the project itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denies: Option<DenySide>,
    /// The roles that may be the reader's.
    pub roles: Vec<RoleSide>,
}

/// A folder or the organization, with what it says to all that is in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AncestorSide {
    /// `folders/NUMBER`, `organizations/NUMBER`.
    pub name: String,
    /// What a folder is in itself; an organization is in nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Read<Option<String>>>,
    pub policy: Read<Vec<Binding>>,
    pub denies: DenySide,
}

impl AncestorSide {
    /// In words: `the folder 1`.
    pub fn place(&self) -> String {
        match self.name.split_once("s/") {
            Some((kind, number)) => format!("the {kind} {number}"),
            None => self.name.clone(),
        }
    }
}

/// The deny policies that are attached to one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DenySide {
    /// Their ids: a list holds no rules.
    pub listed: Read<Vec<String>>,
    pub policies: Vec<Read<DenyPolicy>>,
}

impl DenySide {
    /// Those that were read.
    pub fn seen(&self) -> impl Iterator<Item = &DenyPolicy> {
        self.policies.iter().filter_map(Read::seen)
    }

    /// Why some of them were not.
    pub fn unread(&self) -> Option<String> {
        self.listed.unread().or_else(|| self.policies.iter().find_map(Read::unread))
    }

    fn throttled(&self) -> Throttled {
        let each = self.policies.iter().map(|read| read.throttled).fold(Throttled::default(), Throttled::beside);
        self.listed.throttled.and_then(each)
    }
}

impl RightsSide {
    /// Every deny policy that was read, the project's own first.
    pub fn denying(&self) -> impl Iterator<Item = &DenyPolicy> {
        self.denials().flat_map(|(_, side)| side.seen())
    }

    /// Why some deny policy was not read, and where.
    pub fn unread_denies(&self) -> Option<String> {
        self.denials().find_map(|(place, side)| Some(format!("deny policies of {place}: {}", side.unread()?)))
    }

    fn denials(&self) -> impl Iterator<Item = (String, &DenySide)> {
        let own = self.denies.iter().map(|side| ("the project".to_owned(), side));
        own.chain(self.above.iter().map(|one| (one.place(), &one.denies)))
    }

    /// Why what is granted above the project is not known whole.
    pub fn unread_above(&self, project: Option<&Read<ProjectInForce>>) -> Option<String> {
        let lost = |name: &str| format!("{name} was not found");
        let start = match project {
            Some(read) => read.unread().or_else(|| read.seen().is_none().then(|| lost("the project"))),
            None => Some("what the project is in was not read".to_owned()),
        };
        start.or_else(|| {
            self.above.iter().find_map(|one| {
                let place = one.place();
                let policy = one.policy.unread().or_else(|| one.policy.seen().is_none().then(|| lost(&place)));
                let parent = one
                    .parent
                    .as_ref()
                    .and_then(|read| read.unread().or_else(|| read.seen().is_none().then(|| lost(&place))));
                Some(format!("{place}: {}", policy.or(parent)?))
            })
        })
    }

    /// What the reads of the folders, the organization and deny policies waited for.
    pub fn throttled_above(&self) -> Throttled {
        let of = |one: &AncestorSide| {
            let parent = one.parent.as_ref().map(|read| read.throttled).unwrap_or_default();
            parent.beside(one.policy.throttled).beside(one.denies.throttled())
        };
        let own = self.denies.as_ref().map(DenySide::throttled).unwrap_or_default();
        own.beside(self.above.iter().map(of).fold(Throttled::default(), Throttled::and_then))
    }

    /// The permissions of the roles that could be read.
    pub fn permissions(&self) -> RolePermissions {
        let known = self.roles.iter().filter_map(|role| Some((role.name.clone(), role.permissions.seen()?)));
        known.map(|(name, permissions)| (name, permissions.iter().cloned().collect())).collect()
    }
}

/// A role with its permissions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleSide {
    pub name: String,
    /// The report names the role alone: Google's own have hundreds.
    #[serde(skip)]
    pub permissions: Read<Vec<String>>,
}

/// The secret without its value, and the version that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecretSide {
    pub secret: Read<StoredSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Read<VersionInForce>>,
    /// The locations that have a regional secret of the name, where there is none at the place asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found_in: Vec<String>,
}

/// A secret as Secret Manager has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredSecret {
    pub name: String,
}

/// A version of a secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionInForce {
    pub name: String,
    /// `ENABLED`, `DISABLED`, `DESTROYED`.
    pub state: String,
}

impl VersionInForce {
    pub fn read(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Some(VersionInForce { name: text("name")?, state: text("state")? })
    }

    /// Its number.
    pub fn number(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// Where a provider's copy is not what is in force; nothing where both decide the same, or the copy is none.
pub fn provider_drift(file: &str, copy: &str, in_force: &str) -> Option<Drift> {
    let deciding = |text: &str| {
        let provider: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let oidc = &provider["oidc"];
        Some(json!({
            "issuerUri": oidc["issuerUri"],
            "allowedAudiences": oidc["allowedAudiences"].as_array().cloned().unwrap_or_default(),
            "hasUploadedKeys": oidc["jwksJson"].is_string(),
            "attributeMapping": provider["attributeMapping"],
            "attributeCondition": provider["attributeCondition"].as_str().unwrap_or_default(),
            "disabled": provider["disabled"].as_bool().unwrap_or_default(),
            "state": provider["state"].as_str().unwrap_or("ACTIVE"),
        }))
    };
    Drift::between(file, &deciding(copy)?.to_string(), &deciding(in_force)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_says_why_it_takes_no_token() {
        let off = |answer: Value| StateInForce::read(&answer).unwrap().is_off_because();
        assert_eq!(off(json!({"name": "p", "state": "ACTIVE"})), None);
        assert_eq!(off(json!({"name": "p", "state": "ACTIVE", "disabled": true})), Some("disabled"));
        assert_eq!(off(json!({"name": "p", "state": "DELETED", "disabled": true})), Some("deleted"));
        assert_eq!(StateInForce::read(&json!({"error": {}})), None);
    }

    #[test]
    fn only_what_decides_is_compared() {
        let provider = |condition: &str, more: &str| {
            json!({"name": more, "displayName": more, "state": "ACTIVE", "oidc": {"issuerUri": "https://i.example"},
                "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": condition})
            .to_string()
        };
        let copy = provider("true", "a");
        assert_eq!(provider_drift("p.json", &copy, &provider("true", "b")), None);
        let drift = provider_drift("p.json", &copy, &provider("false", "a")).unwrap();
        assert_eq!(drift.lines, ["-   \"attributeCondition\": \"true\",", "+   \"attributeCondition\": \"false\","]);
        assert_eq!(provider_drift("p.json", "no JSON", &copy), None);
    }

    #[test]
    fn a_version_is_known_by_its_number() {
        let answer = json!({"name": "projects/1/secrets/db/versions/7", "state": "DISABLED"});
        assert_eq!(VersionInForce::read(&answer).unwrap().number(), "7");
    }
}
