//! Lines put into a buffer, in the styles of a theme.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::report::glyphs::Glyphs;
use crate::report::line::{Line, Role};
use crate::tui::theme::Theme;

/// Draws a line at the top of an area, cut to its width.
pub(super) fn line(line: &Line, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let cut;
    let line = if line.width() > usize::from(area.width) {
        cut = line.cut(usize::from(area.width), glyphs.ellipsis);
        &cut
    } else {
        line
    };
    let mut x = area.x;
    for span in &line.spans {
        let room = usize::from(area.right().saturating_sub(x));
        (x, _) = buffer.set_stringn(x, area.y, &span.text, room, theme.style(span.role));
    }
}

/// Draws lines from the top of an area on.
pub(super) fn lines(lines: &[Line], theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    for (y, text) in (area.y..area.bottom()).zip(lines) {
        line(text, theme, Rect { y, height: 1, ..area }, glyphs, buffer);
    }
}

/// Text in one role.
pub(super) fn text(text: &str, role: Role, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    line(&Line::of(role, text), theme, area, glyphs, buffer);
}

/// Marks a row as selected: in reverse where the keys are, with bold text alone elsewhere.
pub(super) fn select(area: Rect, has_keys: Keys, theme: &Theme, buffer: &mut Buffer) {
    let style = match has_keys {
        Keys::Here => theme.selection(),
        Keys::Elsewhere => Style::new().add_modifier(Modifier::BOLD).remove_modifier(Modifier::DIM),
    };
    buffer.set_style(area, style);
}

/// Whether a pane has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Here,
    Elsewhere,
}
