//! A profile opened by its path may come from anybody: what it would run, and whom it would send a token or key, is asked
//! first on a terminal, and refused without one unless a flag allows it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::CliError;
use super::args::ProfileSelector;
use crate::domain::profile::reach::{Reach, reaches};
use crate::domain::profile::setting::Setting;
use crate::domain::text::visible;

/// What of a profile nobody has allowed yet. One's own profiles, named and not opened by a path, are allowed.
pub(super) fn open_questions(selector: &ProfileSelector, settings: &[Setting]) -> Vec<Reach> {
    if selector.profile_file.is_none() {
        return Vec::new();
    }
    let allowed = |reach: &Reach| {
        selector.agreed.contains(reach)
            || match reach {
                Reach::Runs(_) => selector.allow_command,
                Reach::SendsTo { host, .. } => selector.allow_host.iter().any(|own| own.eq_ignore_ascii_case(host)),
            }
    };
    reaches(settings).into_iter().filter(|reach| !allowed(reach)).collect()
}

/// Asks on a terminal.
///
/// # Errors
/// There is no terminal, or the answer is not yes.
pub(super) fn ask(open: &[Reach]) -> Result<(), CliError> {
    if open.is_empty() {
        return Ok(());
    }
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !(stdin.is_terminal() && stderr.is_terminal()) {
        return Err(refusal(open));
    }
    let failed = |error: std::io::Error| CliError::new(format!("the question could not be asked: {error}"));
    let lines: String = open.iter().map(|reach| format!("  {}\n", words(reach))).collect();
    write!(stderr, "This profile, opened by its path, would\n{lines}Type yes to let it: ").map_err(failed)?;
    stderr.flush().map_err(failed)?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(failed)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(CliError::new("not allowed; nothing was run or sent")) }
}

/// The error that names all of it, and the flags that allow it.
pub(super) fn refusal(open: &[Reach]) -> CliError {
    let first = "a profile opened by its path may not do this unasked:";
    open.iter().fold(CliError::new(first), |error, reach| {
        let flag = match reach {
            Reach::Runs(_) => "--allow-command".to_owned(),
            Reach::SendsTo { host, .. } => format!("--allow-host {}", visible(host)),
        };
        error.with_hint(format!("{}; {flag} lets it", words(reach)))
    })
}

fn words(reach: &Reach) -> String {
    match reach {
        Reach::Runs(program) => {
            let program: Vec<String> = program.iter().map(|word| format!("{:?}", visible(word))).collect();
            format!("run the program {}", program.join(" "))
        }
        Reach::SendsTo { host, key } => format!("send a token or key to {} ({})", visible(host), key.path()),
    }
}
