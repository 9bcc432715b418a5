//! The step in the middle: what it is for, where it is done, its values, the ways to do it, and what to copy.

use super::super::{command_line, finding, heading, labelled};
use super::field::{self, Laid};
use super::{evidence, has_aside, keeps_nothing};
use crate::cause::{Finding, catalogue};
use crate::guide::{Artifact, Filling, Form, Rendered, Step, StepState, fill, render, token_origin};
use crate::report::context::RenderContext;
use crate::report::guide::artifacts;
use crate::report::page::{Line, Role};
use crate::tui::command::{CommandId, Scope};
use crate::tui::model::Model;
use crate::tui::model::Screen;
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

/// Whether a finding has a command that sets it right.
fn mends(findings: &[Finding]) -> bool {
    findings.iter().flat_map(|found| &found.fixes).any(|fix| fix.command.is_some())
}

/// The step as lines.
pub(super) fn laid(model: &Model, followed: &Followed, step: &Step, width: usize) -> Laid {
    let show = model.render_context();
    let values = followed.values();
    let mut filling = Filling::new(&values);
    let mut laid = Laid::default();
    let states = followed.states();
    let state = states.iter().find(|(number, _)| *number == step.number).map(|(_, state)| state);
    if let Some(state) = state {
        laid.lines.push(evidence::headline(model, state));
        if let (StepState::Failing { findings, .. }, false) = (state, has_aside(model)) {
            for found in findings.iter().take(2) {
                laid.lines.push(Line::empty());
                laid.lines.extend(finding::lines(found, width, show));
            }
        }
        laid.lines.push(Line::empty());
    }
    laid.lines.push(Line::of(Role::Plain, show.prose(&fill(&step.purpose, &mut filling))));
    places(step, &mut filling, show, &mut laid.lines);
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
    let lines = &mut laid.lines;
    if !step.instructions.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("Do"));
        numbered(&step.instructions, &mut filling, show, lines);
    }
    if let Some(origin) = token_origin(step, &values) {
        lines.push(Line::empty());
        lines.push(heading("Where a token comes from"));
        lines.extend(origin.how.iter().map(|line| {
            Line::of(Role::Muted, format!("{} ", show.glyphs.dot)).with(Role::Plain, show.prose(line)).hanging(2)
        }));
        let script = origin.script.iter().flat_map(|script| show.lines(script.trim_end()));
        lines.extend(script.map(|line| command_line(2, &line)));
    }
    ways(model, step, &mut filling, width, lines);
    let (first, beside) = offered(model, step);
    // What sets right what fails is copied first.
    let fixes = state.is_some_and(|state| matches!(state, StepState::Failing { findings, .. } if mends(findings)));
    for (place, artifact) in first.into_iter().enumerate() {
        lines.push(Line::empty());
        let (key, does) = match place {
            0 if !fixes => (CommandId::CopyValue, "copies"),
            _ => (CommandId::CopyMenu, "chooses what to copy"),
        };
        let rendered = render(artifact, &values);
        lines.push(keyed(model, artifact.title(), key, does));
        text(&rendered, show, lines);
    }
    if !beside.is_empty() {
        lines.push(Line::empty());
        lines.push(keyed(model, "More to copy", CommandId::CopyMenu, "chooses"));
        lines.extend(beside.iter().map(|artifact| {
            Line::of(Role::Command, artifact.id()).with(Role::Muted, format!("  {}", artifact.title())).hanging(2)
        }));
    }
    if !step.corrections.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("Caveats"));
        let mut item = |text: &String| {
            Line::of(Role::Muted, format!("{} ", show.glyphs.dot))
                .with(Role::Plain, show.prose(&fill(text, &mut filling)))
                .hanging(2)
        };
        lines.extend(step.corrections.iter().map(&mut item));
    }
    if !has_aside(model) {
        lines.push(Line::empty());
        lines.extend(evidence::done_when(model, followed, step));
    }
    let failures = step.failures(followed.file.guide);
    if !failures.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("What goes wrong here"));
        lines.extend(failures.into_iter().map(|cause| {
            Line::of(Role::Muted, format!("{cause}  "))
                .with(Role::Plain, catalogue::entry(cause).title.clone())
                .hanging(2)
        }));
    }
    if !step.reading.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("To read"));
        for reading in &step.reading {
            lines.push(Line::of(Role::Plain, reading.title.clone()));
            // A vendor's page tells nothing of a person, so privacy leaves it.
            lines.push(Line::of(Role::Accent, format!("  {}", reading.url)).hanging(2));
        }
    }
    laid
}

fn places(step: &Step, filling: &mut Filling<'_>, show: RenderContext, lines: &mut Vec<Line>) {
    if !step.places.is_empty() {
        lines.push(Line::empty());
    }
    for place in &step.places {
        lines.push(labelled(place.on.id(), Role::Plain, show.prose(&fill(&place.path, filling))));
        if let Some(address) = &place.address {
            lines.push(labelled("", Role::Accent, show.prose(&fill(address, filling))));
        }
    }
}

fn numbered(items: &[String], filling: &mut Filling<'_>, show: RenderContext, lines: &mut Vec<Line>) {
    for (at, item) in items.iter().enumerate() {
        let line = Line::of(Role::Muted, format!("{:>2} ", at + 1)).hanging(3);
        lines.push(line.with(Role::Plain, show.prose(&fill(item, filling))));
    }
}

/// The ways to do the step, and the one that is shown.
fn ways(model: &Model, step: &Step, filling: &mut Filling<'_>, width: usize, lines: &mut Vec<Line>) {
    let (show, shown) = (model.render_context(), way(model, step));
    let Some(tab) = step.tabs.get(shown) else { return };
    lines.push(Line::empty());
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
            lines.push(std::mem::take(&mut line));
        }
        hint.spans.into_iter().for_each(|span| line.push(span.role, span.text));
    }
    lines.push(line);
    numbered(&tab.instructions, filling, show, lines);
}

/// An artifact's text, what is missing in it told apart.
fn text(rendered: &Rendered, show: RenderContext, lines: &mut Vec<Line>) {
    let artifact = rendered.artifact;
    if artifact.form() == Form::Terraform {
        // A whole configuration would bury the step.
        let count = rendered.text.lines().count();
        lines.push(Line::of(Role::Muted, format!("  {count} lines, also by `trustline render {artifact}`")));
    } else {
        for text in rendered.text.trim_end().lines() {
            let text = show.lines(text).concat();
            let indent = text.len() - text.trim_start_matches(' ').len();
            let mut line = Line::of(Role::Plain, "  ").hanging(indent + 4);
            let mut rest = text.as_str();
            while let Some((at, placeholder)) = rendered
                .missing
                .iter()
                .filter_map(|missing| Some((rest.find(&missing.placeholder)?, missing.placeholder.as_str())))
                .min()
            {
                line.push(Role::Command, &rest[..at]);
                line.push(Role::Warning, placeholder);
                rest = &rest[at + placeholder.len()..];
            }
            lines.push(line.with(Role::Command, rest));
        }
    }
    for note in &rendered.notes {
        lines.push(Line::of(Role::Muted, format!("  {}", show.prose(note))).hanging(2));
    }
}
