//! The screen: what is drawn reaches the terminal as the cells that changed, in one synchronized update.

use std::io;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::terminal;

/// What stands on the terminal, and the buffer that is drawn next.
#[derive(Debug)]
pub(super) struct Screen {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
}

impl Screen {
    /// An empty screen of this many columns and rows.
    pub fn new(size: (u16, u16)) -> Self {
        let area = Rect::new(0, 0, size.0, size.1);
        Screen { shown: Buffer::empty(area), next: Buffer::empty(area), cursor: None }
    }

    /// Forgets what stands on the terminal, so that every cell is drawn again.
    pub fn repaint(&mut self, size: (u16, u16)) -> io::Result<()> {
        *self = Screen::new(size);
        let mut bytes = Vec::new();
        queue!(bytes, Hide)?;
        terminal::write(&bytes)?;
        terminal::wipe()
    }

    /// Draws. Where nothing changed, nothing is written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        self.next.reset();
        let cursor = draw(&mut self.next);
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        let mut bytes = Vec::new();
        queue!(bytes, BeginSynchronizedUpdate)?;
        if self.cursor.is_some() {
            queue!(bytes, Hide)?;
        }
        CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
        if let Some(at) = cursor {
            queue!(bytes, MoveTo(at.x, at.y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        terminal::write(&bytes)
    }
}
