//! What is asked for, in words: a value of a field, a text to paste, an agreement. Whatever is a secret is typed unseen.

use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Need, ask};
use crate::report::context::RenderContext;
use crate::report::line::Line;
use crate::tui::content;
use crate::tui::model::form::{self, FormField};
use crate::tui::model::guide;
use crate::tui::model::layer::{Operator, PasteKind};
use crate::tui::model::{Layer, Model, PickerKind};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub lines: Vec<String>,
    /// The terminal shows nothing of it.
    pub hidden: bool,
    pub kind: AskKind,
}

/// What answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskKind {
    /// One line.
    Line,
    /// Lines up to one that is a dot alone.
    Lines,
    /// `yes`; anything else is no.
    Yes,
    /// Nothing yet: something is waited for.
    Nothing,
}

impl Ask {
    /// What is asked for now; `is_filling` where a field of the form is.
    pub fn of(model: &Model, is_filling: bool) -> Option<Self> {
        let show = model.render_context();
        if let Some(editing) = model.editing() {
            return Some(line(field(editing.key, editing.input.text(), show)));
        }
        match model.layers.last()? {
            Layer::Form(form) => form.fields.get(form.focus).filter(|_| is_filling).map(|of| line(of_form(of, show))),
            Layer::Picker(picker) if picker.kind == PickerKind::AuditPath => {
                Some(line("The path of a file or a folder to audit. A dot alone leaves.".to_owned()))
            }
            Layer::Picker(_) | Layer::Reader(_) => None,
            Layer::Paste(paste) => Some(pasted(paste.kind, &paste.text, show)),
            Layer::Value(typed) => {
                let note = typed.note.map(str::to_owned);
                let said = "The new value. It is not shown while it is typed. A dot alone leaves.".to_owned();
                Some(Ask { lines: note.into_iter().chain([said]).collect(), hidden: true, kind: AskKind::Line })
            }
            Layer::Program(program) => Some(match &program.shown {
                Some(words) => {
                    let words: Vec<String> = words.iter().map(|word| format!("[{}]", show.prose(word))).collect();
                    yes(vec![format!("This runs, once: {}", words.join(" "))])
                }
                None => {
                    let said = "The program that writes the new value, with its arguments. No shell reads them. A dot alone leaves.";
                    let lines = program.note.into_iter().chain([said]).map(str::to_owned).collect();
                    Ask { lines, hidden: false, kind: AskKind::Line }
                }
            }),
            Layer::Agreement(agreement) => {
                let mut lines: Vec<String> = content::agreement::lines(model, agreement)
                    .iter()
                    .map(Line::plain)
                    .filter(|l| !l.is_empty())
                    .collect();
                let kind = match agreement.operator {
                    Operator::Asking | Operator::Unknown(_) => AskKind::Nothing,
                    Operator::Known(_) => AskKind::Line,
                };
                let note = content::agreement::note(model, agreement).plain();
                lines.extend(Some(note).filter(|note| agreement.is_wrong && !note.is_empty()));
                lines.push("A dot alone leaves, and nothing is written.".to_owned());
                // What is typed here by mistake may be the value itself.
                Some(Ask { lines, hidden: agreement.value.is_some(), kind })
            }
            Layer::Confirm(confirm) => Some(yes(vec![show.prose(&confirm.question)])),
        }
    }
}

/// What is wrong with what was typed into the field that is open, the step's or the form's.
pub(super) fn problem(model: &Model) -> Option<String> {
    let show = model.render_context();
    let fault = match (model.editing(), model.layers.last()) {
        (Some(editing), _) => {
            match model.guide.followed.as_deref()?.standing(editing.key, Need::Optional, editing.input.text()) {
                guide::Standing::Wrong(fault) => fault,
                _ => return None,
            }
        }
        (None, Some(Layer::Form(form))) => match form.fields.get(form.focus)?.standing() {
            form::Standing::Wrong(fault) => fault,
            _ => return None,
        },
        _ => return None,
    };
    Some(format!("{}; {}", show.prose(&fault.wrong), show.prose(&fault.instead)))
}

fn line(text: String) -> Ask {
    Ask { lines: vec![text], hidden: false, kind: AskKind::Line }
}

fn yes(mut lines: Vec<String>) -> Ask {
    lines.push("Type yes to do so; anything else is no.".to_owned());
    Ask { lines, hidden: false, kind: AskKind::Yes }
}

fn pasted(kind: PasteKind, text: &str, show: RenderContext) -> Ask {
    let (_, says) = kind.words();
    let (ends, kind, hidden) = match kind {
        PasteKind::Token => (" A dot alone leaves.".to_owned(), AskKind::Line, true),
        PasteKind::Issuer if text.is_empty() => (" A dot alone leaves.".to_owned(), AskKind::Line, false),
        PasteKind::Issuer => (format!(" Empty takes {}. A dot alone leaves.", show.value(text)), AskKind::Line, false),
        // What fills a guide's fields or was logged may be a token, or hold one.
        PasteKind::Values | PasteKind::Output => {
            (" It is not shown. A line with a dot alone ends it; that alone leaves.".to_owned(), AskKind::Lines, true)
        }
        PasteKind::ErrorText => {
            (" A line with a dot alone ends it; that alone leaves.".to_owned(), AskKind::Lines, false)
        }
    };
    Ask { lines: vec![format!("{says}{ends}")], hidden, kind }
}

/// A field by its name, with what it is for and what stands in it.
fn field(key: Key, text: &str, show: RenderContext) -> String {
    format!("{}: {}. {}", key.path(), show.prose(ask(key)), standing(text, key == Key::ExternalId, show))
}

fn of_form(field: &FormField, show: RenderContext) -> String {
    format!("{}: {}. {}", field.label(), show.prose(field.doc()), standing(field.input.text(), false, show))
}

fn standing(text: &str, is_hidden: bool, show: RenderContext) -> String {
    let now = match text {
        "" => "It is not set".to_owned(),
        _ if is_hidden => "It is set, and not shown".to_owned(),
        text => format!("It is {}", show.value(text)),
    };
    format!("{now}. Empty leaves it so, - takes it away, a dot alone goes back.")
}
