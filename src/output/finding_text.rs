//! One finding as text for people: expected and actual aligned, the first differing character marked.

use unicode_width::UnicodeWidthStr as _;

use super::paint::{Paint, Role, certainty};
use crate::cause::Finding;
use crate::domain::diff::first_difference;
use crate::domain::text::{visible, visible_lines};

/// The indent of everything below a finding's headline.
const INDENT: usize = 4;
/// Width of the labels before a finding's lines.
const LABEL: usize = 10;

/// A finding as lines, indented by two blanks, without a trailing line feed.
pub fn lines(finding: &Finding, paint: Paint) -> Vec<String> {
    let headline = format!(
        "  {}  {}",
        paint.paint(Role::Strong, &visible(&finding.summary)),
        paint.paint(
            Role::Muted,
            &format!(
                "({}{}, {} by {})",
                finding.severity.map(|severity| format!("{}: ", severity.name())).unwrap_or_default(),
                finding.cause,
                certainty(finding.certainty),
                visible(&finding.check)
            )
        ),
    );
    let mut lines = vec![paint.fold(&headline, INDENT)];
    difference(finding, paint, &mut lines);
    for (n, fact) in finding.evidence.iter().enumerate() {
        push(&mut lines, if n == 0 { "because" } else { "" }, &visible_lines(fact), paint);
    }
    for fix in &finding.fixes {
        push(&mut lines, "fix", &visible_lines(&fix.text), paint);
        if let Some(command) = &fix.command {
            for line in visible_lines(command).split('\n') {
                lines.push(format!("    {:LABEL$}{}", "", paint.paint(Role::Command, line)));
            }
        }
    }
    if let Some(guide) = &finding.guide {
        let step = finding.step.map(|s| format!(", step {s}")).unwrap_or_default();
        push(&mut lines, "guide", &format!("{}{step}", visible(guide)), paint);
    }
    if !finding.docs.is_empty() {
        push(&mut lines, "docs", &visible(&finding.docs), paint);
    }
    lines
}

fn push(lines: &mut Vec<String>, label: &str, text: &str, paint: Paint) {
    for (n, line) in text.split('\n').enumerate() {
        let label = if n == 0 { label } else { "" };
        let line = format!("    {}{line}", paint.paint(Role::Muted, &format!("{label:LABEL$}")));
        lines.push(paint.fold(&line, INDENT + LABEL));
    }
}

fn difference(finding: &Finding, paint: Paint, lines: &mut Vec<String>) {
    match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => {
            lines.extend(aligned("expected", expected, "actual", actual, paint));
        }
        (Some(expected), None) => push(lines, "expected", &visible(expected), paint),
        (None, Some(actual)) => push(lines, "actual", &visible(actual), paint),
        (None, None) => {}
    }
}

/// Two values under each other, and under them a mark at the first character in which they differ.
pub fn aligned(label_a: &str, a: &str, label_b: &str, b: &str, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    push(&mut lines, label_a, &visible(a), paint);
    push(&mut lines, label_b, &visible(b), paint);
    if let Some(difference) = first_difference(a, b) {
        let shared: String = b.chars().take(difference.at).collect();
        let indent = visible(&shared).width();
        lines.push(format!("    {:LABEL$}{}{}", "", " ".repeat(indent), paint.paint(Role::Difference, "^")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty};

    #[test]
    fn marks_the_first_differing_character() {
        let finding = Finding::new(Cause::SubMismatch, "trust.policy", Certainty::Proven, "The subject differs")
            .with_difference("organization:a1", "organization:a2");
        let lines = lines(&finding, Paint::PLAIN);
        assert_eq!(lines[1], "    expected  organization:a1");
        assert_eq!(lines[2], "    actual    organization:a2");
        assert_eq!(lines[3], format!("    {}^", " ".repeat(10 + "organization:a".len())));
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let finding =
            Finding::new(Cause::SubMismatch, "x", Certainty::Proven, "a\u{1b}[2J").with_difference("\u{202e}", "b");
        assert!(!lines(&finding, Paint::PLAIN).concat().contains(['\u{1b}', '\u{202e}']));
    }
}
