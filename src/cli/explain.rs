//! `trustline explain`: an error text in, ranked causes out.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::args::{OutputArgs, OutputFormat};
use super::{CliError, Exit};
use crate::cause::explain::{self, Explanation, Parsed};
use crate::cause::{Finding, catalogue};
use crate::domain::text::{visible, visible_lines};

/// The longest text that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Arguments of `trustline explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The error text; standard input where none is named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    let text = read(args)?;
    let explanation = explain::explain(&text, None);
    let report = Report {
        schema: "trustline.explain/1",
        provider: explanation.provider.map(|p| p.id()),
        code: explanation.code.as_deref(),
        parsed: &explanation.parsed,
        causes: &explanation.causes,
        decide: &explanation.decide,
    };
    println!("{}", serde_json::to_string(&report).unwrap_or_default());
    Ok(if explanation.causes.is_empty() { Exit::Failed } else { Exit::Passed })
}

fn read(args: &ExplainArgs) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    match &args.file {
        None => std::io::stdin().take(LONGEST).read_to_end(&mut bytes).map_err(|e| CliError::new(e.to_string()))?,
        Some(p) => std::fs::File::open(p)
            .and_then(|f| f.take(LONGEST).read_to_end(&mut bytes))
            .map_err(|e| CliError::new(e.to_string()))?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `trustline.explain/1`.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    parsed: &'a Parsed,
    causes: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decide: &'a [String],
}
