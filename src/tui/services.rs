//! What the console needs of the program around it: runs, keys, and a place for profiles.

use std::any::Any;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::inputs::{GuideFile, OperatorSeen, ProfileEntry, RotationChoice, RunChoice, ScenarioEntry, Target};
use super::typed_value::TypedValue;
use crate::domain::jwks::Jwks;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Setting;
use crate::domain::token::{Cleaning, RawToken};
use crate::guide::Change;
use crate::report::audit::AuditReport;
use crate::report::events::EventsReport;
use crate::report::issuer::IssuerReport;
use crate::run::event::RunEvent;
use crate::run::rotation::event::RotationEvent;
use crate::run::rotation::report::RotationReport;
use crate::run::rotation::session::SessionCommand;

/// A future that a service answers with.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the console needs of the program around it.
pub trait Services: Send + Sync + 'static {
    /// Starts a run: finds the profile, or starts the lab, and runs the checks until the token is cancelled.
    fn start(&self, choice: RunChoice, cancel: CancellationToken) -> Answer<Result<Started, Refusal>>;

    /// Asks the cloud as whom a secret of this target would be written. The error is a sentence.
    fn operator(&self, target: Target) -> Answer<Result<OperatorSeen, String>>;

    /// Asks the cloud as whom its own side would be read. The error is a sentence.
    fn reader(&self, target: Target) -> Answer<Result<String, String>>;

    /// Has the runs of this target, and no others, read the cloud's own side from now on.
    fn agree_to_read(&self, target: Target);

    /// Adds what a session of this target found to its evidence; yields the file.
    ///
    /// # Errors
    /// In a sentence: it cannot be written.
    fn evidence(&self, target: Target, report: RotationReport) -> Result<PathBuf, String>;

    /// Begins a rotation session: finds the profile, or starts the lab, and works until it is done or the token is
    /// cancelled. The value is what a person typed to be written.
    fn rotate(
        &self,
        choice: RotationChoice,
        value: Option<TypedValue>,
        cancel: CancellationToken,
    ) -> Answer<Result<RotationStarted, Refusal>>;

    /// Reads the token from where a profile says. The error is a sentence.
    fn token(&self, profile: Profile) -> Answer<Result<TokenRead, String>>;

    /// Fetches the keys that an issuer publishes. The error is a sentence.
    fn keys(&self, issuer: String) -> Answer<Result<Jwks, String>>;

    /// Fetches what an issuer publishes, and judges it for every cloud. The error is a sentence.
    fn issuer(&self, url: String) -> Answer<Result<IssuerReport, String>>;

    /// Reads the log that was named, or the record of the last run's lab. The error is a sentence.
    fn events(&self) -> Answer<Result<EventsReport, String>>;

    /// Audits what is at this path. The error is a sentence.
    fn audit(&self, path: PathBuf) -> Answer<Result<AuditReport, String>>;

    /// Writes a profile. The error is a sentence.
    fn save_profile(&self, name: &str, document: &str) -> Result<PathBuf, String>;

    /// What is kept of a profile whose guide is followed. The error is a sentence.
    fn guide(&self, target: &Target) -> Result<GuideFile, String>;

    /// Changes a profile, and says what is kept then. The error is a sentence.
    fn change(&self, target: &Target, change: &Change) -> Result<GuideFile, String>;

    /// Keeps what was typed for a key and is no value yet, or forgets it. The error is a sentence.
    fn keep_draft(&self, target: &Target, key: Key, text: Option<&str>) -> Result<(), String>;

    /// The lab's scenarios. May take some milliseconds: it is called beside the console, not in it.
    fn scenarios(&self) -> Vec<ScenarioEntry>;

    /// The profiles that exist.
    fn profiles(&self) -> Vec<ProfileEntry>;
}

/// A run that has started.
pub struct Started {
    /// The profile it checks.
    pub profile: Profile,
    /// The values that made it.
    pub settings: Vec<Setting>,
    /// Its events; closed at its end.
    pub events: mpsc::Receiver<RunEvent>,
    /// What must live as long as the run and until another has ended, such as the lab.
    pub keep: Box<dyn Any + Send>,
}

/// A rotation session that has begun.
pub struct RotationStarted {
    /// The profile it works with.
    pub profile: Profile,
    /// When the session began that was interrupted and that this one goes on with (RFC 3339); none where it is new.
    pub resumes: Option<String>,
    /// Its events; closed at its end.
    pub events: mpsc::Receiver<RotationEvent>,
    /// Takes what a person tells it.
    pub commands: mpsc::Sender<SessionCommand>,
    /// What must live as long as the session, such as the lab.
    pub keep: Box<dyn Any + Send>,
}

/// A token as its source gave it.
#[derive(Clone, Debug)]
pub struct TokenRead {
    /// The source in words.
    pub source: String,
    pub raw: RawToken,
    /// What was stripped from it.
    pub cleaned: Vec<Cleaning>,
}

/// Why a run could not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// Further advice, a line each.
    pub hints: Vec<String>,
}
