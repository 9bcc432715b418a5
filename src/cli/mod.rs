//! The command line: a module for each subcommand, and what several share. Arguments in, exit status out.

mod args;
mod audit;
mod check;
mod clients;
mod consent;
mod console;
mod data;
mod events;
mod exit;
mod explain;
mod fix;
mod flags;
mod guard;
mod guide;
mod issuer;
mod lab;
mod lab_folder;
mod manual;
mod network;
mod operator;
mod profile;
mod profile_file;
mod render;
mod replay;
mod rotate;
mod rotation_files;
mod settings;
mod terminal;
mod token;
mod trust;

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

pub use args::Cli;
use args::CliCommand;
pub use exit::{CliError, Exit};

/// Runs the program: parses the arguments, does the work, reports, and yields the exit status.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| terminal::report_panic(panic.location())));
    terminal::keep_memory_private();
    terminal::outlive_file_limit();
    if let Err(error) = guard::refuse_secrets(std::env::args_os().skip(1)) {
        terminal::report_error(&error);
        return ExitCode::from(Exit::Usage as u8);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let error = if error.kind() == ErrorKind::DisplayHelp { with_manual(error) } else { error };
            // Help and the version are asked for, and come on standard output; mistakes on standard error.
            let printed = terminal::written(error.print().and_then(|()| std::io::stdout().flush()));
            if error.use_stderr() {
                return ExitCode::from(Exit::Usage as u8);
            }
            return ended(printed.map(|()| Exit::Passed));
        }
    };
    let result = match &cli.command {
        None => console::run(&cli.console),
        Some(CliCommand::Check(args)) => check::run(args),
        Some(CliCommand::Fix(args)) => fix::run(args),
        Some(CliCommand::Token(args)) => token::run(args),
        Some(CliCommand::Issuer(args)) => issuer::run(args),
        Some(CliCommand::Rotate(args)) => rotate::run(args),
        Some(CliCommand::Trust(args)) => trust::run(args),
        Some(CliCommand::Audit(args)) => audit::run(args),
        Some(CliCommand::Explain(args)) => explain::run(args),
        Some(CliCommand::Events(args)) => events::run(args),
        Some(CliCommand::Clients(args)) => clients::run(args),
        Some(CliCommand::Guide(args)) => guide::run(args),
        Some(CliCommand::Render(args)) => render::run(args),
        Some(CliCommand::Profile(args)) => profile::run(args),
        Some(CliCommand::Data(args)) => data::run(args),
        Some(CliCommand::Lab(args)) => lab::run(args),
        Some(CliCommand::Replay(args)) => replay::run(args),
        Some(CliCommand::Completions(args)) => manual::completions(args, Cli::command()),
        Some(CliCommand::Man(args)) => manual::man(args, Cli::command()),
    };
    ended(result)
}

/// The help that was asked for, with what else there is to know. Only made where it is asked for.
fn with_manual(error: clap::Error) -> clap::Error {
    manual::in_long_help(Cli::command()).try_get_matches().err().unwrap_or(error)
}

fn ended(result: Result<Exit, CliError>) -> ExitCode {
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            terminal::report_error(&error);
            ExitCode::from(Exit::Usage as u8)
        }
    }
}
