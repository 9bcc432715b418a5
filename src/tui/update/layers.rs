//! What happens in the layers on top: moving, typing, choosing, saving.

use std::path::PathBuf;

use zeroize::Zeroize as _;

use super::{
    audit, error, explain, guide, issuer, open_form, reset_lists, rotation, runs, scrolled, show, toast, token,
};
use crate::domain::redaction::looks_secret;
use crate::domain::token::looks_like_jwt;
use crate::report::run::page;
use crate::report::{json, markdown};
use crate::tui::available::{Availability, availability};
use crate::tui::command::{CommandId, Screen, command};
use crate::tui::inputs::{ProfileEntry, RunChoice, ScenarioEntry, Target};
use crate::tui::layout::{self, Geometry, picker_detail};
use crate::tui::message::{Effect, Pasted};
use crate::tui::model::layer::{Confirm, PasteKind, Reader};
use crate::tui::model::list::{Edit, Move};
use crate::tui::model::{GuideState, Layer, Model, Page, Picker, PickerKind, Tone};
use crate::tui::panes::{Over, Panes};
use crate::tui::picker::{self, Choice, Entry, Row};

/// The longest text that can be typed or pasted, in bytes.
const LONGEST_PASTED: usize = 1024 * 1024;

/// The scenario that shows most at first sight: a cause that is proven, with expected over actual and the way to fix it.
const FIRST_LESSON: &str = "sub-mismatch";

/// The place of the scenario that is selected at first: whoever only says yes gets to see a cause.
pub(super) fn first_fault(model: &Model) -> usize {
    let scenarios = model.inputs.scenarios.as_deref().unwrap_or_default();
    let first = scenarios.iter().position(|scenario| scenario.name == FIRST_LESSON);
    let broken = || scenarios.iter().position(|scenario| scenario.expects.is_some());
    let place = first.or_else(broken).map(Row::Scenario);
    place.and_then(|row| picker::rows(model, PickerKind::Scenarios).iter().position(|each| *each == row)).unwrap_or(0)
}

/// The lab's scenarios have been read, perhaps after their list was opened.
pub(super) fn scenarios(model: &mut Model, scenarios: Vec<ScenarioEntry>) -> Vec<Effect> {
    model.inputs.scenarios = Some(scenarios);
    let first = first_fault(model);
    for layer in &mut model.layers {
        if let Layer::Picker(Picker { kind: PickerKind::Scenarios, list }) = layer {
            list.selected = first;
        }
    }
    Vec::new()
}

/// Takes the topmost layer away. What it waited for is stopped.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    // The filter of a list goes first.
    if let Some(Layer::Picker(picker)) = model.layers.last_mut()
        && !picker.list.filter.is_empty()
    {
        picker.list.filter = Default::default();
        return Vec::new();
    }
    match model.layers.pop() {
        Some(Layer::Paste(mut paste)) => paste.text.zeroize(),
        Some(Layer::Reader(Reader { page: Page::AskingIssuer(_), .. })) => return vec![Effect::LeaveIssuer],
        _ => {}
    }
    Vec::new()
}

/// Moves in the topmost layer.
pub(super) fn go(model: &mut Model, to: Move) {
    let geometry = layout::compute(model);
    let page = list_page(model, geometry);
    let rows = picker_rows(model);
    match model.layers.last_mut() {
        Some(Layer::Picker(picker)) => {
            picker.list.go(to, rows.len(), page);
            let is_heading = rows.get(picker.list.selected).is_some_and(Row::is_heading);
            // Upwards a heading is passed over; downwards `clamp_selection_and_scroll` does it.
            if is_heading && matches!(to, Move::Up | Move::PageUp) {
                picker.list.go(Move::Up, rows.len(), page);
            }
        }
        Some(Layer::Reader(reader)) => {
            reader.scroll =
                scrolled(reader.scroll, to, usize::from(geometry.layer_inner().height).saturating_sub(1).max(1));
        }
        _ => {}
    }
}

/// How many rows of the topmost layer's list are shown.
fn list_page(model: &Model, geometry: Geometry) -> usize {
    let inner = geometry.layer_inner();
    match model.layers.last() {
        Some(Layer::Picker(picker)) => {
            usize::from(inner.height.saturating_sub(picker_detail(picker.kind, geometry.layer.height) + 1).max(1))
        }
        _ => usize::from(inner.height.max(1)),
    }
}

fn picker_rows(model: &Model) -> Vec<Row> {
    match model.layers.last() {
        Some(Layer::Picker(picker)) => picker::matching(model, picker.kind, picker.list.filter.text()),
        _ => Vec::new(),
    }
}

/// Keeps selections and scroll positions of the topmost layer within what there is.
pub(super) fn keep_in_view(model: &mut Model, panes: &Panes) {
    let Some((geometry, over)) = panes.layers.last() else { return };
    let (page, inner) = (list_page(model, *geometry), geometry.layer_inner());
    match (model.layers.last_mut(), over) {
        (Some(Layer::Picker(picker)), Over::Rows(rows)) => {
            let list = &mut picker.list;
            list.keep_in_view(rows.len(), page);
            if rows.get(list.selected).is_some_and(Row::is_heading) {
                list.go(Move::Down, rows.len(), page);
            }
            // The heading above the first entry is seen with it.
            if list.selected == 1 && page > 1 {
                list.offset = 0;
            }
        }
        (Some(Layer::Reader(reader)), Over::Text(text)) => {
            reader.scroll = reader.scroll.min(text.lines.len().saturating_sub(usize::from(inner.height)));
        }
        (Some(Layer::Form(form)), _) => form.focus = form.focus.min(form.fields.len().saturating_sub(1)),
        _ => {}
    }
}

/// Types into what takes text. Says whether it took the key.
pub(super) fn type_in(model: &mut Model, edit: Edit) -> bool {
    if model.is_typing() {
        let list = model.list_mut();
        list.filter.edit(edit);
        (list.selected, list.offset) = (0, 0);
        return true;
    }
    match model.layers.last_mut() {
        Some(Layer::Form(form)) => {
            if let Some(field) = form.focused() {
                field.input.edit(edit);
                field.from = None;
            }
            form.problems.clear();
            true
        }
        Some(Layer::Paste(paste)) => match edit {
            Edit::Insert(c) if paste.text.len() < LONGEST_PASTED => {
                paste.text.push(c);
                true
            }
            Edit::Backspace | Edit::WordBack => {
                paste.text.pop();
                true
            }
            Edit::Clear => {
                paste.text.zeroize();
                true
            }
            _ => true,
        },
        Some(layer) => rotation::type_in(layer, edit),
        None => false,
    }
}

/// Takes pasted text where text is typed. Says whether it was taken.
pub(super) fn paste_in(model: &mut Model, text: &str) -> bool {
    if model.is_typing() {
        if let Some(what) = looks_secret(text) {
            toast(model, format!("that looks like {what}, and a filter shows what is in it"), Tone::Bad);
        } else {
            model.list_mut().filter.paste(text);
        }
        return true;
    }
    match model.layers.last_mut() {
        Some(Layer::Form(form)) => {
            if let Some(field) = form.focused() {
                if looks_like_jwt(text.trim()) {
                    form.problems =
                        vec!["that is a token; a profile names where the token is, never the token".to_owned()];
                } else if let Some(what) = looks_secret(text) {
                    form.problems = vec![format!("that looks like {what}; a profile holds no secret")];
                } else {
                    field.input.paste(text);
                    field.from = None;
                }
            }
            true
        }
        Some(Layer::Paste(paste)) => {
            let room = LONGEST_PASTED.saturating_sub(paste.text.len());
            paste.text.extend(text.chars().take(room));
            true
        }
        Some(layer) => rotation::paste_in(layer, text),
        None => false,
    }
}

/// What taking the selected entry comes to.
pub(super) enum Accepted {
    Done(Vec<Effect>),
    /// A command is left to do.
    Command(CommandId),
}

/// Takes what is selected, or answers yes.
pub(super) fn accept(model: &mut Model) -> Accepted {
    let Some(Layer::Picker(picker)) = model.layers.last() else { return Accepted::Done(go_on(model)) };
    let (kind, selected) = (picker.kind, picker.list.selected);
    let rows = picker::matching(model, kind, picker.list.filter.text());
    let Some(entry) = rows.get(selected).map(|row| row.entry(model, kind).into_owned()) else {
        return Accepted::Done(Vec::new());
    };
    match entry.choice {
        Choice::Command(id) => {
            model.layers.pop();
            Accepted::Command(id)
        }
        Choice::CommandOn(screen, id) => {
            model.layers.pop();
            show(model, screen);
            match command(id).map_or(Availability::Ready, |command| availability(model, command)) {
                Availability::Ready => Accepted::Command(id),
                Availability::No(why) => Accepted::Done(toast(model, why.to_owned(), Tone::Bad)),
            }
        }
        _ => Accepted::Done(choose(model, entry)),
    }
}

/// Goes on with what was typed or pasted on top, or answers yes.
fn go_on(model: &mut Model) -> Vec<Effect> {
    match model.layers.last() {
        Some(Layer::Confirm(_)) => match model.layers.pop() {
            Some(Layer::Confirm(Confirm { then, .. })) => vec![then],
            _ => Vec::new(),
        },
        Some(Layer::Paste(_)) => match model.layers.pop() {
            Some(Layer::Paste(mut paste)) => {
                let effects = match paste.kind {
                    PasteKind::Token => token::take(model, &paste.text),
                    PasteKind::Values => guide::import_text(model, &paste.text),
                    PasteKind::Output => rotation::output(model, &Pasted(paste.text.clone())),
                    PasteKind::ErrorText => explain::open(model, &paste.text),
                    PasteKind::Issuer => issuer::look(model, &paste.text),
                };
                paste.text.zeroize();
                effects
            }
            _ => Vec::new(),
        },
        Some(Layer::Value(_)) => rotation::typed_value(model),
        Some(Layer::Program(_)) => rotation::typed_program(model),
        Some(Layer::Agreement(_)) => rotation::agreed(model),
        _ => Vec::new(),
    }
}

fn choose(model: &mut Model, entry: Entry) -> Vec<Effect> {
    if let Choice::Unavailable(why) | Choice::NotNow(_, why) = entry.choice {
        return toast(model, why.to_owned(), Tone::Bad);
    }
    if entry.choice == Choice::Heading {
        return Vec::new();
    }
    model.layers.pop();
    match entry.choice {
        Choice::Command(_) | Choice::CommandOn(..) | Choice::Heading | Choice::Unavailable(_) | Choice::NotNow(..) => {
            Vec::new()
        }
        Choice::Run(target) => runs::start(model, RunChoice { target, only: Vec::new() }),
        Choice::Form(guide) => {
            open_form(model, guide);
            Vec::new()
        }
        Choice::ShowRun(number) => {
            model.runs.shown = Some(number);
            reset_lists(model);
            runs::select_root(model);
            Vec::new()
        }
        Choice::CompareWith(other) => {
            if let Some(shown) = model.runs.shown {
                let (before, after) = (other.min(shown), other.max(shown));
                model.layers.push(Layer::reader(Page::Compare { before, after }));
            }
            Vec::new()
        }
        Choice::Copy(text) => vec![Effect::Copy { text }],
        Choice::Audit(path) => audit::take(model, path),
        Choice::ExportMarkdown if model.screen == Screen::Guide => guide::export(model, "md"),
        Choice::ExportJson if model.screen == Screen::Guide => guide::export(model, "json"),
        Choice::ExportMarkdown => export(model, "md", |report| markdown::render(&page(report, markdown::CONTEXT))),
        Choice::ExportJson => export(model, "json", |report| format!("{:#}\n", json::report(report))),
        Choice::Watch(every_s) => runs::watch(model, every_s),
        Choice::RotationWay(way) => rotation::chose_way(model, way),
        Choice::RotationRuntime(way, runtime, patience) => rotation::chose_runtime(model, way, (runtime, patience)),
    }
}

fn export(model: &Model, extension: &str, render: fn(&crate::run::report::Report) -> String) -> Vec<Effect> {
    let Some(run) = model.runs.shown() else {
        return Vec::new();
    };
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let label: String = run.report.profile.chars().take(40).map(safe).collect();
    let time: String = run.report.started.chars().take(19).filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let name = format!("trustline-{label}-{time}.{extension}");
    vec![Effect::Export { name, text: render(&run.report) }]
}

/// To the next or previous field of the form; from the last one to the first.
pub(super) fn field(model: &mut Model, to: Move) -> Vec<Effect> {
    if let Some(Layer::Form(form)) = model.layers.last_mut() {
        let count = form.fields.len().max(1);
        form.focus = match to {
            Move::Up => (form.focus + count - 1) % count,
            _ => (form.focus + 1) % count,
        };
    }
    Vec::new()
}

/// Writes the profile of the form, if nothing is wrong with it.
pub(super) fn save(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Form(form)) = model.layers.last_mut() else {
        return Vec::new();
    };
    form.problems = form.check();
    if !form.problems.is_empty() {
        let wrong = form.fields.iter().position(|field| {
            use crate::tui::model::form::Standing;
            matches!(field.standing(), Standing::Wrong(_)) || field.blocks()
        });
        form.focus = wrong.unwrap_or(form.focus);
        return Vec::new();
    }
    let effect = Effect::SaveProfile { name: form.name().to_owned(), document: form.document() };
    let name = form.name().to_owned();
    if model.inputs.profiles.iter().any(|profile| profile.name == name) {
        let question = format!("The profile `{name}` exists. Replace it with this one?");
        model.layers.push(Layer::Confirm(Confirm { question, then: effect }));
        return Vec::new();
    }
    vec![effect]
}

/// A profile was written, or was not.
pub(super) fn saved(
    model: &mut Model,
    name: String,
    result: Result<PathBuf, String>,
    profiles: Vec<ProfileEntry>,
) -> Vec<Effect> {
    model.inputs.profiles = profiles;
    match result {
        Err(problem) => error(model, "The profile was not written", problem, Vec::new()),
        Ok(path) => {
            // What the form left open, the guide asks for.
            let lacks = model.layers.iter().any(|layer| matches!(layer, Layer::Form(form) if form.lacks()));
            model.layers.retain(|layer| !matches!(layer, Layer::Form(_)));
            show(model, if lacks { Screen::Guide } else { Screen::Handshake });
            // A profile of this name that was followed is another one now.
            model.guide = GuideState::default();
            toast(model, format!("written to {}", path.display()), Tone::Good);
            runs::start(model, RunChoice { target: Target::Named(name), only: Vec::new() })
        }
    }
}
