//! `trustline data`: what is kept on this disk, and its removal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::CliError;
use super::exit::Exit;
use super::flags::DocumentOutputArgs;
use super::flags::OutputFormat;
use super::{settings, terminal};
use crate::domain::text::visible;

/// Arguments of `trustline data`.
#[derive(Debug, Args)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the files that trustline keeps for you, and what each is for
    List(DocumentOutputArgs),
    /// Remove some of them
    Remove {
        /// The files, as `trustline data list` prints them
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// What a kept file is. Its name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Profile,
    Drafts,
    Settings,
    FingerprintKey,
    Session,
    Lock,
}

impl Kind {
    const ALL: &[Kind] =
        &[Kind::Profile, Kind::Drafts, Kind::Settings, Kind::FingerprintKey, Kind::Session, Kind::Lock];

    const fn id(self) -> &'static str {
        match self {
            Kind::Profile => "profile",
            Kind::Drafts => "drafts",
            Kind::Settings => "settings",
            Kind::FingerprintKey => "fingerprint-key",
            Kind::Session => "rotation",
            Kind::Lock => "lock",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Kind::Profile => "a profile, with what was confirmed in its guide",
            Kind::Drafts => "what was typed in the guide and is no value yet",
            Kind::Settings => "the console's keys and looks",
            Kind::FingerprintKey => {
                "the key of fingerprints of guessable values; without it earlier evidence has nothing to compare with"
            }
            Kind::Session => "a rotation that is going on or was interrupted; without it, it cannot be resumed",
            Kind::Lock => "keeps two runs from writing one file at a time",
        }
    }

    /// The end of its name.
    const fn ending(self) -> &'static str {
        match self {
            Kind::Profile => ".toml",
            Kind::Drafts => ".drafts.json",
            Kind::Settings => "console.toml",
            Kind::FingerprintKey => ".fingerprint-key",
            Kind::Session => ".rotation.json",
            Kind::Lock => ".lock",
        }
    }
}

/// A file that is kept.
#[derive(Debug)]
struct Kept {
    kind: Kind,
    path: PathBuf,
    bytes: u64,
}

pub(super) fn run(args: &DataArgs) -> Result<Exit, CliError> {
    match &args.action {
        Action::List(output) => {
            let kept = kept()?;
            terminal::print(&match output.output {
                OutputFormat::Json => terminal::json_text(&document(&kept)),
                _ => text(&kept),
            })?;
        }
        Action::Remove { files } => {
            let kept = kept()?;
            // All of them are known before the first one goes.
            let known = files.iter().map(|file| known(&kept, file)).collect::<Result<Vec<_>, _>>()?;
            for kept in known {
                std::fs::remove_file(&kept.path).map_err(|error| failed(&kept.path, &error))?;
                terminal::print(&format!("removed {}\n", visible(&kept.path.display().to_string())))?;
            }
        }
    }
    Ok(Exit::Passed)
}

/// Every file that is kept, those of the profiles first.
fn kept() -> Result<Vec<Kept>, CliError> {
    let profiles = settings::folder()?;
    let mut kept = in_folder(&profiles, &[Kind::Profile, Kind::Drafts])?;
    if let Some(config) = profiles.parent() {
        kept.extend(in_folder(config, &[Kind::Settings])?);
    }
    kept.extend(in_folder(&settings::state_folder()?, &[Kind::FingerprintKey, Kind::Session, Kind::Lock])?);
    Ok(kept)
}

/// The files of these kinds in a folder, by name; none where there is no such folder.
fn in_folder(folder: &Path, kinds: &[Kind]) -> Result<Vec<Kept>, CliError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(folder, &error))?,
    };
    let mut kept = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        // A link leads to a file that is somebody else's.
        let about = entry.metadata().map_err(|error| failed(&entry.path(), &error))?;
        let kind = kinds.iter().find(|kind| is_of(**kind, &entry.file_name()));
        if let Some(kind) = kind.filter(|_| about.is_file()) {
            kept.push(Kept { kind: *kind, path: entry.path(), bytes: about.len() });
        }
    }
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(kept)
}

fn is_of(kind: Kind, name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.ends_with(kind.ending()))
}

fn known<'k>(kept: &'k [Kept], file: &Path) -> Result<&'k Kept, CliError> {
    let path = std::path::absolute(file).map_err(|error| failed(file, &error))?;
    kept.iter().find(|kept| kept.path == path).ok_or_else(|| {
        CliError::new(format!("{}: trustline keeps no such file, and nothing was removed", file.display()))
            .with_hint("`trustline data list` names those that it keeps")
    })
}

fn failed(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(format!("{}: {error}", path.display()))
}

/// The files, and below them what each kind is for.
fn text(kept: &[Kept]) -> String {
    if kept.is_empty() {
        return "nothing is kept\n".to_owned();
    }
    let widest = Kind::ALL.iter().map(|kind| kind.id().len()).max().unwrap_or(0);
    let line = |kept: &Kept| {
        let path = kept.path.display().to_string();
        format!("{:widest$}  {:>7} bytes  {}\n", kept.kind.id(), kept.bytes, visible(&path))
    };
    let mut text: String = kept.iter().map(line).collect();
    text.push('\n');
    for kind in Kind::ALL.iter().filter(|kind| kept.iter().any(|kept| kept.kind == **kind)) {
        text.push_str(&format!("{:widest$}  {}\n", kind.id(), kind.about()));
    }
    text
}

fn document(kept: &[Kept]) -> serde_json::Value {
    let files: Vec<_> = kept
        .iter()
        .map(|kept| json!({ "kind": kept.kind.id(), "about": kept.kind.about(), "path": kept.path, "bytes": kept.bytes }))
        .collect();
    json!({ "schema": "trustline.data/1", "files": files })
}
