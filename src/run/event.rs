//! Run events: the one ordered stream that every output, and every recording, is a fold of.
//!
//! Events hold no secret: they are made from facts, which hold none.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cause::{Finding, Undecided};
use crate::check::{CheckId, Outcome};

/// The reason of a check that was left out.
pub const NOT_ASKED_FOR: &str = "not asked for";

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Position in the stream, from 0, without gaps.
    pub seq: u64,
    /// Milliseconds since the run started.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// The run begins; these checks are known.
    Planned {
        /// The profile's name.
        profile: String,
        /// The guide's id.
        guide: String,
        /// RFC 3339 UTC.
        started: String,
        /// The checks in the order of the chain of trust.
        checks: Vec<PlannedCheck>,
    },
    /// A check's probe has begun.
    Started {
        /// The check.
        check: CheckId,
    },
    /// A failure may still be propagating: the probe is tried again.
    Retrying {
        /// The check whose outcome is being waited for.
        check: CheckId,
        /// How many attempts have been made.
        attempt: u32,
        /// Milliseconds until the next attempt.
        delay_ms: u64,
        /// Why the last attempt did not pass.
        reason: String,
    },
    /// A check has ended.
    Finished(Box<FinishedCheck>),
    /// The run has ended.
    Done {
        /// The run's verdict.
        verdict: RunVerdict,
        /// Milliseconds from start to end.
        duration_ms: u64,
        /// All findings, ranked: root causes first.
        findings: Vec<Finding>,
        /// What a refusal leaves open, where it does; the findings hold the likeliest candidate alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undecided: Option<Undecided>,
        /// Why the run ended before its plan, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut_short: Option<String>,
    },
}

/// A check that is going to run, or that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCheck {
    /// Its id.
    pub id: CheckId,
    /// Its assertion.
    pub title: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedCheck {
    /// Its id.
    pub id: CheckId,
    /// Its assertion.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence; always present for anything but a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When its probe began, in milliseconds since the run started.
    pub started_ms: u64,
    /// How long its probe took, in milliseconds.
    pub duration_ms: u64,
    /// What was seen, without secrets.
    pub facts: Map<String, Value>,
    /// The vendor's or standard's page about what it asserts.
    pub docs: String,
    /// What it found.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The check that blocked it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<CheckId>,
}

/// The verdict on a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunVerdict {
    /// Nothing failed and nothing is in doubt.
    Pass,
    /// At least one check failed.
    Fail,
    /// Nothing failed, and at least one check could not tell.
    Inconclusive,
}
