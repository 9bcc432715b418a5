//! An audit as a page and as documents: the worst first, a line for each finding, then what there is to say of each.

mod alerts;
mod junit;
mod usage;

use serde::Serialize;
use serde_json::{Value, json};

pub use alerts::alerts;
pub use junit::junit;
pub use usage::{EventsRead, use_line};

use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use crate::audit::{AuditFinding, Location, Suppression, UseOf};
use crate::cause::Severity;

/// The schema's name.
pub const SCHEMA: &str = "trustline.audit/1";
/// So many findings are told in full where people read; the documents have all.
const IN_FULL: usize = 25;
/// So many stand in the table.
const IN_TABLE: usize = 500;
/// A resource wider than this does not push the summaries to the right.
const RESOURCE_WIDTH: usize = 40;
/// So many of what could not be judged are named.
const NOT_JUDGED_SHOWN: usize = 20;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WhatWasRead {
    /// A file's name, or how many there were.
    pub source: String,
    pub files: usize,
    /// The trusts in identity providers.
    pub trusts: usize,
    /// The roles that trust none.
    pub others: usize,
    pub providers: usize,
    /// The log that the trusts were held beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsRead>,
    /// What the reads of an account waited for, where it throttled them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled: Option<String>,
    /// Findings that an earlier run had, which do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub in_baseline: usize,
    /// What could not be judged, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<Unjudged>,
}

impl WhatWasRead {
    /// How many trusts were read, in words.
    pub fn trusts_in_words(&self) -> String {
        match self.trusts {
            1 => "1 federated trust".to_owned(),
            several => format!("{several} federated trusts"),
        }
    }
}

/// Something that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unjudged {
    pub resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    pub why: String,
}

/// What there is to tell of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The worst first.
    pub findings: Vec<AuditFinding>,
    pub suppressed: Vec<(AuditFinding, Suppression)>,
    /// What the log says of each trust.
    pub uses: Vec<UseOf>,
    pub read: WhatWasRead,
}

const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl AuditReport {
    /// How many findings are this severe.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// A suppressed finding as the documents have it.
pub fn suppressed((finding, suppression): &(AuditFinding, Suppression)) -> Value {
    json!({
        "id": finding.id, "resource": finding.resource, "cause": finding.cause, "severity": finding.severity,
        "summary": finding.summary, "reason": suppression.reason, "expires": suppression.expires,
    })
}

/// The whole audit as `trustline.audit/1`.
pub fn document(report: &AuditReport) -> Value {
    let mut document = json!({
        "schema": SCHEMA,
        "read": report.read,
        "findings": report.findings,
        "suppressed": report.suppressed.iter().map(suppressed).collect::<Vec<_>>(),
    });
    if report.read.events.is_some() {
        document["uses"] = json!(report.uses);
    }
    document
}

/// The whole audit for people.
pub fn page(report: &AuditReport, ctx: RenderContext) -> Page {
    let mut page = Page::titled(headline(report, ctx));
    if !report.findings.is_empty() {
        page.push(Block::Table(table(&report.findings, ctx)));
    }
    let left_out = report.findings.len().saturating_sub(IN_TABLE);
    if left_out > 0 {
        page.text(Role::Muted, format!("{left_out} more: --output json or ndjson has all"));
    }
    for finding in report.findings.iter().take(IN_FULL) {
        page.gap();
        page.part(finding_page(finding, ctx));
    }
    if report.findings.len() > IN_FULL {
        page.gap();
        page.text(Role::Muted, format!("The first {IN_FULL} are told in full; --output json has all."));
    }
    usage::part(&mut page, report, ctx);
    notes(&mut page, report, ctx);
    page
}

fn headline(report: &AuditReport, ctx: RenderContext) -> Line {
    let counts = Severity::ALL.into_iter().map(|severity| (report.count(severity), severity));
    let told: Vec<String> = counts.filter(|(count, _)| *count > 0).map(|(n, s)| format!("{n} {}", s.name())).collect();
    let words = match told.as_slice() {
        [] => "no findings".to_owned(),
        told => format!("findings: {}", told.join(", ")),
    };
    let WhatWasRead { source, trusts, others, .. } = &report.read;
    let beside =
        if *others > 0 { format!(", beside {others} roles that trust no identity provider") } else { String::new() };
    let of = format!(
        " in {trusts} federated {} of {}{beside}",
        if *trusts == 1 { "trust" } else { "trusts" },
        ctx.prose(source)
    );
    Line::of(Role::Strong, words).with(Role::Muted, of)
}

/// The findings in columns.
pub fn table(findings: &[AuditFinding], ctx: RenderContext) -> Table {
    const COLUMNS: [Column; 4] = [
        Column::new("severity"),
        Column::of("resource", ColumnKind::Upto(RESOURCE_WIDTH)),
        Column::new("cause"),
        Column::new("what is wrong"),
    ];
    let rows = findings.iter().take(IN_TABLE).map(|finding| -> Vec<Cell> {
        vec![
            Line::of(role(finding.severity), finding.severity.name()).into(),
            Line::of(Role::Plain, ctx.value(short(&finding.resource))).into(),
            Line::of(Role::Plain, finding.cause.id()).into(),
            Line::of(Role::Plain, ctx.prose(&finding.summary)).into(),
        ]
    });
    Table { columns: COLUMNS.to_vec(), headed: true, rows: rows.collect() }
}

/// How a severity looks.
pub const fn role(severity: Severity) -> Role {
    match severity {
        Severity::Critical | Severity::High => Role::Bad,
        Severity::Medium => Role::Warning,
        Severity::Low => Role::Muted,
    }
}

/// A role's name without what all ARNs have.
pub fn short(resource: &str) -> &str {
    resource.split_once(":role/").map_or(resource, |(_, name)| name)
}

/// One finding: where, who gets in, what they reach, what to do.
pub fn finding_page(finding: &AuditFinding, ctx: RenderContext) -> Page {
    let title = Line::of(role(finding.severity), finding.severity.name())
        .with(Role::Strong, format!("  {}", ctx.prose(&finding.summary)))
        .hanging(2);
    let mut page = Page::titled(title);
    page.value("resource", &finding.resource, ctx);
    if let Some(Location { file, line }) = &finding.location {
        page.value("at", &format!("{file}:{line}"), ctx);
    }
    page.field(
        "cause",
        Line::of(Role::Plain, finding.cause.id())
            .with(Role::Muted, format!(", {}", super::finding::certainty(finding.certainty))),
    );
    for admitted in &finding.admits {
        page.field(
            "gets in",
            Line::of(Role::Bad, ctx.value(&admitted.subject))
                .with(Role::Muted, format!(": {}", ctx.prose(&admitted.why))),
        );
    }
    for reached in &finding.reaches {
        page.prose("reaches", Role::Plain, reached, ctx);
    }
    if let Some(used) = &finding.used {
        page.prose("used", Role::Plain, &used.sentence(), ctx);
    }
    for fact in &finding.evidence {
        page.prose("because", Role::Plain, fact, ctx);
    }
    for fix in &finding.fixes {
        page.prose("fix", Role::Accent, &finding::addressed(fix), ctx);
        if let Some(document) = &fix.document {
            page.code(document, ctx);
        }
    }
    page.value("docs", &finding.docs, ctx);
    page.value("id", &finding.id, ctx);
    page
}

fn notes(page: &mut Page, report: &AuditReport, ctx: RenderContext) {
    let WhatWasRead { in_baseline, not_judged, .. } = &report.read;
    if !report.suppressed.is_empty() {
        page.gap();
        page.heading(format!("Suppressed: {}", report.suppressed.len()));
        for (finding, suppression) in &report.suppressed {
            let words = format!("{} until {}: {}", finding.id, suppression.expires, suppression.reason);
            page.dotted(Line::of(Role::Muted, ctx.prose(&words)), ctx);
        }
    }
    if *in_baseline > 0 {
        page.gap();
        page.text(Role::Muted, format!("{in_baseline} findings are those of the baseline, and do not count."));
    }
    if !not_judged.is_empty() {
        page.gap();
        page.heading(format!("Not judged: {}", not_judged.len()));
        for unjudged in not_judged.iter().take(NOT_JUDGED_SHOWN) {
            let place = unjudged.location.as_ref().map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default();
            let words = format!("{place}{}: {}", unjudged.resource, unjudged.why);
            page.dotted(Line::of(Role::Warning, ctx.prose(&words)), ctx);
        }
        if not_judged.len() > NOT_JUDGED_SHOWN {
            page.text(Role::Muted, format!("{} more: --output json has all", not_judged.len() - NOT_JUDGED_SHOWN));
        }
    }
}
