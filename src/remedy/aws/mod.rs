//! The fixes of AWS: each a script for the AWS CLI.

mod meant;
pub mod trust;

use super::Context;
use crate::cause::{Cause, Finding, Fix};

/// The fixes for a finding about AWS; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    match finding.cause {
        Cause::SubMismatch
        | Cause::SubCaseMismatch
        | Cause::ImmutableSub
        | Cause::AudMismatch
        | Cause::ClaimMismatch
        | Cause::ConditionKeyWrong
        | Cause::OperatorWrong
        | Cause::PrincipalArnWrong
        | Cause::ActionMissing
        | Cause::TagSessionMissing
        | Cause::WrongFlow
        | Cause::ExplicitDeny
        | Cause::WrongAccount
        | Cause::WrongPartition
        | Cause::TrustTooWide
        | Cause::ExternalId
        | Cause::AssumeRoleDenied => trust::fixes(finding, context),
        _ => Vec::new(),
    }
}
