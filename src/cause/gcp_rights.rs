//! From what IAM's policies lack for a call at Google to the cause.

use super::{Cause, Certainty, Finding};
use crate::domain::gcp::{Lack, Ruling};
use crate::domain::iam::Truth;
use crate::domain::ids::FoundBy;

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

/// Why the reader lacks a right. It is proven where the service refused the call; else a policy above the project, which
/// is not read, may yet grant it.
pub fn lacking(check: FoundBy, right: GoogleRight, lack: &Lack, reader: &str, is_refused: bool) -> Finding {
    let certainty = if is_refused { Certainty::Proven } else { Certainty::Likely };
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
    if is_refused {
        return finding;
    }
    finding.with_evidence("policies of folders and of the organization were not read, and one of them may grant it")
}

/// The right is granted and the service refused the call: what was granted lately does not count everywhere yet.
pub fn not_counting_yet(check: FoundBy, right: GoogleRight, ruling: &Ruling) -> Option<Finding> {
    let Ruling::Granted { role, place } = ruling else { return None };
    let summary = format!("`{role}` on {place} grants `{}`, and the call is refused all the same", right.permission());
    let finding = Finding::new(Cause::PropagationDelay, check, Certainty::Likely, summary);
    Some(finding.with_evidence(
        "a binding takes a minute or two to count; a deny policy or a service perimeter of the organization would look the same",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CheckId;

    const CHECK: FoundBy = FoundBy::Check(CheckId::GcpBindings);

    #[test]
    fn each_lack_has_its_cause_and_only_a_refusal_proves_it() {
        let other_role = Lack::OtherRole { role: "viewer".into(), place: "the project".into() };
        let elsewhere = Lack::Elsewhere { role: "viewer".into(), place: "the secret".into() };
        for (right, lack, cause) in [
            (GoogleRight::List, &elsewhere, Cause::MissingList),
            (GoogleRight::List, &Lack::Nothing, Cause::MissingList),
            (GoogleRight::Read, &other_role, Cause::SecretIamMissing),
            (GoogleRight::Read, &Lack::Nothing, Cause::SecretIamMissing),
            (GoogleRight::Impersonate, &Lack::Nothing, Cause::PrincipalsetMismatch),
        ] {
            let refused = lacking(CHECK, right, lack, "principal://x", true);
            assert_eq!((refused.cause, refused.certainty), (cause, Certainty::Proven), "{lack:?}");
            let open = lacking(CHECK, right, lack, "principal://x", false);
            assert_eq!(open.certainty, Certainty::Likely);
            assert!(open.evidence.iter().any(|told| told.contains("folders")), "{open:?}");
        }
    }

    #[test]
    fn what_is_granted_and_refused_may_not_count_yet() {
        let granted = Ruling::Granted { role: "accessor".into(), place: "the secret".into() };
        let finding = not_counting_yet(CHECK, GoogleRight::Read, &granted).unwrap();
        assert_eq!((finding.cause, finding.certainty), (Cause::PropagationDelay, Certainty::Likely));
        assert_eq!(not_counting_yet(CHECK, GoogleRight::Read, &Ruling::Withheld(Lack::Nothing)), None);
    }
}
