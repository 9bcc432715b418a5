//! A pane's border: its title, the position within what is longer than the pane, and a scrollbar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::paint::{self, Keys};
use crate::report::glyphs::{GlyphSet, Glyphs};
use crate::report::line::{Line, Role, Wrap, cut, widest};
use crate::tui::theme::Theme;

/// How much of a content is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub first: usize,
    pub page: usize,
    pub total: usize,
}

impl Extent {
    /// Where in a text one is: the last line shown of how many, and the columns where lines are cut.
    pub fn note(&self, columns: Option<&str>, dot: &str) -> String {
        let last = (self.first + self.page).min(self.total);
        let lines = (self.total > self.page).then(|| format!("{last}/{}", self.total));
        match (columns, lines) {
            (Some(columns), Some(lines)) => format!("{columns} {dot} {lines}"),
            (columns, lines) => columns.map(str::to_owned).or(lines).unwrap_or_default(),
        }
    }
}

/// Which columns are shown of lines that are cut; `None` where all are.
pub(super) fn columns(lines: &[Line], width: usize, wrap: Wrap) -> Option<String> {
    let (Wrap::Off { from }, all) = (wrap, widest(lines)) else { return None };
    (all > width).then(|| format!("columns {}-{} of {all}", from + 1, (from + width).min(all)))
}

/// What stands on a border.
pub(super) struct Border<'t> {
    pub title: &'t str,
    /// Behind the title, at the right edge: a position or a count. Not below, where it would stand beside the title of
    /// the pane that shares the border.
    pub note: &'t str,
    pub keys: Keys,
    pub extent: Extent,
}

/// The lines of a border.
const fn border_set(set: GlyphSet) -> border::Set<'static> {
    match set {
        GlyphSet::Unicode => border::PLAIN,
        GlyphSet::Ascii => border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
    }
}

/// Draws a border. It merges with the border of a neighbour that shares it.
pub(super) fn edge(border: &Border<'_>, area: Rect, theme: &Theme, set: GlyphSet, buffer: &mut Buffer) {
    let role = if border.keys == Keys::Here { Role::Accent } else { Role::Muted };
    let mut block = Block::bordered().border_set(border_set(set)).border_style(theme.style(role));
    if set == GlyphSet::Unicode {
        block = block.merge_borders(MergeStrategy::Exact);
    }
    block.render(area, buffer);
}

/// Draws what stands on a border: the title, the note, the scrollbar. After all borders, so that none covers it.
pub(super) fn labels(border: &Border<'_>, area: Rect, theme: &Theme, set: GlyphSet, buffer: &mut Buffer) {
    let glyphs = set.glyphs();
    let room = usize::from(area.width).saturating_sub(6);
    let note = cut(border.note, room / 2, glyphs.ellipsis);
    let room = room.saturating_sub(if note.is_empty() { 0 } else { note.width() + 3 });
    let role = if border.keys == Keys::Here { Role::Strong } else { Role::Plain };
    let title = Line::of(role, format!(" {} ", cut(border.title, room, glyphs.ellipsis)));
    let width = u16::try_from(title.width()).unwrap_or(u16::MAX).min(area.width.saturating_sub(2));
    on_border(&title, border.keys, theme, Rect { x: area.x + 1, width, height: 1, ..area }, glyphs, buffer);
    if !note.is_empty() {
        let note = Line::of(Role::Muted, format!(" {note} "));
        let width = u16::try_from(note.width()).unwrap_or(0);
        let at = Rect { x: area.right().saturating_sub(width + 1), width, height: 1, ..area };
        on_border(&note, border.keys, theme, at, glyphs, buffer);
    }
    scrollbar(border.extent, area, theme, glyphs, buffer);
}

/// Text on a border. A pane without the keys takes nothing of the colour of a neighbour that has them.
fn on_border(line: &Line, keys: Keys, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    if keys == Keys::Elsewhere {
        buffer.set_style(area, Style::reset());
    }
    paint::line(line, theme, area, glyphs, buffer);
}

/// A thumb on the right border, where the content is longer than the pane.
fn scrollbar(extent: Extent, area: Rect, theme: &Theme, glyphs: &Glyphs, buffer: &mut Buffer) {
    let track = usize::from(area.height).saturating_sub(2);
    if extent.total <= extent.page || track < 2 {
        return;
    }
    let size = (track * extent.page / extent.total).clamp(1, track - 1);
    let most = extent.total - extent.page;
    let start = ((track - size) * extent.first.min(most) + most / 2) / most;
    for y in 0..track {
        let is_thumb = (start..start + size).contains(&y);
        let sign = if is_thumb { glyphs.thumb } else { glyphs.track };
        let role = if is_thumb { Role::Accent } else { Role::Muted };
        if let (Some(x), Ok(y)) = (area.right().checked_sub(1), u16::try_from(y)) {
            buffer.set_string(x, area.y + 1 + y, sign, theme.style(role));
        }
    }
}

/// Empties an area, so that what lies below does not show through.
pub(super) fn clear(area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
}
