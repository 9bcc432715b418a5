//! A report as Markdown, for a ticket.

use std::fmt::Write as _;

use super::paint::{certainty, milliseconds};
use super::text::counts;
use super::{finding_text, undecided};
use crate::cause::Finding;
use crate::check::Outcome;
use crate::domain::text::{visible, visible_lines};
use crate::run::event::RunVerdict;
use crate::run::report::Report;

/// The report as a Markdown document.
pub fn report(report: &Report) -> String {
    let mut text = String::new();
    let verdict = match report.end.as_ref().map(|e| e.verdict) {
        Some(RunVerdict::Pass) => "pass",
        Some(RunVerdict::Fail) => "fail",
        Some(RunVerdict::Inconclusive) => "inconclusive",
        None => "unfinished",
    };
    let _ = writeln!(text, "# trustline: {} ({})\n", cell(&report.profile), cell(&report.guide));
    let _ = writeln!(text, "**{verdict}**: {}. Started {}.\n", counts(&report.counts()), cell(&report.started));
    text.push_str("| check | outcome | time | reason |\n|---|---|---|---|\n");
    for check in report.finished() {
        let outcome = match check.outcome {
            Outcome::Pass => "pass",
            Outcome::Warn => "warning",
            Outcome::Fail => "**fail**",
            Outcome::Skipped => "skipped",
            Outcome::Inconclusive => "could not check",
        };
        let _ = writeln!(
            text,
            "| `{}` {} | {outcome} | {} | {} |",
            check.id,
            cell(&check.title),
            milliseconds(check.duration_ms),
            cell(check.reason.as_deref().unwrap_or_default()),
        );
    }
    for finding in &report.findings {
        write_finding(&mut text, finding);
    }
    if let Some(undecided) = &report.undecided {
        undecided::write_markdown(&mut text, undecided);
    }
    text
}

pub(super) fn write_finding(text: &mut String, finding: &Finding) {
    if let Some(root) = finding.follows_from {
        let _ = writeln!(text, "\n`{}` follows from `{root}`: {}", finding.cause, cell(&finding.summary));
        return;
    }
    let _ = writeln!(text, "\n## {}\n", cell(&finding.summary));
    let _ = writeln!(text, "`{}`, {} by `{}`\n", finding.cause, certainty(finding.certainty), cell(&finding.check));
    if finding.expected.is_some() || finding.actual.is_some() {
        let value = |v: &Option<String>| visible(v.as_deref().unwrap_or("(nothing)")).into_owned();
        let (above, below) = finding.sides();
        let values = [(above, &finding.expected), (below, &finding.actual)];
        write_block(text, &values.map(|(label, v)| format!("{label:10}{}", value(v))).join("\n"));
    }
    for fact in &finding.evidence {
        let _ = writeln!(text, "- {}", cell(fact));
    }
    for fix in &finding.fixes {
        let _ = writeln!(text, "\n**Fix**: {}\n", cell(&finding_text::addressed(fix)));
        for script in fix.command.iter().chain(&fix.verify) {
            write_block(text, visible_lines(script).trim_end());
        }
    }
    for look in finding_text::looks(finding) {
        let _ = writeln!(text, "\n{}:\n", cell(&look.text));
        write_block(text, &visible_lines(&look.command));
    }
    if !finding.docs.is_empty() {
        let _ = writeln!(text, "\n<{}>", cell(&finding.docs));
    }
}

/// A fenced block whose fence is longer than any run of backticks inside.
pub(super) fn write_block(text: &mut String, content: &str) {
    let mut longest = 2;
    let mut run = 0;
    for c in content.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let _ = writeln!(text, "{fence}\n{content}\n{fence}");
}

/// Text that cannot leave its line or table cell, or start markup.
pub(super) fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if matches!(c, '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '\\') {
            cell.push('\\');
        }
        cell.push(c);
    }
    cell
}
