//! What a CI is given: annotations and the summary of GitHub's job, and SARIF for its code scanning.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::terminal;
use crate::probe::regular_file;
use crate::report::ci::{Alerts, Source, github, sarif};
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
