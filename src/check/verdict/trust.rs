//! The verdict on the trust policy at hand.

use crate::check::Verdict;
use crate::check::facts::Facts;
use crate::domain::iam::Decision;
use crate::domain::profile::Profile;

/// The policy at hand accepts the token.
pub fn policy(facts: &Facts, _profile: &Profile) -> Verdict {
    match facts.trust.as_ref().and_then(|t| t.decision()) {
        Some(Decision::Allow) => Verdict::pass(),
        Some(Decision::Deny) => Verdict::fail("denied", Vec::new()),
        _ => Verdict::inconclusive("unknown", Vec::new()),
    }
}
