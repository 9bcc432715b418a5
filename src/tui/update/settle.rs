//! What a frame needs of the model: every selection and scroll position within what there is.

use ratatui::layout::Rect;

use super::{guide, layers};
use crate::report::line::Wrap;
use crate::tui::layout::Geometry;
use crate::tui::model::{Focus, Model};
use crate::tui::panes::{Fitted, Over, Panes};

/// Keeps every selection and scroll position within what there is, and yields what was laid out to know that. Costs a layout
/// of the whole screen, so that it is left to whoever draws a frame.
pub fn settle(model: &mut Model) -> Panes {
    model.is_settled = true;
    let panes = Panes::without_list(model);
    if panes.geometry.is_too_small() {
        return panes;
    }
    let panes = renewed(model, panes, |model, panes| {
        keep_selection(model, panes);
        keep_focus(model, panes.geometry);
    });
    let panes = renewed(model, panes, |model, panes| {
        keep_scroll(model, panes);
        layers::keep_in_view(model, panes);
    });
    panes.with_list(model)
}

/// The same, where nobody draws.
pub fn clamp_selection_and_scroll(model: &mut Model) {
    if !model.is_settled {
        settle(model);
    }
}

/// Changes the model, and lays it out anew where that makes another layout.
fn renewed(model: &mut Model, panes: Panes, change: impl FnOnce(&mut Model, &Panes)) -> Panes {
    let shown = |model: &Model| (model.here().list.selected, model.here().focus, model.wrap);
    let before = shown(model);
    change(model, &panes);
    if shown(model) == before { panes } else { Panes::without_list(model) }
}

fn keep_selection(model: &mut Model, panes: &Panes) {
    let (count, page) = (panes.matching.len(), usize::from(panes.geometry.list_inner().height));
    // A run that begins has no checks yet.
    let begins = count == 0 && model.runs.live().is_some();
    if !begins {
        model.here_mut().list.keep_in_view(count, page);
    }
}

/// Keeps the keys out of a pane that is gone.
fn keep_focus(model: &mut Model, geometry: Geometry) {
    let here = model.here_mut();
    if geometry.aside_inner().is_empty() && here.focus == Focus::Aside {
        here.focus = Focus::Detail;
    }
}

fn keep_scroll(model: &mut Model, panes: &Panes) {
    let most = |total: usize, height: u16| total.saturating_sub(usize::from(height));
    // A run that is repeated to watch is read on meanwhile.
    let is_watched = model.runs.watch.is_some() && model.runs.live().is_some();
    let (detail, beside) = (panes.geometry.detail_inner(), panes.geometry.aside_inner());
    let here = model.here_mut();
    if !is_watched {
        here.scroll = here.scroll.min(most(panes.detail.lines.len(), detail.height));
    }
    here.aside_scroll = here.aside_scroll.min(most(panes.aside.len(), beside.height));
    guide::keep_field_in_view(model, detail);
    match panes.layers.last() {
        None => keep_sideways(model, &panes.detail, detail),
        Some((geometry, Over::Text(text))) => keep_sideways(model, text, geometry.layer_inner()),
        Some(_) => {}
    }
}

/// Keeps the first column that is shown of cut lines within the widest of them.
fn keep_sideways(model: &mut Model, fitted: &Fitted, inner: Rect) {
    if let Wrap::Off { from } = &mut model.wrap {
        *from = (*from).min(fitted.widest.saturating_sub(usize::from(inner.width)));
    }
}
