//! Reads the token from where the profile says: a file, a variable, a program, standard input, GitHub Actions.

mod command;
mod error;
mod file;
mod github;

use std::io::Read as _;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::caught::caught_here;
use crate::check::facts::token::TokenFact;
use crate::domain::profile::TokenSource;
use crate::domain::token::{Cleaning, RawToken};
use crate::probe::http::ObservedClient;

pub use error::TokenSourceError;
pub use file::read_file;

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
        TokenSource::Command(argv) => command::read(argv, options.timeout).await,
        TokenSource::GithubActions => github::read(options).await,
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
        Err(error) => (TokenFact::absent(describe(source), error.absence()), None),
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
    match tokio::task::spawn_blocking(|| caught_here(read)).await {
        Ok(result) => result,
        Err(_) => Err(TokenSourceError::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caught::is_caught;

    #[tokio::test]
    async fn a_panic_while_reading_is_an_unread_token_and_no_end_of_the_program() {
        let read = blocking(|| {
            assert!(is_caught(), "a hook that ends the program must know");
            panic!("forced")
        });
        assert_eq!(read.await.err(), Some(TokenSourceError::Interrupted));
    }
}
