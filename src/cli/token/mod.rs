//! `trustline token`: decodes a token, checks its signature, times and claims, and says what is wrong with it.

mod arguments;
mod document;
mod examine;
mod keys;
mod source;
mod text;

use std::io::Write as _;

use super::args::OutputFormat;
use super::{CliError, Exit, terminal};
use crate::output::paint::{Glyphs, Ink, Paint};

pub(super) use arguments::{TokenArgs, refuse_tokens};

pub(super) fn run(args: &TokenArgs) -> Result<Exit, CliError> {
    args.validate()?;
    let sourced = source::read(args)?;
    let seen = examine::examine(args, &sourced)?;
    let printed = match args.output.output {
        OutputFormat::Text => {
            let ink = if terminal::wants_color(args.output.color) { Ink::Colour } else { Ink::Plain };
            text::render(&seen, Paint { ink, glyphs: Glyphs::Unicode })
        }
        _ => format!("{:#}\n", document::render(&seen)),
    };
    let mut stdout = std::io::stdout().lock();
    // A reader that went away has seen what it wanted.
    let _ = stdout.write_all(printed.as_bytes()).and_then(|()| stdout.flush());
    Ok(seen.exit())
}
