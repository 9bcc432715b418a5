//! A finding as a page: what is wrong, the two values and where they part, the facts, the fixes and where to read on. And
//! what a refusal leaves open.

use std::collections::BTreeMap;

use similar::TextDiff;

use super::comparison::Comparison;
use super::context::RenderContext;
use super::line::{Line, Role, Span};
use super::page::{Block, LONGEST_SCRIPT, Page};
use crate::cause::{Actor, Certainty, Finding, Fix, Look, UNFOLDED, Undecided};
use crate::domain::text::visible;
use crate::remedy::documents;
use crate::run::report::Report;

/// A finding. One that follows from a root is a line.
pub fn page(finding: &Finding, ctx: RenderContext) -> Page {
    let Some(root) = finding.follows_from else { return whole(finding, ctx) };
    let follows = format!("  ({}, follows from {root})", finding.cause);
    Page::titled(Line::of(Role::Plain, ctx.prose(&finding.summary)).with(Role::Muted, follows).hanging(2))
}

/// A finding with all that is known of it, be it a root or not.
pub fn whole(finding: &Finding, ctx: RenderContext) -> Page {
    // What is only possible is a question, not a fact.
    let (mark, role) = match finding.certainty {
        Certainty::Possible => ("? ", Role::Muted),
        Certainty::Proven | Certainty::Likely => ("", Role::Strong),
    };
    let mut page = Page::titled(Line::of(role, format!("{mark}{}", ctx.prose(&finding.summary))).hanging(2));
    page.push(Block::Text(origin(finding)));
    push_proof(&mut page, finding, &finding.evidence.iter().map(String::as_str).collect::<Vec<_>>(), ctx);
    page
}

/// The cause, how sure it is, and what says so.
pub fn origin(finding: &Finding) -> Line {
    let role = if finding.certainty == Certainty::Proven { Role::Good } else { Role::Warning };
    let severity = finding.severity.map(|severity| format!("{}: ", severity.name())).unwrap_or_default();
    Line::of(Role::Plain, format!("{severity}{}", finding.cause))
        .with(Role::Muted, ", ")
        .with(role, certainty(finding.certainty))
        .with(Role::Muted, format!(" by {}", finding.check))
}

/// What a finding rests on, and the way out.
pub(super) fn push_proof(page: &mut Page, finding: &Finding, evidence: &[&str], ctx: RenderContext) {
    page.breath();
    difference(page, finding, ctx);
    page.breath();
    if !evidence.is_empty() {
        let fact = |fact: &&str| ctx.lines(fact).into_iter().map(|line| Line::of(Role::Plain, line)).collect();
        page.push(Block::List { label: "because".into(), items: evidence.iter().map(fact).collect() });
        page.breath();
    }
    for (place, fix) in finding.fixes.iter().enumerate() {
        let label = if finding.fixes.len() == 1 { "fix".to_owned() } else { format!("fix {}", place + 1) };
        page.prose(label, Role::Strong, &addressed(fix), ctx);
        match (&fix.command, &fix.verify, &fix.document) {
            // The text says how to come by a script that no command prints again.
            (Some(command), None, _) if command.lines().count() > LONGEST_SCRIPT => {}
            (Some(command), ..) => page.script(command, printing(fix).map(|print| format!("{print} | sh")), ctx),
            (None, _, Some(document)) => page.code(document, ctx),
            (None, ..) => {}
        }
        if let Some(verify) = &fix.verify {
            page.prose("then", Role::Command, verify, ctx);
        }
    }
    for look in looks(finding) {
        page.prose("look", Role::Plain, &look.text, ctx);
        page.code(&look.command, ctx);
    }
    page.breath();
    if let Some(guide) = &finding.guide {
        let step = finding.step.map(|step| format!(", step {step}")).unwrap_or_default();
        page.field("guide", Line::of(Role::Plain, format!("{}{step}", ctx.prose(guide))));
    }
    if !finding.docs.is_empty() {
        // A vendor's page tells nothing of a person, so privacy leaves it.
        page.field("docs", Line::of(Role::Accent, visible(&finding.docs)));
    }
}

fn difference(page: &mut Page, finding: &Finding, ctx: RenderContext) {
    let (above, below) = finding.sides();
    match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => page.push(Block::Comparison(Comparison::of(
            [Span::of(Role::Muted, above), Span::of(Role::Muted, below)],
            expected,
            actual,
        ))),
        (Some(expected), None) => page.value(above, expected, ctx),
        (None, Some(actual)) => page.value(below, actual, ctx),
        (None, None) => {}
    }
}

/// A certainty in a word.
pub const fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    }
}

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
fn looks(finding: &Finding) -> &[Look] {
    let has_script = finding.fixes.iter().any(|fix| fix.command.is_some());
    if has_script || finding.certainty == Certainty::Possible { &[] } else { &finding.see }
}

/// The command that prints a fix alone: as the check that shows that it worked, of the same profile.
fn printing(fix: &Fix) -> Option<String> {
    fix.verify.as_deref()?.strip_prefix("trustline check").map(|profile| format!("trustline fix{profile}"))
}

/// What a refusal leaves open: the candidates, a line each, and what decides.
pub fn undecided(undecided: &Undecided, ctx: RenderContext) -> Page {
    let refused = format!("undecided: {}", ctx.prose(&undecided.refused));
    let mut page = Page::titled(Line::of(Role::Strong, refused).hanging(2));
    let (told, named) = undecided.candidates.split_at(undecided.candidates.len().min(UNFOLDED));
    let mut items: Vec<Vec<Line>> = told
        .iter()
        .map(|suspect| {
            let summary = Line::of(Role::Plain, ctx.prose(&suspect.summary));
            vec![summary.with(Role::Muted, format!(" ({})", suspect.cause))]
        })
        .collect();
    if !named.is_empty() {
        let names: Vec<&str> = named.iter().map(|suspect| suspect.cause.id()).collect();
        items.push(vec![Line::of(Role::Muted, format!("or {}", names.join(", ")))]);
    }
    page.push(Block::List { label: "may be".into(), items });
    page.breath();
    page.prose("decide", Role::Plain, &undecided.decide.text, ctx);
    page.code(&undecided.decide.command, ctx);
    page
}

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
    use crate::cause::{Cause, Suspect};
    use crate::domain::ids::CheckId;
    use crate::report::ansi::TextFormat;
    use crate::report::markdown;

    const CTX: RenderContext = markdown::CONTEXT;

    fn text(finding: &Finding) -> String {
        TextFormat::PLAIN.render(&page(finding, CTX))
    }

    #[test]
    fn marks_the_first_differing_character() {
        let finding = Finding::new(Cause::SubMismatch, CheckId::TrustPolicy, Certainty::Proven, "The subject differs")
            .with_difference("organization:a1", "organization:a2");
        let text = text(&finding);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "The subject differs",
                "  sub-mismatch, proven by trust.policy",
                "  policy    organization:a1",
                "  token     organization:a2",
                "                          ^"
            ]
        );
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
        let mut finding = Finding::new(Cause::TlsExpired, CheckId::IssuerTls, Certainty::Proven, "expired");
        finding.fixes = vec![fix(Actor::Issuer, "one\ntwo\n"), fix(Actor::You, &"line\n".repeat(13))];
        let whole = text(&finding);
        assert!(
            whole.contains("fix 1     Ask the issuer's administrator: Renew it.\n            one\n            two\n"),
            "{whole}"
        );
        assert!(whole.contains("trustline fix --profile prod | sh") && !whole.contains("line\n"), "{whole}");
        // Indented, a here-document would not end where it is pasted.
        finding.fixes = vec![fix(Actor::You, "cat <<'END'\n{}\nEND\n")];
        assert!(!text(&finding).contains("END"), "{}", text(&finding));
        assert!(markdown::render(&page(&finding, CTX)).contains("```\ncat <<'END'\n{}\nEND\n```\n"));
    }

    #[test]
    fn what_follows_is_one_line() {
        let mut finding = Finding::new(Cause::ProviderMissing, CheckId::TokenClaims, Certainty::Proven, "no provider");
        finding.follows_from = Some(Cause::IssuerDiffers);
        assert_eq!(
            text(&finding.with_evidence("seen")),
            "no provider  (provider-missing, follows from issuer-differs)\n"
        );
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let finding = Finding::new(Cause::SubMismatch, CheckId::TokenShape, Certainty::Proven, "a\u{1b}[2J")
            .with_difference("\u{202e}", "b");
        assert!(!text(&finding).contains(['\u{1b}', '\u{202e}']));
        assert!(!markdown::render(&page(&finding, CTX)).contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn four_candidates_are_told_and_the_rest_is_named() {
        let causes = Cause::ALL.iter().take(6);
        let open = Undecided {
            check: CheckId::AzureExchange.into(),
            refused: "AccessDenied: no\u{1b}[2J".into(),
            candidates: causes.map(|cause| Suspect { cause: *cause, summary: "it is so".into() }).collect(),
            decide: Look { text: "Read the policy".into(), command: "aws iam get-role".into() },
        };
        let text = TextFormat::PLAIN.render(&undecided(&open, CTX));
        assert_eq!(text.matches("it is so").count(), 4, "{text}");
        assert!(text.contains(&format!("or {}, {}", Cause::ALL[4], Cause::ALL[5])), "{text}");
        assert!(text.ends_with("decide    Read the policy\n            aws iam get-role\n"), "{text}");
        let markdown = markdown::render(&undecided(&open, CTX));
        assert!(markdown.contains("```\naws iam get-role\n```"), "{markdown}");
        assert!(!text.contains('\u{1b}') && !markdown.contains('\u{1b}'));
    }
}

#[cfg(test)]
mod fix_tests {
    use super::*;
    use crate::cause::{Cause, Certainty, Look, Suspect};
    use crate::domain::ids::CheckId;
    use crate::remedy::heredoc;

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
