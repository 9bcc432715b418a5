//! What the panes and the layers show, laid out for their widths: what a frame and the limits of scrolling both need, and
//! what stays as it is while only the time goes on.

use super::available::{Hint, hints};
use super::content;
use super::content::selection::Matching;
use super::layout::{self, Geometry};
use super::model::{Layer, Model, Picker};
use super::picker::{self, Row};
use crate::report::line::{Line, Wrap, fit, widest};

/// Lines fitted to a width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    pub lines: Vec<Line>,
    /// The width of the widest line before it was fitted, in columns.
    pub widest: usize,
}

impl Fitted {
    /// Fits lines to a width as the model says.
    fn of(lines: &[Line], width: usize, model: &Model) -> Self {
        let widest = if model.wrap == Wrap::Words { 0 } else { widest(lines) };
        Fitted { lines: fit(lines, width, model.wrap, model.render_context().glyphs.ellipsis), widest }
    }
}

/// What a layer shows where that has to be made first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The rows that a picker's filter lets through.
    Rows(Vec<Row>),
    /// A text on top.
    Text(Fitted),
    /// What the layer itself holds.
    Own,
}

/// A screen's panes and layers, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panes {
    pub geometry: Geometry,
    /// How many rows the list has before the filter.
    pub rows: usize,
    pub matching: Matching,
    /// The rows of the list that are seen.
    pub list: Vec<Line>,
    pub detail: Fitted,
    /// What stands beside the details.
    pub aside: Vec<Line>,
    /// For the bottom line.
    pub hints: Vec<Hint>,
    /// For each layer where everything is with it on top, and what it shows; the topmost last.
    pub layers: Vec<(Geometry, Over)>,
    /// Whether any of this would be another with another time.
    pub shows_time: bool,
}

impl Panes {
    /// Lays out what a model shows.
    pub fn of(model: &Model) -> Self {
        Panes::without_list(model).with_list(model)
    }

    /// Lays out what does not depend on how far the list is scrolled.
    pub(super) fn without_list(model: &Model) -> Self {
        let (panes, shows_time) = model.clock.watched(|| Panes::laid_out(model));
        // What a layer makes of the time, it makes when it is drawn.
        let may_show_time = panes.layers.iter().any(|(_, over)| *over == Over::Own);
        Panes { shows_time: shows_time || may_show_time, ..panes }
    }

    /// With the rows of the list that are seen.
    pub(super) fn with_list(self, model: &Model) -> Self {
        if self.geometry.is_too_small() {
            return self;
        }
        let (inner, from) = (self.geometry.list_inner(), model.here().list.offset);
        let seen = from..from.saturating_add(usize::from(inner.height));
        let (list, shows_time) = model.clock.watched(|| {
            let rows = content::rows(model);
            seen.map_while(|at| self.matching.get(at)).map(|at| (rows.line)(at, usize::from(inner.width))).collect()
        });
        Panes { list, shows_time: self.shows_time || shows_time, ..self }
    }

    fn laid_out(model: &Model) -> Self {
        let geometry = layout::below_layers(model);
        let mut panes = Panes {
            geometry,
            rows: 0,
            matching: Matching::All(0),
            list: Vec::new(),
            hints: Vec::new(),
            detail: Fitted::default(),
            aside: Vec::new(),
            layers: Vec::new(),
            shows_time: false,
        };
        if geometry.is_too_small() {
            return panes;
        }
        let rows = content::rows(model);
        (panes.rows, panes.matching) = (rows.count, model.matching(&rows));
        let (width, beside) = (usize::from(geometry.detail_inner().width), geometry.aside_inner());
        panes.detail = Fitted::of(&content::detail(model, width), width, model);
        if !beside.is_empty() {
            panes.aside = content::guide::aside_fitted(model, usize::from(beside.width));
        }
        panes.hints = hints(model);
        panes.layers = model.layers.iter().map(|layer| over(model, layer, geometry)).collect();
        panes
    }

    /// Where everything is, with the topmost layer.
    pub fn whole_geometry(&self) -> Geometry {
        self.layers.last().map_or(self.geometry, |(geometry, _)| *geometry)
    }
}

fn over(model: &Model, layer: &Layer, below: Geometry) -> (Geometry, Over) {
    match layer {
        Layer::Picker(picker) => {
            let rows = picker::matching(model, picker.kind, picker.list.filter.text());
            (below.with_layer(layer, || unfiltered(model, picker, &rows)), Over::Rows(rows))
        }
        Layer::Reader(reader) => {
            let width = layout::text_width(below.area);
            let text = Fitted::of(&content::page::lines(model, &reader.page, width), width, model);
            (below.with_layer(layer, || text.lines.len()), Over::Text(text))
        }
        _ => (below.with_layer(layer, || 0), Over::Own),
    }
}

/// How many rows a picker has before its filter.
fn unfiltered(model: &Model, picker: &Picker, rows: &[Row]) -> usize {
    if picker.list.filter.is_empty() { rows.len() } else { picker::rows(model, picker.kind).len() }
}
