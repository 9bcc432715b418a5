//! Roles and their inline policies.

use super::document::{self, Kind};
use super::{Call, Element, Fault, Iam, Outcome, add, date, done, exists, members, no_such, whole};
use crate::lab::clock::now;
use crate::lab::session::unique_id;
use crate::lab::world::{AwsWorld, Policy, Role};

/// How long a role's name may be.
const LONGEST_NAME: usize = 64;
/// How long a policy's name may be.
pub(super) const LONGEST_POLICY_NAME: usize = 128;

impl Iam {
    pub(super) fn create_role(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let name = call.name("RoleName", LONGEST_NAME)?.to_owned();
        let duration = call.parameters.integer("MaxSessionDuration")?.unwrap_or(3600);
        let trust_policy = call.required("AssumeRolePolicyDocument")?;
        let role = Role {
            path: call.path()?,
            trust_policy: Policy::Text(trust_policy.to_owned()),
            max_session_duration_s: u32::try_from(duration)
                .ok()
                .filter(|s| (3600..=43_200).contains(s))
                .ok_or_else(|| Fault::validation("MaxSessionDuration must be between 3600 and 43200 seconds."))?,
            id: unique_id("AROA").map_err(|error| Fault::internal(error.to_string()))?,
            created_at: now(),
            ..Role::default()
        };
        let world = self.account.world();
        self.authorize(call, "CreateRole", &world.role_arn(&name, &role))?;
        document::check(trust_policy, Kind::Trust, &world)?;
        let result = vec![element(&world, &name, &role)];
        let added = self.account.change(|world| add(&mut world.roles, &name, role));
        if added {
            Ok(Outcome { action: "CreateRole", result })
        } else {
            Err(exists(format!("Role with name {name} already exists.")))
        }
    }

    pub(super) fn get_role(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (name, role) = self.named_role(call, "GetRole")?;
        Ok(Outcome { action: "GetRole", result: vec![element(&self.account.world(), &name, &role)] })
    }

    pub(super) fn update_trust(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (name, _) = self.named_role(call, "UpdateAssumeRolePolicy")?;
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Trust, &self.account.world())?;
        self.change_role(&name, |role| role.trust_policy = Policy::Text(policy.to_owned()));
        Ok(done("UpdateAssumeRolePolicy"))
    }

    pub(super) fn put_role_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (role, _) = self.named_role(call, "PutRolePolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Permissions, &self.account.world())?;
        self.change_role(&role, |role| drop(role.policies.insert(name, Policy::Text(policy.to_owned()))));
        Ok(done("PutRolePolicy"))
    }

    pub(super) fn get_role_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (role_name, role) = self.named_role(call, "GetRolePolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?;
        let policy = role.policies.get(name).ok_or_else(|| no_such_policy(name))?;
        let result = vec![
            Element::text("RoleName", role_name),
            Element::text("PolicyName", name),
            Element::text("PolicyDocument", document::encoded(&policy.text())),
        ];
        Ok(Outcome { action: "GetRolePolicy", result })
    }

    pub(super) fn list_role_policies(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (_, role) = self.named_role(call, "ListRolePolicies")?;
        let result = whole(members("PolicyNames", role.policies.into_keys()));
        Ok(Outcome { action: "ListRolePolicies", result })
    }

    pub(super) fn delete_role_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (role_name, role) = self.named_role(call, "DeleteRolePolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?;
        if !role.policies.contains_key(name) {
            return Err(no_such_policy(name));
        }
        self.change_role(&role_name, |role| drop(role.policies.remove(name)));
        Ok(done("DeleteRolePolicy"))
    }

    /// The role that the call names, if the caller may do `action` on it.
    pub(super) fn named_role(&self, call: &Call<'_>, action: &str) -> Result<(String, Role), Fault> {
        let name = call.name("RoleName", LONGEST_NAME)?;
        let world = self.account.world();
        let role = world.roles.get(name);
        let presumed = Role::default();
        self.authorize(call, action, &world.role_arn(name, role.unwrap_or(&presumed)))?;
        match role {
            Some(role) => Ok((name.to_owned(), role.clone())),
            None => Err(no_such(format!("The role with name {name} cannot be found."))),
        }
    }

    pub(super) fn change_role(&self, name: &str, change: impl FnOnce(&mut Role)) {
        self.account.change(|world| world.roles.get_mut(name).map(change));
    }
}

fn no_such_policy(name: &str) -> Fault {
    no_such(format!("The role policy with name {name} cannot be found."))
}

fn element(world: &AwsWorld, name: &str, role: &Role) -> Element {
    let members = vec![
        Element::text("Path", role.path.clone()),
        Element::text("RoleName", name),
        Element::text("RoleId", role.id.clone()),
        Element::text("Arn", world.role_arn(name, role)),
        date("CreateDate", role.created_at),
        Element::text("AssumeRolePolicyDocument", document::encoded(&role.trust_policy.text())),
        Element::text("MaxSessionDuration", role.max_session_duration_s.to_string()),
    ];
    Element::of("Role", members)
}
