//! The header: what is checked and how it stands, the chain, the tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::report::context::Privacy;
use crate::report::line::{Line, Role};
use crate::run::event::RunVerdict;
use crate::run::report::Report;
use crate::tui::content::chain;
use crate::tui::content::handshake::passed_words;
use crate::tui::content::log::{countdown, moment, time_of_day};
use crate::tui::content::token::remaining;
use crate::tui::layout::{Geometry, tab_text, tabs};
use crate::tui::model::{Lifecycle, Model, Run};
use crate::tui::theme::Theme;

/// From this many columns on there is room for whole dates.
const ROOMY: u16 = 100;
/// Seconds of remaining validity below which the countdown warns.
const SOON_S: i64 = 300;

pub(super) fn draw(model: &Model, theme: &Theme, geometry: Geometry, buffer: &mut Buffer) {
    let glyphs = model.render_context().glyphs;
    let inside = |area: Rect| Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = state(model);
    let right_width = u16::try_from(right.width()).unwrap_or(0);
    let area = inside(geometry.header);
    let left_room = area.width.saturating_sub(right_width + 2);
    let left = subject(model, usize::from(left_room));
    paint::paint_line(&left, theme, Rect { width: left_room, ..area }, glyphs, buffer);
    let at_right = Rect { x: area.right().saturating_sub(right_width), width: right_width.min(area.width), ..area };
    paint::paint_line(&right, theme, at_right, glyphs, buffer);

    let area = inside(geometry.chain);
    paint::paint_line(&chain::line(model, usize::from(area.width)), theme, area, glyphs, buffer);

    for (place, (screen, x, width)) in tabs(model).into_iter().enumerate() {
        let role = if screen == model.screen { Role::Strong } else { Role::Plain };
        let area = Rect { x, width: width.min(geometry.tabs.right().saturating_sub(x)), ..geometry.tabs };
        paint::text(&tab_text(model, place, screen), role, theme, area, glyphs, buffer);
        if screen == model.screen {
            buffer.set_style(area, ratatui::style::Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

/// What is checked; the guide too where it fits as a whole.
fn subject(model: &Model, room: usize) -> Line {
    let show = model.render_context();
    let mut line = Line::of(Role::Accent, "trustline");
    match model.runs.shown() {
        None => line.push(Role::Muted, "  finds out where workload identity federation breaks"),
        Some(run) => {
            line.push(Role::Plain, "  ");
            line.push(Role::Strong, show.prose(&run.label));
            let guide = format!(" {} {}", show.glyphs.dot, show.prose(&run.report.guide));
            if !run.report.guide.is_empty() && line.width() + guide.width() <= room {
                line.push(Role::Muted, guide);
            }
        }
    }
    line
}

/// How it stands: recording, watching, time left, verdict.
fn state(model: &Model) -> Line {
    let show = model.render_context();
    let mut parts: Vec<(Role, String)> = Vec::new();
    if model.appearance.privacy == Privacy::Masked {
        parts.push((Role::Accent, "privacy on".to_owned()));
    }
    if let Some(replay) = &model.replay {
        let cut = if replay.truncated { ", its end is missing" } else { "" };
        parts.push((Role::Warning, format!("recording, read-only{cut}")));
    }
    if let Some(watch) = &model.runs.watch {
        parts.push(match (watch.works_since_ms, watch.next_ms) {
            (Some(since), _) => {
                // The day is left out where it would push out what is watched.
                let since = since.div_euclid(1000);
                let told = if model.size.0 < ROOMY { time_of_day(model, since) } else { moment(model, since) };
                (Role::Good, format!("works since {told}"))
            }
            (None, Some(next)) => {
                (Role::Accent, format!("watching, again in {} s", ((next - model.clock.now_ms()).max(0) + 999) / 1000))
            }
            (None, None) => (Role::Accent, "watching".to_owned()),
        });
    }
    if let Some(left) = remaining(model) {
        // The chain and the verdict beside it are the run's, and a pasted token is another one.
        let whose = if model.token.pasted.is_some() { "pasted token" } else { "token" };
        parts.push(match left {
            ..=0 => (Role::Bad, format!("{whose} expired")),
            _ => (if left < SOON_S { Role::Warning } else { Role::Plain }, format!("{whose} {} left", countdown(left))),
        });
    }
    if let Some(run) = model.runs.shown() {
        parts.push(verdict(model, run));
    }
    let mut line = Line::empty();
    for (place, (role, text)) in parts.into_iter().enumerate() {
        if place > 0 {
            line.push(Role::Muted, format!(" {} ", show.glyphs.dot));
        }
        line.push(role, text);
    }
    line
}

fn verdict(model: &Model, run: &Run) -> (Role, String) {
    let glyphs = model.render_context().glyphs;
    let failed = run.report.counts().failed;
    match (&run.state, run.verdict()) {
        (Lifecycle::Refused { .. }, _) => (Role::Bad, format!("{} not started", glyphs.fail)),
        (Lifecycle::Running, _) => (Role::Accent, format!("{} running", chain::running(model))),
        (Lifecycle::Cancelling, _) => (Role::Warning, format!("{} stopping", chain::running(model))),
        (Lifecycle::Ended, Some(RunVerdict::Pass)) => {
            (Role::Good, format!("{} {}", glyphs.pass, passed_words(&run.report)))
        }
        (Lifecycle::Ended, Some(RunVerdict::Fail)) if failed == 1 => (Role::Bad, format!("{} 1 failed", glyphs.fail)),
        (Lifecycle::Ended, Some(RunVerdict::Fail)) => (Role::Bad, format!("{} {failed} failed", glyphs.fail)),
        (Lifecycle::Ended, Some(RunVerdict::Inconclusive)) => match unchecked_words(&run.report) {
            Some(words) => (Role::Plain, format!("{} {words}", glyphs.waiting)),
            None => (Role::Warning, format!("{} inconclusive", glyphs.inconclusive)),
        },
        (Lifecycle::Ended, None) => (Role::Warning, format!("{} unfinished", glyphs.inconclusive)),
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
