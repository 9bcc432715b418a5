//! `trustline completions` and `trustline man`: derived from the arguments themselves.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};

use super::{Cli, CliError, Exit, terminal};

/// Arguments of `trustline completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell to complete for
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trustline", &mut script);
    print(&script)
}

pub(super) fn man() -> Result<Exit, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|e| CliError::new(format!("the man page could not be made: {e}")))?;
    print(&page)
}

fn print(bytes: &[u8]) -> Result<Exit, CliError> {
    let mut stdout = std::io::stdout().lock();
    terminal::written(stdout.write_all(bytes).and_then(|()| stdout.flush()))?;
    Ok(Exit::Passed)
}
