//! Watching: each rotation that is seen is proven, until the session is cancelled.

use tokio::time::Instant;

use super::Session;
use super::request::RuntimeFrom;
use crate::run::rotation::event::{Awaited, Moment};
use crate::run::rotation::world::RotationWorld;

impl<W: RotationWorld> Session<W> {
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
}
