//! The header with its chain, and a pane's border: its title, the position within what is longer than the pane, and a
//! scrollbar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::symbols::border;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::panes;
use super::panes::Keys;
use crate::report::context::Privacy;
use crate::report::glyphs::{GlyphSet, Glyphs};
use crate::report::line::{Line, Role, Wrap, cut, widest};
use crate::run::event::RunVerdict;
use crate::run::report::Report;
use crate::tui::content::chain;
use crate::tui::content::handshake::passed_words;
use crate::tui::content::log::{countdown, moment, time_of_day};
use crate::tui::content::token::remaining;
use crate::tui::layout::{Geometry, tab_text, tabs};
use crate::tui::model::{Lifecycle, Model, Run};
use crate::tui::theme::Theme;

/// How much of a content is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub first: usize,
    pub page: usize,
    pub total: usize,
}

impl Extent {
    /// Where in a text one is: the last line shown of how many, and the columns where lines are cut.
    pub fn note(&self, columns: Option<&str>, dot: &str) -> String {
        let last = (self.first + self.page).min(self.total);
        let lines = (self.total > self.page).then(|| format!("{last}/{}", self.total));
        match (columns, lines) {
            (Some(columns), Some(lines)) => format!("{columns} {dot} {lines}"),
            (columns, lines) => columns.map(str::to_owned).or(lines).unwrap_or_default(),
        }
    }
}

/// Which columns are shown of lines that are cut; `None` where all are.
pub(super) fn columns(lines: &[Line], width: usize, wrap: Wrap) -> Option<String> {
    let (Wrap::Off { from }, all) = (wrap, widest(lines)) else { return None };
    (all > width).then(|| format!("columns {}-{} of {all}", from + 1, (from + width).min(all)))
}

/// What stands on a border.
pub(super) struct Border<'t> {
    pub title: &'t str,
    /// Behind the title, at the right edge: a position or a count. Not below, where it would stand beside the title of
    /// the pane that shares the border.
    pub note: &'t str,
    pub keys: Keys,
    pub extent: Extent,
}

/// The lines of a border.
const fn border_set(set: GlyphSet) -> border::Set<'static> {
    match set {
        GlyphSet::Unicode => border::PLAIN,
        GlyphSet::Ascii => border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
    }
}

/// Draws a border. It merges with the border of a neighbour that shares it.
pub(super) fn edge(border: &Border<'_>, area: Rect, theme: &Theme, set: GlyphSet, buffer: &mut Buffer) {
    let role = if border.keys == Keys::Here { Role::Accent } else { Role::Muted };
    let mut block = Block::bordered().border_set(border_set(set)).border_style(theme.style(role));
    if set == GlyphSet::Unicode {
        block = block.merge_borders(MergeStrategy::Exact);
    }
    block.render(area, buffer);
}

/// Draws what stands on a border: the title, the note, the scrollbar. After all borders, so that none covers it.
pub(super) fn labels(border: &Border<'_>, area: Rect, theme: &Theme, set: GlyphSet, buffer: &mut Buffer) {
    let glyphs = set.glyphs();
    let room = usize::from(area.width).saturating_sub(6);
    let note = cut(border.note, room / 2, glyphs.ellipsis);
    let room = room.saturating_sub(if note.is_empty() { 0 } else { note.width() + 3 });
    let role = if border.keys == Keys::Here { Role::Strong } else { Role::Plain };
    let title = Line::of(role, format!(" {} ", cut(border.title, room, glyphs.ellipsis)));
    let width = u16::try_from(title.width()).unwrap_or(u16::MAX).min(area.width.saturating_sub(2));
    on_border(&title, border.keys, theme, Rect { x: area.x + 1, width, height: 1, ..area }, glyphs, buffer);
    if !note.is_empty() {
        let note = Line::of(Role::Muted, format!(" {note} "));
        let width = u16::try_from(note.width()).unwrap_or(0);
        let at = Rect { x: area.right().saturating_sub(width + 1), width, height: 1, ..area };
        on_border(&note, border.keys, theme, at, glyphs, buffer);
    }
    scrollbar(border.extent, area, theme, glyphs, buffer);
}

/// Text on a border. A pane without the keys takes nothing of the colour of a neighbour that has them.
fn on_border(line: &Line, keys: Keys, theme: &Theme, area: Rect, glyphs: &Glyphs, buffer: &mut Buffer) {
    if keys == Keys::Elsewhere {
        buffer.set_style(area, Style::reset());
    }
    panes::paint_line(line, theme, area, glyphs, buffer);
}

/// A thumb on the right border, where the content is longer than the pane.
fn scrollbar(extent: Extent, area: Rect, theme: &Theme, glyphs: &Glyphs, buffer: &mut Buffer) {
    let track = usize::from(area.height).saturating_sub(2);
    if extent.total <= extent.page || track < 2 {
        return;
    }
    let size = (track * extent.page / extent.total).clamp(1, track - 1);
    let most = extent.total - extent.page;
    let start = ((track - size) * extent.first.min(most) + most / 2) / most;
    for y in 0..track {
        let is_thumb = (start..start + size).contains(&y);
        let sign = if is_thumb { glyphs.thumb } else { glyphs.track };
        let role = if is_thumb { Role::Accent } else { Role::Muted };
        if let (Some(x), Ok(y)) = (area.right().checked_sub(1), u16::try_from(y)) {
            buffer.set_string(x, area.y + 1 + y, sign, theme.style(role));
        }
    }
}

/// Empties an area, so that what lies below does not show through.
pub(super) fn clear(area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
}

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
    panes::paint_line(&left, theme, Rect { width: left_room, ..area }, glyphs, buffer);
    let at_right = Rect { x: area.right().saturating_sub(right_width), width: right_width.min(area.width), ..area };
    panes::paint_line(&right, theme, at_right, glyphs, buffer);

    let area = inside(geometry.chain);
    panes::paint_line(&chain::line(model, usize::from(area.width)), theme, area, glyphs, buffer);

    for (place, (screen, x, width)) in tabs(model).into_iter().enumerate() {
        let role = if screen == model.screen { Role::Strong } else { Role::Plain };
        let area = Rect { x, width: width.min(geometry.tabs.right().saturating_sub(x)), ..geometry.tabs };
        panes::text(&tab_text(model, place, screen), role, theme, area, glyphs, buffer);
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
                (Role::Accent, format!("watching, again in {} s", ((next - model.now_ms).max(0) + 999) / 1000))
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
