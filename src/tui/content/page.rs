//! Texts on top of a screen, and what an empty pane says.

use super::{Show, compare, heading};
use crate::tui::command::CommandId;
use crate::tui::command::{Scope, command};
use crate::tui::model::{Model, Page, RunState, Screen};
use crate::tui::text::{Ink, Line};

/// The heading of a text on top.
pub fn title(page: &Page) -> String {
    match page {
        Page::Error { title, .. } => title.clone(),
        Page::Compare { .. } => "Compared".to_owned(),
    }
}

/// A text on top.
pub fn lines(model: &Model, page: &Page) -> Vec<Line> {
    let show = Show::of(model);
    match page {
        Page::Error { message, hints, .. } => {
            let mut lines: Vec<Line> = show.lines(message).into_iter().map(|text| Line::of(Ink::Bad, text)).collect();
            if !hints.is_empty() {
                lines.push(Line::empty());
            }
            lines.extend(
                hints.iter().flat_map(|hint| show.lines(hint)).map(|text| Line::of(Ink::Plain, text).hanging(2)),
            );
            lines
        }
        Page::Compare { before, after } => match (model.runs.get(*before), model.runs.get(*after)) {
            (Some(before), Some(after)) => compare::lines(model, before, after),
            _ => vec![Line::of(Ink::Muted, "one of the runs is no longer kept")],
        },
    }
}

/// What a pane says where no row is selected.
pub fn no_rows(model: &Model) -> Vec<Line> {
    let show = Show::of(model);
    let key = |id: CommandId| {
        command(id)
            .and_then(|c| model.look.keymap.key(Scope::Main, c.id))
            .map_or_else(String::new, |key| key.to_string())
    };
    match model.runs.shown() {
        None => vec![
            Line::of(Ink::Plain, "Nothing has run yet."),
            Line::empty(),
            Line::of(Ink::Accent, key(CommandId::Lab)).with(Ink::Plain, "  pick a scenario of the lab"),
            Line::of(Ink::Accent, key(CommandId::Profiles)).with(Ink::Plain, "  open a profile"),
            Line::of(Ink::Accent, key(CommandId::NewProfile)).with(Ink::Plain, "  make a profile"),
        ],
        Some(run) => match &run.state {
            RunState::Refused { message, hints } => {
                let mut lines = vec![heading("The run could not start"), Line::of(Ink::Bad, show.prose(message))];
                lines.extend(hints.iter().map(|hint| Line::of(Ink::Plain, show.prose(hint))));
                lines
            }
            _ if !model.here().list.filter.is_empty() => {
                vec![Line::of(Ink::Muted, "nothing matches the filter; esc clears it")]
            }
            RunState::Running | RunState::Cancelling if run.report.checks.is_empty() => {
                vec![Line::of(Ink::Accent, format!("{} starting", super::chain::running(model)))]
            }
            RunState::Running | RunState::Cancelling if model.screen == Screen::Findings => {
                vec![Line::of(Ink::Muted, "nothing found so far")]
            }
            _ => vec![Line::of(Ink::Muted, "there is nothing here")],
        },
    }
}
