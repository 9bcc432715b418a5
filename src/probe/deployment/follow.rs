//! Follows a run to its end: asks for its status at growing intervals, until there is no time left.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::DeploymentTarget;
use crate::check::facts::cloud::{Answer, Call};
use crate::check::facts::deployment::{Kickoff, RunFact, RunState, RunStatus};

/// How many answers of "no such run" are put down to a run that is not known everywhere yet.
const UNKNOWN_AT_FIRST: u32 = 3;

/// How often to ask, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The first pause; each is twice the one before it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// For how long to ask; an answer under way is still waited for, within the stack's own timeout.
    pub total: Duration,
}

impl Default for Pace {
    /// Half a second, up to four, for five minutes.
    fn default() -> Self {
        Pace { first: Duration::from_millis(500), longest: Duration::from_secs(4), total: Duration::from_secs(300) }
    }
}

impl DeploymentTarget {
    /// Asks for the status of a run until it has ended or `pace` allows no more. `told` hears every answer.
    ///
    /// A passing fault (no answer, a 5xx, 429, and "no such run" at first) does not end it; any other refusal does.
    pub async fn follow(&self, kickoff: &Kickoff, pace: Pace, mut told: impl FnMut(&Call<RunStatus>)) -> RunFact {
        let began = Instant::now();
        let mut pause = pace.first;
        let mut polls = 0;
        loop {
            let call = self.status(kickoff).await;
            polls += 1;
            told(&call);
            let elapsed = began.elapsed();
            if is_end(&call, polls) || elapsed + pause > pace.total {
                let followed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                return RunFact { kickoff_id: kickoff.kickoff_id.clone(), polls, followed_ms, call };
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(pace.longest);
        }
    }
}

fn is_end(call: &Call<RunStatus>, polls: u32) -> bool {
    match &call.answer {
        Answer::Granted(status) => status.state != RunState::Running,
        Answer::Refused(refusal) => match refusal.http_status {
            404 => polls >= UNKNOWN_AT_FIRST,
            429 | 500.. => false,
            _ => true,
        },
        Answer::Network { .. } => false,
        Answer::Unreadable { .. } | Answer::NotSent { .. } => true,
    }
}
