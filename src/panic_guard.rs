//! Marks the work whose panics are taken in by whoever waits for it: a check that could not be made, an answer of the lab.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

tokio::task_local! {
    static GUARDED: ();
}

/// Work of a task whose panic is taken in by whoever waits for it.
pub fn guard_task<F: Future>(work: F) -> impl Future<Output = F::Output> {
    GUARDED.scope((), work)
}

/// What work comes to; `None` where it panicked.
pub async fn catch_panic<F: Future>(work: F) -> Option<F::Output> {
    guard_task(AssertUnwindSafe(work).catch_unwind()).await.ok()
}

/// As [`guard_task`], for work on a thread of its own.
pub fn guard_thread<T>(work: impl FnOnce() -> T) -> T {
    GUARDED.sync_scope((), work)
}

/// Whether what runs now is such work. A panic hook asks this: such a panic is no end of the program.
pub fn is_guarded() -> bool {
    GUARDED.try_with(|()| ()).is_ok()
}
