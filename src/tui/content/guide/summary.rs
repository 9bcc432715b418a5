//! The end of a guide: what is set up, how each step is known to be done, and the values.

use super::super::{Show, heading};
use super::{evidence, has_aside};
use crate::domain::profile::key::Key;
use crate::guide::{StepState, next_open};
use crate::tui::command::{CommandId, Scope};
use crate::tui::model::Model;
use crate::tui::model::guide::Followed;
use crate::tui::text::{Ink, Line};

pub(super) fn row(states: &[(u8, StepState)], width: usize, show: Show) -> Line {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let all = done == states.len();
    let (sign, ink) = if all { (show.glyphs.pass, Ink::Good) } else { (show.glyphs.waiting, Ink::Muted) };
    let mut line = Line::of(ink, sign).with(Ink::Plain, "    ");
    line.push(if all { Ink::Strong } else { Ink::Muted }, "Summary");
    if width == usize::MAX {
        return line;
    }
    let note = format!("{done} of {}", states.len());
    line.push(Ink::Plain, " ".repeat(width.saturating_sub(line.width() + note.len())));
    line.push(Ink::Muted, note);
    line
}

/// The steps, each with what shows that it is done.
pub(super) fn lines(model: &Model, followed: &Followed) -> Vec<Line> {
    let show = Show::of(model);
    let states = followed.states();
    let mut lines = vec![match next_open(&states) {
        None => Line::of(Ink::Good, format!("{} Every step is done: {}.", show.glyphs.pass, kinds(&states))),
        Some(next) => {
            let done = states.iter().filter(|(_, state)| state.is_done()).count();
            let text = format!("{done} of {} steps are done; step {next} is next.", states.len());
            Line::of(Ink::Plain, text)
        }
    }];
    if let Some(key) = model.look.keymap.key(Scope::Main, CommandId::Export) {
        lines.push(Line::of(Ink::Accent, key.to_string()).with(Ink::Muted, " writes this as Markdown or JSON"));
    }
    lines.push(Line::empty());
    for (step, (_, state)) in followed.text().steps.iter().zip(&states) {
        let (sign, ink) = super::sign(state, show);
        let title = Line::of(ink, sign).with(Ink::Muted, format!(" {:>2} ", step.number));
        lines.push(title.with(Ink::Plain, step.title.clone()).hanging(5));
        let mut how = Line::of(Ink::Plain, "     ").hanging(7);
        for span in evidence::headline(model, state).spans.into_iter() {
            how.push(Ink::Muted, span.text);
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
    let show = Show::of(model);
    let values = followed.values();
    let mut lines = vec![heading("Values")];
    for field in followed.text().fields() {
        let Some(text) = values.text(field.key) else { continue };
        lines.push(Line::of(Ink::Muted, field.key.path()));
        let shown = if field.key == Key::ExternalId { "(set, not shown)".to_owned() } else { show.value(text) };
        lines.push(Line::of(Ink::Plain, format!("  {shown}")).hanging(2));
    }
    lines
}
