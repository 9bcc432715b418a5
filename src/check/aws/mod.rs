//! The checks of AWS's answers, and what they share.

pub mod assume_role;
pub mod caller;
pub mod secrets;
mod values;
pub mod web_identity;

use super::facts::secret::Refusal;
use crate::cause::Finding;
use crate::check::Verdict;
use crate::domain::profile::Profile;

/// What a refusal says that may pass by itself: IAM is eventually consistent, and a provider, role or
/// permission made seconds ago is denied as if it were not there.
fn may_pass_by_itself(refusal: &Refusal) -> Option<String> {
    let code = refusal.code.trim_end_matches("Exception");
    let passing = match code {
        "AccessDenied" | "Throttling" | "InternalFailure" | "IDPCommunicationError" | "ResourceNotFound" => true,
        "InvalidIdentityToken" => {
            refusal.message.contains("No OpenIDConnect provider")
                || refusal.message.contains("retrieve verification key")
        }
        _ => refusal.http_status >= 500,
    };
    passing.then(|| format!("{}: {}", refusal.code, refusal.message))
}

/// The verdict on a refusal, its surest cause first.
fn refused(refusal: &Refusal, mut findings: Vec<Finding>) -> Verdict {
    findings.sort_by_key(|finding| finding.certainty);
    Verdict::fail(format!("{}: {}", refusal.code, refusal.message), findings)
}

/// Which settings an exchange lacks.
fn missing_settings(profile: &Profile) -> String {
    let missing: Vec<&str> =
        [(profile.aws.role_arn.is_none(), "aws.role-arn"), (profile.aws.region.is_none(), "aws.region")]
            .iter()
            .filter_map(|(missing, key)| missing.then_some(*key))
            .collect();
    format!("the profile does not say {}", missing.join(" and "))
}
