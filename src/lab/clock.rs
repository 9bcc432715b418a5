//! The lab's clock: that of this machine, or one that is ahead of it by what the world says.

use std::future::Future;
use std::time::{Duration, SystemTime};

tokio::task_local! {
    /// Seconds that the world's clocks are ahead of this machine's.
    static AHEAD: i64;
}

/// Work in a world whose clocks are this many seconds ahead of the machine's, behind where it is below zero.
pub(super) fn ahead_by<F: Future>(seconds: i64, work: F) -> impl Future<Output = F::Output> {
    AHEAD.scope(seconds, work)
}

/// How far the clocks of the world that this runs in are ahead, in seconds.
pub(super) fn ahead() -> i64 {
    AHEAD.try_with(|seconds| *seconds).unwrap_or(0)
}

/// What time it is in the world that this runs in.
pub(super) fn time() -> SystemTime {
    let (real, ahead) = (SystemTime::now(), ahead());
    let by = Duration::from_secs(ahead.unsigned_abs());
    if ahead < 0 { real.checked_sub(by) } else { real.checked_add(by) }.unwrap_or(real)
}

/// The same in seconds since the epoch.
pub(super) fn now() -> i64 {
    let since = time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
