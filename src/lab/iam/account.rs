//! The account as one answer, in pages: every role and user with its policies, and every managed policy.

use super::policy::{references, whole_policy};
use super::role::described;
use super::{AwsError, Call, Element, Iam, Outcome, cut, date, document};
use crate::lab::world::{AwsWorld, Policy, Role};

const ACTION: &str = "GetAccountAuthorizationDetails";
/// What a filter may name, and the list that it stands in.
const KINDS: [(&str, &str); 5] = [
    ("User", "UserDetailList"),
    ("Group", "GroupDetailList"),
    ("Role", "RoleDetailList"),
    ("LocalManagedPolicy", "Policies"),
    ("AWSManagedPolicy", "Policies"),
];

impl Iam {
    pub(super) fn account_details(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        self.authorize(call, ACTION, "*")?;
        let wanted = call.parameters.list("Filter");
        if let Some(unknown) = wanted.iter().find(|name| !KINDS.iter().any(|(kind, _)| kind == name)) {
            return Err(AwsError::validation(format!(
                "Value '[{unknown}]' at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [Role, AWSManagedPolicy, User, LocalManagedPolicy, Group]]"
            )));
        }
        let world = self.account.world();
        let all = self.entities(&world);
        let is_wanted = |kind: &str| wanted.is_empty() || wanted.iter().any(|name| name == kind);
        let all = all.into_iter().filter(|(kind, _)| is_wanted(kind)).collect();
        let (kept, more) = cut(call, all)?;
        let mut lists =
            ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"].map(|list| (list, Vec::new()));
        for (kind, entry) in kept {
            let of_kind = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, list)| *list);
            if let Some((_, entries)) = lists.iter_mut().find(|(list, _)| of_kind == Some(*list)) {
                entries.push(entry);
            }
        }
        let lists = lists.into_iter().map(|(list, entries)| Element::of(list, entries));
        Ok(Outcome { action: ACTION, result: lists.chain(more).collect() })
    }

    /// Everything of the account by its kind. The lab has no groups, and attaches no policy of AWS's own.
    fn entities(&self, world: &AwsWorld) -> Vec<(&'static str, Element)> {
        let users = world.users.iter().map(|(name, user)| {
            let mut members = vec![
                Element::text("Path", "/"),
                Element::text("UserName", name),
                Element::text("UserId", user.id.clone()),
                Element::text("Arn", self.user_arn(name)),
                date("CreateDate", user.created_at),
            ];
            members.push(inline("UserPolicyList", &user.policies));
            members.push(Element::of("AttachedManagedPolicies", references(world, &user.attached)));
            ("User", Element::of("member", members))
        });
        let roles =
            world.roles.iter().map(|(name, role)| ("Role", Element::of("member", whole_role(world, name, role))));
        let policies = world
            .policies
            .iter()
            .map(|(name, policy)| ("LocalManagedPolicy", Element::of("member", whole_policy(world, name, policy))));
        users.chain(roles).chain(policies).collect()
    }
}

fn whole_role(world: &AwsWorld, name: &str, role: &Role) -> Vec<Element> {
    let mut members = described(world, name, role);
    members.push(inline("RolePolicyList", &role.policies));
    members.push(Element::of("AttachedManagedPolicies", references(world, &role.attached)));
    members
}

fn inline<'p>(list: &'static str, policies: impl IntoIterator<Item = (&'p String, &'p Policy)>) -> Element {
    let entries = policies.into_iter().map(|(name, policy)| {
        let document = Element::text("PolicyDocument", document::encoded(&policy.text()));
        Element::of("member", vec![Element::text("PolicyName", name), document])
    });
    Element::of(list, entries.collect())
}
