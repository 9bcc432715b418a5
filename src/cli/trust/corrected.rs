//! The whole corrected policy, for a trust that is at hand as a document.

use serde_json::{Map, Value};

use crate::cause::{Cause, Finding};
use crate::check::facts::Facts;
use crate::check::facts::token::TokenFact;
use crate::domain::profile::{Guide, Profile};
use crate::domain::token::DecodedToken;
use crate::remedy::Context;
use crate::remedy::aws::trust::{At, corrected_document};
use crate::run::now;

/// What in a trust policy a correction of the policy mends; a token that nobody should let in is not among it.
const MENDED: &[Cause] = &[
    Cause::SubMismatch,
    Cause::SubCaseMismatch,
    Cause::ImmutableSub,
    Cause::AudMismatch,
    Cause::ClaimMismatch,
    Cause::ConditionKeyWrong,
    Cause::OperatorWrong,
    Cause::PrincipalArnWrong,
    Cause::ActionMissing,
    Cause::TagSessionMissing,
    Cause::ExplicitDeny,
    Cause::TrustTooWide,
];

/// Gives the first finding that the policy can mend the policy as it has to be, for whom the profile means, or the token.
pub(in crate::cli) fn attach(
    findings: &mut [Finding],
    profile: Option<&Profile>,
    claims: &Map<String, Value>,
    policy: &str,
    at: At<'_>,
) {
    let Some(finding) = findings.iter_mut().find(|finding| MENDED.contains(&finding.cause)) else { return };
    let bare = Profile::bare("", Guide::AwsWorkloadIdentity);
    let token = DecodedToken { claims: Some(claims.clone()), ..DecodedToken::default() };
    let facts = Facts { token: Some(TokenFact::decoded("", 0, token, Vec::new())), now: now(), ..Facts::default() };
    let context = Context { profile: profile.unwrap_or(&bare), facts: &facts };
    finding.fixes = vec![corrected_document(finding.cause, context, policy, at)];
}
