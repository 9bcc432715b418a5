//! One finding as text for people: expected and actual aligned, the first differing character marked.

use unicode_width::UnicodeWidthStr as _;

use super::paint::{Paint, Role, certainty};
use crate::cause::{Actor, Certainty, Finding, Fix, Look};
use crate::domain::text::{visible, visible_lines};
use crate::domain::text_difference::first_difference;

/// The indent of everything below a finding's headline.
const INDENT: usize = 4;
/// Width of the labels before a finding's lines.
const LABEL: usize = 10;

/// A finding as lines, indented by two blanks, without a trailing line feed.
pub fn lines(finding: &Finding, paint: Paint) -> Vec<String> {
    if let Some(root) = finding.follows_from {
        let follows = paint.paint(Role::Muted, &format!("({}, follows from {root})", finding.cause));
        return vec![paint.fold(&format!("  {}  {follows}", visible(&finding.summary)), INDENT)];
    }
    // What is only possible is a question, not a fact.
    let (mark, role) = match finding.certainty {
        Certainty::Possible => ("? ", Role::Muted),
        Certainty::Proven | Certainty::Likely => ("", Role::Strong),
    };
    let headline = format!(
        "  {}  {}",
        paint.paint(role, &format!("{mark}{}", visible(&finding.summary))),
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
        push(&mut lines, "fix", &visible_lines(&addressed(fix)), paint);
        match (&fix.command, printing(fix)) {
            (Some(command), Some(print)) if command.lines().count() > LONGEST_SCRIPT => {
                push_command(&mut lines, "", &format!("{print} | sh"), paint);
            }
            (Some(command), _) => push_command(&mut lines, "", command, paint),
            (None, _) => {}
        }
        if let Some(verify) = &fix.verify {
            push_command(&mut lines, "then", verify, paint);
        }
    }
    for look in looks(finding) {
        push(&mut lines, "look", &visible(&look.text), paint);
        push_command(&mut lines, "", &look.command, paint);
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

/// A script of more lines is printed by `trustline fix`.
const LONGEST_SCRIPT: usize = 12;

/// What to do, and who has to where that is not the reader.
pub fn addressed(fix: &Fix) -> String {
    match fix.actor {
        Actor::You => fix.text.clone(),
        Actor::Platform => format!("Ask the platform's administrator: {}", fix.text),
        Actor::Issuer => format!("Ask the issuer's administrator: {}", fix.text),
    }
}

/// The commands worth looking with: where a script does the work there is no need to, and of what is only possible the
/// command that decides tells more.
pub fn looks(finding: &Finding) -> &[Look] {
    let has_script = finding.fixes.iter().any(|fix| fix.command.is_some());
    if has_script || finding.certainty == Certainty::Possible { &[] } else { &finding.see }
}

/// The command that prints a fix alone: as the check that shows that it worked, of the same profile.
pub fn printing(fix: &Fix) -> Option<String> {
    fix.verify.as_deref()?.strip_prefix("trustline check").map(|profile| format!("trustline fix{profile}"))
}

/// A command as lines of its own, below a label.
pub(super) fn push_command(lines: &mut Vec<String>, label: &str, command: &str, paint: Paint) {
    for (n, line) in visible_lines(command).trim_end().split('\n').enumerate() {
        let label = paint.paint(Role::Muted, &format!("{:LABEL$}", if n == 0 { label } else { "" }));
        lines.push(format!("    {label}{}", paint.paint(Role::Command, line)));
    }
}

/// Lines below a label.
pub(super) fn push(lines: &mut Vec<String>, label: &str, text: &str, paint: Paint) {
    for (n, line) in text.split('\n').enumerate() {
        let label = if n == 0 { label } else { "" };
        let line = format!("    {}{line}", paint.paint(Role::Muted, &format!("{label:LABEL$}")));
        lines.push(paint.fold(&line, INDENT + LABEL));
    }
}

fn difference(finding: &Finding, paint: Paint, lines: &mut Vec<String>) {
    let (above, below) = finding.sides();
    match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => {
            lines.extend(aligned(above, expected, below, actual, paint));
        }
        (Some(expected), None) => push(lines, above, &visible(expected), paint),
        (None, Some(actual)) => push(lines, below, &visible(actual), paint),
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
    use crate::cause::Cause;

    #[test]
    fn marks_the_first_differing_character() {
        let finding = Finding::new(Cause::SubMismatch, "trust.policy", Certainty::Proven, "The subject differs")
            .with_difference("organization:a1", "organization:a2");
        let lines = lines(&finding, Paint::PLAIN);
        assert_eq!(lines[1], "    policy    organization:a1");
        assert_eq!(lines[2], "    token     organization:a2");
        assert_eq!(lines[3], format!("    {}^", " ".repeat(10 + "organization:a".len())));
    }

    #[test]
    fn a_fix_says_who_acts_and_a_long_script_how_to_print_it() {
        let fix = |actor, command: &str| Fix {
            text: "Renew it.".into(),
            actor,
            command: Some(command.into()),
            verify: Some("trustline check --profile prod".into()),
            ..Fix::default()
        };
        let mut finding = Finding::new(Cause::TlsExpired, "issuer.tls", Certainty::Proven, "expired");
        finding.fixes = vec![fix(Actor::Issuer, "one\ntwo\n"), fix(Actor::You, &"line\n".repeat(13))];
        let text = lines(&finding, Paint::PLAIN).join("\n");
        assert!(
            text.contains(
                "fix       Ask the issuer's administrator: Renew it.\n              one\n              two\n"
            ),
            "{text}"
        );
        assert!(text.contains("trustline fix --profile prod | sh") && !text.contains("line\n"), "{text}");
    }

    #[test]
    fn what_follows_is_one_line() {
        let mut finding = Finding::new(Cause::ProviderMissing, "token.claims", Certainty::Proven, "no provider");
        finding.follows_from = Some(Cause::IssuerDiffers);
        assert_eq!(
            lines(&finding.with_evidence("seen"), Paint::PLAIN),
            ["  no provider  (provider-missing, follows from issuer-differs)"]
        );
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let finding =
            Finding::new(Cause::SubMismatch, "x", Certainty::Proven, "a\u{1b}[2J").with_difference("\u{202e}", "b");
        assert!(!lines(&finding, Paint::PLAIN).concat().contains(['\u{1b}', '\u{202e}']));
    }
}
