//! The fixes of AWS: each a script for the AWS CLI.

mod access_key;
mod kms;
mod meant;
mod permissions;
mod provider;
mod role;
mod secret;
mod shell;
mod subject;
pub mod trust;

use super::Context;
use crate::cause::{Cause, Finding, Fix};
use crate::check::CheckId;
use crate::domain::ids::Cloud;

/// The fixes for a finding about AWS; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    if context.profile.guide.cloud() == Cloud::Azure {
        return Vec::new();
    }
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
        | Cause::WrongAccount
        | Cause::WrongPartition
        | Cause::TrustTooWide
        | Cause::ExternalId => trust::fixes(finding, context),
        Cause::AssumeRoleDenied => or_else(trust::fixes(finding, context), || role::hop(context)),
        Cause::ExplicitDeny if !is_about_secrets(finding) => trust::fixes(finding, context),
        Cause::ProviderMissing | Cause::AudNotRegistered | Cause::Thumbprint => provider::fixes(finding, context),
        Cause::RoleMissing => role::missing(finding, context),
        Cause::SessionDuration | Cause::StsUnreachable | Cause::RoleArnMalformed => role::fixes(finding, context),
        Cause::StaticKeyWrong => access_key::fixes(context),
        Cause::EnvNotSet if finding.check == CheckId::AwsAccessKey => access_key::fixes(context),
        Cause::ExplicitDeny
        | Cause::MissingList
        | Cause::ListResourceScoped
        | Cause::MissingGet
        | Cause::SecretArnSuffix
        | Cause::VersionstageCondition => permissions::fixes(finding, context),
        Cause::MissingKms | Cause::KmsKeyState => kms::fixes(finding, context),
        Cause::SecretWrongRegion
        | Cause::SecretNotFound
        | Cause::SecretEmpty
        | Cause::SecretPendingDeletion
        | Cause::JsonKeyMissing => secret::fixes(finding, context),
        _ => Vec::new(),
    }
}

/// What was asked of Secrets Manager, rather than of STS or another cloud's store.
fn is_about_secrets(finding: &Finding) -> bool {
    [CheckId::AwsListSecrets, CheckId::AwsGetSecret].iter().any(|check| finding.check == *check)
}

fn or_else(fixes: Vec<Fix>, others: impl FnOnce() -> Vec<Fix>) -> Vec<Fix> {
    if fixes.is_empty() { others() } else { fixes }
}
