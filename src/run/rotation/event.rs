//! Rotation events: the one ordered stream that the command line, the console and the evidence are folds of.
//!
//! Events hold no value and no length of one: they are made from versions and fingerprints.

use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::cause::Finding;
use crate::domain::rotation::{Judgement, RuntimeObservation, StoreSnapshot};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::UnixMillis;

/// One event of a rotation session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RotationEvent {
    /// Position in the stream, from 0, without gaps.
    pub seq: u64,
    /// Milliseconds since the session started.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: RotationKind,
}

/// Before or after the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Before,
    After,
}

/// Who writes the new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationMethod {
    /// A person, while the session waits.
    ByHand,
    /// A program of the user's.
    Command,
    /// trustline, with an operator's credentials.
    Trustline,
    /// It has been written before the session began.
    Already,
    /// Whoever does, again and again, until the session is ended.
    Watch,
}

/// As whom a session acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Reads, through the federation.
    Reader,
    /// Writes.
    Operator,
}

/// What is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Awaited {
    /// A new current version.
    Store,
    /// The running automation's new value.
    Runtime,
}

/// What happened. Secrets are named by `name` or `name#json_key`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RotationKind {
    /// The session begins.
    Started {
        /// The profile's name.
        profile: String,
        /// The guide's id.
        guide: String,
        /// RFC 3339 UTC.
        started: String,
        secrets: Vec<String>,
        way: RotationMethod,
        /// Whether the running automation is going to be looked at.
        runtime: bool,
    },
    /// The cloud told as whom the session acts: an ARN, or an application's id.
    Acting { part: Part, identity: String },
    /// The store was read.
    StoreSeen { secret: String, moment: Phase, snapshot: StoreSnapshot },
    /// The difference of the store's clock to the local one, in seconds: above zero where the store's is ahead.
    ClockSkew { seconds: i64 },
    /// The running automation is being looked at; a kickoff may take minutes.
    Looking { moment: Phase },
    /// The deployment accepted a kickoff that was sent at `began`, or goes on with that run; it may take minutes.
    KickedOff { moment: Phase, kickoff_id: String, began: UnixMillis },
    /// The running automation was seen.
    RuntimeSeen { moment: Phase, sighting: RuntimeObservation },
    /// The person is asked to rotate; the command reads the new value from a prompt.
    Asked { secret: String, command: String },
    /// The new value is about to be written.
    Writing { secret: String },
    /// The store took the new value, or the current version was seen to have changed.
    Written { secret: String, version: String, at: UnixMillis },
    /// Nothing new yet: the next look follows.
    Waiting { awaited: Awaited, attempt: u32, next_ms: u64 },
    /// Something could not be done; the session goes on with what it has.
    Trouble { secret: Option<String>, reason: String, findings: Vec<Finding> },
    /// The verdict on one rotation of one secret.
    Judged(Box<Judged>),
    /// The rotation went wrong, and the version before can be made current again.
    RollBackOffered { secret: String, version: String },
    /// The version before is current again, or its value is.
    RolledBack { secret: String, version: String },
    /// The session has ended.
    Done {
        /// Milliseconds from start to end.
        duration_ms: u64,
        /// Why the session ended before its work, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut_short: Option<String>,
    },
}

/// The verdict on one rotation of one secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub secret: String,
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Milliseconds from the write to the first sight at the runtime; only where propagated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagated_ms: Option<u64>,
    /// The likely reasons, the likeliest first.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// The schema's name.
pub const SCHEMA: &str = "trustline.rotation-session/1";

/// A session as far as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionCheckpoint {
    pub schema: String,
    /// RFC 3339 UTC.
    pub started: String,
    pub profile: String,
    pub way: RotationMethod,
    pub secrets: Vec<String>,
    /// Whether the rotation has begun: from here on the store may hold a new version.
    pub begun: bool,
    /// What the store held before.
    pub stores: Vec<KeptStore>,
    /// What the running automation showed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeObservation>,
    /// What was written.
    pub written: Vec<KeptWrite>,
    /// The run of the automation that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<EarlierRun>,
}

/// What the store held of one secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptStore {
    pub secret: String,
    pub snapshot: StoreSnapshot,
}

/// When a new version was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWrite {
    pub secret: String,
    pub at: UnixMillis,
}

impl SessionCheckpoint {
    /// A session that begins with this event; none where the event begins none, or one that has no end to go on to.
    pub fn begin(event: &RotationEvent) -> Option<Self> {
        match &event.kind {
            RotationKind::Started { profile, started, secrets, way, .. }
                if !matches!(way, RotationMethod::Watch | RotationMethod::Already) =>
            {
                Some(SessionCheckpoint {
                    schema: SCHEMA.to_owned(),
                    started: started.clone(),
                    profile: profile.clone(),
                    way: *way,
                    secrets: secrets.clone(),
                    begun: false,
                    stores: Vec::new(),
                    runtime: None,
                    written: Vec::new(),
                    run: None,
                })
            }
            _ => None,
        }
    }

    /// Takes in an event; whether that changed what is kept.
    pub fn apply(&mut self, event: &RotationEvent) -> bool {
        match &event.kind {
            RotationKind::StoreSeen { secret, moment: Phase::Before, snapshot } => {
                self.stores.retain(|known| known.secret != *secret);
                self.stores.push(KeptStore { secret: secret.clone(), snapshot: snapshot.clone() });
            }
            RotationKind::KickedOff { moment, kickoff_id, began } => {
                self.run = Some(EarlierRun { moment: *moment, kickoff_id: kickoff_id.clone(), began: *began });
            }
            RotationKind::RuntimeSeen { moment, sighting } => {
                self.run = None;
                if *moment == Phase::Before {
                    self.runtime = Some(sighting.clone());
                }
            }
            RotationKind::Asked { .. } | RotationKind::Writing { .. } if !self.begun => self.begun = true,
            RotationKind::Written { secret, at, .. } => {
                self.begun = true;
                self.written.retain(|known| known.secret != *secret);
                self.written.push(KeptWrite { secret: secret.clone(), at: *at });
            }
            _ => return false,
        }
        true
    }

    /// What a session that goes on has from this one.
    pub fn earlier(&self) -> Earlier {
        Earlier {
            stores: self.stores.iter().map(|kept| (kept.secret.clone(), kept.snapshot.clone())).collect(),
            runtime: self.runtime.clone(),
            written: self.written.iter().map(|kept| (kept.secret.clone(), kept.at)).collect(),
            run: self.run.clone(),
        }
    }
}

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
        moment: Phase,
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
/// What was seen before a session was interrupted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// By secret.
    pub stores: Vec<(String, StoreSnapshot)>,
    pub runtime: Option<RuntimeObservation>,
    /// When new versions were written, by secret.
    pub written: Vec<(String, UnixMillis)>,
    /// The run of the automation that was under way.
    pub run: Option<EarlierRun>,
}

/// A run of the automation whose end nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRun {
    pub moment: Phase,
    pub kickoff_id: String,
    /// When its kickoff was sent.
    pub began: UnixMillis,
}
