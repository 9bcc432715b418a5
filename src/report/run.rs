//! A run as a page: the checks in the order of the chain, the findings, and a last line that says it all. And many runs as
//! one, a profile each.

use super::context::RenderContext;
use super::finding;
use super::fleet::{Fleet, Member};
use super::line::{Line, Role, Span};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use crate::check::Outcome;
use crate::run::event::{NOT_ASKED_FOR, RunVerdict};
use crate::run::report::{CheckState, Counts, Progress, Report};

/// The columns of a table of checks. A document names each check as scripts and findings do.
const CHECKS: [Column; 5] = [
    Column::new("outcome"),
    Column::of("id", ColumnKind::InDocument),
    Column::new("check"),
    Column::of("time", ColumnKind::Right),
    Column::new("reason"),
];

/// The whole report.
pub fn page(report: &Report, ctx: RenderContext) -> Page {
    let mut page = Page::titled(title(report, ctx));
    page.gap();
    let asked = report.checks.iter().filter(|check| !is_not_asked_for(check));
    page.push(Block::Table(Table {
        columns: CHECKS.to_vec(),
        headed: false,
        rows: asked.map(|c| row(c, ctx)).collect(),
    }));
    push_findings(&mut page, report, ctx);
    page.verdict = Some(last_line(report, ctx));
    page
}

fn title(report: &Report, ctx: RenderContext) -> Line {
    Line::of(Role::Strong, ctx.prose(&report.profile))
        .with(Role::Plain, format!(" {} {}", ctx.glyphs.dot, ctx.prose(&report.guide)))
}

fn push_findings(page: &mut Page, report: &Report, ctx: RenderContext) {
    for found in &report.findings {
        page.gap();
        page.part(finding::page(found, ctx));
    }
    if let Some(undecided) = &report.undecided {
        page.gap();
        page.part(finding::undecided(undecided, ctx));
    }
}

/// Left out by `--only` or `--skip`.
fn is_not_asked_for(check: &CheckState) -> bool {
    matches!(&check.progress, Progress::Finished(finished) if finished.reason.as_deref() == Some(NOT_ASKED_FOR))
}

fn row(check: &CheckState, ctx: RenderContext) -> Vec<Cell> {
    let id = Line::of(Role::Command, check.id.id()).into();
    let title = Line::of(Role::Plain, ctx.prose(&check.title)).into();
    let Progress::Finished(finished) = &check.progress else {
        let open = Line::of(Role::Muted, "not finished").into();
        return vec![Cell::Outcome(Outcome::Skipped), id, title, Line::empty().into(), open];
    };
    let time = match finished.outcome {
        Outcome::Skipped => String::new(),
        _ if finished.duration_ms == 0 => String::new(),
        _ => milliseconds(finished.duration_ms),
    };
    let role = if finished.outcome == Outcome::Skipped { Role::Muted } else { Role::Plain };
    let reason = Line::of(role, ctx.prose(finished.reason.as_deref().unwrap_or_default()));
    vec![Cell::Outcome(finished.outcome), id, title, Line::of(Role::Muted, time).into(), reason.into()]
}

fn last_line(report: &Report, ctx: RenderContext) -> Line {
    let Some(end) = &report.end else {
        return Line::of(Role::Warning, "UNFINISHED").with(Role::Plain, ": the recording ends before the run does");
    };
    let (dot, counts) = (ctx.glyphs.dot, counts(&report.counts()));
    let mut line = Line::from(verdict(end.verdict)).with(
        Role::Plain,
        format!("  {counts} {dot} {} {dot} started {}", milliseconds(end.duration_ms), ctx.prose(&report.started)),
    );
    if let Some(why) = &end.cut_short {
        line.push(Role::Plain, format!(" {dot} {}", ctx.prose(why)));
    }
    line
}

fn verdict(verdict: RunVerdict) -> Span {
    match verdict {
        RunVerdict::Pass => Span::of(Role::Good, "PASS"),
        RunVerdict::Fail => Span::of(Role::Bad, "FAIL"),
        RunVerdict::Inconclusive => Span::of(Role::Warning, "INCONCLUSIVE"),
    }
}

/// The counts in words, without those that are zero: `9 passed, 1 warning, 2 failed`.
pub fn counts(counts: &Counts) -> String {
    [
        (counts.passed, "passed"),
        (counts.warned, if counts.warned == 1 { "warning" } else { "warnings" }),
        (counts.failed, "failed"),
        (counts.inconclusive, "could not be checked"),
        (counts.skipped, "skipped"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

/// A time in milliseconds, as people read it: `38 ms`, `1.24 s`.
pub fn milliseconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{:02} s", ms / 1000, ms % 1000 / 10) }
}

/// Many profiles: a line each, then what each found.
pub fn fleet(fleet: &Fleet, ctx: RenderContext) -> Page {
    let mut page = Page::default();
    let columns = vec![Column::new("outcome"), Column::new("profile"), Column::new("checks")];
    let rows = fleet.members.iter().map(|member| {
        let (outcome, said) = match member {
            Member::Checked(report) => (outcome(member, report), summary(report, ctx)),
            Member::Unchecked { reason, .. } => (Outcome::Skipped, format!("not checked: {}", ctx.prose(reason))),
        };
        let name = Line::of(Role::Plain, ctx.prose(member.name()));
        vec![Cell::Outcome(outcome), name.into(), Line::of(Role::Plain, said).into()]
    });
    page.push(Block::Table(Table { columns, headed: false, rows: rows.collect() }));
    for member in &fleet.members {
        let Member::Checked(report) = member else { continue };
        if !report.findings.is_empty() {
            let mut part = Page::titled(title(report, ctx));
            push_findings(&mut part, report, ctx);
            page.gap();
            page.part(part);
        }
    }
    let (tally, dot) = (fleet.tally().words(), ctx.glyphs.dot);
    let rest = format!("  {tally} of {} {dot} {}", fleet.members.len(), milliseconds(fleet.duration_ms));
    page.verdict = Some(Line::from(verdict(fleet.verdict())).with(Role::Plain, rest));
    page
}

fn outcome(member: &Member, report: &Report) -> Outcome {
    match member.verdict() {
        RunVerdict::Pass if report.counts().warned > 0 => Outcome::Warn,
        RunVerdict::Pass => Outcome::Pass,
        RunVerdict::Fail => Outcome::Fail,
        RunVerdict::Inconclusive => Outcome::Inconclusive,
    }
}

fn summary(report: &Report, ctx: RenderContext) -> String {
    let mut said = counts(&report.counts());
    if let Some(end) = &report.end {
        said.push_str(&format!(" {} {}", ctx.glyphs.dot, milliseconds(end.duration_ms)));
        if let Some(why) = &end.cut_short {
            said.push_str(&format!(" {} {}", ctx.glyphs.dot, ctx.prose(why)));
        }
    }
    said
}
