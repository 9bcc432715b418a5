//! `--evidence FILE`: the chain of records as JSON, and the same as Markdown beside it. Both are replaced as wholes under a
//! lock, so that a program that is killed leaves what was there, and two at a time do not lose each other's records.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::random;
use crate::cli::exit::CliError;
use crate::domain::rotation::evidence::check::{parse, read};
use crate::domain::rotation::evidence::{ChainEnd, Document, Record, text_behind, text_going_on};
use crate::private_file;
use crate::probe::regular_file;
use crate::report::rotation::evidence;

/// A record is a few KiB; anything past this is another file.
pub(in crate::cli) const LARGEST: u64 = 64 * 1024 * 1024;

/// A file of evidence.
#[derive(Clone, Debug)]
pub(in crate::cli) struct EvidenceFile {
    path: PathBuf,
    known: Option<Known>,
}

/// A chain that was found whole, and the file that it stood in then.
#[derive(Clone, Debug)]
struct Known {
    end: ChainEnd,
    stamp: Stamp,
}

/// What tells a file from what it is after somebody wrote to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Stamp> {
        let about = path.symlink_metadata()?;
        let changed = (about.ctime(), about.ctime_nsec());
        Ok(Stamp { device: about.dev(), inode: about.ino(), bytes: about.len(), changed })
    }
}

impl EvidenceFile {
    /// Looks whether records can be added to the file, before anything is done that they would be about.
    ///
    /// # Errors
    /// It is something else, its chain is broken, or its folder cannot be written to.
    pub(in crate::cli) fn at(path: &Path) -> Result<Self, CliError> {
        let mut evidence = EvidenceFile { path: path.to_owned(), known: None };
        if evidence.markdown() == evidence.path {
            return Err(evidence
                .refusal("is the name for the Markdown beside the JSON")
                .with_hint("name the JSON file: `--evidence rotations.json` writes rotations.md beside it"));
        }
        let lock = evidence.lock()?;
        evidence.known = evidence.read()?;
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
    pub(in crate::cli) fn append(&mut self, records: &[Record]) -> Result<(), CliError> {
        let _lock = self.lock()?;
        let is_still = |known: &Known| Stamp::of(&self.path).is_ok_and(|stamp| stamp == known.stamp);
        let known = match self.known.take().filter(is_still) {
            Some(known) => Some(known),
            None => self.read()?,
        };
        let end = match known.map(|known| known.end) {
            Some(end) => match self.go_on(end, records)? {
                Some(end) => end,
                None => self.rewrite(None, records)?,
            },
            None => {
                let name = random().map_err(|error| self.refusal(&error))?;
                self.rewrite(Some(ChainEnd::new(name)), records)?
            }
        };
        self.known = Stamp::of(&self.path).ok().map(|stamp| Known { end, stamp });
        Ok(())
    }

    /// Writes both files with what is kept of them as it stands; none where they are not laid out as this program does.
    fn go_on(&self, mut end: ChainEnd, records: &[Record]) -> Result<Option<ChainEnd>, CliError> {
        let behind = text_behind(&end.head);
        let above = evidence::markdown_head(&end.chain, &end.head);
        let Some((json, markdown)) = ending(&self.path, &behind).zip(beginning(&self.markdown(), &above)) else {
            return Ok(None);
        };
        let first = end.head.records + 1;
        let linked: Result<Vec<_>, _> = records.iter().map(|record| end.link(record)).collect();
        let linked = linked.map_err(|error| self.refusal(&error.to_string()))?;
        let text = text_going_on(&linked, &end.head).map_err(|error| self.refusal(&error.to_string()))?;
        let sections = linked.iter().zip(first..).map(|(record, number)| evidence::markdown_section(number, record));
        let above = evidence::markdown_head(&end.chain, &end.head);
        replace(&self.path, |file| json.between("", &text, file))?;
        replace(&self.markdown(), |file| markdown.between(&above, &sections.collect::<String>(), file))?;
        Ok(Some(end))
    }

    /// Writes both files anew, with the records that are there.
    fn rewrite(&self, begin: Option<ChainEnd>, records: &[Record]) -> Result<ChainEnd, CliError> {
        let mut document = match begin {
            Some(begin) => Document::new(begin),
            None => {
                let text = read_text(&self.path).map_err(|what| self.refusal(&what))?.unwrap_or_default();
                parse(&text).map_err(|broken| self.refusal(&broken.to_string()))?
            }
        };
        for record in records {
            document.append(record).map_err(|error| self.refusal(&error.to_string()))?;
        }
        let json = document.to_text().map_err(|error| self.refusal(&error.to_string()))?;
        replace(&self.path, |file| file.write_all(json.as_bytes()))?;
        replace(&self.markdown(), |file| file.write_all(evidence::markdown(&document).as_bytes()))?;
        Ok(ChainEnd { chain: document.chain, head: document.head })
    }

    /// The chain that is there.
    fn read(&self) -> Result<Option<Known>, CliError> {
        let hint = "name another file, or find out who changed this one; it is left as it is";
        let stamp = Stamp::of(&self.path);
        let Some(text) = read_text(&self.path).map_err(|what| self.refusal(&what))? else { return Ok(None) };
        let stamp = stamp.map_err(|error| self.refusal(&error.to_string()))?;
        let chain = read(&text).map_err(|broken| self.refusal(&broken.to_string()).with_hint(hint))?;
        match chain.breaks().first() {
            None => Ok(Some(Known { end: chain.end, stamp })),
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

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), CliError> {
    private_file::replace_with(path, write)
        .map_err(|error| CliError::new(format!("--evidence {}: {error}", path.display())))
}

/// What is kept of a file.
struct Kept {
    file: File,
    bytes: Range<u64>,
}

impl Kept {
    fn between(mut self, before: &str, behind: &str, into: &mut File) -> io::Result<()> {
        into.write_all(before.as_bytes())?;
        self.file.seek(SeekFrom::Start(self.bytes.start))?;
        io::copy(&mut self.file.take(self.bytes.end - self.bytes.start), into)?;
        into.write_all(behind.as_bytes())
    }
}

/// What stands before `end`, with which the file ends.
fn ending(path: &Path, end: &str) -> Option<Kept> {
    let mut file = regular_file::open(path).ok()?;
    let whole = file.metadata().ok()?.len();
    let kept = whole.checked_sub(u64::try_from(end.len()).ok()?)?;
    has_at(&mut file, kept, end).then_some(Kept { file, bytes: 0..kept })
}

/// What stands behind `begin`, with which the file begins.
fn beginning(path: &Path, begin: &str) -> Option<Kept> {
    let mut file = regular_file::open(path).ok()?;
    let whole = file.metadata().ok()?.len();
    let kept = u64::try_from(begin.len()).ok()?..whole;
    has_at(&mut file, 0, begin).then_some(Kept { file, bytes: kept })
}

fn has_at(file: &mut File, at: u64, expected: &str) -> bool {
    let mut found = vec![0; expected.len()];
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut found));
    read.is_ok() && found == expected.as_bytes()
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
    let bytes = match file.metadata() {
        Ok(meta) if !meta.is_file() => return Err("is no file".to_owned()),
        Ok(meta) if meta.len() > LARGEST => return Err("is larger than any evidence".to_owned()),
        Ok(meta) => meta.len(),
        Err(error) => return Err(error.to_string()),
    };
    let room = usize::try_from(bytes).unwrap_or_default();
    let mut text = String::with_capacity(room.saturating_add(1));
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => "is no text".to_owned(),
        _ => error.to_string(),
    })?;
    Ok(Some(text))
}
