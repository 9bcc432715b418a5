//! `render … --admit … --refuse …`: the lists of a least trust, as subjects on the command line or out of files.

use std::io::Read as _;
use std::path::Path;

use clap::Args;

use crate::cli::exit::CliError;
use crate::cli::trust::input::is_stdin;
use crate::domain::least_trust::{Listed, NoTrust, Side, read};
use crate::domain::text::visible;
use crate::probe::regular_file;

/// More than any list that makes a trust which a cloud takes; a log is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Arguments that say who must get in, and who must not.
#[derive(Debug, Default, Args)]
pub(super) struct AdmitArgs {
    /// Make the least trust that lets this subject in, or those of a file: a line each, a JSON list, or what `trustline events
    /// --output json` printed, of which those that were granted count; may be given again
    #[arg(long, value_name = "SUBJECT|FILE", requires = "artifact")]
    admit: Vec<String>,
    /// Keep this subject out of it, or those of a file; of events those that were refused count; may be given again
    #[arg(long, value_name = "SUBJECT|FILE", requires = "admit")]
    refuse: Vec<String>,
}

impl AdmitArgs {
    /// Whether a list was given at all.
    pub(super) fn is_given(&self) -> bool {
        !self.admit.is_empty()
    }

    /// Both lists.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no list.
    pub(super) fn lists(&self) -> Result<(Vec<Listed>, Vec<Listed>), CliError> {
        let all = |values: &[String], side| -> Result<Vec<Listed>, CliError> {
            let lists = values.iter().map(|value| listed(value, side)).collect::<Result<Vec<_>, CliError>>()?;
            Ok(lists.concat())
        };
        Ok((all(&self.admit, Side::Admit)?, all(&self.refuse, Side::Refuse)?))
    }
}

fn listed(value: &str, side: Side) -> Result<Vec<Listed>, CliError> {
    let path = Path::new(value);
    let refused = |why: String| CliError::new(format!("{}: {why}", visible(value)));
    if is_stdin(path) || path.is_file() {
        return read(&text_of(path).map_err(refused)?, side).map_err(refused);
    }
    if names_a_file(path) {
        return Err(CliError::new(format!("{}: there is no such file", visible(value)))
            .with_hint("a subject is written as tokens carry it in `sub`"));
    }
    if value.trim().is_empty() {
        return Err(CliError::new("an empty text is no subject"));
    }
    Ok(vec![Listed::written(value)])
}

fn text_of(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = match is_stdin(path) {
        true => std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text),
        false => regular_file::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)),
    };
    match read {
        Ok(_) if text.len() as u64 > LONGEST => Err("longer than 64 MiB".to_owned()),
        Ok(_) => Ok(text),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// Whether a value that is no file was meant for one: taken for a subject it would let in who has that name.
fn names_a_file(path: &Path) -> bool {
    let is_list =
        path.extension().is_some_and(|kind| ["json", "txt", "csv", "ndjson"].iter().any(|known| kind == *known));
    is_list || path.is_absolute() || path.starts_with("./") || path.starts_with("../") || path.starts_with("~")
}

/// Why no trust is made, with what to do about it.
pub(super) fn refusal(error: &NoTrust) -> CliError {
    let hint = match error {
        NoTrust::Nobody { .. } => "name who must get in: --admit SUBJECT, or --admit FILE",
        NoTrust::Contradiction { .. } => "take it off one of the lists, or refuse less by the pattern",
        NoTrust::TooWide { .. } => "--refuse keeps a subject out, not everybody whom a pattern lets in",
        NoTrust::NotSaid { .. } | NoTrust::TooLarge { .. } => {
            "`trustline trust` shows what a trust of your own lets in"
        }
        NoTrust::NotAdmitted { .. } | NoTrust::Admitted { .. } => "nothing is printed that is not proven",
    };
    CliError::new(visible(&error.to_string()).into_owned()).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_subject_unless_it_is_a_file_or_was_meant_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("who");
        std::fs::write(&file, "a\nb\n").unwrap();
        assert_eq!(listed(file.to_str().unwrap(), Side::Admit).unwrap().len(), 2);
        for subject in
            ["organization:a", "repo:o/r:ref:refs/heads/v1.json-x", "project_path:a/b:ref_type:branch:ref:main"]
        {
            assert_eq!(listed(subject, Side::Admit).unwrap(), [Listed::written(subject)]);
        }
        for missing in ["subjects.txt", "./who", "/no/such/list", "events.json", " "] {
            assert!(listed(missing, Side::Refuse).is_err(), "{missing}");
        }
    }
}
