//! The likely reasons behind a rotation's verdict, as findings.

use super::{Cause, Certainty, Finding};
use crate::domain::rotation::{Facts, Judgement, Sighting, Source, Why};

/// The check id of a rotation's findings: the command itself.
const CHECK: &str = "rotate";

/// How the automation's variable gets its value, as far as the profile tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAt {
    /// Workload identity: at every kickoff.
    Kickoff,
    /// A static credential: at deploy.
    Deploy,
}

/// The likely reasons, the likeliest first. Empty where the verdict needs none.
pub fn findings(judgement: &Judgement, facts: &Facts<'_>, read_at: ReadAt) -> Vec<Finding> {
    match &judgement.why {
        Why::HasPrevious { variant } => {
            let mut found = stale(facts, read_at);
            if let Some(variant) = variant {
                for finding in &mut found {
                    finding.evidence.push(format!("the runtime has another form of the old value: {variant}"));
                }
            }
            found
        }
        Why::HasVariant { variant } => {
            let summary = format!("the runtime has {variant}");
            vec![finding(Cause::ValueVariant, Certainty::Proven, summary)]
        }
        Why::HasSibling { name } => {
            let summary = format!("the runtime has the value of `{name}`, another secret of the same store");
            vec![
                finding(Cause::ForeignValue, Certainty::Proven, summary)
                    .with_fix("Correct the name in the variable's reference, or delete the secret that is not meant."),
            ]
        }
        Why::HasVersion { version } => {
            let summary = format!("the runtime has the value of version {version}, which was replaced earlier");
            vec![
                finding(Cause::ForeignValue, Certainty::Proven, summary)
                    .with_fix("Remove the version from the variable's reference, so that it follows the current one."),
                finding(
                    Cause::StaticBaked,
                    Certainty::Possible,
                    "the value was read at an earlier deploy and kept since",
                ),
            ]
        }
        Why::MatchesNothing { unchanged } => foreign(facts, *unchanged),
        Why::VariableNotSet { variable } => {
            let summary = format!("the automation says that its variable {variable} is not set");
            vec![finding(Cause::EnvNotSet, Certainty::Proven, summary).with_fix(
                "Assign the variable to the automation on the platform, with a reference to this secret, and run again.",
            )]
        }
        Why::HasCurrent
        | Why::SameVersion
        | Why::SameFingerprint
        | Why::ValueOf { .. }
        | Why::PendingVersion { .. }
        | Why::StoreNotSeen
        | Why::ValueNotRead
        | Why::RuntimeNotAsked
        | Why::NoFingerprint
        | Why::AutomationFailed => Vec::new(),
    }
}

/// Why a runtime may still have the value of before.
fn stale(facts: &Facts<'_>, read_at: ReadAt) -> Vec<Finding> {
    let after = facts.runtime_after;
    let written = facts.store_after.and_then(|s| s.current()).and_then(|v| v.created_at);
    let began_before = after.zip(written).is_some_and(|(seen, written)| seen.began < written.saturating_mul(1000));
    let baked = |certainty| {
        finding(Cause::StaticBaked, certainty, "the value was read at deploy, and stays until the next deploy")
    };
    let at_import =
        |certainty| finding(Cause::ReadAtImport, certainty, "the code read the variable once, when it was loaded");
    let cached =
        |certainty| finding(Cause::Cached, certainty, "a layer between the store and the process keeps the old value");
    if read_at == ReadAt::Deploy {
        return vec![
            baked(Certainty::Likely)
                .with_evidence("the profile's guide uses static credentials, which are read at deploy"),
            at_import(Certainty::Possible),
        ];
    }
    if began_before {
        return vec![
            at_import(Certainty::Likely).with_evidence("what was seen began to run before the new value was written"),
            cached(Certainty::Possible),
        ];
    }
    match after {
        Some(seen) if seen.resolved_afresh() => {
            let line = "the worker says that it resolved the secrets for this run, so the store was asked";
            vec![at_import(Certainty::Likely).with_evidence(line), cached(Certainty::Possible).with_evidence(line)]
        }
        // A worker's log has its line where the secrets were read afresh; the answer of a kickoff never does.
        Some(Sighting { source: Source::Log { .. } | Source::Command { .. }, .. }) => vec![
            baked(Certainty::Likely).with_evidence(
                "the output has no line `Workload identity config … secret(s) resolved`, as a fresh read leaves in the worker's log",
            ),
            cached(Certainty::Possible),
            at_import(Certainty::Possible),
        ],
        _ => vec![
            baked(Certainty::Likely).with_evidence(
                "it ran after the new value was written; with workload identity it would have been read at its start",
            ),
            cached(Certainty::Possible),
            at_import(Certainty::Possible),
        ],
    }
}

fn foreign(facts: &Facts<'_>, unchanged: Option<bool>) -> Vec<Finding> {
    let mut first = finding(
        Cause::ForeignValue,
        Certainty::Likely,
        "the runtime's value is of no version of this secret, nor another form of one",
    );
    if let Some(after) = facts.store_after {
        first = first.with_evidence(format!(
            "compared with {} version(s) in {}",
            after.versions.len(),
            after.place.location
        ));
        first.evidence.extend(after.unseen.iter().map(|what| format!("not compared: {what}")));
    }
    first = match unchanged {
        Some(true) => first.with_evidence("it was the same before the rotation, so it does not follow this secret"),
        Some(false) => {
            first.with_evidence("it was another one before the rotation, so it follows something that changes")
        }
        None => first,
    };
    vec![first, finding(Cause::StaticBaked, Certainty::Possible, "an old value was read at an earlier deploy")]
}

fn finding(cause: Cause, certainty: Certainty, summary: impl Into<String>) -> Finding {
    Finding::new(cause, CHECK, certainty, summary)
}
