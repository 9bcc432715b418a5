//! The file in which an unfinished rotation is kept: replaced as a whole at each event that changes it, removed when the
//! rotation is judged.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

use super::seal::Seal;
use crate::cli::CliError;
use crate::domain::fingerprint::keyed::FingerprintKey;
use crate::private_file;
use crate::run::rotation::kept::{KeptSession, SCHEMA};

/// The file of one profile's and these secrets' session.
pub(super) struct SessionFile {
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
    pub(super) fn at(path: PathBuf, key: &FingerprintKey) -> Result<Option<Self>, CliError> {
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
    pub(super) fn read(&self) -> Result<Option<KeptSession>, CliError> {
        let hint = "`--start-anew` forgets it; what was seen before the interruption is then lost";
        let refuse = |what: &str| self.refusal(what).with_hint(hint);
        let Some(text) = super::evidence::read_text(&self.path).map_err(|what| refuse(&what))? else { return Ok(None) };
        let mut document =
            serde_json::from_str(&text).map_err(|error| refuse(&format!("is no rotation session: {error}")))?;
        self.seal.open(&mut document).map_err(|error| refuse(&format!("cannot be gone on with: {error}")))?;
        let session: KeptSession =
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
    pub(super) fn write(&self, session: &KeptSession) -> Result<(), CliError> {
        let refuse = |error: &dyn std::fmt::Display| self.refusal(&error.to_string());
        let mut document = serde_json::to_value(session).map_err(|error| refuse(&error))?;
        self.seal.close(&mut document).map_err(|error| refuse(&error))?;
        private_file::replace(&self.path, document.to_string().as_bytes()).map_err(|error| refuse(&error))
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<(), CliError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.refusal(&error.to_string())),
            _ => Ok(()),
        }
    }

    fn refusal(&self, what: &str) -> CliError {
        CliError::new(format!("{}: {what}", self.path.display()))
    }
}
