//! The screen: what is drawn reaches the terminal as the cells that changed, in one synchronized update.

use std::io;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{sgr, writer};

/// What stands on the terminal, and the buffer that is drawn next.
#[derive(Debug)]
pub(super) struct Screen {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    left: Left,
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
        Screen { shown: Buffer::empty(area), next: Buffer::empty(area), cursor: None, left: Left::Nothing }
    }

    /// Forgets what stands on the terminal, so that it is wiped and every cell is drawn again.
    pub fn repaint(&mut self, size: (u16, u16)) {
        *self = Screen { left: Left::Unknown, ..Screen::new(size) };
    }

    /// Draws. Where nothing changed, nothing is written; while the terminal is still busy with what came before, nothing
    /// is drawn, and [`writer::ROOM`] tells when it can be.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        if !writer::has_room()? {
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
        sgr::draw(&mut bytes, changes)?;
        if let Some(at) = cursor {
            queue!(bytes, MoveTo(at.x, at.y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        (self.cursor, self.left) = (cursor, Left::Nothing);
        std::mem::swap(&mut self.shown, &mut self.next);
        writer::put(&bytes)
    }
}
