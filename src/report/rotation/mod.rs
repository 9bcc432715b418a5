//! A rotation in the forms of a report: folds of its events.

pub mod evidence;
pub mod json;
pub mod markdown;
pub mod progress;
pub mod text;

use crate::check::Outcome;
use crate::domain::rotation::{Sighting, Source, StoreSnapshot, Verdict, Version};
use crate::domain::timestamp::rfc3339;

/// A verdict as the outcome of a check: what scripts are told of it, and how it is coloured.
pub const fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Propagated => Outcome::Pass,
        Verdict::Inconclusive => Outcome::Inconclusive,
        Verdict::Stale
        | Verdict::NotRotated
        | Verdict::NewVersionSameValue
        | Verdict::RolledBack
        | Verdict::PendingStuck
        | Verdict::Foreign
        | Verdict::NearMiss => Outcome::Fail,
    }
}

/// A version in a line: id, stages, time, fingerprint.
fn version_words(version: &Version) -> String {
    let mut words = vec![version.id.clone()];
    words.extend(version.stages.iter().cloned());
    words.extend(version.created_at.and_then(rfc3339));
    words.push(version.fingerprint.as_ref().map_or("value not read".to_owned(), |f| f.as_str().to_owned()));
    words.join("  ")
}

/// Where a sighting comes from, in words.
fn source_words(source: &Source) -> String {
    match source {
        Source::Kickoff { kickoff_id } => format!("kickoff {kickoff_id}"),
        Source::Text => "a text".to_owned(),
        Source::Log { file } => format!("log {file}"),
        Source::Command { program } => format!("program {program}"),
    }
}

/// The fingerprint of a sighting that counts for a secret.
fn seen_fingerprint(sighting: &Sighting, stores: [Option<&StoreSnapshot>; 2]) -> Option<String> {
    let known = |print: &_| {
        let mut versions = stores.iter().flatten().flat_map(|store| &store.versions);
        versions.any(|version| version.fingerprint.as_ref() == Some(print) || version.variant(print).is_some())
    };
    sighting.fingerprint(known).map(|fingerprint| fingerprint.as_str().to_owned())
}
