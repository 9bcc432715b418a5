//! The end of a guide: what is set up, how each step is known to be done, and the values.

use super::super::heading;
use super::{evidence, has_aside};
use crate::domain::profile::key::Key;
use crate::guide::{StepState, next_open};
use crate::report::context::RenderContext;
use crate::report::page::{Line, Role};
use crate::tui::command::{CommandId, Scope};
use crate::tui::model::Model;
use crate::tui::model::guide::Followed;

pub(super) fn row(states: &[(u8, StepState)], width: usize, show: RenderContext) -> Line {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let all = done == states.len();
    let (sign, role) = if all { (show.glyphs.pass, Role::Good) } else { (show.glyphs.waiting, Role::Muted) };
    let mut line = Line::of(role, sign).with(Role::Plain, "    ");
    line.push(if all { Role::Strong } else { Role::Muted }, "Summary");
    if width == usize::MAX {
        return line;
    }
    let note = format!("{done} of {}", states.len());
    line.push(Role::Plain, " ".repeat(width.saturating_sub(line.width() + note.len())));
    line.push(Role::Muted, note);
    line
}

/// The steps, each with what shows that it is done.
pub(super) fn lines(model: &Model, followed: &Followed) -> Vec<Line> {
    let show = model.render_context();
    let states = followed.states();
    let mut lines = vec![match next_open(&states) {
        None => Line::of(Role::Good, format!("{} Every step is done: {}.", show.glyphs.pass, kinds(&states))),
        Some(next) => {
            let done = states.iter().filter(|(_, state)| state.is_done()).count();
            let text = format!("{done} of {} steps are done; step {next} is next.", states.len());
            Line::of(Role::Plain, text)
        }
    }];
    if let Some(key) = model.appearance.keymap.key(Scope::Main, CommandId::Export) {
        lines.push(Line::of(Role::Accent, key.to_string()).with(Role::Muted, " writes this as Markdown or JSON"));
    }
    lines.push(Line::empty());
    for (step, (_, state)) in followed.text().steps.iter().zip(&states) {
        let (sign, role) = super::sign(state, show);
        let title = Line::of(role, sign).with(Role::Muted, format!(" {:>2} ", step.number));
        lines.push(title.with(Role::Plain, step.title.clone()).hanging(5));
        let mut how = Line::of(Role::Plain, "     ").hanging(7);
        for span in evidence::headline(model, state).spans.into_iter() {
            how.push(Role::Muted, span.text);
        }
        lines.push(how);
    }
    if !has_aside(model) {
        lines.push(Line::empty());
        lines.extend(values(model, followed));
    }
    lines
}

/// How many steps are known in which way.
fn kinds(states: &[(u8, StepState)]) -> String {
    let by_hand = states.iter().filter(|(_, state)| matches!(state, StepState::Confirmed { .. })).count();
    let verified = states.iter().filter(|(_, state)| state.is_done()).count() - by_hand;
    match by_hand {
        0 => format!("{verified} verified"),
        _ => format!("{verified} verified, {by_hand} confirmed by hand"),
    }
}

/// The profile's values.
pub(super) fn values(model: &Model, followed: &Followed) -> Vec<Line> {
    let show = model.render_context();
    let values = followed.values();
    let mut lines = vec![heading("Values")];
    for field in followed.text().fields() {
        let Some(text) = values.text(field.key) else { continue };
        lines.push(Line::of(Role::Muted, field.key.path()));
        let shown = if field.key == Key::ExternalId { "(set, not shown)".to_owned() } else { show.value(text) };
        lines.push(Line::of(Role::Plain, format!("  {shown}")).hanging(2));
    }
    lines
}
