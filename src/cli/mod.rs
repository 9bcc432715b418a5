//! The command line: a module for each subcommand, and what several share. Arguments in, exit status out.

mod args;
mod audit;
mod check;
mod ci;
mod clients;
mod config;
mod consent;
mod console;
mod data;
mod events;
mod exit;
mod explain;
mod fix;
mod flags;
mod groups;
mod guard;
mod guide;
mod issuer;
mod lab;
mod lab_folder;
mod lab_google;
mod live;
mod look;
mod manual;
mod mcp;
mod network;
mod operator;
mod profile;
mod profile_file;
mod render;
mod replay;
mod rotate;
mod rotation_files;
mod settings;
mod telemetry;
mod terminal;
mod terraform;
mod token;
mod trust;

use std::io::Write as _;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use args::Asked;
pub use args::Cli;
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
    let asked = match args::parse() {
        Ok(asked) => asked,
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
    let result = match &asked {
        Asked::Console(arguments) => console::run(arguments),
        Asked::Command(command) => command.run(),
    };
    ended(result)
}

/// The help that was asked for, with what else there is to know. Only made where it is asked for.
fn with_manual(error: clap::Error) -> clap::Error {
    groups::grouped(manual::in_long_help(Cli::command())).try_get_matches().err().unwrap_or(error)
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
