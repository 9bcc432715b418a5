//! `trustline profile`: make, list, show and find profiles.

mod create;
mod import;
mod set;
mod show;

use clap::{Args, Subcommand};

use self::create::NewArgs;
use self::import::ImportArgs;
use self::set::SetArgs;
use self::show::{ListArgs, ShowArgs};
use super::args::OutputFormat;
use super::{CliError, Exit, settings, terminal};

/// Arguments of `trustline profile`.
#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Make a profile; asks for what is missing, on a terminal
    New(NewArgs),
    /// Fill values from a role's ARN, a trust policy, an answer of aws or az, or a token
    Import(ImportArgs),
    /// Change values; prints the command that puts the old ones back
    Set(SetArgs),
    /// List the profiles, and say which hold mistakes
    List(ListArgs),
    /// Print the values in effect, each with where it came from
    Show(ShowArgs),
    /// Print the profiles' folder, or the file of one, whether or not it exists
    Path {
        /// Name of the profile
        name: Option<String>,
    },
}

pub(super) fn run(args: &ProfileArgs) -> Result<Exit, CliError> {
    match &args.command {
        ProfileCommand::New(args) => create::run(args),
        ProfileCommand::Import(args) => import::run(args),
        ProfileCommand::Set(args) => set::run(args),
        ProfileCommand::List(args) => show::list(args),
        ProfileCommand::Show(args) => show::show(args),
        ProfileCommand::Path { name } => {
            let path = name.as_ref().map_or_else(settings::folder, |name| settings::file_of(name))?;
            print(&format!("{}\n", path.display()))
        }
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<Exit, CliError> {
    terminal::print(text)?;
    Ok(Exit::Passed)
}

enum Form {
    Text,
    Json,
}

impl Form {
    fn of(output: OutputFormat) -> Form {
        if output == OutputFormat::Json { Form::Json } else { Form::Text }
    }
}
