//! From what IAM's policies lack for a call at Google to the cause.

use super::{Cause, Certainty, Finding};
use crate::domain::gcp::{Lack, Ruling};
use crate::domain::iam::Truth;
use crate::domain::ids::FoundBy;

const DOCS_DENY: &str = "https://cloud.google.com/iam/docs/troubleshoot-policies";

/// A call of the reader's that a policy has to grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoogleRight {
    /// To take a service account's place.
    Impersonate,
    /// To list the secrets of a project.
    List,
    /// To read a secret's value.
    Read,
}

impl GoogleRight {
    pub const fn permission(self) -> &'static str {
        match self {
            GoogleRight::Impersonate => "iam.serviceAccounts.getAccessToken",
            GoogleRight::List => "secretmanager.secrets.list",
            GoogleRight::Read => "secretmanager.versions.access",
        }
    }

    /// The role that has it and little else.
    pub const fn role(self) -> &'static str {
        match self {
            GoogleRight::Impersonate => "roles/iam.workloadIdentityUser",
            GoogleRight::List => "roles/secretmanager.viewer",
            GoogleRight::Read => "roles/secretmanager.secretAccessor",
        }
    }

    /// The cause where nobody like the reader has it.
    const fn missing(self) -> Cause {
        match self {
            GoogleRight::Impersonate => Cause::PrincipalsetMismatch,
            GoogleRight::List => Cause::MissingList,
            GoogleRight::Read => Cause::SecretIamMissing,
        }
    }
}

/// Why the reader lacks a right. It is proven where every policy was read that could grant it; `unread` says which was not.
pub fn lacking(check: FoundBy, right: GoogleRight, lack: &Lack, reader: &str, unread: Option<String>) -> Finding {
    let certainty = if unread.is_none() { Certainty::Proven } else { Certainty::Likely };
    let (permission, wanted) = (right.permission(), right.role());
    let missing = |summary: String| Finding::new(right.missing(), check, certainty, summary);
    let finding = match lack {
        Lack::Elsewhere { role, place } => {
            missing(format!("`{role}` is granted on {place}, where `{permission}` does not count: it is the project's"))
        }
        Lack::OtherRole { role, place } => {
            missing(format!("the reader has `{role}` on {place}, and no role with `{permission}`, such as {wanted}"))
        }
        Lack::Nothing => missing(format!("the reader has no role with `{permission}`, such as {wanted}")),
        Lack::OtherMember { place, rule } => {
            let tests = rule.conditions.iter().filter(|test| test.result == Truth::False);
            let nearest = tests.min_by_key(|test| test.actual.is_none());
            let why = nearest.map(|test| format!(": {}", test.why)).unwrap_or_default();
            let summary = format!("`{}` on {place} is granted to another member{why}", rule.name);
            let mut finding = Finding::new(Cause::PrincipalsetMismatch, check, certainty, summary);
            finding.expected = nearest.and_then(|test| test.expected.first().cloned());
            finding.actual = nearest.and_then(|test| test.actual.as_ref()?.first().cloned());
            finding
        }
    };
    let finding = finding.with_evidence(format!("the reader is `{reader}`"));
    match unread {
        Some(why) => {
            finding.with_evidence(format!("a policy above the project may grant it, which was not read; {why}"))
        }
        None => finding,
    }
}

/// A deny policy refuses the reader a right, whatever is granted.
pub fn denied(check: FoundBy, right: GoogleRight, policy: &str, principal: &str, reader: &str) -> Finding {
    let permission = right.permission();
    let id = policy.rsplit('/').next().unwrap_or_default();
    let summary = format!("the deny policy `{id}` refuses `{permission}` to the reader, whatever a binding grants");
    let mut finding = Finding::new(right.missing(), check, Certainty::Proven, summary);
    finding.docs = DOCS_DENY.to_owned();
    finding
        .with_evidence(format!("the policy is {policy}"))
        .with_evidence(format!("its rule denies it to `{principal}`"))
        .with_evidence(format!("the reader is `{reader}`"))
}

/// The right is granted and the service refused the call: what was granted lately does not count everywhere yet.
/// `unread` says which deny policies could not be read, one of which would look the same.
pub fn not_counting_yet(
    check: FoundBy,
    right: GoogleRight,
    ruling: &Ruling,
    unread: Option<String>,
) -> Option<Finding> {
    let Ruling::Granted { role, place } = ruling else { return None };
    let summary = format!("`{role}` on {place} grants `{}`, and the call is refused all the same", right.permission());
    let finding = Finding::new(Cause::PropagationDelay, check, Certainty::Likely, summary);
    let alike = match &unread {
        Some(_) => "a deny policy or a service perimeter of the organization would look the same",
        None => "a service perimeter of the organization would look the same",
    };
    let finding = finding.with_evidence(format!("a binding takes a minute or two to count; {alike}"));
    Some(unread.into_iter().fold(finding, Finding::with_evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CheckId;

    const CHECK: FoundBy = FoundBy::Check(CheckId::GcpBindings);

    #[test]
    fn each_lack_has_its_cause_and_is_proven_where_all_was_read() {
        let other_role = Lack::OtherRole { role: "viewer".into(), place: "the project".into() };
        let elsewhere = Lack::Elsewhere { role: "viewer".into(), place: "the secret".into() };
        for (right, lack, cause) in [
            (GoogleRight::List, &elsewhere, Cause::MissingList),
            (GoogleRight::List, &Lack::Nothing, Cause::MissingList),
            (GoogleRight::Read, &other_role, Cause::SecretIamMissing),
            (GoogleRight::Read, &Lack::Nothing, Cause::SecretIamMissing),
            (GoogleRight::Impersonate, &Lack::Nothing, Cause::PrincipalsetMismatch),
        ] {
            let proven = lacking(CHECK, right, lack, "principal://x", None);
            assert_eq!((proven.cause, proven.certainty), (cause, Certainty::Proven), "{lack:?}");
            let open = lacking(CHECK, right, lack, "principal://x", Some("the folder 1: the operator lacks it".into()));
            assert_eq!(open.certainty, Certainty::Likely);
            assert!(open.evidence.iter().any(|told| told.contains("the folder 1")), "{open:?}");
        }
    }

    #[test]
    fn what_is_granted_and_refused_may_not_count_yet() {
        let granted = Ruling::Granted { role: "accessor".into(), place: "the secret".into() };
        for unread in [None, Some("deny policies of the project: the operator lacks iam.denypolicies.list".to_owned())]
        {
            let finding = not_counting_yet(CHECK, GoogleRight::Read, &granted, unread.clone()).unwrap();
            assert_eq!((finding.cause, finding.certainty), (Cause::PropagationDelay, Certainty::Likely));
            assert_eq!(finding.evidence[0].contains("deny policy"), unread.is_some(), "{finding:?}");
        }
        assert_eq!(not_counting_yet(CHECK, GoogleRight::Read, &Ruling::Withheld(Lack::Nothing), None), None);
    }
}
