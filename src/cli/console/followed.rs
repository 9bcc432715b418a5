//! The profile whose guide is followed in the console: read, changed value by value, its drafts kept.

use std::path::Path;

use crate::cli::args::ProfileSelector;
use crate::cli::{CliError, profile_file, settings};
use crate::domain::profile::key::Key;
use crate::domain::profile::{document, resolve};
use crate::guide::{Change, confirmations, shown};
use crate::tui::inputs::{GuideFile, Keeps, Target};

const NO_FILE: &str = "there is no profile's file to write to; make a profile first";

/// An error in a sentence, its hints behind it.
fn told(error: CliError) -> String {
    std::iter::once(error.message).chain(error.hints).collect::<Vec<_>>().join("; ")
}

fn selector(target: &Target, set: &[String]) -> Result<ProfileSelector, String> {
    let (profile, profile_file) = match target {
        Target::Named(name) => (Some(name.clone()), None),
        Target::File(path) => (None, Some(path.clone())),
        Target::Environment => (None, None),
        Target::Lab(_) => return Err(NO_FILE.to_owned()),
    };
    Ok(ProfileSelector { profile, profile_file, set: set.to_vec(), ..ProfileSelector::default() })
}

/// What is kept of a profile. One with mistakes is told with them, and can be mended field by field.
pub(super) fn read(target: &Target, set: &[String]) -> Result<GuideFile, String> {
    let selector = selector(target, set)?;
    let path = settings::path(&selector).map_err(told)?;
    let text = path.as_deref().map(settings::read).transpose().map_err(told)?.unwrap_or_default();
    let (guide, settings, problem) = match settings::load_to_read(&selector) {
        Ok(loaded) => (loaded.profile.guide, loaded.provenance, None),
        Err(error) => {
            let (file, _) = document::parse(&text, path.as_deref().unwrap_or(Path::new("")));
            let why = told(error);
            (resolve::guide_of(&file).ok_or_else(|| why.clone())?, file, Some(why))
        }
    };
    Ok(GuideFile {
        guide,
        settings,
        confirmations: confirmations(&text, guide),
        shown: shown(&text, guide),
        drafts: path.as_deref().map(profile_file::drafts).unwrap_or_default(),
        keeps: if path.is_some() { Keeps::File } else { Keeps::Nothing(NO_FILE) },
        problem,
    })
}

/// Changes a profile, and says what is kept then.
pub(super) fn change(target: &Target, set: &[String], change: &Change) -> Result<GuideFile, String> {
    let path = settings::path(&selector(target, set)?).map_err(told)?.ok_or(NO_FILE)?;
    profile_file::change(&path, change).map_err(told)?;
    read(target, set)
}

/// Keeps what was typed for a key and is no value yet, or forgets it.
pub(super) fn keep_draft(target: &Target, key: Key, text: Option<&str>) -> Result<(), String> {
    match settings::path(&selector(target, &[])?).map_err(told)? {
        Some(path) => profile_file::keep_draft(&path, key, text).map_err(told),
        None => Ok(()),
    }
}
