//! How the program ends: its exit status, and the error that a command ends with.

use std::path::{Path, PathBuf};

use crate::check::Outcome;

/// The program's exit status (see `trustline --help`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All passed; warnings allowed.
    Passed = 0,
    /// A check failed, a trust denies, no cause was found.
    Failed = 1,
    /// The usage, the profile or an input is wrong.
    Usage = 2,
    /// Nothing failed, and something could not be checked.
    Inconclusive = 3,
    /// Warnings, under `--strict`.
    Warned = 4,
    /// SIGINT arrived.
    Interrupted = 130,
    /// SIGTERM arrived.
    Terminated = 143,
}

impl Exit {
    /// The status of one subject that was looked at; a warning is none.
    pub(super) const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fail => Exit::Failed,
            Outcome::Inconclusive => Exit::Inconclusive,
            Outcome::Pass | Outcome::Warn | Outcome::Skipped => Exit::Passed,
        }
    }
}

/// Why a command could not do its work: bad usage, profile or input. Ends the program with status 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// What is wrong, where, and what to write instead.
    pub message: String,
    /// Further advice, a line each.
    pub hints: Vec<String>,
    /// What of it stands in a line of a file, for a CI that points there.
    pub flaws: Vec<Flaw>,
}

/// A mistake in a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub file: PathBuf,
    /// Counted from 1.
    pub line: u64,
    pub message: String,
}

impl CliError {
    /// An error of one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        CliError { message: message.into(), hints: Vec::new(), flaws: Vec::new() }
    }

    /// Names the line of a file that a mistake stands in.
    #[must_use]
    pub fn with_flaw(mut self, file: &Path, line: u64, message: impl Into<String>) -> Self {
        self.flaws.push(Flaw { file: file.to_owned(), line, message: message.into() });
        self
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
