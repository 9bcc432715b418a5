//! A guide as Markdown: what was set up, how each step is known to be done, and the values; or one step in full.

use std::fmt::Write as _;

use super::{GuideReport, artifacts};
use crate::domain::profile::key::Key;
use crate::domain::profile::question::Need;
use crate::domain::text::visible_lines;
use crate::guide::{Filling, Step, StepState, fill, render, token_origin};
use crate::report::finding_text::addressed;
use crate::report::markdown::{cell, write_block};

/// The guide as a summary.
pub fn summary(report: &GuideReport) -> String {
    let mut text = format!("# {}\n\n{}\n\n", cell(&report.text.title), cell(&report.text.summary));
    if let Some(states) = &report.states {
        let done = states.iter().filter(|(_, state)| state.is_done()).count();
        let _ = writeln!(text, "**{done} of {} steps are done**, counting the prerequisites.", states.len());
    }
    match &report.checked {
        Some(at) => {
            let _ = writeln!(text, "Checked at {}.\n", cell(at));
        }
        None => text.push_str("The checks were not run.\n\n"),
    }
    text.push_str("| step | state | by | when |\n|---|---|---|---|\n");
    for step in &report.text.steps {
        let (state, by, when) = report.state(step).map_or_else(Default::default, told);
        let _ =
            writeln!(text, "| {}. {} | {state} | {} | {} |", step.number, cell(&step.title), cell(&by), cell(&when));
    }
    text.push_str("\n## Values\n\n| key | value |\n|---|---|\n");
    for field in report.text.fields() {
        if let Some(value) = value(report, field.key) {
            let _ = writeln!(text, "| `{}` | {} |", field.key.path(), cell(&value));
        }
    }
    let failing = report.text.steps.iter().filter_map(|step| match report.state(step) {
        Some(StepState::Failing { findings, .. }) => Some((step, findings)),
        _ => None,
    });
    for (step, findings) in failing {
        let _ = writeln!(text, "\n## Step {} fails", step.number);
        for finding in findings {
            let _ = writeln!(text, "\n`{}`: {}", finding.cause, cell(&finding.summary));
            for fix in &finding.fixes {
                let _ = writeln!(text, "\n**Fix**: {}\n", cell(&addressed(fix)));
                if let Some(command) = &fix.command {
                    write_block(&mut text, &visible_lines(command));
                }
            }
        }
    }
    text
}

/// The state in a word, what it rests on, and since when.
fn told(state: &StepState) -> (&'static str, String, String) {
    match state {
        StepState::Verified { checks, proofs, at } => {
            let by: Vec<&str> = checks.iter().map(|check| check.id()).chain(proofs.iter().map(|p| p.id())).collect();
            ("verified", by.join(", "), at.clone())
        }
        StepState::Answered { code, at, .. } => ("verified", format!("the answer {code}"), at.clone()),
        StepState::Confirmed { at } => ("confirmed", "by hand".to_owned(), at.clone()),
        StepState::Failing { check, .. } => ("**failing**", check.id().to_owned(), String::new()),
        StepState::Blocked { by } => ("waits", format!("step {by}"), String::new()),
        StepState::ToDo(_) => ("to do", String::new(), String::new()),
    }
}

fn value(report: &GuideReport, key: Key) -> Option<String> {
    let value = report.values.text(key)?;
    // An external id is no credential, yet people keep it to themselves.
    Some(if key == Key::ExternalId { "(set, not shown)".to_owned() } else { value.to_owned() })
}

/// One step with its instructions and artifacts.
pub fn step(report: &GuideReport, step: &Step) -> String {
    let mut filling = Filling::new(&report.values);
    let mut text =
        format!("# {}. {}\n\n{}\n", step.number, cell(&step.title), cell(&fill(&step.purpose, &mut filling)));
    if let Some(state) = report.state(step) {
        let (word, by, when) = told(state);
        let rest: Vec<&str> = [by.as_str(), when.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
        let _ = writeln!(text, "\n{word} {}", cell(&rest.join(", ")));
    }
    for place in &step.places {
        let _ = write!(text, "\n- {}: {}", place.on.id(), cell(&fill(&place.path, &mut filling)));
        if let Some(address) = &place.address {
            let _ = write!(text, " <{}>", fill(address, &mut filling).replace(['<', '>'], ""));
        }
    }
    text.push('\n');
    if !step.fields.is_empty() {
        text.push_str("\n| key | value |\n|---|---|\n");
        for field in &step.fields {
            let open = if field.need == Need::Required { "missing" } else { "not set" };
            let shown = value(report, field.key).unwrap_or_else(|| open.to_owned());
            let _ = writeln!(text, "| `{}` | {} |", field.key.path(), cell(&shown));
        }
    }
    let mut list = |text: &mut String, items: &[String]| {
        for (at, item) in items.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", at + 1, cell(&fill(item, &mut filling)));
        }
    };
    if !step.instructions.is_empty() {
        text.push('\n');
        list(&mut text, &step.instructions);
    }
    for tab in &step.tabs {
        let _ = writeln!(text, "\n## {}\n", cell(&tab.title));
        list(&mut text, &tab.instructions);
    }
    if let Some(origin) = token_origin(step, &report.values) {
        text.push_str("\n## Where a token comes from\n\n");
        for line in &origin.how {
            let _ = writeln!(text, "- {}", cell(line));
        }
        if let Some(script) = &origin.script {
            text.push('\n');
            write_block(&mut text, visible_lines(script).trim_end());
        }
    }
    for which in artifacts(step) {
        let _ = writeln!(text, "\n## `{which}`: {}\n", which.title());
        write_block(&mut text, visible_lines(&render(which, &report.values).text).trim_end());
    }
    text
}
