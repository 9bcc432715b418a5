//! The terminal's events as the console's messages. Keys are made alike here, however a terminal reports them.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use zeroize::Zeroizing;

use super::key::{Code, Key};
use super::message::{Msg, Pasted, Pointer, PointerAct};
use super::terminal;

/// The message of an event; `None` for those that mean nothing here.
pub(super) fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(event) => key(event).map(Msg::Key),
        Event::Resize(columns, rows) => {
            let (columns, rows) = terminal::usable((columns, rows));
            Some(Msg::Resize(columns, rows))
        }
        Event::Paste(text) => Some(Msg::Paste(Pasted(Zeroizing::new(text)))),
        Event::Mouse(event) => {
            let act = match event.kind {
                MouseEventKind::Down(MouseButton::Left) => PointerAct::Press,
                MouseEventKind::Drag(MouseButton::Left) => PointerAct::Drag,
                MouseEventKind::Up(MouseButton::Left) => PointerAct::Release,
                MouseEventKind::ScrollUp => PointerAct::WheelUp,
                MouseEventKind::ScrollDown => PointerAct::WheelDown,
                _ => return None,
            };
            Some(Msg::Pointer(Pointer { column: event.column, row: event.row, act }))
        }
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        // Some terminals report the letter small and shift beside it.
        KeyCode::Char(c) if shift && c.is_ascii_lowercase() => Code::Char(c.to_ascii_uppercase()),
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if shift => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(Key { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifted_letters_are_capital_however_they_are_reported() {
        for event in [
            KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT),
            KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT),
            KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE),
        ] {
            assert_eq!(key(event), Some(Key { code: Code::Char('G'), ctrl: false, alt: false }));
        }
    }

    #[test]
    fn releases_mean_nothing() {
        let event = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(key(event), None);
    }
}
