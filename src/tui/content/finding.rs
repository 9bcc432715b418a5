//! One finding: what is wrong, expected over actual, the facts, and the way to mend it.

use super::{LABEL, command_line, difference, labelled};
use crate::cause::{Certainty, Finding};
use crate::report::context::RenderContext;
use crate::report::finding_text::{addressed, looks};
use crate::report::page::{Line, Role};
use crate::report::paint::certainty;

/// A script of more lines has a page of its own.
const LONGEST_SCRIPT: usize = 12;

/// A finding as lines.
pub fn lines(finding: &Finding, width: usize, show: RenderContext) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Strong, show.prose(&finding.summary)), origin(finding, show), Line::empty()];
    let before = lines.len();
    let (above, below) = finding.sides();
    match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => {
            let labels = [difference::Label(Role::Muted, above), difference::Label(Role::Muted, below)];
            lines.extend(difference::lines(&labels, expected, actual, width, show));
        }
        (Some(expected), None) => lines.push(labelled(above, Role::Plain, show.value(expected))),
        (None, Some(actual)) => lines.push(labelled(below, Role::Plain, show.value(actual))),
        (None, None) => {}
    }
    if lines.len() > before {
        lines.push(Line::empty());
    }
    for (place, fact) in finding.evidence.iter().enumerate() {
        for (n, text) in show.lines(fact).into_iter().enumerate() {
            let mark = if n == 0 { show.glyphs.dot } else { " " };
            let line = labelled(if place == 0 && n == 0 { "because" } else { "" }, Role::Muted, format!("{mark} "));
            lines.push(line.with(Role::Plain, text).hanging(LABEL + 2));
        }
    }
    if !finding.evidence.is_empty() {
        lines.push(Line::empty());
    }
    for (place, fix) in finding.fixes.iter().enumerate() {
        let label = match (place, finding.fixes.len()) {
            (_, 1) => "fix".to_owned(),
            (place, _) => format!("fix {}", place + 1),
        };
        lines.push(labelled(&label, Role::Strong, show.prose(&addressed(fix))));
        match &fix.command {
            // A long script has a page of its own.
            Some(command) if command.lines().count() > LONGEST_SCRIPT => {
                lines.push(labelled("", Role::Muted, "`f` shows the script, what it changes, and the way back"));
            }
            Some(command) => {
                lines.extend(show.lines(command.trim_end()).into_iter().map(|text| command_line(LABEL, &text)));
            }
            None => {}
        }
    }
    for look in looks(finding) {
        lines.push(labelled("look", Role::Muted, show.prose(&look.text)));
        lines.extend(show.lines(&look.command).into_iter().map(|text| command_line(LABEL, &text)));
    }
    if !(finding.fixes.is_empty() && looks(finding).is_empty()) {
        lines.push(Line::empty());
    }
    if let Some(guide) = &finding.guide {
        let step = finding.step.map(|step| format!(", step {step}")).unwrap_or_default();
        lines.push(labelled("guide", Role::Plain, format!("{}{step}", show.prose(guide))));
    }
    if !finding.docs.is_empty() {
        // A vendor's page tells nothing of a person, so privacy leaves it.
        let docs = crate::domain::text::visible(&finding.docs).into_owned();
        lines.push(labelled("docs", Role::Accent, docs));
    }
    while lines.last().is_some_and(|line| line.spans.is_empty()) {
        lines.pop();
    }
    lines
}

fn origin(finding: &Finding, show: RenderContext) -> Line {
    let role = if finding.certainty == Certainty::Proven { Role::Good } else { Role::Warning };
    Line::of(role, certainty(finding.certainty))
        .with(Role::Muted, format!(" by {} {} ", crate::domain::text::visible(&finding.check), show.glyphs.dot))
        .with(Role::Plain, finding.cause.id())
}
