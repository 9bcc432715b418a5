//! `trustline token`: decodes a token, checks its signature, times and claims, and says what is wrong with it.

mod arguments;
mod document;
mod examine;
mod keys;
mod source;

use super::exit::CliError;
use super::exit::Exit;
use super::flags::OutputFormat;
use super::terminal;
use crate::report::token::page;

pub(super) use arguments::TokenArgs;

pub(super) fn run(args: &TokenArgs) -> Result<Exit, CliError> {
    let sourced = source::read(args)?;
    let seen = examine::examine(args, &sourced)?;
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&document::render(&seen)),
        _ => terminal::rendered(&args.output, |ctx| page(&seen, ctx)),
    })?;
    Ok(Exit::of(seen.verdict()))
}
