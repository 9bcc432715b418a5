//! The two documents that a trust is written in, and the causes that each decides.

use super::Cause;

/// What a trust is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustDocument {
    /// An IAM role's trust policy.
    Policy,
    /// The federated credentials of an Entra application.
    Credentials,
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
        }
    }
}
