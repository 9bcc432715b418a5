//! Findings as a CI takes them: GitHub's annotations, and SARIF 2.1.0 for code scanning.

mod alerts;
mod annotations;
mod sarif;

pub use alerts::{Source, of_fleet, of_run, of_trust};
pub use annotations::github;
pub use sarif::sarif;

use serde_json::{Map, Value};

use crate::cause::{Cause, Severity};

/// How loud an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Note,
}

impl Level {
    /// The level of a weakness.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Level::Error,
            Severity::Medium => Level::Warning,
            Severity::Low => Level::Note,
        }
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its path, as it was given.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub cause: Cause,
    pub level: Level,
    /// A few words above the message.
    pub title: String,
    pub message: String,
    /// The same for the same finding in every run.
    pub fingerprint: String,
    /// What it is about: a profile, a role, a resource of code.
    pub resource: String,
    pub place: Option<Place>,
    /// Why it does not count, where somebody said so.
    pub suppressed: Option<String>,
    /// What a program may want to know beside.
    pub properties: Map<String, Value>,
}

/// Something that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJudged {
    pub resource: String,
    pub why: String,
    pub place: Option<Place>,
}

/// A remark on the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub title: String,
    pub text: String,
}

/// An input that cannot be used, so that nothing was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub message: String,
    pub place: Option<Place>,
}

/// All of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerts {
    pub found: Vec<Alert>,
    pub not_judged: Vec<NotJudged>,
    /// Why there is nothing else.
    pub refused: Vec<Refused>,
    /// What is worth a word and is no finding.
    pub remarks: Vec<Remark>,
    /// What a program may want to know of the whole.
    pub properties: Map<String, Value>,
}
