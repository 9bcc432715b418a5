//! A rotation for a ticket.

use std::fmt::Write as _;

use super::{seen_fingerprint, source_words};
use crate::domain::rotation::StoreSnapshot;
use crate::domain::timestamp::{rfc3339, rfc3339_millis};
use crate::report::markdown::{cell, write_finding};
use crate::report::paint::milliseconds;
use crate::run::rotation::report::{RotationReport, SecretReport};

/// The report as a Markdown document.
pub fn report(report: &RotationReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# trustline rotate: {} ({})\n", cell(&report.profile), cell(&report.guide));
    let verdict = report.verdict();
    let _ = writeln!(text, "**{verdict}**: {}. Started {}.", verdict.sentence(), cell(&report.started));
    let people = [("Read", &report.reader), ("Written", &report.operator)];
    for (did, identity) in people.into_iter().filter_map(|(did, identity)| Some((did, identity.as_ref()?))) {
        let _ = writeln!(text, "\n{did} as `{}`.", cell(identity));
    }
    for trouble in &report.troubles {
        let _ = writeln!(text, "\n- trouble: {}", cell(&trouble.reason));
    }
    for secret in &report.secrets {
        write_secret(&mut text, secret, report);
    }
    text
}

fn write_secret(text: &mut String, secret: &SecretReport, report: &RotationReport) {
    let _ = writeln!(text, "\n## {}\n", cell(&secret.secret));
    text.push_str("| | version or run | stages | time | fingerprint |\n|---|---|---|---|---|\n");
    let stores = [("store before", &secret.before), ("store after", &secret.after)];
    for (label, snapshot) in stores.into_iter().filter_map(|(label, s)| Some((label, s.as_ref()?))) {
        write_store(text, label, snapshot);
    }
    let known = [secret.after.as_ref(), secret.before.as_ref()];
    let runtimes = [("runtime before", &report.runtime_before), ("runtime after", &report.runtime_after)];
    for (label, sighting) in runtimes.into_iter().filter_map(|(label, s)| Some((label, s.as_ref()?))) {
        let _ = writeln!(
            text,
            "| {label} | {} | | {} | {} |",
            cell(&source_words(&sighting.source)),
            rfc3339_millis(sighting.at).unwrap_or_default(),
            cell(&seen_fingerprint(sighting, known).unwrap_or_else(|| "none".to_owned())),
        );
    }
    for judged in &secret.judged {
        let verdict = judged.judgement.verdict;
        let _ = write!(text, "\n**{verdict}**: {}", verdict.sentence());
        if let Some(after) = judged.propagated_ms {
            let _ = write!(text, ", {} after the write", milliseconds(after));
        }
        text.push_str(".\n");
        for finding in &judged.findings {
            write_finding(text, finding);
        }
    }
    if let Some(warning) = secret.warning() {
        let _ = writeln!(text, "\nMind: {}.", cell(&warning));
    }
    for trouble in &secret.troubles {
        let _ = writeln!(text, "\n- trouble: {}", cell(&trouble.reason));
    }
    if let Some(version) = &secret.rolled_back {
        let _ = writeln!(text, "\nRolled back: version `{}` is current.", cell(version));
    }
}

fn write_store(text: &mut String, label: &str, snapshot: &StoreSnapshot) {
    for version in &snapshot.versions {
        let _ = writeln!(
            text,
            "| {label} | {} | {} | {} | {} |",
            cell(&version.id),
            cell(&version.stages.join(" ")),
            version.created_at.and_then(rfc3339).unwrap_or_default(),
            cell(version.fingerprint.as_ref().map_or("not read", |f| f.as_str())),
        );
    }
}
