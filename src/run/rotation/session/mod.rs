//! A rotation session: what was there, the rotation, what is there now, and the verdict, as one ordered stream of events.

mod prove;
mod request;
mod rotate;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::request::{Journal, Pace, RollBack, RotationRequest, RuntimeFrom, SessionCommand};
pub use super::event::Earlier;
pub use super::event::EarlierRun;
use super::event::{Part, Phase, RotationEvent, RotationKind, RotationMethod};
use super::event::{Refused, RotationBackend};
use crate::domain::rotation::{RuntimeObservation, StoreSnapshot};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::{UnixMillis, rfc3339};
use crate::run::{now, now_ms};

/// How many events may wait for a slow reader before the session waits for it.
const EVENTS_AHEAD: usize = 256;

/// Starts a session on the current runtime. The stream ends with [`RotationKind::Done`], also when `cancel` fires.
pub fn start<W: RotationBackend>(
    request: RotationRequest,
    world: Arc<W>,
    commands: mpsc::Receiver<SessionCommand>,
    journal: Journal,
    cancel: CancellationToken,
) -> mpsc::Receiver<RotationEvent> {
    let (events, receiver) = mpsc::channel(EVENTS_AHEAD);
    tokio::spawn(async move {
        let mut session = Session::new(request, world, commands, journal, events);
        let cut_short = tokio::select! {
            () = session.run() => None,
            () = cancel.cancelled() => Some("interrupted".to_owned()),
        };
        session.done(cut_short).await;
    });
    receiver
}

struct Session<W> {
    request: RotationRequest,
    world: Arc<W>,
    commands: mpsc::Receiver<SessionCommand>,
    journal: Journal,
    events: mpsc::Sender<RotationEvent>,
    seq: u64,
    began: Instant,
    tracked: Vec<Tracked>,
    runtime_before: Option<RuntimeObservation>,
    runtime_after: Option<RuntimeObservation>,
    /// What an interrupted session started and did not see the end of.
    earlier_run: Option<EarlierRun>,
}

/// One secret of the session.
struct Tracked {
    secret: SecretRef,
    name: String,
    before: Option<StoreSnapshot>,
    after: Option<StoreSnapshot>,
    /// When the new value was written, as exactly as is known.
    written: Option<UnixMillis>,
    /// Whether what was there before was seen by a session that was interrupted, and when that one wrote.
    kept: bool,
    written_earlier: Option<UnixMillis>,
    /// The last look that did not show a new version yet.
    last_look: UnixMillis,
}

impl Tracked {
    fn has_new_version(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.current != after.current,
            _ => false,
        }
    }
}

impl<W: RotationBackend> Session<W> {
    fn new(
        request: RotationRequest,
        world: Arc<W>,
        commands: mpsc::Receiver<SessionCommand>,
        journal: Journal,
        events: mpsc::Sender<RotationEvent>,
    ) -> Self {
        let tracked = request
            .secrets
            .iter()
            .map(|secret| Tracked {
                secret: secret.clone(),
                name: secret.to_string(),
                before: None,
                after: None,
                written: None,
                kept: false,
                written_earlier: None,
                last_look: 0,
            })
            .collect();
        let (runtime_before, earlier_run) = (request.earlier.runtime.clone(), request.earlier.run.clone());
        Session {
            request,
            world,
            commands,
            journal,
            events,
            seq: 0,
            began: Instant::now(),
            tracked,
            runtime_before,
            runtime_after: None,
            earlier_run,
        }
    }

    async fn run(&mut self) {
        self.started().await;
        match self.world.open().await {
            Ok(opened) => {
                if let Some(identity) = opened.identity {
                    self.emit(RotationKind::Acting { part: Part::Reader, identity }).await;
                }
                if let Some(seconds) = opened.clock_skew_s {
                    self.emit(RotationKind::ClockSkew { seconds }).await;
                }
            }
            Err(refused) => {
                self.trouble(None, refused).await;
                self.judge_all().await;
                return;
            }
        }
        self.look_before().await;
        match self.request.way {
            RotationMethod::Watch => self.watch().await,
            RotationMethod::Already => {
                self.take_as_made().await;
                self.prove().await;
            }
            RotationMethod::ByHand | RotationMethod::Command | RotationMethod::Trustline => {
                self.rotate().await;
                self.prove().await;
            }
        }
    }

    async fn started(&mut self) {
        let kind = RotationKind::Started {
            profile: self.request.profile.name.clone(),
            guide: self.request.profile.guide.id().to_owned(),
            started: rfc3339(now()).unwrap_or_default(),
            secrets: self.tracked.iter().map(|tracked| tracked.name.clone()).collect(),
            way: self.request.way,
            runtime: self.request.runtime != RuntimeFrom::Nowhere,
        };
        self.emit(kind).await;
    }

    /// What is there before the rotation; what an interrupted session saw is kept.
    async fn look_before(&mut self) {
        let earlier = std::mem::take(&mut self.request.earlier);
        for at in 0..self.tracked.len() {
            let tracked = &mut self.tracked[at];
            let kept = earlier.stores.iter().find(|(name, _)| *name == tracked.name).map(|(_, seen)| seen.clone());
            tracked.kept = kept.is_some();
            tracked.written_earlier = earlier.written.iter().find(|(name, _)| *name == tracked.name).map(|(_, at)| *at);
            let seen = match kept {
                Some(snapshot) => Ok(snapshot),
                None => self.world.snapshot(&self.tracked[at].secret).await,
            };
            self.saw_store(at, Phase::Before, seen).await;
        }
        match self.runtime_before.clone() {
            Some(sighting) => self.emit(RotationKind::RuntimeSeen { moment: Phase::Before, sighting }).await,
            None if self.request.runtime == RuntimeFrom::World && self.request.way != RotationMethod::Watch => {
                self.look_at_runtime(Phase::Before).await;
            }
            None => {}
        }
    }

    async fn saw_store(&mut self, at: usize, moment: Phase, seen: Result<StoreSnapshot, Refused>) {
        let secret = self.tracked[at].name.clone();
        match seen {
            Ok(snapshot) => {
                let tracked = &mut self.tracked[at];
                match moment {
                    Phase::Before => {
                        tracked.last_look = snapshot.at;
                        tracked.before = Some(snapshot.clone());
                    }
                    Phase::After => tracked.after = Some(snapshot.clone()),
                }
                self.emit(RotationKind::StoreSeen { secret, moment, snapshot }).await;
            }
            Err(refused) => self.trouble(Some(secret), refused).await,
        }
    }

    /// One look at the running automation: at the run that an interrupted session started, where there is one.
    async fn look_at_runtime(&mut self, moment: Phase) {
        self.emit(RotationKind::Looking { moment }).await;
        if let Some(run) = self.earlier_run.take_if(|run| run.moment == moment)
            && self.follow(run).await
        {
            return;
        }
        let (accepted, told) = oneshot::channel();
        let (world, began) = (self.world.clone(), now_ms());
        // Told while the run is under way: whoever is interrupted then still knows what was started.
        let kicked_off = async {
            if let Ok(kickoff_id) = told.await {
                self.emit(RotationKind::KickedOff { moment, kickoff_id, began }).await;
            }
        };
        let (seen, ()) = tokio::join!(world.runtime(moment, accepted), kicked_off);
        match seen {
            Ok(Some(sighting)) => self.saw_runtime(moment, sighting).await,
            Ok(None) => {}
            Err(refused) => self.trouble(None, refused).await,
        }
    }

    /// Sees a run to its end; false where the deployment does not know it any more.
    async fn follow(&mut self, run: EarlierRun) -> bool {
        let EarlierRun { moment, kickoff_id, began } = run;
        self.emit(RotationKind::KickedOff { moment, kickoff_id: kickoff_id.clone(), began }).await;
        match self.world.follow(&kickoff_id, began).await {
            Ok(Some(sighting)) => self.saw_runtime(moment, sighting).await,
            Ok(None) => return false,
            Err(refused) => self.trouble(None, refused).await,
        }
        true
    }

    async fn saw_runtime(&mut self, moment: Phase, sighting: RuntimeObservation) {
        match moment {
            Phase::Before => self.runtime_before = Some(sighting.clone()),
            Phase::After => self.runtime_after = Some(sighting.clone()),
        }
        self.emit(RotationKind::RuntimeSeen { moment, sighting }).await;
    }

    async fn trouble(&mut self, secret: Option<String>, refused: Refused) {
        let Refused { reason, findings } = refused;
        self.emit(RotationKind::Trouble { secret, reason, findings }).await;
    }

    async fn done(&mut self, cut_short: Option<String>) {
        let duration_ms = millis(self.began.elapsed());
        self.emit(RotationKind::Done { duration_ms, cut_short }).await;
    }

    /// Keeps an event and sends it. A reader that has gone away does not stop the session, and neither does a journal
    /// that cannot be written: that is told before the event.
    async fn emit(&mut self, kind: RotationKind) {
        let event = self.next(kind);
        if let Err(reason) = (self.journal)(&event) {
            let trouble = RotationKind::Trouble { secret: None, reason, findings: Vec::new() };
            let _ = self.events.send(RotationEvent { kind: trouble, ..event }).await;
            let event = self.next(event.kind);
            let _ = self.events.send(event).await;
        } else {
            let _ = self.events.send(event).await;
        }
    }

    fn next(&mut self, kind: RotationKind) -> RotationEvent {
        let event = RotationEvent { seq: self.seq, at_ms: millis(self.began.elapsed()), kind };
        self.seq += 1;
        event
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
