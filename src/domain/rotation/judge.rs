//! The verdict: a pure function of what was seen of the store and of the running automation, before and after.

use serde::{Deserialize, Serialize};

use super::super::fingerprint::Fingerprint;
use super::super::fingerprint::variant::Variant;
use super::sighting::Sighting;
use super::snapshot::{StoreSnapshot, Version};
use super::verdict::Verdict;

/// What was seen. `None` where it was not looked at, or could not be seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub store_before: Option<&'a StoreSnapshot>,
    pub store_after: Option<&'a StoreSnapshot>,
    pub runtime_before: Option<&'a Sighting>,
    pub runtime_after: Option<&'a Sighting>,
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
    /// The automation ended in an error before it told a fingerprint.
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
