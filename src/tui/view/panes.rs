//! Lines painted into a buffer, and the two panes of a screen: a list, and the details of what is selected in it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::paint::{self, Border, Extent, Keys, columns};
use crate::report::context::RenderContext;
use crate::report::line::Role;
use crate::tui::command::Screen;
use crate::tui::content;
use crate::tui::content::selection::Matching;
use crate::tui::model::{Focus, HandshakeView, ListState, Model};
use crate::tui::panes::Panes;
use crate::tui::theme::Theme;

/// Draws them, and says where the cursor stands if a field of the guide is typed into.
pub(super) fn draw(model: &Model, panes: &Panes, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let (geometry, set, show) = (panes.geometry, model.appearance.glyphs, model.render_context());
    let (matching, state) = (&panes.matching, &model.here().list);
    let note = position(state, matching, panes.rows, show);
    let list = Border {
        title: list_title(model),
        note: &note,
        keys: keys(model, Focus::List),
        extent: Extent { first: state.offset, page: usize::from(geometry.list_inner().height), total: matching.len() },
    };

    let inner = geometry.detail_inner();
    let lines = &panes.detail.lines;
    let columns = columns(&panes.detail, usize::from(inner.width), model.wrap);
    let first = model.here().scroll.min(lines.len().saturating_sub(usize::from(inner.height)));
    let extent = Extent { first, page: usize::from(inner.height), total: lines.len() };
    let note = extent.note(columns.as_deref(), show.glyphs.dot);
    let title = content::detail_title(model);
    let detail = Border { title: &title, note: &note, keys: keys(model, Focus::Detail), extent };

    let (beside, evidence) = (geometry.aside_inner(), &panes.aside);
    let from = model.here().aside_scroll.min(evidence.len());
    let extent = Extent { first: from, page: usize::from(beside.height), total: evidence.len() };
    let note = extent.note(None, show.glyphs.dot);
    let aside = Border { title: "Evidence", note: &note, keys: keys(model, Focus::Aside), extent };

    // The pane that has the keys gets the shared border.
    let mut borders = vec![(&list, geometry.list), (&detail, geometry.detail)];
    if !geometry.aside.is_empty() {
        borders.push((&aside, geometry.aside));
    }
    borders.sort_by_key(|(border, _)| border.keys == Keys::Here);
    for (border, area) in borders.iter().copied() {
        paint::edge(border, area, theme, set, buffer);
    }
    for (border, area) in borders {
        paint::labels(border, area, theme, set, buffer);
    }
    draw_rows(model, theme, panes, list.keys, buffer);
    paint::paint_lines(&lines[first..], theme, inner, show.glyphs, buffer);
    paint::paint_lines(&evidence[from..], theme, beside, show.glyphs, buffer);
    cursor(model, inner, first)
}

/// Where the cursor of the field that is typed into stands.
fn cursor(model: &Model, inner: Rect, first: usize) -> Option<Position> {
    let (row, column) = content::guide::cursor(model, usize::from(inner.width))?;
    let y = inner.y.checked_add(u16::try_from(row.checked_sub(first)?).ok()?)?;
    let x = inner.x.saturating_add(u16::try_from(column).ok()?).min(inner.right().saturating_sub(1));
    (y < inner.bottom()).then_some(Position { x, y })
}

fn keys(model: &Model, focus: Focus) -> Keys {
    if model.layers.is_empty() && model.here().focus == focus { Keys::Here } else { Keys::Elsewhere }
}

fn list_title(model: &Model) -> &'static str {
    match (model.screen, model.handshake) {
        (Screen::Handshake, HandshakeView::Waterfall) => "Waterfall",
        (Screen::Start, _) => "Where to begin",
        (Screen::Rotation, _) => "Secrets",
        (Screen::Guide, _) if model.guide.followed.is_none() => "Setups",
        (screen, _) => screen.title(),
    }
}

/// Where the selection is, and what the filter leaves.
fn position(state: &ListState, matching: &Matching, all: usize, show: RenderContext) -> String {
    match (state.filter.is_empty(), matching.len()) {
        (true, 0) => String::new(),
        (true, total) => format!("{}/{total}", state.selected + 1),
        (false, shown) => {
            format!("{}/{shown} of {all} with `{}`", (state.selected + 1).min(shown), show.prose(state.filter.text()))
        }
    }
}

fn draw_rows(model: &Model, theme: &Theme, panes: &Panes, has_keys: Keys, buffer: &mut Buffer) {
    let (show, state, inner) = (model.render_context(), &model.here().list, panes.geometry.list_inner());
    for (at, (line, y)) in panes.list.iter().zip(inner.y..inner.bottom()).enumerate() {
        let row = Rect { y, height: 1, ..inner };
        paint::paint_line(line, theme, row, show.glyphs, buffer);
        if state.offset + at == state.selected {
            paint::select(row, has_keys, theme, buffer);
            // The mark shows the selection without any style at all.
            let mark = Rect { x: row.x - 1, width: 1, ..row };
            paint::text(show.glyphs.selected, Role::Accent, theme, mark, show.glyphs, buffer);
        }
    }
}
