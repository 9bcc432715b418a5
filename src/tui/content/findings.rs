//! The findings: root causes first, what they block folded under them, what is ruled out, and what would decide.

use super::{Rows, finding_lines, heading, pane_lines};
use crate::cause::{Certainty, Finding, Undecided};
use crate::check::{CheckId, Outcome};
use crate::report;
use crate::report::context::outcome_role;
use crate::report::line::{Line, Role, cut};
use crate::run::event::{FinishedCheck, RunVerdict};
use crate::run::report::Report;
use crate::tui::model::Model;

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The finding at this place of the report.
    Finding(usize),
    /// A check that the finding at this place blocks.
    Blocked(usize, CheckId),
}

/// The rows that are not folded away.
pub fn list(model: &Model) -> Vec<Row> {
    let Some(run) = model.runs.shown() else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (place, found) in run.report.findings.iter().enumerate() {
        rows.push(Row::Finding(place));
        if model.unfolded.contains(&place) && is_first_of_its_check(&run.report, place) {
            rows.extend(blocked(&run.report, found).iter().map(|check| Row::Blocked(place, check.id)));
        }
    }
    rows
}

/// Whether a finding is the first of its check: what the check blocks is told once.
fn is_first_of_its_check(report: &Report, place: usize) -> bool {
    report.findings.iter().position(|f| Some(&f.check) == report.findings.get(place).map(|f| &f.check)) == Some(place)
}

/// The checks that could not run because of a finding's check.
pub fn blocked<'r>(report: &'r Report, finding: &Finding) -> Vec<&'r FinishedCheck> {
    let mut blockers = vec![finding.check];
    let mut found: Vec<&FinishedCheck> = Vec::new();
    for check in report.finished() {
        if check.blocked_by.is_some_and(|by| blockers.iter().any(|blocker| *blocker == by)) {
            blockers.push(check.id.into());
            found.push(check);
        }
    }
    found
}

/// The findings.
pub fn rows(model: &Model) -> Rows<'_> {
    let rows = list(model);
    let count = rows.len();
    Rows { count, line: Box::new(move |at, width| rows.get(at).map_or_else(Line::empty, |r| row(model, *r, width))) }
}

/// Whether a finding stands for the candidates of a refusal.
fn is_likeliest(undecided: &Undecided, finding: &Finding) -> bool {
    undecided.candidates.first().is_some_and(|first| first.cause == finding.cause)
}

/// How bad a finding is: as bad as its check ended; one that is only possible is a question.
pub fn weight(report: &Report, finding: &Finding) -> Outcome {
    if finding.follows_from.is_some() {
        return Outcome::Skipped;
    }
    let outcome = outcome_of_check(report, finding);
    if is_question(outcome, finding) { Outcome::Inconclusive } else { outcome }
}

/// Whether a failure may have another cause than this one.
fn is_question(outcome: Outcome, finding: &Finding) -> bool {
    outcome == Outcome::Fail && finding.certainty == Certainty::Possible
}

fn outcome_of_check(report: &Report, finding: &Finding) -> Outcome {
    report.finished().find(|check| finding.check == check.id).map_or(Outcome::Fail, |check| check.outcome)
}

fn row(model: &Model, row: Row, width: usize) -> Line {
    let show = model.render_context();
    let Some(report) = model.runs.shown().map(|run| &run.report) else {
        return Line::empty();
    };
    match row {
        Row::Blocked(_, check) => {
            let line = Line::of(Role::Muted, format!("  {} {}", show.glyphs.skipped, check.title()));
            if width == usize::MAX { line } else { line.cut(width, show.glyphs.ellipsis) }
        }
        Row::Finding(place) => {
            let Some(found) = report.findings.get(place) else {
                return Line::empty();
            };
            let outcome = weight(report, found);
            let is_question = is_question(outcome_of_check(report, found), found);
            let mark = if is_question { Role::Muted } else { outcome_role(outcome) };
            let mut line = Line::of(mark, show.glyphs.outcome(outcome)).with(Role::Plain, " ");
            if width == usize::MAX {
                return line.with(Role::Plain, format!("{} {} {}", found.summary, found.cause, found.check));
            }
            let blocks = if is_first_of_its_check(report, place) { blocked(report, found).len() } else { 0 };
            let fold = if model.unfolded.contains(&place) { show.glyphs.unfolded } else { show.glyphs.folded };
            let open = report.undecided.as_ref().filter(|open| is_likeliest(open, found));
            let note = match (found.follows_from, open) {
                (Some(root), _) => format!("follows from {root}"),
                (None, Some(open)) => format!("1 of {} possible", open.candidates.len()),
                (None, None) if blocks > 0 => format!("{fold} blocks {blocks}"),
                (None, None) => String::new(),
            };
            let room = width.saturating_sub(line.width() + note.chars().count() + usize::from(!note.is_empty()));
            let role = if outcome == Outcome::Fail { Role::Strong } else { Role::Plain };
            line.push(role, cut(&show.prose(&found.summary), room, show.glyphs.ellipsis));
            if !note.is_empty() {
                let used = line.width() + note.chars().count();
                line.push(Role::Plain, " ".repeat(width.saturating_sub(used)));
                line.push(Role::Muted, note);
            }
            line
        }
    }
}

/// The row that is selected.
pub fn selected(model: &Model) -> Option<Row> {
    list(model).get(model.selected_row()?).copied()
}

/// The finding that is selected, or that blocks what is.
pub fn selected_finding(model: &Model) -> Option<&Finding> {
    let (Row::Finding(place) | Row::Blocked(place, _)) = selected(model)?;
    model.runs.shown()?.report.findings.get(place)
}

/// The selected finding's cause.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some(Row::Blocked(_, check)) => check.id().to_owned(),
        _ => selected_finding(model).map_or_else(|| "Findings".to_owned(), |found| found.cause.id().to_owned()),
    }
}

/// The selected finding, what it leaves open, and what it blocks.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let Some(run) = model.runs.shown() else {
        return super::no_rows(model);
    };
    let (found, place) = match selected(model) {
        Some(Row::Blocked(_, id)) => {
            let reason =
                run.report.finished().find(|c| c.id == id).and_then(|c| c.reason.as_deref()).unwrap_or_default();
            return vec![
                Line::of(Role::Strong, id.title()),
                Line::of(Role::Muted, show.prose(reason)),
                Line::empty(),
                Line::of(Role::Plain, "It was not checked. Fix the cause above it and run again."),
            ];
        }
        Some(Row::Finding(place)) => match run.report.findings.get(place) {
            Some(found) => (found, place),
            None => return Vec::new(),
        },
        None if run.report.findings.is_empty() && run.report.end.is_some() => return none_found(model, &run.report),
        None => return super::no_rows(model),
    };
    let mut lines = finding_lines(found, width, show);
    let blocks = if is_first_of_its_check(&run.report, place) { blocked(&run.report, found) } else { Vec::new() };
    if !blocks.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("Not checked because of it"));
        lines.extend(blocks.iter().map(|c| Line::of(Role::Muted, format!("{} {}", show.glyphs.skipped, c.id.title()))));
    }
    if let Some(open) = run.report.undecided.as_ref().filter(|open| is_likeliest(open, found)) {
        lines.push(Line::empty());
        lines.extend(pane_lines(&report::finding::undecided(open, show), width, show));
    }
    lines
}

/// What a run without findings means, and which checks it says nothing of.
fn none_found(model: &Model, report: &Report) -> Vec<Line> {
    let show = model.render_context();
    let mut lines = match report.end.as_ref().map(|end| end.verdict) {
        Some(RunVerdict::Pass) => vec![Line::of(Role::Good, format!("{} Nothing was found.", show.glyphs.pass))],
        _ => vec![
            Line::of(Role::Warning, format!("{} Nothing was found, and nothing is proven.", show.glyphs.inconclusive)),
            Line::of(Role::Plain, "What was not checked can still be wrong."),
        ],
    };
    let open: Vec<&FinishedCheck> = report
        .finished()
        .filter(|check| matches!(check.outcome, Outcome::Skipped | Outcome::Inconclusive))
        .filter(|check| check.blocked_by.is_none())
        .collect();
    if !open.is_empty() {
        lines.extend([Line::empty(), heading("Not checked")]);
        lines.extend(open.iter().map(|check| {
            let why = check.reason.as_deref().map(|why| format!(": {}", show.prose(why))).unwrap_or_default();
            Line::of(outcome_role(check.outcome), format!("{} ", show.glyphs.outcome(check.outcome)))
                .with(Role::Plain, check.id.title())
                .with(Role::Muted, why)
                .hanging(2)
        }));
    }
    if let Some(watch) = &model.runs.watch
        && let Some(since) = watch.works_since_ms
    {
        lines.push(Line::of(
            Role::Plain,
            format!("It works since {}.", super::log::moment(model, since.div_euclid(1000))),
        ));
    }
    lines
}
