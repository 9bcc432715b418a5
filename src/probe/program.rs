//! A program of the user's: started without a shell, its output capped and wiped, and never shown here.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

/// What a program left.
pub(super) struct Ended {
    pub stdout: Zeroizing<Vec<u8>>,
    pub stderr: Zeroizing<Vec<u8>>,
    /// `None` where it wrote more than was asked for, and was killed.
    pub status: Option<ExitStatus>,
}

/// Why a program did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProgramError {
    #[error("no program is named")]
    Unnamed,
    #[error("program {program} cannot be started: {why}")]
    NotStarted { program: String, why: String },
    #[error("program {program} did not end within {} s", .after.as_secs_f64())]
    TimedOut { program: String, after: Duration },
    #[error("program {program}: {why}")]
    Lost { program: String, why: String },
}

/// Runs a program to its end, and keeps at most `most` bytes of each of its outputs.
///
/// # Errors
/// It cannot be started, or takes longer than `timeout`. A failure of its own is no error here: see the status.
pub(super) async fn run(argv: &[String], most: usize, timeout: Duration) -> Result<Ended, ProgramError> {
    let (program, arguments) = argv.split_first().ok_or(ProgramError::Unnamed)?;
    let program = program.clone();
    let mut child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| ProgramError::NotStarted { program: program.clone(), why: error.to_string() })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = tokio::time::timeout(timeout, async {
        let (stdout, stderr) = tokio::join!(capped(stdout, most + 1), capped(stderr, most + 1));
        // Over the limit, the program may be writing for ever: it is killed when `child` is dropped.
        let status = if stdout.len().max(stderr.len()) > most { None } else { Some(child.wait().await) };
        (stdout, stderr, status)
    });
    let Ok((stdout, stderr, status)) = finished.await else {
        return Err(ProgramError::TimedOut { program, after: timeout });
    };
    let status = status.transpose().map_err(|error| ProgramError::Lost { program, why: error.to_string() })?;
    Ok(Ended { stdout, stderr, status })
}

/// Reads a stream up to its end or to `limit` bytes, whichever comes first.
async fn capped(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(stream) = stream {
        // A broken pipe ends the output like its end does.
        let _ = stream.take(limit as u64).read_to_end(&mut bytes).await;
    }
    bytes
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn shell(script: &str, timeout: Duration) -> Result<Ended, ProgramError> {
        run(&["sh", "-c", script].map(str::to_owned), 1000, timeout).await
    }

    #[tokio::test]
    async fn what_it_prints_and_how_it_ends_is_told() {
        let ended = shell("echo out; echo err >&2; exit 3", Duration::from_secs(20)).await.unwrap();
        assert_eq!((ended.stdout.as_slice(), ended.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(ended.status.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn a_flood_and_a_hang_end() {
        let flood = shell("yes", Duration::from_secs(20)).await.unwrap();
        assert_eq!((flood.stdout.len(), flood.status), (1001, None));
        let hang = shell("sleep 600", Duration::from_millis(50)).await.err();
        assert!(matches!(hang, Some(ProgramError::TimedOut { .. })));
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_named() {
        let error = run(&["/nonexistent/program".to_owned()], 1, Duration::from_secs(1)).await.err().unwrap();
        assert!(error.to_string().starts_with("program /nonexistent/program cannot be started"), "{error}");
        assert_eq!(run(&[], 1, Duration::from_secs(1)).await.err(), Some(ProgramError::Unnamed));
    }
}
