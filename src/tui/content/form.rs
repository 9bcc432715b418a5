//! The form of a new profile as lines: a line a field, and what there is to say about the one with the cursor.

use super::{Show, labelled};
use crate::domain::profile::question::Need;
use crate::tui::model::Model;
use crate::tui::model::form::{Form, FormField, Standing};
use crate::tui::text::{Ink, Line};

/// Width of the sign and the label before a field's text.
pub const INDENT: usize = 30;

/// The sign of a field and its label.
pub fn label(field: &FormField, show: Show) -> Line {
    let (sign, ink) = match field.standing() {
        Standing::Good => (show.glyphs.pass, Ink::Good),
        Standing::Open => (show.glyphs.waiting, Ink::Muted),
        Standing::Missing => (show.glyphs.waiting, Ink::Warning),
        Standing::Wrong(_) => (show.glyphs.fail, Ink::Bad),
    };
    let mut line = Line::of(ink, sign).with(Ink::Plain, " ");
    line.push(Ink::Plain, field.label());
    if field.need == Need::Required {
        line.push(Ink::Accent, " *");
    }
    line.pad_to(INDENT);
    line
}

/// What there is to say about the field with the cursor.
pub fn advice(model: &Model, form: &Form) -> Vec<Line> {
    let show = Show::of(model);
    let mut lines = Vec::new();
    let mut told = None;
    if let Some(field) = form.fields.get(form.focus) {
        lines.push(labelled("what", Ink::Plain, field.doc()));
        lines.extend(field.key().map(|key| labelled("key", Ink::Muted, key)));
        match field.standing() {
            Standing::Wrong(fault) => {
                lines.push(labelled("problem", Ink::Bad, show.prose(&fault.wrong)));
                lines.push(labelled("write", Ink::Plain, show.prose(&fault.instead)));
                told = Some(fault.wrong);
            }
            Standing::Missing if field.blocks() => lines.push(labelled("", Ink::Warning, "needed to save")),
            Standing::Missing => {
                lines.push(labelled("", Ink::Warning, "a check needs it; left empty, the guide asks for it"));
            }
            Standing::Open => lines.push(labelled("", Ink::Muted, "may stay empty")),
            Standing::Good => {}
        }
        if let Some(from) = &field.from {
            lines.push(labelled("filled by", Ink::Muted, show.prose(from)));
        }
    }
    // What is wrong with the field itself stands there already.
    let others =
        form.problems.iter().filter(|problem| told.as_ref().is_none_or(|told| !problem.contains(told.as_str())));
    lines.extend(others.map(|problem| Line::of(Ink::Bad, show.prose(problem)).hanging(2)));
    lines
}
