//! What a log says of each trust, in the forms that an audit is printed in.

use serde::Serialize;
use serde_json::{Value, json};

use super::AuditReport;
use crate::audit::usage::{Observed, Span};
use crate::audit::{TrustUse, UseOf};
use crate::domain::timestamp::rfc3339;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role};
use crate::report::page::{Block, Cell, Column, ColumnKind, Page, Table};

/// So many trusts stand in the table.
const IN_TABLE: usize = 100;
/// A resource wider than this does not push what is said of it to the right.
const RESOURCE_WIDTH: usize = 40;

/// The log that trusts were held beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventsRead {
    /// A file's name, or how many there were.
    pub source: String,
    pub exchanges: u64,
    /// The first exchange, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl EventsRead {
    /// What there is to say of a log as a whole.
    pub fn of(source: &str, observed: &Observed) -> Self {
        let span = observed.whole_span();
        let time = |of: fn(Span) -> i64| span.and_then(|span| rfc3339(of(span)));
        EventsRead {
            source: source.to_owned(),
            exchanges: observed.exchanges(),
            from: time(|span| span.from),
            to: time(|span| span.to),
        }
    }

    /// As a sentence has it.
    fn in_words(&self) -> String {
        let exchanges = if self.exchanges == 1 { "exchange" } else { "exchanges" };
        let reach = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(", from {from} to {to}"),
            _ => String::new(),
        };
        format!("{} {exchanges} in {}{reach}", self.exchanges, self.source)
    }
}

/// A trust's use as a line of its own.
pub fn use_line(of: &UseOf) -> Value {
    json!({ "use": of })
}

/// How many trusts were used, of how many the log can tell, in a sentence; nothing where no log was read.
pub(super) fn summary(report: &AuditReport) -> Option<String> {
    let events = report.read.events.as_ref()?;
    let known = report.uses.iter().filter(|of| of.used.reach.is_some());
    let used = known.clone().filter(|of| of.used.granted > 0).count();
    Some(format!("{used} of {} trusts were used: {}", known.count(), events.in_words()))
}

/// What was not used first, then what was refused, then the rest.
fn rank(used: &TrustUse) -> (bool, bool, bool) {
    (used.reach.is_none(), used.granted > 0, used.refused == 0)
}

/// Adds the trusts and their use to a page.
pub(super) fn part(page: &mut Page, report: &AuditReport, ctx: RenderContext) {
    const COLUMNS: [Column; 2] = [Column::of("trust", ColumnKind::Upto(RESOURCE_WIDTH)), Column::new("used")];
    let Some(summary) = summary(report) else { return };
    page.gap();
    page.heading("Use");
    page.text(Role::Plain, ctx.prose(&summary));
    let mut uses: Vec<&UseOf> = report.uses.iter().collect();
    uses.sort_by_key(|of| (rank(&of.used), of.resource.as_str()));
    let rows = uses.iter().take(IN_TABLE).map(|of| -> Vec<Cell> {
        let role = if of.used.granted > 0 { Role::Plain } else { Role::Warning };
        vec![
            Line::of(Role::Plain, ctx.value(super::short(&of.resource))).into(),
            Line::of(role, ctx.prose(&of.used.sentence())).into(),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if !rows.is_empty() {
        page.push(Block::Table(Table { columns: COLUMNS.to_vec(), headed: true, rows }));
    }
    let left_out = uses.len().saturating_sub(IN_TABLE);
    if left_out > 0 {
        page.text(Role::Muted, format!("{left_out} more: --output json or ndjson has all"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::audit::WhatWasRead;

    fn of(resource: &str, granted: u64, refused: u64, is_known: bool) -> UseOf {
        let reach = is_known.then(|| ["2026-11-01T00:00:00Z".to_owned(), "2026-11-30T00:00:00Z".to_owned()]);
        UseOf { resource: resource.to_owned(), used: TrustUse { granted, refused, reach, ..TrustUse::default() } }
    }

    #[test]
    fn only_trusts_of_which_the_log_tells_are_counted() {
        let events = EventsRead { source: "log.json".to_owned(), exchanges: 1, ..EventsRead::default() };
        let uses = vec![of("a", 1, 0, true), of("b", 0, 0, true), of("c", 0, 0, false)];
        let mut report = AuditReport {
            uses,
            read: WhatWasRead { events: Some(events), ..WhatWasRead::default() },
            ..AuditReport::default()
        };
        assert_eq!(summary(&report).unwrap(), "1 of 2 trusts were used: 1 exchange in log.json");
        report.read.events = None;
        assert_eq!(summary(&report), None);
    }

    #[test]
    fn what_nobody_used_stands_first_and_what_is_unknown_last() {
        let mut uses =
            [of("used", 1, 0, true), of("unknown", 0, 0, false), of("unused", 0, 0, true), of("both", 1, 1, true)];
        uses.sort_by_key(|of| rank(&of.used));
        assert_eq!(uses.map(|of| of.resource), ["unused", "both", "used", "unknown"]);
    }
}
