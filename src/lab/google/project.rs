//! A Google project as operations change it: pools, providers, policies, service accounts and secrets, and who may do what.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::gcp::{DenyPolicy, DenyRule, Member, Who};
use crate::lab::issuer;
use crate::lab::keys::Keys;
use crate::lab::world::{GoogleProvider, GoogleWorld, VersionState};

/// The project of one lab.
#[derive(Clone)]
pub(super) struct Project {
    pub id: String,
    pub number: String,
    pub disabled_services: BTreeSet<String>,
    pub is_throttled: bool,
    pub throttled_reads: u32,
    pub pools: BTreeMap<String, Pool>,
    /// The permissions of each role.
    roles: BTreeMap<String, BTreeSet<String>>,
    /// By the resource that they are on.
    policies: BTreeMap<Resource, Vec<Grant>>,
    /// What is above the project, the innermost first.
    pub ancestors: Vec<String>,
    /// By what they are attached to.
    denies: BTreeMap<Resource, Vec<DenyPolicy>>,
    /// Whether each is disabled, by its address.
    pub service_accounts: BTreeMap<String, bool>,
    /// Their keys by id, by the account's address.
    pub account_keys: BTreeMap<String, BTreeMap<String, AccountKey>>,
    pub secrets: BTreeMap<SecretName, Secret>,
}

/// What a policy is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Project,
    /// `folders/NUMBER` or `organizations/NUMBER`.
    Above(String),
    Secret(SecretName),
    ServiceAccount(String),
}

/// A secret's name in the project; regional ones have names of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretName {
    pub location: Option<String>,
    pub id: String,
}

#[derive(Clone, Default)]
pub(super) struct Pool {
    pub is_disabled: bool,
    pub is_deleted: bool,
    pub display_name: String,
    pub description: String,
    pub providers: BTreeMap<String, Provider>,
}

#[derive(Clone, Default)]
pub(super) struct Provider {
    pub is_disabled: bool,
    pub is_deleted: bool,
    pub display_name: String,
    pub description: String,
    pub issuer_uri: String,
    pub allowed_audiences: Vec<String>,
    /// The uploaded key set.
    pub jwks_json: Option<String>,
    pub mapping: BTreeMap<String, String>,
    pub condition: String,
}

#[derive(Clone, PartialEq, Eq)]
struct Grant {
    role: String,
    members: Vec<String>,
    /// By the lab's clock.
    effective_at: i64,
}

#[derive(Clone)]
pub(super) struct Secret {
    pub created: i64,
    pub versions: Vec<Version>,
    pub aliases: BTreeMap<String, u64>,
    pub labels: Map<String, Value>,
    pub replication: Value,
}

#[derive(Clone)]
pub(super) struct Version {
    /// Nothing of a destroyed one.
    pub value: Option<SecretString>,
    pub state: VersionState,
    pub created: i64,
    /// Whether whoever wrote it sent a checksum, which was held against it.
    pub is_checked: bool,
}

/// The public half of a service account's key, as Google keeps it.
#[derive(Clone)]
pub(super) struct AccountKey {
    /// As a JSON Web Key without its id.
    pub jwk: Map<String, Value>,
    pub is_disabled: bool,
    pub created: i64,
}

/// Who holds an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Caller {
    /// Somebody whose token was exchanged, with what the mapping made of it.
    Federated { pool: String, attributes: Map<String, Value> },
    /// A service account, by its address.
    ServiceAccount(String),
    /// A person, as policies name them: `user:somebody@example.com`.
    User(String),
}

impl Caller {
    /// As the clouds' records name it.
    pub(super) fn principal(&self, number: &str) -> String {
        match self {
            Caller::Federated { pool, attributes } => {
                let subject = attributes.get("google.subject").and_then(Value::as_str).unwrap_or_default();
                format!("principal://iam.googleapis.com/{}/subject/{subject}", pool_name(number, pool))
            }
            Caller::ServiceAccount(address) => format!("serviceAccount:{address}"),
            Caller::User(member) => member.clone(),
        }
    }

    /// Whether a principal of a deny policy is this one; those have forms of their own for Google's accounts.
    fn is_denied_as(&self, principal: &str, number: &str) -> bool {
        match self {
            _ if principal == "principalSet://goog/public:all" => true,
            Caller::Federated { .. } => self.is(principal, number),
            Caller::ServiceAccount(address) => {
                principal == format!("principal://iam.googleapis.com/projects/-/serviceAccounts/{address}")
            }
            Caller::User(own) => {
                own.strip_prefix("user:").is_some_and(|own| principal == format!("principal://goog/subject/{own}"))
            }
        }
    }

    /// Whether a member of a policy is this one. Numbers stand in the members of pools, and ids do not.
    fn is(&self, member: &str, number: &str) -> bool {
        match (self, Member::parse(member)) {
            (_, Some(Member::Anyone)) => true,
            (Caller::Federated { pool, attributes }, Some(Member::Pool { pool: named, who })) => {
                named == pool_name(number, pool) && has(attributes, &who)
            }
            (Caller::Federated { .. }, _) => false,
            (Caller::ServiceAccount(address), _) => {
                member == "allAuthenticatedUsers" || member.strip_prefix("serviceAccount:") == Some(address)
            }
            (Caller::User(own), _) => member == "allAuthenticatedUsers" || member == own,
        }
    }
}

impl Resource {
    /// What is above the project where something is named, else the project.
    pub(super) fn of(above: Option<&String>) -> Self {
        above.map_or(Resource::Project, |above| Resource::Above(above.clone()))
    }
}

fn has(attributes: &Map<String, Value>, who: &Who) -> bool {
    let (attribute, wanted) = match who {
        Who::Everyone => return true,
        Who::Subject(subject) => ("google.subject".to_owned(), subject),
        Who::Group(group) => ("google.groups".to_owned(), group),
        Who::Attribute { name, value } => (format!("attribute.{name}"), value),
    };
    match attributes.get(&attribute) {
        Some(Value::Array(values)) => values.iter().any(|value| value == wanted.as_str()),
        Some(value) => value == wanted.as_str(),
        None => false,
    }
}

/// `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
pub(super) fn pool_name(number: &str, pool: &str) -> String {
    format!("projects/{number}/locations/global/workloadIdentityPools/{pool}")
}

impl Project {
    /// The project at the lab's start, with everything left out that is not present.
    pub(super) fn open(world: &GoogleWorld, keys: &Keys, now: i64) -> Self {
        let mut project = Project {
            id: world.project_id.clone(),
            number: world.project_number.clone(),
            disabled_services: world.disabled_services.clone(),
            is_throttled: world.throttled,
            throttled_reads: world.throttled_reads,
            pools: BTreeMap::new(),
            roles: world.roles.clone(),
            policies: BTreeMap::new(),
            ancestors: world.ancestors(),
            denies: denies_of(world),
            service_accounts: BTreeMap::new(),
            account_keys: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for (name, pool) in world.pools.iter().filter(|(_, pool)| pool.present) {
            let present = pool.providers.iter().filter(|(_, provider)| provider.present);
            let providers = present.map(|(name, provider)| (name.clone(), Provider::open(provider, keys))).collect();
            let (is_disabled, is_deleted) = (pool.disabled, pool.deleted);
            project.pools.insert(name.clone(), Pool { is_disabled, is_deleted, providers, ..Pool::default() });
        }
        for (name, account) in world.service_accounts.iter().filter(|(_, account)| account.present) {
            project.service_accounts.insert(world.address(name), account.disabled);
            let present = account.keys.iter().filter(|(_, key)| key.present);
            let opened = present.filter_map(|(id, key)| {
                let jwk = keys.public_jwk(&key.key)?;
                Some((id.clone(), AccountKey { jwk, is_disabled: key.disabled, created: now }))
            });
            project.account_keys.insert(world.address(name), opened.collect());
        }
        for (id, secret) in world.secrets.iter().filter(|(_, secret)| secret.present) {
            let versions: Vec<Version> = secret
                .versions
                .iter()
                .map(|version| Version {
                    value: (version.state != VersionState::Destroyed).then(|| version.value.clone()),
                    state: version.state,
                    created: now - version.age_s,
                    is_checked: false,
                })
                .collect();
            let held = Secret {
                created: versions.first().map_or(now, |version| version.created),
                versions,
                aliases: secret.aliases.clone(),
                labels: Map::new(),
                replication: json!({ "automatic": {} }),
            };
            project.secrets.insert(SecretName { location: secret.location.clone(), id: id.clone() }, held);
        }
        for grant in world.grants.values().filter(|grant| grant.present) {
            let resource = match (&grant.secret, &grant.service_account) {
                (None, None) => Resource::of(grant.above.as_ref()),
                (Some(id), _) => {
                    let location = world.secrets.get(id).and_then(|secret| secret.location.clone());
                    Resource::Secret(SecretName { location, id: id.clone() })
                }
                (None, Some(account)) => Resource::ServiceAccount(world.address(account)),
            };
            let after = i64::try_from(grant.effective_after_s).unwrap_or(i64::MAX);
            project.policies.entry(resource).or_default().push(Grant {
                role: grant.role.clone(),
                members: grant.members.clone(),
                effective_at: now.saturating_add(after),
            });
        }
        project
    }

    /// `projects/NUMBER`, as names in answers begin.
    pub(super) fn name(&self) -> String {
        format!("projects/{}", self.number)
    }

    /// Whether a path names this project, by its id or its number.
    pub(super) fn is(&self, named: &str) -> bool {
        named == self.id || named == self.number
    }

    /// The resource and all that it is in, which policies reach it from.
    fn reaching(&self, resource: &Resource) -> Vec<Resource> {
        let above = self.ancestors.iter().cloned().map(Resource::Above);
        match resource {
            Resource::Above(own) => above.skip_while(|one| *one != Resource::Above(own.clone())).collect(),
            Resource::Project => std::iter::once(Resource::Project).chain(above).collect(),
            below => [below.clone(), Resource::Project].into_iter().chain(above).collect(),
        }
    }

    /// The deny policies that are attached to it, as they are listed.
    pub(super) fn denies(&self, resource: &Resource) -> &[DenyPolicy] {
        self.denies.get(resource).map_or(&[], Vec::as_slice)
    }

    /// Whether this one has the permission on the resource: what is granted on something holds in all of it, where no
    /// deny policy on the way says otherwise.
    pub(super) fn allows(&self, caller: &Caller, permission: &str, resource: &Resource, now: i64) -> bool {
        let reaching = self.reaching(resource);
        let is = |principal: &String| caller.is_denied_as(principal, &self.number);
        let mut denies = reaching.iter().flat_map(|place| self.denies(place)).flat_map(|policy| &policy.rules);
        let is_denied = denies.any(|rule| {
            rule.condition.is_none()
                && rule.is_about(permission)
                && rule.denied_principals.iter().any(is)
                && !rule.exception_principals.iter().any(is)
        });
        let mut grants = reaching.iter().filter_map(|place| self.policies.get(place)).flatten();
        !is_denied
            && grants.any(|grant| {
                grant.effective_at <= now
                    && self.roles.get(&grant.role).is_some_and(|role| role.contains(permission))
                    && grant.members.iter().any(|member| caller.is(member, &self.number))
            })
    }

    /// The policy of a resource, role by role.
    pub(super) fn policy(&self, resource: &Resource) -> Vec<(String, Vec<String>)> {
        let mut bindings: Vec<(String, Vec<String>)> = Vec::new();
        for grant in self.policies.get(resource).into_iter().flatten() {
            let members = match bindings.iter_mut().find(|(role, _)| *role == grant.role) {
                Some((_, members)) => members,
                None => {
                    bindings.push((grant.role.clone(), Vec::new()));
                    let Some((_, members)) = bindings.last_mut() else { continue };
                    members
                }
            };
            members.extend(grant.members.iter().cloned());
        }
        bindings
    }

    /// Replaces the policy of a resource. What was there already keeps the time from which it holds.
    pub(super) fn set_policy(&mut self, resource: Resource, bindings: Vec<(String, Vec<String>)>, now: i64) {
        let earlier = self.policies.get(&resource).cloned().unwrap_or_default();
        let since = |role: &str, member: &String| {
            let known = earlier.iter().find(|grant| grant.role == role && grant.members.contains(member));
            known.map_or(now, |grant| grant.effective_at)
        };
        let grants = bindings.into_iter().flat_map(|(role, members)| {
            let each = members.into_iter().map(|member| Grant {
                effective_at: since(&role, &member),
                role: role.clone(),
                members: vec![member],
            });
            each.collect::<Vec<_>>()
        });
        let grants = grants.collect();
        self.policies.insert(resource, grants);
    }

    /// What a role of this name may do.
    pub(super) fn permissions(&self, role: &str) -> Option<&BTreeSet<String>> {
        self.roles.get(role)
    }

    /// Whether there is a role of this name.
    pub(super) fn knows_role(&self, role: &str) -> bool {
        self.roles.contains_key(role)
    }
}

/// The deny policies at the lab's start, by what they are attached to.
fn denies_of(world: &GoogleWorld) -> BTreeMap<Resource, Vec<DenyPolicy>> {
    let mut opened: BTreeMap<Resource, Vec<DenyPolicy>> = BTreeMap::new();
    for (id, held) in &world.deny_policies {
        let resource = Resource::of(held.above.as_ref());
        let place = held.above.clone().unwrap_or_else(|| world.numbered());
        let attached = format!("cloudresourcemanager.googleapis.com%2F{}", place.replace('/', "%2F"));
        let rule = DenyRule {
            denied_principals: held.denied_principals.clone(),
            exception_principals: held.exception_principals.clone(),
            denied_permissions: held.denied_permissions.clone(),
            exception_permissions: held.exception_permissions.clone(),
            condition: held.condition.clone(),
        };
        let name = format!("policies/{attached}/denypolicies/{id}");
        opened.entry(resource).or_default().push(DenyPolicy { name, rules: vec![rule] });
    }
    opened
}

impl Provider {
    fn open(world: &GoogleProvider, keys: &Keys) -> Self {
        Provider {
            is_disabled: world.disabled,
            is_deleted: world.deleted,
            display_name: String::new(),
            description: String::new(),
            issuer_uri: world.issuer_uri.clone(),
            allowed_audiences: world.allowed_audiences.clone(),
            jwks_json: world.uploaded_keys.as_ref().map(|uploaded| issuer::key_set(Some(uploaded), keys)),
            mapping: world.attribute_mapping.clone(),
            condition: world.attribute_condition.clone(),
        }
    }

    /// As the IAM API describes it.
    pub(super) fn described(&self, name: &str) -> Value {
        let mut oidc = json!({ "issuerUri": self.issuer_uri });
        if !self.allowed_audiences.is_empty() {
            oidc["allowedAudiences"] = self.allowed_audiences.clone().into();
        }
        if let Some(keys) = &self.jwks_json {
            oidc["jwksJson"] = keys.clone().into();
        }
        let mut described = json!({
            "name": name,
            "state": if self.is_deleted { "DELETED" } else { "ACTIVE" },
            "attributeMapping": self.mapping,
            "oidc": oidc,
        });
        let texts = [
            ("displayName", &self.display_name),
            ("description", &self.description),
            ("attributeCondition", &self.condition),
        ];
        for (member, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            described[member] = text.clone().into();
        }
        if self.is_disabled {
            described["disabled"] = true.into();
        }
        described
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::world::{ServiceUrls, World};

    fn project(differences: &str) -> Project {
        let text = format!("guide = \"gcp-workload-identity\"\n{differences}");
        let world = World::parse(&text).unwrap().describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap();
        Project::open(&world.google, &Keys::new().unwrap(), 1000)
    }

    fn member(pool: &str, attribute: &str, value: &str) -> Caller {
        let attributes = json!({ "google.subject": "job:1", attribute: value });
        Caller::Federated { pool: pool.to_owned(), attributes: attributes.as_object().unwrap().clone() }
    }

    #[test]
    fn a_grant_holds_for_its_members_on_its_resource_and_once_it_is_effective() {
        let text = "[google.grants.one]\nrole = \"roles/secretmanager.secretAccessor\"\nsecret = \"crewai-database\"\n\
                    effective-after-s = 60\nmembers = [\"principalSet://iam.googleapis.com/projects/${project-number}\
                    /locations/global/workloadIdentityPools/crewai-pool/attribute.team/a\"]\n";
        let project = project(text);
        let secret = |id: &str| Resource::Secret(SecretName { location: None, id: id.to_owned() });
        let access = "secretmanager.versions.access";
        for (caller, resource, now, allowed) in [
            (member("crewai-pool", "attribute.team", "a"), secret("crewai-database"), 1060, true),
            (member("crewai-pool", "attribute.team", "a"), secret("crewai-database"), 1059, false),
            (member("crewai-pool", "attribute.team", "b"), secret("crewai-database"), 1060, false),
            (member("other-pool", "attribute.team", "a"), secret("crewai-database"), 1060, false),
            (member("crewai-pool", "attribute.team", "a"), secret("crewai-test-keyword"), 1060, false),
            (Caller::User("user:operator@example.com".to_owned()), secret("crewai-test-keyword"), 1000, true),
            (Caller::User("user:nobody@example.com".to_owned()), secret("crewai-test-keyword"), 1000, false),
        ] {
            assert_eq!(project.allows(&caller, access, &resource, now), allowed, "{caller:?} {resource:?} {now}");
        }
        let viewer = member("crewai-pool", "attribute.team", "a");
        assert!(!project.allows(&viewer, "secretmanager.secrets.list", &secret("crewai-database"), 1060));
    }

    #[test]
    fn a_policy_that_is_written_back_grants_the_same_from_the_same_time_on() {
        let mut project = project("[google.grants.reader]\neffective-after-s = 70\n");
        let before = project.policy(&Resource::Project);
        let mut changed = before.clone();
        changed.push(("roles/viewer".to_owned(), vec!["user:new@example.com".to_owned()]));
        project.set_policy(Resource::Project, changed.clone(), 1010);
        assert_eq!(project.policy(&Resource::Project), changed);
        let reader = member("crewai-pool", "attribute.organization", "6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1");
        let can = |now| project.allows(&reader, "secretmanager.versions.access", &Resource::Project, now);
        assert!(!can(1069) && can(1070));
    }
}
