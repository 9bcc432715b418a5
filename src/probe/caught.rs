//! Marks the work whose panics are taken in by whoever waits for it, as a check that could not be made.

use std::future::Future;

tokio::task_local! {
    static CAUGHT: ();
}

/// Work of a task whose panic is taken in by whoever waits for it.
pub fn caught<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CAUGHT.scope((), work)
}

/// As [`caught`], for work on a thread of its own.
pub fn caught_here<T>(work: impl FnOnce() -> T) -> T {
    CAUGHT.sync_scope((), work)
}

/// Whether what runs now is such work. A panic hook asks this: such a panic is no end of the program.
pub fn is_caught() -> bool {
    CAUGHT.try_with(|()| ()).is_ok()
}
