//! What a CI is given: annotations and the summary of GitHub's job, and SARIF for its code scanning.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::exit::{CliError, Flaw};
use super::flags::OutputFormat;
use super::terminal;
use crate::probe::regular_file;
use crate::report::ci::{Alerts, Place, Refused, Source, github, sarif};
use crate::report::context::RenderContext;
use crate::report::markdown;
use crate::report::page::Page;

/// GitHub's runner names a file in it that it shows as the job's summary
/// (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary>).
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The most of a file that lines are looked for in, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Annotations for standard output. The page goes to the job's summary, where there is one.
pub(super) fn annotated(alerts: &Alerts, page: impl FnOnce(RenderContext) -> Page) -> String {
    if let Some(path) = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let text = markdown::render(&page(markdown::CONTEXT));
        let appended =
            OpenOptions::new().append(true).create(true).open(&path).and_then(|mut file| writeln!(file, "{text}"));
        if let Err(error) = appended {
            terminal::note(&format!("trustline: the job's summary was not written to {}: {error}", path.display()));
        }
    }
    github(alerts)
}

/// The log for code scanning.
pub(super) fn scanned(alerts: &Alerts) -> String {
    terminal::json_text(&sarif(alerts))
}

/// Tells a CI, where it asked for that, why a command could not do its work, at the lines that are wrong; the error goes on to
/// whoever ends the program.
pub(super) fn refused(output: OutputFormat, error: CliError) -> CliError {
    let render: fn(&Alerts) -> String = match output {
        OutputFormat::Github => github,
        OutputFormat::Sarif => scanned,
        OutputFormat::Text | OutputFormat::Json | OutputFormat::Junit | OutputFormat::Markdown => return error,
    };
    let at = |flaw: &Flaw| Place { file: in_workspace(&flaw.file), line: flaw.line };
    let mut refused: Vec<Refused> =
        error.flaws.iter().map(|flaw| Refused { message: flaw.message.clone(), place: Some(at(flaw)) }).collect();
    if refused.is_empty() {
        let message = std::iter::once(&error.message).chain(&error.hints).cloned().collect::<Vec<_>>().join("; ");
        refused.push(Refused { message, place: None });
    }
    // The error itself is told on standard error, whatever becomes of this.
    let _ = terminal::print(&render(&Alerts { refused, ..Alerts::default() }));
    error
}

/// A path as a CI knows its files: from the folder that it works in.
fn in_workspace(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(&here).unwrap_or(file).display().to_string()
}

/// A file with its text, for the lines that alerts point at. Standard input has none, nor has what cannot be read twice.
pub(super) struct SourceFile {
    file: String,
    text: String,
}

impl SourceFile {
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = regular_file::open(path).ok()?;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        Some(SourceFile { file: path.to_str()?.to_owned(), text })
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source { file: &self.file, text: &self.text }
    }
}
