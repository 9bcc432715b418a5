//! Tokens: pasted, read again from their file, and checked with their issuer's keys.

use super::{layers, show, toast};
use crate::domain::jwks::Jwks;
use crate::domain::profile::TokenSource;
use crate::domain::token::{Cleaning, RawToken, looks_like_jwt};
use crate::tui::content;
use crate::tui::message::{Effect, Pasted, RunNumber};
use crate::tui::model::token::HeldToken;
use crate::tui::model::{ListState, Model, Screen, Tone};

/// Pasted text goes where text is typed; on the token screen it is a token, and elsewhere if it looks like one.
pub(super) fn paste(model: &mut Model, pasted: &Pasted) -> Vec<Effect> {
    if layers::paste_in(model, &pasted.0) {
        return Vec::new();
    }
    if !model.layers.is_empty() {
        return toast(model, "nothing takes text here".to_owned(), Tone::Bad);
    }
    let (raw, _) = RawToken::clean(&pasted.0);
    if model.screen == Screen::Token || looks_like_jwt(raw.expose()) {
        return take(model, &pasted.0);
    }
    toast(model, "that is no token; paste into a field, a filter or the token screen".to_owned(), Tone::Bad)
}

/// Takes a text as a token and shows it.
pub(super) fn take(model: &mut Model, text: &str) -> Vec<Effect> {
    if model.replay.is_some() {
        return toast(model, "a recording is read-only".to_owned(), Tone::Bad);
    }
    let (raw, cleaned) = RawToken::clean(text);
    if raw.is_empty() {
        return toast(model, "there was nothing to paste".to_owned(), Tone::Bad);
    }
    let mut held = HeldToken::new("pasted".to_owned(), raw, cleaned, None);
    held.verify(model.token.keys_for(&held.decoded));
    let words = match held.cleaned.len() {
        0 => "token taken; it is never sent anywhere".to_owned(),
        _ => {
            let stripped: Vec<String> = held.cleaned.iter().map(ToString::to_string).collect();
            format!("token taken without {}", stripped.join(", "))
        }
    };
    model.token.pasted = Some(held);
    model.token.fetch_error = None;
    show(model, Screen::Token);
    let state = model.here_mut();
    (state.list, state.scroll) = (ListState::default(), 0);
    toast(model, words, Tone::Good)
}

/// The token's file of a run was read.
pub(super) fn read(
    model: &mut Model,
    run: RunNumber,
    source: String,
    raw: RawToken,
    cleaned: Vec<Cleaning>,
) -> Vec<Effect> {
    if model.runs.get(run).is_none() {
        return Vec::new();
    }
    let mut held = HeldToken::new(source, raw, cleaned, None);
    held.verify(model.token.keys_for(&held.decoded));
    let changed = matches!(&model.token.reread, Some((of, before)) if *of == run && before.decoded != held.decoded);
    model.token.reread = Some((run, held));
    if changed {
        toast(model, "the token's file changed and was read again".to_owned(), Tone::Good)
    } else {
        Vec::new()
    }
}

/// Asks for the token's file to be looked at again while its time left is shown.
pub(super) fn reread(model: &Model) -> Option<Effect> {
    let run = model.runs.shown()?;
    content::token::remaining(model)?;
    match run.profile.as_ref()?.token.as_ref()? {
        TokenSource::File(path) => Some(Effect::ReadToken { run: run.number, path: path.clone() }),
        _ => None,
    }
}

/// Asks for the keys of the token's issuer, because a person did.
pub(super) fn fetch_keys(model: &mut Model) -> Vec<Effect> {
    let held = model.token.pasted.as_ref().or(model.token.reread.as_ref().map(|(_, held)| held));
    let Some(issuer) = held.and_then(|held| held.decoded.issuer()).map(str::to_owned) else {
        return Vec::new();
    };
    model.token.fetching = Some(issuer.clone());
    model.token.fetch_error = None;
    vec![Effect::FetchKeys { issuer }]
}

/// An issuer's keys arrived, or did not.
pub(super) fn keys(model: &mut Model, issuer: String, keys: Result<Box<Jwks>, String>) -> Vec<Effect> {
    if model.token.fetching.as_deref() != Some(issuer.as_str()) {
        return Vec::new();
    }
    model.token.fetching = None;
    match keys {
        Err(problem) => model.token.fetch_error = Some(problem),
        Ok(keys) => {
            model.token.keys = Some((issuer, keys));
            let mut state = std::mem::take(&mut model.token);
            if let Some(mut held) = state.pasted.take() {
                held.verify(state.keys_for(&held.decoded));
                state.pasted = Some(held);
            }
            if let Some((run, mut held)) = state.reread.take() {
                held.verify(state.keys_for(&held.decoded));
                state.reread = Some((run, held));
            }
            model.token = state;
        }
    }
    Vec::new()
}
