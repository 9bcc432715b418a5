//! The token: its signature, header and claims, what each means, and what each side expects of it.

mod expectation;

use serde_json::Value;

use self::expectation::verdict;
pub use self::expectation::{Expectation, Expected, expectations};
use super::log::{moment, relative};
use super::{LABEL, Rows, heading, labelled, pane_lines};
use crate::check::Outcome;
use crate::check::clouds::Asked;
use crate::domain::profile::TokenSource;
use crate::domain::relying_party::{Presented, Published};
use crate::domain::token::DecodedToken;
use crate::report::Comparison;
use crate::report::clouds;
use crate::report::context::RenderContext;
use crate::report::context::outcome_role;
use crate::report::line::{Line, Role, Span, cut};
use crate::report::page::{Block, Page};
use crate::report::token::{meaning, signature_word, time_of};
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::model::Model;
use crate::tui::model::token::Shown;

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Signature,
    Header(String, Value),
    Claim(String, Value),
}

/// The token to show.
pub fn shown(model: &Model) -> Option<Shown> {
    model.token.shown(model.runs.shown().map(|run| (run.number, &run.report)))
}

/// When the token to show ends, in seconds since 1970.
pub fn expires_at(model: &Model) -> Option<i64> {
    model.token.expires_at(model.runs.shown().map(|run| (run.number, &run.report)))
}

/// Seconds until the token expires, below zero where it has; `None` where there is no token or it has no end.
pub fn remaining(model: &Model) -> Option<i64> {
    if model.replay.is_some() {
        return None;
    }
    expires_at(model)?.checked_sub(model.clock.now_ms().div_euclid(1000))
}

/// The rows of the table.
pub fn fields(token: &DecodedToken) -> Vec<Field> {
    let mut fields = vec![Field::Signature];
    let pairs = |map: &Option<serde_json::Map<String, Value>>| -> Vec<(String, Value)> {
        map.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    fields.extend(pairs(&token.claims).into_iter().map(|(name, value)| Field::Claim(name, value)));
    fields.extend(pairs(&token.header).into_iter().map(|(name, value)| Field::Header(name, value)));
    fields
}

/// The table.
pub fn rows(model: &Model) -> Rows<'_> {
    let shown = shown(model);
    let fields = shown.as_ref().map(|shown| fields(&shown.token)).unwrap_or_default();
    let names = fields.iter().map(|field| name(field).chars().count()).max().unwrap_or(0).clamp(9, 22);
    let count = fields.len();
    let line = move |at: usize, width: usize| match (fields.get(at), &shown) {
        (Some(field), Some(shown)) => row(model, shown, field, names, width),
        _ => Line::empty(),
    };
    Rows { count, line: Box::new(line) }
}

fn name(field: &Field) -> &str {
    match field {
        Field::Signature => "signature",
        Field::Header(name, _) | Field::Claim(name, _) => name,
    }
}

fn row(model: &Model, shown: &Shown, field: &Field, names: usize, width: usize) -> Line {
    let show = model.render_context();
    if width == usize::MAX {
        let value = match field {
            Field::Signature => shown.signature.reason.clone(),
            Field::Header(_, value) | Field::Claim(_, value) => value.to_string(),
        };
        return Line::of(Role::Plain, format!("{} {value} {}", name(field), meaning(name(field))));
    }
    let (sign, role) = verdict(model, shown, field)
        .map_or((" ", Role::Plain), |outcome| (show.glyphs.outcome(outcome), outcome_role(outcome)));
    let mut line = Line::of(role, sign).with(Role::Plain, " ");
    line.push(Role::Muted, cut(&show_name(field), names, show.glyphs.ellipsis));
    line.pad_to(names + 3);
    match field {
        Field::Signature => {
            let (word, outcome) = signature_word(shown.signature.state);
            let role = outcome_role(outcome);
            line.push(role, word);
            line.push(Role::Muted, format!(" {} {}", show.glyphs.dot, show.prose(&shown.signature.reason)));
        }
        Field::Header(_, value) => line.push(Role::Plain, show_value(show, value)),
        Field::Claim(name, value) => {
            if let Some(at) = time_of(name, value) {
                line.push(Role::Plain, moment(model, at));
                line.push(Role::Muted, format!("  {}", relative(model, at)));
            } else {
                line.push(Role::Plain, show_value(show, value));
                // The meaning stands behind the value where there is room for both.
                let used = line.width();
                let meaning = meaning(name);
                if used + 3 + meaning.chars().count() <= width && !meaning.is_empty() {
                    line.push(Role::Plain, " ".repeat(width - used - meaning.chars().count()));
                    line.push(Role::Muted, meaning);
                }
            }
        }
    }
    line.cut(width, show.glyphs.ellipsis)
}

fn show_name(field: &Field) -> String {
    crate::domain::text::visible(name(field)).into_owned()
}

fn show_value(show: RenderContext, value: &Value) -> String {
    match value {
        Value::String(text) => show.value(text),
        value => show.value(&value.to_string()),
    }
}

/// The selected field.
fn selected(model: &Model) -> Option<(Shown, Field)> {
    let shown = shown(model)?;
    let field = fields(&shown.token).into_iter().nth(model.selected_row()?)?;
    Some((shown, field))
}

/// The value of the selected field, byte for byte, and its name.
pub fn selected_value(model: &Model) -> Option<(String, String)> {
    let (_, field) = selected(model)?;
    match &field {
        Field::Signature => None,
        Field::Header(name, value) | Field::Claim(name, value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((name.clone(), text))
        }
    }
}

/// The selected field's name.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some((_, field)) => show_name(&field),
        None => "Token".to_owned(),
    }
}

/// The selected field: its value, meaning, and what each side expects.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let Some((shown, field)) = selected(model) else {
        return nothing(model);
    };
    let mut lines = Vec::new();
    match &field {
        Field::Signature => {
            let (word, outcome) = signature_word(shown.signature.state);
            let role = outcome_role(outcome);
            lines.push(labelled("state", role, word));
            lines.push(labelled("because", Role::Plain, show.prose(&shown.signature.reason)));
            lines.push(labelled("token from", Role::Plain, show.prose(&shown.source)));
            lines.extend(read_again(model, show));
            if let Some(issuer) = &model.token.fetching {
                lines.push(labelled("keys", Role::Accent, format!("being fetched from {}", show.prose(issuer))));
            }
            if let Some(error) = &model.token.fetch_error {
                lines.push(labelled("keys", Role::Bad, show.prose(error)));
            }
            for phrase in &shown.cleaned {
                lines.push(labelled("stripped", Role::Warning, show.prose(phrase)));
            }
            for problem in &shown.token.problems {
                lines.push(labelled("note", Role::Warning, show.prose(&problem.to_string())));
            }
        }
        Field::Header(name, value) | Field::Claim(name, value) => {
            lines.push(labelled("value", Role::Strong, show_value(show, value)));
            let place = if matches!(field, Field::Header(..)) { "header" } else { "claim" };
            let meaning = meaning(name);
            let meaning = if meaning.is_empty() { place.to_owned() } else { format!("{place}: {meaning}") };
            lines.push(labelled("is", Role::Plain, meaning));
            if let Some(at) = time_of(name, value) {
                lines.push(labelled("time", Role::Plain, moment(model, at)));
                lines.push(labelled("", Role::Plain, relative(model, at)));
            }
            let quoted = format!("`{name}`");
            for problem in shown.token.problems.iter().map(ToString::to_string).filter(|p| p.contains(&quoted)) {
                lines.push(labelled("note", Role::Warning, show.prose(&problem)));
            }
        }
    }
    let expectations = expectations(model, &shown, &field);
    if !expectations.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("What each side expects"));
    }
    for expectation in expectations {
        lines.extend(expected(&expectation, &field, width, show));
    }
    if field == Field::Signature {
        let keys = model.token.keys_for(&shown.token).map_or(Published::NotLookedAt, Published::Read);
        let presented = Presented { keys, allows_this_machine: true, ..Presented::token(&shown.token) };
        lines.push(Line::empty());
        lines.extend(pane_lines(&clouds::page(&Asked::of(&[]).judge(&presented), show), width, show));
    }
    lines
}

/// What one side expects; where the value is another one, both with the first difference marked.
fn expected(expectation: &Expectation, field: &Field, width: usize, show: RenderContext) -> Vec<Line> {
    let (sign, role) = match expectation.outcome {
        Some(outcome) => (show.glyphs.outcome(outcome), outcome_role(outcome)),
        None => (show.glyphs.waiting, Role::Muted),
    };
    let side = format!("{sign} {}", expectation.side);
    let text = match (&expectation.expects, field) {
        (Expected::Value(value), Field::Claim(_, Value::String(actual)) | Field::Header(_, Value::String(actual)))
            if expectation.outcome == Some(Outcome::Fail) && value != actual =>
        {
            let labels = [Span::of(role, side), Span::of(Role::Muted, "  token")];
            let mut page = Page::default();
            page.push(Block::Comparison(Comparison::of(labels, value, actual)));
            return pane_lines(&page, width, show);
        }
        (Expected::Value(text) | Expected::Words(text), _) => text,
    };
    let mut line = Line::of(role, side).hanging(LABEL);
    line.pad_to(LABEL);
    vec![line.with(Role::Plain, show.prose(text))]
}

/// When the token is read again, and how the last attempt went.
fn read_again(model: &Model, show: RenderContext) -> Vec<Line> {
    let profile = model.runs.shown().and_then(|run| run.profile.as_deref());
    let Some(source) = profile.and_then(|profile| profile.token.as_ref()).filter(|_| model.token.pasted.is_none())
    else {
        return Vec::new();
    };
    let key = model.appearance.keymap.key(Scope::On(Screen::Token), CommandId::ReadAgain);
    let key = key.map_or_else(String::new, |key| format!(", or with {key}"));
    let mut lines = vec![labelled(
        "read again",
        Role::Plain,
        match source {
            TokenSource::File(_) => format!("when the file changes{key}"),
            TokenSource::Command(_) | TokenSource::GithubActions => format!("when it expires{key}"),
            TokenSource::Env(_) => "never: a running program's variables do not change".to_owned(),
            TokenSource::Stdin => "never: standard input can be read only once".to_owned(),
        },
    )];
    if model.token.reading.is_some() {
        lines.push(labelled("", Role::Accent, "being read"));
    }
    if let Some(problem) = &model.token.read_error {
        lines.push(labelled("", Role::Bad, show.prose(problem)));
    }
    lines
}

/// What to do where there is no token.
fn nothing(model: &Model) -> Vec<Line> {
    if shown(model).is_some() {
        return vec![Line::of(Role::Muted, "no field matches the filter; esc clears it")];
    }
    let mut lines = vec![Line::of(Role::Plain, "There is no token yet.").hanging(0), Line::empty()];
    if model.replay.is_none() {
        lines.push(Line::of(Role::Plain, "Paste one here: what surrounds it (Bearer, quotes, line breaks) is taken away, and it never leaves this machine."));
        lines.push(Line::of(Role::Muted, "A run shows the token of its profile."));
    }
    lines
}
