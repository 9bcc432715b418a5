//! What a session is asked to do, and what somebody tells it while it runs.

use crate::run::rotation::event::Earlier;
use std::fmt;
use std::time::Duration;

use crate::domain::profile::Profile;
use crate::domain::secret_ref::SecretRef;
use crate::run::rotation::event::{RotationEvent, RotationMethod};

/// How often and how long to look.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause between two looks at the store; it doubles up to the longest.
    pub first: Duration,
    pub longest: Duration,
    /// How long to wait for the store's new version.
    pub store: Duration,
    /// How long to look again at a runtime that still has the old value.
    pub runtime: Duration,
}

/// Where the sightings of the running automation come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeFrom {
    /// Nowhere: the store alone is looked at.
    Nowhere,
    /// The world: a kickoff, a log, a command, a file.
    World,
    /// Texts that somebody pastes into the session.
    Pasted,
}

/// When to make the version before current again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollBack {
    Never,
    /// Where the verdict is a failure.
    OnFailure,
    /// Where the verdict is a failure and the answer is [`SessionCommand::RollBack`].
    Ask,
}

/// Takes each event before the session goes on, so that what is kept is never behind what is done. An error says, in
/// words, that the event could not be kept.
pub type Journal = Box<dyn FnMut(&RotationEvent) -> Result<(), String> + Send>;

/// What to do.
#[derive(Clone, Debug)]
pub struct RotationRequest {
    pub profile: Profile,
    pub secrets: Vec<SecretRef>,
    pub way: RotationMethod,
    /// For rotating by hand: what to run for a secret, in the order of `secrets`.
    pub asks: Vec<String>,
    pub runtime: RuntimeFrom,
    pub roll_back: RollBack,
    pub pace: Pace,
    pub earlier: Earlier,
}

/// What somebody tells a session while it runs.
#[derive(Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Look at the store now.
    LookNow,
    /// Wait no longer: judge what has been seen.
    Conclude,
    /// The output of the running automation, or a part of it.
    Text(String),
    /// Make the version before current again.
    RollBack,
    /// Leave it as it is.
    KeepAsIs,
}

impl fmt::Debug for SessionCommand {
    /// A text may hold anything, a secret too: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SessionCommand::LookNow => "LookNow",
            SessionCommand::Conclude => "Conclude",
            SessionCommand::Text(_) => "Text(…)",
            SessionCommand::RollBack => "RollBack",
            SessionCommand::KeepAsIs => "KeepAsIs",
        })
    }
}
