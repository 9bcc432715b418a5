//! A key press: text where text is typed, else the command that the table names.

use super::{commands, guide, layers};
use crate::tui::command::{Availability, CommandId, command, scopes};
use crate::tui::key::{Code, Key};
use crate::tui::message::Effect;
use crate::tui::model::list::{Edit, Move};
use crate::tui::model::{Layer, Model, Tone};

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
        Some(found) => match (found.enabled)(model) {
            Availability::Ready => commands::run(model, found.id),
            Availability::No(why) => super::toast(model, why.to_owned(), Tone::Bad),
        },
    }
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

/// The way a command moves, where it does.
pub(super) fn movement(id: CommandId) -> Option<Move> {
    match id {
        CommandId::Up => Some(Move::Up),
        CommandId::Down => Some(Move::Down),
        CommandId::PageUp => Some(Move::PageUp),
        CommandId::PageDown => Some(Move::PageDown),
        CommandId::Top => Some(Move::Top),
        CommandId::Bottom => Some(Move::Bottom),
        _ => None,
    }
}
