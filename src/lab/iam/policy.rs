//! Managed policies.

use super::document::{self, Kind};
use super::role::LONGEST_POLICY_NAME;
use super::{AwsError, Call, Element, Iam, Outcome, add, date, done, exists, in_use, no_such, page, whole};
use crate::lab::server::now;
use crate::lab::session::unique_id;
use crate::lab::world::{AwsWorld, ManagedPolicy, Policy};

/// How many versions a managed policy may have.
const MOST_VERSIONS: usize = 5;

impl Iam {
    pub(super) fn create_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let text = call.required("PolicyDocument")?;
        let document = Policy::Text(text.to_owned());
        let policy = ManagedPolicy { path: call.path()?, document, ..ManagedPolicy::default() };
        let world = self.account.world();
        let arn = world.policy_arn(&name, &policy);
        self.authorize(call, "CreatePolicy", &arn)?;
        document::check(text, Kind::Permissions, &world)?;
        let id = unique_id("ANPA").map_err(|error| AwsError::internal(error.to_string()))?;
        let members = vec![
            Element::text("PolicyName", name.clone()),
            Element::text("PolicyId", id),
            Element::text("Arn", arn),
            Element::text("Path", policy.path.clone()),
            Element::text("DefaultVersionId", "v1"),
            Element::text("AttachmentCount", "0"),
            Element::text("IsAttachable", "true"),
            date("CreateDate", now()),
            date("UpdateDate", now()),
        ];
        let added = self.account.change(|world| add(&mut world.policies, &name, policy));
        if added {
            Ok(Outcome { action: "CreatePolicy", result: vec![Element::of("Policy", members)] })
        } else {
            Err(exists(format!("A policy called {name} already exists. Duplicate names are not allowed.")))
        }
    }

    pub(super) fn attach_role_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (role, _) = self.named_role(call, "AttachRolePolicy")?;
        let policy = self.attachable(call)?;
        self.change_role(&role, |role| attach(&mut role.attached, policy));
        Ok(done("AttachRolePolicy"))
    }

    pub(super) fn attach_user_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user, _) = self.named_user(call, "AttachUserPolicy")?;
        let policy = self.attachable(call)?;
        self.change_user(&user, |user| attach(&mut user.attached, policy));
        Ok(done("AttachUserPolicy"))
    }

    pub(super) fn detach_role_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (role, former) = self.named_role(call, "DetachRolePolicy")?;
        let policy = self.attached(call, &former.attached)?;
        self.change_role(&role, |role| role.attached.retain(|name| *name != policy));
        Ok(done("DetachRolePolicy"))
    }

    pub(super) fn detach_user_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user, former) = self.named_user(call, "DetachUserPolicy")?;
        let policy = self.attached(call, &former.attached)?;
        self.change_user(&user, |user| user.attached.retain(|name| *name != policy));
        Ok(done("DetachUserPolicy"))
    }

    pub(super) fn list_attached_role_policies(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, role) = self.named_role(call, "ListAttachedRolePolicies")?;
        self.attachments(call, "ListAttachedRolePolicies", &role.attached)
    }

    pub(super) fn list_attached_user_policies(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, user) = self.named_user(call, "ListAttachedUserPolicies")?;
        self.attachments(call, "ListAttachedUserPolicies", &user.attached)
    }

    pub(super) fn get_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, policy) = self.managed(call, "GetPolicy")?;
        let world = self.account.world();
        let members = vec![
            Element::text("PolicyName", name.clone()),
            Element::text("Arn", world.policy_arn(&name, &policy)),
            Element::text("Path", policy.path),
            Element::text("DefaultVersionId", version_id(policy.default_version)),
            Element::text("AttachmentCount", attachments(&world, &name).to_string()),
            Element::text("IsAttachable", "true"),
        ];
        Ok(Outcome { action: "GetPolicy", result: vec![Element::of("Policy", members)] })
    }

    pub(super) fn delete_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, policy) = self.managed(call, "DeletePolicy")?;
        if attachments(&self.account.world(), &name) > 0 {
            return Err(in_use("Cannot delete a policy attached to entities."));
        }
        if !policy.other_versions.is_empty() {
            return Err(in_use(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
            ));
        }
        self.account.change(|world| drop(world.policies.remove(&name)));
        Ok(done("DeletePolicy"))
    }

    pub(super) fn list_policy_versions(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, policy) = self.managed(call, "ListPolicyVersions")?;
        // The newest first.
        let numbers: Vec<u32> = policy.versions().into_keys().rev().collect();
        let versions = numbers.into_iter().map(|number| Element::of("member", version(&policy, number))).collect();
        Ok(Outcome { action: "ListPolicyVersions", result: whole(Element::of("Versions", versions)) })
    }

    pub(super) fn get_policy_version(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, policy) = self.managed(call, "GetPolicyVersion")?;
        let number = named_version(call, &policy)?;
        let mut members = version(&policy, number);
        let text = policy.versions().get(&number).map(|document| document.text()).unwrap_or_default();
        members.push(Element::text("Document", document::encoded(&text)));
        Ok(Outcome { action: "GetPolicyVersion", result: vec![Element::of("PolicyVersion", members)] })
    }

    pub(super) fn create_policy_version(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, mut policy) = self.managed(call, "CreatePolicyVersion")?;
        let text = call.required("PolicyDocument")?;
        document::check(text, Kind::Permissions, &self.account.world())?;
        let versions = policy.versions();
        if versions.len() >= MOST_VERSIONS {
            let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
            return Err(AwsError::new("LimitExceeded", 409, message));
        }
        let number = versions.into_keys().next_back().unwrap_or_default() + 1;
        policy.other_versions.insert(number, Policy::Text(text.to_owned()));
        if call.parameters.get("SetAsDefault") == Some("true") {
            policy.make_default(number);
        }
        let result = vec![Element::of("PolicyVersion", version(&policy, number))];
        self.account.change(|world| drop(world.policies.insert(name, policy)));
        Ok(Outcome { action: "CreatePolicyVersion", result })
    }

    pub(super) fn set_default_policy_version(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, policy) = self.managed(call, "SetDefaultPolicyVersion")?;
        let number = named_version(call, &policy)?;
        self.account.change(|world| world.policies.get_mut(&name).map(|policy| policy.make_default(number)));
        Ok(done("SetDefaultPolicyVersion"))
    }

    pub(super) fn delete_policy_version(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, policy) = self.managed(call, "DeletePolicyVersion")?;
        let number = named_version(call, &policy)?;
        if number == policy.default_version {
            return Err(in_use("Cannot delete the default version of a policy."));
        }
        self.account.change(|world| {
            world.policies.get_mut(&name).map(|policy| policy.other_versions.remove(&number));
        });
        Ok(done("DeletePolicyVersion"))
    }

    fn attachments(&self, call: &Call<'_>, action: &'static str, attached: &[String]) -> Result<Outcome, AwsError> {
        let world = self.account.world();
        Ok(Outcome { action, result: page(call, "AttachedPolicies", references(&world, attached))? })
    }

    /// The policy that the call names, if the caller may do `action` on it.
    fn managed(&self, call: &Call<'_>, action: &str) -> Result<(String, ManagedPolicy), AwsError> {
        let arn = call.required("PolicyArn")?;
        self.authorize(call, action, arn)?;
        let world = self.account.world();
        let found = world.policies.iter().find(|(name, policy)| world.policy_arn(name, policy) == arn);
        found
            .map(|(name, policy)| (name.clone(), policy.clone()))
            .ok_or_else(|| no_such(format!("Policy {arn} was not found.")))
    }

    /// The name of the policy whose ARN the call gives, which is among those attached.
    fn attached(&self, call: &Call<'_>, attached: &[String]) -> Result<String, AwsError> {
        let arn = call.required("PolicyArn")?;
        let policy = self.policy_of_arn(arn).ok().filter(|name| attached.contains(name));
        policy.ok_or_else(|| no_such(format!("Policy {arn} was not found.")))
    }

    /// The name of the policy whose ARN the call gives.
    fn attachable(&self, call: &Call<'_>) -> Result<String, AwsError> {
        self.policy_of_arn(call.required("PolicyArn")?)
    }

    pub(super) fn policy_of_arn(&self, arn: &str) -> Result<String, AwsError> {
        let world = self.account.world();
        let found = world.policies.iter().find(|(name, policy)| world.policy_arn(name, policy) == arn);
        found
            .map(|(name, _)| name.clone())
            .ok_or_else(|| no_such(format!("Policy {arn} does not exist or is not attachable.")))
    }
}

/// The managed policies that are attached, by name and ARN.
pub(super) fn references(world: &AwsWorld, attached: &[String]) -> Vec<Element> {
    let entries = attached.iter().filter_map(|name| {
        let arn = world.policy_arn(name, world.policies.get(name)?);
        Some(Element::of("member", vec![Element::text("PolicyName", name), Element::text("PolicyArn", arn)]))
    });
    entries.collect()
}

/// A managed policy with all its versions.
pub(super) fn whole_policy(world: &AwsWorld, name: &str, policy: &ManagedPolicy) -> Vec<Element> {
    let versions = policy.versions().into_iter().map(|(number, text)| {
        let mut members = version(policy, number);
        members.push(Element::text("Document", document::encoded(&text.text())));
        Element::of("member", members)
    });
    vec![
        Element::text("PolicyName", name),
        Element::text("Arn", world.policy_arn(name, policy)),
        Element::text("Path", policy.path.clone()),
        Element::text("DefaultVersionId", version_id(policy.default_version)),
        Element::of("PolicyVersionList", versions.collect()),
    ]
}

fn version_id(number: u32) -> String {
    format!("v{number}")
}

fn version(policy: &ManagedPolicy, number: u32) -> Vec<Element> {
    let is_default = number == policy.default_version;
    vec![Element::text("VersionId", version_id(number)), Element::text("IsDefaultVersion", is_default.to_string())]
}

/// The version of the policy that the call names.
fn named_version(call: &Call<'_>, policy: &ManagedPolicy) -> Result<u32, AwsError> {
    let id = call.required("VersionId")?;
    let found = policy.versions().into_keys().find(|number| version_id(*number) == id);
    found.ok_or_else(|| no_such(format!("Policy version {id} does not exist.")))
}

/// To how many roles and users the policy is attached.
fn attachments(world: &AwsWorld, name: &String) -> usize {
    let roles = world.roles.values().filter(|role| role.attached.contains(name)).count();
    roles + world.users.values().filter(|user| user.attached.contains(name)).count()
}

/// Attaching one that is attached already is no error.
fn attach(attached: &mut Vec<String>, policy: String) {
    if !attached.contains(&policy) {
        attached.push(policy);
    }
}
