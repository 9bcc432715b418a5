//! Marks the work whose panics are taken in by whoever waits for it: a check that could not be made, an answer of the lab.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

tokio::task_local! {
    static CAUGHT: ();
}

/// Work of a task whose panic is taken in by whoever waits for it.
pub fn caught<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CAUGHT.scope((), work)
}

/// What work comes to; `None` where it panicked.
pub async fn contained<F: Future>(work: F) -> Option<F::Output> {
    caught(AssertUnwindSafe(work).catch_unwind()).await.ok()
}

/// As [`caught`], for work on a thread of its own.
pub fn caught_here<T>(work: impl FnOnce() -> T) -> T {
    CAUGHT.sync_scope((), work)
}

/// Whether what runs now is such work. A panic hook asks this: such a panic is no end of the program.
pub fn is_caught() -> bool {
    CAUGHT.try_with(|()| ()).is_ok()
}
