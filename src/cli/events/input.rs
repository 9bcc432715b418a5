//! The logs that are named, or standard input: compressed or not, a piece at a time.

use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::cli::exit::CliError;
use crate::cli::terminal;
use crate::cli::trust::input::is_stdin;
use crate::domain::exchange::{Exchange, LogTally, read_log};
use crate::domain::json_stream::JsonStreamError;
use crate::probe::regular_file;

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ADVICE: &str = "give log files of CloudTrail, the answer of `aws cloudtrail lookup-events`, sign-ins of service principals \
                      (`az rest --url 'https://graph.microsoft.com/beta/auditLogs/signIns?…'`), or audit log entries of Google's \
                      (`gcloud logging read … --format json`)";

/// Reads all of them, and tells of each exchange.
///
/// # Errors
/// One cannot be read, is broken, or holds nothing that a cloud logs; says which, where, and what to give instead.
pub(in crate::cli) fn read(files: &[PathBuf], found: &mut dyn FnMut(Exchange)) -> Result<LogTally, CliError> {
    let mut whole = LogTally::default();
    let stdin = [PathBuf::from("-")];
    for path in if files.is_empty() { &stdin } else { files } {
        let tally = one(path, found)?;
        whole.documents += tally.documents;
        whole.objects += tally.objects;
        whole.events += tally.events;
        whole.exchanges += tally.exchanges;
    }
    Ok(whole)
}

fn one(path: &Path, found: &mut dyn FnMut(Exchange)) -> Result<LogTally, CliError> {
    let (name, tally) = if is_stdin(path) {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            terminal::note("Paste the events and end them with Ctrl-D.");
        }
        ("standard input".to_owned(), log(stdin.lock(), found))
    } else {
        let name = path.display().to_string();
        let file =
            regular_file::open(path).map_err(|error| CliError::new(format!("{name} cannot be read: {error}")))?;
        (name, log(file, found))
    };
    let tally = tally.map_err(|error| match error {
        JsonStreamError::Io(error) => CliError::new(format!("{name} cannot be read: {error}")),
        JsonStreamError::Broken { line, column, what } => {
            CliError::new(format!("{name}, line {line}, column {column}: {what}")).with_hint(ADVICE)
        }
    })?;
    match tally {
        LogTally { documents: 0, .. } => Err(CliError::new(format!("{name} is empty")).with_hint(ADVICE)),
        LogTally { objects: 1.., events: 0, .. } => {
            let what = "no event of CloudTrail, no sign-in of a service principal and no audit log entry of Google's";
            Err(CliError::new(format!("{name} holds {what}")).with_hint(ADVICE))
        }
        read => Ok(read),
    }
}

/// Reads a log that may be compressed, as CloudTrail's files are.
fn log(mut input: impl Read, found: &mut dyn FnMut(Exchange)) -> Result<LogTally, JsonStreamError> {
    let mut start = Vec::with_capacity(GZIP.len());
    input.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
    let is_compressed = start == GZIP;
    let whole = io::Cursor::new(start).chain(input);
    if is_compressed { read_log(MultiGzDecoder::new(whole), found) } else { read_log(whole, found) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn files_are_read_compressed_or_not_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let event = br#"{"Records": [{"eventName": "AssumeRoleWithWebIdentity"}, {"eventName": "GetUser"}]}"#;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(event).unwrap();
        let gzip = gzip.finish().unwrap();
        // S3 tools may join files, each of which is a whole.
        let files = [written("plain.json", event), written("two.gz", &[gzip.as_slice(), &gzip].concat())];
        let mut count = 0;
        let tally = read(&files, &mut |_| count += 1).unwrap();
        assert_eq!((count, tally.exchanges, tally.events, tally.documents), (3, 3, 6, 3));

        for (name, bytes, said) in [
            ("empty", &b" \n"[..], "is empty"),
            ("cut.gz", &gzip[..gzip.len() / 2], "cannot be read"),
            ("cut.json", &event[..20], "cut.json, line 1, column 21: the text ends here"),
            ("other.json", br#"{"name": "left-pad"}"#, "no event of CloudTrail"),
            ("text", b"AccessDenied", "line 1, column 1: `A` begins no JSON"),
        ] {
            let error = read(&[written(name, bytes)], &mut |_| {}).unwrap_err();
            assert!(error.message.contains(said), "{name}: {}", error.message);
        }
        assert!(read(&[folder.path().join("none")], &mut |_| {}).unwrap_err().message.contains("cannot be read"));
    }
}
