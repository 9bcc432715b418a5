//! What stays on the screen after the console was left: the last run in a few lines.

use super::model::{Model, Run};
use crate::report::context::RenderContext;
use crate::report::run::counts;
use crate::run::event::RunVerdict;
use crate::run::rotation::report::SecretReport;

/// The run that was shown last, ending in a line feed; empty where nothing ran. Privacy hides here what it hides there.
pub(super) fn lines(model: &Model) -> String {
    let Some(run) = model.runs.shown() else {
        return String::new();
    };
    let show = model.render_context();
    let mut text = format!("trustline {}: {}\n", show.prose(&run.label), standing(run));
    for found in run.report.findings.iter().take(3) {
        text.push_str(&format!("  {}: {}\n", found.cause, show.prose(&found.summary)));
        if let Some(command) = found.fixes.iter().find_map(|fix| fix.command.as_deref())
            && !command.contains('\n')
        {
            text.push_str(&format!("    {}\n", show.prose(command)));
        }
    }
    if let Some(choice) = &run.choice {
        text.push_str(&format!("  again: trustline check{}\n", show.prose(&choice.target.arguments())));
    }
    text + &rotations(model, show)
}

/// What became of the secrets of the last rotation, a line each.
fn rotations(model: &Model, show: RenderContext) -> String {
    let secrets = model.rotation.session.iter().flat_map(|session| &session.report.secrets);
    let line = |secret: &SecretReport| {
        let verdict = secret.verdict().map_or("no verdict", |judged| judged.judgement.verdict.id());
        format!("  rotation of {}: {verdict}\n", show.prose(&secret.secret))
    };
    secrets.map(line).collect()
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
