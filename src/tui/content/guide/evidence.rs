//! What shows that a step is done: its checks with how and when they ended, a person's word, or what is wrong.

use super::super::clock::moment;
use super::super::{finding_lines, heading, pane_lines};
use crate::check::CheckId;
use crate::domain::timestamp::parse_rfc3339;
use crate::guide::{CheckResult, Step, StepState};
use crate::report::context::outcome_word;
use crate::report::guide::step::{self as report, CheckStanding};
use crate::report::guide::{GuideContext, sign, state_words};
use crate::report::line::{Line, Role, Span};
use crate::report::page::{Block, Page};
use crate::tui::command::{CommandId, Scope};
use crate::tui::model::guide::Followed;
use crate::tui::model::{Model, Screen};

/// A time as the console tells it.
pub(super) fn time(model: &Model, at: &str) -> String {
    parse_rfc3339(at).map_or_else(String::new, |seconds| moment(model, seconds))
}

/// Where a step stands, in a line.
pub(super) fn headline(model: &Model, state: &StepState) -> Line {
    let shown = GuideContext { ctx: model.render_context(), time: &|at| time(model, at) };
    Line::from(sign(state, shown.ctx)).with(Role::Plain, " ").followed_by(&state_words(state, shown)).hanging(2)
}

/// All that is known of a step, for a pane of its own.
pub(super) fn lines(model: &Model, followed: &Followed, step: &Step, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let states = followed.states();
    let mut lines = Vec::new();
    if let Some((_, StepState::Failing { findings, .. })) = states.iter().find(|(number, _)| *number == step.number) {
        for found in findings {
            lines.extend(finding_lines(found, width, show));
            lines.push(Line::empty());
        }
    }
    let mut page = Page::default();
    push_done_when(model, followed, step, &mut page);
    lines.extend(pane_lines(&page, width, show));
    lines
}

/// What the step is done by, how far that is, and the keys that take it further.
pub(super) fn push_done_when(model: &Model, followed: &Followed, step: &Step, page: &mut Page) {
    let show = model.render_context();
    let key =
        |id| model.appearance.keymap.key(Scope::On(Screen::Guide), id).map(|key| key.to_string()).unwrap_or_default();
    let mut title = heading("Done when");
    if !step.checks.is_empty() {
        title =
            title.with(Role::Plain, "  ").with(Role::Accent, key(CommandId::CheckStep)).with(Role::Muted, " checks it");
    }
    page.push(Block::Heading(title));
    report::push_done_when(page, step, &|check| standing(model, followed, check), show);
    let Some(confirm) = &step.confirm else { return };
    let confirmation = followed.file.confirmations.iter().rfind(|confirmed| confirmed.step == step.number);
    let (mark, below) = match confirmation {
        Some(said) => {
            let words = format!("you said so, {}", time(model, &said.at));
            (Span::of(Role::Good, show.glyphs.pass), Line::of(Role::Muted, words))
        }
        None => {
            let key = Line::of(Role::Accent, key(CommandId::ConfirmStep));
            (Span::of(Role::Plain, show.glyphs.waiting), key.with(Role::Muted, " says that it is done"))
        }
    };
    page.item(mark, Line::of(Role::Plain, show.prose(confirm)));
    page.item(Span::of(Role::Plain, " "), below);
}

fn standing(model: &Model, followed: &Followed, check: CheckId) -> Option<CheckStanding> {
    let CheckResult { outcome, blocked_by, at, .. } = followed.judged.iter().find(|judged| judged.check == check)?;
    let blocked = blocked_by.map(|by| format!(", blocked by {by}")).unwrap_or_default();
    let words = format!("{}{blocked}, {}", outcome_word(*outcome), time(model, at));
    Some(CheckStanding { sign: model.render_context().sign(*outcome), words })
}
