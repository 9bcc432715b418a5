//! `trustline fix`: runs the checks and prints the root cause's fix as one script, nothing else.

use std::io::IsTerminal as _;

use clap::Args;

use super::check::{self, Expected, RunArgs};
use super::exit::CliError;
use super::exit::Exit;
use super::flags::OutputArgs;
use super::terminal;
use crate::cause::{Certainty, Finding, Undecided};
use crate::domain::text::visible_lines;
use crate::report::finding::addressed;
use crate::report::finding::{Answer, answer, diff};

/// What stands on standard output where there is no script, so that `trustline fix | sh` fails.
const NOTHING: &str = "# There is no script to run; standard error says why.\nexit 1\n";

/// Arguments of `trustline fix`.
#[derive(Debug, Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Show what the script changes instead, as a unified diff of each document
    #[arg(long, conflicts_with = "undo")]
    diff: bool,
    /// Print the script that takes it back instead
    #[arg(long)]
    undo: bool,
}

pub(super) fn run(args: &FixArgs) -> Result<Exit, CliError> {
    let check::Ended { report, signal, .. } = check::report(&args.run, Expected::Access, &OutputArgs::default())?;
    if let Some(signal) = signal {
        return Ok(signal);
    }
    match answer(&report) {
        Answer::Script(root, _) | Answer::Words(root) if root.certainty != Certainty::Proven => {
            say(root, "");
            if let Some(open) = &report.undecided {
                undecided(open);
            }
            without(Exit::Inconclusive, "That is not proven; `trustline check` shows what would fix it.")
        }
        Answer::Script(root, fix) => {
            let text = match (args.diff, args.undo) {
                (true, _) => Some(diff(fix)),
                (false, true) => fix.undo.clone(),
                (false, false) => fix.command.clone(),
            };
            let Some(text) = text else {
                return without(Exit::Failed, &format!("{}: this fix has no way back", root.cause));
            };
            say(root, &fix.text);
            if cfg!(windows) && !args.diff {
                terminal::note("This is a script for sh: run it in Git Bash or WSL.");
            }
            print(&text)?;
            Ok(Exit::Passed)
        }
        Answer::Words(root) => {
            say(root, &root.fixes.first().map(addressed).unwrap_or_default());
            without(Exit::Failed, "There is no script for this cause.")
        }
        Answer::Undecided(open) => {
            undecided(open);
            without(Exit::Inconclusive, "No cause is proven.")
        }
        Answer::Nothing => without(Exit::Inconclusive, "Nothing was found that a script would fix."),
    }
}

/// The cause and what to do, on standard error.
fn say(root: &Finding, what: &str) {
    terminal::note(&visible_lines(&format!("{}: {}", root.cause, root.summary)));
    if !what.is_empty() {
        terminal::note(&visible_lines(what));
    }
}

/// What was refused, and the command that decides between what is left, on standard error.
fn undecided(open: &Undecided) {
    terminal::note(&visible_lines(&format!("undecided: {}", open.refused)));
    terminal::note(&visible_lines(&format!("{}: {}", open.decide.text, open.decide.command)));
}

/// Prints what no shell takes for success, and ends so.
fn without(exit: Exit, why: &str) -> Result<Exit, CliError> {
    terminal::note(why);
    terminal::print(NOTHING)?;
    Ok(exit)
}

/// A terminal gets what it can show; a pipe gets the script byte for byte.
fn print(text: &str) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() { terminal::print(&visible_lines(text)) } else { terminal::print(text) }
}
