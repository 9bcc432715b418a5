//! Who may read a key vault's secrets, by what Resource Manager and Graph show of it: the vault's permission model, role
//! assignments with their definitions, deny assignments, access policies.
//!
//! How roles add up: <https://learn.microsoft.com/azure/role-based-access-control/overview#how-azure-rbac-determines-if-a-user-has-access-to-a-resource>.
//! The vault's models: <https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy>.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::iam::Truth;
use super::iam::pattern::{Effort, like_ignoring_case};
use super::timestamp::{UnixSeconds, parse_rfc3339};

/// A right on a vault's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    List,
    Get,
}

impl Right {
    /// The data action that a role must allow.
    pub const fn data_action(self) -> &'static str {
        match self {
            Right::List => "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            Right::Get => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        }
    }

    /// Its name in an access policy.
    pub const fn permission(self) -> &'static str {
        match self {
            Right::List => "list",
            Right::Get => "get",
        }
    }
}

/// What a vault decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionModel {
    Roles,
    AccessPolicies,
}

/// A vault as Resource Manager has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VaultResource {
    pub id: String,
    pub uri: Option<String>,
    pub tenant_id: Option<String>,
    pub model: PermissionModel,
    pub policies: Vec<AccessPolicy>,
    /// Whether it can be reached from outside private networks.
    pub public_network: bool,
    /// Whether its firewall lets in only whom a rule names.
    pub denies_by_default: bool,
    /// The addresses, or blocks of them, that the firewall lets in.
    pub addresses: Vec<String>,
}

/// An access policy of a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessPolicy {
    pub object_id: String,
    /// The application that must act on the object's behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// The rights on secrets, in lower case.
    pub secrets: BTreeSet<String>,
}

/// A role given to a principal somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleAssignment {
    pub scope: String,
    pub role_definition_id: String,
    pub principal_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
    /// It counts only where this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// What a role allows on what is in resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleDefinition {
    pub id: String,
    pub name: String,
    pub permissions: Vec<DataPermissions>,
}

/// Patterns of data actions, and what is taken out of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DataPermissions {
    pub data_actions: Vec<String>,
    pub not_data_actions: Vec<String>,
}

/// What is taken from principals, whatever their roles are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DenyAssignment {
    pub name: String,
    pub scope: String,
    pub principals: Vec<String>,
    pub excluded: Vec<String>,
    pub permissions: Vec<DataPermissions>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn data_permissions(value: &Value) -> Vec<DataPermissions> {
    let read = |one: &Value| DataPermissions {
        data_actions: texts(&one["dataActions"]),
        not_data_actions: texts(&one["notDataActions"]),
    };
    list(value).map(read).collect()
}

impl VaultResource {
    /// Reads Resource Manager's answer; `None` where it is no vault. A vault that says nothing of roles decides by access
    /// policies: it was made by a version of the interface before 2026-02-01.
    pub fn read(answer: &Value) -> Option<VaultResource> {
        let properties = answer.get("properties")?;
        let policy = |one: &Value| {
            let secrets = texts(&one["permissions"]["secrets"]).iter().map(|right| right.to_lowercase()).collect();
            Some(AccessPolicy {
                object_id: text(&one["objectId"])?,
                application_id: text(&one["applicationId"]).filter(|id| !id.is_empty()),
                secrets,
            })
        };
        let by_roles = properties["enableRbacAuthorization"].as_bool() == Some(true);
        let rules = &properties["networkAcls"];
        Some(VaultResource {
            id: text(&answer["id"])?,
            uri: text(&properties["vaultUri"]),
            tenant_id: text(&properties["tenantId"]),
            model: if by_roles { PermissionModel::Roles } else { PermissionModel::AccessPolicies },
            policies: list(&properties["accessPolicies"]).filter_map(policy).collect(),
            public_network: !is(&properties["publicNetworkAccess"], "Disabled"),
            denies_by_default: is(&rules["defaultAction"], "Deny"),
            addresses: list(&rules["ipRules"]).filter_map(|rule| text(&rule["value"])).collect(),
        })
    }

    /// The resource id of one of its secrets.
    pub fn secret_id(&self, name: &str) -> String {
        format!("{}/secrets/{name}", self.id)
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
}

impl RoleAssignment {
    /// Reads one of Resource Manager's list.
    pub fn read(entry: &Value) -> Option<RoleAssignment> {
        let properties = &entry["properties"];
        Some(RoleAssignment {
            scope: text(&properties["scope"])?,
            role_definition_id: text(&properties["roleDefinitionId"])?,
            principal_id: text(&properties["principalId"])?,
            principal_type: text(&properties["principalType"]),
            created_at: properties["createdOn"].as_str().and_then(parse_rfc3339),
            condition: text(&properties["condition"]).filter(|condition| !condition.is_empty()),
        })
    }
}

impl RoleDefinition {
    /// Reads Resource Manager's answer.
    pub fn read(answer: &Value) -> Option<RoleDefinition> {
        Some(RoleDefinition {
            id: text(&answer["id"])?,
            name: text(&answer["properties"]["roleName"])?,
            permissions: data_permissions(&answer["properties"]["permissions"]),
        })
    }

    fn allows(&self, right: Right) -> bool {
        any_allows(&self.permissions, right)
    }

    fn is_on_data(&self) -> bool {
        self.permissions.iter().any(|one| !one.data_actions.is_empty())
    }
}

impl DenyAssignment {
    /// Reads one of Resource Manager's list.
    pub fn read(entry: &Value) -> Option<DenyAssignment> {
        let properties = &entry["properties"];
        let ids = |value: &Value| list(value).filter_map(|one| text(&one["id"])).collect();
        Some(DenyAssignment {
            name: text(&properties["denyAssignmentName"]).or_else(|| text(&entry["name"]))?,
            scope: text(&properties["scope"])?,
            principals: ids(&properties["principals"]),
            excluded: ids(&properties["excludePrincipals"]),
            permissions: data_permissions(&properties["permissions"]),
        })
    }
}

fn any_allows(permissions: &[DataPermissions], right: Right) -> bool {
    let any = |patterns: &[String]| {
        let fits = |pattern: &String| like_ignoring_case(pattern, right.data_action(), &Effort::full()) == Truth::True;
        patterns.iter().any(fits)
    };
    permissions.iter().any(|one| any(&one.data_actions) && !any(&one.not_data_actions))
}

/// Whether what is assigned at `scope` counts for the resource. What stands above subscriptions is listed only where it
/// does.
fn covers(scope: &str, resource: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_ascii_lowercase();
    let resource = resource.to_ascii_lowercase();
    !scope.starts_with("/subscriptions/")
        || resource.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Who asks: a service principal and the groups that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    pub object_id: &'a str,
    /// `None` where they could not be read.
    pub groups: Option<&'a [String]>,
    /// Further ids of the same application, which no assignment works for: its client id, its registration's object id.
    pub lookalikes: Vec<&'a str>,
}

/// Every principal, in a deny assignment.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

impl Identity<'_> {
    fn counts(&self, principal: &str, kind: Option<&str>) -> Truth {
        let same = |id: &String| id.eq_ignore_ascii_case(principal);
        if principal.eq_ignore_ascii_case(self.object_id) || self.groups.is_some_and(|groups| groups.iter().any(same)) {
            return Truth::True;
        }
        let may_be_a_group = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("Group"));
        if self.groups.is_none() && may_be_a_group { Truth::Unknown } else { Truth::False }
    }

    /// Whether what is given to the principal may be meant for this identity, rightly or not.
    pub fn is_concerned(&self, principal: &str, kind: Option<&str>) -> bool {
        self.counts(principal, kind) != Truth::False || self.is_lookalike(principal)
    }

    fn is_lookalike(&self, principal: &str) -> bool {
        self.lookalikes.iter().any(|id| id.eq_ignore_ascii_case(principal))
    }
}

/// What the rights that were read come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Allowed {
        /// What allows it.
        by: String,
        /// When that was made, where it says so.
        since: Option<UnixSeconds>,
    },
    Denied(Lack),
    /// It depends on what was not read.
    Unknown(String),
}

/// Why a right is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A deny assignment takes it.
    Deny { name: String, scope: String },
    /// A role with the right is assigned to another id of the same application.
    OtherId { role: String, scope: String, principal: String },
    /// A role with the right is assigned, on another secret or, for the whole vault, on secrets alone.
    Elsewhere { role: String, scopes: Vec<String> },
    /// Roles that reach it do not hold the right.
    OtherRoles {
        roles: Vec<String>,
        /// Whether one of them holds any right on what is in the vault.
        on_data: bool,
    },
    /// Nothing at all is assigned.
    NoRole,
    /// No access policy names the identity.
    NoPolicy,
    /// The access policy names another id of the same application.
    PolicyForOtherId { object_id: String },
    /// The access policy lacks the right, and has these.
    PolicyLacks { has: BTreeSet<String> },
    /// The access policy wants another application to act on somebody's behalf.
    Compound { application_id: String },
}

/// The roles that reach a vault, as far as they were read.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    pub assignments: &'a [RoleAssignment],
    pub definitions: &'a [RoleDefinition],
    pub denials: &'a [DenyAssignment],
}

impl Roles<'_> {
    fn definition(&self, assignment: &RoleAssignment) -> Option<&RoleDefinition> {
        // The same role has its id with and without a subscription before it.
        let last = |id: &str| id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let wanted = last(&assignment.role_definition_id);
        self.definitions.iter().find(|known| last(&known.id) == wanted)
    }

    /// Whether the roles give the identity a right on a resource: a secret, or the whole vault.
    pub fn rule(&self, identity: &Identity<'_>, right: Right, resource: &str) -> Ruling {
        if let Some(denial) = self.denials.iter().find(|denial| denial.takes(identity, right, resource)) {
            return Ruling::Denied(Lack::Deny { name: denial.name.clone(), scope: denial.scope.clone() });
        }
        let mut open = None;
        let (mut elsewhere, mut others, mut on_data, mut other_id) = (Vec::new(), Vec::new(), false, None);
        for assignment in self.assignments {
            let counts = identity.counts(&assignment.principal_id, assignment.principal_type.as_deref());
            let reaches = covers(&assignment.scope, resource);
            let definition = self.definition(assignment);
            let name = definition.map_or(assignment.role_definition_id.as_str(), |role| role.name.as_str());
            let allows = definition.map(|role| role.allows(right));
            let scope = &assignment.scope;
            match (counts, reaches, allows) {
                (Truth::True, true, Some(true)) if assignment.condition.is_none() => {
                    return Ruling::Allowed { by: format!("{name} on {scope}"), since: assignment.created_at };
                }
                (Truth::True, true, Some(true)) => {
                    open = Some(format!("{name} on {scope} counts on a condition that is not evaluated here"));
                }
                (Truth::Unknown, true, Some(true)) => {
                    let group = &assignment.principal_id;
                    open = Some(format!("the group {group} has {name} on {scope}; its members could not be read"));
                }
                (Truth::True, true, None) => {
                    open = Some(format!("what the role {name} on {scope} allows was not read"))
                }
                (Truth::True, false, Some(true)) => elsewhere.push((name.to_owned(), scope.clone())),
                (Truth::True, true, Some(false)) => {
                    others.push(format!("{name} on {scope}"));
                    on_data |= definition.is_some_and(RoleDefinition::is_on_data);
                }
                (Truth::False, true, Some(true)) if identity.is_lookalike(&assignment.principal_id) => {
                    let principal = assignment.principal_id.clone();
                    other_id = Some(Lack::OtherId { role: name.to_owned(), scope: scope.clone(), principal });
                }
                _ => {}
            }
        }
        match (open, other_id, elsewhere.first().cloned()) {
            (Some(why), ..) => Ruling::Unknown(why),
            (None, Some(lack), _) => Ruling::Denied(lack),
            (None, None, Some((role, _))) => Ruling::Denied(Lack::Elsewhere {
                role,
                scopes: elsewhere.into_iter().map(|(_, scope)| scope).collect(),
            }),
            (None, None, None) if others.is_empty() => Ruling::Denied(Lack::NoRole),
            (None, None, None) => Ruling::Denied(Lack::OtherRoles { roles: others, on_data }),
        }
    }
}

impl DenyAssignment {
    fn takes(&self, identity: &Identity<'_>, right: Right, resource: &str) -> bool {
        let named = |ids: &[String]| ids.iter().any(|id| id == EVERYONE || identity.counts(id, None) == Truth::True);
        named(&self.principals)
            && !named(&self.excluded)
            && covers(&self.scope, resource)
            && any_allows(&self.permissions, right)
    }
}

/// Whether the access policies give the identity a right; they count for the whole vault.
pub fn rule_by_policies(policies: &[AccessPolicy], identity: &Identity<'_>, right: Right) -> Ruling {
    let holds = |policy: &AccessPolicy| policy.secrets.contains(right.permission()) || policy.secrets.contains("all");
    let own = || policies.iter().filter(|one| identity.counts(&one.object_id, None) == Truth::True);
    if let Some(policy) = own().find(|policy| holds(policy) && policy.application_id.is_none()) {
        return Ruling::Allowed { by: format!("the access policy for {}", policy.object_id), since: None };
    }
    let may_be_own = |one: &&AccessPolicy| identity.counts(&one.object_id, None) == Truth::Unknown && holds(one);
    let is_open = |one: &&AccessPolicy| may_be_own(one) && !identity.is_lookalike(&one.object_id);
    if let Some(policy) = policies.iter().find(is_open) {
        let object = &policy.object_id;
        return Ruling::Unknown(format!("an access policy is for {object}, which may be a group of the application's"));
    }
    if let Some(application_id) = own().find_map(|policy| policy.application_id.clone()) {
        return Ruling::Denied(Lack::Compound { application_id });
    }
    if let Some(policy) = own().next() {
        return Ruling::Denied(Lack::PolicyLacks { has: policy.secrets.clone() });
    }
    match policies.iter().find(|policy| identity.is_lookalike(&policy.object_id)) {
        Some(policy) => Ruling::Denied(Lack::PolicyForOtherId { object_id: policy.object_id.clone() }),
        None => Ruling::Denied(Lack::NoPolicy),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
    const USER: &str = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/user";
    const READER: &str = "/providers/Microsoft.Authorization/roleDefinitions/reader";

    fn definition(id: &str, name: &str, actions: &[&str]) -> RoleDefinition {
        let permissions = json!([{ "dataActions": actions, "notDataActions": [] }]);
        let answer = json!({ "id": id, "properties": { "roleName": name, "permissions": permissions } });
        RoleDefinition::read(&answer).unwrap()
    }

    fn definitions() -> [RoleDefinition; 2] {
        let metadata = "Microsoft.KeyVault/vaults/secrets/readMetadata/action";
        [
            definition(
                USER,
                "Key Vault Secrets User",
                &["microsoft.keyvault/vaults/secrets/getSecret/action", metadata],
            ),
            definition(READER, "Key Vault Reader", &["Microsoft.KeyVault/vaults/*/read", metadata]),
        ]
    }

    fn assigned(role: &str, principal: &str, scope: &str) -> RoleAssignment {
        let properties = json!({ "roleDefinitionId": role, "principalId": principal, "scope": scope,
            "principalType": if principal == "group" { "Group" } else { "ServicePrincipal" },
            "createdOn": "2026-01-02T03:04:05.678Z", "condition": null });
        RoleAssignment::read(&json!({ "properties": properties })).unwrap()
    }

    fn identity(groups: Option<&[String]>) -> Identity<'_> {
        Identity { object_id: "me", groups, lookalikes: vec!["client", "registration"] }
    }

    fn rule(assignments: &[RoleAssignment], groups: Option<&[String]>, right: Right) -> Ruling {
        let roles = Roles { assignments, definitions: &definitions(), denials: &[] };
        let resource = if right == Right::Get { format!("{VAULT}/secrets/db") } else { VAULT.to_owned() };
        roles.rule(&identity(groups), right, &resource)
    }

    #[test]
    fn roles_count_by_principal_scope_and_right() {
        let none: Option<&[String]> = Some(&[]);
        let secret = format!("{}/secrets/DB", VAULT.to_uppercase());
        let other = format!("{VAULT}/secrets/db2");
        let since = parse_rfc3339("2026-01-02T03:04:05Z");
        for scope in [
            VAULT,
            &secret,
            "/subscriptions/s",
            "/subscriptions/s/resourceGroups/g",
            "/",
            "/providers/Microsoft.Management/managementGroups/m",
        ] {
            let by = format!("Key Vault Secrets User on {scope}");
            let allowed = rule(&[assigned(USER, "ME", scope)], none, Right::Get);
            assert_eq!(allowed, Ruling::Allowed { by, since }, "{scope}");
        }
        let denied = |assignments: &[RoleAssignment], right| match rule(assignments, none, right) {
            Ruling::Denied(lack) => lack,
            other => panic!("{other:?}"),
        };
        assert_eq!(denied(&[], Right::Get), Lack::NoRole);
        assert_eq!(denied(&[assigned(USER, "somebody", VAULT)], Right::Get), Lack::NoRole);
        let role = "Key Vault Secrets User".to_owned();
        let elsewhere = Lack::Elsewhere { role: role.clone(), scopes: vec![other.clone()] };
        assert_eq!(denied(&[assigned(USER, "me", &other)], Right::Get), elsewhere);
        let on_the_secret = Lack::Elsewhere { role: role.clone(), scopes: vec![secret.clone()] };
        assert_eq!(denied(&[assigned(USER, "me", &secret)], Right::List), on_the_secret);
        let reader = Lack::OtherRoles { roles: vec![format!("Key Vault Reader on {VAULT}")], on_data: true };
        assert_eq!(denied(&[assigned(READER, "me", VAULT)], Right::Get), reader);
        let client = Lack::OtherId { role, scope: VAULT.to_owned(), principal: "client".to_owned() };
        assert_eq!(denied(&[assigned(USER, "client", VAULT)], Right::Get), client);
    }

    #[test]
    fn what_was_not_read_leaves_the_ruling_open() {
        let by_group = [assigned(USER, "group", VAULT)];
        let own = ["group".to_owned()];
        assert!(matches!(rule(&by_group, Some(&own), Right::Get), Ruling::Allowed { .. }));
        assert_eq!(rule(&by_group, Some(&[]), Right::Get), Ruling::Denied(Lack::NoRole));
        assert!(matches!(rule(&by_group, None, Right::Get), Ruling::Unknown(_)));
        let unread = [assigned("/x/unread", "me", VAULT)];
        assert!(matches!(rule(&unread, Some(&[]), Right::Get), Ruling::Unknown(_)));
        let conditional = RoleAssignment { condition: Some("x".into()), ..assigned(USER, "me", VAULT) };
        assert!(matches!(rule(&[conditional], Some(&[]), Right::Get), Ruling::Unknown(_)));
    }

    #[test]
    fn a_deny_assignment_comes_before_every_role() {
        let denial = |principal: &str, excluded: &[&str]| {
            let excluded: Vec<Value> = excluded.iter().map(|id| json!({ "id": id })).collect();
            let permissions = json!([{ "dataActions": ["Microsoft.KeyVault/*"], "notDataActions": [] }]);
            DenyAssignment::read(&json!({ "properties": { "denyAssignmentName": "no", "scope": VAULT,
                "principals": [{ "id": principal }], "excludePrincipals": excluded, "permissions": permissions } }))
            .unwrap()
        };
        let ruled = |denial| {
            let assignments = [assigned(USER, "me", VAULT)];
            let roles = Roles { assignments: &assignments, definitions: &definitions(), denials: &[denial] };
            matches!(roles.rule(&identity(Some(&[])), Right::Get, VAULT), Ruling::Denied(Lack::Deny { .. }))
        };
        let cases = [denial("me", &[]), denial(EVERYONE, &[]), denial(EVERYONE, &["me"]), denial("somebody", &[])];
        assert_eq!(cases.map(ruled), [true, true, false, false]);
    }

    #[test]
    fn access_policies_count_for_the_object_and_nobody_else() {
        let vault = |policies: Value| {
            let answer = json!({ "id": VAULT, "properties": { "vaultUri": "https://v/", "accessPolicies": policies } });
            VaultResource::read(&answer).unwrap()
        };
        let policy = |object: &str, secrets: &[&str]| json!({ "objectId": object, "applicationId": "", "permissions": { "secrets": secrets } });
        let ruled = |policies: Value, groups, right| {
            let vault = vault(policies);
            assert_eq!(vault.model, PermissionModel::AccessPolicies);
            rule_by_policies(&vault.policies, &identity(groups), right)
        };
        let none: Option<&[String]> = Some(&[]);
        assert!(matches!(ruled(json!([policy("ME", &["Get"])]), none, Right::Get), Ruling::Allowed { .. }));
        assert!(matches!(ruled(json!([policy("me", &["all"])]), none, Right::List), Ruling::Allowed { .. }));
        let lacks = Lack::PolicyLacks { has: BTreeSet::from(["get".to_owned()]) };
        assert_eq!(ruled(json!([policy("me", &["get"])]), none, Right::List), Ruling::Denied(lacks));
        assert_eq!(ruled(json!([policy("x", &["get"])]), none, Right::Get), Ruling::Denied(Lack::NoPolicy));
        assert!(matches!(ruled(json!([policy("x", &["get"])]), None, Right::Get), Ruling::Unknown(_)));
        let registration = Lack::PolicyForOtherId { object_id: "registration".into() };
        let for_registration = json!([policy("registration", &["get"])]);
        assert_eq!(ruled(for_registration, None, Right::Get), Ruling::Denied(registration));
        let mut compound = policy("me", &["get"]);
        compound["applicationId"] = "other".into();
        let lack = Lack::Compound { application_id: "other".into() };
        assert_eq!(ruled(json!([compound]), none, Right::Get), Ruling::Denied(lack));
    }

    #[test]
    fn a_vault_is_read_with_its_network_and_model() {
        let answer = json!({ "id": VAULT, "properties": {
            "enableRbacAuthorization": true, "publicNetworkAccess": "disabled", "tenantId": "t",
            "networkAcls": { "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.0/24" }] } } });
        let vault = VaultResource::read(&answer).unwrap();
        assert_eq!((vault.model, vault.public_network, vault.denies_by_default), (PermissionModel::Roles, false, true));
        assert_eq!(vault.addresses, ["203.0.113.0/24"]);
        assert_eq!(VaultResource::read(&json!({ "error": {} })), None);
    }
}
