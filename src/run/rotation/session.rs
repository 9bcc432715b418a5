//! A rotation session: what was there, the rotation, what is there now, and the verdict, as one ordered stream of events.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::event::{Awaited, Judged, Moment, Part, RotationEvent, RotationKind, Way};
use super::world::{Refused, RotationWorld};
use crate::cause::explain::{Given, completed};
use crate::cause::rotation::{self, ReadAt};
use crate::domain::profile::{Guide, Profile};
use crate::domain::rotation::{Facts, Sighting, Source, StoreSnapshot, Verdict, judge};
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::{UnixMillis, rfc3339};

/// How many events may wait for a slow reader before the session waits for it.
const EVENTS_AHEAD: usize = 256;

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

/// What was seen before a session was interrupted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// By secret.
    pub stores: Vec<(String, StoreSnapshot)>,
    pub runtime: Option<Sighting>,
    /// When new versions were written, by secret.
    pub written: Vec<(String, UnixMillis)>,
}

/// Takes each event before the session goes on, so that what is kept is never behind what is done. An error says, in
/// words, that the event could not be kept.
pub type Journal = Box<dyn FnMut(&RotationEvent) -> Result<(), String> + Send>;

/// What to do.
#[derive(Clone, Debug)]
pub struct RotationRequest {
    pub profile: Profile,
    pub secrets: Vec<SecretRef>,
    pub way: Way,
    /// For rotating by hand: what to run for a secret, in the order of `secrets`.
    pub asks: Vec<String>,
    pub runtime: RuntimeFrom,
    pub roll_back: RollBack,
    pub pace: Pace,
    pub earlier: Earlier,
}

/// What somebody tells a session while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Starts a session on the current runtime. The stream ends with [`RotationKind::Done`], also when `cancel` fires.
pub fn start<W: RotationWorld>(
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

/// The local clock.
pub(crate) fn now() -> UnixMillis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
    runtime_before: Option<Sighting>,
    runtime_after: Option<Sighting>,
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

impl<W: RotationWorld> Session<W> {
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
        let runtime_before = request.earlier.runtime.clone();
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
            Way::Watch => self.watch().await,
            Way::Already => {
                self.take_as_made().await;
                self.prove().await;
            }
            Way::ByHand | Way::Command | Way::Trustline => {
                self.rotate().await;
                self.prove().await;
            }
        }
    }

    async fn started(&mut self) {
        let kind = RotationKind::Started {
            profile: self.request.profile.name.clone(),
            guide: self.request.profile.guide.id().to_owned(),
            started: rfc3339(now().div_euclid(1000)).unwrap_or_default(),
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
            self.saw_store(at, Moment::Before, seen).await;
        }
        match self.runtime_before.clone() {
            Some(sighting) => self.emit(RotationKind::RuntimeSeen { moment: Moment::Before, sighting }).await,
            None if self.request.runtime == RuntimeFrom::World && self.request.way != Way::Watch => {
                self.look_at_runtime(Moment::Before).await;
            }
            None => {}
        }
    }

    async fn saw_store(&mut self, at: usize, moment: Moment, seen: Result<StoreSnapshot, Refused>) {
        let secret = self.tracked[at].name.clone();
        match seen {
            Ok(snapshot) => {
                let tracked = &mut self.tracked[at];
                match moment {
                    Moment::Before => {
                        tracked.last_look = snapshot.at;
                        tracked.before = Some(snapshot.clone());
                    }
                    Moment::After => tracked.after = Some(snapshot.clone()),
                }
                self.emit(RotationKind::StoreSeen { secret, moment, snapshot }).await;
            }
            Err(refused) => self.trouble(Some(secret), refused).await,
        }
    }

    /// One look at the running automation.
    async fn look_at_runtime(&mut self, moment: Moment) {
        self.emit(RotationKind::Looking { moment }).await;
        match self.world.runtime(moment).await {
            Ok(Some(sighting)) => self.saw_runtime(moment, sighting).await,
            Ok(None) => {}
            Err(refused) => self.trouble(None, refused).await,
        }
    }

    async fn saw_runtime(&mut self, moment: Moment, sighting: Sighting) {
        match moment {
            Moment::Before => self.runtime_before = Some(sighting.clone()),
            Moment::After => self.runtime_after = Some(sighting.clone()),
        }
        self.emit(RotationKind::RuntimeSeen { moment, sighting }).await;
    }

    /// The rotation was made before the session began: what is there now is "after", and "before" follows from it.
    async fn take_as_made(&mut self) {
        for at in 0..self.tracked.len() {
            let Some(after) = self.tracked[at].before.take() else { continue };
            let before = after.before_last_write().ok_or_else(|| {
                Refused::new(
                    "the version before the current one cannot be seen, so that nothing can be compared with it",
                )
            });
            self.saw_store(at, Moment::Before, before).await;
            self.tracked[at].written = after.current().and_then(|v| v.created_at).map(|s| s.saturating_mul(1000));
            self.saw_store(at, Moment::After, Ok(after)).await;
        }
    }

    async fn rotate(&mut self) {
        // A session that goes on may find the rotation made that it was interrupted in: it is not made again.
        let kept = (0..self.tracked.len()).filter(|at| self.tracked[*at].kept).collect();
        self.still_open(kept).await;
        let to_do: Vec<usize> = (0..self.tracked.len()).filter(|at| self.tracked[*at].written.is_none()).collect();
        match self.request.way {
            Way::Command if to_do.is_empty() => {}
            Way::Command => {
                if let Err(refused) = self.world.run_command().await {
                    self.trouble(None, refused).await;
                }
            }
            Way::Trustline => {
                for at in to_do {
                    self.write(at).await;
                }
            }
            _ => {
                let asks = self.request.asks.clone();
                for (command, at) in asks.into_iter().zip(0..).filter(|(_, at)| to_do.contains(at)) {
                    if let Some(tracked) = self.tracked.get(at).filter(|tracked| tracked.before.is_some()) {
                        let secret = tracked.name.clone();
                        self.emit(RotationKind::Asked { secret, command }).await;
                    }
                }
            }
        }
        self.await_new_versions().await;
        for at in 0..self.tracked.len() {
            if self.tracked[at].before.is_some() {
                let seen = self.world.snapshot(&self.tracked[at].secret).await;
                self.saw_store(at, Moment::After, seen).await;
            }
        }
    }

    /// Writes a secret's new value; not where nothing is known of the one before, since nothing could be proven then.
    async fn write(&mut self, at: usize) {
        let (secret, name) = (self.tracked[at].secret.clone(), self.tracked[at].name.clone());
        if self.tracked[at].before.is_none() {
            let refused = Refused::new("it was not written, since what is there now could not be read");
            return self.trouble(Some(name), refused).await;
        }
        self.emit(RotationKind::Writing { secret: name.clone() }).await;
        match self.world.write(&secret).await {
            Ok(written) => {
                if let Some(identity) = written.operator {
                    self.emit(RotationKind::Acting { part: Part::Operator, identity }).await;
                }
                self.tracked[at].written = Some(written.at);
                let version = written.version.unwrap_or_default();
                self.emit(RotationKind::Written { secret: name, version, at: written.at }).await;
            }
            Err(refused) => self.trouble(Some(name), refused).await,
        }
    }

    /// Looks at the store until every secret has a new current version, or the time is up.
    async fn await_new_versions(&mut self) {
        let deadline = Instant::now() + self.request.pace.store;
        let writes = self.request.way == Way::Trustline;
        let mut open: Vec<usize> = (0..self.tracked.len())
            .filter(|at| self.tracked[*at].before.is_some() && (!writes || self.tracked[*at].written.is_some()))
            .collect();
        let mut attempt = 0;
        loop {
            open = self.still_open(open).await;
            if open.is_empty() || !self.pause(Awaited::Store, &mut attempt, deadline).await {
                return;
            }
        }
    }

    /// Which of these secrets have no new version yet.
    async fn still_open(&mut self, open: Vec<usize>) -> Vec<usize> {
        let looks = open.iter().map(|at| self.world.current(&self.tracked[*at].secret));
        let seen = join_all(looks).await;
        let (at_now, mut left) = (now(), Vec::new());
        for (at, current) in open.into_iter().zip(seen) {
            let tracked = &mut self.tracked[at];
            match current {
                Ok(version) if tracked.before.as_ref().is_some_and(|before| before.current != version) => {
                    if tracked.written.is_none() {
                        let at = tracked.written_earlier.unwrap_or(at_now);
                        tracked.written = Some(at);
                        let secret = tracked.name.clone();
                        self.emit(RotationKind::Written { secret, version, at }).await;
                    }
                }
                Ok(_) => {
                    tracked.last_look = at_now;
                    left.push(at);
                }
                Err(refused) => {
                    let name = tracked.name.clone();
                    self.trouble(Some(name), refused).await;
                    left.push(at);
                }
            }
        }
        left
    }

    /// Waits for the next look, which somebody may hasten. False where the time is up.
    async fn pause(&mut self, awaited: Awaited, attempt: &mut u32, deadline: Instant) -> bool {
        let pace = self.request.pace;
        let pause = pace.first.saturating_mul(1 << (*attempt).min(8)).min(pace.longest);
        *attempt += 1;
        let now = Instant::now();
        if now >= deadline {
            return false;
        }
        let next = (now + pause).min(deadline);
        let next_ms = millis(next - now);
        self.emit(RotationKind::Waiting { awaited, attempt: *attempt, next_ms }).await;
        loop {
            tokio::select! {
                () = sleep_until(next) => return true,
                Some(command) = self.commands.recv() => match command {
                    SessionCommand::LookNow => return true,
                    SessionCommand::Conclude => return false,
                    SessionCommand::Text(text) if awaited == Awaited::Store => {
                        self.saw_runtime(Moment::Before, pasted(&text)).await;
                    }
                    _ => {}
                },
            }
        }
    }

    /// Looks at the running automation until it has the new values or the time is up, then judges.
    async fn prove(&mut self) {
        self.refine_times();
        if self.tracked.iter().any(Tracked::has_new_version) {
            match self.request.runtime {
                RuntimeFrom::Nowhere => {}
                RuntimeFrom::World => self.look_until_settled().await,
                RuntimeFrom::Pasted => self.await_text().await,
            }
        }
        self.judge_all().await;
        self.roll_back().await;
    }

    /// The store's own time of the new version is better than the time of our look, as long as it lies between the last
    /// look without it and the first with it.
    fn refine_times(&mut self) {
        for tracked in &mut self.tracked {
            let created = tracked.after.as_ref().and_then(|after| after.current()).and_then(|v| v.created_at);
            // Of a write of its own the session knows better, unless it was interrupted in it.
            let own = self.request.way == Way::Trustline && (!tracked.kept || tracked.written_earlier.is_some());
            if let (Some(written), Some(created), false) =
                (tracked.written, created, own || self.request.way == Way::Already)
            {
                tracked.written = Some(created.saturating_mul(1000).clamp(tracked.last_look.min(written), written));
            }
        }
    }

    async fn look_until_settled(&mut self) {
        let deadline = Instant::now() + self.request.pace.runtime;
        let mut attempt = 0;
        loop {
            self.look_at_runtime(Moment::After).await;
            let unsettled = self
                .tracked
                .iter()
                .any(|t| t.has_new_version() && matches!(self.judge(t).0, Verdict::Stale | Verdict::Inconclusive));
            if !unsettled || !self.pause(Awaited::Runtime, &mut attempt, deadline).await {
                return;
            }
        }
    }

    async fn await_text(&mut self) {
        let deadline = Instant::now() + self.request.pace.runtime;
        self.emit(RotationKind::Looking { moment: Moment::After }).await;
        while let Ok(Some(command)) = timeout_at(deadline, self.commands.recv()).await {
            match command {
                SessionCommand::Text(text) => return self.saw_runtime(Moment::After, pasted(&text)).await,
                SessionCommand::Conclude => return,
                _ => {}
            }
        }
    }

    /// Reports each rotation of each secret, until the session is cancelled.
    async fn watch(&mut self) {
        let mut attempt = 0;
        loop {
            let all: Vec<usize> = (0..self.tracked.len()).filter(|at| self.tracked[*at].before.is_some()).collect();
            if all.is_empty() {
                return self.judge_all().await;
            }
            let open = self.still_open(all.clone()).await;
            let changed: Vec<usize> = all.into_iter().filter(|at| !open.contains(at)).collect();
            if !changed.is_empty() {
                attempt = 0;
                self.prove_watched(&changed).await;
            }
            let far = Instant::now() + self.request.pace.longest.saturating_mul(2);
            self.pause(Awaited::Store, &mut attempt, far).await;
        }
    }

    /// One rotation that was seen while watching; afterwards, what is there now is what was there before the next one.
    async fn prove_watched(&mut self, changed: &[usize]) {
        for at in changed {
            let seen = self.world.snapshot(&self.tracked[*at].secret).await;
            self.saw_store(*at, Moment::After, seen).await;
        }
        self.refine_times();
        if self.request.runtime == RuntimeFrom::World {
            self.look_until_settled().await;
        }
        for at in changed {
            self.judged(*at).await;
            let tracked = &mut self.tracked[*at];
            if let Some(after) = tracked.after.take() {
                tracked.written = None;
                self.saw_store(*at, Moment::Before, Ok(after)).await;
            }
        }
        self.runtime_before = self.runtime_after.take();
    }

    fn facts<'a>(&'a self, tracked: &'a Tracked) -> Facts<'a> {
        Facts {
            store_before: tracked.before.as_ref(),
            store_after: tracked.after.as_ref(),
            runtime_before: self.runtime_before.as_ref(),
            runtime_after: self.runtime_after.as_ref(),
        }
    }

    fn judge(&self, tracked: &Tracked) -> (Verdict, Judged) {
        let facts = self.facts(tracked);
        let judgement = judge(&facts);
        let verdict = judgement.verdict;
        let guide = self.request.profile.guide;
        let given = Given { claims: None, trust: None, profile: Some(&self.request.profile) };
        let findings = rotation::findings(&judgement, &facts, read_at(&self.request.profile))
            .into_iter()
            .map(|finding| completed(finding, Some(guide.id()), &given))
            .collect();
        let seen = self.runtime_after.as_ref().filter(|_| verdict == Verdict::Propagated).map(|seen| seen.at);
        let propagated_ms =
            seen.zip(tracked.written).map(|(seen, written)| u64::try_from(seen - written).unwrap_or_default());
        (verdict, Judged { secret: tracked.name.clone(), judgement, propagated_ms, findings })
    }

    async fn judged(&mut self, at: usize) {
        let (_, judged) = self.judge(&self.tracked[at]);
        self.emit(RotationKind::Judged(Box::new(judged))).await;
    }

    async fn judge_all(&mut self) {
        for at in 0..self.tracked.len() {
            self.judged(at).await;
        }
    }

    /// Makes the versions before current again where a rotation went wrong and that is wanted.
    async fn roll_back(&mut self) {
        if self.request.roll_back == RollBack::Never {
            return;
        }
        for at in 0..self.tracked.len() {
            let tracked = &self.tracked[at];
            let (verdict, _) = self.judge(tracked);
            let went_wrong = matches!(verdict, Verdict::Stale | Verdict::Foreign | Verdict::NearMiss);
            let Some(before) = tracked.before.as_ref().filter(|_| went_wrong && tracked.has_new_version()) else {
                continue;
            };
            let (secret, name, to) = (tracked.secret.clone(), tracked.name.clone(), before.current.clone());
            self.emit(RotationKind::RollBackOffered { secret: name.clone(), version: to.clone() }).await;
            if self.request.roll_back == RollBack::Ask && !self.is_wanted().await {
                continue;
            }
            match self.world.roll_back(&secret, &to).await {
                Ok(version) => self.emit(RotationKind::RolledBack { secret: name, version }).await,
                Err(refused) => self.trouble(Some(name), refused).await,
            }
        }
    }

    /// The answer to the offer; none where nobody is there to answer.
    async fn is_wanted(&mut self) -> bool {
        loop {
            match self.commands.recv().await {
                Some(SessionCommand::RollBack) => return true,
                Some(SessionCommand::KeepAsIs) | None => return false,
                Some(_) => {}
            }
        }
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

/// What somebody brought, reduced.
fn pasted(text: &str) -> Sighting {
    let at = now();
    Sighting { began: at, at, source: Source::Text, failed: false, output: RuntimeOutput::of(text) }
}

fn read_at(profile: &Profile) -> ReadAt {
    let is_static = matches!(profile.guide, Guide::AwsStatic | Guide::AwsAssumeRole)
        || profile.guide == Guide::AzureWorkloadIdentity && profile.token.is_none();
    if is_static { ReadAt::Deploy } else { ReadAt::Kickoff }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
