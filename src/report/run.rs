//! A run as a page: the checks in the order of the chain, the findings, and a last line that says it all. And many runs as
//! one, a profile each.

use serde_json::{Value, json};

use super::context::RenderContext;
use super::line::{Line, Role, Span};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use super::{finding, json, junit, markdown};
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
pub(super) fn is_not_asked_for(check: &CheckState) -> bool {
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

/// The schema's name.
pub const SCHEMA: &str = "trustline.check-all/1";

/// What became of the profiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    pub members: Vec<Member>,
    /// RFC 3339 UTC.
    pub started: String,
    pub duration_ms: u64,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    Checked(Box<Report>),
    /// It could not be, or was not: why.
    Unchecked {
        profile: String,
        reason: String,
    },
}

/// How many profiles ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub inconclusive: usize,
    pub unchecked: usize,
}

impl Member {
    pub fn name(&self) -> &str {
        match self {
            Member::Checked(report) => &report.profile,
            Member::Unchecked { profile, .. } => profile,
        }
    }

    /// The verdict; a run that was cut off before it had one could not tell.
    pub fn verdict(&self) -> RunVerdict {
        match self {
            Member::Checked(report) => report.end.as_ref().map_or(RunVerdict::Inconclusive, |end| end.verdict),
            Member::Unchecked { .. } => RunVerdict::Inconclusive,
        }
    }
}

impl Fleet {
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for member in &self.members {
            *match (member, member.verdict()) {
                (Member::Unchecked { .. }, _) => &mut tally.unchecked,
                (_, RunVerdict::Pass) => &mut tally.passed,
                (_, RunVerdict::Fail) => &mut tally.failed,
                (_, RunVerdict::Inconclusive) => &mut tally.inconclusive,
            } += 1;
        }
        tally
    }

    /// The worst of the verdicts.
    pub fn verdict(&self) -> RunVerdict {
        let tally = self.tally();
        if tally.failed > 0 {
            RunVerdict::Fail
        } else if tally.inconclusive + tally.unchecked > 0 {
            RunVerdict::Inconclusive
        } else {
            RunVerdict::Pass
        }
    }
}

impl Tally {
    /// In words, without those that are zero.
    pub fn words(&self) -> String {
        let parts = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.inconclusive, "inconclusive"),
            (self.unchecked, "not checked"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if parts.is_empty() { "no profile".to_owned() } else { parts.join(", ") }
    }
}

/// `trustline.check-all/1`: each profile's own document, as `check` alone would print it.
pub fn json(fleet: &Fleet) -> Value {
    let profiles: Vec<Value> = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => json::report(report),
            Member::Unchecked { profile, reason } => json!({ "profile": profile, "not_checked": reason }),
        })
        .collect();
    let tally = fleet.tally();
    json!({
        "schema": SCHEMA,
        "started": fleet.started,
        "duration_ms": fleet.duration_ms,
        "verdict": fleet.verdict(),
        "counts": {
            "passed": tally.passed,
            "failed": tally.failed,
            "inconclusive": tally.inconclusive,
            "not_checked": tally.unchecked,
        },
        "profiles": profiles,
    })
}

/// JUnit: a suite a profile.
pub fn junit(fleet: &Fleet) -> String {
    let suites: String = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => junit::suite(report),
            Member::Unchecked { profile, reason } => junit::unchecked(profile, reason),
        })
        .collect();
    junit::document(&suites)
}

/// Markdown: the profiles' reports, one after the other.
pub fn markdown(fleet: &Fleet) -> String {
    let reports: Vec<String> = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => markdown::render(&page(report, markdown::CONTEXT)),
            Member::Unchecked { profile, reason } => {
                format!("# {}\n\n**not checked**: {}\n", markdown::cell(profile), markdown::cell(reason))
            }
        })
        .collect();
    let summary = format!("**{}** of {} profiles.\n\n", fleet.tally().words(), fleet.members.len());
    summary + &reports.join("\n")
}
