//! What a person does with keys, names, pasted text and the mouse: clicks focus and select, the wheel scrolls what is under it.

use ratatui::layout::{Position, Rect};

use super::{commands, explain, go, guide, layers, rotation, scroll, scroll_aside, select, show, toast, token};
use crate::domain::token::{RawToken, looks_like_jwt};
use crate::tui::available::{Availability, availability, scopes};
use crate::tui::command::{CommandId, Scope, Screen, command};
use crate::tui::key::{Code, Key};
use crate::tui::layout::Geometry;
use crate::tui::message::{Effect, Pasted, Pointer, PointerAct};
use crate::tui::model::list::{Edit, Move};
use crate::tui::model::{Focus, Follow, Layer, Model, Tone, Typing};
use crate::tui::{content, layout};

/// What a mouse event does: a press begins to select, and what is selected is copied when the button is let go; where nothing was,
/// it was a click.
pub(super) fn act(model: &mut Model, pointer: Pointer) -> Vec<Effect> {
    let geometry = layout::compute(model);
    let at = Position { x: pointer.column, y: pointer.row };
    if geometry.is_too_small() {
        return Vec::new();
    }
    match pointer.act {
        PointerAct::Press => select::begin(model, geometry, at),
        PointerAct::Drag => select::drag(model, at),
        PointerAct::Release => {
            // Some terminals tell of no movement before the button is let go.
            select::drag(model, at);
            return match model.selection.take() {
                Some(selection) if selection.is_dragged() => select::copy(model, selection),
                _ => click(model, geometry, at),
            };
        }
        PointerAct::WheelUp | PointerAct::WheelDown => turn(model, geometry, at, wheel(pointer.act)),
    }
    Vec::new()
}

/// The wheel scrolls what is under it.
fn turn(model: &mut Model, geometry: Geometry, at: Position, to: Move) {
    let inside = |area: Rect| area.contains(at);
    if !model.layers.is_empty() {
        layers::go(model, to);
    } else if inside(geometry.detail_inner()) {
        scroll(model, to);
    } else if inside(geometry.aside_inner()) {
        scroll_aside(model, to);
    } else if inside(geometry.list) {
        let focus = std::mem::replace(&mut model.here_mut().focus, Focus::List);
        go(model, to);
        model.here_mut().focus = focus;
    }
}

fn click(model: &mut Model, geometry: Geometry, at: Position) -> Vec<Effect> {
    if !model.layers.is_empty() {
        return click_layer(model, geometry, at);
    }
    let inside = |area: Rect| area.contains(at);
    if inside(geometry.tabs) {
        let tab = layout::tabs(model).into_iter().find(|(_, x, width)| (*x..*x + *width).contains(&at.x));
        if let Some((screen, ..)) = tab {
            show(model, screen);
        }
    } else if inside(geometry.list) {
        return click_row(model, geometry, at);
    } else if inside(geometry.detail) {
        model.here_mut().focus = Focus::Detail;
        return click_field(model, geometry, at);
    } else if inside(geometry.aside) {
        model.here_mut().focus = Focus::Aside;
    }
    Vec::new()
}

fn wheel(act: PointerAct) -> Move {
    if act == PointerAct::WheelUp { Move::Up } else { Move::Down }
}

/// A click on a field of the guide begins to type into it.
fn click_field(model: &mut Model, geometry: Geometry, at: Position) -> Vec<Effect> {
    let inner = geometry.detail_inner();
    if model.screen != Screen::Guide || !inner.contains(at) {
        return Vec::new();
    }
    let row = model.here().scroll + usize::from(at.y - inner.y);
    let width = usize::from(inner.width);
    match content::guide::field_at(model, width, row) {
        Some(key) => guide::begin(model, key),
        None => Vec::new(),
    }
}

/// A click selects; one on what is selected already opens it.
fn click_row(model: &mut Model, geometry: Geometry, at: Position) -> Vec<Effect> {
    model.here_mut().focus = Focus::List;
    model.follow = Follow::Person;
    let inner = geometry.list_inner();
    if at.y < inner.y || at.y >= inner.bottom() {
        return Vec::new();
    }
    let index = model.here().list.offset + usize::from(at.y - inner.y);
    if index >= super::count(model) {
        return Vec::new();
    }
    if model.here().list.selected == index {
        return commands::run(model, CommandId::Open);
    }
    model.here_mut().select(index);
    Vec::new()
}

fn click_layer(model: &mut Model, geometry: Geometry, at: Position) -> Vec<Effect> {
    if !geometry.layer.contains(at) {
        return layers::close(model);
    }
    let inner = geometry.layer_inner();
    match model.layers.last_mut() {
        // The first line of a list's layer is its filter.
        Some(Layer::Picker(picker)) if at.y > inner.y && at.y < inner.bottom() => {
            let index = picker.list.offset + usize::from(at.y - inner.y - 1);
            if picker.list.selected == index {
                return commands::run(model, CommandId::Accept);
            }
            picker.list.selected = index;
            Vec::new()
        }
        Some(Layer::Form(form)) if at.y >= inner.y => {
            let rows = layout::form_rows(geometry);
            let first = layout::form_window(form.focus, form.fields.len(), usize::from(rows));
            let index = first + usize::from(at.y - inner.y);
            if at.y - inner.y < rows && index < form.fields.len() {
                form.focus = index;
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// What a key press does.
pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    if let (Some(edit), true) = (edit(key), model.editing().is_some()) {
        return guide::type_in(model, edit);
    }
    // A key that types goes to the text before it is looked up, except where it is bound with a modifier.
    if let Some(edit) = edit(key)
        && takes_text(model)
        && layers::type_in(model, edit)
    {
        return Vec::new();
    }
    let found = model.appearance.keymap.resolve(&scopes(model), key);
    match found.and_then(command) {
        None => Vec::new(),
        Some(found) => match availability(model, found) {
            Availability::Ready => commands::run(model, found.id),
            Availability::No(why) => toast(model, why.to_owned(), Tone::Bad),
        },
    }
}

/// What a command does that was chosen by its name. One of the screen below what is on top closes that first, and one of another
/// screen goes there.
pub(super) fn named(model: &mut Model, id: CommandId) -> Vec<Effect> {
    let Some(found) = command(id) else { return Vec::new() };
    if model.is_typing() && !found.scopes.contains(&Scope::Typing) {
        model.list_mut().typing = Typing::Off;
    }
    let mut effects = Vec::new();
    let is_here = |model: &Model| scopes(model).iter().any(|scope| found.scopes.contains(scope));
    if !is_here(model) {
        effects.extend(guide::leave(model));
        while !model.layers.is_empty() {
            effects.extend(layers::close(model));
        }
    }
    if !is_here(model) {
        let other = found.scopes.iter().find_map(|scope| match scope {
            Scope::On(screen) => Some(*screen),
            _ => None,
        });
        let Some(screen) = other else { return effects };
        show(model, screen);
    }
    effects.extend(match availability(model, found) {
        Availability::Ready => commands::run(model, found.id),
        Availability::No(why) => toast(model, why.to_owned(), Tone::Bad),
    });
    effects
}

/// The row at a place of what is on top is selected, or the field of the form.
pub(super) fn choose(model: &mut Model, at: usize) -> Vec<Effect> {
    if model.is_typing() {
        model.list_mut().typing = Typing::Off;
    }
    match model.layers.last_mut() {
        Some(Layer::Form(form)) => form.focus = at.min(form.fields.len().saturating_sub(1)),
        Some(Layer::Picker(picker)) => picker.list.selected = at,
        Some(_) => {}
        None => {
            model.here_mut().focus = Focus::List;
            model.follow = Follow::Person;
            model.here_mut().select(at);
        }
    }
    Vec::new()
}

/// Whether keys type somewhere.
fn takes_text(model: &Model) -> bool {
    model.is_typing()
        || matches!(
            model.layers.last(),
            Some(Layer::Form(_) | Layer::Paste(_) | Layer::Value(_) | Layer::Program(_) | Layer::Agreement(_))
        )
}

/// The change to a text that a key makes.
fn edit(key: Key) -> Option<Edit> {
    if let Some(c) = key.typed() {
        return Some(Edit::Insert(c));
    }
    match (key.code, key.ctrl, key.alt) {
        (Code::Backspace, false, false) => Some(Edit::Backspace),
        (Code::Delete, false, false) => Some(Edit::Delete),
        (Code::Backspace, _, _) | (Code::Char('w'), true, false) => Some(Edit::WordBack),
        (Code::Char('u'), true, false) => Some(Edit::Clear),
        (Code::Left, false, false) => Some(Edit::Left),
        (Code::Right, false, false) => Some(Edit::Right),
        (Code::Home, false, false) | (Code::Char('a'), true, false) => Some(Edit::Home),
        (Code::End, false, false) | (Code::Char('e'), true, false) => Some(Edit::End),
        _ => None,
    }
}

/// Pasted text goes where text is typed, and else to what the screen is for. What is neither a token nor of use there is
/// an error text to explain.
pub(super) fn paste(model: &mut Model, pasted: &Pasted) -> Vec<Effect> {
    if layers::paste_in(model, &pasted.0) {
        return Vec::new();
    }
    let is_token = looks_like_jwt(RawToken::clean(&pasted.0).0.expose());
    let takes_output = || model.rotation.live().is_some_and(|session| session.takes_output());
    let is_prose = || pasted.0.split_whitespace().nth(explain::WORDS_OF_PROSE - 1).is_some();
    match model.layers.last() {
        None => {}
        // A list or a text on top takes nothing itself, and what is explained lies above it.
        Some(Layer::Picker(_) | Layer::Reader(_)) if !is_token && is_prose() => return explain::open(model, &pasted.0),
        Some(_) => return toast(model, "nothing takes text here".to_owned(), Tone::Bad),
    }
    match model.screen {
        Screen::Guide if model.guide.followed.is_some() => guide::paste(model, &pasted.0),
        Screen::Rotation if !is_token && takes_output() => rotation::output(model, pasted),
        Screen::Token if is_token || !is_prose() => token::take(model, &pasted.0),
        _ if is_token => token::take(model, &pasted.0),
        _ => explain::open(model, &pasted.0),
    }
}
