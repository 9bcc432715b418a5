//! The running automation's output from a file or a program, reduced to what it tells of the secrets.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::{program, regular_file};
use crate::domain::runtime_output::RuntimeOutput;

/// The most that is read of an output, in bytes: its end, which is the newest.
const LIMIT: u64 = 8 * 1024 * 1024;

/// Reads the end of a log file, from `from` bytes on; yields also where it ends, to go on there.
///
/// # Errors
/// The file cannot be read, in words.
pub async fn log(path: &Path, from: u64) -> Result<(RuntimeOutput, u64), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = tokio::fs::File::from_std(regular_file::open(path).map_err(told)?);
    let end = file.metadata().await.map_err(told)?.len();
    // A file that became shorter was begun anew.
    let from = if from > end { 0 } else { from }.max(end.saturating_sub(LIMIT));
    file.seek(std::io::SeekFrom::Start(from)).await.map_err(told)?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).await.map_err(told)?;
    Ok((RuntimeOutput::of(&String::from_utf8_lossy(&bytes)), end))
}

/// Runs a program without a shell and reads what it prints, on both streams.
///
/// # Errors
/// It cannot be started, fails, or takes longer than `timeout`; in words, without its output.
pub async fn command(argv: &[String], timeout: Duration) -> Result<RuntimeOutput, String> {
    let ended = program::run(argv, LIMIT as usize, timeout).await.map_err(|error| error.to_string())?;
    if let Some(status) = ended.status.filter(|status| !status.success()) {
        return Err(format!("program {} failed ({status})", argv.first().map_or("", String::as_str)));
    }
    let mut output = RuntimeOutput::of(&String::from_utf8_lossy(&ended.stderr));
    output.read(&String::from_utf8_lossy(&ended.stdout));
    Ok(output)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn a_log_is_read_on_where_it_ended() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "credential.fingerprint=sha256:5d8269a65fdc").unwrap();
        let (first, end) = log(file.path(), 0).await.unwrap();
        writeln!(file, "credential.fingerprint=sha256:881c4f273b3a").unwrap();
        let (second, _) = log(file.path(), end).await.unwrap();
        let prints =
            |output: &RuntimeOutput| output.fingerprints.iter().map(|f| f.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(prints(&first), ["sha256:5d8269a65fdc"]);
        assert_eq!(prints(&second), ["sha256:881c4f273b3a"]);
        file.as_file().set_len(0).unwrap();
        assert!(log(file.path(), end).await.unwrap().0.is_empty());
    }

    #[tokio::test]
    async fn a_program_tells_or_fails_without_being_quoted() {
        let run = async |script: &str| command(&["sh", "-c", script].map(str::to_owned), Duration::from_secs(20)).await;
        assert_eq!(run("echo sha256:5d8269a65fdc").await.unwrap().fingerprints.len(), 1);
        let error = run("echo private; exit 3").await.unwrap_err();
        assert!(error.contains("exit status: 3") && !error.contains("private"), "{error}");
    }
}
