//! `trustline completions` and `trustline man`: derived from the arguments themselves.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use super::exit::CliError;
use super::exit::Exit;
use super::{Cli, manual, terminal};
use crate::private_file;

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

/// Arguments of `trustline man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the page of every command to this folder, instead of printing the program's own
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, CliError> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = &args.folder else { return print(&page(&program, "")?) };
    let refuse = |error: std::io::Error| CliError::new(format!("{}: {error}", folder.display()));
    private_file::create_folder(folder).map_err(refuse)?;
    let mut commands = vec![(&program, String::new())];
    while let Some((command, words)) = commands.pop() {
        let path = folder.join(Man::new(command.clone()).get_filename());
        private_file::replace(&path, &page(command, &words)?).map_err(refuse)?;
        let below = command.get_subcommands().filter(|command| !command.is_hide_set());
        commands.extend(below.map(|below| (below, format!("{words} {}", below.get_name()).trim_start().to_owned())));
    }
    Ok(Exit::Passed)
}

/// The page of the command that these words call, behind the program's name.
fn page(command: &Command, words: &str) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).source(concat!("trustline ", env!("CARGO_PKG_VERSION")));
    let mut own = Roff::default();
    manual::sections(command, words).iter().for_each(|section| section.write_roff(&mut own));
    man.render(&mut page)
        .and_then(|()| own.to_writer(&mut page))
        .map_err(|e| CliError::new(format!("the man page could not be made: {e}")))?;
    Ok(page)
}

fn print(bytes: &[u8]) -> Result<Exit, CliError> {
    let mut stdout = std::io::stdout().lock();
    terminal::written(stdout.write_all(bytes).and_then(|()| stdout.flush()))?;
    Ok(Exit::Passed)
}
