//! A profile opened by its path may come from anybody: what it would run, which files and variables it would have sent,
//! and to whom, is asked first on a terminal, and refused without one unless a flag allows it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{self, Component, Path, PathBuf};

use super::exit::CliError;
use super::flags::ProfileSelector;
use crate::domain::profile::capability::{Capability, reaches};
use crate::domain::profile::setting::Setting;
use crate::domain::text::visible;
use crate::guide::form::shell::quote;

/// What of a profile nobody has allowed yet. One's own profiles, named and not opened by a path, are allowed.
pub(super) fn open_questions(selector: &ProfileSelector, settings: &[Setting]) -> Vec<Capability> {
    if selector.profile_file.is_none() {
        return Vec::new();
    }
    reaches(settings).into_iter().filter(|reach| !is_allowed(reach, selector)).collect()
}

fn is_allowed(reach: &Capability, selector: &ProfileSelector) -> bool {
    selector.agreed.contains(reach)
        || match reach {
            Capability::Runs(_) => selector.allow_command,
            Capability::ReadsFile { path, beside, .. } => {
                let path = resolved(path);
                path.starts_with(resolved(beside)) || selector.allow_file.iter().any(|own| resolved(own) == path)
            }
            Capability::ReadsVariable { name, .. } => selector.allow_env.contains(name),
            Capability::SendsTo { host, port, .. } => {
                let with_port = format!("{host}:{port}");
                selector
                    .allow_host
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(host) || own.eq_ignore_ascii_case(&with_port))
            }
        }
}

/// The path with its links followed; of one that is not there, as it is written.
fn resolved(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().unwrap_or_else(|_| {
        let mut plain = PathBuf::new();
        for part in path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                part => plain.push(part),
            }
        }
        plain
    })
}

/// Asks on a terminal.
///
/// # Errors
/// There is no terminal, or the answer is not yes.
pub(super) fn ask(open: &[Capability]) -> Result<(), CliError> {
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
pub(super) fn refusal(open: &[Capability]) -> CliError {
    let first = "a profile opened by its path may not do this unasked:";
    open.iter().fold(CliError::new(first), |error, reach| {
        let flag = match reach {
            Capability::Runs(_) => "--allow-command".to_owned(),
            Capability::ReadsFile { path, .. } => format!("--allow-file {}", quote(&visible(&path.to_string_lossy()))),
            Capability::ReadsVariable { name, .. } => format!("--allow-env {}", quote(&visible(name))),
            Capability::SendsTo { scheme, host, port, .. } => {
                format!("--allow-host {}", quote(&visible(&authority(scheme, host, *port))))
            }
        };
        error.with_hint(format!("{}; {flag} allows it", words(reach)))
    })
}

fn words(reach: &Capability) -> String {
    match reach {
        Capability::Runs(program) => {
            let program: Vec<String> = program.iter().map(|word| format!("{:?}", visible(word))).collect();
            format!("run the program {}", program.join(" "))
        }
        Capability::ReadsFile { path, key, .. } => {
            format!("send what is in {}, outside its own folder ({})", visible(&path.to_string_lossy()), key.path())
        }
        Capability::ReadsVariable { name, key } => format!("send the variable {} ({})", visible(name), key.path()),
        Capability::SendsTo { scheme, host, port, key } => {
            let wire = if scheme == "http" { " over plain http" } else { "" };
            format!("send a token or key to {}{wire} ({})", visible(&authority(scheme, host, *port)), key.path())
        }
    }
}

/// The host, with the port where that is not the scheme's own.
fn authority(scheme: &str, host: &str, port: u16) -> String {
    match (scheme, port) {
        ("https", 443) | ("http", 80) => host.to_owned(),
        _ => format!("{host}:{port}"),
    }
}
