//! The two panes of a screen: a list, and the details of what is selected in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{self, Border, Extent};
use super::paint::{self, Keys};
use crate::tui::content::{self, Show};
use crate::tui::layout::Geometry;
use crate::tui::model::{Focus, HandshakeView, Model, Screen};
use crate::tui::text::fit;
use crate::tui::theme::Theme;

pub(super) fn draw(model: &Model, theme: &Theme, geometry: Geometry, buffer: &mut Buffer) {
    // The pane that has the keys is drawn last, so that the shared border is its.
    let in_list = model.here().focus == Focus::List;
    if in_list {
        details(model, theme, geometry, buffer);
        list(model, theme, geometry, buffer);
    } else {
        list(model, theme, geometry, buffer);
        details(model, theme, geometry, buffer);
    }
}

fn keys(model: &Model, focus: Focus) -> Keys {
    if model.layers.is_empty() && model.here().focus == focus { Keys::Here } else { Keys::Elsewhere }
}

fn list(model: &Model, theme: &Theme, geometry: Geometry, buffer: &mut Buffer) {
    let show = Show::of(model);
    let rows = content::rows(model);
    let matching = model.matching(&rows);
    let state = &model.here().list;
    let inner = geometry.list_inner();
    let extent = Extent { first: state.offset, page: usize::from(inner.height), total: matching.len() };
    let note = match (state.filter.is_empty(), matching.len()) {
        (true, 0) => String::new(),
        (true, total) => format!("{}/{total}", state.selected + 1),
        (false, shown) => {
            format!("{}/{shown} of {} with `{}`", (state.selected + 1).min(shown), rows.count, show.prose(state.filter.text()))
        }
    };
    let title = match (model.screen, model.handshake) {
        (Screen::Handshake, HandshakeView::Waterfall) => "Waterfall",
        (Screen::Start, _) => "Where to begin",
        (screen, _) => screen.title(),
    };
    let has_keys = keys(model, Focus::List);
    frame::draw(&Border { title, note: &note, keys: has_keys, extent }, geometry.list, theme, model.look.glyphs, buffer);
    for line in 0..usize::from(inner.height) {
        let Some(place) = matching.get(state.offset + line) else { break };
        let Ok(y) = u16::try_from(line) else { break };
        let row = Rect { y: inner.y + y, height: 1, ..inner };
        paint::line(&(rows.line)(place, usize::from(inner.width)), theme, row, show.glyphs, buffer);
        if state.offset + line == state.selected {
            paint::select(row, has_keys, theme, buffer);
            // The mark shows the selection without any style at all.
            let mark = Rect { x: row.x - 1, width: 1, ..row };
            paint::text(show.glyphs.selected, crate::tui::text::Ink::Accent, theme, mark, show.glyphs, buffer);
        }
    }
}

fn details(model: &Model, theme: &Theme, geometry: Geometry, buffer: &mut Buffer) {
    let show = Show::of(model);
    let inner = geometry.detail_inner();
    let lines = content::detail(model, usize::from(inner.width));
    let lines = fit(&lines, usize::from(inner.width), model.wrap, show.glyphs.ellipsis);
    let first = model.here().scroll.min(lines.len());
    let extent = Extent { first, page: usize::from(inner.height), total: lines.len() };
    let last = (first + extent.page).min(extent.total);
    let note = if extent.total > extent.page { format!("{last}/{}", extent.total) } else { String::new() };
    let title = content::detail_title(model);
    let border = Border { title: &title, note: &note, keys: keys(model, Focus::Detail), extent };
    frame::draw(&border, geometry.detail, theme, model.look.glyphs, buffer);
    paint::lines(&lines[first..], theme, inner, show.glyphs, buffer);
}
