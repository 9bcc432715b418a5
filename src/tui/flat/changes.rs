//! What of a change is worth a line: how a check ended, what a rotation saw, what was done or could not be.

use super::page;
use crate::report::run::counts;
use crate::report::token::signature_word;
use crate::tui::command::Screen;
use crate::tui::content::{self, token};
use crate::tui::model::layer::Operator;
use crate::tui::model::token::SignatureView;
use crate::tui::model::{Layer, Lifecycle, Model};

/// What has been told of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// What is on top: where it differs, all of it is told.
    top: String,
    toast: Option<String>,
    /// How the run that is shown stands.
    run: Option<String>,
    /// The lines of the screen that change while it is looked at.
    lines: Vec<String>,
}

impl Seen {
    pub fn of(model: &Model) -> Self {
        Seen {
            top: top(model),
            toast: model.toast.as_ref().map(|toast| model.render_context().prose(&toast.text)),
            run: run(model),
            lines: if model.layers.is_empty() { lines(model) } else { Vec::new() },
        }
    }

    /// Whether something else is on top than before.
    pub fn is_elsewhere(&self, before: &Seen) -> bool {
        self.top != before.top
    }

    /// Whether the run that is shown stands otherwise than before.
    pub fn has_other_run(&self, before: &Seen) -> bool {
        self.run != before.run
    }

    /// What is new since then.
    pub fn news(&self, before: &Seen) -> Vec<String> {
        let mut news = Vec::new();
        if !self.is_elsewhere(before) {
            news.extend(self.lines.iter().filter(|line| !before.lines.contains(line)).cloned());
        }
        news.extend(self.run.clone().filter(|_| self.run != before.run));
        news.extend(self.toast.clone().filter(|_| self.toast != before.toast));
        news
    }
}

fn top(model: &Model) -> String {
    let layer = match model.layers.last() {
        None => model.guide.editing.as_ref().map_or_else(String::new, |editing| editing.key.path().to_owned()),
        // The lab's scenarios may be read later than their list is opened.
        Some(Layer::Picker(picker)) => {
            let is_read = model.inputs.scenarios.is_some();
            format!("{} {is_read} {}", picker.kind.title(), picker.list.filter.text())
        }
        Some(Layer::Reader(reader)) => {
            format!("{} {:?}", content::page::title(&reader.page), std::mem::discriminant(&reader.page))
        }
        Some(Layer::Form(form)) => form.problems.join("\n"),
        Some(Layer::Paste(paste)) => format!("{:?}", paste.kind),
        Some(Layer::Value(typed)) => typed.note.unwrap_or_default().to_owned(),
        Some(Layer::Program(program)) => format!("{:?} {:?}", program.shown, program.note),
        Some(Layer::Agreement(agreement)) => {
            format!("{} {}", matches!(agreement.operator, Operator::Asking), agreement.is_wrong)
        }
        Some(Layer::Confirm(confirm)) => confirm.question.clone(),
    };
    // What was read is a page of its own.
    let screen = match model.screen {
        Screen::Handshake => format!("{:?}", model.handshake),
        Screen::Events => format!("{:?}", std::mem::discriminant(&model.events)),
        Screen::Audit => format!("{:?}", std::mem::discriminant(&model.audit)),
        _ => model.here().list.filter.text().to_owned(),
    };
    format!("{:?} {screen} {} {layer}", model.screen, model.layers.len())
}

/// How the run that is shown stands, in a sentence.
fn run(model: &Model) -> Option<String> {
    let run = model.runs.shown()?;
    let label = model.render_context().prose(&run.label);
    let counted = counts(&run.report.counts());
    Some(match &run.state {
        Lifecycle::Running => format!("{label}: the checks run"),
        Lifecycle::Cancelling => format!("{label}: the run is being stopped"),
        Lifecycle::Refused { message, .. } => {
            format!("{label}: not started: {}", model.render_context().prose(message))
        }
        Lifecycle::Ended if counted.is_empty() => format!("{label}: the run has ended"),
        Lifecycle::Ended => format!("{label}: {counted}"),
    })
}

fn signature(signature: &SignatureView) -> String {
    let (word, _) = signature_word(signature.state);
    format!("signature {word}: {}", signature.reason)
}

fn lines(model: &Model) -> Vec<String> {
    match model.screen {
        // What has not ended is no news yet.
        Screen::Handshake => page::ended_checks(model),
        Screen::Rotation => page::details(model),
        // The claims' times run; the signature's state is what changes.
        Screen::Token => token::shown(model).map(|shown| signature(&shown.signature)).into_iter().collect(),
        Screen::Guide | Screen::Findings | Screen::Log => page::rows(model),
        Screen::Start | Screen::Events | Screen::Audit => Vec::new(),
    }
}
