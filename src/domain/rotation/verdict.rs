//! The verdicts on a rotation. Their names are part of the program's stable interface.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The store has a new value, and the running automation has it too.
    Propagated,
    /// The store has a new value, and the running automation still has the one before.
    Stale,
    /// The store's current version is the one of before.
    NotRotated,
    /// The store has a new version that holds the value of before.
    NewVersionSameValue,
    /// The store's current value is one that had been replaced earlier.
    RolledBack,
    /// A new version waits under `AWSPENDING`, and never became current.
    PendingStuck,
    /// The running automation's value is none of this secret's.
    Foreign,
    /// The running automation has the new value in another form.
    NearMiss,
    /// Something that decides could not be seen.
    Inconclusive,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &[Verdict] = &[
        Verdict::Propagated,
        Verdict::Stale,
        Verdict::NotRotated,
        Verdict::NewVersionSameValue,
        Verdict::RolledBack,
        Verdict::PendingStuck,
        Verdict::Foreign,
        Verdict::NearMiss,
        Verdict::Inconclusive,
    ];

    /// The stable name, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Verdict::Propagated => "propagated",
            Verdict::Stale => "stale",
            Verdict::NotRotated => "not-rotated",
            Verdict::NewVersionSameValue => "new-version-same-value",
            Verdict::RolledBack => "rolled-back",
            Verdict::PendingStuck => "pending-stuck",
            Verdict::Foreign => "foreign",
            Verdict::NearMiss => "near-miss",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// What it says, in a sentence without its full stop.
    pub const fn sentence(self) -> &'static str {
        match self {
            Verdict::Propagated => "the running automation has the new value",
            Verdict::Stale => "the store has a new value, and the running automation still has the old one",
            Verdict::NotRotated => "the store's current version is still the one of before",
            Verdict::NewVersionSameValue => "the store has a new version that holds the same value as before",
            Verdict::RolledBack => "the store's current value is one that had been replaced before",
            Verdict::PendingStuck => "a new version waits under AWSPENDING and never became the current one",
            Verdict::Foreign => "the running automation's value is neither the old nor the new one of this secret",
            Verdict::NearMiss => "the running automation has the new value in another form",
            Verdict::Inconclusive => "it could not be seen whether the running automation has the new value",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_json_is_the_id() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.id());
        }
    }
}
