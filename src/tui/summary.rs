//! What stays on the screen after the console was left: the last run in a few lines.

use super::model::{Model, Run};
use crate::domain::text::visible;
use crate::output::text::counts;
use crate::run::event::RunVerdict;

/// The run that was shown last, ending in a line feed; empty where nothing ran.
pub(super) fn lines(model: &Model) -> String {
    let Some(run) = model.runs.shown() else {
        return String::new();
    };
    let mut text = format!("trustline {}: {}\n", visible(&run.label), standing(run));
    for found in run.report.findings.iter().take(3) {
        text.push_str(&format!("  {}: {}\n", found.cause, visible(&found.summary)));
        if let Some(command) = found.fixes.iter().find_map(|fix| fix.command.as_deref())
            && !command.contains('\n')
        {
            text.push_str(&format!("    {}\n", visible(command)));
        }
    }
    if let Some(choice) = &run.choice {
        text.push_str(&format!("  again: trustline check{}\n", visible(&choice.target.arguments())));
    }
    text
}

fn standing(run: &Run) -> String {
    let word = match run.verdict() {
        Some(RunVerdict::Pass) => "PASS",
        Some(RunVerdict::Fail) => "FAIL",
        Some(RunVerdict::Inconclusive) => "INCONCLUSIVE",
        None => "UNFINISHED",
    };
    let counted = counts(&run.report.counts());
    if counted.is_empty() { word.to_owned() } else { format!("{word}, {counted}") }
}
