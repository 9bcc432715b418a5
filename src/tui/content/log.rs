//! The log: the run's events in order.

use super::{Rows, Show, labelled};
use crate::tui::model::Model;
use crate::tui::model::runs::{Level, LogEntry};
use crate::tui::text::{Ink, Line};

/// The width from which on the texts stand in a column.
const COLUMNS: usize = 80;
/// Where that column begins: behind the longest check.
const CHECK_END: usize = 45;

/// The entries.
pub fn rows(model: &Model) -> Rows<'_> {
    let log: &[LogEntry] = model.runs.shown().map_or(&[], |run| &run.log);
    let show = Show::of(model);
    Rows {
        count: log.len(),
        line: Box::new(move |at, width| log.get(at).map_or_else(Line::empty, |e| row(e, show, width))),
    }
}

fn ink(level: Level) -> Ink {
    match level {
        Level::Detail => Ink::Plain,
        Level::Good => Ink::Good,
        Level::Warning => Ink::Warning,
        Level::Bad => Ink::Bad,
    }
}

fn row(entry: &LogEntry, show: Show, width: usize) -> Line {
    let mut line = Line::of(Ink::Muted, format!("{:>9} ", seconds(entry.at_ms)));
    line.push(Ink::Plain, entry.check.map_or("run", |check| check.id()));
    // Where there is room the texts stand in a column of their own.
    line.pad_to(if (COLUMNS..usize::MAX).contains(&width) { CHECK_END } else { 0 });
    line.push(ink(entry.level), show.prose(&entry.text));
    line.cut(width, show.glyphs.ellipsis)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// The selected entry as a whole.
pub fn detail(model: &Model) -> Vec<Line> {
    let show = Show::of(model);
    let Some(run) = model.runs.shown() else {
        return super::page::no_rows(model);
    };
    let Some(entry) = model.selected_row().and_then(|at| run.log.get(at)) else {
        return super::page::no_rows(model);
    };
    let mut lines = vec![labelled("time", Ink::Plain, format!("{} after the start", seconds(entry.at_ms)))];
    if let Some(check) = entry.check {
        lines.push(labelled("check", Ink::Plain, format!("{check}: {}", check.title())));
    }
    lines.push(labelled("event", ink(entry.level), show.prose(&entry.text)));
    if run.lost > 0 {
        lines.push(labelled("lost", Ink::Warning, format!("{} events never arrived", run.lost)));
    }
    lines
}
