//! The terminal: taken over, and given back exactly once, however the program ends.

use std::io;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, SetCursorStyle, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode,
};
#[cfg(not(unix))]
use other as system;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
pub(super) use system::Signals;
use tokio::sync::Notify;
#[cfg(unix)]
use unix as system;

use super::inputs::Mouse;
use super::writer;
use crate::panic_guard::is_guarded;

/// Whether the terminal is taken over. The one who sets it to false gives it back.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Told when any thread or task panicked, after the terminal was given back.
pub(super) static PANICKED: Notify = Notify::const_new();

/// How long a terminal that takes nothing is waited for when it is given back.
const PATIENCE: Duration = Duration::from_secs(1);
/// The columns and rows of a terminal that does not tell its own, such as a serial line.
const USUAL: (u16, u16) = (80, 24);
/// The most columns and rows that are drawn on.
const LARGEST: (u16, u16) = (1000, 500);

/// Saves and restores the window's title (XTWINOPS 22 and 23).
const PUSH_TITLE: &[u8] = b"\x1b[22;0t";
const POP_TITLE: &[u8] = b"\x1b[23;0t";

/// Why the console cannot open here; `None` where it can.
pub fn obstacle() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        Some("standard output is no terminal")
    } else if !io::stdin().is_terminal() {
        Some("standard input is no terminal")
    } else if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        Some("the terminal is dumb (TERM=dumb)")
    } else {
        None
    }
}

/// The terminal's columns and rows, as far as they are used.
pub(super) fn size() -> io::Result<(u16, u16)> {
    crossterm::terminal::size().map(usable)
}

/// The columns and rows to use of those that a terminal tells.
pub(super) fn usable((columns, rows): (u16, u16)) -> (u16, u16) {
    if columns == 0 || rows == 0 { USUAL } else { (columns.min(LARGEST.0), rows.min(LARGEST.1)) }
}

/// The terminal, taken over until this is dropped.
#[derive(Debug)]
pub(super) struct Guard(());

impl Guard {
    /// Takes the terminal over. A panic anywhere gives it back before its message is printed.
    pub fn enter(mouse: Mouse) -> io::Result<Self> {
        install_panic_hook();
        take(mouse)?;
        Ok(Guard(()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Takes the terminal over, as at the start and after a pause.
pub(super) fn take(mouse: Mouse) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(PUSH_TITLE);
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))?;
    if mouse == Mouse::Captured {
        queue!(bytes, EnableMouseCapture)?;
    }
    writer::put(&bytes)
}

/// Gives the terminal back, if it is taken. What goes wrong on the way is not told: there is nobody left to tell. A
/// terminal that takes nothing must not keep the program from ending.
pub(super) fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();
    let _ = queue!(
        bytes,
        DisableMouseCapture,
        DisableBracketedPaste,
        ResetColor,
        SetCursorStyle::DefaultUserShape,
        Show,
        LeaveAlternateScreen
    );
    bytes.extend_from_slice(POP_TITLE);
    leave_behind(&bytes);
    let _ = disable_raw_mode();
}

/// Writes what stays on the terminal, and waits for it as long as is fair.
pub(super) fn leave_behind(bytes: &[u8]) {
    let _ = writer::put(bytes);
    writer::drain(PATIENCE);
}

/// Captures the mouse, or leaves it to the terminal.
pub(super) fn set_mouse(mouse: Mouse) -> io::Result<()> {
    let mut bytes = Vec::new();
    match mouse {
        Mouse::Captured => queue!(bytes, EnableMouseCapture)?,
        Mouse::Free => queue!(bytes, DisableMouseCapture)?,
    }
    writer::put(&bytes)
}

/// Sets the window's title. The text is safe for a terminal already.
pub(super) fn set_title(title: &str) -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(bytes, SetTitle(title))?;
    writer::put(&bytes)
}

fn install_panic_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Whoever waits for it tells of it, the run as a check that could not be made, and the console goes on.
        if is_guarded() {
            return;
        }
        give_back();
        before(panic);
        PANICKED.notify_one();
    }));
}

/// What stands on the terminal, and the buffer that is drawn next.
#[derive(Debug)]
pub(super) struct Screen {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    left: Left,
    /// Whether the terminal had room for what was drawn last.
    is_current: bool,
}

/// What others have left on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Something that must be wiped away first.
    Unknown,
}

impl Screen {
    /// An empty screen of this many columns and rows.
    pub fn new(size: (u16, u16)) -> Self {
        let area = Rect::new(0, 0, size.0, size.1);
        Screen {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            cursor: None,
            left: Left::Nothing,
            is_current: false,
        }
    }

    /// Forgets what stands on the terminal, so that it is wiped and every cell is drawn again.
    pub fn repaint(&mut self, size: (u16, u16)) {
        *self = Screen { left: Left::Unknown, ..Screen::new(size) };
    }

    /// Draws. Where nothing changed, nothing is written; while the terminal is still busy with what came before, nothing
    /// is drawn, and [`writer::ROOM`] tells when it can be.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        self.is_current = writer::has_room()?;
        if !self.is_current {
            return Ok(());
        }
        self.next.reset();
        let cursor = draw(&mut self.next);
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && cursor == self.cursor && self.left == Left::Nothing {
            return Ok(());
        }
        let mut bytes = Vec::new();
        queue!(bytes, BeginSynchronizedUpdate)?;
        if self.cursor.is_some() || self.left == Left::Unknown {
            queue!(bytes, Hide)?;
        }
        if self.left == Left::Unknown {
            queue!(bytes, MoveTo(0, 0), Clear(ClearType::All))?;
        }
        writer::draw(&mut bytes, changes)?;
        if let Some(at) = cursor {
            queue!(bytes, MoveTo(at.x, at.y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        (self.cursor, self.left) = (cursor, Left::Nothing);
        std::mem::swap(&mut self.shown, &mut self.next);
        writer::put(&bytes)
    }

    /// Whether what was drawn last stands on the terminal, without a cursor.
    pub fn is_current(&self) -> bool {
        self.is_current && self.left == Left::Nothing && self.cursor.is_none()
    }

    /// Draws some whole rows of a screen that is current, as [`Screen::draw`] draws all of them.
    pub fn draw_rows(&mut self, parts: [Rect; 2], draw: impl Fn(&mut Buffer)) -> io::Result<()> {
        self.is_current = writer::has_room()?;
        if !self.is_current {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for area in parts {
            if area.is_empty() || self.shown.area.intersection(area) != area {
                continue;
            }
            let from = self.shown.index_of(area.x, area.y);
            let Some(cells) =
                self.shown.content.get_mut(from..from + usize::from(area.width) * usize::from(area.height))
            else {
                continue;
            };
            let mut next = Buffer::empty(area);
            draw(&mut next);
            let shown = Buffer { area, content: cells.to_vec() };
            let changes = shown.diff(&next);
            if !changes.is_empty() {
                writer::draw(&mut bytes, changes)?;
                cells.clone_from_slice(&next.content);
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(bytes.len() + 16);
        queue!(frame, BeginSynchronizedUpdate)?;
        frame.extend_from_slice(&bytes);
        queue!(frame, EndSynchronizedUpdate)?;
        writer::put(&frame)
    }
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The process is told to end, by this number.
    End(i32),
    /// The process is told to pause.
    Pause,
    /// The process goes on after a pause that it did not ask for.
    GoOn,
    /// The terminal has other columns or rows.
    Resized,
}

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::Signal;

    pub struct Signals {
        interrupt: Stream,
        terminate: Stream,
        hangup: Stream,
        quit: Stream,
        pause: Stream,
        go_on: Stream,
        resized: Stream,
    }

    impl Signals {
        pub fn listen() -> std::io::Result<Self> {
            // Signals that have no name of their own in the runtime's list.
            let of = |number: rustix::process::Signal| signal(SignalKind::from_raw(number.as_raw()));
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                quit: signal(SignalKind::quit())?,
                pause: of(rustix::process::Signal::TSTP)?,
                go_on: of(rustix::process::Signal::CONT)?,
                resized: signal(SignalKind::window_change())?,
            })
        }

        pub async fn next(&mut self) -> Signal {
            let end = |kind: SignalKind| Signal::End(kind.as_raw_value());
            tokio::select! {
                _ = self.interrupt.recv() => end(SignalKind::interrupt()),
                _ = self.terminate.recv() => end(SignalKind::terminate()),
                _ = self.hangup.recv() => end(SignalKind::hangup()),
                _ = self.quit.recv() => end(SignalKind::quit()),
                _ = self.pause.recv() => Signal::Pause,
                _ = self.go_on.recv() => Signal::GoOn,
                _ = self.resized.recv() => Signal::Resized,
            }
        }
    }

    /// Stops the whole group of processes, as the terminal's own key would: a parent that waits for us stops too.
    pub fn stop() -> std::io::Result<()> {
        Ok(rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?)
    }
}

#[cfg(not(unix))]
mod other {
    use super::Signal;

    pub struct Signals(());

    impl Signals {
        pub fn listen() -> std::io::Result<Self> {
            Ok(Signals(()))
        }

        pub async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::End(2),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// There is nothing to stop to.
    pub fn stop() -> std::io::Result<()> {
        Ok(())
    }
}

/// Pauses the process until it is told to go on.
pub(super) fn pause() -> io::Result<()> {
    system::stop()
}
