//! The top: what is checked and how it stands, the chain of trust, the tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::run::event::RunVerdict;
use crate::run::report::Report;
use crate::tui::content::clock::{countdown, moment, time_of_day};
use crate::tui::content::handshake::passed_words;
use crate::tui::content::token::remaining;
use crate::tui::content::{Show, chain};
use crate::tui::inputs::Privacy;
use crate::tui::layout::{Geometry, tab_text, tabs};
use crate::tui::model::{Lifecycle, Model, Run};
use crate::tui::text::{Ink, Line};
use crate::tui::theme::Theme;

/// From this many columns on there is room for whole dates.
const ROOMY: u16 = 100;
/// Seconds of remaining validity below which the countdown warns.
const SOON_S: i64 = 300;

pub(super) fn draw(model: &Model, theme: &Theme, geometry: Geometry, buffer: &mut Buffer) {
    let glyphs = Show::of(model).glyphs;
    let inside = |area: Rect| Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = state(model);
    let right_width = u16::try_from(right.width()).unwrap_or(0);
    let area = inside(geometry.header);
    let left_room = area.width.saturating_sub(right_width + 2);
    let left = subject(model, usize::from(left_room));
    paint::line(&left, theme, Rect { width: left_room, ..area }, glyphs, buffer);
    let at_right = Rect { x: area.right().saturating_sub(right_width), width: right_width.min(area.width), ..area };
    paint::line(&right, theme, at_right, glyphs, buffer);

    let area = inside(geometry.chain);
    paint::line(&chain::line(model, usize::from(area.width)), theme, area, glyphs, buffer);

    for (place, (screen, x, width)) in tabs(model).into_iter().enumerate() {
        let ink = if screen == model.screen { Ink::Strong } else { Ink::Plain };
        let area = Rect { x, width: width.min(geometry.tabs.right().saturating_sub(x)), ..geometry.tabs };
        paint::text(&tab_text(model, place, screen), ink, theme, area, glyphs, buffer);
        if screen == model.screen {
            buffer.set_style(area, ratatui::style::Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

/// What is checked; the guide too where it fits as a whole.
fn subject(model: &Model, room: usize) -> Line {
    let show = Show::of(model);
    let mut line = Line::of(Ink::Accent, "trustline");
    match model.runs.shown() {
        None => line.push(Ink::Muted, "  finds out where workload identity federation breaks"),
        Some(run) => {
            line.push(Ink::Plain, "  ");
            line.push(Ink::Strong, show.prose(&run.label));
            let guide = format!(" {} {}", show.glyphs.dot, show.prose(&run.report.guide));
            if !run.report.guide.is_empty() && line.width() + guide.width() <= room {
                line.push(Ink::Muted, guide);
            }
        }
    }
    line
}

/// How it stands: recording, watching, time left, verdict.
fn state(model: &Model) -> Line {
    let show = Show::of(model);
    let mut parts: Vec<(Ink, String)> = Vec::new();
    if model.look.privacy == Privacy::Masked {
        parts.push((Ink::Accent, "privacy on".to_owned()));
    }
    if let Some(replay) = &model.replay {
        let cut = if replay.truncated { ", its end is missing" } else { "" };
        parts.push((Ink::Warning, format!("recording, read-only{cut}")));
    }
    if let Some(watch) = &model.runs.watch {
        parts.push(match (watch.works_since_ms, watch.next_ms) {
            (Some(since), _) => {
                // The day is left out where it would push out what is watched.
                let since = since.div_euclid(1000);
                let told = if model.size.0 < ROOMY { time_of_day(model, since) } else { moment(model, since) };
                (Ink::Good, format!("works since {told}"))
            }
            (None, Some(next)) => {
                (Ink::Accent, format!("watching, again in {} s", ((next - model.now_ms).max(0) + 999) / 1000))
            }
            (None, None) => (Ink::Accent, "watching".to_owned()),
        });
    }
    if let Some(left) = remaining(model) {
        // The chain and the verdict beside it are the run's, and a pasted token is another one.
        let whose = if model.token.pasted.is_some() { "pasted token" } else { "token" };
        parts.push(match left {
            ..=0 => (Ink::Bad, format!("{whose} expired")),
            _ => (if left < SOON_S { Ink::Warning } else { Ink::Plain }, format!("{whose} {} left", countdown(left))),
        });
    }
    if let Some(run) = model.runs.shown() {
        parts.push(verdict(model, run));
    }
    let mut line = Line::empty();
    for (place, (ink, text)) in parts.into_iter().enumerate() {
        if place > 0 {
            line.push(Ink::Muted, format!(" {} ", show.glyphs.dot));
        }
        line.push(ink, text);
    }
    line
}

fn verdict(model: &Model, run: &Run) -> (Ink, String) {
    let glyphs = Show::of(model).glyphs;
    let failed = run.report.counts().failed;
    match (&run.state, run.verdict()) {
        (Lifecycle::Refused { .. }, _) => (Ink::Bad, format!("{} not started", glyphs.fail)),
        (Lifecycle::Running, _) => (Ink::Accent, format!("{} running", chain::running(model))),
        (Lifecycle::Cancelling, _) => (Ink::Warning, format!("{} stopping", chain::running(model))),
        (Lifecycle::Ended, Some(RunVerdict::Pass)) => {
            (Ink::Good, format!("{} {}", glyphs.pass, passed_words(&run.report)))
        }
        (Lifecycle::Ended, Some(RunVerdict::Fail)) if failed == 1 => (Ink::Bad, format!("{} 1 failed", glyphs.fail)),
        (Lifecycle::Ended, Some(RunVerdict::Fail)) => (Ink::Bad, format!("{} {failed} failed", glyphs.fail)),
        (Lifecycle::Ended, Some(RunVerdict::Inconclusive)) => match unchecked_words(&run.report) {
            Some(words) => (Ink::Plain, format!("{} {words}", glyphs.waiting)),
            None => (Ink::Warning, format!("{} inconclusive", glyphs.inconclusive)),
        },
        (Lifecycle::Ended, None) => (Ink::Warning, format!("{} unfinished", glyphs.inconclusive)),
    }
}

/// How far a run came in which nothing is in doubt and nothing failed, but which lacks what the rest of its checks need.
fn unchecked_words(report: &Report) -> Option<String> {
    let counts = report.counts();
    let is_cut_short = report.end.as_ref().is_some_and(|end| end.cut_short.is_some());
    match counts.passed + counts.warned {
        _ if counts.inconclusive > 0 || is_cut_short => None,
        0 => Some("not checked yet".to_owned()),
        passed => Some(format!("{passed} passed, {} not checked yet", counts.skipped)),
    }
}
