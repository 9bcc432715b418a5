//! What a rotation leaves on disk: its session until it is judged, its evidence, and the key of its keyed fingerprints.

pub(super) mod evidence;
mod seal;

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use self::evidence::EvidenceFile;
use super::exit::CliError;
use super::flags::FileRecorder;
use super::settings;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::keyed::FingerprintKey;
use crate::domain::profile::Profile;
use crate::domain::rotation::Why;
use crate::domain::rotation::evidence::Record;
use crate::domain::secret_ref::SecretRef;
use crate::private_file;
use crate::run::now_ms;
use crate::run::rotation::event::{Judged, RotationEvent, RotationKind, RotationMethod};
use crate::run::rotation::event::{SCHEMA, SessionCheckpoint};
use crate::run::rotation::keyed::KeyedRotation;
use crate::run::rotation::report::RotationReport;
use seal::Seal;

/// Who wrote a record.
const TOOL: &str = concat!("trustline ", env!("CARGO_PKG_VERSION"));

/// Where a profile's rotations are kept between runs.
#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
    /// The name of the files of this profile.
    profile: String,
    /// The name of the file of these secrets' session.
    session: String,
}

impl Place {
    /// The place of a profile's rotation of these secrets. `path` is the profile's file, where it has one.
    ///
    /// # Errors
    /// There is no home folder.
    pub(super) fn of(profile: &Profile, path: Option<&Path>, secrets: &[SecretRef]) -> Result<Self, CliError> {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = profile.name.chars().map(safe).take(64).collect();
        let path = path.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        // Profiles of one name may be in several folders, and a profile may have several secrets.
        let own = path.iter().map(|path| path.to_string_lossy().into_owned());
        let digest = |parts: Vec<String>| Fingerprint::of(parts.join("\n").as_bytes()).as_str().replace("sha256:", "-");
        let profile_digest = digest(own.clone().collect());
        let session_digest = digest(own.chain(secrets.iter().map(SecretRef::to_string)).collect());
        Ok(Place {
            folder: settings::state_folder()?,
            profile: format!("{name}{profile_digest}.fingerprint-key"),
            session: format!("{name}{session_digest}.rotation.json"),
        })
    }
}

/// The files of one rotation; takes each of its events before the session goes on.
pub(super) struct RotationFiles {
    key: FingerprintKey,
    session: Option<SessionFile>,
    kept: Option<SessionCheckpoint>,
    evidence: Option<EvidenceFile>,
    report: RotationReport,
    keyed: KeyedRotation,
    recorder: Option<FileRecorder>,
    /// The first of what could not be written.
    problem: Option<CliError>,
}

impl RotationFiles {
    /// Opens the files. Without a place, as for the lab, nothing is kept beyond the run but the evidence.
    ///
    /// # Errors
    /// A file is something else, or cannot be written; nothing is done then.
    pub(super) fn open(place: Option<&Place>, evidence: Option<&Path>) -> Result<Self, CliError> {
        let evidence = evidence.map(EvidenceFile::at).transpose()?;
        let (key, session) = match place {
            None => (seal::passing()?, None),
            Some(place) => {
                private_file::create_folder(&place.folder)
                    .map_err(|error| CliError::new(format!("{}: {error}", place.folder.display())))?;
                let key = seal::kept(&place.folder.join(&place.profile))?;
                let session = SessionFile::at(place.folder.join(&place.session), &key)?;
                (key, session)
            }
        };
        Ok(RotationFiles {
            key,
            session,
            kept: None,
            evidence,
            report: RotationReport::default(),
            keyed: KeyedRotation::default(),
            recorder: None,
            problem: None,
        })
    }

    /// The session that was interrupted; none where none was.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub(super) fn interrupted(&self) -> Result<Option<SessionCheckpoint>, CliError> {
        self.session.as_ref().map_or(Ok(None), SessionFile::read)
    }

    /// Goes on with a session.
    pub(super) fn go_on(&mut self, session: SessionCheckpoint) {
        self.kept = Some(session);
    }

    /// Forgets the session that was interrupted.
    ///
    /// # Errors
    /// Its file cannot be removed.
    pub(super) fn forget(&self) -> Result<(), CliError> {
        self.session.as_ref().map_or(Ok(()), SessionFile::remove)
    }

    /// Takes an event in, and writes what it changes.
    ///
    /// # Errors
    /// In words: a file cannot be written. It is then as it was.
    pub(super) fn note(&mut self, event: &RotationEvent) -> Result<(), String> {
        self.report.apply(event);
        let written = self.keep(event).and_then(|()| self.file(event));
        written.map_err(|error| {
            let said = error.message.clone();
            self.problem.get_or_insert(error);
            said
        })
    }

    /// Records what is published from here on.
    pub(super) fn record(&mut self, recorder: FileRecorder) {
        self.recorder = Some(recorder);
    }

    /// The event as everybody may read it, recorded. A recording that cannot be written ends, and not the session.
    pub(super) fn publish(&mut self, event: RotationEvent) -> RotationEvent {
        let kind = self.keyed.apply(&self.key, event.kind).unwrap_or_else(|error| RotationKind::Trouble {
            secret: None,
            reason: format!("an event cannot be shown: {error}"),
            findings: Vec::new(),
        });
        let event = RotationEvent { kind, ..event };
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.write(&event)
        {
            self.problem.get_or_insert(CliError::new(format!("--record: {error}")));
            self.recorder = None;
        }
        event
    }

    /// Adds the records of all that a report tells to the evidence.
    ///
    /// # Errors
    /// The file cannot be written. It is then as it was.
    pub(super) fn file_all(&mut self, report: RotationReport) -> Result<(), CliError> {
        self.report = report;
        self.append(|_| true)
    }

    /// The first of what could not be written.
    pub(super) fn problem(&self) -> Option<&CliError> {
        self.problem.as_ref()
    }

    fn keep(&mut self, event: &RotationEvent) -> Result<(), CliError> {
        let Some(file) = &self.session else { return Ok(()) };
        match &mut self.kept {
            None => self.kept = SessionCheckpoint::begin(event),
            Some(kept) => {
                if kept.apply(event) {
                    return file.write(kept);
                }
            }
        }
        Ok(())
    }

    /// Writes the records that the event completes; then, where the session is over, forgets it.
    fn file(&mut self, event: &RotationEvent) -> Result<(), CliError> {
        let is_watch = self.report.way == Some(RotationMethod::Watch);
        match &event.kind {
            RotationKind::Judged(judged) if is_watch => self.append(|secret| secret == judged.secret),
            RotationKind::Done { .. } if !is_watch => {
                self.append(|_| true)?;
                // Where the store could not be read, a later session can still find out what became of the rotation.
                let begun = self.kept.as_ref().is_some_and(|kept| kept.begun);
                let is_open = |judged: Option<&Judged>| {
                    judged.is_none_or(|judged| begun && judged.judgement.why == Why::StoreNotSeen)
                };
                match &self.session {
                    Some(file) if !self.report.secrets.iter().any(|secret| is_open(secret.verdict())) => file.remove(),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn append(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), CliError> {
        let Some(file) = &mut self.evidence else { return Ok(()) };
        let rotations = self.report.rotations().into_iter().filter(|rotation| wanted(rotation.secret));
        let records: Vec<Record> = rotations.map(|rotation| Record::of(&rotation, &self.key, TOOL, now_ms())).collect();
        if records.is_empty() { Ok(()) } else { file.append(&records) }
    }
}

/// Random bytes of the system's.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(bytes)
}

/// The file of one profile's and these secrets' session.
struct SessionFile {
    path: PathBuf,
    seal: Seal,
    /// Held while the session lives: one that is killed lets go of it.
    _lock: File,
}

impl SessionFile {
    /// None where another session of the same secrets lives: that one is kept, and this one is not.
    ///
    /// # Errors
    /// The file beside it that tells so cannot be made.
    fn at(path: PathBuf, key: &FingerprintKey) -> Result<Option<Self>, CliError> {
        let beside = path.with_extension("lock");
        let refuse = |error: std::io::Error| CliError::new(format!("{}: {error}", beside.display()));
        if !beside.exists()
            && let Err(error) = private_file::create(&beside)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(refuse(error));
        }
        let lock = File::open(&beside).map_err(refuse)?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => return Err(refuse(error)),
            Err(TryLockError::Error(_)) => {}
            Ok(()) => private_file::sweep(&path).map_err(refuse)?,
        }
        Ok(Some(SessionFile { path, seal: Seal::new(key), _lock: lock }))
    }

    /// The session that was interrupted; none where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is something else.
    fn read(&self) -> Result<Option<SessionCheckpoint>, CliError> {
        let hint = "`--start-anew` forgets it; what was seen before the interruption is then lost";
        let refuse = |what: &str| self.refusal(what).with_hint(hint);
        let Some(text) = evidence::read_text(&self.path).map_err(|what| refuse(&what))? else { return Ok(None) };
        let mut document =
            serde_json::from_str(&text).map_err(|error| refuse(&format!("is no rotation session: {error}")))?;
        self.seal.open(&mut document).map_err(|error| refuse(&format!("cannot be gone on with: {error}")))?;
        let session: SessionCheckpoint =
            serde_json::from_value(document).map_err(|error| refuse(&format!("is no rotation session: {error}")))?;
        if session.schema == SCHEMA {
            Ok(Some(session))
        } else {
            Err(refuse(&format!("is of another version, and this one reads {SCHEMA}")))
        }
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// It cannot be written; then it is as it was.
    fn write(&self, session: &SessionCheckpoint) -> Result<(), CliError> {
        let refuse = |error: &dyn std::fmt::Display| self.refusal(&error.to_string());
        let mut document = serde_json::to_value(session).map_err(|error| refuse(&error))?;
        self.seal.close(&mut document).map_err(|error| refuse(&error))?;
        private_file::replace(&self.path, document.to_string().as_bytes()).map_err(|error| refuse(&error))
    }

    /// Removes the file.
    fn remove(&self) -> Result<(), CliError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.refusal(&error.to_string())),
            _ => Ok(()),
        }
    }

    fn refusal(&self, what: &str) -> CliError {
        CliError::new(format!("{}: {what}", self.path.display()))
    }
}

#[cfg(test)]
mod tests;
