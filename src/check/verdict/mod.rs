//! Verdicts: pure functions from facts and the profile to how a check ended and why.

pub mod access_key;
pub mod assume_role;
pub mod aws;
mod aws_values;
pub mod azure;
mod clock;
pub mod cloud;
pub mod deployment;
pub mod issuer;
pub mod network;
mod subscription;
pub mod token;
pub mod trust;

#[cfg(test)]
mod calls_tests;

use super::facts::Facts;
use super::{CheckId, Outcome, Verdict};
use crate::domain::profile::{Guide, Profile};

/// The verdict on one check.
pub fn of(check: CheckId, facts: &Facts, profile: &Profile) -> Verdict {
    clock::weighed(check, by_its_facts(check, facts, profile), facts)
}

fn by_its_facts(check: CheckId, facts: &Facts, profile: &Profile) -> Verdict {
    match check {
        CheckId::IssuerReachable => issuer::reachable(facts, profile),
        CheckId::IssuerTls => issuer::tls(facts, profile),
        CheckId::IssuerDiscovery => issuer::discovery(facts, profile),
        CheckId::IssuerJwks => issuer::jwks(facts, profile),
        CheckId::TokenPresent => token::present(facts, profile),
        CheckId::TokenShape => token::shape(facts, profile),
        CheckId::TokenTime => token::time(facts, profile),
        CheckId::TokenSignature => token::signature(facts, profile),
        CheckId::TokenClaims => token::claims(facts, profile),
        CheckId::TrustPolicy if profile.guide == Guide::AzureWorkloadIdentity => azure::credentials(facts),
        CheckId::TrustPolicy if profile.guide == Guide::AwsAssumeRole => assume_role::trusted(facts, profile),
        CheckId::TrustPolicy => trust::policy(facts, profile),
        CheckId::AwsAssumeRoleWithWebIdentity => aws::web_identity(facts, profile),
        CheckId::AwsCallerIdentity => aws::caller_identity(facts, profile),
        CheckId::AwsListSecrets => aws::list_secrets(facts, profile),
        CheckId::AwsGetSecret => aws::get_secret(facts, profile),
        CheckId::SecretJsonKey => aws::json_key(facts, profile),
        CheckId::AzureExchange => azure::exchange(facts, profile),
        CheckId::AzureListSecrets => azure::list_secrets(facts, profile),
        CheckId::AzureGetSecret => azure::get_secret(facts, profile),
        CheckId::AzureSubscription => subscription::of_directory(facts, profile),
        CheckId::DeploymentReachable => deployment::reachable(facts, profile),
        CheckId::AwsAccessKey => access_key::present(facts, profile),
        CheckId::AwsAssumeRole => assume_role::assumed(facts, profile),
    }
}

/// Whether other steps' facts are needed for the verdict: to explain a refusal or a time that does not fit, or to compare
/// a value of the profile.
pub fn wants_more(check: CheckId, facts: &Facts, profile: &Profile) -> bool {
    match check {
        CheckId::TokenTime => token::time(facts, profile).outcome != Outcome::Pass,
        CheckId::AwsGetSecret if aws_values::are_stated(profile) => true,
        // Its refusal is about itself; only the clocks are compared.
        CheckId::DeploymentReachable => clock::is_in_question(check, facts),
        _ => is_refused(check, facts) || clock::is_in_question(check, facts),
    }
}

/// Whether a check's service refused, so that other facts are needed to explain it.
fn is_refused(check: CheckId, facts: &Facts) -> bool {
    facts.call(check).is_some_and(|call| call.refusal().is_some())
}

/// What a check met that may pass by itself: something made too recently to be known everywhere, or a passing fault.
/// `None` where trying again would tell nothing new.
pub fn may_be_propagating(check: CheckId, facts: &Facts) -> Option<String> {
    match check {
        CheckId::AwsAssumeRoleWithWebIdentity => facts.aws.assume_role.as_ref().and_then(aws::may_pass_by_itself),
        CheckId::AwsAssumeRole => facts.aws.assumed.as_ref().and_then(aws::may_pass_by_itself),
        CheckId::AwsCallerIdentity => facts.aws.caller.as_ref().and_then(aws::may_pass_by_itself),
        CheckId::AwsListSecrets => facts.aws.list.as_ref().and_then(aws::may_pass_by_itself),
        CheckId::AwsGetSecret => facts.aws.secret.as_ref().and_then(aws::may_pass_by_itself),
        CheckId::AzureExchange => azure::exchange_may_pass(facts),
        CheckId::AzureListSecrets => facts.azure.list.as_ref().and_then(azure::vault_may_pass),
        CheckId::AzureGetSecret => facts.azure.secret.as_ref().and_then(azure::vault_may_pass),
        _ => None,
    }
}
