//! `trustline replay`: opens a recorded run in the console, or prints its report; of a rotation it prints the report.

use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;

use super::exit::{CliError, Exit};
use super::flags::{ColorChoice, OutputArgs, OutputFormat};
use super::look::LookArgs;
use super::{check, console, rotate};
use crate::probe::regular_file;
use crate::run::record::{self, Recorded, Recording};
use crate::run::report::Report;
use crate::run::rotation::event::RotationEvent;
use crate::run::rotation::report::RotationReport;
use crate::tui;

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
    let recording = match recording {
        Recorded::Run(recording) => recording,
        Recorded::Rotation(recording) => return print_rotation(&recording, args),
    };
    if args.output.is_none() && (args.look.screen_reader || tui::obstacle().is_none()) {
        return console::replay(name.to_string(), recording, &args.look);
    }
    let report = Report::of(&recording.events);
    let output = OutputArgs { output: args.output.unwrap_or_default(), color: args.color };
    check::print(&report, &output, None)?;
    Ok(check::exit(&report, args.strict))
}

fn print_rotation(recording: &Recording<RotationEvent>, args: &ReplayArgs) -> Result<Exit, CliError> {
    let output = OutputArgs { output: args.output.unwrap_or_default(), color: args.color };
    if matches!(output.output, OutputFormat::Junit | OutputFormat::Github | OutputFormat::Sarif) {
        return Err(CliError::new("a rotation is printed as text, json or markdown"));
    }
    let mut report = RotationReport::default();
    recording.events.iter().for_each(|event| report.apply(event));
    rotate::print(&report, &output)?;
    Ok(rotate::exit(&report))
}
