//! What goes to the terminal goes through a thread of its own: a terminal that takes nothing holds up nothing else, and
//! frames that it cannot take are left out instead of kept.

use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Told when the terminal has taken what it had not yet when it was asked for room, or refuses to take more.
pub(super) static ROOM: Notify = Notify::const_new();

static STATE: Mutex<State> =
    Mutex::new(State { waiting: Vec::new(), thread: Thread::Absent, asked: Asked::No, failure: None });
static CHANGED: Condvar = Condvar::new();

#[derive(Debug)]
struct State {
    /// What is to be written next.
    waiting: Vec<u8>,
    thread: Thread,
    asked: Asked,
    /// Why the terminal refused.
    failure: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thread {
    Absent,
    Idle,
    Writing,
}

/// Whether somebody waits to be told of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
}

impl State {
    fn is_busy(&self) -> bool {
        self.thread == Thread::Writing || !self.waiting.is_empty()
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands bytes over, in order. They are written as soon as the terminal takes them.
pub(super) fn put(bytes: &[u8]) -> io::Result<()> {
    let mut state = state();
    if state.thread == Thread::Absent {
        std::thread::Builder::new().name("terminal".to_owned()).spawn(write)?;
        state.thread = Thread::Idle;
    }
    state.waiting.extend_from_slice(bytes);
    CHANGED.notify_all();
    Ok(())
}

/// Whether the terminal has taken everything. Where it has not, [`ROOM`] is told when it has.
///
/// # Errors
/// The terminal refused what it was given before.
pub(super) fn has_room() -> io::Result<bool> {
    let mut state = state();
    if let Some(failure) = state.failure.take() {
        return Err(failure);
    }
    let busy = state.is_busy();
    state.asked = if busy { Asked::Yes } else { Asked::No };
    Ok(!busy)
}

/// Waits until the terminal has taken everything, but no longer than this. What is left then may never be taken.
pub(super) fn drain(limit: Duration) {
    let _ = CHANGED
        .wait_timeout_while(state(), limit, |state| state.is_busy() && state.failure.is_none())
        .unwrap_or_else(PoisonError::into_inner);
}

fn write() {
    let mut guard = state();
    loop {
        guard = CHANGED.wait_while(guard, |state| state.waiting.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let bytes = std::mem::take(&mut guard.waiting);
        guard.thread = Thread::Writing;
        drop(guard);
        let written = {
            let mut stdout = io::stdout().lock();
            stdout.write_all(&bytes).and_then(|()| stdout.flush())
        };
        guard = state();
        guard.thread = Thread::Idle;
        guard.failure = written.err();
        if guard.failure.is_some() || !guard.is_busy() && guard.asked == Asked::Yes {
            guard.asked = Asked::No;
            ROOM.notify_one();
        }
        CHANGED.notify_all();
    }
}
