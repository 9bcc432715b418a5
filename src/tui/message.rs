//! Everything that can happen to the console, and everything it can ask of the world outside.

use std::fmt;
use std::path::PathBuf;

use crate::domain::jwks::Jwks;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key as ProfileKey;
use crate::domain::profile::setting::Setting;
use crate::domain::token::{Cleaning, RawToken};
use crate::guide::Change;
use crate::report::audit::AuditReport;
use crate::report::events::EventsReport;
use crate::report::issuer::IssuerReport;
use crate::run::event::RunEvent;
use crate::run::rotation::event::RotationEvent;
use crate::run::rotation::report::RotationReport;

use super::command::CommandId;
use super::inputs::{GuideFile, Mouse, OperatorSeen, ProfileEntry, RotationChoice, RunChoice, ScenarioEntry, Target};
use super::key::Key;
use super::services::TokenRead;
use super::typed_value::TypedValue;

/// A run's number within this session.
pub type RunNumber = u64;
/// A rotation session's number among those of this console.
pub type SessionNumber = u64;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The time, in milliseconds since 1970. The only way time enters.
    Now(i64),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    Key(Key),
    /// A command was chosen by its name.
    Do(CommandId),
    /// The row at this place of what is on top was chosen: of a list, or a field of the form.
    Choose(usize),
    Pointer(Pointer),
    /// Text was pasted. It may be a token.
    Paste(Pasted),
    /// A run has started; this is the profile it checks.
    RunOpened {
        run: RunNumber,
        profile: Box<Profile>,
        /// The values that made it.
        settings: Vec<Setting>,
    },
    /// A run could not start.
    RunRefused {
        run: RunNumber,
        message: String,
        hints: Vec<String>,
    },
    RunEvent {
        run: RunNumber,
        event: Box<RunEvent>,
    },
    /// A run's stream of events is over.
    RunClosed {
        run: RunNumber,
    },
    /// As whom a secret of this target would be written, or why by nobody.
    OperatorSeen {
        target: Target,
        result: Result<OperatorSeen, String>,
    },
    /// A rotation session has begun; this is the profile it works with, and when one began that it goes on with.
    RotationOpened {
        session: SessionNumber,
        profile: Box<Profile>,
        resumes: Option<String>,
    },
    /// A rotation session could not begin.
    RotationRefused {
        session: SessionNumber,
        message: String,
        hints: Vec<String>,
    },
    RotationEvent {
        session: SessionNumber,
        event: Box<RotationEvent>,
    },
    /// A rotation session's stream of events is over.
    RotationClosed {
        session: SessionNumber,
    },
    /// The cloud said as whom its own side would be read, or why it cannot be.
    ReaderSeen {
        target: Target,
        result: Result<String, String>,
    },
    /// The runs of this target read the cloud's own side from now on.
    ReadAgreed {
        target: Target,
    },
    /// The token's file was read.
    TokenRead {
        run: RunNumber,
        source: String,
        raw: RawToken,
        cleaned: Vec<Cleaning>,
    },
    /// The token was read again from where the profile says, or why it could not be.
    TokenReadAgain {
        run: RunNumber,
        result: Result<TokenRead, String>,
    },
    /// The keys of an issuer arrived, or why they did not.
    KeysRead {
        issuer: String,
        keys: Result<Box<Jwks>, String>,
    },
    /// An issuer was looked at, or why it could not be.
    IssuerSeen {
        url: String,
        result: Result<Box<IssuerReport>, String>,
    },
    /// The cloud's log was read, or why it could not be.
    EventsRead(Result<Box<EventsReport>, String>),
    /// What is at this path was audited, or why it could not be.
    Audited {
        path: PathBuf,
        result: Result<Box<AuditReport>, String>,
    },
    /// The lab's scenarios were read.
    Scenarios(Vec<ScenarioEntry>),
    /// A copy was made, in the words of a toast, or was not.
    Copied(Result<String, String>),
    /// A report was written to this file, or was not.
    Exported(Result<PathBuf, String>),
    /// A profile was written, or was not; and the profiles that exist now.
    ProfileSaved {
        name: String,
        result: Result<PathBuf, String>,
        profiles: Vec<ProfileEntry>,
    },
    /// What is kept of the profile whose guide is followed, or why it cannot be read or changed.
    GuideRead {
        target: Target,
        result: Result<Box<GuideFile>, String>,
    },
    /// The process was stopped and goes on: everything must be drawn again.
    Resumed,
    /// Something that is worth a line, such as a mistake in a configuration file.
    Notice(String),
}

/// Pasted text. Its `Debug` is masked, since it may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Pasted(pub zeroize::Zeroizing<String>);

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pasted({} bytes)", self.0.len())
    }
}

/// What a person tells a rotation session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationInput {
    /// Look now.
    LookNow,
    /// Wait no longer, and judge.
    Conclude,
    /// What the running automation printed.
    Output(Pasted),
    /// Make the version before current again.
    RollBack,
    /// Leave it as it is.
    KeepAsIs,
}

/// What the mouse did, and where: column and row from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub column: u16,
    pub row: u16,
    pub act: PointerAct,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerAct {
    Press,
    /// It moved with the button down.
    Drag,
    /// The button was let go.
    Release,
    WheelUp,
    WheelDown,
}

/// Something to do outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the lab's scenarios, beside the first frame.
    ListScenarios,
    StartRun {
        run: RunNumber,
        choice: RunChoice,
    },
    CancelRun {
        run: RunNumber,
    },
    /// Ask the cloud as whom a secret of this target would be written.
    AskOperator {
        target: Target,
    },
    /// Ask the cloud as whom its own side would be read.
    AskReader {
        target: Target,
    },
    /// A person agreed that the cloud's own side is read, in the runs of this target from now on.
    AgreeToRead {
        target: Target,
    },
    /// Begin a rotation session; the value is what a person typed to be written.
    StartRotation {
        session: SessionNumber,
        choice: RotationChoice,
        value: Option<TypedValue>,
    },
    /// Add what a session found to its evidence.
    FileEvidence {
        target: Target,
        report: Box<RotationReport>,
    },
    TellRotation {
        session: SessionNumber,
        told: RotationInput,
    },
    CancelRotation {
        session: SessionNumber,
    },
    /// Read the token's file, if it is not what was read last.
    ReadToken {
        run: RunNumber,
        path: PathBuf,
    },
    /// Read the token again from where the profile says.
    ReadTokenAgain {
        run: RunNumber,
        profile: Box<Profile>,
    },
    /// Read the log that was named, or the record of the last run's lab.
    ReadEvents,
    /// Audit what is at this path.
    Audit {
        path: PathBuf,
    },
    /// Fetch an issuer's keys, because a person asked for it.
    FetchKeys {
        issuer: String,
    },
    /// Fetch an issuer's documents, because a person asked for it. One is looked at at a time.
    LookAtIssuer {
        url: String,
    },
    /// Stop fetching them.
    LeaveIssuer,
    Copy {
        text: String,
    },
    Export {
        name: String,
        text: String,
    },
    SaveProfile {
        name: String,
        document: String,
    },
    /// Read what is kept of the profile whose guide is followed.
    ReadGuide {
        target: Target,
    },
    /// Change that profile.
    Change {
        target: Target,
        change: Change,
    },
    /// Keep what was typed for a key and is no value yet, or forget it.
    KeepDraft {
        target: Target,
        key: ProfileKey,
        text: Option<String>,
    },
    SetMouse(Mouse),
    SetTitle(String),
    /// Draw every cell again.
    Repaint,
    Suspend,
    Quit,
}
