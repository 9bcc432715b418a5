//! `trustline replay`: prints the report of a recorded run.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;

use super::args::{OutputArgs, OutputFormat};
use super::{CliError, Exit, terminal};
use crate::output::{json, junit, markdown, text};
use crate::run::record;
use crate::run::report::Report;

/// Arguments of `trustline replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &ReplayArgs) -> Result<Exit, CliError> {
    let name = args.file.display();
    let file = File::open(&args.file).map_err(|e| CliError::new(format!("{name}: {e}")))?;
    let recording = record::read(BufReader::new(file)).map_err(|e| CliError::new(format!("{name}: {e}")))?;
    let report = Report::of(&recording.events);
    terminal::print(&match args.output.output {
        OutputFormat::Text => text::report(&report, terminal::paint(&args.output)),
        OutputFormat::Json => format!("{:#}\n", json::report(&report)),
        OutputFormat::Junit => junit::report(&report),
        OutputFormat::Markdown => markdown::report(&report),
    });
    Ok(Exit::Passed)
}
