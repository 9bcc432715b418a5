//! How a check ended, and why: a pure judgement of facts.

use serde::{Deserialize, Serialize};

use crate::cause::Finding;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The assertion holds.
    Pass,
    /// The assertion holds, and something about it deserves attention.
    Warn,
    /// The assertion does not hold.
    Fail,
    /// The check did not run: blocked by another, not applicable, or deselected.
    Skipped,
    /// The check ran and could not tell.
    Inconclusive,
}

/// A pure judgement of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the check ended.
    pub outcome: Outcome,
    /// One sentence; always present for anything but a pass.
    pub reason: Option<String>,
    /// The causes found, surest first.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The assertion holds.
    pub fn pass() -> Self {
        Verdict { outcome: Outcome::Pass, reason: None, findings: Vec::new() }
    }

    /// The assertion holds as far as can be told beforehand: `reason` says what that rests on.
    pub fn pass_on_prediction(reason: impl Into<String>) -> Self {
        Verdict { reason: Some(format!("predicted: {}", reason.into())), ..Verdict::pass() }
    }

    /// The same verdict where no token was read and `subject` is what the profile makes expected. An unknown stays one.
    #[must_use]
    pub fn as_predicted(mut self, subject: &str) -> Self {
        let predicted =
            |reason: String| if reason.starts_with("predicted: ") { reason } else { format!("predicted: {reason}") };
        self.reason = self.reason.map(predicted);
        self.findings = self.findings.into_iter().map(|finding| finding.as_predicted(subject)).collect();
        self
    }

    /// The assertion holds, with findings that deserve attention.
    pub fn warn(reason: impl Into<String>, findings: Vec<Finding>) -> Self {
        Verdict { outcome: Outcome::Warn, reason: Some(reason.into()), findings }
    }

    /// The assertion does not hold, because of `findings`.
    pub fn fail(reason: impl Into<String>, findings: Vec<Finding>) -> Self {
        Verdict { outcome: Outcome::Fail, reason: Some(reason.into()), findings }
    }

    /// The check does not apply or was blocked.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Verdict { outcome: Outcome::Skipped, reason: Some(reason.into()), findings: Vec::new() }
    }

    /// The check could not tell, because of `findings` or for the reason alone.
    pub fn inconclusive(reason: impl Into<String>, findings: Vec<Finding>) -> Self {
        Verdict { outcome: Outcome::Inconclusive, reason: Some(reason.into()), findings }
    }
}
