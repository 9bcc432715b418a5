//! The handshake: the checks as they run, and what the selected one saw.

use serde_json::Value;

use super::chain::running;
use super::{LABEL, Rows, finding_lines, heading, labelled};
use crate::cause::Finding;
use crate::check::Outcome;
use crate::report::context::RenderContext;
use crate::report::context::{outcome_role, outcome_word};
use crate::report::line::{Line, Role, cut};
use crate::report::run::milliseconds;
use crate::run::event::FinishedCheck;
use crate::run::report::{CheckState, Progress, Report};
use crate::tui::model::Model;

/// The most facts that are listed.
const FACTS: usize = 80;

/// The checks.
pub fn rows(model: &Model) -> Rows<'_> {
    let checks: &[CheckState] = model.runs.shown().map_or(&[], |run| &run.report.checks);
    Rows {
        count: checks.len(),
        line: Box::new(move |at, width| checks.get(at).map_or_else(Line::empty, |c| row(model, c, width))),
    }
}

/// The sign and role of a check.
pub fn sign(model: &Model, check: &CheckState) -> (&'static str, Role) {
    let glyphs = model.render_context().glyphs;
    match &check.progress {
        Progress::Waiting => (glyphs.waiting, Role::Muted),
        Progress::Running { .. } => (running(model), Role::Accent),
        Progress::Finished(finished) => (glyphs.outcome(finished.outcome), outcome_role(finished.outcome)),
    }
}

fn row(model: &Model, check: &CheckState, width: usize) -> Line {
    let show = model.render_context();
    let (sign, role) = sign(model, check);
    let (title_role, note) = match &check.progress {
        Progress::Waiting => (Role::Muted, String::new()),
        Progress::Running { retries: Some((attempt, _)), .. } => (Role::Plain, format!("attempt {}", attempt + 1)),
        Progress::Running { .. } => (Role::Plain, "running".to_owned()),
        Progress::Finished(finished) => match finished.outcome {
            Outcome::Skipped if finished.blocked_by.is_some() => (Role::Muted, "blocked".to_owned()),
            Outcome::Skipped => (Role::Muted, "skipped".to_owned()),
            Outcome::Fail => (Role::Bad, time(finished)),
            _ => (Role::Plain, time(finished)),
        },
    };
    // A filter looks at the whole row, so a row of no bounded width says all it knows.
    if width == usize::MAX {
        let reason = match &check.progress {
            Progress::Finished(finished) => finished.reason.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let word = match &check.progress {
            Progress::Finished(finished) => outcome_word(finished.outcome),
            _ => "",
        };
        return Line::of(Role::Plain, format!("{} {} {word} {note} {reason}", check.title, check.id));
    }
    let room = width.saturating_sub(note.chars().count() + 4);
    let mut line = Line::of(role, sign).with(Role::Plain, " ");
    line.push(title_role, cut(&show_title(check), room, show.glyphs.ellipsis));
    let used = line.width() + note.chars().count();
    line.push(Role::Plain, " ".repeat(width.saturating_sub(used)));
    line.push(Role::Muted, note);
    line
}

fn show_title(check: &CheckState) -> String {
    crate::domain::text::visible(&check.title).into_owned()
}

fn time(finished: &FinishedCheck) -> String {
    if finished.duration_ms == 0 { String::new() } else { milliseconds(finished.duration_ms) }
}

/// A run that passed, in words: what was skipped did not pass.
pub fn passed_words(report: &Report) -> String {
    let counts = report.counts();
    match counts.skipped {
        0 => "all passed".to_owned(),
        skipped => format!("{} passed, {skipped} skipped", counts.passed + counts.warned),
    }
}

/// The selected check's assertion, or what the run as a whole is about.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some(check) => match &check.progress {
            Progress::Finished(finished) if !finished.findings.is_empty() => finished.findings[0].cause.id().to_owned(),
            _ => check.id.id().to_owned(),
        },
        None => "Run".to_owned(),
    }
}

fn selected(model: &Model) -> Option<&CheckState> {
    let id = model.selected_check()?;
    model.runs.shown()?.report.check(id)
}

/// What the selected check saw.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let Some(check) = selected(model) else {
        return super::no_rows(model);
    };
    match &check.progress {
        Progress::Waiting => {
            vec![Line::of(Role::Strong, show_title(check)), Line::of(Role::Muted, "waiting for what it needs")]
        }
        Progress::Running { retries: None, .. } => {
            vec![
                Line::of(Role::Strong, show_title(check)),
                Line::of(Role::Accent, format!("{} running", running(model))),
            ]
        }
        Progress::Running { retries: Some((attempt, reason)), .. } => vec![
            Line::of(Role::Strong, show_title(check)),
            Line::of(Role::Accent, format!("{} attempt {}", running(model), attempt + 1)),
            labelled("so far", Role::Warning, show.prose(reason)),
        ],
        Progress::Finished(finished) => {
            let findings = model.runs.shown().map(|run| run.report.told(finished)).unwrap_or_default();
            finished_detail(check, finished, &findings, width, show)
        }
    }
}

fn finished_detail(
    check: &CheckState,
    finished: &FinishedCheck,
    findings: &[Finding],
    width: usize,
    show: RenderContext,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, found) in findings.iter().enumerate() {
        if place > 0 {
            lines.push(Line::empty());
        }
        lines.extend(finding_lines(found, width, show));
    }
    if !findings.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("What was checked"));
    }
    let mut state = Line::of(
        outcome_role(finished.outcome),
        format!("{} {}", show.glyphs.outcome(finished.outcome), outcome_word(finished.outcome)),
    );
    if finished.outcome != Outcome::Skipped {
        state.push(Role::Muted, format!(" after {}", milliseconds(finished.duration_ms)));
    }
    lines.push(Line::of(Role::Plain, show_title(check)));
    lines.push(state);
    if let Some(reason) = &finished.reason {
        let label = if finished.outcome == Outcome::Pass { "seen" } else { "reason" };
        lines.push(labelled(label, Role::Plain, show.prose(reason)));
    }
    if let Some(blocker) = finished.blocked_by {
        lines.push(labelled("blocked by", Role::Plain, format!("{blocker}: {}", blocker.title())));
    }
    if !finished.facts.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("Facts"));
        facts(&finished.facts, width, show, &mut lines);
    }
    if findings.is_empty() && !finished.docs.is_empty() {
        lines.push(Line::empty());
        lines.push(labelled("docs", Role::Accent, crate::domain::text::visible(&finished.docs)));
    }
    lines
}

/// Facts as one line each for a width in columns, nested ones by their path.
pub fn facts(facts: &serde_json::Map<String, Value>, width: usize, show: RenderContext, lines: &mut Vec<Line>) {
    let mut flat = Vec::new();
    for (name, value) in facts {
        flatten(name.clone(), value, &mut flat);
    }
    let label = flat.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    // A path is cut only where it would leave its value less than the larger part.
    let label = label.clamp(LABEL - 1, (width * 2 / 5).max(24)) + 1;
    for (path, value) in flat.iter().take(FACTS) {
        let mut line = Line::of(Role::Muted, end_of(path, label - 1, show.glyphs.ellipsis)).hanging(label);
        line.pad_to(label);
        lines.push(line.with(Role::Plain, show.prose(value)));
    }
    if flat.len() > FACTS {
        lines.push(Line::of(Role::Muted, format!("{} and {} more", show.glyphs.ellipsis, flat.len() - FACTS)));
    }
}

/// A path's end, which tells it from its neighbours, where the whole does not fit.
fn end_of(path: &str, width: usize, ellipsis: &str) -> String {
    let path = crate::domain::text::visible(path);
    let characters = path.chars().count();
    if characters <= width {
        return path.into_owned();
    }
    let end: String = path.chars().skip(characters + 1 - width).collect();
    format!("{ellipsis}{end}")
}

fn flatten(path: String, value: &Value, flat: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(map) if map.contains_key("start_ms") && map.contains_key("name") => {
            let part = |name: &str| map.get(name).and_then(Value::as_f64).unwrap_or_default();
            let name = map.get("name").and_then(Value::as_str).unwrap_or_default();
            flat.push((path, format!("{name} {:.1} ms", part("duration_ms"))));
        }
        Value::Object(map) => map.iter().for_each(|(name, value)| flatten(format!("{path}.{name}"), value, flat)),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            flat.push((path, items.iter().map(scalar).collect::<Vec<_>>().join(", ")));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(format!("{path}.{}", at + 1), item, flat));
        }
        value => flat.push((path, scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tui::model::Model;

    #[test]
    fn a_facts_path_is_cut_only_where_there_is_no_room_for_it() {
        let model = Model::new(Default::default(), Default::default(), 0, (140, 45));
        let told = json!({ "evaluation": { "actions": [{ "action": "secretsmanager:GetSecretValue" }] } });
        let path = "evaluation.actions.1.action";
        for (width, whole) in [(100, true), (40, false)] {
            let mut lines = Vec::new();
            facts(told.as_object().unwrap(), width, model.render_context(), &mut lines);
            let shown = lines.iter().map(Line::plain).any(|line| line.contains(path));
            assert_eq!(shown, whole, "{width}: {lines:?}");
        }
    }
}
