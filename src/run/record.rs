//! Recordings: a run's events as NDJSON, one event a line, after a line that names the schema.

use std::io::{BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::event::{EventKind, RunEvent};
use super::rotation::event::{RotationEvent, RotationKind};
use crate::domain::text::visible_json;

/// The schema's name in the first line of a run's recording.
pub const SCHEMA: &str = "trustline.recording/1";
/// The schema's name in the first line of a rotation's.
pub const ROTATION_SCHEMA: &str = "trustline.rotation-recording/1";

/// Longest line that is read, in bytes; an event is far smaller.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    schema: String,
    version: String,
}

/// Writes events as they come.
pub struct Recorder<W: Write> {
    sink: W,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording of this schema with its header line.
    pub fn begin(mut sink: W, schema: &str) -> std::io::Result<Self> {
        let header = Header { schema: schema.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        serde_json::to_writer(&mut sink, &header)?;
        sink.write_all(b"\n")?;
        Ok(Recorder { sink })
    }

    /// Appends one event and flushes it, so that a killed run leaves a readable recording.
    pub fn write(&mut self, event: &impl Serialize) -> std::io::Result<()> {
        let line = visible_json(&serde_json::to_string(event)?);
        writeln!(self.sink, "{line}")?;
        self.sink.flush()
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
    #[error("line 1 names the schema `{0}`; this version reads `{SCHEMA}` and `{ROTATION_SCHEMA}`")]
    OtherSchema(String),
    /// A line is not an event.
    #[error("line {line} is not an event of a recording: {problem}")]
    BadEvent {
        /// Counted from 1.
        line: usize,
        /// What the parser met.
        problem: String,
    },
    /// A line is longer than any event.
    #[error("line {0} is longer than 4 MiB")]
    LongLine(usize),
    /// The first event is not the one that a run or a rotation begins with.
    #[error("line 2 is not the beginning of a run")]
    NoBeginning,
}

/// A recording as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording<E = RunEvent> {
    /// The events in order.
    pub events: Vec<E>,
    /// Whether the last line was cut off, as by a killed process; the events before it are whole.
    pub truncated: bool,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    Run(Recording),
    Rotation(Recording<RotationEvent>),
}

/// Reads a recording.
///
/// # Errors
/// The file cannot be read, or is no recording.
pub fn read(mut source: impl BufRead) -> Result<Recorded, RecordingError> {
    let mut header = Vec::new();
    read_line(&mut source, &mut header, 1)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| RecordingError::NoHeader)?;
    match header.schema.as_str() {
        SCHEMA => {
            let begins = |event: &RunEvent| matches!(event.kind, EventKind::Planned { .. });
            read_events(source, begins).map(Recorded::Run)
        }
        ROTATION_SCHEMA => {
            let begins = |event: &RotationEvent| matches!(event.kind, RotationKind::Started { .. });
            read_events(source, begins).map(Recorded::Rotation)
        }
        _ => Err(RecordingError::OtherSchema(header.schema)),
    }
}

fn read_events<E: DeserializeOwned>(
    mut source: impl BufRead,
    begins: impl Fn(&E) -> bool,
) -> Result<Recording<E>, RecordingError> {
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
        match serde_json::from_slice::<E>(&line) {
            Ok(event) => events.push(event),
            Err(_) if !whole => {
                truncated = true;
                break;
            }
            Err(error) => return Err(RecordingError::BadEvent { line: number, problem: error.to_string() }),
        }
    }
    match events.first() {
        Some(first) if begins(first) => Ok(Recording { events, truncated }),
        None if truncated => Ok(Recording { events, truncated }),
        _ => Err(RecordingError::NoBeginning),
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
        Recorder::begin(&mut bytes, SCHEMA).unwrap().write(&plan(0)).unwrap();
        let whole = Recording { events: vec![plan(0)], truncated: false };
        assert_eq!(read(&bytes[..]).unwrap(), Recorded::Run(whole));
        let cut = &bytes[..bytes.len() - 5];
        assert_eq!(read(cut).unwrap(), Recorded::Run(Recording { events: Vec::new(), truncated: true }));
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
        assert!(matches!(read(header.as_bytes()), Err(RecordingError::NoBeginning)));
        let mut other = Vec::new();
        Recorder::begin(&mut other, ROTATION_SCHEMA).unwrap().write(&plan(0)).unwrap();
        assert!(matches!(read(&other[..]), Err(RecordingError::BadEvent { line: 2, .. })));
    }
}
