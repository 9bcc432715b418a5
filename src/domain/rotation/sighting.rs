//! One look at a running automation: when, where, and what its output told.

use serde::{Deserialize, Serialize};

use super::super::fingerprint::Fingerprint;
use super::super::runtime_output::RuntimeOutput;
use super::super::timestamp::UnixMillis;

/// Where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum Source {
    /// The answer of a kickoff.
    Kickoff { kickoff_id: String },
    /// Text that somebody brought.
    Text,
    /// A log file.
    Log { file: String },
    /// What a command printed.
    Command { program: String },
}

/// One look at the running automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When the automation was started, or the text was read, by the local clock.
    pub began: UnixMillis,
    /// When it was seen.
    pub at: UnixMillis,
    #[serde(flatten)]
    pub source: Source,
    /// The automation ended in an error of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    #[serde(flatten)]
    pub output: RuntimeOutput,
}

impl Sighting {
    /// The fingerprint that counts: the last one that `known` knows, since an output may tell of several secrets and
    /// of several moments; else the last one of all.
    pub fn fingerprint(&self, known: impl Fn(&Fingerprint) -> bool) -> Option<&Fingerprint> {
        let prints = &self.output.fingerprints;
        prints.iter().rev().find(|print| known(print)).or(prints.last())
    }

    /// Whether a worker says that it read the secrets afresh.
    pub fn resolved_afresh(&self) -> bool {
        !self.output.resolved.is_empty()
    }
}
