//! A token that a program prints. Started without a shell; its output is capped and never shown.

use std::time::Duration;

use super::error::said;
use super::{MAX_BYTES, SourcedToken, TokenSourceError, sourced};
use crate::probe::program::{self, ProgramError};

/// Runs the program and reads the token from its standard output.
pub(super) async fn read(argv: &[String], timeout: Duration) -> Result<SourcedToken, TokenSourceError> {
    let ended = program::run(argv, MAX_BYTES, timeout).await?;
    let program = argv.first().cloned().unwrap_or_default();
    if let Some(status) = ended.status.filter(|status| !status.success()) {
        let said = said(&ended.stderr);
        return Err(TokenSourceError::CommandFailed { program, status: status.to_string(), said });
    }
    match sourced(&ended.stdout, || format!("the output of program {program}")) {
        Err(TokenSourceError::Empty { .. }) => {
            Err(TokenSourceError::CommandSilent { program, said: said(&ended.stderr) })
        }
        result => result,
    }
}

impl From<ProgramError> for TokenSourceError {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::Unnamed => TokenSourceError::NoProgram,
            ProgramError::NotStarted { program, why } => TokenSourceError::NotStarted { program, why },
            ProgramError::TimedOut { program, after } => TokenSourceError::CommandTimedOut { program, after },
            ProgramError::Lost { program, why } => {
                TokenSourceError::CommandFailed { program, status: why, said: said(&[]) }
            }
        }
    }
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
    async fn a_program_that_is_not_named_is_asked_for() {
        assert_eq!(read(&[], Duration::from_secs(1)).await.unwrap_err(), TokenSourceError::NoProgram);
    }
}
