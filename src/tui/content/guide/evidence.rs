//! What shows that a step is done: its checks with how and when they ended, a person's word, or what is wrong.

use super::super::chain::outcome_role;
use super::super::clock::moment;
use super::super::handshake::outcome_word;
use super::super::{finding, heading};
use crate::check::CheckId;
use crate::domain::timestamp::parse_rfc3339;
use crate::guide::{Judged, Step, StepState};
use crate::report::context::RenderContext;
use crate::report::page::{Line, Role};
use crate::tui::command::{CommandId, Scope};
use crate::tui::model::guide::Followed;
use crate::tui::model::{Model, Screen};

/// A state in a word.
pub(super) const fn word(state: &StepState) -> &'static str {
    match state {
        StepState::Verified { .. } | StepState::Answered { .. } => "verified",
        StepState::Confirmed { .. } => "confirmed by hand",
        StepState::Failing { .. } => "failing",
        StepState::Blocked { .. } => "waits",
        StepState::ToDo(_) => "to do",
    }
}

/// Where a step stands, in a line.
pub(super) fn headline(model: &Model, state: &StepState) -> Line {
    let (sign, role) = super::sign(state, model.render_context());
    let line = Line::of(role, format!("{sign} {}", word(state))).hanging(2);
    let more = match state {
        StepState::Verified { checks, proofs, at } => {
            let by: Vec<&str> = checks.iter().map(|check| check.id()).chain(proofs.iter().map(|p| p.id())).collect();
            format!(" by {}{}", by.join(", "), since(model, at))
        }
        StepState::Answered { code, says, at, .. } => {
            format!(" by the answer {}{}. {says}", model.render_context().prose(code), since(model, at))
        }
        StepState::Confirmed { at } => since(model, at),
        StepState::Failing { check, .. } => format!(": {check}"),
        StepState::Blocked { by } => format!(" for step {by}, which fails"),
        StepState::ToDo(open) if !open.untold.is_empty() => ": could not be checked".to_owned(),
        StepState::ToDo(open) => match (open.fields.len(), open.checks.is_empty(), open.confirmable) {
            (1, ..) => ": a value is missing".to_owned(),
            (2.., ..) => format!(": {} values are missing", open.fields.len()),
            (0, _, true) => ": do it, then confirm".to_owned(),
            (0, false, false) => ": not checked yet".to_owned(),
            (0, true, false) => String::new(),
        },
    };
    line.with(Role::Muted, more)
}

fn since(model: &Model, at: &str) -> String {
    parse_rfc3339(at).map_or_else(String::new, |seconds| format!(", {}", moment(model, seconds)))
}

/// All that is known of a step, for a pane of its own.
pub(super) fn lines(model: &Model, followed: &Followed, step: &Step, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let states = followed.states();
    let mut lines = Vec::new();
    if let Some((_, StepState::Failing { findings, .. })) = states.iter().find(|(number, _)| *number == step.number) {
        for found in findings {
            lines.extend(finding::lines(found, width, show));
            lines.push(Line::empty());
        }
    }
    lines.extend(done_when(model, followed, step));
    lines
}

/// What the step is done by, and how far that is.
pub(super) fn done_when(model: &Model, followed: &Followed, step: &Step) -> Vec<Line> {
    let show = model.render_context();
    let key =
        |id| model.appearance.keymap.key(Scope::On(Screen::Guide), id).map(|key| key.to_string()).unwrap_or_default();
    let mut title = heading("Done when");
    if !step.checks.is_empty() {
        title =
            title.with(Role::Plain, "  ").with(Role::Accent, key(CommandId::CheckStep)).with(Role::Muted, " checks it");
    }
    let mut lines = vec![title];
    for check in &step.checks {
        lines.extend(told(model, *check, judged(followed, *check), show));
    }
    for check in &step.supporting {
        if let Some(judged) = judged(followed, *check) {
            lines.extend(told(model, *check, Some(judged), show));
        }
    }
    for answer in &step.shown_by_answers {
        let text = format!("{} or the answer {}: {}", show.glyphs.dot, answer.codes.join(", "), answer.says);
        lines.push(Line::of(Role::Muted, text).hanging(2));
    }
    for proof in &step.shown_by {
        lines.push(Line::of(Role::Muted, format!("{} or a {} shows it", show.glyphs.dot, proof.id())).hanging(2));
    }
    if let Some(confirm) = &step.confirm {
        let confirmation = followed.file.confirmations.iter().rfind(|confirmed| confirmed.step == step.number);
        let (sign, role) = match confirmation {
            Some(_) => (show.glyphs.pass, Role::Good),
            None => (show.glyphs.waiting, Role::Plain),
        };
        let line = Line::of(role, format!("{sign} ")).with(Role::Plain, confirm.clone()).hanging(2);
        lines.push(line);
        lines.push(match confirmation {
            Some(said) => Line::of(Role::Muted, format!("  you said so{}", since(model, &said.at))).hanging(2),
            None => Line::of(Role::Plain, "  ")
                .with(Role::Accent, key(CommandId::ConfirmStep))
                .with(Role::Muted, " says that it is done"),
        });
    }
    lines
}

fn judged(followed: &Followed, check: CheckId) -> Option<&Judged> {
    followed.judged.iter().find(|judged| judged.check == check)
}

fn told(model: &Model, check: CheckId, judged: Option<&Judged>, show: RenderContext) -> Vec<Line> {
    let (sign, role, words) = match judged {
        None => (show.glyphs.waiting, Role::Muted, "not checked yet".to_owned()),
        Some(judged) => {
            let blocked = judged.blocked_by.map(|by| format!(", blocked by {by}")).unwrap_or_default();
            let words = format!("{}{blocked}{}", outcome_word(judged.outcome), since(model, &judged.at));
            (show.glyphs.outcome(judged.outcome), outcome_role(judged.outcome), words)
        }
    };
    vec![
        Line::of(role, format!("{sign} ")).with(Role::Plain, check.title()).hanging(2),
        Line::of(Role::Muted, format!("  {check}, {words}")).hanging(2),
    ]
}
