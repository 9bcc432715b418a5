//! The agreement to write a secret: what is written, as whom, and what has to be typed to agree.

use super::chain::running;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::guess::guessability;
use crate::report::line::{Line, Role};
use crate::tui::model::Model;
use crate::tui::model::layer::{Agreement, Operator};

/// What is written, as whom, and what has to be typed.
pub fn lines(model: &Model, agreement: &Agreement) -> Vec<Line> {
    let show = model.render_context();
    let about = match &agreement.value {
        Some(value) => {
            let bytes = value.expose().as_bytes();
            if guessability(bytes).is_guessable() {
                Line::of(Role::Warning, format!("{} the value is easy to guess", show.glyphs.warn))
                    .with(Role::Muted, ", so its fingerprint is not shown")
            } else {
                Line::of(Role::Muted, "the value ").with(Role::Plain, Fingerprint::of(bytes).to_string())
            }
        }
        None => Line::of(Role::Muted, "the value ").with(Role::Plain, "is made up when it is written"),
    };
    let (whose, asked) = match &agreement.operator {
        Operator::Asking => {
            (Line::of(Role::Accent, format!("{} asking as whom it is written", running(model))), Line::empty())
        }
        Operator::Unknown(why) => {
            let why = format!("{} it cannot be written: {}", show.glyphs.fail, show.prose(why));
            (Line::of(Role::Bad, why).hanging(2), Line::empty())
        }
        Operator::Known(seen) => {
            let wanted = agreement.wanted().unwrap_or_default();
            (
                Line::of(Role::Plain, "as ").with(Role::Strong, show.prose(&seen.identity)),
                Line::of(Role::Plain, "To agree, type ").with(Role::Accent, show.prose(&wanted)),
            )
        }
    };
    let secret = show.prose(&agreement.secret);
    let what = Line::of(Role::Plain, "A new version of ").with(Role::Strong, secret).with(Role::Plain, " is written");
    vec![what, whose, about, Line::empty(), asked]
}

/// What there is to say about what was typed.
pub fn note(model: &Model, agreement: &Agreement) -> Line {
    let show = model.render_context();
    let wanted = agreement.wanted().unwrap_or_default();
    match so_far(agreement).len() < agreement.typed.text().len() {
        _ if agreement.is_wrong => {
            Line::of(Role::Bad, format!("{} type exactly: {}", show.glyphs.fail, show.prose(&wanted)))
        }
        true => Line::of(Role::Warning, "what follows is not what is asked, and not shown; ctrl-u begins anew"),
        false => Line::empty(),
    }
}

/// How far what was typed is what is wanted.
pub fn so_far(agreement: &Agreement) -> &str {
    let (text, wanted) = (agreement.typed.text(), agreement.wanted().unwrap_or_default());
    let same = text.char_indices().zip(wanted.chars()).take_while(|((_, typed), wanted)| typed == wanted);
    same.last().map_or("", |((at, typed), _)| &text[..at + typed.len_utf8()])
}
