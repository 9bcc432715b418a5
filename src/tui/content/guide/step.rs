//! The step in the middle: the report's own parts of it, with the fields to type into, the one way that is shown, and the
//! keys of what can be done.

use super::super::{finding_lines, heading, pane_lines};
use super::field::{self, StepLayout};
use super::{has_aside, keeps_nothing};
use crate::cause::Finding;
use crate::guide::{Artifact, Form, Step, StepState, TemplateContext, fill, render};
use crate::report::guide as report;
use crate::report::guide::artifacts;
use crate::report::line::{Line, Role};
use crate::report::page::{Block, Page};
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::model::Model;
use crate::tui::model::guide::Followed;

/// A heading with the key of what can be done below it.
fn keyed(model: &Model, text: &str, id: CommandId, does: &str) -> Line {
    let key = model.appearance.keymap.key(Scope::On(Screen::Guide), id);
    let key = key.or_else(|| model.appearance.keymap.key(Scope::Main, id));
    let line = heading(text);
    match key {
        Some(key) => {
            line.with(Role::Plain, "  ").with(Role::Accent, key.to_string()).with(Role::Muted, format!(" {does}"))
        }
        None => line,
    }
}

/// The ways to do a step, of which one is shown.
fn way(model: &Model, step: &Step) -> usize {
    let chosen = model.guide.ways.get(&step.number).copied().unwrap_or(0);
    if step.tabs.is_empty() { 0 } else { chosen % step.tabs.len() }
}

/// The artifacts of the way that is shown, and those beside.
pub(in crate::tui) fn offered(model: &Model, step: &Step) -> (Vec<Artifact>, Vec<Artifact>) {
    let first = step.tabs.get(way(model, step)).map_or(&step.artifacts, |tab| &tab.artifacts);
    artifacts(step).into_iter().partition(|artifact| first.contains(artifact))
}

/// Whether a finding has a command that fixes it.
fn has_script(findings: &[Finding]) -> bool {
    findings.iter().flat_map(|found| &found.fixes).any(|fix| fix.command.is_some())
}

/// The step as lines.
pub(super) fn layout_step(model: &Model, followed: &Followed, step: &Step, width: usize) -> StepLayout {
    let show = model.render_context();
    let values = followed.values();
    let mut filling = TemplateContext::new(&values);
    let mut laid = StepLayout::default();
    let states = followed.states();
    let state = states.iter().find(|(number, _)| *number == step.number).map(|(_, state)| state);
    if let Some(state) = state {
        laid.lines.push(super::headline(model, state));
        if let (StepState::Failing { findings, .. }, false) = (state, has_aside(model)) {
            for found in findings.iter().take(2) {
                laid.lines.push(Line::empty());
                laid.lines.extend(finding_lines(found, width, show));
            }
        }
        laid.lines.push(Line::empty());
    }
    let mut above = Page::default();
    above.text(Role::Plain, show.prose(&fill(&step.purpose, &mut filling)));
    report::push_places(&mut above, step, &mut filling, show);
    laid.lines.extend(pane_lines(&above, width, show));
    if !step.fields.is_empty() {
        laid.lines.push(Line::empty());
        laid.lines.push(match keeps_nothing(followed) {
            None => keyed(model, "Values", CommandId::EditField, "enters them"),
            Some(why) => heading("Values").with(Role::Muted, format!("  {why}")),
        });
        if let Some(problem) = &followed.file.problem {
            laid.lines.push(Line::of(Role::Bad, show.prose(problem)).hanging(2));
        }
        for each in &step.fields {
            field::push(model, followed, each, width, &mut laid);
        }
    }
    let mut below = Page::default();
    if !step.instructions.is_empty() {
        below.heading("Do");
        report::push_numbered(&mut below, &step.instructions, &mut filling, show);
    }
    report::push_origin(&mut below, step, &values, show);
    push_ways(model, step, &mut filling, width, &mut below);
    // What fixes what fails is copied first.
    let fixes = state.is_some_and(|state| matches!(state, StepState::Failing { findings, .. } if has_script(findings)));
    let (first, beside) = offered(model, step);
    for (place, artifact) in first.into_iter().enumerate() {
        let (key, does) = match place {
            0 if !fixes => (CommandId::CopyValue, "copies"),
            _ => (CommandId::CopyMenu, "chooses what to copy"),
        };
        below.gap();
        below.push(Block::Heading(keyed(model, artifact.title(), key, does)));
        let rendered = render(artifact, &values);
        // A whole configuration would bury the step.
        match artifact.form() {
            Form::Terraform => {
                let count = rendered.text.lines().count();
                let command = show.prose(&values.command(&format!("trustline render {artifact}")));
                below.text(Role::Muted, format!("{count} lines, also by `{command}`"));
            }
            _ => report::push_artifact(&mut below, &rendered, show),
        }
    }
    if !beside.is_empty() {
        below.gap();
        below.push(Block::Heading(keyed(model, "More to copy", CommandId::CopyMenu, "chooses")));
        beside.into_iter().for_each(|artifact| report::push_named(&mut below, artifact, &values, show));
    }
    report::push_caveats(&mut below, step, &mut filling, show);
    if !has_aside(model) {
        below.gap();
        super::push_done_when(model, followed, step, &mut below);
    }
    report::push_failures(&mut below, &step.failures(followed.file.guide), &values, show);
    report::push_reading_apart(&mut below, &step.reading);
    laid.lines.push(Line::empty());
    laid.lines.extend(pane_lines(&below, width, show));
    laid
}

/// The ways to do the step, and the one that is shown.
fn push_ways(model: &Model, step: &Step, filling: &mut TemplateContext<'_>, width: usize, page: &mut Page) {
    let (show, shown) = (model.render_context(), way(model, step));
    let Some(tab) = step.tabs.get(shown) else { return };
    page.gap();
    let mut line = Line::empty();
    for (at, tab) in step.tabs.iter().enumerate() {
        if at == shown {
            line.push(Role::Accent, format!("{} ", show.glyphs.unfolded));
            line.push(Role::Strong, format!("{}   ", tab.title));
        } else {
            line.push(Role::Muted, format!("{} {}   ", show.glyphs.folded, tab.title));
        }
    }
    if step.tabs.len() > 1
        && let Some(key) = model.appearance.keymap.key(Scope::On(Screen::Guide), CommandId::OtherWay)
    {
        let hint = Line::of(Role::Accent, key.to_string()).with(Role::Muted, " another way");
        // A key is not parted from what it does.
        if line.width() + hint.width() > width {
            page.push(Block::Heading(std::mem::take(&mut line)));
        }
        line = line.followed_by(&hint);
    }
    page.push(Block::Heading(line));
    report::push_numbered(page, &tab.instructions, filling, show);
}
