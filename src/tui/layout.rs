//! Where everything is: a pure function of the terminal's size and the model, for drawing, scrolling and the mouse.

use ratatui::layout::Rect;

use super::command::Screen;
use super::content;
use super::model::{Focus, HandshakeView, Layer, Model, PickerKind};
use crate::report::line::fit;

/// Below this many columns or rows, only a sentence fits.
const SMALLEST: (u16, u16) = (60, 16);
/// From this many columns on, panes stand side by side.
const SIDE_BY_SIDE: u16 = 100;
/// The same where the details hold values to compare, which need the larger part.
const VALUES_BESIDE: u16 = 116;

/// Where everything is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    pub area: Rect,
    /// What is checked, time left, problems.
    pub header: Rect,
    pub chain: Rect,
    pub tabs: Rect,
    /// The two panes with their borders; neighbours share one.
    pub list: Rect,
    pub detail: Rect,
    /// What stands beside the details where there is room; empty elsewhere.
    pub aside: Rect,
    pub status: Rect,
    /// The topmost layer with its border.
    pub layer: Rect,
}

impl Geometry {
    /// Whether only a sentence fits.
    pub fn is_too_small(&self) -> bool {
        is_too_small((self.area.width, self.area.height))
    }

    /// The rows of the list.
    pub fn list_inner(&self) -> Rect {
        inner(self.list)
    }

    /// The lines of the details.
    pub fn detail_inner(&self) -> Rect {
        inner(self.detail)
    }

    /// The lines beside the details.
    pub fn aside_inner(&self) -> Rect {
        inner(self.aside)
    }

    /// With a layer on top; `length` says how many entries or lines it has to show.
    #[must_use]
    pub fn with_layer(self, layer: &Layer, length: impl FnOnce() -> usize) -> Self {
        Geometry { layer: layer_area(layer, self.area, length), ..self }
    }

    /// The inside of the topmost layer.
    pub fn layer_inner(&self) -> Rect {
        inner(self.layer)
    }
}

/// Whether only a sentence fits on so many columns and rows.
pub const fn is_too_small((width, height): (u16, u16)) -> bool {
    width < SMALLEST.0 || height < SMALLEST.1
}

/// The inside of a bordered pane, with a blank column at each side.
fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(2),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// How many rows below a picker's list tell of the selected entry.
pub fn picker_detail(kind: PickerKind, height: u16) -> u16 {
    let wanted = match kind {
        PickerKind::Scenarios => 5,
        PickerKind::Copy => 6,
        PickerKind::Profiles | PickerKind::Palette | PickerKind::Help | PickerKind::AuditPath => 1,
        PickerKind::RotationWay | PickerKind::RotationRuntime(_) => 2,
        PickerKind::Guides | PickerKind::History | PickerKind::CompareWith | PickerKind::Export | PickerKind::Watch => {
            0
        }
    };
    if wanted == 0 || height < wanted + 5 { 0 } else { wanted + 1 }
}

/// Where everything is.
pub fn compute(model: &Model) -> Geometry {
    let geometry = below_layers(model);
    match model.layers.last() {
        Some(top) if !geometry.is_too_small() => geometry.with_layer(top, || length(model, top, geometry.area)),
        _ => geometry,
    }
}

/// Where everything is that lies below the layers.
pub fn below_layers(model: &Model) -> Geometry {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut geometry = Geometry { area, ..Geometry::default() };
    if geometry.is_too_small() {
        return geometry;
    }
    let row = |y: u16| Rect { x: 0, y, width: area.width, height: 1 };
    let top = 3;
    geometry.header = row(0);
    geometry.chain = row(1);
    geometry.tabs = row(2);
    geometry.status = row(area.height - 1);
    let body = Rect { x: 0, y: top, width: area.width, height: model.body_rows() };
    (geometry.list, geometry.detail) = panes(model, body);
    if model.screen == Screen::Guide && content::guide::has_aside(model) {
        // Below the steps, so that neither their names nor two values under each other are cut.
        let steps = u16::try_from(content::rows(model).count).unwrap_or(u16::MAX);
        let (list, height) = (geometry.list, steps.saturating_add(2));
        geometry.list.height = height;
        geometry.aside = Rect { y: list.y + height - 1, height: list.height - height + 1, ..list };
    }
    geometry
}

/// The width of the guide's left column: as wide as the longest name of a step, and at most a half, since what is read
/// and copied needs the larger part.
fn guide_width(model: &Model, whole: u16) -> u16 {
    let names = u16::try_from(content::guide::widest_row(model) + 4).unwrap_or(u16::MAX);
    names.min(whole / 2)
}

fn panes(model: &Model, body: Rect) -> (Rect, Rect) {
    // What has a time axis or long names gets the whole width.
    let is_wide = match model.screen {
        Screen::Handshake => model.handshake == HandshakeView::Waterfall,
        // The names of steps are long, and so are the commands in them; and a token's values.
        Screen::Guide | Screen::Token => !model.has_two_columns(),
        screen => screen == Screen::Rotation,
    };
    let least = match model.screen {
        Screen::Handshake | Screen::Findings => VALUES_BESIDE,
        _ => SIDE_BY_SIDE,
    };
    if body.width >= least && !is_wide {
        let share = match model.screen {
            Screen::Start => 36,
            Screen::Handshake => 42,
            Screen::Token => 52,
            Screen::Findings | Screen::Events | Screen::Audit => 44,
            Screen::Guide | Screen::Rotation | Screen::Log => 60,
        };
        // The longest assertion fits with its time beside it.
        let least = if model.screen == Screen::Handshake { 51 } else { 0 };
        let width = match model.screen {
            Screen::Guide => guide_width(model, body.width),
            _ => (body.width * share / 100).max(least),
        };
        let list = Rect { width, ..body };
        // One column is the border of both.
        let detail = Rect { x: body.x + width - 1, width: body.width - width + 1, ..body };
        return (list, detail);
    }
    let rows = u16::try_from(content::rows(model).count).unwrap_or(u16::MAX);
    let most = match model.screen {
        Screen::Token | Screen::Log => body.height * 6 / 10,
        Screen::Rotation => body.height / 3,
        // What is worked on or read gets the room.
        Screen::Guide | Screen::Handshake | Screen::Findings | Screen::Events | Screen::Audit
            if model.here().focus == Focus::Detail =>
        {
            4
        }
        _ => body.height / 2,
    };
    let height = rows.saturating_add(2).clamp(3, most.max(3));
    let list = Rect { height, ..body };
    let detail = Rect { y: body.y + height - 1, height: body.height - height + 1, ..body };
    (list, detail)
}

/// The columns of the widest layers: a narrow terminal gives them all of its own.
const fn widest_layer(area: Rect) -> u16 {
    if area.width <= 104 { area.width } else { 100 }
}

/// The columns that a text on top has.
pub const fn text_width(area: Rect) -> usize {
    widest_layer(area).saturating_sub(4) as usize
}

/// How many entries or lines a layer has to show, where its height depends on that.
fn length(model: &Model, layer: &Layer, area: Rect) -> usize {
    match layer {
        Layer::Picker(picker) => super::picker::rows(model, picker.kind).len(),
        Layer::Reader(reader) => {
            let width = text_width(area);
            fit(&content::page::lines(model, &reader.page, width), width, model.wrap, "").len()
        }
        _ => 0,
    }
}

/// Where a layer is, on a terminal of this area.
fn layer_area(layer: &Layer, area: Rect, length: impl FnOnce() -> usize) -> Rect {
    // Below the top lines and above the hints.
    let widest = widest_layer(area);
    let highest = area.height.saturating_sub(4);
    let length = || u16::try_from(length()).unwrap_or(u16::MAX);
    let (width, height) = match layer {
        Layer::Picker(_) if widest == area.width => (widest, highest),
        Layer::Picker(picker) => {
            let rows = length().saturating_add(4).saturating_add(picker_detail(picker.kind, highest));
            (widest, rows.clamp(6, highest.max(6)))
        }
        Layer::Reader(_) => (widest, length().saturating_add(2).clamp(3, highest.max(3))),
        Layer::Form(form) => {
            let rows = u16::try_from(form.fields.len()).unwrap_or(u16::MAX).saturating_add(10);
            (widest, if widest == area.width { highest } else { rows.clamp(6, highest.max(6)) })
        }
        Layer::Paste(_) => (widest.min(72), 7),
        Layer::Value(_) => (widest.min(84), 10),
        Layer::Program(_) => (widest.min(84), 11),
        Layer::Agreement(_) => (widest.min(84), 12),
        Layer::Confirm(_) => (widest.min(64), 6),
    };
    let (width, height) = (width.min(area.width), height.min(area.height));
    let height = height.min(highest);
    Rect { x: (area.width - width) / 2, y: 3 + (highest - height) / 2, width, height }
}

/// The tabs with their places: screen, first column, width in columns.
pub fn tabs(model: &Model) -> Vec<(Screen, u16, u16)> {
    let mut column = 1;
    Screen::TABS
        .iter()
        .enumerate()
        .map(|(place, screen)| {
            let width = u16::try_from(tab_text(model, place, *screen).chars().count()).unwrap_or(0);
            let tab = (*screen, column, width);
            column += width + 1;
            tab
        })
        .collect()
}

/// What a tab says: its key, its name, and how many findings there are.
pub fn tab_text(model: &Model, place: usize, screen: Screen) -> String {
    let key = super::command::command(super::command::CommandId::Show(screen))
        .and_then(|command| model.appearance.keymap.key(super::command::Scope::Main, command.id))
        .map_or_else(|| (place + 1).to_string(), |key| key.to_string());
    let count = match screen {
        Screen::Findings => model.runs.shown().map_or(0, |run| run.report.roots().count()),
        _ => 0,
    };
    let count = if count > 0 { format!(" {count}") } else { String::new() };
    format!(" {key} {}{count} ", screen.title())
}

/// How many rows of the form are fields; the rest tells of the one with the cursor.
pub fn form_rows(geometry: Geometry) -> u16 {
    let inner = geometry.layer_inner();
    inner.height.saturating_sub(8).max(inner.height / 2).max(1)
}

/// The first field shown, so that the one with the cursor is among `page`.
pub fn form_window(focus: usize, count: usize, page: usize) -> usize {
    focus.saturating_sub(page.saturating_sub(1)).min(count.saturating_sub(page))
}
