//! Roles and their inline policies.

use super::document::{self, Kind};
use super::{AwsError, Call, Element, Iam, Outcome, add, anything, date, done, exists, in_use, no_such, page, whole};
use crate::lab::server::now;
use crate::lab::session::unique_id;
use crate::lab::world::{AwsWorld, Policy, Role};

/// How long a role's name may be.
const LONGEST_NAME: usize = 64;
/// How long a policy's name may be.
pub(super) const LONGEST_POLICY_NAME: usize = 128;

impl Iam {
    pub(super) fn create_role(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let name = call.name("RoleName", LONGEST_NAME)?.to_owned();
        let duration = session_duration(call)?.unwrap_or(3600);
        let trust_policy = call.required("AssumeRolePolicyDocument")?;
        let role = Role {
            path: call.path()?,
            trust_policy: Policy::Text(trust_policy.to_owned()),
            max_session_duration_s: duration,
            id: unique_id("AROA").map_err(|error| AwsError::internal(error.to_string()))?,
            created_at: now(),
            ..Role::default()
        };
        let world = self.account.world();
        self.authorize(call, "CreateRole", &world.role_arn(&name, &role))?;
        document::check(trust_policy, Kind::Trust, &world)?;
        let result = vec![element("Role", &world, &name, &role)];
        let added = self.account.change(|world| add(&mut world.roles, &name, role));
        if added {
            Ok(Outcome { action: "CreateRole", result })
        } else {
            Err(exists(format!("Role with name {name} already exists.")))
        }
    }

    pub(super) fn get_role(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, role) = self.named_role(call, "GetRole")?;
        Ok(Outcome { action: "GetRole", result: vec![element("Role", &self.account.world(), &name, &role)] })
    }

    pub(super) fn list_roles(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let world = self.account.world();
        self.authorize(call, "ListRoles", &anything(&world, "role"))?;
        let roles = world.roles.iter().map(|(name, role)| element("member", &world, name, role)).collect();
        Ok(Outcome { action: "ListRoles", result: whole(Element::of("Roles", roles)) })
    }

    pub(super) fn update_role(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_role(call, "UpdateRole")?;
        if let Some(seconds) = session_duration(call)? {
            self.change_role(&name, |role| role.max_session_duration_s = seconds);
        }
        Ok(done("UpdateRole"))
    }

    pub(super) fn delete_role(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, role) = self.named_role(call, "DeleteRole")?;
        if !role.policies.is_empty() {
            return Err(in_use("Cannot delete entity, must delete policies first."));
        }
        if !role.attached.is_empty() {
            return Err(in_use("Cannot delete entity, must detach all policies first."));
        }
        self.account.change(|world| drop(world.roles.remove(&name)));
        Ok(done("DeleteRole"))
    }

    pub(super) fn put_boundary(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_role(call, "PutRolePermissionsBoundary")?;
        let policy = self.policy_of_arn(call.required("PermissionsBoundary")?)?;
        self.change_role(&name, |role| role.boundary = Some(policy));
        Ok(done("PutRolePermissionsBoundary"))
    }

    pub(super) fn delete_boundary(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_role(call, "DeleteRolePermissionsBoundary")?;
        self.change_role(&name, |role| role.boundary = None);
        Ok(done("DeleteRolePermissionsBoundary"))
    }

    pub(super) fn update_trust(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_role(call, "UpdateAssumeRolePolicy")?;
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Trust, &self.account.world())?;
        self.change_role(&name, |role| role.trust_policy = Policy::Text(policy.to_owned()));
        Ok(done("UpdateAssumeRolePolicy"))
    }

    pub(super) fn put_role_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (role, _) = self.named_role(call, "PutRolePolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Permissions, &self.account.world())?;
        self.change_role(&role, |role| drop(role.policies.insert(name, Policy::Text(policy.to_owned()))));
        Ok(done("PutRolePolicy"))
    }

    pub(super) fn get_role_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
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

    pub(super) fn list_role_policies(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, role) = self.named_role(call, "ListRolePolicies")?;
        let names = role.policies.into_keys().map(|name| Element::text("member", name)).collect();
        let result = page(call, "PolicyNames", names)?;
        Ok(Outcome { action: "ListRolePolicies", result })
    }

    pub(super) fn delete_role_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (role_name, role) = self.named_role(call, "DeleteRolePolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?;
        if !role.policies.contains_key(name) {
            return Err(no_such_policy(name));
        }
        self.change_role(&role_name, |role| drop(role.policies.remove(name)));
        Ok(done("DeleteRolePolicy"))
    }

    /// The role that the call names, if the caller may do `action` on it.
    pub(super) fn named_role(&self, call: &Call<'_>, action: &str) -> Result<(String, Role), AwsError> {
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

/// The longest session that the call wants the role to allow, where it says so.
fn session_duration(call: &Call<'_>) -> Result<Option<u32>, AwsError> {
    let Some(seconds) = call.parameters.integer("MaxSessionDuration")? else { return Ok(None) };
    let allowed = u32::try_from(seconds).ok().filter(|seconds| (3600..=43_200).contains(seconds));
    match allowed {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(AwsError::validation("MaxSessionDuration must be between 3600 and 43200 seconds.")),
    }
}

fn no_such_policy(name: &str) -> AwsError {
    no_such(format!("The role policy with name {name} cannot be found."))
}

fn element(tag: &'static str, world: &AwsWorld, name: &str, role: &Role) -> Element {
    Element::of(tag, described(world, name, role))
}

/// What every answer says of a role.
pub(super) fn described(world: &AwsWorld, name: &str, role: &Role) -> Vec<Element> {
    let mut members = vec![
        Element::text("Path", role.path.clone()),
        Element::text("RoleName", name),
        Element::text("RoleId", role.id.clone()),
        Element::text("Arn", world.role_arn(name, role)),
        date("CreateDate", role.created_at),
        Element::text("AssumeRolePolicyDocument", document::encoded(&role.trust_policy.text())),
        Element::text("MaxSessionDuration", role.max_session_duration_s.to_string()),
    ];
    if let Some((policy, bounds)) = role.boundary.as_ref().and_then(|name| Some((name, world.policies.get(name)?))) {
        let arn = Element::text("PermissionsBoundaryArn", world.policy_arn(policy, bounds));
        let kind = Element::text("PermissionsBoundaryType", "Policy");
        members.push(Element::of("PermissionsBoundary", vec![kind, arn]));
    }
    members
}
