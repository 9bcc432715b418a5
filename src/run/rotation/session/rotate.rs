//! The rotation itself: asked for, run or written, and waited for until the store shows it.

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::request::SessionCommand;
use super::{Session, millis, prove};
use crate::run::now_ms;
use crate::run::rotation::event::{Awaited, Part, Phase, RotationKind, RotationMethod};
use crate::run::rotation::event::{Refused, RotationBackend};

impl<W: RotationBackend> Session<W> {
    /// The rotation was made before the session began: what is there now is "after", and "before" follows from it.
    pub(super) async fn take_as_made(&mut self) {
        for at in 0..self.tracked.len() {
            let Some(after) = self.tracked[at].before.take() else { continue };
            let before = after.before_last_write().ok_or_else(|| {
                Refused::new(
                    "the version before the current one cannot be seen, so that nothing can be compared with it",
                )
            });
            self.saw_store(at, Phase::Before, before).await;
            self.tracked[at].written = after.current().and_then(|v| v.created_at).map(|s| s.saturating_mul(1000));
            self.saw_store(at, Phase::After, Ok(after)).await;
        }
    }

    pub(super) async fn rotate(&mut self) {
        // A session that goes on may find the rotation made that it was interrupted in: it is not made again.
        let kept = (0..self.tracked.len()).filter(|at| self.tracked[*at].kept).collect();
        self.still_open(kept).await;
        let to_do: Vec<usize> = (0..self.tracked.len()).filter(|at| self.tracked[*at].written.is_none()).collect();
        match self.request.way {
            RotationMethod::Command if to_do.is_empty() => {}
            RotationMethod::Command => {
                // From here on the store may have a new version, also where the session is interrupted.
                for at in to_do {
                    let secret = self.tracked[at].name.clone();
                    self.emit(RotationKind::Writing { secret }).await;
                }
                if let Err(refused) = self.world.run_command().await {
                    self.trouble(None, refused).await;
                }
            }
            RotationMethod::Trustline => {
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
                self.saw_store(at, Phase::After, seen).await;
            }
        }
    }

    /// Writes a secret's new value; not where nothing is known of the one before, since nothing could be proven then.
    async fn write(&mut self, at: usize) {
        let (secret, name) = (self.tracked[at].secret.clone(), self.tracked[at].name.clone());
        if self.tracked[at].before.is_none() {
            let refused = Refused::new("it was not written, since the current version could not be read");
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
        let writes = self.request.way == RotationMethod::Trustline;
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
    pub(super) async fn still_open(&mut self, open: Vec<usize>) -> Vec<usize> {
        let looks = open.iter().map(|at| self.world.current(&self.tracked[*at].secret));
        let seen = join_all(looks).await;
        let (at_now, mut left) = (now_ms(), Vec::new());
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
    pub(super) async fn pause(&mut self, awaited: Awaited, attempt: &mut u32, deadline: Instant) -> bool {
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
                        self.saw_runtime(Phase::Before, prove::pasted(&text)).await;
                    }
                    _ => {}
                },
            }
        }
    }
}
