//! Where the token comes from. Files, variables and standard input need no runtime, which keeps the common case quick.

use std::io::IsTerminal as _;
use std::path::Path;

use super::TokenArgs;
use crate::cli::exit::CliError;
use crate::domain::profile::TokenSource;
use crate::domain::token::looks_like_jwt;
use crate::probe::token_source::{self, ReadOptions, SourcedToken, TokenSourceError};

/// A token and where it came from, in words.
pub(super) struct Sourced {
    pub token: SourcedToken,
    pub described: String,
}

/// Reads the token that the arguments name.
pub(super) fn read(args: &TokenArgs) -> Result<Sourced, CliError> {
    let source = choose(args)?;
    let read = match &source {
        TokenSource::File(path) => token_source::read_file(path),
        TokenSource::Env(name) => token_source::read_env(name),
        TokenSource::Stdin => token_source::read_stdin(),
        TokenSource::Command(_) | TokenSource::GithubActions => {
            let needs_network = source == TokenSource::GithubActions;
            let stack = needs_network.then(|| args.network.stack()).transpose()?;
            let client = stack.as_ref().map(|stack| stack.client());
            let options = ReadOptions {
                timeout: args.network.timeout,
                audience: args.audience.as_deref(),
                client: client.as_ref(),
            };
            super::keys::block_on(token_source::read(&source, &options))?
        }
    };
    let token = read.map_err(|error| refusal(&source, &error))?;
    Ok(Sourced { token, described: token_source::describe(&source) })
}

fn choose(args: &TokenArgs) -> Result<TokenSource, CliError> {
    if let Some(name) = &args.env {
        return Ok(TokenSource::Env(name.clone()));
    }
    if let Some(argv) = &args.command {
        return Ok(TokenSource::Command(argv.clone()));
    }
    if args.github_actions {
        return Ok(TokenSource::GithubActions);
    }
    match &args.file {
        Some(path) if path != Path::new("-") => Ok(TokenSource::File(path.clone())),
        None if std::io::stdin().is_terminal() => Err(CliError::new("no token given")
            .with_hint("name its file (`trustline token FILE`), a variable (`--env VAR`) or a program (`--command PROGRAM ARG…`),")
            .with_hint("or pipe it in (`… | trustline token`)")),
        _ => Ok(TokenSource::Stdin),
    }
}

fn refusal(source: &TokenSource, error: &TokenSourceError) -> CliError {
    let message = CliError::new(error.to_string());
    match source {
        // A variable's value where its name belongs may be a token of another form; its name then says nothing.
        TokenSource::Env(name) if looks_like_jwt(name) || name.len() > 256 => {
            CliError::new("--env takes the name of a variable, not its value")
        }
        TokenSource::File(path) if path.as_os_str().len() > 4096 => {
            CliError::new("the argument is too long for a file's name; a token itself belongs into a file or a pipe")
        }
        _ => message,
    }
}
