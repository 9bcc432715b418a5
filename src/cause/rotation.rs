//! The likely reasons behind a rotation's verdict, as findings.

use super::{Cause, Certainty, Finding};
use crate::domain::fingerprint::Variant;
use crate::domain::ids::Finder;
use crate::domain::profile::key::Key;
use crate::domain::rotation::{Facts, Judgement, RuntimeObservation, Source, Why};

/// The check id of a rotation's findings: the command itself.
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
            vec![finding(Cause::ValueVariant, Certainty::Proven, summary).with_fix(way_back(variant))]
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

/// Where the form is changed. The store is right in all of them, and nothing is written to it.
fn way_back(variant: &Variant) -> String {
    let in_code = |what: &str| {
        format!("The stored value is right. {what} where the code reads the variable, or in what sets it.")
    };
    match variant {
        Variant::TrailingNewline | Variant::TrailingCrLf => in_code("Do not add a line end (`printf %s`, not `echo`)"),
        Variant::Trimmed => in_code("Keep the blanks and line ends around the value"),
        Variant::CrLfLines | Variant::LfLines => in_code("Keep the line ends as they are"),
        Variant::WithByteOrderMark | Variant::WithoutByteOrderMark => in_code("Keep the bytes in front as they are"),
        Variant::WholeDocument => {
            "The secret is right, the reference is not: write the variable's reference as `name#key`. \
             Leave the secret as it is; its other fields are in use."
                .to_owned()
        }
        Variant::Field(key) => {
            format!("The secret is right, the reference is not: take `#{key}` off the variable's reference.")
        }
        Variant::FieldAsJson => in_code("Take the field apart as JSON"),
        Variant::Base64 | Variant::Base64Unpadded | Variant::Base64Url | Variant::Base64OfNewline => {
            in_code("Decode the Base64, or do not encode the value")
        }
        Variant::Base64Decoded => in_code("Do not decode the value"),
        Variant::Quoted => in_code("Take the quotes off"),
        Variant::Unquoted => in_code("Keep the quotes, which belong to the value"),
        Variant::Empty => "Assign the variable to the automation again: its reference gives nothing.".to_owned(),
    }
}

/// Tells where the variable that the automation misses is another than the one that the profile names.
pub fn compare_variable(findings: &mut [Finding], judgement: &Judgement, named: Option<&str>) {
    let (Why::VariableNotSet { variable }, Some(named)) = (&judgement.why, named) else { return };
    if let Some(first) = findings.first_mut().filter(|_| variable != named) {
        *first = first
            .clone()
            .about(Key::DeploymentVariable)
            .with_difference(variable, named)
            .with_evidence("the automation reads another variable than the profile names");
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
        Some(RuntimeObservation { source: Source::Log { .. } | Source::Command { .. }, .. }) => vec![
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
    Finding::new(cause, Finder::Rotate, certainty, summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::ids::FoundBy;
    use crate::domain::rotation::{Place, Store, StoreSnapshot, Verdict, Version};
    use crate::domain::runtime_output::RuntimeOutput;

    /// When the new value was written, in seconds.
    const WRITTEN: i64 = 1000;

    fn store() -> StoreSnapshot {
        let version = |id: &str, created_at| Version {
            id: id.into(),
            stages: Vec::new(),
            enabled: true,
            created_at: Some(created_at),
            fingerprint: Some(Fingerprint::of(id.as_bytes())),
            guessability: None,
            variants: Vec::new(),
        };
        StoreSnapshot {
            place: Place { store: Store::AwsSecretsManager, location: "eu-west-1".into() },
            at: 0,
            secret_id: None,
            current: "2".into(),
            versions: vec![version("2", WRITTEN), version("1", 0)],
            sibling: None,
            unseen: vec!["versions without a label".into()],
        }
    }

    /// A sighting that began this many seconds after the write.
    fn seen(after: i64, source: Source, printed: &str) -> RuntimeObservation {
        let began = (WRITTEN + after) * 1000;
        RuntimeObservation { began, at: began, source, failed: false, output: RuntimeOutput::of(printed) }
    }

    fn kickoff() -> Source {
        Source::Kickoff { kickoff_id: "1".into() }
    }

    fn found(why: Why, seen: &RuntimeObservation, read_at: ReadAt) -> Vec<Finding> {
        let store = store();
        let facts = Facts { store_after: Some(&store), runtime_after: Some(seen), ..Facts::default() };
        findings(&Judgement { verdict: Verdict::Stale, why }, &facts, read_at)
    }

    fn causes(found: &[Finding]) -> Vec<(Cause, Certainty)> {
        found.iter().map(|finding| (finding.cause, finding.certainty)).collect()
    }

    #[test]
    fn a_stale_value_has_the_reasons_that_its_sighting_leaves() {
        use Cause::{Cached, ReadAtImport, StaticBaked};
        use Certainty::{Likely, Possible};
        use ReadAt::{Deploy, Kickoff};
        let resolved = "Workload identity config 'c' (aws): 1 secret(s) resolved";
        let log = || Source::Log { file: "worker.log".into() };
        let program = || Source::Command { program: "kubectl".into() };
        let baked_first = vec![(StaticBaked, Likely), (Cached, Possible), (ReadAtImport, Possible)];
        let import_first = vec![(ReadAtImport, Likely), (Cached, Possible)];
        let rows = [
            (
                Deploy,
                seen(5, kickoff(), ""),
                vec![(StaticBaked, Likely), (ReadAtImport, Possible)],
                "static credentials",
            ),
            // Static credentials are read at deploy, whatever the sighting tells.
            (
                Deploy,
                seen(5, log(), resolved),
                vec![(StaticBaked, Likely), (ReadAtImport, Possible)],
                "static credentials",
            ),
            (Kickoff, seen(-5, kickoff(), ""), import_first.clone(), "began to run before"),
            (Kickoff, seen(5, log(), resolved), import_first, "resolved the secrets for this run"),
            (Kickoff, seen(5, log(), "started"), baked_first.clone(), "has no line `Workload identity config"),
            (Kickoff, seen(5, program(), "started"), baked_first.clone(), "has no line `Workload identity config"),
            (Kickoff, seen(5, kickoff(), ""), baked_first.clone(), "ran after the new value was written"),
            (Kickoff, seen(5, Source::Text, ""), baked_first, "ran after the new value was written"),
        ];
        for (read_at, sighting, expected, evidence) in rows {
            let found = found(Why::HasPrevious { variant: None }, &sighting, read_at);
            assert_eq!(causes(&found), expected, "{read_at:?}: {sighting:?}");
            assert!(found[0].evidence.iter().any(|line| line.contains(evidence)), "{:?}", found[0].evidence);
            assert!(found.iter().all(|finding| finding.check == FoundBy::from(Finder::Rotate)));
        }
        let variant = Why::HasPrevious { variant: Some(Variant::TrailingNewline) };
        let found = found(variant, &seen(5, kickoff(), ""), Kickoff);
        let is_told = |finding: &Finding| finding.evidence.iter().any(|line| line.contains("another form of the old"));
        assert!(found.iter().all(is_told), "{found:#?}");
    }

    #[test]
    fn every_other_reason_has_its_cause_certainty_and_fix() {
        use Certainty::{Likely, Possible, Proven};
        let rows = [
            (
                Why::HasVariant { variant: Variant::TrailingNewline },
                vec![(Cause::ValueVariant, Proven)],
                Variant::TrailingNewline.to_string(),
                Some("The stored value is right. Do not add a line end"),
            ),
            (
                Why::HasVariant { variant: Variant::WholeDocument },
                vec![(Cause::ValueVariant, Proven)],
                Variant::WholeDocument.to_string(),
                Some("The secret is right, the reference is not: write the variable's reference as `name#key`"),
            ),
            (
                Why::HasSibling { name: "db_password".into() },
                vec![(Cause::ForeignValue, Proven)],
                "`db_password`".into(),
                Some("Correct the name"),
            ),
            (
                Why::HasVersion { version: "0".into() },
                vec![(Cause::ForeignValue, Proven), (Cause::StaticBaked, Possible)],
                "version 0".into(),
                Some("Remove the version"),
            ),
            (
                Why::MatchesNothing { unchanged: None },
                vec![(Cause::ForeignValue, Likely), (Cause::StaticBaked, Possible)],
                "no version of this secret".into(),
                None,
            ),
            (
                Why::VariableNotSet { variable: "API_KEY".into() },
                vec![(Cause::EnvNotSet, Proven)],
                "API_KEY".into(),
                Some("Assign the variable"),
            ),
        ];
        for (why, expected, summary, fix) in rows {
            let found = found(why.clone(), &seen(5, kickoff(), ""), ReadAt::Kickoff);
            assert_eq!(causes(&found), expected, "{why:?}");
            assert!(found[0].summary.contains(&summary), "{why:?}: {}", found[0].summary);
            let fixes: Vec<&str> = found[0].fixes.iter().map(|fix| fix.text.as_str()).collect();
            assert_eq!(fixes.len(), usize::from(fix.is_some()), "{why:?}: {fixes:?}");
            assert!(fix.is_none_or(|fix| fixes[0].starts_with(fix)), "{why:?}: {fixes:?}");
        }
    }

    #[test]
    fn a_foreign_value_tells_what_it_was_compared_with() {
        for (unchanged, told) in [(Some(true), "same before"), (Some(false), "another one before"), (None, "")] {
            let found = found(Why::MatchesNothing { unchanged }, &seen(5, kickoff(), ""), ReadAt::Kickoff);
            let evidence = &found[0].evidence;
            assert_eq!(evidence[0], "compared with 2 version(s) in eu-west-1");
            assert_eq!(evidence[1], "not compared: versions without a label");
            assert!(evidence.len() == 2 + usize::from(unchanged.is_some()), "{evidence:?}");
            assert!(evidence.last().unwrap().contains(told), "{evidence:?}");
        }
    }

    #[test]
    fn what_explains_itself_has_no_findings() {
        for why in [
            Why::HasCurrent,
            Why::SameVersion,
            Why::SameFingerprint,
            Why::ValueOf { version: "1".into() },
            Why::PendingVersion { version: "3".into() },
            Why::StoreNotSeen,
            Why::ValueNotRead,
            Why::RuntimeNotAsked,
            Why::NoFingerprint,
            Why::AutomationFailed,
        ] {
            assert_eq!(found(why.clone(), &seen(5, kickoff(), ""), ReadAt::Kickoff), [], "{why:?}");
        }
    }
}
