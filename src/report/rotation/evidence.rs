//! Evidence as Markdown, for tickets and auditors: the same records as the JSON beside it, which is what counts.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::source_words;
use crate::domain::fingerprint::keyed::FiledFingerprint;
use crate::domain::rotation::Source;
use crate::domain::rotation::evidence::{Document, Head, Record, RuntimeOfRecord, StoreOfRecord};
use crate::domain::text::visible_lines;
use crate::report::markdown::cell;

/// The document, a section a record.
pub fn markdown(document: &Document) -> String {
    let sections = document.records.iter().zip(1..).map(|(record, number)| markdown_section(number, record));
    markdown_head(&document.chain, &document.head) + &sections.collect::<String>()
}

/// What stands before the records.
pub fn markdown_head(chain: &str, head: &Head) -> String {
    visible_lines(&format!(
        "# Evidence of secret rotations\n\n{} in the chain `{chain}`; the last one's hash is `{}`.\n\nThis text is made from \
         the JSON file beside it, which is what counts: `trustline rotate verify-evidence FILE` tells whether that is \
         whole.\nNo secret value is in either. `sha256:` is the beginning of a value's hash; `hmac-sha256:` is made with a key \
         that stays with who wrote this, because the value may be one that can be guessed.\n",
        counted(head.records),
        head.hash
    ))
}

/// One record, by its place in the chain.
pub fn markdown_section(number: usize, record: &Map<String, Value>) -> String {
    let mut text = String::new();
    section(number, record, &mut text);
    visible_lines(&text)
}

fn counted(records: usize) -> String {
    if records == 1 { "One record".to_owned() } else { format!("{records} records") }
}

fn section(number: usize, fields: &Map<String, Value>, text: &mut String) {
    let Ok(record) = serde_json::from_value::<Record>(Value::Object(fields.clone())) else {
        let _ = writeln!(text, "\n## {number}. A record of another version of the program\n");
        return;
    };
    let verdict = record.judgement.verdict;
    let _ = writeln!(text, "\n## {number}. {}: {verdict}\n", cell(&record.secret.reference));
    let _ = writeln!(text, "{}.\n", capital(verdict.sentence()));
    let _ = writeln!(text, "| | |\n|---|---|");
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "| {name} | {} |", cell(&value));
        }
    };
    let place = record.secret.place.as_ref();
    row("Secret", Some(record.secret.id.clone().unwrap_or_else(|| record.secret.reference.clone())));
    row("Store", place.map(|place| format!("{}, {}", place.store, place.location)));
    row("Profile", Some(format!("{} ({})", record.profile, record.guide)));
    row("Read as", record.reader.clone());
    row("Written as", record.operator.clone());
    row("Rotated by", Some(record.way.clone()));
    row("Session began", Some(record.started.clone()));
    row("New version", record.rotated.as_ref().map(|rotated| format!("{} at {}", rotated.version, rotated.at)));
    row(
        "Seen at the runtime after",
        record.propagated_ms.map(|millis| format!("{}.{:03} s", millis / 1000, millis % 1000)),
    );
    row("Rolled back to", record.rolled_back_to.clone());
    row("Store's clock minus the local one", record.clock_skew_s.map(|seconds| format!("{seconds} s")));
    row("Kickoffs", (!record.kickoffs.is_empty()).then(|| record.kickoffs.join(", ")));
    row("Written down", Some(format!("{} by {}", record.written_at, record.tool)));
    row("Hash", fields.get("hash").and_then(Value::as_str).map(str::to_owned));
    row("Hash of the record before", fields.get("previous").and_then(Value::as_str).map(str::to_owned));
    store("The store before", record.store_before.as_ref(), text);
    store("The store after", record.store_after.as_ref(), text);
    runtime("The running automation before", record.runtime_before.as_ref(), text);
    runtime("The running automation after", record.runtime_after.as_ref(), text);
    let mut reasons: Vec<String> = Vec::new();
    for reason in record.fingerprints().filter_map(|filed| filed.keyed_because) {
        let reason = format!("{reason}");
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if !reasons.is_empty() {
        let _ = writeln!(text, "\nWhy fingerprints are in the keyed form: {}.", reasons.join("; "));
    }
}

fn store(title: &str, store: Option<&StoreOfRecord>, text: &mut String) {
    let Some(store) = store else { return };
    let _ = writeln!(
        text,
        "\n{title}, {}:\n\n| Version | Stages | Created | Fingerprint |\n|---|---|---|---|",
        cell(&store.at)
    );
    for version in &store.versions {
        let mut stages = version.stages.clone();
        if stages.is_empty() && version.id == store.current {
            stages.push("current".to_owned());
        }
        if !version.enabled {
            stages.push("disabled".to_owned());
        }
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            cell(&version.id),
            cell(&stages.join(" ")),
            cell(version.created_at.as_deref().unwrap_or("unknown")),
            version.fingerprint.as_ref().map_or("not read", form)
        );
    }
    for unseen in &store.unseen {
        let _ = writeln!(text, "\nNot seen: {}.", cell(unseen));
    }
}

fn runtime(title: &str, runtime: Option<&RuntimeOfRecord>, text: &mut String) {
    let Some(runtime) = runtime else { return };
    let begun = matches!(runtime.source, Source::Kickoff { .. }).then(|| format!(", begun {}", cell(&runtime.began)));
    let source = format!("{}{}", source_words(&runtime.source), begun.unwrap_or_default());
    let fingerprints: Vec<&str> = runtime.fingerprints.iter().map(form).collect();
    let told = if runtime.failed {
        "ended in an error".to_owned()
    } else if fingerprints.is_empty() {
        "no fingerprint".to_owned()
    } else {
        fingerprints.join(", ")
    };
    let _ = writeln!(text, "\n{title}, {} ({}): {told}.", cell(&runtime.at), cell(&source));
}

fn form(fingerprint: &FiledFingerprint) -> &str {
    fingerprint.fingerprint.as_str()
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
