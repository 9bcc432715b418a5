//! What an error text comes to: what it says, the causes, and what would decide between them.

use super::{finding, heading, labelled};
use crate::cause::catalogue;
use crate::cause::explain::Explanation;
use crate::report::context::RenderContext;
use crate::report::page::{Line, Role};

/// An explanation as lines.
pub fn lines(explanation: &Explanation, width: usize, show: RenderContext) -> Vec<Line> {
    let mut lines = said(explanation, show);
    if explanation.causes.is_empty() {
        lines.push(Line::of(Role::Warning, "No cause in the catalogue gives this text."));
        lines.push(Line::of(Role::Plain, "Paste the whole message: the code in brackets, and the sentence behind it."));
    }
    for (place, found) in explanation.causes.iter().enumerate() {
        let title = &catalogue::entry(found.cause).title;
        lines.push(Line::of(Role::Accent, format!("{}. ", place + 1)).with(Role::Strong, show.prose(title)).hanging(3));
        lines.extend(finding::lines(found, width, show));
        lines.push(Line::empty());
    }
    if !explanation.ruled_out.is_empty() {
        lines.push(heading("Ruled out"));
        for ruled_out in &explanation.ruled_out {
            let line = Line::of(Role::Muted, format!("{} {}", show.glyphs.dot, ruled_out.cause)).hanging(4);
            lines.push(line.with(Role::Plain, format!(": {}", show.prose(&ruled_out.why))));
        }
        lines.push(Line::empty());
    }
    if !explanation.decide.is_empty() {
        lines.push(heading("What would decide"));
        lines.extend(
            explanation
                .decide
                .iter()
                .map(|wanted| Line::of(Role::Plain, format!("{} {}", show.glyphs.dot, show.prose(wanted))).hanging(2)),
        );
    }
    while lines.last().is_some_and(|line| line.spans.is_empty()) {
        lines.pop();
    }
    lines
}

/// What the text itself says, as far as it was understood.
fn said(explanation: &Explanation, show: RenderContext) -> Vec<Line> {
    let cloud = explanation.provider.map(|provider| provider.id().to_owned());
    let rows = [("cloud", cloud), ("code", explanation.code.clone())].into_iter().chain(explanation.parsed.parts());
    let mut lines: Vec<Line> =
        rows.filter_map(|(label, value)| Some(labelled(label, Role::Plain, show.prose(&value?)))).collect();
    if !lines.is_empty() {
        lines.insert(0, heading("The text says"));
        lines.push(Line::empty());
    }
    lines
}
