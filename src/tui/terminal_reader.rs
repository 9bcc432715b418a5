//! What the terminal sends, as events. It is read here, since a library's reader keeps what was pasted in its buffers,
//! and a token that was pasted is to be gone once it is dropped: each buffer here is wiped when its events are made.

use std::io;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use tokio::sync::mpsc;
use zeroize::Zeroize as _;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// The longest sequence that is no paste. A terminal's own are far shorter.
const LONGEST_SEQUENCE: usize = 64;

/// What the first bytes are.
enum Parsed {
    /// An event, and how many bytes it took.
    Event(Event, usize),
    /// So many bytes that mean nothing here.
    Skipped(usize),
    /// The beginning of something.
    Incomplete,
}

/// Takes the terminal's bytes apart.
#[derive(Default)]
pub(super) struct Parser {
    pending: Vec<u8>,
    /// How much of a paste that has not ended was searched for its end.
    searched: usize,
}

impl Parser {
    /// The events of what was pending and these bytes. Where `more` waits to be read, an escape may begin a sequence.
    pub fn events(&mut self, bytes: &[u8], more: bool) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut used = 0;
        loop {
            let rest = &self.pending[used..];
            let parsed = match rest.starts_with(PASTE_BEGINS) {
                true => paste(rest, &mut self.searched),
                false => sequence(rest, more),
            };
            match parsed {
                Parsed::Event(event, length) => {
                    events.push(event);
                    used += length;
                }
                Parsed::Skipped(length) => used += length,
                Parsed::Incomplete => break,
            }
        }
        if used > 0 {
            let rest = self.pending[used..].to_vec();
            self.pending.zeroize();
            self.pending = rest;
        }
        events
    }
}

fn paste(bytes: &[u8], searched: &mut usize) -> Parsed {
    let from = (*searched).max(PASTE_BEGINS.len());
    match bytes[from..].windows(PASTE_ENDS.len()).position(|window| window == PASTE_ENDS) {
        Some(at) => {
            *searched = 0;
            let text = String::from_utf8_lossy(&bytes[PASTE_BEGINS.len()..from + at]).into_owned();
            Parsed::Event(Event::Paste(text), from + at + PASTE_ENDS.len())
        }
        None => {
            *searched = bytes.len().saturating_sub(PASTE_ENDS.len() - 1);
            Parsed::Incomplete
        }
    }
}

fn sequence(bytes: &[u8], more: bool) -> Parsed {
    match bytes {
        [] => Parsed::Incomplete,
        [0x1b] if more => Parsed::Incomplete,
        [0x1b] | [0x1b, 0x1b, ..] => key(KeyCode::Esc, KeyModifiers::NONE, 1),
        [0x1b, b'[', rest @ ..] => control_sequence(rest),
        [0x1b, b'O'] => Parsed::Incomplete,
        [0x1b, b'O', last, ..] => match cursor_key(*last) {
            Some(code) => key(code, KeyModifiers::NONE, 3),
            None => Parsed::Skipped(3),
        },
        [0x1b, rest @ ..] => match character(rest) {
            Parsed::Event(Event::Key(event), length) => {
                key(event.code, event.modifiers | KeyModifiers::ALT, length + 1)
            }
            Parsed::Event(event, length) => Parsed::Event(event, length + 1),
            Parsed::Skipped(length) => Parsed::Skipped(length + 1),
            Parsed::Incomplete => Parsed::Incomplete,
        },
        _ => character(bytes),
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers, length: usize) -> Parsed {
    Parsed::Event(Event::Key(KeyEvent::new(code, modifiers)), length)
}

/// A key that sends no escape: a character, or a control code.
fn character(bytes: &[u8]) -> Parsed {
    let control =
        |first: char, offset: u8| key(KeyCode::Char((first as u8 + offset) as char), KeyModifiers::CONTROL, 1);
    match bytes {
        [] => Parsed::Incomplete,
        [b'\r', ..] => key(KeyCode::Enter, KeyModifiers::NONE, 1),
        [b'\t', ..] => key(KeyCode::Tab, KeyModifiers::NONE, 1),
        [0x7f, ..] => key(KeyCode::Backspace, KeyModifiers::NONE, 1),
        [0, ..] => control(' ', 0),
        [code @ 0x01..=0x1a, ..] => control('a', code - 0x01),
        [code @ 0x1c..=0x1f, ..] => control('4', code - 0x1c),
        _ => {
            let first = &bytes[..bytes.len().min(4)];
            let valid = match std::str::from_utf8(first) {
                Ok(text) => text,
                Err(error) => match (error.valid_up_to(), error.error_len()) {
                    (0, None) => return Parsed::Incomplete,
                    (0, Some(length)) => return Parsed::Skipped(length),
                    (length, _) => std::str::from_utf8(&first[..length]).unwrap_or_default(),
                },
            };
            match valid.chars().next() {
                Some(c) if c.is_uppercase() => key(KeyCode::Char(c), KeyModifiers::SHIFT, c.len_utf8()),
                Some(c) => key(KeyCode::Char(c), KeyModifiers::NONE, c.len_utf8()),
                None => Parsed::Incomplete,
            }
        }
    }
}

/// What follows `ESC [`, as ECMA-48 has it: parameters, then one byte that ends it.
fn control_sequence(bytes: &[u8]) -> Parsed {
    const BEGIN: usize = 2;
    match bytes {
        // X11 has three bytes follow; the Linux console one, for the first function keys.
        [b'M', button, column, row, ..] => {
            let at = [button, column, row].map(|byte| u16::from(byte.saturating_sub(32)));
            return mouse(at, Release::AsButtonThree, BEGIN + 4);
        }
        [b'[', number @ b'A'..=b'E', ..] => return key(KeyCode::F(1 + number - b'A'), KeyModifiers::NONE, BEGIN + 2),
        [b'M', ..] | [b'['] => return Parsed::Incomplete,
        _ => {}
    }
    let Some(at) = bytes.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if bytes.len() > LONGEST_SEQUENCE { Parsed::Skipped(BEGIN + bytes.len()) } else { Parsed::Incomplete };
    };
    let (parameters, last) = (&bytes[..at], bytes[at]);
    if !(0x40..=0x7e).contains(&last) {
        return Parsed::Skipped(BEGIN + at);
    }
    let length = BEGIN + at + 1;
    let (parameters, private) = match parameters {
        [mark @ (b'<' | b'=' | b'>' | b'?'), rest @ ..] => (rest, Some(*mark)),
        _ => (parameters, None),
    };
    let number = |index: usize| -> Option<u16> {
        let parameter = parameters.split(|byte| *byte == b';').nth(index)?;
        let first = parameter.split(|byte| *byte == b':').next()?;
        std::str::from_utf8(first).ok()?.parse().ok()
    };
    let modifiers = number(1).map_or(KeyModifiers::NONE, modifiers);
    let code = match (private, last) {
        (Some(b'<'), b'M' | b'm') | (None, b'M') => {
            let (Some(button), Some(column), Some(row)) = (number(0), number(1), number(2)) else {
                return Parsed::Skipped(length);
            };
            let (offset, release) = match (private, last) {
                (None, _) => (32, Release::AsButtonThree),
                (_, b'm') => (0, Release::OfThisButton),
                _ => (0, Release::AsButtonThree),
            };
            return mouse([button.saturating_sub(offset), column, row], release, length);
        }
        (None, b'~') => number(0).and_then(numbered_key),
        (None, b'u') => number(0).and_then(|code| char::from_u32(code.into())).map(|c| match c {
            '\x1b' => KeyCode::Esc,
            '\r' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\x7f' => KeyCode::Backspace,
            c => KeyCode::Char(c),
        }),
        (None, b'Z') => Some(KeyCode::BackTab),
        (None, last) => cursor_key(last),
        _ => None,
    };
    match code {
        Some(code) => key(code, modifiers, length),
        None => Parsed::Skipped(length),
    }
}

fn cursor_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(1 + last - b'P'),
        _ => return None,
    })
}

/// The keys that send a number and `~`, with the gaps that DEC's keyboards left between the function keys.
fn numbered_key(number: u16) -> Option<KeyCode> {
    let function = |gap: u16| u8::try_from(number - gap).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(10),
        17..=21 => function(11),
        23..=24 => function(12),
        _ => None,
    }
}

/// Modifiers are told as one more than the sum of their bits.
fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(KeyModifiers::NONE, |all, (_, modifier)| all | modifier)
}

/// How a terminal tells that a button was let go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Release {
    AsButtonThree,
    OfThisButton,
}

/// A mouse event of its button code, its column and its row, the upper left cell being 1, 1.
fn mouse([code, column, row]: [u16; 3], release: Release, length: usize) -> Parsed {
    const MOVING: u16 = 32;
    const WHEEL: u16 = 64;
    let button = match code & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (code & (WHEEL | MOVING), code & 3) {
        (WHEEL, 0) => MouseEventKind::ScrollUp,
        (WHEEL, 1) => MouseEventKind::ScrollDown,
        (0, 0..=2) if release == Release::AsButtonThree => MouseEventKind::Down(button),
        (0, _) => MouseEventKind::Up(button),
        (MOVING, 0..=2) => MouseEventKind::Drag(button),
        (MOVING, _) => MouseEventKind::Moved,
        _ => return Parsed::Skipped(length),
    };
    let modifiers = modifiers(1 + ((code >> 2) & 7));
    let event = MouseEvent { kind, column: column.saturating_sub(1), row: row.saturating_sub(1), modifiers };
    Parsed::Event(Event::Mouse(event), length)
}

#[cfg(unix)]
mod system {
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use zeroize::Zeroizing;

    use super::*;

    /// How many bytes are read at once.
    const AT_ONCE: usize = 4096;
    /// How long the signal is waited for that says how to end when the terminal has hung up.
    const HUNG_UP: Duration = Duration::from_secs(1);

    /// Reads until the terminal is gone or nobody takes the events.
    pub fn read(sender: &Sender) -> io::Result<()> {
        let terminal = rustix::stdio::stdin();
        let mut parser = Parser::default();
        let mut buffer = Zeroizing::new([0; AT_ONCE]);
        loop {
            let length = match rustix::io::read(terminal, &mut buffer[..]) {
                Ok(0) | Err(Errno::IO) => break,
                Ok(length) => length,
                Err(Errno::INTR) => continue,
                // Another program has left it that way.
                Err(Errno::AGAIN) => match poll(&mut [PollFd::new(&terminal, PollFlags::IN)], None) {
                    Ok(_) | Err(Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
            };
            let more = rustix::io::ioctl_fionread(terminal).is_ok_and(|waiting| waiting > 0);
            let events = parser.events(&buffer[..length], more);
            buffer[..length].zeroize();
            for event in events {
                if sender.blocking_send(Ok(event)).is_err() {
                    return Ok(());
                }
            }
        }
        std::thread::sleep(HUNG_UP);
        Ok(())
    }
}

#[cfg(not(unix))]
mod system {
    use super::*;

    /// The system hands out key presses, not bytes.
    pub fn read(sender: &Sender) -> io::Result<()> {
        while sender.blocking_send(Ok(crossterm::event::read()?)).is_ok() {}
        Ok(())
    }
}

type Sender = mpsc::Sender<io::Result<Event>>;

/// The terminal's events, read by a thread of its own until nobody takes them. At most so many wait.
pub(super) fn terminal_events(waiting: usize) -> mpsc::Receiver<io::Result<Event>> {
    let (sender, receiver) = mpsc::channel(waiting);
    std::thread::spawn(move || {
        if let Err(error) = system::read(&sender) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bytes: &[u8]) -> Vec<Event> {
        Parser::default().events(bytes, false)
    }

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_are_told_by_what_terminals_send() {
        const NONE: KeyModifiers = KeyModifiers::NONE;
        for (sent, code, modifiers) in [
            ("a", KeyCode::Char('a'), NONE),
            ("G", KeyCode::Char('G'), KeyModifiers::SHIFT),
            ("é", KeyCode::Char('é'), NONE),
            ("🦀", KeyCode::Char('🦀'), NONE),
            ("\r", KeyCode::Enter, NONE),
            ("\t", KeyCode::Tab, NONE),
            ("\x7f", KeyCode::Backspace, NONE),
            ("\0", KeyCode::Char(' '), KeyModifiers::CONTROL),
            ("\x10", KeyCode::Char('p'), KeyModifiers::CONTROL),
            ("\x1c", KeyCode::Char('4'), KeyModifiers::CONTROL),
            ("\x1b", KeyCode::Esc, NONE),
            ("\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
            ("\x1b\r", KeyCode::Enter, KeyModifiers::ALT),
            ("\x1b[A", KeyCode::Up, NONE),
            ("\x1bOA", KeyCode::Up, NONE),
            ("\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
            ("\x1b[1;3D", KeyCode::Left, KeyModifiers::ALT),
            ("\x1b[H", KeyCode::Home, NONE),
            ("\x1b[4~", KeyCode::End, NONE),
            ("\x1b[3;2~", KeyCode::Delete, KeyModifiers::SHIFT),
            ("\x1b[5~", KeyCode::PageUp, NONE),
            ("\x1b[Z", KeyCode::BackTab, NONE),
            ("\x1bOP", KeyCode::F(1), NONE),
            ("\x1b[[B", KeyCode::F(2), NONE),
            ("\x1b[15~", KeyCode::F(5), NONE),
            ("\x1b[17~", KeyCode::F(6), NONE),
            ("\x1b[24;5~", KeyCode::F(12), KeyModifiers::CONTROL),
            ("\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(events(sent.as_bytes()), [pressed(code, modifiers)], "{sent:?}");
        }
    }

    #[test]
    fn the_mouse_is_told_alike_in_all_three_protocols() {
        for (sent, kind) in [
            ("\x1b[<0;3;2M", MouseEventKind::Down(MouseButton::Left)),
            ("\x1b[<0;3;2m", MouseEventKind::Up(MouseButton::Left)),
            ("\x1b[<64;3;2M", MouseEventKind::ScrollUp),
            ("\x1b[<35;3;2M", MouseEventKind::Moved),
            ("\x1b[97;3;2M", MouseEventKind::ScrollDown),
            ("\x1b[M #\"", MouseEventKind::Down(MouseButton::Left)),
        ] {
            let event = MouseEvent { kind, column: 2, row: 1, modifiers: KeyModifiers::NONE };
            assert_eq!(events(sent.as_bytes()), [Event::Mouse(event)], "{sent:?}");
        }
    }

    #[test]
    fn cut_anywhere_the_same_comes_of_it() {
        let bytes = "aé\x1b[1;5C\x1b[200~one\x1b[2Jtwo\x1b[201~\x1bOP\x1b[<0;3;2M\x1bxz".as_bytes();
        let whole = events(bytes);
        assert_eq!(whole.len(), 8);
        assert_eq!(whole[3], Event::Paste("one\x1b[2Jtwo".to_owned()));
        for at in 1..bytes.len() {
            let mut parser = Parser::default();
            let mut parts = parser.events(&bytes[..at], true);
            parts.extend(parser.events(&bytes[at..], false));
            assert_eq!(parts, whole, "cut at {at}");
        }
    }

    #[test]
    fn what_means_nothing_swallows_no_key() {
        for nothing in ["\x1b[?62;4c", "\x1b[I", "\x1b[99~", "\x1bOj", "\x1b[", "\x1b[<0;0M", "\x1b[1;\u{7}"] {
            let told = events(format!("{nothing}\x1b[Aq").as_bytes());
            assert_eq!(told.last(), Some(&pressed(KeyCode::Char('q'), KeyModifiers::NONE)), "{nothing:?}");
        }
        assert_eq!(events(b"\xff\xfeq"), [pressed(KeyCode::Char('q'), KeyModifiers::NONE)]);
        let endless = [b"\x1b[".as_slice(), &[b'1'; 2 * LONGEST_SEQUENCE], b"q"].concat();
        assert!(Parser::default().events(&endless[..endless.len() - 1], true).is_empty());
    }

    #[test]
    fn nothing_is_kept_of_what_has_become_an_event() {
        let mut parser = Parser::default();
        parser.events(b"\x1b[200~a token", true);
        assert!(!parser.pending.is_empty());
        assert_eq!(parser.events(b"\x1b[201~\x1b", true), [Event::Paste("a token".to_owned())]);
        assert_eq!((parser.pending.as_slice(), parser.searched), (b"\x1b".as_slice(), 0));
        assert_eq!(parser.events(b"[A", false), [pressed(KeyCode::Up, KeyModifiers::NONE)]);
        assert_eq!(parser.pending.capacity(), 0);
    }
}
