//! Reads the token from where the profile says: a file, a variable, a program, standard input, GitHub Actions.

mod error;
mod surroundings;

use std::fs::Metadata;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::program::ProgramError;
use super::{program, regular_file};
use crate::check::facts::token::{TokenAbsence, TokenFact};
use crate::domain::profile::TokenSource;
use crate::domain::token::{Cleaning, RawToken};
use crate::panic_guard::guard_thread;
use crate::probe::http::ObservedClient;
pub use error::TokenSourceError;
use error::said;

/// The most that is read of any source. Tokens are far smaller (STS takes 20000 characters).
pub const MAX_BYTES: usize = 1 << 20;

/// A token as its source gave it.
#[derive(Debug)]
pub struct SourcedToken {
    pub token: RawToken,
    /// What was stripped from it.
    pub cleaned: Vec<Cleaning>,
}

/// What reading a source may use.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions<'a> {
    /// How long a program may take; a request takes as long as `client` lets it.
    pub timeout: Duration,
    /// The audience to request a token for, where the source is a request.
    pub audience: Option<&'a str>,
    /// The client for sources that are requests.
    pub client: Option<&'a ObservedClient>,
}

/// Reads the token.
///
/// Dropping the future kills a program that was started.
pub async fn read(source: &TokenSource, options: &ReadOptions<'_>) -> Result<SourcedToken, TokenSourceError> {
    match source {
        TokenSource::File(path) => {
            let path = path.clone();
            blocking(move || read_file(&path)).await
        }
        TokenSource::Env(name) => read_env(name),
        TokenSource::Command(argv) => token_of_command(argv, options.timeout).await,
        TokenSource::GithubActions => github_token(options).await,
        TokenSource::Stdin => blocking(read_stdin).await,
    }
}

/// Reads the token and yields what may leave this room, beside the token itself for those that send it.
pub async fn observe(source: &TokenSource, options: &ReadOptions<'_>) -> (TokenFact, Option<SourcedToken>) {
    match read(source, options).await {
        Ok(sourced) => {
            let fact = TokenFact::read(describe(source), &sourced.token, sourced.cleaned.clone());
            (fact, Some(sourced))
        }
        Err(error) => {
            let absence = TokenAbsence { around: surroundings::seen_here(), ..error.absence() };
            (TokenFact::absent(describe(source), absence), None)
        }
    }
}

/// The source in words.
pub fn describe(source: &TokenSource) -> String {
    match source {
        TokenSource::File(path) => format!("file {}", path.display()),
        TokenSource::Env(name) => format!("variable {name}"),
        TokenSource::Command(argv) => format!("program {}", argv.first().map_or("", String::as_str)),
        TokenSource::GithubActions => "GitHub Actions' token request".to_owned(),
        TokenSource::Stdin => "standard input".to_owned(),
    }
}

/// Reads the token from an environment variable.
pub fn read_env(name: &str) -> Result<SourcedToken, TokenSourceError> {
    let value = std::env::var_os(name).ok_or_else(|| TokenSourceError::EnvNotSet { name: name.to_owned() })?;
    let value = Zeroizing::new(value.into_encoded_bytes());
    sourced(&value, || format!("variable {name}"))
}

/// Reads the token from standard input, up to its end.
pub fn read_stdin() -> Result<SourcedToken, TokenSourceError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = MAX_BYTES as u64 + 1;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| TokenSourceError::Unreadable { what: "standard input".to_owned(), why: error.to_string() })?;
    sourced(&bytes, || "standard input".to_owned())
}

/// Turns what a source gave into a token, or says why it is none.
fn sourced(bytes: &[u8], what: impl Fn() -> String) -> Result<SourcedToken, TokenSourceError> {
    if bytes.len() > MAX_BYTES {
        return Err(TokenSourceError::TooLarge { what: what() });
    }
    let (token, cleaned) =
        RawToken::clean_bytes(bytes).map_err(|error| TokenSourceError::NotText { what: what(), at: error.at })?;
    if token.is_empty() {
        return Err(TokenSourceError::Empty { what: what() });
    }
    Ok(SourcedToken { token, cleaned })
}

async fn blocking(
    read: impl FnOnce() -> Result<SourcedToken, TokenSourceError> + Send + 'static,
) -> Result<SourcedToken, TokenSourceError> {
    match tokio::task::spawn_blocking(|| guard_thread(read)).await {
        Ok(result) => result,
        Err(_) => Err(TokenSourceError::Interrupted),
    }
}

/// Reads the token from a file.
pub fn read_file(path: &Path) -> Result<SourcedToken, TokenSourceError> {
    let what = || format!("file {}", path.display());
    let bytes = regular_file::read(path, MAX_BYTES as u64).map_err(|error| file_refusal(path, &error))?;
    sourced(&bytes, what)
}

/// Everything that the file holds, for who plays a client that sends it so.
pub async fn as_it_is(path: &Path) -> Option<RawToken> {
    let path = path.to_owned();
    let read = move || regular_file::read(&path, MAX_BYTES as u64).ok();
    let bytes = tokio::task::spawn_blocking(|| guard_thread(read)).await.ok()??;
    RawToken::as_it_is(&bytes)
}

fn file_refusal(path: &Path, error: &std::io::Error) -> TokenSourceError {
    let what = format!("file {}", path.display());
    match error.kind() {
        _ if regular_file::is_shortage(error) => TokenSourceError::Shortage { what, why: error.to_string() },
        std::io::ErrorKind::IsADirectory => TokenSourceError::Directory { what },
        std::io::ErrorKind::InvalidInput => TokenSourceError::NotAFile { what },
        std::io::ErrorKind::NotFound => TokenSourceError::NotFound { what },
        std::io::ErrorKind::PermissionDenied => {
            let owner = std::fs::metadata(path).map(|metadata| rights(&metadata)).unwrap_or_default();
            TokenSourceError::Denied { what, why: "permission denied".to_owned(), owner }
        }
        _ => TokenSourceError::Unreadable { what, why: error.to_string() },
    }
}

/// Who may read the file, for a person who may not. In Kubernetes the usual mending is `fsGroup`.
#[cfg(unix)]
fn rights(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    format!(" (owner {}, group {}, mode {:04o})", metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

#[cfg(not(unix))]
fn rights(_metadata: &Metadata) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panic_guard::is_guarded;

    #[tokio::test]
    async fn a_panic_while_reading_is_an_unread_token_and_no_end_of_the_program() {
        let read = blocking(|| {
            assert!(is_guarded(), "a hook that ends the program must know");
            panic!("forced")
        });
        assert_eq!(read.await.err(), Some(TokenSourceError::Interrupted));
    }
}

/// Runs the program and reads the token from its standard output.
async fn token_of_command(argv: &[String], timeout: Duration) -> Result<SourcedToken, TokenSourceError> {
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
mod command_tests {
    use super::*;

    async fn run(script: &str) -> Result<SourcedToken, TokenSourceError> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        token_of_command(&argv, Duration::from_secs(20)).await
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
        let error = token_of_command(&argv, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, TokenSourceError::CommandTimedOut { .. }));
    }

    #[tokio::test]
    async fn a_program_that_is_not_named_is_asked_for() {
        assert_eq!(token_of_command(&[], Duration::from_secs(1)).await.unwrap_err(), TokenSourceError::NoProgram);
    }
}

const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Requests the job's token.
async fn github_token(options: &ReadOptions<'_>) -> Result<SourcedToken, TokenSourceError> {
    let address = required_variable(REQUEST_URL)?;
    let bearer = SecretString::from(required_variable(REQUEST_TOKEN)?);
    request_github_token(&address, &bearer, options).await
}

fn required_variable(name: &'static str) -> Result<String, TokenSourceError> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
        .ok_or(TokenSourceError::RequestNotOffered { name })
}

async fn request_github_token(
    address: &str,
    bearer: &SecretString,
    options: &ReadOptions<'_>,
) -> Result<SourcedToken, TokenSourceError> {
    let mut url = Url::parse(address).map_err(|error| TokenSourceError::RequestAddress { why: error.to_string() })?;
    if let Some(audience) = options.audience {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let Some(client) = options.client else {
        return Err(TokenSourceError::NoClient);
    };
    let bearer = Zeroizing::new(format!("Bearer {}", bearer.expose_secret()));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| TokenSourceError::RequestTokenUnfit)?;
    bearer.set_sensitive(true);
    let headers = [(AUTHORIZATION, bearer), (ACCEPT, HeaderValue::from_static("application/json"))];
    let observed = client.get(url, &headers, MAX_BYTES as u64).await;
    let Some(answer) = observed.answer else {
        return Err(match observed.exchange.failure {
            Some(failure) => TokenSourceError::RequestUnanswered { failure: Box::new(failure) },
            None => TokenSourceError::RequestAnswer,
        });
    };
    match answer.status.as_u16() {
        200..=299 => {}
        status @ (401 | 403) => return Err(TokenSourceError::RequestRefused { status }),
        status => return Err(TokenSourceError::RequestStatus { status }),
    }
    let body = answer.body;
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    let mut sourced = sourced(&body, || "the answer to the token request".to_owned())?;
    // Still an object: it had no `value` to take the token from.
    if sourced.token.expose().starts_with('{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    // The answer's own shape is nothing that somebody added to the token.
    sourced.cleaned.clear();
    Ok(sourced)
}

#[cfg(test)]
mod file_tests {
    use super::*;

    #[test]
    fn reads_what_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "a.b.c\n").unwrap();
        let sourced = read_file(&path).unwrap();
        assert_eq!(sourced.token.expose(), "a.b.c");
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            read_file(&path).unwrap_err().to_string()
        };
        assert!(at("empty", b" \n").ends_with("empty is empty"));
        assert!(at("large", &vec![b'a'; MAX_BYTES + 1]).contains("more than 1 MiB"));
        assert!(at("binary", b"\x89PNG\xff").contains("byte 0 is not UTF-8"));
        assert!(read_file(folder.path()).unwrap_err().to_string().contains("is a directory"));
        assert!(read_file(&folder.path().join("none")).unwrap_err().to_string().contains("is not there"));
    }
}
