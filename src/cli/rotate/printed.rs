//! What the automation printed, from a file or standard input.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::Sender;

use crate::cli::exit::CliError;
use crate::cli::terminal;
use crate::run::rotation::session::SessionCommand;

/// The largest text of a runtime's output that is read, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Whether a path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a text to its end; what is no UTF-8 in it is replaced.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let told = |error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    if is_stdin(path) {
        std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes).map_err(told)?;
    } else {
        // A pipe is fine here: the session goes on beside whoever waits for it.
        std::fs::File::open(path).map_err(told)?.take(LARGEST).read_to_end(&mut bytes).map_err(told)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a text beside a session that waits for it, and brings it there. Where it cannot be read the session is told to
/// wait no longer.
pub(super) fn bring(path: PathBuf, session: Sender<SessionCommand>) {
    if is_stdin(&path) && std::io::stdin().is_terminal() {
        terminal::note("Run the automation, paste what it printed, and press Enter and Ctrl-D.");
    }
    tokio::spawn(async move {
        let command = match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(Ok(text)) => SessionCommand::Text(text),
            Ok(Err(error)) => {
                terminal::note(&format!("what the automation printed cannot be read: {error}"));
                SessionCommand::Conclude
            }
            Err(_) => SessionCommand::Conclude,
        };
        let _ = session.send(command).await;
    });
}
