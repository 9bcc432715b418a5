//! The audit: the findings of a fleet, the worst first, and for each who gets in, what they reach, what to do.

use super::{Rows, heading, pane_lines};
use crate::audit::AuditFinding;
use crate::report::audit::{finding_page, role, short};
use crate::report::line::{Line, Role, cut};
use crate::tui::model::{AuditState, Model};

/// The widest severity's name, and a blank.
const SEVERITY: usize = 9;
/// So many of what could not be judged are told.
const NOT_JUDGED: usize = 200;

/// The findings, a row each; the last row stands for what could not be judged.
pub fn rows(model: &Model) -> Rows<'_> {
    let AuditState::Read(report) = &model.audit else {
        return Rows { count: 0, line: Box::new(|_, _| Line::empty()) };
    };
    let show = model.render_context();
    let line = move |at: usize, width: usize| {
        let Some(found) = report.findings.get(at) else {
            return Line::of(Role::Warning, format!("{} not judged", report.read.not_judged.len()));
        };
        let mut line = Line::of(role(found.severity), found.severity.name());
        if width == usize::MAX {
            let subjects: Vec<&str> = found.admits.iter().map(|admitted| admitted.subject.as_str()).collect();
            let words = format!(" {} {} {} {}", found.cause.id(), found.resource, found.summary, subjects.join(" "));
            return line.with(Role::Plain, words);
        }
        line.pad_to(SEVERITY);
        let (half, ellipsis) = (width.saturating_sub(SEVERITY) / 2, show.glyphs.ellipsis);
        line.push(Role::Strong, cut(&show.value(short(&found.resource)), half, ellipsis));
        line.pad_to(SEVERITY + half + 1);
        line.with(Role::Muted, show.prose(&found.summary)).cut(width, ellipsis)
    };
    let count = report.findings.len() + usize::from(!report.read.not_judged.is_empty());
    Rows { count, line: Box::new(line) }
}

/// The selected finding.
pub fn selected(model: &Model) -> Option<&AuditFinding> {
    let AuditState::Read(report) = &model.audit else { return None };
    report.findings.get(model.selected_row()?)
}

/// What there is to say of the selected row.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    match (selected(model), &model.audit) {
        (Some(found), _) => pane_lines(&finding_page(found, show), width, show),
        (None, AuditState::Read(report)) if model.selected_row().is_some() => {
            let lines = report.read.not_judged.iter().take(NOT_JUDGED).map(|one| {
                let place = one.location.as_ref().map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default();
                Line::of(Role::Warning, show.prose(&format!("{place}{}: {}", one.resource, one.why))).hanging(2)
            });
            lines.collect()
        }
        _ => nothing(model),
    }
}

/// The heading of the selected row.
pub fn detail_title(model: &Model) -> String {
    match (selected(model), &model.audit) {
        (Some(found), _) => model.render_context().value(short(&found.resource)),
        (None, AuditState::Read(_)) if model.selected_row().is_some() => "Not judged".to_owned(),
        _ => "Audit".to_owned(),
    }
}

/// What stands where there is no finding to show.
pub fn nothing(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    let muted = |text: &str| Line::of(Role::Muted, text);
    match &model.audit {
        AuditState::Unread => vec![
            Line::of(Role::Plain, "No file has been audited yet."),
            muted("enter asks for the path of a file or a folder"),
        ],
        AuditState::Reading(path) => vec![muted(&show.prose(&format!("reading {}", path.display())))],
        AuditState::Failed(why) => {
            let why = show.lines(why).into_iter().map(|line| Line::of(Role::Bad, line));
            [heading("The audit could not be made")].into_iter().chain(why).collect()
        }
        AuditState::Read(_) if !model.here().list.filter.is_empty() => {
            vec![muted("nothing matches the filter; esc clears it")]
        }
        AuditState::Read(report) => {
            let of = format!("No findings in {} of {}.", report.read.trusts_in_words(), report.read.source);
            vec![Line::of(Role::Good, show.prose(&of))]
        }
    }
}
