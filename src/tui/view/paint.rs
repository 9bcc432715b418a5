//! What a screen is painted with: lines, a pane's border with its title, the position within what is longer than the pane
//! and a scrollbar, and boxes of a few lines.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::symbols::border;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::widgets::{Block, Borders, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use crate::report::glyphs::{GlyphSet, Glyphs};
use crate::report::line::{Line, Role, Wrap, cut, fit};
use crate::tui::layout::Geometry;
use crate::tui::model::Model;
use crate::tui::panes::Fitted;
use crate::tui::theme::Theme;

/// Draws a line at the top of an area, cut to its width.
pub(super) fn paint_line(line: &Line, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
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
        let row = Rect { x, width: area.right().saturating_sub(x), height: 1, ..area };
        x = put(&span.text, theme.style(span.role), row, buffer);
    }
}

/// Writes a text from the left of a row on, as far as there is room, and yields the column behind it. Where every character
/// has a cell of its own, nobody has to find out which belong together.
fn put(text: &str, style: Style, row: Rect, buffer: &mut Buffer) -> u16 {
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_plain {
        return buffer.set_stringn(row.x, row.y, text, usize::from(row.width), style).0;
    }
    let row = row.intersection(buffer.area);
    let Some(first) = (!row.is_empty()).then(|| buffer.index_of(row.x, row.y)) else { return row.x };
    let cells = buffer.content.iter_mut().skip(first).take(usize::from(row.width));
    let mut x = row.x;
    for (cell, byte) in cells.zip(text.bytes()) {
        cell.set_char(char::from(byte)).set_style(style);
        x += 1;
    }
    x
}

/// Draws lines from the top of an area on.
pub(super) fn paint_lines(lines: &[Line], theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    for (y, text) in (area.y..area.bottom()).zip(lines) {
        paint_line(text, theme, Rect { y, height: 1, ..area }, glyphs, buffer);
    }
}

/// Text in one role.
pub(super) fn text(text: &str, role: Role, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    paint_line(&Line::of(role, text), theme, area, glyphs, buffer);
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
pub(super) fn columns(fitted: &Fitted, width: usize, wrap: Wrap) -> Option<String> {
    let (Wrap::Off { from }, all) = (wrap, fitted.widest) else { return None };
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
        GlyphSet::Ascii | GlyphSet::Words => border::Set {
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
    let mut block = Block::new().border_set(border_set(set)).border_style(theme.style(role));
    if set == GlyphSet::Unicode {
        block = block.merge_borders(MergeStrategy::Exact);
    }
    // Side by side: a block would go over its whole inside to style it.
    let (ends, middle) = (Borders::LEFT | Borders::RIGHT, area.height.saturating_sub(2));
    let row = |y: u16, height: u16| Rect { y, height, ..area };
    let column = |x: u16| Rect { x, width: 1, ..row(area.y.saturating_add(1), middle) };
    for (borders, strip) in [
        (Borders::TOP | ends, row(area.y, 1)),
        (Borders::LEFT, column(area.x)),
        (Borders::RIGHT, column(area.right().saturating_sub(1))),
        (Borders::BOTTOM | ends, row(area.bottom().saturating_sub(1), 1)),
    ] {
        block = block.borders(borders);
        (&block).render(strip.intersection(area), buffer);
    }
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
    paint_line(line, theme, area, glyphs, buffer);
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

/// The border of the topmost layer.
pub(super) fn layer_border(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    title: &str,
    note: &str,
    extent: Extent,
    buffer: &mut Buffer,
) {
    let border = Border { title, note, keys: Keys::Here, extent };
    edge(&border, geometry.layer, theme, model.appearance.glyphs, buffer);
    labels(&border, geometry.layer, theme, model.appearance.glyphs, buffer);
}

const WHOLE: Extent = Extent { first: 0, page: 0, total: 0 };

/// A layer that holds a few lines.
pub(super) fn text_box(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    title: &str,
    lines: &[Line],
    buffer: &mut Buffer,
) -> Option<Position> {
    layer_border(model, theme, geometry, title, "", WHOLE, buffer);
    let inner = geometry.layer_inner();
    let lines = fit(lines, usize::from(inner.width), Wrap::Words, model.render_context().glyphs.ellipsis);
    paint_lines(&lines, theme, inner, model.render_context().glyphs, buffer);
    None
}
