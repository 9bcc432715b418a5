//! The time as the console knows it, and whether somebody looked at it.

use std::cell::Cell;

/// The time, which only messages change.
#[derive(Clone, Debug)]
pub struct Clock {
    now_ms: i64,
    was_read: Cell<bool>,
}

impl Clock {
    /// A clock that stands at so many milliseconds since 1970.
    pub const fn at(now_ms: i64) -> Self {
        Clock { now_ms, was_read: Cell::new(false) }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.was_read.set(true);
        self.now_ms
    }

    /// Does some work, and says whether it looked at the time.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> (T, bool) {
        let before = self.was_read.replace(false);
        let done = work();
        let was_read = self.was_read.get();
        self.was_read.set(before || was_read);
        (done, was_read)
    }
}
