//! The checks of Google's answers, and of the provider at hand.

pub mod exchange;
mod key;
pub mod provider;
pub mod secrets;

use super::call::first_line;
use super::facts::google::GoogleCall;
use super::facts::secret::Refusal;
use super::verdict::Verdict;
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::ids::CheckId;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

/// What a refusal says that may pass by itself: bindings take about a minute to count, and a service may be busy.
pub(super) fn may_pass(refusal: &Refusal) -> Option<String> {
    let is_denied = refusal.http_status == 403 && refusal.message.contains("Permission '");
    let passing = is_denied || refusal.http_status == 429 || refusal.http_status >= 500;
    passing.then(|| format!("{}: {}", refusal.code, first_line(&refusal.message)))
}

/// A failure in the words of the refusal.
pub(super) fn refused<T>(fact: &GoogleCall<T>, findings: Vec<Finding>) -> Verdict {
    let refusal = fact.call.refusal();
    let reason = refusal.map(|r| format!("{}: {}", r.code, first_line(&r.message))).unwrap_or_default();
    Verdict::fail(reason, findings)
}

/// The verdict where the call was not made for want of a value of the profile.
pub(super) fn missing(check: CheckId, profile: &Profile, keys: &[Key]) -> Verdict {
    let is_missing = |key: &&Key| match key {
        Key::GcpProvider => profile.gcp.provider.is_none(),
        Key::GcpProject => profile.gcp.project_id.is_none(),
        _ => false,
    };
    let missing: Vec<&str> = keys.iter().filter(is_missing).map(|key| key.path()).collect();
    if missing.is_empty() {
        return Verdict::inconclusive("no answer was seen", Vec::new());
    }
    let reason = format!("the profile does not say {}", missing.join(" and "));
    let finding = Finding::new(Cause::EnvNotSet, check, Certainty::Proven, reason.clone());
    Verdict::inconclusive(reason, vec![finding])
}
