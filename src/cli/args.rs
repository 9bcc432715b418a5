//! The arguments: the subcommands. Only the chosen one's are built, since building all of them is most of what a short command does.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, CommandFactory as _, Error, FromArgMatches, Parser, Subcommand};

use super::exit::{CliError, Exit};
use super::{
    audit, check, clients, config, data, events, explain, fix, guide, issuer, lab, manual, mcp, profile, render,
    replay, rotate, token, trust,
};

/// Finds out where workload identity federation breaks, and proves it.
#[derive(Debug, Parser)]
#[command(name = NAME, version, about, max_term_width = WIDEST, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub(super) console: super::console::ConsoleArgs,
    #[command(subcommand)]
    pub(super) command: Option<CliCommand>,
}

/// What was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Console(Box<super::console::ConsoleArgs>),
    Command(CliCommand),
}

/// Reads the arguments. The console's own, which go with no subcommand, are not built for one. The tree that describes them
/// stays until the process ends, which is sooner than taking it down.
pub(super) fn parse() -> Result<Asked, Error> {
    let first = std::env::args_os().nth(1);
    let is_command = first.is_some_and(|first| first.to_str().is_some_and(CliCommand::has_subcommand));
    let mut program = if is_command { CliCommand::augment_subcommands(of_commands()) } else { Cli::command() };
    let asked = program.try_get_matches_from_mut(std::env::args_os()).and_then(|mut matches| {
        if is_command {
            return CliCommand::from_arg_matches(&matches).map(Asked::Command);
        }
        let Cli { console, command } = Cli::from_arg_matches_mut(&mut matches)?;
        Ok(command.map_or(Asked::Console(Box::new(console)), Asked::Command))
    });
    let asked = asked.map_err(|error| error.format(&mut program));
    std::mem::forget(program);
    asked
}

/// The program with its subcommands alone.
fn of_commands() -> Command {
    Command::new(NAME).version(env!("CARGO_PKG_VERSION")).max_term_width(WIDEST)
}

const NAME: &str = "trustline";
/// Columns of the widest help.
const WIDEST: usize = 100;

/// The subcommands: what each is for, its name, its arguments, and what it does.
macro_rules! commands {
    ($($about:literal $id:literal $name:ident($arguments:ty) => $run:expr,)*) => {
        #[derive(Debug)]
        pub(super) enum CliCommand {
            $($name(Box<$arguments>),)*
        }

        impl CliCommand {
            /// Does it, and yields the exit status.
            pub(super) fn run(&self) -> Result<Exit, CliError> {
                match self {
                    $(CliCommand::$name(arguments) => ($run)(arguments),)*
                }
            }
        }

        impl Subcommand for CliCommand {
            fn augment_subcommands(program: Command) -> Command {
                program$(.subcommand(deferred::<$arguments>($id, $about)))*
            }

            fn augment_subcommands_for_update(program: Command) -> Command {
                Self::augment_subcommands(program)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($id),*].contains(&name)
            }
        }

        impl FromArgMatches for CliCommand {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                match matches.subcommand() {
                    $(Some(($id, own)) => <$arguments>::from_arg_matches(own).map(Box::new).map(CliCommand::$name),)*
                    _ => Err(Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

commands! {
    "Run every applicable check once and report"
    "check" Check(check::CheckArgs) => check::run,
    "Run the checks and print the root cause's fix as one script, nothing else"
    "fix" Fix(fix::FixArgs) => fix::run,
    "Decode and verify a token"
    "token" Token(token::TokenArgs) => token::run,
    "Probe an issuer: discovery, keys, TLS chain, thumbprint, timings"
    "issuer" Issuer(issuer::IssuerArgs) => issuer::run,
    "Offline: would this trust accept this token?"
    "trust" Trust(trust::TrustArgs) => trust::run,
    "Every federated trust of a fleet: who gets in, what they reach, what is dead"
    "audit" Audit(audit::AuditArgs) => audit::run,
    "Name the causes behind an error text"
    "explain" Explain(explain::ExplainArgs) => explain::run,
    "Name why exchanges were refused that a cloud's own log tells of"
    "events" Events(events::EventsArgs) => events::run,
    "Say what client libraries and tools do with a web identity, and what they would take here"
    "clients" Clients(clients::ClientsArgs) => clients::run,
    "Rotate a secret, and prove that the running automation has the new value"
    "rotate" Rotate(rotate::RotateArgs) => rotate::run,
    "Print the setup guides, a guide or a step, with the profile's values filled in"
    "guide" Guide(guide::GuideArgs) => guide::run,
    "Print one artifact of a guide: a policy, a command, a job, Terraform"
    "render" Render(render::RenderArgs) => render::run,
    "Profiles: what is wired to what"
    "profile" Profile(profile::ProfileArgs) => profile::run,
    "List what is kept on this disk, or remove it"
    "data" Data(data::DataArgs) => data::run,
    "The settings in force, and where each is from"
    "config" Config(config::ConfigArgs) => config::run,
    "Run the embedded cloud on loopback in the foreground"
    "lab" Lab(lab::LabArgs) => lab::run,
    "Serve read-only tools to agents, over standard input and output (Model Context Protocol)"
    "mcp" Mcp(mcp::McpArgs) => mcp::run,
    "Open a recorded run in the console, read-only, or print it"
    "replay" Replay(replay::ReplayArgs) => replay::run,
    "Print a shell's completion script"
    "completions" Completions(manual::CompletionsArgs) => |args| manual::completions(args, Cli::command()),
    "Print the man page, or write one for every command"
    "man" Man(manual::ManArgs) => |args| manual::man(args, Cli::command()),
}

/// A subcommand whose arguments are built when it is the one, or when all are to be told of.
fn deferred<A: Args>(id: &'static str, about: &'static str) -> Command {
    Command::new(id).about(about).defer(|command| {
        // What the arguments' own type says of itself is for whoever reads the code.
        let about = command.get_about().cloned().unwrap_or_default();
        A::augment_args(command).about(about).long_about(None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_subcommand_reads_the_same_without_the_consoles_own_arguments() {
        for arguments in [
            "token --bogus",
            "check --only",
            "check --output xml",
            "trust",
            "profile nonsense",
            "lab --list --profile x",
            "explain --help",
            "issuer --version",
            "help token",
        ] {
            let told = |program: Command| {
                let mut program = CliCommand::augment_subcommands(program);
                let asked = program.try_get_matches_from_mut([NAME].into_iter().chain(arguments.split(' ')));
                asked.map_err(|error| error.format(&mut program).to_string()).map(drop)
            };
            let whole = Cli::command().try_get_matches_from([NAME].into_iter().chain(arguments.split(' ')));
            assert_eq!(told(of_commands()), whole.map_err(|error| error.to_string()).map(drop), "{arguments}");
        }
    }
}
