//! `--evidence FILE`: the chain of records as JSON, and the same as Markdown beside it. Both are replaced as wholes under a
//! lock, so that a program that is killed leaves what was there, and two at a time do not lose each other's records.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::random;
use crate::cli::exit::CliError;
use crate::domain::rotation::evidence::Document;
use crate::domain::rotation::evidence::Record;
use crate::domain::rotation::evidence::check::{check, parse};
use crate::private_file;
use crate::report::rotation::evidence;

/// A record is a few KiB; anything past this is another file.
pub(in crate::cli) const LARGEST: u64 = 64 * 1024 * 1024;

/// A file of evidence.
#[derive(Clone, Debug)]
pub(in crate::cli) struct EvidenceFile {
    path: PathBuf,
}

impl EvidenceFile {
    /// Looks whether records can be added to the file, before anything is done that they would be about.
    ///
    /// # Errors
    /// It is something else, its chain is broken, or its folder cannot be written to.
    pub(in crate::cli) fn at(path: &Path) -> Result<Self, CliError> {
        let evidence = EvidenceFile { path: path.to_owned() };
        if evidence.markdown() == evidence.path {
            return Err(evidence
                .refusal("is the name for the Markdown beside the JSON")
                .with_hint("name the JSON file: `--evidence rotations.json` writes rotations.md beside it"));
        }
        let lock = evidence.lock()?;
        evidence.read()?;
        for path in [&evidence.path, &evidence.markdown()] {
            private_file::sweep(path).map_err(|error| evidence.refusal(&format!("its folder: {error}")))?;
        }
        let trial = tempfile::tempfile_in(evidence.folder()).map(drop);
        trial.map_err(|error| evidence.refusal(&format!("cannot be written: {error}")))?;
        drop(lock);
        Ok(evidence)
    }

    /// Adds records at the end.
    ///
    /// # Errors
    /// The file was broken meanwhile, or cannot be written; then it is as it was.
    pub(in crate::cli) fn append(&self, records: &[Record]) -> Result<(), CliError> {
        let _lock = self.lock()?;
        let mut document = match self.read()? {
            Some(document) => document,
            None => Document::new(random().map_err(|error| self.refusal(&error))?),
        };
        for record in records {
            document.append(record).map_err(|error| self.refusal(&error.to_string()))?;
        }
        let mut json = serde_json::to_string_pretty(&document).map_err(|error| self.refusal(&error.to_string()))?;
        json.push('\n');
        for (path, text) in [(&self.path, json), (&self.markdown(), evidence::markdown(&document))] {
            private_file::replace(path, text.as_bytes())
                .map_err(|error| CliError::new(format!("--evidence {}: {error}", path.display())))?;
        }
        Ok(())
    }

    /// The document that is there.
    fn read(&self) -> Result<Option<Document>, CliError> {
        let hint = "name another file, or find out who changed this one; it is left as it is";
        let Some(text) = read_text(&self.path).map_err(|what| self.refusal(&what))? else { return Ok(None) };
        let document = parse(&text).map_err(|broken| self.refusal(&broken.to_string()).with_hint(hint))?;
        match check(&document).first() {
            None => Ok(Some(document)),
            Some(broken) => Err(self.refusal(&broken.to_string()).with_hint(hint)),
        }
    }

    /// Keeps other processes from the folder's evidence until it is dropped.
    fn lock(&self) -> Result<File, CliError> {
        let folder = File::open(self.folder()).map_err(|error| self.refusal(&format!("its folder: {error}")))?;
        match folder.lock() {
            // A file system without locks is one that a single program writes to.
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(self.refusal(&error.to_string())),
            _ => Ok(folder),
        }
    }

    fn markdown(&self) -> PathBuf {
        self.path.with_extension("md")
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn refusal(&self, what: &str) -> CliError {
        CliError::new(format!("--evidence {}: {what}", self.path.display()))
    }
}

/// The text of a file that a chain is read from; none where there is no file. Never through a symbolic link.
///
/// # Errors
/// In words: it cannot be read, is no file, or is too large.
pub(in crate::cli) fn read_text(path: &Path) -> Result<Option<String>, String> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(_) if path.is_symlink() => return Err("is a symbolic link, and is not followed".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    match file.metadata() {
        Ok(meta) if !meta.is_file() => return Err("is no file".to_owned()),
        Ok(meta) if meta.len() > LARGEST => return Err("is larger than any evidence".to_owned()),
        Ok(_) => {}
        Err(error) => return Err(error.to_string()),
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => "is no text".to_owned(),
        _ => error.to_string(),
    })?;
    Ok(Some(text))
}
