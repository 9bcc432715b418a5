//! From the rights at a vault, as an operator read them, to what is missing there and what was put in the wrong place.

use super::{Cause, Certainty, Finding};
use crate::domain::ids::FoundBy;
use crate::domain::timestamp::{UnixSeconds, in_words};
use crate::domain::vault_access::{Identity, Lack, PermissionModel, Right, Ruling};

/// How long an assignment may take to reach every vault, in seconds; ten minutes are documented.
const SETTLES: i64 = 30 * 60;

/// What a ruling is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub identity: &'a Identity<'a>,
    pub right: Right,
    pub model: PermissionModel,
    /// Whether the model that the vault does not look at would give the right.
    pub other_model: bool,
}

/// Why the right is not there.
pub fn lacking(lack: &Lack, subject: &Subject<'_>, check: FoundBy) -> Finding {
    let (verb, object) = (subject.right, subject.identity.object_id);
    let asked = match subject.right {
        Right::List => "list this vault's secrets",
        Right::Get => "read this secret",
    };
    let found = |cause, summary: String| Finding::new(cause, check, Certainty::Proven, summary);
    let roles = || format!("no role lets the application {asked}");
    match lack {
        Lack::NoPolicy | Lack::NoRole if subject.other_model => {
            let summary = match subject.model {
                PermissionModel::AccessPolicies => "the vault decides by access policies, and only a role was given",
                PermissionModel::Roles => "the vault decides by roles, and only an access policy was given",
            };
            found(Cause::AccessPolicyModel, summary.to_owned())
        }
        Lack::Deny { name, scope } => {
            let summary = format!("the deny assignment `{name}` forbids it, whatever the roles allow");
            found(Cause::ExplicitDeny, summary).with_evidence(format!("it stands on {scope}"))
        }
        Lack::OtherId { role, scope, principal } => found(Cause::RbacMissing, roles()).with_evidence(format!(
            "{role} on {scope} is assigned to {principal}, the application's client id or its registration; only what is \
             assigned to the service principal {object} counts"
        )),
        Lack::Elsewhere { role, scopes } if verb == Right::List => {
            let summary = "the role is assigned on a secret alone, and listing needs it on the vault".to_owned();
            let scopes = scopes.join(", ");
            found(Cause::RbacScopeSingleSecret, summary).with_evidence(format!("{role} is assigned on {scopes}"))
        }
        Lack::Elsewhere { role, scopes } => {
            let scopes = scopes.join(", ");
            found(Cause::RbacMissing, roles()).with_evidence(format!("{role} is assigned on {scopes} only"))
        }
        Lack::OtherRoles { roles: held, on_data: true } => {
            let summary = format!("the roles that the application has do not let it {asked}");
            let finding = found(Cause::RbacWrongRole, summary);
            finding.with_difference(subject.right.data_action(), held.join(", "))
        }
        Lack::OtherRoles { roles: held, on_data: false } => {
            let held = held.join(", ");
            let evidence = format!("it has {held}, which is about the vault and not about what is in it");
            found(Cause::RbacMissing, roles()).with_evidence(evidence)
        }
        Lack::NoRole => found(Cause::RbacMissing, roles()).with_evidence(format!(
            "no role on the vault, above it or on the secret is assigned to the service principal {object}"
        )),
        Lack::NoPolicy => {
            let summary = format!("no access policy lets the application {asked}");
            found(Cause::AccessPolicyMissing, summary).with_evidence(format!("none names the object id {object}"))
        }
        Lack::PolicyForOtherId { object_id } => {
            let summary = "the access policy names another object than the application's service principal";
            found(Cause::AccessPolicyWrongObject, summary.to_owned()).with_difference(object, object_id)
        }
        Lack::PolicyLacks { has } => {
            let has = has.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let cause = if verb == Right::List { Cause::MissingList } else { Cause::AccessPolicyMissing };
            let summary = format!("the application's access policy does not let it {asked}");
            found(cause, summary).with_difference(verb.permission(), has)
        }
        Lack::Compound { application_id } => {
            let summary = "the access policy demands that an application acts on a user's behalf".to_owned();
            let evidence = format!("it names the application {application_id} beside the object id {object}");
            found(Cause::AccessPolicyCompound, summary).with_evidence(evidence)
        }
    }
}

/// The right is there and the vault refused: what was given lately is not known everywhere yet.
pub fn not_known_yet(ruling: &Ruling, check: FoundBy, now: UnixSeconds) -> Option<Finding> {
    let Ruling::Allowed { by, since } = ruling else { return None };
    let age = since.map(|since| now - since);
    let certainty = if age.is_some_and(|age| age < SETTLES) { Certainty::Proven } else { Certainty::Likely };
    let age = age.map_or_else(String::new, |age| format!(", made {} ago", in_words(age.max(0).unsigned_abs())));
    let summary = "the right is there, and the vault does not know it yet";
    Some(Finding::new(Cause::PropagationDelay, check, certainty, summary).with_evidence(format!("{by}{age}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::ids::CheckId;

    fn cause(lack: &Lack, right: Right, model: PermissionModel, other_model: bool) -> Cause {
        let identity = Identity { object_id: "me", groups: Some(&[]), lookalikes: Vec::new() };
        let subject = Subject { identity: &identity, right, model, other_model };
        let finding = lacking(lack, &subject, CheckId::AzureRoleAssignments.into());
        assert_eq!(finding.certainty, Certainty::Proven);
        finding.cause
    }

    #[test]
    fn every_lack_has_its_cause() {
        let elsewhere = Lack::Elsewhere { role: "r".into(), scopes: vec!["s".into()] };
        let other_roles = |on_data| Lack::OtherRoles { roles: vec!["r".into()], on_data };
        let lacks = Lack::PolicyLacks { has: BTreeSet::new() };
        for (lack, right, expected) in [
            (Lack::Deny { name: "d".into(), scope: "s".into() }, Right::Get, Cause::ExplicitDeny),
            (Lack::NoRole, Right::Get, Cause::RbacMissing),
            (
                Lack::OtherId { role: "r".into(), scope: "s".into(), principal: "p".into() },
                Right::Get,
                Cause::RbacMissing,
            ),
            (elsewhere.clone(), Right::Get, Cause::RbacMissing),
            (elsewhere, Right::List, Cause::RbacScopeSingleSecret),
            (other_roles(true), Right::Get, Cause::RbacWrongRole),
            (other_roles(false), Right::Get, Cause::RbacMissing),
        ] {
            assert_eq!(cause(&lack, right, PermissionModel::Roles, false), expected, "{lack:?}");
        }
        for (lack, right, expected) in [
            (Lack::NoPolicy, Right::Get, Cause::AccessPolicyMissing),
            (Lack::PolicyForOtherId { object_id: "o".into() }, Right::Get, Cause::AccessPolicyWrongObject),
            (lacks.clone(), Right::Get, Cause::AccessPolicyMissing),
            (lacks, Right::List, Cause::MissingList),
            (Lack::Compound { application_id: "a".into() }, Right::Get, Cause::AccessPolicyCompound),
        ] {
            assert_eq!(cause(&lack, right, PermissionModel::AccessPolicies, false), expected, "{lack:?}");
        }
        for model in [PermissionModel::Roles, PermissionModel::AccessPolicies] {
            assert_eq!(cause(&Lack::NoPolicy, Right::Get, model, true), Cause::AccessPolicyModel);
        }
        // What is wrong in the vault's own model comes before what is right in the other.
        let lacks = Lack::PolicyLacks { has: BTreeSet::new() };
        assert_eq!(cause(&lacks, Right::List, PermissionModel::AccessPolicies, true), Cause::MissingList);
    }

    #[test]
    fn only_what_was_given_lately_proves_that_it_is_not_known_yet() {
        let found = |since| {
            let allowed = Ruling::Allowed { by: "r on s".into(), since };
            not_known_yet(&allowed, CheckId::AzureRoleAssignments.into(), 1_000_000).map(|finding| finding.certainty)
        };
        assert_eq!(found(Some(999_990)), Some(Certainty::Proven));
        assert_eq!(found(Some(0)), Some(Certainty::Likely));
        assert_eq!(found(None), Some(Certainty::Likely));
        let denied = Ruling::Denied(Lack::NoRole);
        assert_eq!(not_known_yet(&denied, CheckId::AzureRoleAssignments.into(), 0), None);
    }
}
