//! Marks the tasks whose panics a run takes in and tells as a check that could not be made.

use std::future::Future;

tokio::task_local! {
    static CAUGHT: ();
}

/// Work whose panic is taken in by whoever waits for it.
pub(super) fn caught<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CAUGHT.scope((), work)
}

/// Whether what runs now is such work. A panic hook asks this: such a panic is no end of the program.
pub fn is_caught() -> bool {
    CAUGHT.try_with(|()| ()).is_ok()
}
