//! What the commands know of the terminal: where to print, and whether to colour.

use std::io::{IsTerminal as _, Write as _};

use super::CliError;
use super::args::ColorChoice;
use crate::domain::text;

/// Prints an error and its hints to standard error.
pub(super) fn report_error(error: &CliError) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "trustline: {}", text::visible_lines(&error.message));
    for hint in &error.hints {
        let _ = writeln!(stderr, "  {}", text::visible_lines(hint));
    }
}

/// Whether standard output gets colours: as chosen, else on a terminal that may have them
/// (<https://no-color.org>).
pub(super) fn wants_color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
                && std::io::stdout().is_terminal()
        }
    }
}
