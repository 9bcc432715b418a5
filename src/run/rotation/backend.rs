//! The seam between a rotation session and the world: what a session asks of stores and of the running automation.

use std::future::Future;

use tokio::sync::oneshot;

use super::event::Moment;
use crate::cause::Finding;
use crate::domain::rotation::{RuntimeObservation, StoreSnapshot};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::UnixMillis;

/// Something that could not be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refused {
    /// One sentence.
    pub reason: String,
    /// Why, where that is known.
    pub findings: Vec<Finding>,
}

impl Refused {
    /// A refusal with nothing but its sentence.
    pub fn new(reason: impl Into<String>) -> Self {
        Refused { reason: reason.into(), findings: Vec::new() }
    }
}

/// The reader's session is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// An ARN, or an application's id.
    pub identity: Option<String>,
    /// The cloud's clock minus the local one, in seconds.
    pub clock_skew_s: Option<i64>,
}

/// A value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The version's id, where the writer tells it.
    pub version: Option<String>,
    /// When the store had it, by the local clock.
    pub at: UnixMillis,
    /// As whom it was written, where that is known.
    pub operator: Option<String>,
}

/// What a session asks of the world. One attempt a call: trying again is the session's.
pub trait RotationBackend: Send + Sync + 'static {
    /// Opens the reader's session through the federation.
    fn open(&self) -> impl Future<Output = Result<Opened, Refused>> + Send;

    /// The id of the current version, in one request.
    fn current(&self, secret: &SecretRef) -> impl Future<Output = Result<String, Refused>> + Send;

    /// The versions that can be seen, with fingerprints.
    fn snapshot(&self, secret: &SecretRef) -> impl Future<Output = Result<StoreSnapshot, Refused>> + Send;

    /// One look at the running automation; none where there is nothing to look at in that moment. A look that starts a
    /// run tells its kickoff's id to `accepted` as soon as the deployment has told it.
    fn runtime(
        &self,
        moment: Moment,
        accepted: oneshot::Sender<String>,
    ) -> impl Future<Output = Result<Option<RuntimeObservation>, Refused>> + Send;

    /// The end of a run whose kickoff was sent at `began`; none where nobody knows it any more, or runs are not looked at.
    fn follow(
        &self,
        kickoff_id: &str,
        began: UnixMillis,
    ) -> impl Future<Output = Result<Option<RuntimeObservation>, Refused>> + Send;

    /// Writes the new value of one secret.
    fn write(&self, secret: &SecretRef) -> impl Future<Output = Result<Written, Refused>> + Send;

    /// Runs the user's program that rotates all secrets of the session.
    fn run_command(&self) -> impl Future<Output = Result<(), Refused>> + Send;

    /// Makes this earlier version, or its value, current again; yields the version that is current then.
    fn roll_back(&self, secret: &SecretRef, to: &str) -> impl Future<Output = Result<String, Refused>> + Send;
}
