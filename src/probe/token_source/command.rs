//! A token that a program prints. Started without a shell; its output is capped and never shown.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::error::said;
use super::{MAX_BYTES, SourcedToken, TokenSourceError, sourced};

/// What is kept of standard error, in bytes.
const MAX_SAID: usize = 64 * 1024;

/// Runs the program and reads the token from its standard output.
pub(super) async fn read(argv: &[String], timeout: Duration) -> Result<SourcedToken, TokenSourceError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(TokenSourceError::NoProgram);
    };
    let program = program.clone();
    let mut child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| TokenSourceError::NotStarted { program: program.clone(), why: error.to_string() })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = tokio::time::timeout(timeout, async {
        let (out, err) = tokio::join!(capped(stdout, MAX_BYTES + 1), capped(stderr, MAX_SAID));
        // Over the limit, the program may be writing for ever: it is killed when `child` is dropped.
        let status = if out.len() > MAX_BYTES { None } else { Some(child.wait().await) };
        (out, err, status)
    });
    let Ok((out, err, status)) = finished.await else {
        return Err(TokenSourceError::CommandTimedOut { program, after: timeout });
    };
    match status {
        Some(Ok(status)) if !status.success() => {
            return Err(TokenSourceError::CommandFailed { program, status: status.to_string(), said: said(&err) });
        }
        Some(Err(error)) => {
            return Err(TokenSourceError::CommandFailed { program, status: error.to_string(), said: said(&err) });
        }
        _ => {}
    }
    match sourced(&out, None, || format!("the output of program {program}")) {
        Err(TokenSourceError::Empty { .. }) => Err(TokenSourceError::CommandSilent { program, said: said(&err) }),
        result => result,
    }
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

    async fn run(script: &str) -> Result<SourcedToken, TokenSourceError> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        read(&argv, Duration::from_secs(20)).await
    }

    #[tokio::test]
    async fn reads_what_the_program_prints() {
        let sourced = run("echo noise >&2; echo a.b.c").await.unwrap();
        assert_eq!(sourced.token.expose(), "a.b.c");
    }

    #[tokio::test]
    async fn a_failure_shows_standard_error_and_never_the_output() {
        let error = run("echo a.b.c; echo 'not logged in' >&2; exit 3").await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3; it said: not logged in"), "{error}");
        assert!(!error.contains("a.b.c"), "{error}");
        let error = run("echo 'nothing today' >&2").await.unwrap_err().to_string();
        assert!(error.ends_with("printed nothing; it said: nothing today"), "{error}");
    }

    #[tokio::test]
    async fn a_flood_and_a_hang_end() {
        assert!(matches!(run("yes").await, Err(TokenSourceError::TooLarge { .. })));
        let argv = ["sh", "-c", "sleep 600"].map(str::to_owned);
        let error = read(&argv, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, TokenSourceError::CommandTimedOut { .. }));
    }

    #[tokio::test]
    async fn a_program_that_does_not_exist_is_named() {
        let error = read(&["/nonexistent/program".to_owned()], Duration::from_secs(1)).await.unwrap_err();
        assert!(error.to_string().starts_with("program /nonexistent/program cannot be started"), "{error}");
        assert_eq!(read(&[], Duration::from_secs(1)).await.unwrap_err(), TokenSourceError::NoProgram);
    }
}
