//! Managed policies.

use super::document::{self, Kind};
use super::role::LONGEST_POLICY_NAME;
use super::{Call, Element, Fault, Iam, Outcome, add, date, done, exists, no_such, whole};
use crate::lab::clock::now;
use crate::lab::session::unique_id;
use crate::lab::world::{ManagedPolicy, Policy};

impl Iam {
    pub(super) fn create_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let text = call.required("PolicyDocument")?;
        let policy = ManagedPolicy { path: call.path()?, document: Policy::Text(text.to_owned()) };
        let world = self.account.world();
        let arn = world.policy_arn(&name, &policy);
        self.authorize(call, "CreatePolicy", &arn)?;
        document::check(text, Kind::Permissions, &world)?;
        let id = unique_id("ANPA").map_err(|error| Fault::internal(error.to_string()))?;
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

    pub(super) fn attach_role_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (role, _) = self.named_role(call, "AttachRolePolicy")?;
        let policy = self.attachable(call)?;
        self.change_role(&role, |role| attach(&mut role.attached, policy));
        Ok(done("AttachRolePolicy"))
    }

    pub(super) fn attach_user_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (user, _) = self.named_user(call, "AttachUserPolicy")?;
        let policy = self.attachable(call)?;
        self.change_user(&user, |user| attach(&mut user.attached, policy));
        Ok(done("AttachUserPolicy"))
    }

    pub(super) fn list_attached_role_policies(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (_, role) = self.named_role(call, "ListAttachedRolePolicies")?;
        let world = self.account.world();
        let entries = role.attached.iter().filter_map(|name| {
            let arn = world.policy_arn(name, world.policies.get(name)?);
            Some(Element::of("member", vec![Element::text("PolicyName", name), Element::text("PolicyArn", arn)]))
        });
        let result = whole(Element::of("AttachedPolicies", entries.collect()));
        Ok(Outcome { action: "ListAttachedRolePolicies", result })
    }

    /// The name of the policy whose ARN the call gives.
    fn attachable(&self, call: &Call<'_>) -> Result<String, Fault> {
        let arn = call.required("PolicyArn")?;
        let world = self.account.world();
        let found = world.policies.iter().find(|(name, policy)| world.policy_arn(name, policy) == arn);
        found
            .map(|(name, _)| name.clone())
            .ok_or_else(|| no_such(format!("Policy {arn} does not exist or is not attachable.")))
    }
}

/// Attaching one that is attached already is no error.
fn attach(attached: &mut Vec<String>, policy: String) {
    if !attached.contains(&policy) {
        attached.push(policy);
    }
}
