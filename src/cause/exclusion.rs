//! What rules causes out: a document that decides them, and a token's own claims.

use serde_json::{Map, Value};

use super::Cause;
use crate::domain::issuer::IssuerKind;

/// Why this cause cannot be, with a token of these claims.
pub fn by_claims(cause: Cause, claims: &Map<String, Value>) -> Option<&'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let has = |name: &str| claims.get(name).is_some_and(|value| !value.is_null());
    let is_whole = ["iss", "sub", "aud", "iat", "exp"].iter().all(|name| has(name));
    let subject = text("sub");
    match cause {
        Cause::ImmutableSub => {
            let kind = IssuerKind::of(text("iss").unwrap_or_default(), subject);
            let has_github_subject = subject.is_some_and(|sub| sub.starts_with("repo:"));
            if kind == IssuerKind::GithubEnterpriseServer {
                Some("a GitHub Enterprise Server never emits the form with ids")
            } else {
                (kind != IssuerKind::GithubActions && !has_github_subject)
                    .then_some("the token's subject is not GitHub's")
            }
        }
        Cause::SubCaseMismatch => subject
            .is_some_and(|sub| !sub.bytes().any(|b| b.is_ascii_alphabetic()))
            .then_some("the token's subject has no letters"),
        Cause::MalformedToken => is_whole.then_some("the token can be read and has every required claim"),
        Cause::EnvNotSet | Cause::IdTokenPermissionMissing => is_whole.then_some("there is a token"),
        Cause::AudMultiWithoutAzp => text("aud").is_some().then_some("the token has one audience"),
        _ => None,
    }
}

/// What a trust is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustDocument {
    /// An IAM role's trust policy.
    Policy,
    /// The federated credentials of an Entra application.
    Credentials,
    /// A provider of a Google pool, and the bindings beside it.
    Provider,
}

impl TrustDocument {
    /// The causes that lie in it alone: evaluating it for a token finds or excludes them.
    pub const fn decides(self) -> &'static [Cause] {
        match self {
            TrustDocument::Policy => &[
                Cause::SubMismatch,
                Cause::SubCaseMismatch,
                Cause::ImmutableSub,
                Cause::AudMismatch,
                Cause::PrincipalArnWrong,
                Cause::ConditionKeyWrong,
                Cause::OperatorWrong,
                Cause::ClaimMismatch,
                Cause::ActionMissing,
                Cause::TagSessionMissing,
                Cause::WrongFlow,
                Cause::ExplicitDeny,
            ],
            TrustDocument::Credentials => &[
                Cause::IssMismatch,
                Cause::SubMismatch,
                Cause::SubCaseMismatch,
                Cause::ImmutableSub,
                Cause::AudMismatch,
                Cause::ClaimMismatch,
                Cause::FicMissing,
            ],
            TrustDocument::Provider => &[
                Cause::ProviderDisabled,
                Cause::IssMismatch,
                Cause::AudMismatch,
                Cause::AttributeMappingMissing,
                Cause::MappingTypeWrong,
                Cause::SubjectTooLong,
                Cause::AttributeCondition,
            ],
        }
    }
}
