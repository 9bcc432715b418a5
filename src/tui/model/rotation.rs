//! The rotation session of the console: its events folded, and what it does at the moment.

use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::secret_ref::SecretRef;
use crate::run::rotation::event::{Awaited, Phase, RotationEvent, RotationKind};
use crate::run::rotation::report::{RotationReport, SecretReport};
use crate::run::rotation::session::RuntimeFrom;
use crate::tui::inputs::{Keeps, RotationChoice};
use crate::tui::message::SessionNumber;
use crate::tui::model::{Lifecycle, Model};

/// The rotation screen's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rotation {
    /// The last session that was begun. What arrives of earlier ones is dropped.
    pub session: Option<Session>,
    next: SessionNumber,
}

/// What a profile says of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The secret that it is about, `name` or `name#key`.
    pub secret: Option<String>,
    /// The address of the automation that uses it.
    pub deployment: Option<String>,
}

/// What the profile that would be rotated in says, as it stands now: what was entered since its last run counts. `None`
/// while it is not known.
pub fn rotated(model: &Model) -> Option<Rotated> {
    let run = model.runs.shown().or(model.runs.newest())?;
    let target = &run.choice.as_ref()?.target;
    let followed = model.guide.followed.as_deref();
    if let Some(followed) = followed.filter(|f| f.target.as_ref() == Some(target) && f.file.keeps == Keeps::File) {
        let text = |key| followed.setting(key).map(|setting| setting.value.to_string());
        let secret = text(Key::SecretName).and_then(|name| SecretRef::parse(&name).ok());
        return Some(Rotated { secret: secret.map(|secret| secret.to_string()), deployment: text(Key::DeploymentUrl) });
    }
    let profile = run.profile.as_deref()?;
    Some(Rotated {
        secret: profile.secret.as_ref().map(ToString::to_string),
        deployment: profile.deployment.url.clone(),
    })
}

/// A rotation session.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub number: SessionNumber,
    pub choice: RotationChoice,
    /// The profile that it works with, once it is known.
    pub profile: Option<Box<Profile>>,
    /// When the session began that was interrupted and that this one goes on with (RFC 3339).
    pub resumes: Option<String>,
    pub report: RotationReport,
    pub state: Lifecycle,
    pub doing: Doing,
    /// When it was begun, in milliseconds since 1970.
    pub began_ms: i64,
    next_seq: u64,
}

/// What a session does at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It opens the reader's session, or reads the store.
    Reading,
    /// The running automation is looked at.
    Looking(Phase),
    /// This secret is written.
    Writing(String),
    /// Nothing new yet.
    Waiting {
        awaited: Awaited,
        attempt: u32,
        /// When it looks again, in milliseconds since 1970.
        next_ms: i64,
    },
    /// This secret's version before can be made current again; a person decides.
    Offering(String),
}

impl Rotation {
    /// Begins a session in the place of the one before.
    pub fn begin(&mut self, choice: RotationChoice, now_ms: i64) -> SessionNumber {
        let number = self.next;
        self.next += 1;
        self.session = Some(Session {
            number,
            choice,
            profile: None,
            resumes: None,
            report: RotationReport::default(),
            state: Lifecycle::Running,
            doing: Doing::Reading,
            began_ms: now_ms,
            next_seq: 0,
        });
        number
    }

    /// The session of this number, if it is the one that is shown.
    pub fn get_mut(&mut self, number: SessionNumber) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| session.number == number)
    }

    /// The session that is still going on.
    pub fn live(&self) -> Option<&Session> {
        self.session.as_ref().filter(|session| session.is_live())
    }
}

impl Session {
    /// Whether more events may come.
    pub fn is_live(&self) -> bool {
        matches!(self.state, Lifecycle::Running | Lifecycle::Cancelling)
    }

    /// The secret that could be rolled back, while a person is asked.
    pub fn offering(&self) -> Option<&SecretReport> {
        match &self.doing {
            Doing::Offering(secret) if self.state == Lifecycle::Running => {
                self.report.secrets.iter().find(|report| report.secret == *secret)
            }
            _ => None,
        }
    }

    /// Whether it waits for what the automation printed after the rotation.
    pub fn asks_for_output(&self) -> bool {
        self.doing == Doing::Looking(Phase::After) && self.choice.runtime == RuntimeFrom::Pasted
    }

    /// Whether it takes what the automation printed: where it was begun to, or before anything is written.
    pub fn takes_output(&self) -> bool {
        let is_early = matches!(self.doing, Doing::Waiting { awaited: Awaited::Store, .. });
        self.state == Lifecycle::Running && (is_early || self.choice.runtime == RuntimeFrom::Pasted)
    }

    /// Folds an event in. One that came already is dropped.
    pub fn apply(&mut self, event: &RotationEvent, now_ms: i64) {
        if event.seq < self.next_seq {
            return;
        }
        self.next_seq = event.seq.saturating_add(1);
        self.report.apply(event);
        match &event.kind {
            RotationKind::Looking { moment } => self.doing = Doing::Looking(*moment),
            RotationKind::Writing { secret } => self.doing = Doing::Writing(secret.clone()),
            RotationKind::Waiting { awaited, attempt, next_ms } => {
                let next_ms = now_ms.saturating_add(i64::try_from(*next_ms).unwrap_or(i64::MAX));
                self.doing = Doing::Waiting { awaited: *awaited, attempt: *attempt, next_ms };
            }
            RotationKind::RollBackOffered { secret, .. } => self.doing = Doing::Offering(secret.clone()),
            RotationKind::Done { .. } => self.state = Lifecycle::Ended,
            RotationKind::StoreSeen { .. }
            | RotationKind::RuntimeSeen { .. }
            | RotationKind::Written { .. }
            | RotationKind::RolledBack { .. }
            | RotationKind::Judged(_) => self.doing = Doing::Reading,
            RotationKind::Started { .. }
            | RotationKind::Acting { .. }
            | RotationKind::ClockSkew { .. }
            | RotationKind::Asked { .. }
            | RotationKind::KickedOff { .. }
            | RotationKind::Trouble { .. } => {}
        }
    }
}
