//! The runner: performs a plan's steps as early as their order allows, tries again what may be propagating,
//! judges the checks, and sends one ordered stream of events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::event::{EventKind, FinishedCheck, NOT_ASKED_FOR, PlannedCheck, RunEvent};
use super::keyed::KeyedFingerprints;
use super::plan::{Limits, Plan, Selection};
use super::probes::{Probes, RunCredentials, StepInput, StepOutput};
use super::ranking::{self, Ranked};
use crate::cause::catalogue::complete;
use crate::cause::{Certainty, exclusion};
use crate::check::facts::Facts;
use crate::check::registry::{informed_by, judge};
use crate::check::step::Step;
use crate::check::{Check, CheckId, Outcome, Verdict};
use crate::domain::profile::Profile;
use crate::domain::profile::expected::predicted_claims;
use crate::domain::timestamp::{UnixSeconds, rfc3339};
use crate::guide::setup_guide;
use crate::panic_guard::guard_task;
use crate::remedy;

/// How many events may wait for a slow reader before the runner waits for it.
const EVENTS_AHEAD: usize = 256;

/// The first pause before trying again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What a probe that gives up at the deadline gets to tell so: its own failure says more than the deadline does.
const GRACE: Duration = Duration::from_millis(250);

/// More than the probes' deepest calls take of the stack, in bytes; a thread has at least eight times as much.
const USED_STACK: usize = 256 * 1024;

/// What to run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    pub profile: Profile,
    pub selection: Selection,
    pub limits: Limits,
    /// The local clock at the start.
    pub now: UnixSeconds,
}

/// Starts a run on the current runtime. The stream ends with [`EventKind::Done`], also when `cancel` fires.
pub fn start<P: Probes>(request: RunRequest, probes: Arc<P>, cancel: CancellationToken) -> mpsc::Receiver<RunEvent> {
    let (events, receiver) = mpsc::channel(EVENTS_AHEAD);
    tokio::spawn(async move {
        let mut run = Run::new(request, probes, events);
        run.plan_told().await;
        let cut_short = run.drive(&cancel).await;
        run.done(cut_short).await;
    });
    receiver
}

struct Run<P> {
    request: RunRequest,
    profile: Arc<Profile>,
    plan: Plan,
    probes: Arc<P>,
    events: mpsc::Sender<RunEvent>,
    seq: u64,
    fingerprints: KeyedFingerprints,
    began: Instant,
    /// Shared with the steps that are under way: they go on seeing what was known when they began.
    facts: Arc<Facts>,
    credentials: RunCredentials,
    tasks: JoinSet<StepOutput>,
    running: HashMap<Id, Step>,
    begun: BTreeMap<Step, Attempts>,
    ended: BTreeMap<Step, Ended>,
    /// Checks whose verdict has been sent.
    judged: BTreeMap<CheckId, FinishedCheck>,
}

/// The attempts at one step.
#[derive(Clone, Copy)]
struct Attempts {
    count: u32,
    first: Instant,
    last: Instant,
}

/// How a step ended.
struct Ended {
    started_ms: u64,
    duration_ms: u64,
    how: Ending,
}

enum Ending {
    Yielded,
    /// A check that stands in the way, with the reason.
    Blocked(CheckId),
    Panicked,
    /// Not reached: the run was cut short, with the reason.
    Cut(String),
}

impl<P: Probes> Run<P> {
    fn new(request: RunRequest, probes: Arc<P>, events: mpsc::Sender<RunEvent>) -> Self {
        Run {
            profile: Arc::new(request.profile.clone()),
            plan: Plan::new(&request.profile, &request.selection),
            facts: Arc::new(Facts {
                now: request.now,
                predicted: predicted_claims(&request.profile),
                ..Facts::default()
            }),
            request,
            probes,
            events,
            seq: 0,
            fingerprints: KeyedFingerprints::new(),
            began: Instant::now(),
            credentials: RunCredentials::default(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            begun: BTreeMap::new(),
            ended: BTreeMap::new(),
            judged: BTreeMap::new(),
        }
    }

    async fn plan_told(&mut self) {
        let checks = self.plan.checks.iter().map(|id| PlannedCheck { id: *id, title: id.title().to_owned() }).collect();
        let kind = EventKind::Planned {
            profile: self.request.profile.name.clone(),
            guide: self.request.profile.guide.id().to_owned(),
            started: rfc3339(self.request.now).unwrap_or_default(),
            checks,
        };
        self.emit(kind).await;
    }

    /// Runs to the end of the plan; says why where it ends before.
    async fn drive(&mut self, cancel: &CancellationToken) -> Option<String> {
        let limits = self.request.limits;
        let deadline = self.began + limits.total + limits.wait + GRACE;
        loop {
            self.begin_ready_steps().await;
            self.judge_what_can_be().await;
            if self.tasks.is_empty() {
                return None;
            }
            let cut = tokio::select! {
                Some(joined) = self.tasks.join_next_with_id() => {
                    self.take_in(joined).await;
                    continue;
                }
                () = cancel.cancelled() => "interrupted".to_owned(),
                () = sleep_until(deadline) => format!("no answer within {} s", limits.total.as_secs_f64()),
            };
            self.cut(&cut).await;
            return Some(cut);
        }
    }

    async fn begin_ready_steps(&mut self) {
        loop {
            let ready: Vec<Step> = self.plan.steps.iter().copied().filter(|s| self.is_ready(*s)).collect();
            if ready.is_empty() {
                return;
            }
            for step in ready {
                if let Some(obstacle) = step.obstacle(&self.facts, &self.profile) {
                    self.end(step, Ending::Blocked(obstacle));
                } else if step.is_called_for(&self.facts) {
                    self.begin(step, Duration::ZERO);
                    for check in informed_by(step, &self.profile.clone()).map(|check| check.id) {
                        if self.plan.checks.contains(&check) && !self.plan.deselected.contains(&check) {
                            self.emit(EventKind::Started { check }).await;
                        }
                    }
                } else {
                    self.end(step, Ending::Yielded);
                }
            }
        }
    }

    fn is_ready(&self, step: Step) -> bool {
        !self.begun.contains_key(&step)
            && !self.ended.contains_key(&step)
            && step.after(self.profile.guide).iter().all(|s| self.ended.contains_key(s) || !self.plan.steps.contains(s))
    }

    fn begin(&mut self, step: Step, after: Duration) {
        let now = Instant::now() + after;
        let attempts = self.begun.entry(step).or_insert(Attempts { count: 0, first: now, last: now });
        attempts.count += 1;
        attempts.last = now;
        let input = StepInput {
            profile: self.profile.clone(),
            facts: self.facts.clone(),
            credentials: self.credentials.clone(),
            left: (self.began + self.request.limits.total + self.request.limits.wait).saturating_duration_since(now),
        };
        let probes = self.probes.clone();
        let task = self.tasks.spawn(guard_task(async move {
            sleep(after).await;
            probes.perform(step, input).await
        }));
        self.running.insert(task.id(), step);
    }

    async fn take_in(&mut self, joined: Result<(Id, StepOutput), JoinError>) {
        let (id, yielded) = match joined {
            Ok((id, yielded)) => (id, Some(yielded)),
            Err(error) => (error.id(), None),
        };
        let Some(step) = self.running.remove(&id) else { return };
        let Some(yielded) = yielded else {
            self.end(step, Ending::Panicked);
            return;
        };
        yielded.enter(Arc::make_mut(&mut self.facts), &mut self.credentials);
        if let Some(attempts) = self.begun.get(&step) {
            let waited_ms = millis(attempts.last - attempts.first);
            let facts = Arc::make_mut(&mut self.facts);
            informed_by(step, &self.profile).for_each(|check| check.note_attempts(facts, attempts.count, waited_ms));
        }
        if let Some((check, reason)) = self.worth_another_attempt(step) {
            let attempts = self.begun.get(&step).map_or(1, |a| a.count);
            let pause = pause_after(attempts);
            let delay_ms = millis(pause);
            self.emit(EventKind::Retrying { check, attempt: attempts, delay_ms, reason }).await;
            self.begin(step, pause);
        } else {
            self.end(step, Ending::Yielded);
        }
    }

    /// Whether a refusal may be propagation and there is time left to wait for it; with the check and what it met.
    fn worth_another_attempt(&self, step: Step) -> Option<(CheckId, String)> {
        let attempts = self.begun.get(&step)?;
        let next = Instant::now() + pause_after(attempts.count);
        if next > self.began + self.request.limits.wait {
            return None;
        }
        let check = informed_by(step, &self.profile).next()?;
        check.may_be_propagating(&self.facts).map(|met| (check.id, met))
    }

    fn end(&mut self, step: Step, how: Ending) {
        let now = Instant::now();
        let started = self.begun.get(&step).map_or(now, |a| a.last);
        let ended = Ended {
            started_ms: millis(started.saturating_duration_since(self.began)),
            duration_ms: millis(now.saturating_duration_since(started)),
            how,
        };
        self.ended.insert(step, ended);
    }

    async fn judge_what_can_be(&mut self) {
        loop {
            let next = self.plan.checks.iter().copied().find(|c| !self.judged.contains_key(c) && self.can_judge(*c));
            let Some(check) = next else { return };
            let finished = self.judge(check);
            self.emit(EventKind::Finished(Box::new(finished.clone()))).await;
            self.judged.insert(check, finished);
        }
    }

    fn can_judge(&self, check: CheckId) -> bool {
        if self.plan.deselected.contains(&check) {
            return true;
        }
        let check = check.check();
        let Some(step) = (check.step)(&self.profile) else { return false };
        if !self.ended.contains_key(&step) || !check.needs.iter().all(|n| self.is_settled(*n)) {
            return false;
        }
        !check.needs_explaining_facts(&self.facts, &self.profile)
            || step.explained_by().iter().all(|s| self.ended.contains_key(s) || !self.plan.steps.contains(s))
    }

    fn is_settled(&self, check: CheckId) -> bool {
        self.judged.contains_key(&check) || !self.plan.checks.contains(&check)
    }

    fn judge(&self, check: CheckId) -> FinishedCheck {
        let Check { title, docs, needs, step, .. } = check.check();
        let ended = step(&self.profile).and_then(|step| self.ended.get(&step));
        let (mut started_ms, mut duration_ms) = ended.map_or((0, 0), |e| (e.started_ms, e.duration_ms));
        let blocker = match ended.map(|e| &e.how) {
            Some(Ending::Blocked(by)) => Some(*by),
            _ => needs.iter().copied().find(|need| self.obstructs(*need)),
        };
        let verdict = if self.plan.deselected.contains(&check) {
            Verdict::skipped(NOT_ASKED_FOR)
        } else if let Some(Ending::Cut(why)) = ended.map(|e| &e.how) {
            Verdict::inconclusive(format!("not finished: {why}"), Vec::new())
        } else if let Some(Ending::Panicked) = ended.map(|e| &e.how) {
            Verdict::inconclusive("an internal error stopped this check; please report it", Vec::new())
        } else if let Some(by) = blocker {
            Verdict::skipped(format!("blocked by {by}"))
        } else {
            judge(check, &self.facts, &self.profile)
        };
        if let Some((offset, lasted)) = check.check().hop_times(&self.facts) {
            (started_ms, duration_ms) = (started_ms + offset, lasted);
        }
        let guide = self.request.profile.guide.id();
        let own = setup_guide(self.request.profile.guide);
        let is_proven = verdict.findings.iter().any(|finding| finding.certainty == Certainty::Proven);
        let left = verdict.findings.into_iter().filter(|f| !is_proven || f.certainty != Certainty::Possible);
        let findings = left.map(|f| own.placed(complete(f, Some(guide)), guide)).collect();
        FinishedCheck {
            id: check,
            title: (*title).to_owned(),
            outcome: verdict.outcome,
            reason: verdict.reason,
            started_ms,
            duration_ms,
            facts: check.check().shown(&self.facts),
            docs: (*docs).to_owned(),
            findings,
            blocked_by: blocker.filter(|_| verdict.outcome == Outcome::Skipped),
        }
    }

    /// Whether a check that is needed stands in the way of what needs it.
    fn obstructs(&self, check: CheckId) -> bool {
        self.judged.get(&check).is_some_and(|f| {
            matches!(f.outcome, Outcome::Fail | Outcome::Inconclusive)
                || f.outcome == Outcome::Skipped && f.blocked_by.is_some()
        })
    }

    async fn cut(&mut self, why: &str) {
        self.tasks.abort_all();
        let open: Vec<Step> = self.plan.steps.iter().copied().filter(|s| !self.ended.contains_key(s)).collect();
        for step in open {
            self.end(step, Ending::Cut(why.to_owned()));
        }
        self.judge_what_can_be().await;
    }

    async fn done(&mut self, cut_short: Option<String>) {
        let finished: Vec<&FinishedCheck> = self.plan.checks.iter().filter_map(|c| self.judged.get(c)).collect();
        let excluded = |cause| self.facts.claims().is_some_and(|claims| exclusion::by_claims(cause, claims).is_some());
        let Ranked { mut findings, candidates } = ranking::rank(&finished, excluded);
        let context = remedy::Context { profile: &self.profile, facts: &self.facts };
        for finding in &mut findings {
            remedy::attach(finding, context);
        }
        ranking::fold_fixed_by_another(&mut findings);
        let refused = candidates.first().and_then(|likeliest| finished.iter().find(|c| likeliest.check == c.id));
        let refused = refused.and_then(|check| check.reason.as_deref()).unwrap_or_default();
        let kind = EventKind::Done {
            verdict: ranking::verdict(&finished),
            duration_ms: millis(self.began.elapsed()),
            findings,
            undecided: remedy::undecided(&candidates, refused, context),
            cut_short,
        };
        self.credentials = RunCredentials::default();
        // Calls that have returned left copies where the next ones will stand.
        zeroize::zeroize_stack::<USED_STACK>();
        self.emit(kind).await;
    }

    /// Sends an event. A reader that has gone away does not stop the run.
    async fn emit(&mut self, kind: EventKind) {
        let kind = self.fingerprints.apply(kind);
        let event = RunEvent { seq: self.seq, at_ms: millis(self.began.elapsed()), kind };
        self.seq += 1;
        let _ = self.events.send(event).await;
    }
}

fn pause_after(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(8)).min(LONGEST_PAUSE)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
