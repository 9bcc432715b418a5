//! Recordings: a run's events as NDJSON, one event a line, after a line that names the schema.

use std::io::{BufRead, Write};

use aws_lc_rs::rand;
use secrecy::SecretBox;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event::{EventKind, RunEvent};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::keyed::{FiledFingerprint, FingerprintKey, KEY_BYTES};

/// The schema's name in a recording's first line.
pub const SCHEMA: &str = "trustline.recording/1";

/// Longest line that is read, in bytes; an event is far smaller.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    schema: String,
    version: String,
}

/// Writes events as they come. The bare fingerprint of a value that can be guessed does not get into the file: a keyed one
/// stands there instead, whose key is forgotten with the recorder.
pub struct Recorder<W: Write> {
    sink: W,
    key: FingerprintKey,
    /// Bare fingerprints met so far, and what stands in the file for them.
    keyed: Vec<(String, String)>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with its header line.
    pub fn begin(mut sink: W) -> std::io::Result<Self> {
        let header = Header { schema: SCHEMA.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        serde_json::to_writer(&mut sink, &header)?;
        sink.write_all(b"\n")?;
        let mut bytes = Box::new([0; KEY_BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| std::io::Error::other("the system gives no random bytes"))?;
        Ok(Recorder { sink, key: FingerprintKey::new(SecretBox::new(bytes)), keyed: Vec::new() })
    }

    /// Appends one event and flushes it, so that a killed run leaves a readable recording.
    pub fn write(&mut self, event: &RunEvent) -> std::io::Result<()> {
        let mut line = serde_json::to_value(event)?;
        if let EventKind::Finished(finished) = &event.kind {
            let keyed_because = self.take_note_of(&finished.facts);
            if let (Some(reason), Some(facts)) = (keyed_because, line.get_mut("facts").and_then(Value::as_object_mut)) {
                facts.insert("keyed_because".to_owned(), reason);
            }
        }
        replace_each(&mut line, &self.keyed);
        serde_json::to_writer(&mut self.sink, &line)?;
        self.sink.write_all(b"\n")?;
        self.sink.flush()
    }

    /// Notes the keyed form of a fingerprint among a check's facts, where its value can be guessed; yields why it can.
    fn take_note_of(&mut self, facts: &Map<String, Value>) -> Option<Value> {
        let bare = Fingerprint::parse(facts.get("fingerprint")?.as_str()?).ok()?;
        let guessability = facts.get("guessability").and_then(|value| serde_json::from_value(value.clone()).ok());
        let name = facts.get("name").and_then(Value::as_str).unwrap_or_default();
        let filed = FiledFingerprint::of(&self.key, name, &bare, guessability);
        let reason = filed.keyed_because?;
        self.keyed.push((bare.as_str().to_owned(), filed.fingerprint.as_str().to_owned()));
        Some(json!(reason))
    }
}

/// Replaces each of these texts wherever it stands in a document's texts.
fn replace_each(document: &mut Value, replacements: &[(String, String)]) {
    match document {
        Value::String(text) => {
            for (old, new) in replacements.iter().filter(|(old, _)| !old.is_empty()) {
                if text.contains(old.as_str()) {
                    *text = text.replace(old.as_str(), new);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_each(item, replacements)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace_each(value, replacements)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It does not begin as a recording does.
    #[error("line 1 is not the header of a recording; expected {{\"schema\":\"{SCHEMA}\",…}}")]
    NoHeader,
    /// A recording of another schema.
    #[error("line 1 names the schema `{0}`; this version reads `{SCHEMA}`")]
    OtherSchema(String),
    /// A line is not an event.
    #[error("line {line} is not a run event: {problem}")]
    BadEvent {
        /// Counted from 1.
        line: usize,
        /// What the parser met.
        problem: String,
    },
    /// A line is longer than any event.
    #[error("line {0} is longer than 4 MiB")]
    LongLine(usize),
    /// The first event is not the plan.
    #[error("line 2 is not a run's plan")]
    NoPlan,
}

/// A recording as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The events in order.
    pub events: Vec<RunEvent>,
    /// Whether the last line was cut off, as by a killed process; the events before it are whole.
    pub truncated: bool,
}

/// Reads a recording.
pub fn read(mut source: impl BufRead) -> Result<Recording, RecordingError> {
    let mut header = Vec::new();
    read_line(&mut source, &mut header, 1)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| RecordingError::NoHeader)?;
    if header.schema != SCHEMA {
        return Err(RecordingError::OtherSchema(header.schema));
    }
    let (mut events, mut truncated, mut line) = (Vec::new(), false, Vec::new());
    for number in 2.. {
        line.clear();
        read_line(&mut source, &mut line, number)?;
        let whole = line.ends_with(b"\n");
        if line.trim_ascii().is_empty() {
            if whole {
                continue;
            }
            break;
        }
        match serde_json::from_slice::<RunEvent>(&line) {
            Ok(event) => events.push(event),
            Err(_) if !whole => {
                truncated = true;
                break;
            }
            Err(error) => return Err(RecordingError::BadEvent { line: number, problem: error.to_string() }),
        }
    }
    match events.first() {
        Some(RunEvent { kind: EventKind::Planned { .. }, .. }) => Ok(Recording { events, truncated }),
        None if truncated => Ok(Recording { events, truncated }),
        _ => Err(RecordingError::NoPlan),
    }
}

fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>, number: usize) -> Result<(), RecordingError> {
    std::io::Read::take(source, LONGEST_LINE).read_until(b'\n', line)?;
    if line.len() as u64 == LONGEST_LINE { Err(RecordingError::LongLine(number)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seq: u64) -> RunEvent {
        RunEvent {
            seq,
            at_ms: 0,
            kind: EventKind::Planned {
                profile: "p".into(),
                guide: "aws-workload-identity".into(),
                started: "2026-01-01T00:00:00Z".into(),
                checks: Vec::new(),
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        Recorder::begin(&mut bytes).unwrap().write(&plan(0)).unwrap();
        assert_eq!(read(&bytes[..]).unwrap(), Recording { events: vec![plan(0)], truncated: false });
        let cut = &bytes[..bytes.len() - 5];
        assert!(read(cut).unwrap().truncated);
    }

    #[test]
    fn the_fingerprint_of_a_guessable_value_is_recorded_in_the_keyed_form() {
        let bare = Fingerprint::of(b"summer");
        for (guessability, is_bare) in [("hard", true), ("pattern", false), ("few-possibilities", false)] {
            let finished = super::super::event::FinishedCheck {
                id: crate::check::CheckId::AwsGetSecret,
                title: String::new(),
                outcome: crate::check::Outcome::Pass,
                reason: Some(format!("{bare}, version 1")),
                started_ms: 0,
                duration_ms: 0,
                facts: json!({"name": "s", "fingerprint": bare, "guessability": guessability})
                    .as_object()
                    .cloned()
                    .unwrap(),
                docs: String::new(),
                findings: Vec::new(),
                blocked_by: None,
            };
            let mut bytes = Vec::new();
            let event = RunEvent { seq: 1, at_ms: 0, kind: EventKind::Finished(Box::new(finished)) };
            let mut recorder = Recorder::begin(&mut bytes).unwrap();
            recorder.write(&plan(0)).unwrap();
            recorder.write(&event).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.matches(&format!("\"{bare}")).count(), if is_bare { 2 } else { 0 }, "{text}");
            assert_eq!(text.matches("hmac-sha256:").count(), if is_bare { 0 } else { 2 }, "{text}");
            assert_eq!(text.contains("keyed_because"), !is_bare);
            read(text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn refuses_what_is_no_recording() {
        assert!(matches!(read(&b""[..]), Err(RecordingError::NoHeader)));
        assert!(matches!(read(&b"{\"schema\":\"x/2\",\"version\":\"\"}\n"[..]), Err(RecordingError::OtherSchema(_))));
        let header = format!("{{\"schema\":\"{SCHEMA}\",\"version\":\"0\"}}\n");
        assert!(matches!(
            read(format!("{header}nonsense\n").as_bytes()),
            Err(RecordingError::BadEvent { line: 2, .. })
        ));
        assert!(matches!(read(header.as_bytes()), Err(RecordingError::NoPlan)));
    }
}
