//! The end of a guide: what is set up, how each step is known to be done, and the values.

use super::super::pane_lines;
use super::has_aside;
use crate::guide::StepState;
use crate::report::context::RenderContext;
use crate::report::guide::{GuideContext, progress, push_steps, push_values};
use crate::report::line::{Line, Role};
use crate::report::page::{Block, Page};
use crate::tui::command::{CommandId, Scope};
use crate::tui::content::guide;
use crate::tui::model::Model;
use crate::tui::model::guide::Followed;

pub(super) fn row(states: &[(u8, StepState)], width: usize, show: RenderContext) -> Line {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let all = done == states.len();
    let (sign, role) = if all { (show.glyphs.pass, Role::Good) } else { (show.glyphs.waiting, Role::Muted) };
    let mut line = Line::of(role, sign).with(Role::Plain, "    ");
    line.push(if all { Role::Strong } else { Role::Muted }, "Summary");
    if width == usize::MAX {
        return line;
    }
    let note = format!("{done} of {}", states.len());
    line.push(Role::Plain, " ".repeat(width.saturating_sub(line.width() + note.len())));
    line.push(Role::Muted, note);
    line
}

/// The steps, each with what shows that it is done.
pub(super) fn lines(model: &Model, followed: &Followed, width: usize) -> Vec<Line> {
    let shown = GuideContext { ctx: model.render_context(), time: &|at| guide::time(model, at) };
    let guide = followed.report();
    let mut page = Page::default();
    page.push(Block::Text(progress(&followed.states())));
    if let Some(key) = model.appearance.keymap.key(Scope::Main, CommandId::Export) {
        let does = Line::of(Role::Accent, key.to_string()).with(Role::Muted, " writes this as Markdown or JSON");
        page.push(Block::Text(does));
    }
    page.gap();
    push_steps(&mut page, &guide, shown);
    if !has_aside(model) {
        page.gap();
        push_values(&mut page, &guide, shown.ctx);
    }
    pane_lines(&page, width, shown.ctx)
}

/// The profile's values.
pub(super) fn values(model: &Model, followed: &Followed, width: usize) -> Vec<Line> {
    let mut page = Page::default();
    push_values(&mut page, &followed.report(), model.render_context());
    pane_lines(&page, width, model.render_context())
}
