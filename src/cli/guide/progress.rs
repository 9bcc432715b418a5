//! What a person confirmed, in a file beside the profile's. It holds no secret, goes along when both are copied, and is
//! replaced as a whole: a save that is cut short leaves the older one.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::super::CliError;
use crate::domain::profile::Guide;
use crate::domain::timestamp::rfc3339;
use crate::guide::{Confirmation, Step, setup_guide};
use crate::output::file;

/// A screenful of confirmations is a few KiB; anything past this is another file.
const LARGEST: u64 = 256 * 1024;
const SCHEMA: &str = "trustline.progress/1";

/// The file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    schema: String,
    confirmations: Vec<Confirmed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Confirmed {
    guide: String,
    /// The step's name, which stays when steps are inserted before it.
    step: String,
    at: String,
}

impl Progress {
    fn empty() -> Self {
        Progress { schema: SCHEMA.to_owned(), confirmations: Vec::new() }
    }

    /// The confirmations of a guide's steps.
    pub(super) fn of(&self, guide: Guide) -> Vec<Confirmation> {
        let number = |name: &str| setup_guide(guide).steps.iter().find(|step| step.id == name).map(|step| step.number);
        let own = self.confirmations.iter().filter(|confirmed| confirmed.guide == guide.id());
        own.filter_map(|c| Some(Confirmation { step: number(&c.step)?, at: c.at.clone() })).collect()
    }

    /// Notes a person's word, dated now, and says so.
    pub(super) fn confirm(&mut self, guide: Guide, step: &Step) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let at = i64::try_from(seconds).ok().and_then(rfc3339).unwrap_or_default();
        self.remove(guide, step);
        self.confirmations.push(Confirmed { guide: guide.id().to_owned(), step: step.id.clone(), at: at.clone() });
        format!("step {} is confirmed by you, {at}", step.number)
    }

    /// Takes a person's word back, and says so.
    pub(super) fn take_back(&mut self, guide: Guide, step: &Step) -> String {
        let before = self.confirmations.len();
        self.remove(guide, step);
        if self.confirmations.len() < before {
            format!("step {} is not confirmed any more", step.number)
        } else {
            format!("step {} was not confirmed", step.number)
        }
    }

    fn remove(&mut self, guide: Guide, step: &Step) {
        self.confirmations.retain(|c| !(c.guide == guide.id() && c.step == step.id));
    }
}

/// The file that belongs to a profile's.
fn file_of(profile: &Path) -> PathBuf {
    profile.with_extension("progress.json")
}

/// Reads what is confirmed; nothing where there is no file.
///
/// # Errors
/// The file cannot be read or is something else.
pub(super) fn read(profile: &Path) -> Result<Progress, CliError> {
    let path = file_of(profile);
    let refuse = |what: String| CliError::new(format!("{}: {what}", path.display()));
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Progress::empty()),
        Err(error) => return Err(refuse(error.to_string())),
        Ok(meta) if meta.len() > LARGEST => return Err(refuse("is larger than any progress".to_owned())),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
    let hint = "remove it to start anew; only confirmations are lost";
    let progress: Progress =
        serde_json::from_str(&text).map_err(|error| refuse(format!("is no progress: {error}")).with_hint(hint))?;
    if progress.schema == SCHEMA {
        Ok(progress)
    } else {
        Err(refuse(format!("is of another version, and this one reads {SCHEMA}")).with_hint(hint))
    }
}

/// Replaces the file, for its owner's eyes only.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(profile: &Path, progress: &Progress) -> Result<(), CliError> {
    let path = file_of(profile);
    let refuse = |error: &dyn std::fmt::Display| CliError::new(format!("{}: {error}", path.display()));
    let text = serde_json::to_string_pretty(progress).map_err(|error| refuse(&error))?;
    file::replace(&path, text.as_bytes()).map_err(|error| refuse(&error))
}
