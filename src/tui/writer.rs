//! What goes to the terminal, as escape sequences: what it takes at once is written at once, and the rest by a thread
//! of its own. So a terminal that takes nothing holds up nothing else, and frames that it cannot take are left out
//! instead of kept.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossterm::cursor::MoveTo;
use crossterm::queue;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
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

/// The parameter of each modifier.
const MODIFIERS: &[(Modifier, &str)] = &[
    (Modifier::BOLD, ";1"),
    (Modifier::DIM, ";2"),
    (Modifier::ITALIC, ";3"),
    (Modifier::UNDERLINED, ";4"),
    (Modifier::SLOW_BLINK, ";5"),
    (Modifier::RAPID_BLINK, ";6"),
    (Modifier::REVERSED, ";7"),
    (Modifier::HIDDEN, ";8"),
    (Modifier::CROSSED_OUT, ";9"),
];

/// Writes cells at their places, and resets the style behind them.
pub(super) fn draw<'c>(
    bytes: &mut Vec<u8>,
    cells: impl IntoIterator<Item = (u16, u16, &'c Cell)>,
) -> std::io::Result<()> {
    let mut style = (Color::Reset, Color::Reset, Modifier::empty());
    let mut next = None;
    for (x, y, cell) in cells {
        if next != Some((x, y)) {
            queue!(bytes, MoveTo(x, y))?;
        }
        next = Some((x.saturating_add(1), y));
        if style != (cell.fg, cell.bg, cell.modifier) {
            style = (cell.fg, cell.bg, cell.modifier);
            bytes.extend_from_slice(sequence(cell).as_bytes());
        }
        bytes.extend_from_slice(cell.symbol().as_bytes());
    }
    bytes.extend_from_slice(b"\x1b[m");
    Ok(())
}

/// The sequence that sets a cell's whole style, whatever was set before.
fn sequence(cell: &Cell) -> String {
    let mut text = "\x1b[0".to_owned();
    for (modifier, parameter) in MODIFIERS {
        if cell.modifier.contains(*modifier) {
            text.push_str(parameter);
        }
    }
    colour(&mut text, cell.fg, 30);
    colour(&mut text, cell.bg, 40);
    text.push('m');
    text
}

/// Adds a colour's parameters; `base` is 30 for what is written, 40 for what is behind it.
fn colour(text: &mut String, colour: Color, base: u8) {
    let plain = match colour {
        Color::Reset => return,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Indexed(index) => {
            let _ = write!(text, ";{};5;{index}", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(text, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
    };
    let _ = write!(text, ";{plain}");
}

#[cfg(test)]
mod sgr_tests {
    use super::*;

    fn bytes(cells: &[(u16, u16, Cell)]) -> String {
        let mut bytes = Vec::new();
        draw(&mut bytes, cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn cell(symbol: &str, fg: Color, bg: Color, modifier: Modifier) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_fg(fg).set_bg(bg);
        cell.modifier = modifier;
        cell
    }

    #[test]
    fn neighbours_are_written_without_moving_and_styles_only_where_they_change() {
        let plain = |symbol| cell(symbol, Color::Reset, Color::Reset, Modifier::empty());
        let bad = |symbol| cell(symbol, Color::LightRed, Color::Blue, Modifier::BOLD | Modifier::REVERSED);
        let written = bytes(&[(2, 1, plain("a")), (3, 1, bad("b")), (4, 1, bad("c")), (0, 2, plain("d"))]);
        assert_eq!(written, "\x1b[2;3Ha\x1b[0;1;7;91;44mbc\x1b[3;1H\x1b[0md\x1b[m");
    }
}
