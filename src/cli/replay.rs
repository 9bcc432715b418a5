//! `trustline replay`: opens a recorded run in the console, or prints its report.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::LookArgs;
use super::exit::{CliError, Exit};
use super::flags::{ColorChoice, OutputArgs, OutputFormat};
use super::{check, console, terminal};
use crate::probe::regular_file;
use crate::report::run::page;
use crate::report::{json, junit};
use crate::run::record;
use crate::run::record::Recorder;
use crate::run::report::Report;
use crate::{private_file, tui};

/// Arguments of `trustline replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Form of the report; on a terminal and without this, the console opens
    #[arg(long, value_enum, value_name = "FORM")]
    output: Option<OutputFormat>,
    /// When to colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
    /// End with status 4 where the run had warnings; the status is the recorded run's
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    look: LookArgs,
}

pub(super) fn run(args: &ReplayArgs) -> Result<Exit, CliError> {
    let name = args.file.display();
    let file = regular_file::open(&args.file).map_err(|e| CliError::new(format!("{name}: {e}")))?;
    let recording = record::read(BufReader::new(file)).map_err(|e| CliError::new(format!("{name}: {e}")))?;
    if args.output.is_none() && tui::obstacle().is_none() {
        return console::replay(name.to_string(), recording, &args.look);
    }
    let report = Report::of(&recording.events);
    let output = OutputArgs { output: args.output.unwrap_or_default(), color: args.color };
    terminal::print(&match output.output {
        OutputFormat::Json => terminal::json_text(&json::report(&report)),
        OutputFormat::Junit => junit::report(&report),
        OutputFormat::Text | OutputFormat::Markdown => terminal::rendered(&output, |ctx| page(&report, ctx)),
    })?;
    Ok(check::exit(&report, args.strict))
}

/// Begins a recording in a file that must not exist yet.
pub(super) fn begin(path: &Path) -> Result<Recorder<BufWriter<File>>, CliError> {
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::new(format!("--record {}: the file exists; name a new one", path.display()))
        }
        _ => CliError::new(format!("--record {}: {e}", path.display())),
    };
    let file = private_file::create(path).map_err(refused)?;
    Recorder::begin(BufWriter::new(file)).map_err(refused)
}
