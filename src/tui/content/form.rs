//! The form of a new profile as lines: a line a field, and what there is to say about the one with the cursor.

use super::labelled;
use crate::domain::profile::setting::Need;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role};
use crate::tui::model::Model;
use crate::tui::model::form::{Form, FormField, Standing};

/// Width of the sign and the label before a field's text.
pub const INDENT: usize = 30;

/// The sign of a field and its label.
pub fn label(field: &FormField, show: RenderContext) -> Line {
    let (sign, role) = match field.standing() {
        Standing::Good => (show.glyphs.pass, Role::Good),
        Standing::Open => (show.glyphs.waiting, Role::Muted),
        Standing::Missing => (show.glyphs.waiting, Role::Warning),
        Standing::Wrong(_) => (show.glyphs.fail, Role::Bad),
    };
    let mut line = Line::of(role, sign).with(Role::Plain, " ");
    line.push(Role::Plain, field.label());
    if field.need == Need::Required {
        line.push(Role::Accent, " *");
    }
    line.pad_to(INDENT);
    line
}

/// What there is to say about the field with the cursor.
pub fn advice(model: &Model, form: &Form) -> Vec<Line> {
    let show = model.render_context();
    let mut lines = Vec::new();
    let mut told = None;
    if let Some(field) = form.fields.get(form.focus) {
        lines.push(labelled("what", Role::Plain, field.doc()));
        lines.extend(field.key().map(|key| labelled("key", Role::Muted, key)));
        match field.standing() {
            Standing::Wrong(fault) => {
                lines.push(labelled("problem", Role::Bad, show.prose(&fault.wrong)));
                lines.push(labelled("write", Role::Plain, show.prose(&fault.instead)));
                told = Some(fault.wrong);
            }
            Standing::Missing if field.blocks() => lines.push(labelled("", Role::Warning, "needed to save")),
            Standing::Missing => {
                lines.push(labelled("", Role::Warning, "a check needs it; left empty, the guide asks for it"));
            }
            Standing::Open => lines.push(labelled("", Role::Muted, "may stay empty")),
            Standing::Good => {}
        }
        if let Some(from) = &field.from {
            lines.push(labelled("filled by", Role::Muted, show.prose(from)));
        }
    }
    // What is wrong with the field itself stands there already.
    let others =
        form.problems.iter().filter(|problem| told.as_ref().is_none_or(|told| !problem.contains(told.as_str())));
    lines.extend(others.map(|problem| Line::of(Role::Bad, show.prose(problem)).hanging(2)));
    lines
}
