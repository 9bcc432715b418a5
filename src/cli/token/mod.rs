//! `trustline token`: decodes a token, checks its signature, times and claims, and says what is wrong with it.

mod arguments;
mod document;
mod examine;
mod keys;
mod source;
mod text;

use super::args::OutputFormat;
use super::{CliError, Exit, terminal};

pub(super) use arguments::TokenArgs;

pub(super) fn run(args: &TokenArgs) -> Result<Exit, CliError> {
    let sourced = source::read(args)?;
    let seen = examine::examine(args, &sourced)?;
    let printed = match args.output.output {
        OutputFormat::Text => text::render(&seen, terminal::paint(&args.output)),
        _ => terminal::json_text(&document::render(&seen)),
    };
    terminal::print(&printed)?;
    Ok(seen.exit())
}
