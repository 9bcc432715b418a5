//! Tokens: pasted, read again from their file, and checked with their issuer's keys.

use super::{show, toast};
use crate::domain::jwks::Jwks;
use crate::domain::profile::TokenSource;
use crate::domain::token::{Cleaning, RawToken};
use crate::tui::command::Screen;
use crate::tui::content;
use crate::tui::message::{Effect, RunNumber};
use crate::tui::model::token::HeldToken;
use crate::tui::model::{Model, Tone};
use crate::tui::services::TokenRead;

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
    model.here_mut().reset();
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
    let known = matches!(&model.token.reread, Some((of, _)) if *of == run);
    if hold(model, run, TokenRead { source, raw, cleaned }) == Held::Other && known {
        toast(model, "the token's file changed and was read again".to_owned(), Tone::Good)
    } else {
        Vec::new()
    }
}

/// Whether a token that was read differs from the one that was shown.
#[derive(PartialEq, Eq)]
enum Held {
    Same,
    Other,
}

/// Keeps a token as the one of a run.
fn hold(model: &mut Model, run: RunNumber, read: TokenRead) -> Held {
    let before = content::token::shown(model).map(|shown| shown.token);
    let mut held = HeldToken::new(read.source, read.raw, read.cleaned, None);
    held.verify(model.token.keys_for(&held.decoded));
    let verdict = if before.as_ref() == Some(&held.decoded) { Held::Same } else { Held::Other };
    model.token.reread = Some((run, held));
    verdict
}

/// Asks for the token to be read again from where the profile says.
pub(super) fn read_again(model: &mut Model) -> Vec<Effect> {
    let Some((run, profile)) = model.runs.shown().and_then(|run| Some((run.number, run.profile.clone()?))) else {
        return Vec::new();
    };
    model.token.reading = Some(run);
    model.token.read_error = None;
    vec![Effect::ReadTokenAgain { run, profile }]
}

/// Asks for a new token, once, when the one that is shown has expired and its source can give another.
pub(super) fn at_end(model: &mut Model) -> Vec<Effect> {
    let source = model.runs.shown().and_then(|run| run.profile.as_ref()?.token.as_ref());
    let gives_another = matches!(source, Some(TokenSource::Command(_) | TokenSource::GithubActions));
    let expired = content::token::remaining(model).is_some_and(|left| left <= 0);
    if !gives_another || !expired || model.token.pasted.is_some() || model.token.reading.is_some() {
        return Vec::new();
    }
    let end = content::token::expires_at(model);
    if end.is_none() || model.token.read_at_end == end {
        return Vec::new();
    }
    model.token.read_at_end = end;
    read_again(model)
}

/// The token was read again, or could not be.
pub(super) fn was_read_again(model: &mut Model, run: RunNumber, result: Result<TokenRead, String>) -> Vec<Effect> {
    if model.token.reading != Some(run) {
        return Vec::new();
    }
    model.token.reading = None;
    match result {
        Err(problem) => {
            let words = format!("the token could not be read again: {problem}");
            model.token.read_error = Some(problem);
            toast(model, words, Tone::Bad)
        }
        Ok(_) if model.runs.get(run).is_none() => Vec::new(),
        Ok(read) => match hold(model, run, read) {
            Held::Same => toast(model, "read again: it is the same token".to_owned(), Tone::Good),
            Held::Other => toast(model, "read again: it is a new token".to_owned(), Tone::Good),
        },
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
