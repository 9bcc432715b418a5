//! What is drawn: a pure function of the model, the theme and the frame's size.

mod header;
mod layer;
mod paint;
mod panes;
mod secret;
mod status;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::model::{Model, Selection};
use super::panes::Panes;
use super::theme::Theme;

/// Draws the console into a buffer of the model's size, and says where the cursor stands, if text is typed.
pub fn draw(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    draw_panes(model, &Panes::of(model), theme, buffer)
}

/// The rows that the time alone can change while [`Panes::shows_time`] does not hold: those above and below the panes.
pub fn rows_around(panes: &Panes) -> [Rect; 2] {
    let geometry = panes.geometry;
    [geometry.header.union(geometry.chain).union(geometry.tabs), geometry.status]
}

/// Draws the top lines into a buffer that holds those of [`rows_around`].
pub fn draw_around(model: &Model, panes: &Panes, theme: &Theme, buffer: &mut Buffer) {
    if buffer.area == panes.geometry.status {
        status::draw(model, panes, theme, buffer);
    } else {
        header::draw(model, theme, panes.geometry, buffer);
    }
}

/// The same, with the panes laid out before.
pub fn draw_panes(model: &Model, panes: &Panes, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let geometry = panes.whole_geometry();
    // A resize may come between the model's size and the frame's.
    if buffer.area != geometry.area {
        return None;
    }
    if geometry.is_too_small() {
        status::too_small(model, theme, buffer);
        return None;
    }
    header::draw(model, theme, geometry, buffer);
    let in_field = panes::draw(model, panes, theme, buffer);
    let on_status = status::draw(model, panes, theme, buffer);
    let mut cursor = on_status.or(in_field);
    if !model.layers.is_empty() {
        // What lies below steps back.
        let back = Style::new().remove_modifier(Modifier::BOLD | Modifier::REVERSED).add_modifier(Modifier::DIM);
        for pane in [geometry.list.union(geometry.detail), geometry.aside] {
            buffer.set_style(pane, back);
        }
    }
    for (layer, (geometry, over)) in model.layers.iter().zip(&panes.layers) {
        cursor = layer::draw(model, theme, *geometry, (layer, over), buffer);
    }
    for line in model.selection.iter().filter(|selection| selection.is_dragged()).flat_map(Selection::lines) {
        for at in line.positions() {
            if let Some(cell) = buffer.cell_mut(at) {
                // What is reversed already is seen to be selected by not being so.
                cell.modifier.toggle(Modifier::REVERSED);
            }
        }
    }
    cursor
}
