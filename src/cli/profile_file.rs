//! A profile's file as the guides change it: replaced as a whole, for its owner's eyes only, so that a save which is cut
//! short leaves the older one; and beside it what was typed and is no value yet.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exit::CliError;
use super::settings;
use crate::domain::profile::Guide;
use crate::domain::profile::document;
use crate::domain::profile::key::{Key, Kind};
use crate::domain::profile::setting::Value;
use crate::domain::redaction::looks_secret;
use crate::guide::{Change, Confirmation, ExternalProof, confirmations, shown};
use crate::private_file;
use crate::probe::regular_file;

/// A screenful of drafts is a few KiB; anything past this is another file.
const LARGEST_DRAFTS: u64 = 256 * 1024;
const SCHEMA: &str = "trustline.drafts/1";

/// What was typed into fields and is no value of the profile yet.
#[derive(Debug, Serialize, Deserialize)]
struct Drafts {
    schema: String,
    drafts: BTreeMap<String, String>,
}

/// What a profile's file says was confirmed of a guide's steps.
///
/// # Errors
/// The file cannot be read.
pub(super) fn confirmed(path: &Path, guide: Guide) -> Result<Vec<Confirmation>, CliError> {
    Ok(confirmations(&settings::read(path)?, guide))
}

/// What a profile's file says was shown of a guide.
///
/// # Errors
/// The file cannot be read.
pub(super) fn shown_of(path: &Path, guide: Guide) -> Result<Vec<ExternalProof>, CliError> {
    Ok(shown(&settings::read(path)?, guide))
}

/// Changes the file. Drafts of what is set go.
///
/// # Errors
/// The file cannot be read, cannot take the change, or cannot be written.
pub(super) fn change(path: &Path, change: &Change) -> Result<(), CliError> {
    let refuse = |what: String| CliError::new(format!("{}: {what}", path.display()));
    let anchored = match change {
        Change::Set(values) => Change::Set(
            values.iter().map(|(key, value)| (*key, value.clone().map(|v| make_absolute(path, *key, v)))).collect(),
        ),
        other => other.clone(),
    };
    let after = anchored.apply(&settings::read(path)?).map_err(refuse)?;
    if after.len() > document::LARGEST {
        return Err(refuse("would be larger than 64 KiB, which no profile is".to_owned()));
    }
    private_file::replace(path, after.as_bytes()).map_err(|error| refuse(error.to_string()))?;
    if let Change::Set(values) = change {
        for (key, _) in values {
            keep_draft(path, *key, None)?;
        }
    }
    Ok(())
}

/// A relative path is meant to start here, unless it leads somewhere from the profile's folder, where it will start.
fn make_absolute(profile: &Path, key: Key, value: Value) -> Value {
    match (key.kind(), &value) {
        (Kind::Path, Value::Text(path)) if !path.starts_with('~') => {
            let from_profile = profile.parent().unwrap_or(Path::new("")).join(path);
            let from_here = || std::path::absolute(path).ok()?.into_os_string().into_string().ok();
            if from_profile.exists() { value } else { from_here().map_or(value, Value::Text) }
        }
        _ => value,
    }
}

fn drafts_of(profile: &Path) -> PathBuf {
    profile.with_extension("drafts.json")
}

/// What was typed and is no value yet. A file that is none of ours holds no drafts.
pub(super) fn drafts(profile: &Path) -> BTreeMap<Key, String> {
    read_drafts(profile).drafts.into_iter().filter_map(|(key, text)| Some((Key::parse(&key)?, text))).collect()
}

fn read_drafts(profile: &Path) -> Drafts {
    let path = drafts_of(profile);
    let none = Drafts { schema: SCHEMA.to_owned(), drafts: BTreeMap::new() };
    let Ok(text) = regular_file::read(&path, LARGEST_DRAFTS) else { return none };
    serde_json::from_slice(&text).ok().filter(|drafts: &Drafts| drafts.schema == SCHEMA).unwrap_or(none)
}

/// Keeps what was typed for a key, or forgets it. What looks like a secret is never kept.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep_draft(profile: &Path, key: Key, text: Option<&str>) -> Result<(), CliError> {
    let path = drafts_of(profile);
    let refuse = |error: &dyn std::fmt::Display| CliError::new(format!("{}: {error}", path.display()));
    let mut kept = read_drafts(profile);
    let changed = match text.filter(|text| looks_secret(text).is_none()) {
        Some(text) => kept.drafts.insert(key.path().to_owned(), text.to_owned()).as_deref() != Some(text),
        None => kept.drafts.remove(key.path()).is_some(),
    };
    if !changed {
        return Ok(());
    }
    if kept.drafts.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(refuse(&error)),
            _ => Ok(()),
        };
    }
    let text = serde_json::to_string_pretty(&kept).map_err(|error| refuse(&error))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(|error| refuse(&error))?;
    // At every key: it outlives the program without being forced to the disk.
    draft.write_all(text.as_bytes()).map_err(|error| refuse(&error))?;
    draft.persist(&path).map_err(|error| refuse(&error.error))?;
    Ok(())
}
