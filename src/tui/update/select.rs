//! Selecting with the mouse: within the pane in which the button went down, and copied as it stands there. What is never shown is
//! never copied.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use crate::report::glyphs::ThemeName;
use crate::tui::layout::Geometry;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Selection};
use crate::tui::theme::{Theme, ThemePatch};
use crate::tui::view;

/// The button went down; nothing is selected where there is no pane.
pub(super) fn begin(model: &mut Model, geometry: Geometry, at: Position) {
    let panes = if model.layers.is_empty() {
        [geometry.list_inner(), geometry.detail_inner(), geometry.aside_inner()]
    } else {
        [geometry.layer_inner(), Rect::ZERO, Rect::ZERO]
    };
    model.selection = panes.into_iter().find(|pane| pane.contains(at)).map(|pane| Selection::pressed(pane, at));
}

/// The mouse moved with the button down.
pub(super) fn drag(model: &mut Model, at: Position) {
    if let Some(selection) = &mut model.selection {
        selection.drag(at);
    }
}

/// The button was let go: what is selected is copied, unless it is blank.
pub(super) fn copy(model: &Model, selection: Selection) -> Vec<Effect> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.0, model.size.1));
    view::draw(model, &Theme::new(ThemeName::None, &ThemePatch::new()), &mut buffer);
    let lines: Vec<String> = selection.lines().map(|line| text(&buffer, line)).collect();
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    if text.trim().is_empty() { Vec::new() } else { vec![Effect::Copy { text: text.to_owned() }] }
}

/// What stands in a line, without the blanks at its end.
fn text(buffer: &Buffer, line: Rect) -> String {
    let mut text = String::new();
    let mut x = line.x;
    while x < line.right() {
        let symbol = buffer.cell(Position { x, y: line.y }).map_or(" ", |cell| cell.symbol());
        text.push_str(symbol);
        // The second half of a wide character is a cell of its own.
        x = x.saturating_add(u16::try_from(symbol.width()).unwrap_or(1).max(1));
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_come_once_and_blanks_at_the_end_not_at_all() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "a\u{65e5}\u{672c} b", ratatui::style::Style::new());
        assert_eq!(text(&buffer, Rect::new(0, 0, 12, 1)), "a\u{65e5}\u{672c} b");
        assert_eq!(text(&buffer, Rect::new(1, 0, 4, 1)), "\u{65e5}\u{672c}");
    }
}
