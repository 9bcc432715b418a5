//! A step's fields: name, value, what is wrong with it, and the one that is typed into.

use unicode_width::UnicodeWidthChar as _;

use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::profile::setting::{Need, ask};
use crate::domain::redaction::looks_secret;
use crate::guide::Field;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role, fit};
use crate::tui::model::Model;
use crate::tui::model::guide::{Editing, Followed, Standing};

/// The middle's lines, and the line that each field begins in.
#[derive(Clone, Debug, Default)]
pub struct StepLayout {
    pub lines: Vec<Line>,
    pub fields: Vec<(Key, usize)>,
}

impl StepLayout {
    /// Lines without fields.
    pub fn of(lines: Vec<Line>) -> Self {
        StepLayout { lines, fields: Vec::new() }
    }
}

/// From this width on a field's value stands beside its name, and else below it.
const BESIDE: usize = 64;
/// Width of the sign and the name before a value beside it.
const LABEL: usize = 29;
/// The indent of a value below its name.
const BELOW: usize = 4;
/// What stands for a secret that was typed by mistake, however long it is.
const MASKED: usize = 12;

const fn indent(width: usize) -> usize {
    if width >= BESIDE { LABEL } else { BELOW }
}

/// Adds a field.
pub(super) fn push(model: &Model, followed: &Followed, field: &Field, width: usize, laid: &mut StepLayout) {
    let show = model.render_context();
    let typed = model.guide.editing.as_ref().filter(|editing| editing.key == field.key);
    let text = typed.map_or_else(|| followed.field_text(field.key), |editing| editing.input.text().to_owned());
    let standing = followed.standing(field.key, field.need, &text);
    let (sign, role) = match &standing {
        _ if typed.is_some() => (show.glyphs.arrow, Role::Accent),
        Standing::Good => (show.glyphs.pass, Role::Good),
        Standing::Missing => (show.glyphs.waiting, Role::Warning),
        Standing::Open => (show.glyphs.dot, Role::Muted),
        Standing::Wrong(_) => (show.glyphs.fail, Role::Bad),
    };
    laid.fields.push((field.key, laid.lines.len()));
    let label_role = if typed.is_some() { Role::Strong } else { Role::Plain };
    let mut line =
        Line::of(role, sign).with(Role::Plain, " ").with(label_role, field.key.path()).hanging(indent(width));
    if width < BESIDE {
        laid.lines.push(line);
        line = Line::of(Role::Plain, " ".repeat(BELOW)).hanging(BELOW);
    } else {
        line.pad_to(LABEL);
    }
    match typed {
        Some(editing) => {
            let (shown, _) = in_field(editing, width, show);
            line.push(Role::Strong, crate::domain::text::visible(&shown).into_owned());
        }
        None => value(followed, field, &text, &standing, show, &mut line),
    }
    laid.lines.push(line);
    let mut below = |role: Role, text: String| {
        laid.lines.push(Line::of(Role::Plain, " ".repeat(indent(width))).with(role, text).hanging(indent(width)));
    };
    if let Standing::Wrong(fault) = &standing {
        below(Role::Bad, show.prose(&fault.wrong));
        below(Role::Plain, show.prose(&fault.instead));
    } else if typed.is_some() {
        below(Role::Muted, show.prose(field.note.as_deref().unwrap_or(ask(field.key))));
    } else if standing == Standing::Good
        && let Some(Origin::Variable(name)) = followed.setting(field.key).map(|setting| &setting.origin)
    {
        below(Role::Muted, format!("from the variable {name}"));
    }
    if followed.file.drafts.contains_key(&field.key) && typed.is_none() {
        let kept = followed.setting(field.key).filter(|_| field.key != Key::ExternalId);
        below(
            Role::Muted,
            match kept {
                Some(setting) => format!("typed, not saved; in effect is {}", show.value(&setting.value.to_string())),
                None => "typed, not saved".to_owned(),
            },
        );
    }
}

fn value(followed: &Followed, field: &Field, text: &str, standing: &Standing, show: RenderContext, line: &mut Line) {
    match standing {
        Standing::Good if field.key == Key::ExternalId => line.push(Role::Muted, "(set, not shown)"),
        Standing::Good => line.push(Role::Plain, show.value(text)),
        Standing::Wrong(_) => line.push(Role::Bad, show.value(text)),
        Standing::Missing if followed.target.is_none() => line.push(Role::Muted, "not in the recording"),
        Standing::Missing => {
            line.push(Role::Warning, "needed  ");
            line.push(Role::Muted, show.prose(ask(field.key)));
        }
        Standing::Open if field.need == Need::Required => match followed.values().text(field.key) {
            Some(text) => line.push(Role::Muted, format!("{} (by itself)", show.value(text))),
            None => line.push(Role::Muted, "not set"),
        },
        Standing::Open => line.push(Role::Muted, "not set"),
    }
}

/// What shows of a field that is typed into, and the cursor's column in it. What looks like a secret does not show.
fn in_field(editing: &Editing, width: usize, show: RenderContext) -> (String, usize) {
    if looks_secret(editing.input.text()).is_some() {
        return (show.glyphs.mask.to_string().repeat(MASKED), MASKED);
    }
    window(editing.input.text(), editing.input.cursor(), width.saturating_sub(indent(width)))
}

/// The part of a text that fits `width` with the cursor in it, and the cursor's column there.
fn window(text: &str, cursor: usize, width: usize) -> (String, usize) {
    let room = width.saturating_sub(1).max(1);
    let mut shown: Vec<char> = text.chars().take(cursor).collect();
    let mut column: usize = shown.iter().map(|c| c.width().unwrap_or(0)).sum();
    while column > room && !shown.is_empty() {
        column -= shown.remove(0).width().unwrap_or(0);
    }
    let mut used = column;
    for c in text.chars().skip(cursor) {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        shown.push(c);
    }
    (shown.into_iter().collect(), column)
}

/// The rows of the field that is typed into, in the middle as it fits `width`: where it begins, and where what belongs
/// to it ends.
pub fn place(model: &Model, width: usize) -> Option<(usize, usize)> {
    let editing = model.editing()?;
    let laid = super::layout(model, width);
    let (_, at) = laid.fields.iter().find(|(key, _)| *key == editing.key)?;
    let first = fit(laid.lines.get(..*at)?, width, model.wrap, "").len();
    // It ends where the next field begins, or at the empty line behind the last one.
    let next = laid.fields.iter().map(|(_, next)| *next).find(|next| next > at);
    let rest = laid.lines.get(*at..next.unwrap_or(laid.lines.len()))?;
    let end = rest.iter().position(|line| line.spans.is_empty()).unwrap_or(rest.len());
    Some((first, first + fit(rest.get(..end)?, width, model.wrap, "").len()))
}

/// The field at a row of the middle as it fits `width`.
pub fn field_at(model: &Model, width: usize, row: usize) -> Option<Key> {
    let laid = super::layout(model, width);
    laid.fields.iter().enumerate().find_map(|(place, (key, at))| {
        let next = laid.fields.get(place + 1).map_or(at + 2, |(_, next)| *next).min(laid.lines.len());
        let first = fit(laid.lines.get(..*at)?, width, model.wrap, "").len();
        let end = fit(laid.lines.get(..next)?, width, model.wrap, "").len();
        (first..end).contains(&row).then_some(*key)
    })
}

/// Where the cursor of the field that is typed into stands: the row in the middle as it fits `width`, and the column.
pub fn cursor(model: &Model, width: usize) -> Option<(usize, usize)> {
    let editing = model.editing()?;
    let (first, _) = place(model, width)?;
    let (_, column) = in_field(editing, width, model.render_context());
    Some((first + usize::from(width < BESIDE), indent(width) + column))
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_cursor_stays_in_the_window() {
        for (text, cursor, width, shown, column) in [
            ("abc", 3, 10, "abc", 3),
            ("abcdefghij", 10, 5, "ghij", 4),
            ("abcdefghij", 0, 5, "abcd", 0),
            ("日本語", 3, 5, "本語", 4),
            ("", 0, 0, "", 0),
        ] {
            assert_eq!(window(text, cursor, width), (shown.to_owned(), column), "{text} {cursor} {width}");
        }
    }
}
