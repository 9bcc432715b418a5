//! The waterfall: every check on one time axis, and the hops of the selected one.

use serde_json::Value;

use super::handshake::sign;
use super::{Rows, heading, labelled};
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role, cut};
use crate::report::run::milliseconds;
use crate::run::event::FinishedCheck;
use crate::run::report::{CheckState, Progress, Report};
use crate::tui::model::Model;

/// The checks, each with its bar.
pub fn rows(model: &Model) -> Rows<'_> {
    let run = model.runs.shown();
    let checks: &[CheckState] = run.map_or(&[], |run| &run.report.checks);
    let total = run.map_or(1, |run| total_ms(&run.report, model.clock.now_ms() - run.started_ms));
    let names = checks.iter().map(|check| check.title.chars().count()).max().unwrap_or(0) + 3;
    let line = move |at: usize, width: usize| {
        checks.get(at).map_or_else(Line::empty, |c| row(model, c, (total, names), width))
    };
    Rows { count: checks.len(), line: Box::new(line) }
}

/// The end of the time axis in milliseconds.
fn total_ms(report: &Report, elapsed_ms: i64) -> u64 {
    let last = report.finished().map(|check| check.started_ms + check.duration_ms).max().unwrap_or(0);
    let running = report.checks.iter().any(|check| matches!(check.progress, Progress::Running { .. }));
    let elapsed = if running { u64::try_from(elapsed_ms).unwrap_or(0) } else { 0 };
    last.max(elapsed).max(1)
}

fn row(model: &Model, check: &CheckState, (total, names): (u64, usize), width: usize) -> Line {
    let show = model.render_context();
    if width == usize::MAX {
        return Line::of(Role::Plain, format!("{} {}", check.title, check.id));
    }
    // The bars get the larger part.
    let name_width = names.min(width / 2).max(8);
    let (sign, role) = sign(model, check);
    let mut line = Line::of(role, sign).with(Role::Plain, " ");
    line.push(Role::Plain, cut(&crate::domain::text::visible(&check.title), name_width - 3, show.glyphs.ellipsis));
    line.pad_to(name_width);
    let room = width.saturating_sub(name_width + 9);
    let (start, length, note, light) = match &check.progress {
        Progress::Finished(f) if f.duration_ms > 0 => {
            (f.started_ms, f.duration_ms, milliseconds(f.duration_ms), Shade::Full)
        }
        Progress::Running { since_ms, .. } => {
            (*since_ms, total.saturating_sub(*since_ms), "running".into(), Shade::Light)
        }
        _ => return line,
    };
    line = bar(line, start as f64, length as f64, total as f64, room, (role, light), show);
    line.pad_to(width.saturating_sub(note.chars().count()));
    line.with(Role::Muted, note)
}

/// How full a bar is drawn.
#[derive(Clone, Copy)]
enum Shade {
    Full,
    Light,
}

/// Appends a bar of `length` from `start` on an axis of `total`, `room` columns wide. It is one column at least.
fn bar(
    mut line: Line,
    start: f64,
    length: f64,
    total: f64,
    room: usize,
    look: (Role, Shade),
    show: RenderContext,
) -> Line {
    let column = |at: f64| ((at / total.max(f64::MIN_POSITIVE)) * room as f64).round() as usize;
    let from = column(start).min(room.saturating_sub(1));
    let to = column(start + length).clamp(from + 1, room.max(from + 1));
    let sign = match look.1 {
        Shade::Full => show.glyphs.bar,
        Shade::Light => show.glyphs.bar_light,
    };
    line.push(Role::Plain, " ".repeat(from));
    line.push(look.0, sign.repeat(to - from));
    line
}

/// The hops of the selected check.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let Some(check) = model.selected_check().and_then(|id| model.runs.shown()?.report.check(id)) else {
        return super::no_rows(model);
    };
    let mut lines = vec![heading(crate::domain::text::visible(&check.title).into_owned())];
    let Progress::Finished(finished) = &check.progress else {
        lines.push(Line::of(Role::Muted, "not finished"));
        return lines;
    };
    lines.push(labelled(
        "time",
        Role::Plain,
        format!("{}, from {} on", milliseconds(finished.duration_ms), milliseconds(finished.started_ms)),
    ));
    let exchanges = exchanges(finished);
    if exchanges.is_empty() {
        lines.push(Line::of(Role::Muted, "it made no request of its own"));
    }
    for exchange in exchanges {
        lines.push(Line::empty());
        lines.push(Line::of(Role::Plain, show.prose(&exchange.label)));
        let total = exchange.hops.iter().map(|hop| hop.start_ms + hop.duration_ms).fold(1.0, f64::max);
        for hop in &exchange.hops {
            let mut line = Line::of(Role::Muted, format!("  {:9}", crate::domain::text::visible(&hop.name)));
            let room = width.saturating_sub(11 + 11);
            line = bar(line, hop.start_ms, hop.duration_ms, total, room, (Role::Accent, Shade::Full), show);
            let note = format!("{:.1} ms", hop.duration_ms);
            line.pad_to(width.saturating_sub(note.chars().count() + 1));
            lines.push(line.with(Role::Muted, note));
        }
    }
    lines
}

/// One leg of an exchange.
#[derive(Clone, Debug, PartialEq)]
struct Hop {
    name: String,
    start_ms: f64,
    duration_ms: f64,
}

struct Exchange {
    label: String,
    hops: Vec<Hop>,
}

/// Every `hops` list among a check's facts, however deep, with the address it belongs to.
fn exchanges(finished: &FinishedCheck) -> Vec<Exchange> {
    let mut found = Vec::new();
    collect(&Value::Object(finished.facts.clone()), &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Exchange>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(hops)) = map.get("hops") {
                let hops: Vec<Hop> = hops.iter().filter_map(hop).collect();
                let label = map.get("url").and_then(Value::as_str).unwrap_or("request").to_owned();
                if !hops.is_empty() {
                    found.push(Exchange { label, hops });
                }
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn hop(value: &Value) -> Option<Hop> {
    let duration_ms = value.get("duration_ms")?.as_f64()?;
    Some(Hop {
        name: value.get("name")?.as_str()?.to_owned(),
        start_ms: value.get("start_ms").and_then(Value::as_f64).unwrap_or_default().max(0.0),
        duration_ms: duration_ms.max(0.0),
    })
}
