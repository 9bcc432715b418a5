//! From what was seen before and after a rotation to its verdict. The verdicts' names are part of the stable interface.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::fingerprint::Fingerprint;
use super::snapshot::RuntimeObservation;
use super::snapshot::{StoreSnapshot, Version};
use crate::domain::fingerprint::Variant;

/// What was seen. `None` where it was not looked at, or could not be seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub store_before: Option<&'a StoreSnapshot>,
    pub store_after: Option<&'a StoreSnapshot>,
    pub runtime_before: Option<&'a RuntimeObservation>,
    pub runtime_after: Option<&'a RuntimeObservation>,
}

/// The verdict, and what in the facts decided it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    pub verdict: Verdict,
    #[serde(flatten)]
    pub why: Why,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Why {
    /// The runtime's fingerprint is the current version's.
    HasCurrent,
    /// The runtime's fingerprint is that of the version before.
    HasPrevious {
        /// The form of it, where it is not the value itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<Variant>,
    },
    /// The store's current version did not change.
    SameVersion,
    /// The version changed, and its fingerprint did not.
    SameFingerprint,
    /// The current value is that of a version that had been replaced.
    ValueOf { version: String },
    /// A version under `AWSPENDING` is not the current one.
    PendingVersion { version: String },
    /// The runtime's fingerprint is that of a version that is neither the current one nor the one before.
    HasVersion { version: String },
    /// The runtime's fingerprint is none of this secret's.
    MatchesNothing {
        /// Whether it was the same before the rotation; not known where it was not looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unchanged: Option<bool>,
    },
    /// The runtime has the current value in another form.
    HasVariant { variant: Variant },
    /// The runtime's fingerprint is that of the secret whose name has `_` for `-`, or the reverse.
    HasSibling { name: String },
    /// The store could not be read before, or after.
    StoreNotSeen,
    /// The store's values could not be read, so that nothing can be compared.
    ValueNotRead,
    /// The running automation was not looked at.
    RuntimeNotAsked,
    /// The running automation's output has no fingerprint.
    NoFingerprint,
    /// The variable is not set at the runtime.
    VariableNotSet { variable: String },
    /// The automation ended in an error before it printed a fingerprint.
    AutomationFailed,
}

/// Judges a rotation.
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let (verdict, why) = match (facts.store_before, facts.store_after) {
        (Some(before), Some(after)) => store(before, after).unwrap_or_else(|| runtime(before, after, facts)),
        _ => (Verdict::Inconclusive, Why::StoreNotSeen),
    };
    Judgement { verdict, why }
}

/// The verdict that the store alone decides.
fn store(before: &StoreSnapshot, after: &StoreSnapshot) -> Option<(Verdict, Why)> {
    if after.current == before.current {
        // A version that is newer than everything before, and not current: it was, or it never became so.
        if let Some(pending) = after.pending() {
            return Some((Verdict::PendingStuck, Why::PendingVersion { version: pending.id.clone() }));
        }
        let replaced = after.previous().is_some_and(|previous| before.version(&previous.id).is_none());
        let staged = before.previous().is_some() || before.unseen.is_empty();
        return Some(if replaced && staged {
            (Verdict::RolledBack, Why::ValueOf { version: after.current.clone() })
        } else {
            (Verdict::NotRotated, Why::SameVersion)
        });
    }
    let (Some(old), Some(new)) = (print_of(before.current()), print_of(after.current())) else {
        return Some((Verdict::Inconclusive, Why::ValueNotRead));
    };
    if let Some(known) = before.version(&after.current) {
        return Some((Verdict::RolledBack, Why::ValueOf { version: known.id.clone() }));
    }
    let in_between = |version: &&Version| before.version(&version.id).is_none() && version.id != after.current;
    if old == new {
        let replaced = after.versions.iter().filter(in_between).any(|v| print_of(Some(v)).is_some_and(|p| p != new));
        return Some(if replaced {
            (Verdict::RolledBack, Why::ValueOf { version: before.current.clone() })
        } else {
            (Verdict::NewVersionSameValue, Why::SameFingerprint)
        });
    }
    let earlier = before.versions.iter().find(|version| print_of(Some(version)) == Some(new));
    earlier.map(|version| (Verdict::RolledBack, Why::ValueOf { version: version.id.clone() }))
}

/// The verdict where the store has a new value.
fn runtime(before: &StoreSnapshot, after: &StoreSnapshot, facts: &Facts<'_>) -> (Verdict, Why) {
    let Some(sighting) = facts.runtime_after else {
        return (Verdict::Inconclusive, Why::RuntimeNotAsked);
    };
    let known = |print: &Fingerprint| after.versions.iter().chain(&before.versions).any(|v| is_of(v, print));
    let Some(print) = sighting.fingerprint(known) else {
        let why = match (sighting.output.unset.last(), sighting.failed) {
            (Some(variable), _) => Why::VariableNotSet { variable: variable.clone() },
            (None, true) => Why::AutomationFailed,
            (None, false) => Why::NoFingerprint,
        };
        return (Verdict::Inconclusive, why);
    };
    let (new, old) = (after.current(), before.current());
    if print_of(new) == Some(print) {
        return (Verdict::Propagated, Why::HasCurrent);
    }
    if print_of(old) == Some(print) {
        return (Verdict::Stale, Why::HasPrevious { variant: None });
    }
    if let Some(found) = new.and_then(|version| version.variant(print)) {
        return (Verdict::NearMiss, Why::HasVariant { variant: found.clone() });
    }
    if let Some(found) = old.and_then(|version| version.variant(print)) {
        return (Verdict::Stale, Why::HasPrevious { variant: Some(found.clone()) });
    }
    if let Some(sibling) =
        [after, before].into_iter().filter_map(|s| s.sibling.as_ref()).find(|s| s.fingerprint == *print)
    {
        return (Verdict::NearMiss, Why::HasSibling { name: sibling.name.clone() });
    }
    if let Some(other) = after.versions.iter().chain(&before.versions).find(|v| is_of(v, print)) {
        return (Verdict::Foreign, Why::HasVersion { version: other.id.clone() });
    }
    let unchanged = facts.runtime_before.and_then(|earlier| earlier.fingerprint(known)).map(|earlier| earlier == print);
    (Verdict::Foreign, Why::MatchesNothing { unchanged })
}

fn print_of(version: Option<&Version>) -> Option<&Fingerprint> {
    version.and_then(|version| version.fingerprint.as_ref())
}

fn is_of(version: &Version, print: &Fingerprint) -> bool {
    version.fingerprint.as_ref() == Some(print) || version.variant(print).is_some()
}

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
mod verdict_tests {
    use super::*;

    #[test]
    fn the_name_in_json_is_the_id() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.id());
        }
    }
}
