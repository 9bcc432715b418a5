//! Questions to whoever sits at the terminal, also where standard input is something else.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use zeroize::Zeroizing;

use crate::cli::exit::CliError;
use crate::domain::text::visible;
use crate::probe::new_value::LARGEST;

fn terminal() -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Refuses where nobody sits at a terminal.
pub(super) fn needs_terminal() -> Result<(), CliError> {
    match terminal() {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(CliError::new("a new value is written only after a confirmation at the terminal, and there is none")
                .with_hint("where that is meant, as in a job, add --yes"))
        }
    }
}

/// Shows the lines, and yields what is typed, without its line end.
pub(super) fn answer(lines: &[String]) -> Result<String, CliError> {
    let mut terminal = terminal().map_err(failed)?;
    for line in lines {
        writeln!(terminal, "{}", visible(line)).map_err(failed)?;
    }
    write!(terminal, "> ").and_then(|()| terminal.flush()).map_err(failed)?;
    let mut typed = String::new();
    BufReader::new(terminal.take(4096)).read_line(&mut typed).map_err(failed)?;
    Ok(typed.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a value that is not shown while it is typed.
pub(super) fn hidden(prompt: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut terminal = terminal().map_err(failed)?;
    // Before the question stands there, so that nothing that answers it is echoed.
    enable_raw_mode().map_err(failed)?;
    let asked = write!(terminal, "{prompt}").and_then(|()| terminal.flush()).map_err(failed);
    let typed = asked.and_then(|()| typed(&mut terminal));
    let _ = disable_raw_mode();
    let _ = writeln!(terminal);
    typed
}

fn typed(terminal: &mut File) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut typed = Zeroizing::new(Vec::with_capacity(LARGEST + 2));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while typed.len() <= LARGEST && terminal.read(byte.as_mut()).map_err(failed)? == 1 {
        match byte[0] {
            b'\r' | b'\n' => return Ok(typed),
            3 | 4 => return Err(CliError::new("nothing was written: the value was not given")),
            8 | 127 => {
                // A whole character, not only its last byte.
                while typed.pop().is_some_and(|gone| gone & 0xC0 == 0x80) {}
            }
            other => typed.push(other),
        }
    }
    Ok(typed)
}

fn failed(error: std::io::Error) -> CliError {
    CliError::new(format!("the terminal cannot be asked: {error}"))
}
