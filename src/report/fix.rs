//! The root cause's fix of a run: which one it is, and what it changes as a unified diff.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::cause::{Actor, Finding, Fix, Undecided};
use crate::remedy::script::documents;
use crate::run::report::Report;

/// How many lines of a document stand around a change.
const CONTEXT: usize = 3;

/// What a run says to whoever wants its fix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer<'r> {
    /// The root has a script.
    Script(&'r Finding, &'r Fix),
    /// The root has none: what to do stands in words, for the reader or for another.
    Words(&'r Finding),
    /// Several causes remain.
    Undecided(&'r Undecided),
    /// Nothing was found.
    Nothing,
}

/// The fix of the first root, where it is more than possible.
pub fn answer(report: &Report) -> Answer<'_> {
    let Some(root) = report.roots().next() else { return Answer::Nothing };
    let script = root.fixes.iter().find(|fix| fix.actor == Actor::You && fix.command.is_some());
    let is_open = |open: &&Undecided| open.candidates.first().is_some_and(|first| first.cause == root.cause);
    match (script, report.undecided.as_ref().filter(is_open)) {
        (Some(fix), _) => Answer::Script(root, fix),
        (None, Some(open)) if root.fixes.is_empty() => Answer::Undecided(open),
        (None, _) => Answer::Words(root),
    }
}

/// What a fix changes: of each document that it replaces, the lines that differ; of a fix that replaces none, what it does
/// in words.
pub fn diff(fix: &Fix) -> String {
    let script = fix.command.as_deref().unwrap_or_default();
    let written: BTreeMap<&str, &str> = documents(script).into_iter().collect();
    let of_script = written.iter().filter(|(name, _)| name.contains("after")).map(|(name, after)| {
        let before = written.get(name.replace("after", "before").as_str()).copied();
        (*name, before, *after)
    });
    let mut replaced: Vec<(&str, Option<&str>, &str)> = of_script.collect();
    if replaced.is_empty() {
        replaced.extend(fix.document.as_deref().map(|document| ("document", None, document)));
    }
    if replaced.is_empty() {
        return fix.text.lines().map(|line| format!("# {line}\n")).collect();
    }
    replaced.into_iter().map(|(name, before, after)| unified(name, before, after)).collect()
}

fn unified(name: &str, before: Option<&str>, after: &str) -> String {
    let ended =
        |text: &str| if text.ends_with('\n') || text.is_empty() { text.to_owned() } else { format!("{text}\n") };
    let (old, new) = (before.map(ended).unwrap_or_default(), ended(after));
    let from =
        if before.is_some() { format!("a/{}", name.replace("after", "document")) } else { "/dev/null".to_owned() };
    let to = format!("b/{}", name.replace("after", "document"));
    TextDiff::from_lines(&old, &new).unified_diff().context_radius(CONTEXT).header(&from, &to).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty, Look, Suspect};
    use crate::domain::ids::CheckId;
    use crate::remedy::script::heredoc;

    fn fix(command: &str) -> Fix {
        Fix { text: "Do it.".into(), command: Some(command.into()), ..Fix::default() }
    }

    fn finding(certainty: Certainty, fixes: Vec<Fix>) -> Finding {
        Finding { fixes, ..Finding::new(Cause::SubMismatch, CheckId::TrustPolicy, certainty, "differs") }
    }

    #[test]
    fn the_first_roots_script_is_the_answer() {
        let mut report = Report::default();
        assert_eq!(answer(&report), Answer::Nothing);
        let for_another = Fix { actor: Actor::Issuer, ..fix("never run here") };
        report.findings = vec![finding(Certainty::Proven, vec![for_another.clone()])];
        assert!(matches!(answer(&report), Answer::Words(_)));
        report.findings = vec![finding(Certainty::Proven, vec![for_another, fix("aws iam x")])];
        assert!(matches!(answer(&report), Answer::Script(_, fix) if fix.command.as_deref() == Some("aws iam x")));
        report.findings = vec![finding(Certainty::Possible, Vec::new())];
        report.undecided = Some(Undecided {
            check: CheckId::TrustPolicy.into(),
            refused: "no".into(),
            candidates: vec![Suspect { cause: Cause::SubMismatch, summary: "differs".into() }],
            decide: Look { text: "look".into(), command: "aws".into() },
        });
        assert!(matches!(answer(&report), Answer::Undecided(_)));
    }

    #[test]
    fn a_diff_shows_what_changes_in_each_document() {
        let write = |name: &str, text: &str| heredoc(&format!("cat >\"$work/{name}\""), text);
        let script = format!(
            "set -eu\n{}{}aws x\n",
            write("before.json", "{\n  \"a\": 1\n}"),
            write("after.json", "{\n  \"a\": 2\n}")
        );
        assert_eq!(
            diff(&fix(&script)),
            "--- a/document.json\n+++ b/document.json\n@@ -1,3 +1,3 @@\n {\n-  \"a\": 1\n+  \"a\": 2\n }\n"
        );
        let made = diff(&Fix { document: Some("{}".into()), ..fix("aws x") });
        assert!(made.starts_with("--- /dev/null\n+++ b/document\n") && made.ends_with("+{}\n"), "{made}");
        assert_eq!(diff(&fix("trustline profile set a=b")), "# Do it.\n");
    }
}
