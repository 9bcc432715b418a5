//! What a refusal leaves open, as text and as Markdown: the candidates, a line each, and what decides.

use std::fmt::Write as _;

use super::finding_text::{push, push_command};
use super::markdown::{cell, write_block};
use super::paint::{Paint, Role};
use crate::cause::{Suspect, UNFOLDED, Undecided};
use crate::domain::text::{visible, visible_lines};

/// The block as lines, indented as a finding is.
pub fn lines(undecided: &Undecided, paint: Paint) -> Vec<String> {
    let refused = format!("undecided: {}", visible(&undecided.refused));
    let mut lines = vec![format!("  {}", paint.paint(Role::Strong, &refused))];
    for (n, suspect) in unfolded(undecided).iter().enumerate() {
        let label = if n == 0 { "may be" } else { "" };
        push(&mut lines, label, &format!("? {} ({})", visible(&suspect.summary), suspect.cause), paint);
    }
    if let Some(others) = folded(undecided) {
        push(&mut lines, "", &format!("? or {others}"), paint);
    }
    push(&mut lines, "decide", &visible_lines(&undecided.decide.text), paint);
    push_command(&mut lines, "", &undecided.decide.command, paint);
    lines
}

/// The block as Markdown.
pub fn write_markdown(text: &mut String, undecided: &Undecided) {
    let _ = writeln!(text, "\n## Undecided: {}\n", cell(&undecided.refused));
    for suspect in unfolded(undecided) {
        let _ = writeln!(text, "- `{}`: {}", suspect.cause, cell(&suspect.summary));
    }
    if let Some(others) = folded(undecided) {
        let _ = writeln!(text, "- or {others}");
    }
    let _ = writeln!(text, "\n**To decide**: {}\n", cell(&undecided.decide.text));
    write_block(text, &visible_lines(&undecided.decide.command));
}

fn unfolded(undecided: &Undecided) -> &[Suspect] {
    undecided.candidates.get(..UNFOLDED).unwrap_or(&undecided.candidates)
}

/// The names of the candidates that are not told in a line of their own.
fn folded(undecided: &Undecided) -> Option<String> {
    let rest = undecided.candidates.get(UNFOLDED..).filter(|rest| !rest.is_empty())?;
    Some(rest.iter().map(|suspect| suspect.cause.id()).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Look};

    fn undecided(count: usize) -> Undecided {
        let causes = Cause::ALL.iter().take(count);
        Undecided {
            check: "azure.exchange".into(),
            refused: "AccessDenied: no\u{1b}[2J".into(),
            candidates: causes.map(|cause| Suspect { cause: *cause, summary: "it is so".into() }).collect(),
            decide: Look { text: "Read the policy".into(), command: "aws iam get-role".into() },
        }
    }

    #[test]
    fn four_are_told_and_the_rest_is_named() {
        let text = lines(&undecided(6), Paint::PLAIN).join("\n");
        assert_eq!(text.matches("it is so").count(), 4, "{text}");
        assert!(text.contains(&format!("? or {}, {}", Cause::ALL[4], Cause::ALL[5])), "{text}");
        assert!(text.ends_with("decide    Read the policy\n              aws iam get-role"), "{text}");
        let mut markdown = String::new();
        write_markdown(&mut markdown, &undecided(2));
        assert!(markdown.contains("```\naws iam get-role\n```") && !markdown.contains("- or"), "{markdown}");
        assert!(!text.contains('\u{1b}') && !markdown.contains('\u{1b}'));
    }
}
