//! The proof: the running automation is looked at, the verdict is given, and what went wrong is rolled back.

use tokio::time::{Instant, timeout_at};

use super::request::{RollBack, RuntimeFrom, SessionCommand};
use super::{Session, Tracked};
use crate::cause::rotation::{self, ReadAt};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::rotation::{Facts, RuntimeObservation, Source, Verdict, judge};
use crate::domain::runtime_output::RuntimeOutput;
use crate::guide::setup_guide;
use crate::remedy::{Values, advised};
use crate::run::now_ms;
use crate::run::rotation::event::RotationBackend;
use crate::run::rotation::event::{Awaited, Judged, Phase, RotationKind, RotationMethod};

impl<W: RotationBackend> Session<W> {
    /// Looks at the running automation until it has the new values or the time is up, then judges.
    pub(super) async fn prove(&mut self) {
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
    pub(super) fn refine_times(&mut self) {
        for tracked in &mut self.tracked {
            let created = tracked.after.as_ref().and_then(|after| after.current()).and_then(|v| v.created_at);
            // Of a write of its own the session knows better, unless it was interrupted in it.
            let own =
                self.request.way == RotationMethod::Trustline && (!tracked.kept || tracked.written_earlier.is_some());
            if let (Some(written), Some(created), false) =
                (tracked.written, created, own || self.request.way == RotationMethod::Already)
            {
                tracked.written = Some(created.saturating_mul(1000).clamp(tracked.last_look.min(written), written));
            }
        }
    }

    pub(super) async fn look_until_settled(&mut self) {
        let deadline = Instant::now() + self.request.pace.runtime;
        let mut attempt = 0;
        loop {
            self.look_at_runtime(Phase::After).await;
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
        self.emit(RotationKind::Looking { moment: Phase::After }).await;
        while let Ok(Some(command)) = timeout_at(deadline, self.commands.recv()).await {
            match command {
                SessionCommand::Text(text) => return self.saw_runtime(Phase::After, pasted(&text)).await,
                SessionCommand::Conclude => return,
                _ => {}
            }
        }
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
        let values = Values { profile: Some(&self.request.profile), ..Values::default() };
        let mut findings = rotation::findings(&judgement, &facts, read_at(&self.request.profile));
        rotation::compare_variable(&mut findings, &judgement, self.request.profile.deployment.variable.as_deref());
        let findings = findings
            .into_iter()
            .map(|finding| setup_guide(guide).placed(advised(finding, Some(guide.id()), &values), guide.id()))
            .collect();
        let seen = self.runtime_after.as_ref().filter(|_| verdict == Verdict::Propagated).map(|seen| seen.at);
        let propagated_ms =
            seen.zip(tracked.written).map(|(seen, written)| u64::try_from(seen - written).unwrap_or_default());
        (verdict, Judged { secret: tracked.name.clone(), judgement, propagated_ms, findings })
    }

    pub(super) async fn judged(&mut self, at: usize) {
        let (_, judged) = self.judge(&self.tracked[at]);
        self.emit(RotationKind::Judged(Box::new(judged))).await;
    }

    pub(super) async fn judge_all(&mut self) {
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
}

/// What somebody brought, reduced.
pub(super) fn pasted(text: &str) -> RuntimeObservation {
    let at = now_ms();
    RuntimeObservation { began: at, at, source: Source::Text, failed: false, output: RuntimeOutput::of(text) }
}

fn read_at(profile: &Profile) -> ReadAt {
    let is_static =
        profile.guide.is_aws_access_key() || profile.guide.cloud() == Cloud::Azure && profile.token.is_none();
    if is_static { ReadAt::Deploy } else { ReadAt::Kickoff }
}

impl<W: RotationBackend> Session<W> {
    /// Reports each rotation of each secret, until the session is cancelled.
    pub(super) async fn watch(&mut self) {
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
    pub(super) async fn prove_watched(&mut self, changed: &[usize]) {
        for at in changed {
            let seen = self.world.snapshot(&self.tracked[*at].secret).await;
            self.saw_store(*at, Phase::After, seen).await;
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
                self.saw_store(*at, Phase::Before, Ok(after)).await;
            }
        }
        self.runtime_before = self.runtime_after.take();
    }
}
