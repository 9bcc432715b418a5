//! What the verdicts on a document at hand share, whichever cloud's it is: a file that is missing, a copy that differs from
//! what is in force, claims that are expected and not read.

use super::facts::trust::Drift;
use super::verdict::{Outcome, Verdict};
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::ids::CheckId;
use crate::domain::profile::expected::PredictedClaims;
use crate::domain::profile::key::Key;

const ID: CheckId = CheckId::TrustPolicy;
/// How many lines of a difference are shown.
const MOST_LINES: usize = 16;

/// The verdict on the policy in force, with the finding that the profile's file says something else.
pub(super) fn with_drift(mut verdict: Verdict, drift: &Drift, key: Key, in_force: &str) -> Verdict {
    let summary = format!("{} is not {in_force}", drift.file);
    let mut finding = Finding::new(Cause::PolicyDrift, ID, Certainty::Proven, summary.clone()).about(key);
    finding.evidence.extend(drift.lines.iter().take(MOST_LINES).cloned());
    if drift.lines.len() > MOST_LINES {
        finding.evidence.push(format!("and {} more lines", drift.lines.len() - MOST_LINES));
    }
    verdict.findings.push(finding);
    if verdict.outcome == Outcome::Pass {
        (verdict.outcome, verdict.reason) = (Outcome::Warn, Some(summary));
    }
    verdict
}

/// A verdict that rests on expected claims.
pub(super) fn predicted_verdict(verdict: Verdict, predicted: &PredictedClaims, accepts_only: Option<&str>) -> Verdict {
    let subject = predicted.subject();
    if let Some(only) = accepts_only {
        let reason = format!("predicted: of the subjects `{subject}` the trust accepts some, such as `{only}`");
        return Verdict::inconclusive(reason, Vec::new());
    }
    match verdict.outcome {
        Outcome::Pass => Verdict::pass_on_prediction(format!("no token was read; `{subject}` is accepted")),
        _ => verdict.as_predicted(subject),
    }
}

/// The profile names a file that is not there. One that cannot be opened or read says nothing of its name.
pub(super) fn missing(why: &str, key: Key) -> Verdict {
    let finding = Finding::new(Cause::EnvNotSet, CheckId::TrustPolicy, Certainty::Proven, why)
        .about(key)
        .with_fix(format!("Name the file that holds it as `{}`, or remove that setting.", key.path()));
    Verdict::fail(why, vec![finding])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_difference_is_cut_and_a_pass_becomes_a_warning() {
        let drift = Drift { file: "p.json".into(), lines: (0..20).map(|at| format!("- {at}")).collect() };
        let verdict = with_drift(Verdict::pass(), &drift, Key::ProviderFile, "what is in force");
        assert_eq!(verdict.outcome, Outcome::Warn);
        assert_eq!(verdict.findings[0].evidence.last().map(String::as_str), Some("and 4 more lines"));
        let failed = with_drift(Verdict::fail("x", Vec::new()), &drift, Key::ProviderFile, "what is in force");
        assert_eq!((failed.outcome, failed.reason.as_deref()), (Outcome::Fail, Some("x")));
    }
}
