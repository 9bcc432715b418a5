//! Error texts: pasted, explained with what is at hand, and shown on top.

use super::toast;
use crate::cause::explain::ExplainContext;
use crate::remedy::{ExplainedFiles, explained, undecided_text};
use crate::tui::inputs::Target;
use crate::tui::message::Effect;
use crate::tui::model::{Explained, Layer, Model, Page, Tone};

/// From so many words on, a text is taken for prose.
pub(super) const WORDS_OF_PROSE: usize = 4;

/// Explains a text and shows what it comes to. A pasted token and the profile of a run sharpen it; the lab's tell nothing
/// of an error from elsewhere.
pub(super) fn open(model: &mut Model, text: &str) -> Vec<Effect> {
    if text.trim().is_empty() {
        return toast(model, "there was nothing to paste".to_owned(), Tone::Bad);
    }
    let run = model.runs.shown().filter(|run| {
        let target = run.choice.as_ref().map(|choice| &choice.target);
        target.is_some_and(|target| !matches!(target, Target::Lab(_)))
    });
    let given = ExplainContext {
        claims: model.token.pasted.as_ref().and_then(|held| held.decoded.claims.as_ref()),
        trust: None,
        profile: run.and_then(|run| run.profile.as_deref()),
    };
    let explanation = explained(text, &given);
    let is_prose = text.split_whitespace().nth(WORDS_OF_PROSE - 1).is_some();
    if explanation.causes.is_empty() && !is_prose {
        return toast(model, "that is no token, and no error text that is known".to_owned(), Tone::Bad);
    }
    let undecided = undecided_text(&explanation, &given, ExplainedFiles::default());
    model.layers.push(Layer::reader(Page::Explained(Box::new(Explained { explanation, undecided }))));
    Vec::new()
}
