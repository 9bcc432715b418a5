//! The log: the run's events in order.

use super::{Rows, labelled};
use crate::check::CheckId;
use crate::domain::timestamp::{in_words, rfc3339};
use crate::report::context::{RenderContext, outcome_role, outcome_word};
use crate::report::line::{Line, Role};
use crate::run::event::FinishedCheck;
use crate::run::report::Progress;
use crate::tui::inputs::Clock;
use crate::tui::model::runs::{EntryKind, Level, LogEntry};
use crate::tui::model::{Model, Run};

/// The width from which on the texts stand in a column.
const COLUMNS: usize = 80;
/// Where that column begins: behind the longest check.
const CHECK_END: usize = 45;

/// The entries.
pub fn rows(model: &Model) -> Rows<'_> {
    let log: &[LogEntry] = model.runs.shown().map_or(&[], |run| &run.log);
    let show = model.render_context();
    Rows {
        count: log.len(),
        line: Box::new(move |at, width| log.get(at).map_or_else(Line::empty, |e| row(e, show, width))),
    }
}

fn role(level: Level) -> Role {
    match level {
        Level::Detail => Role::Plain,
        Level::Good => Role::Good,
        Level::Warning => Role::Warning,
        Level::Bad => Role::Bad,
    }
}

fn row(entry: &LogEntry, show: RenderContext, width: usize) -> Line {
    let mut line = Line::of(Role::Muted, format!("{:>9} ", seconds(entry.at_ms)));
    line.push(Role::Plain, entry.check.map_or("run", |check| check.id()));
    // Where there is room the texts stand in a column of their own.
    line.pad_to(if (COLUMNS..usize::MAX).contains(&width) { CHECK_END } else { 0 });
    line.push(role(entry.level), show.prose(&entry.text));
    line.cut(width, show.glyphs.ellipsis)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// The selected entry as a whole.
pub fn detail(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    let Some(run) = model.runs.shown() else {
        return super::no_rows(model);
    };
    let Some(entry) = model.selected_row().and_then(|at| run.log.get(at)) else {
        return super::no_rows(model);
    };
    let at_s = run.started_ms.saturating_add(i64::try_from(entry.at_ms).unwrap_or(i64::MAX)).div_euclid(1000);
    let time = format!("{}, {} after the start", moment(model, at_s), seconds(entry.at_ms));
    let mut lines = vec![labelled("time", Role::Plain, time)];
    if let Some(check) = entry.check {
        lines.push(labelled("check", Role::Plain, check.title()));
    }
    match entry.check.and_then(|check| ended(run, check, entry)) {
        Some(finished) => lines.extend(end(finished, show)),
        None => lines.push(labelled("event", role(entry.level), show.prose(&entry.text))),
    }
    if run.lost > 0 {
        lines.push(labelled("lost", Role::Warning, format!("{} events never arrived", run.lost)));
    }
    lines
}

/// The check whose end an entry tells.
fn ended<'r>(run: &'r Run, check: CheckId, entry: &LogEntry) -> Option<&'r FinishedCheck> {
    match &run.report.check(check).filter(|_| entry.kind == EntryKind::Finished)?.progress {
        Progress::Finished(finished) => Some(finished),
        _ => None,
    }
}

/// How a check ended: what its row has no room for.
fn end(finished: &FinishedCheck, show: RenderContext) -> Vec<Line> {
    let mut lines = vec![labelled("outcome", outcome_role(finished.outcome), outcome_word(finished.outcome))];
    if finished.duration_ms > 0 {
        let took = format!("{} ms, from {} on", finished.duration_ms, seconds(finished.started_ms));
        lines.push(labelled("took", Role::Plain, took));
    }
    if let Some(reason) = &finished.reason {
        lines.push(labelled("reason", Role::Plain, show.prose(reason)));
    }
    for (place, found) in finished.findings.iter().enumerate() {
        let label = if place == 0 { "found" } else { "" };
        lines.push(labelled(label, Role::Plain, format!("{}: {}", found.cause, show.prose(&found.summary))));
    }
    lines
}

/// Time left as a clock shows it: `41:07`, `2:05:09`.
pub fn countdown(seconds: i64) -> String {
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    }
}

/// A time of day in the clock that is chosen.
pub fn moment(model: &Model, at: i64) -> String {
    let (offset, zone) = match (model.appearance.clock, model.inputs.utc_offset_s) {
        (Clock::Local, Some(offset)) => (i64::from(offset), zone(offset)),
        _ => (0, "UTC".to_owned()),
    };
    match at.checked_add(offset).and_then(rfc3339) {
        Some(text) => format!("{} {zone}", text.trim_end_matches('Z').replacen('T', " ", 1)),
        None => format!("{at} (no date)"),
    }
}

/// The time of day in the clock that is chosen, without its date and zone.
pub fn time_of_day(model: &Model, at: i64) -> String {
    let whole = moment(model, at);
    whole.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn zone(offset_s: i32) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A moment as seen from now; empty in a recording, whose now is over.
pub fn relative(model: &Model, at: i64) -> String {
    if model.replay.is_some() {
        return String::new();
    }
    let away = at.saturating_sub(model.clock.now_ms().div_euclid(1000));
    if away >= 0 {
        format!("in {}", in_words(away.unsigned_abs()))
    } else {
        format!("{} ago", in_words(away.unsigned_abs()))
    }
}

#[cfg(test)]
mod clock_tests {
    use super::*;

    #[test]
    fn countdowns_read_like_a_clock() {
        assert_eq!(countdown(0), "0:00");
        assert_eq!(countdown(41 * 60 + 7), "41:07");
        assert_eq!(countdown(2 * 3600 + 5 * 60 + 9), "2:05:09");
    }
}
