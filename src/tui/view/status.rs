//! The bottom line: the filter being typed, a toast, or the counts and the hints; and the sentence of a small terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::guide::StepState;
use crate::report::glyphs::Glyphs;
use crate::report::line::{Line, Role};
use crate::tui::available::Hint;
use crate::tui::command::{CommandId, Screen};
use crate::tui::model::{Model, Tone};
use crate::tui::panes::Panes;
use crate::tui::theme::Theme;

/// Draws the bottom line, and says where the cursor stands if the filter is typed there.
pub(super) fn draw(model: &Model, panes: &Panes, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let (show, status) = (model.render_context(), panes.geometry.status);
    let area = Rect { x: 1, width: status.width.saturating_sub(2), ..status };
    if model.layers.is_empty() && model.is_typing() {
        let filter = &model.here().list.filter;
        let before: String = filter.text().chars().take(filter.cursor()).collect();
        let line = Line::of(Role::Accent, "/").with(Role::Plain, filter.text().to_owned());
        paint::paint_line(&line, theme, area, show.glyphs, buffer);
        let column = u16::try_from(before.width() + 1).unwrap_or(u16::MAX);
        return Some(Position { x: area.x.saturating_add(column).min(area.right().saturating_sub(1)), y: area.y });
    }
    let mut left = match &model.toast {
        Some(toast) => {
            let (sign, role) = match toast.tone {
                Tone::Good => (show.glyphs.pass, Role::Good),
                Tone::Bad => (show.glyphs.warn, Role::Warning),
            };
            Line::of(role, format!("{sign} {}", show.prose(&toast.text)))
        }
        None => counts(model),
    };
    if left.spans.is_empty() {
        left.push(Role::Plain, "");
    }
    paint::paint_line(&left, theme, area, show.glyphs, buffer);
    let line = hints(&panes.hints, usize::from(area.width).saturating_sub(left.width() + 2));
    let width = u16::try_from(line.width()).unwrap_or(0);
    let at_right = Rect { x: area.right().saturating_sub(width), width, ..area };
    paint::paint_line(&line, theme, at_right, show.glyphs, buffer);
    None
}

/// As many hints as there is room for, the most wanted first, whole ones only; the one for the help always, as it leads
/// to all others.
fn hints(all: &[Hint], room: usize) -> Line {
    const GAP: usize = 2;
    let width = |hint: &Hint| hint.key.width() + 1 + hint.title.width();
    let is_help = |hint: &Hint| hint.id == CommandId::Help;
    let mut left = room.saturating_sub(all.iter().find(|hint| is_help(hint)).map_or(0, |hint| width(hint) + GAP));
    let mut line = Line::empty();
    for hint in all {
        let gap = if line.spans.is_empty() { 0 } else { GAP };
        if !is_help(hint) {
            if width(hint) + gap > left {
                continue;
            }
            left -= width(hint) + gap;
        }
        line.push(Role::Plain, " ".repeat(gap));
        line.push(Role::Accent, hint.key.clone());
        line.push(Role::Muted, format!(" {}", hint.title));
    }
    if line.width() > room { Line::empty() } else { line }
}

/// How many checks ended in which way, by their signs.
fn counts(model: &Model) -> Line {
    let glyphs = model.render_context().glyphs;
    if let (Screen::Guide, Some(followed)) = (model.screen, &model.guide.followed) {
        return steps(&followed.states(), glyphs);
    }
    let Some(run) = model.runs.shown() else {
        return Line::empty();
    };
    let counts = run.report.counts();
    let open = run.report.checks.len() - run.report.finished().count();
    signs(&[
        (glyphs.pass, Role::Good, counts.passed),
        (glyphs.warn, Role::Warning, counts.warned),
        (glyphs.fail, Role::Bad, counts.failed),
        (glyphs.inconclusive, Role::Warning, counts.inconclusive),
        (glyphs.skipped, Role::Muted, counts.skipped),
        (glyphs.waiting, Role::Muted, open),
    ])
}

/// How many steps of the guide stand in which way.
fn steps(states: &[(u8, StepState)], glyphs: &Glyphs) -> Line {
    let count = |is: fn(&StepState) -> bool| states.iter().filter(|(_, state)| is(state)).count();
    signs(&[
        (glyphs.pass, Role::Good, count(StepState::is_done)),
        (glyphs.fail, Role::Bad, count(|state| matches!(state, StepState::Failing { .. }))),
        (glyphs.skipped, Role::Muted, count(|state| matches!(state, StepState::Blocked { .. }))),
        (glyphs.waiting, Role::Muted, count(|state| matches!(state, StepState::ToDo(_)))),
    ])
}

fn signs(counts: &[(&str, Role, usize)]) -> Line {
    let mut line = Line::empty();
    for (sign, role, count) in counts.iter().filter(|(_, _, count)| *count > 0) {
        let gap = if line.spans.is_empty() { "" } else { "  " };
        line.push(*role, format!("{gap}{sign} {count}"));
    }
    line
}

/// What a terminal shows that is too small for the console.
pub(super) fn too_small(model: &Model, theme: &Theme, buffer: &mut Buffer) {
    let glyphs = model.render_context().glyphs;
    let area = buffer.area;
    let (width, height) = model.size;
    let texts = [format!("{width}x{height} is too small"), "80x24 is enough".to_owned()];
    for (y, text) in (area.y..area.bottom()).zip(&texts) {
        paint::text(text, Role::Plain, theme, Rect { y, height: 1, ..area }, glyphs, buffer);
    }
}
