//! What the console is given: plain data about profiles, lab scenarios and the machine, and what can be run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::check::{CheckId, Link};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Setting;
use crate::guide::form::shell::quote;
use crate::guide::{Confirmation, ExternalProof};
use crate::run::event::RunEvent;
use crate::run::rotation::session::RuntimeFrom;

use crate::report::context::Privacy;
use crate::report::glyphs::GlyphSet;

use super::keymap::Keymap;
use super::theme::ThemePatch;
use crate::report::glyphs::ThemeName;

/// What the console is given at its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// The lab's scenarios in the order they are offered; `None` until they have been read.
    pub scenarios: Option<Vec<ScenarioEntry>>,
    /// The profiles that exist.
    pub profiles: Vec<ProfileEntry>,
    /// What the environment offers for a new profile of each guide.
    pub offers: Vec<(Guide, Vec<Setting>)>,
    /// The local time's offset from UTC in seconds, where it is known.
    pub utc_offset_s: Option<i32>,
}

/// One scenario of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioEntry {
    /// The name that starts it.
    pub name: String,
    /// What is broken in it, in a line.
    pub title: String,
    /// The guide it follows.
    pub guide: String,
    /// The cause it leads to; `None` where nothing is broken.
    pub expects: Option<String>,
    /// The link of the chain that breaks; `None` where none does.
    pub link: Option<Link>,
    /// What it teaches: the cause's own line.
    pub teaches: String,
}

/// One profile that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileEntry {
    pub name: String,
    /// The guide it follows, or why it cannot be read.
    pub summary: Result<String, String>,
    pub path: PathBuf,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChoice {
    pub target: Target,
    /// Only these checks and what they need; all where empty.
    pub only: Vec<CheckId>,
}

/// Whose trust to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The profile of this name.
    Named(String),
    /// The profile in this file.
    File(PathBuf),
    /// The lab with this scenario, started inside the process.
    Lab(String),
    /// What the environment's variables say.
    Environment,
}

impl Target {
    /// It in a few words.
    pub fn label(&self) -> String {
        match self {
            Target::Named(name) => name.clone(),
            Target::File(path) => path.display().to_string(),
            Target::Lab(scenario) => format!("lab: {scenario}"),
            Target::Environment => "environment".to_owned(),
        }
    }

    /// The arguments that choose it on the command line.
    pub fn arguments(&self) -> String {
        match self {
            Target::Named(name) => format!(" --profile {}", quote(name)),
            Target::File(path) => format!(" --profile-file {}", quote(&path.to_string_lossy())),
            Target::Lab(scenario) => format!(" --lab {scenario}"),
            Target::Environment => String::new(),
        }
    }
}

/// A rotation session to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationChoice {
    /// Whose profile names the secret.
    pub target: Target,
    pub way: RotationWay,
    /// The program that rotates, and its arguments; empty for every other way.
    pub command: Vec<String>,
    /// Where the running automation is seen.
    pub runtime: RuntimeFrom,
    pub patience: Patience,
    /// What a person agreed to by typing it; none where nothing is written.
    pub agreed: Option<Agreed>,
}

/// What a person agreed to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub secret: String,
    /// The account's number, or the vault's host.
    pub place: String,
}

/// As whom a secret would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSeen {
    /// An ARN, or an application.
    pub identity: String,
    /// The account's number, or the vault's host.
    pub place: String,
}

/// How long an automation that has the old value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// One look.
    Once,
    /// Again and again for some minutes, with a kickoff each.
    Again,
}

/// Who rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationWay {
    /// A person, in another terminal.
    ByHand,
    /// trustline, a value that a person types.
    Typed,
    /// trustline, a value that it makes up.
    Generated,
    /// A program of the user's.
    Command,
    /// It has been done already.
    Already,
    /// Whoever does, again and again.
    Watch,
}

impl RotationWay {
    /// Whether trustline writes to the store.
    pub const fn writes(self) -> bool {
        matches!(self, RotationWay::Typed | RotationWay::Generated)
    }
}

/// What is kept of the profile whose guide is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct GuideFile {
    pub guide: Guide,
    /// The values in effect.
    pub settings: Vec<Setting>,
    /// What a person confirmed.
    pub confirmations: Vec<Confirmation>,
    /// What was shown and no check can repeat.
    pub shown: Vec<ExternalProof>,
    /// What was typed into fields and is no value yet.
    pub drafts: BTreeMap<Key, String>,
    pub keeps: Keeps,
    /// Why the profile as a whole cannot be used, in a sentence.
    pub problem: Option<String>,
}

/// Where what is entered goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Into the profile's file.
    File,
    /// Nowhere, and why.
    Nothing(&'static str),
}

/// How the console opens.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// With the three ways to begin.
    Start,
    /// With a run.
    Run(RunChoice),
    /// With the events of a log that was named.
    Events,
    /// With a recording, read-only.
    Replay(Replay),
}

/// A recording to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Its file, for the header.
    pub name: String,
    pub events: Vec<RunEvent>,
    /// Its end is missing.
    pub truncated: bool,
}

/// How the console looks and behaves; every one can be changed by a key while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Appearance {
    pub glyphs: GlyphSet,
    pub theme: ThemeName,
    pub patch: ThemePatch,
    pub animation: Animation,
    pub mouse: Mouse,
    pub privacy: Privacy,
    pub clock: Clock,
    pub keymap: Keymap,
}

impl Default for Appearance {
    fn default() -> Self {
        Appearance {
            glyphs: GlyphSet::Unicode,
            theme: ThemeName::Dark,
            patch: Vec::new(),
            animation: Animation::Moving,
            mouse: Mouse::Captured,
            privacy: Privacy::Open,
            clock: Clock::Utc,
            keymap: Keymap::default(),
        }
    }
}

/// Whether anything moves by itself besides countdowns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Animation {
    Moving,
    Still,
}

/// Who gets clicks: the console, or the terminal for selecting text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    Captured,
    Free,
}

impl Mouse {
    /// The mode that the command switches to.
    pub const fn toggled(self) -> Self {
        match self {
            Mouse::Captured => Mouse::Free,
            Mouse::Free => Mouse::Captured,
        }
    }
}

/// How times of day are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Utc,
    Local,
}
