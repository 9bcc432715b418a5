//! An explanation as text for people: what the text says, the causes, and what would decide between them.

use crate::cause::explain::{Explanation, RuledOut};
use crate::cause::{Certainty, Finding, Undecided, catalogue};
use crate::domain::text::{visible, visible_lines};
use crate::report::finding_text::{addressed, looks};
use crate::report::paint::{Paint, Role, certainty};

/// Width of the labels.
const LABEL: usize = 12;
/// This many causes are told in full, and with them all that are likely; the rest in a line each.
const IN_FULL: usize = 1;

/// The whole report, with a line feed at its end.
pub(super) fn render(explanation: &Explanation, undecided: Option<&Undecided>, paint: Paint) -> String {
    let mut lines = Vec::new();
    said(explanation, paint, &mut lines);
    if explanation.causes.is_empty() {
        lines.push("No cause known to the catalogue gives this text.".to_owned());
        lines.push("Give the whole message: the code in brackets, and the sentence behind it.".to_owned());
    }
    for (n, finding) in explanation.causes.iter().enumerate() {
        let in_full = n < IN_FULL || finding.certainty <= Certainty::Likely;
        cause(n + 1, finding, in_full, paint, &mut lines);
    }
    if lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(String::new());
    }
    if !explanation.ruled_out.is_empty() {
        lines.push(paint.paint(Role::Strong, "Ruled out"));
        for (why, causes) in by_reason(&explanation.ruled_out) {
            lines.push(format!("  {}: {}", causes.join(", "), visible(why)));
        }
        lines.push(String::new());
    }
    if let Some(undecided) = undecided {
        lines.push(paint.paint(Role::Strong, "To decide"));
        lines.push(format!("  {}", visible(&undecided.decide.text)));
        for line in visible_lines(&undecided.decide.command).split('\n') {
            lines.push(format!("    {}", paint.paint(Role::Command, line)));
        }
        lines.push(String::new());
    } else if !explanation.decide.is_empty() {
        lines.push(paint.paint(Role::Strong, "To decide, give"));
        lines.extend(explanation.decide.iter().map(|wanted| format!("  {} {}", paint.dot(), visible(wanted))));
        lines.push(String::new());
    }
    lines.join("\n")
}

/// What is ruled out, each reason once.
fn by_reason(ruled_out: &[RuledOut]) -> Vec<(&str, Vec<&'static str>)> {
    let mut reasons: Vec<(&str, Vec<&'static str>)> = Vec::new();
    for RuledOut { cause, why } in ruled_out {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, causes)) => causes.push(cause.id()),
            None => reasons.push((why, vec![cause.id()])),
        }
    }
    reasons
}

fn said(explanation: &Explanation, paint: Paint, lines: &mut Vec<String>) {
    let provider = explanation.provider.map(|provider| provider.id().to_owned());
    let rows: Vec<(&str, Option<String>)> = [("cloud", provider), ("code", explanation.code.clone())]
        .into_iter()
        .chain(explanation.parsed.parts())
        .filter(|(_, value)| value.is_some())
        .collect();
    if rows.is_empty() {
        return;
    }
    lines.push(paint.paint(Role::Strong, "The text says"));
    for (label, value) in rows {
        labelled(lines, label, &value.unwrap_or_default(), paint);
    }
    lines.push(String::new());
}

fn cause(number: usize, finding: &Finding, in_full: bool, paint: Paint, lines: &mut Vec<String>) {
    lines.push(format!(
        "{number}. {}  {}",
        paint.paint(Role::Strong, &visible(&catalogue::entry(finding.cause).title)),
        paint.paint(Role::Muted, &format!("({}, {})", finding.cause, certainty(finding.certainty))),
    ));
    if !in_full {
        return;
    }
    lines.push(paint.fold(&format!("   {}", visible(&finding.summary)), 3));
    if let (Some(expected), Some(actual)) = (&finding.expected, &finding.actual) {
        let (above, below) = finding.sides();
        labelled(lines, above, expected, paint);
        labelled(lines, below, actual, paint);
    }
    for fact in finding.evidence.iter().filter(|fact| !fact.starts_with(crate::cause::explain::QUOTE)) {
        labelled(lines, "because", fact, paint);
    }
    for fix in &finding.fixes {
        labelled(lines, "fix", &addressed(fix), paint);
        lines.extend(fix.command.iter().flat_map(|command| command_lines(command, paint)));
    }
    for look in looks(finding) {
        labelled(lines, "look", &look.text, paint);
        lines.extend(command_lines(&look.command, paint));
    }
    if let (Some(guide), Some(step)) = (&finding.guide, finding.step) {
        labelled(lines, "guide", &format!("{guide}, step {step}"), paint);
    }
    labelled(lines, "docs", &finding.docs, paint);
    lines.push(String::new());
}

fn command_lines(command: &str, paint: Paint) -> Vec<String> {
    let line = |line: &str| format!("   {:LABEL$}{}", "", paint.paint(Role::Command, &visible(line)));
    command.trim_end().split('\n').map(line).collect()
}

fn labelled(lines: &mut Vec<String>, label: &str, value: &str, paint: Paint) {
    for (n, line) in visible_lines(value).split('\n').enumerate() {
        let label = if n == 0 { label } else { "" };
        let line = format!("   {}{line}", paint.paint(Role::Muted, &format!("{label:LABEL$}")));
        lines.push(paint.fold(&line, 3 + LABEL));
    }
}
