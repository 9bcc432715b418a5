//! `trustline explain`: an error text in, ranked causes out.

mod text;

use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::args::{OutputArgs, OutputFormat, ProfileSelector};
use super::{CliError, Exit, settings, terminal};
use crate::cause::Finding;
use crate::cause::explain::{self, Explanation, Given, Parsed, RuledOut};
use crate::domain::token::{RawToken, decode};

/// The longest input that is read, in bytes. Of a longer text the beginning counts: the root comes first.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Arguments of `trustline explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The error text or log; standard input where none is named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The token that was refused
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    token: Option<PathBuf>,
    /// The claims of the token that was refused, as JSON
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Use the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// Use the profile in this file
    #[arg(long, value_name = "FILE")]
    profile_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    if matches!(args.output.output, OutputFormat::Junit | OutputFormat::Markdown) {
        return Err(CliError::new("`explain` prints text and json; write --output text or --output json"));
    }
    let claims = claims(args)?;
    let profile = match (&args.profile, &args.profile_file) {
        (None, None) => None,
        (profile, profile_file) => {
            let selector = ProfileSelector {
                profile: profile.clone(),
                profile_file: profile_file.clone(),
                ..ProfileSelector::default()
            };
            Some(settings::load(&selector)?.profile)
        }
    };
    let error_text = error_text(args)?;
    let given = Given { claims: claims.as_ref(), trust: None, profile: profile.as_ref() };
    let explanation = explain::explain(&error_text, &given);
    terminal::print(&match args.output.output {
        OutputFormat::Json => format!("{:#}\n", document(&explanation)),
        _ => text::render(&explanation, terminal::paint(&args.output)),
    });
    Ok(if explanation.causes.is_empty() { Exit::Failed } else { Exit::Passed })
}

fn claims(args: &ExplainArgs) -> Result<Option<Map<String, Value>>, CliError> {
    if let Some(path) = &args.token {
        let (token, _) = RawToken::clean(&file_text(path)?);
        return decode(&token).claims.map(Some).ok_or_else(|| {
            CliError::new(format!("{}: this token's claims cannot be read", path.display()))
                .with_hint("`trustline token` shows what is wrong with it")
        });
    }
    let Some(path) = &args.claims else { return Ok(None) };
    serde_json::from_str(&file_text(path)?).map(Some).map_err(|e| {
        CliError::new(format!("{}: not a JSON object of claims: {e}", path.display()))
            .with_hint("write the token's payload, such as {\"iss\": \"…\", \"sub\": \"…\", \"aud\": \"…\"}")
    })
}

fn error_text(args: &ExplainArgs) -> Result<String, CliError> {
    let text = match &args.file {
        Some(path) => file_text(path)?,
        None => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                terminal::note("Paste the error text and end it with Ctrl-D.");
            }
            read(stdin.lock()).map_err(|e| CliError::new(format!("standard input: {e}")))?
        }
    };
    if text.trim().is_empty() {
        return Err(CliError::new("there is no error text")
            .with_hint("name a file, or pipe the text in: trustline explain < error.txt"));
    }
    Ok(text)
}

fn file_text(path: &Path) -> Result<String, CliError> {
    File::open(path).and_then(read).map_err(|e| CliError::new(format!("{}: {e}", path.display())))
}

/// Reads text. Logs are cut and mixed, so what is not UTF-8 does not stop it.
fn read(input: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// `trustline.explain/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    parsed: &'a Parsed,
    causes: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ruled_out: &'a [RuledOut],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decide: &'a [String],
}

fn document(explanation: &Explanation) -> Value {
    serde_json::json!(Document {
        schema: "trustline.explain/1",
        provider: explanation.provider.map(explain::Provider::id),
        code: explanation.code.as_deref(),
        parsed: &explanation.parsed,
        causes: &explanation.causes,
        ruled_out: &explanation.ruled_out,
        decide: &explanation.decide,
    })
}
