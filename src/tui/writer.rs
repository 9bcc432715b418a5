//! What goes to the terminal: what it takes at once is written at once, and the rest by a thread of its own. So a
//! terminal that takes nothing holds up nothing else, and frames that it cannot take are left out instead of kept.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Told when the terminal has taken what it had not yet when it was asked for room, or refuses to take more.
pub(super) static ROOM: Notify = Notify::const_new();

static STATE: Mutex<State> = Mutex::new(State {
    waiting: Vec::new(),
    direct: Direct::Untried,
    thread: Thread::Absent,
    asked: Asked::No,
    failure: None,
});
static CHANGED: Condvar = Condvar::new();

#[derive(Debug)]
struct State {
    /// What is to be written next.
    waiting: Vec<u8>,
    direct: Direct,
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

/// The terminal, opened anew so that a write to it never waits; standard output itself is shared with other programs.
#[derive(Debug)]
enum Direct {
    Untried,
    /// The system cannot open it anew.
    Absent,
    Open(File),
}

impl Direct {
    fn open() -> Self {
        Direct::file().map_or(Direct::Absent, Direct::Open)
    }

    #[cfg(target_os = "linux")]
    fn file() -> io::Result<File> {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;

        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        File::options().write(true).custom_flags(flags.bits().cast_signed()).open("/proc/self/fd/1")
    }

    #[cfg(not(target_os = "linux"))]
    fn file() -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes what the terminal takes now, and yields the rest.
    fn write<'b>(&mut self, mut bytes: &'b [u8]) -> &'b [u8] {
        if matches!(self, Direct::Untried) {
            *self = Direct::open();
        }
        let Direct::Open(file) = self else { return bytes };
        while !bytes.is_empty() {
            match file.write(bytes) {
                Ok(0) => break,
                Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It takes nothing now, or refuses: the thread will see.
                Err(_) => break,
            }
        }
        bytes
    }
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
    let rest = if state.is_busy() { bytes } else { state.direct.write(bytes) };
    if rest.is_empty() {
        return Ok(());
    }
    if state.thread == Thread::Absent {
        std::thread::Builder::new().name("terminal".to_owned()).spawn(write)?;
        state.thread = Thread::Idle;
    }
    state.waiting.extend_from_slice(rest);
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
