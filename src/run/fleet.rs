//! Many runs at once, within a bound. Each has its own deadline: one that hangs keeps its own place and no other.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::event::RunEvent;
use super::probes::Probes;
use super::runner::{self, RunRequest};
use crate::domain::timestamp::UnixSeconds;

/// How many events may wait for a slow reader before the runs wait for it.
const EVENTS_AHEAD: usize = 256;

/// An event of one of the runs.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetEvent {
    /// Which: its place among the requests, from 0.
    pub run: usize,
    pub event: RunEvent,
}

/// Starts the runs in their order on the current runtime, at most `concurrency` at a time; `clock` tells each when it
/// begins. The stream ends when all have ended. Where `cancel` fires, those that run tell how far they came, and those that
/// have not begun send nothing.
pub fn start<P: Probes>(
    requests: Vec<RunRequest>,
    concurrency: NonZeroUsize,
    probes: &Arc<P>,
    clock: fn() -> UnixSeconds,
    cancel: &CancellationToken,
) -> mpsc::Receiver<FleetEvent> {
    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    let places = Arc::new(Semaphore::new(concurrency.get()));
    for (run, request) in requests.into_iter().enumerate() {
        let (sender, places, probes, cancel) = (sender.clone(), places.clone(), probes.clone(), cancel.clone());
        tokio::spawn(async move {
            let _place = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                place = places.acquire_owned() => place,
            };
            let mut events = runner::start(RunRequest { now: clock(), ..request }, probes, cancel);
            while let Some(event) = events.recv().await {
                if sender.send(FleetEvent { run, event }).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;
    use crate::check::CheckId;
    use crate::check::step::Step;
    use crate::domain::profile::{Guide, Profile, TokenSource};
    use crate::run::event::EventKind;
    use crate::run::plan::{Limits, Selection};
    use crate::run::probes::{StepInput, StepOutput};

    const SECOND: Duration = Duration::from_secs(1);

    /// A probe takes a second; that of the profile `hangs` never ends.
    #[derive(Default)]
    struct Counting {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Probes for Counting {
        async fn perform(&self, _: Step, input: StepInput) -> StepOutput {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            if input.profile.name == "hangs" {
                std::future::pending::<()>().await;
            }
            sleep(SECOND).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            StepOutput::Nothing
        }
    }

    fn request(name: &str) -> RunRequest {
        RunRequest {
            profile: Profile { token: Some(TokenSource::Stdin), ..Profile::bare(name, Guide::AwsWorkloadIdentity) },
            selection: Selection { only: vec![CheckId::TokenPresent], skip: Vec::new() },
            limits: Limits { total: 30 * SECOND, wait: Duration::ZERO },
            now: 0,
        }
    }

    fn fleet(names: &[&str], concurrency: usize) -> (mpsc::Receiver<FleetEvent>, Arc<Counting>, CancellationToken) {
        let (probes, cancel) = (Arc::default(), CancellationToken::new());
        let requests = names.iter().map(|name| request(name)).collect();
        let concurrency = NonZeroUsize::new(concurrency).unwrap();
        (start(requests, concurrency, &probes, || 7, &cancel), probes, cancel)
    }

    /// Which runs ended, in the order of their ends.
    async fn ends(mut events: mpsc::Receiver<FleetEvent>) -> Vec<usize> {
        let mut ended = Vec::new();
        while let Some(FleetEvent { run, event }) = events.recv().await {
            if matches!(event.kind, EventKind::Done { .. }) {
                ended.push(run);
            }
        }
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_run_at_once_than_asked_for() {
        for bound in [1, 3, 50] {
            let (events, probes, _) = fleet(&["p"; 20], bound);
            assert_eq!(ends(events).await.len(), 20);
            assert_eq!(probes.most.load(Ordering::SeqCst), bound.min(20));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_delays_no_other() {
        let (events, _, _) = fleet(&["hangs", "a", "b", "c", "d"], 2);
        assert_eq!(ends(events).await, [1, 2, 3, 4, 0], "the others, and it at its own deadline");
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_ends_what_runs_and_begins_nothing() {
        let (mut events, _, cancel) = fleet(&["hangs", "hangs", "a"], 2);
        let first = events.recv().await.unwrap();
        assert!(matches!(&first.event.kind, EventKind::Planned { started, .. } if started == "1970-01-01T00:00:07Z"));
        sleep(SECOND).await;
        cancel.cancel();
        let mut ended = ends(events).await;
        ended.sort_unstable();
        assert_eq!(ended, [0, 1]);
    }
}
