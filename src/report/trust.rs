//! What a trust says to a token, as a page: a line each for principal, action and condition, and what differs marked.

use serde_json::{Map, Value};

use super::clouds;
use super::comparison::Comparison;
use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role, Span};
use super::page::{Block, Page};
use crate::cause::Finding;
use crate::check::Outcome;
use crate::domain::entra::{CredentialEvaluation, CredentialSet, EvaluatedCredential};
use crate::domain::gcp::{EvaluatedRule, PoolProvider, ProviderEvaluation};
use crate::domain::iam::{Decision, KnownFrom, Policy, StatementEvaluation, TrustEvaluation, Truth};
use crate::domain::relying_party::{Acceptance, CloudVerdict};

/// No more values of a condition than these are told.
const SHOWN: usize = 8;

/// What was found out of a trust.
#[derive(Debug)]
pub struct TrustReport<T, E> {
    /// The trust policy, or the federated credentials.
    pub trust: T,
    pub judged: Option<Judged<E>>,
    /// What is unsafe or dead in it, and who else is let in; `None` where nobody asked.
    pub lint: Option<Vec<Finding>>,
}

/// What it says to a token.
#[derive(Debug)]
pub struct Judged<E> {
    pub claims: Map<String, Value>,
    pub evaluation: E,
    /// Why the token is not let in.
    pub findings: Vec<Finding>,
    /// No token was given; the claims follow from the profile.
    pub predicted: bool,
    /// The one expected subject that is accepted, where others that are possible are not.
    pub accepts_only: Option<String>,
    /// What the cloud says to the token itself, whatever it was told to trust; `None` where only claims are at hand.
    pub cloud: Option<CloudVerdict>,
}

impl<E> Judged<E> {
    /// That the cloud refuses the token itself.
    pub fn is_refused(&self) -> bool {
        self.cloud.as_ref().is_some_and(|cloud| cloud.verdict == Acceptance::Refuse)
    }
}

/// A trust policy's evaluation, and where the provider's ARN is from.
#[derive(Debug)]
pub struct PolicyEvaluation {
    pub evaluation: TrustEvaluation,
    pub known_from: KnownFrom,
}

/// What a role's trust policy says.
pub fn policy(report: &TrustReport<Policy, PolicyEvaluation>, ctx: RenderContext) -> Page {
    let mut page = Page::default();
    if let Some(judged) = &report.judged {
        let found = &judged.evaluation.evaluation;
        let words = match found.decision {
            Decision::Allow => "allowed: the trust policy lets this token have the role",
            Decision::Deny if judged.is_refused() => "denied: STS refuses the token itself, whatever the policy says",
            Decision::Deny => "denied: the trust policy does not let this token have the role",
            Decision::Unknown => "unknown: it depends on what was not given",
        };
        let mut head = headline(found.decision, words, judged.predicted, ctx);
        let subject = judged.claims.get("sub").map_or("none".to_owned(), |sub| match sub {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let provider = format!("{} (from {})", found.provider_arn, judged.evaluation.known_from.words());
        head.value("issuer", &found.issuer, ctx);
        head.value("subject", &subject, ctx);
        head.value("provider", &provider, ctx);
        if let Some(role) = &found.role_arn {
            head.value("role", role, ctx);
        }
        push_prediction(&mut head, judged, ctx);
        push_cloud(&mut head, judged, ctx);
        for action in found.actions.iter().skip(1) {
            let words = match action.decision {
                Decision::Allow => "allowed",
                Decision::Deny => "denied",
                Decision::Unknown => "unknown",
            };
            head.value("also asks", &format!("{}: {words}", action.action), ctx);
        }
        page.part(head);
        for statement in &found.statements {
            page.gap();
            page.part(self::statement(statement, ctx));
        }
        push_findings(&mut page, "why", &judged.findings, ctx);
    }
    push_lint(&mut page, report.lint.as_deref(), "nothing unsafe or dead found, and no foreign subject gets in", ctx);
    if !report.trust.problems.is_empty() {
        page.gap();
        let mut part = Page::titled(Line::of(Role::Strong, "IAM would refuse this document:"));
        for problem in &report.trust.problems {
            let what = format!("{}: {}", ctx.prose(&problem.at), ctx.prose(&problem.what));
            let text = Line::of(Role::Plain, what)
                .with(Role::Muted, format!(" {} {}", ctx.glyphs.arrow, ctx.prose(&problem.instead)));
            part.item(ctx.sign(Outcome::Warn), text);
        }
        page.part(part);
    }
    page
}

/// What an application's federated credentials say.
pub fn credentials(report: &TrustReport<&CredentialSet, CredentialEvaluation>, ctx: RenderContext) -> Page {
    let mut page = Page::default();
    if let Some(judged) = &report.judged {
        let words = match judged.evaluation.decision {
            Decision::Allow => "allowed: a federated credential lets this token act as the application",
            Decision::Deny if judged.is_refused() => {
                "denied: Entra refuses the token itself, whatever the credentials say"
            }
            Decision::Deny => "denied: no federated credential lets this token act as the application",
            Decision::Unknown => "unknown: it depends on what was not given",
        };
        let mut head = headline(judged.evaluation.decision, words, judged.predicted, ctx);
        push_prediction(&mut head, judged, ctx);
        push_cloud(&mut head, judged, ctx);
        page.part(head);
        for credential in &judged.evaluation.statements {
            page.gap();
            page.part(self::credential(credential, ctx));
        }
        push_findings(&mut page, "why", &judged.findings, ctx);
    }
    push_lint(&mut page, report.lint.as_deref(), "no foreign subject gets in", ctx);
    if !report.trust.problems.is_empty() {
        page.gap();
        let item = |problem: &dyn ToString| Line::of(Role::Plain, ctx.prose(&problem.to_string()));
        report.trust.problems.iter().for_each(|problem| page.item(ctx.sign(Outcome::Warn), item(problem)));
    }
    page
}

/// What a provider of a workload identity pool, and an IAM policy where one was given, say.
pub fn provider(report: &TrustReport<&PoolProvider, ProviderEvaluation>, ctx: RenderContext) -> Page {
    let mut page = Page::default();
    if let Some(judged) = &report.judged {
        let found = &judged.evaluation;
        let has_bindings = !found.bindings().is_empty();
        let words = match (found.decision, found.exchanged(), has_bindings) {
            (Decision::Allow, _, true) => "allowed: Google exchanges this token, and a binding grants it a role",
            (Decision::Allow, _, false) => "allowed: Google exchanges this token",
            (Decision::Deny, Truth::True, _) => "denied: Google exchanges this token, and no binding grants it a role",
            (Decision::Deny, _, _) => "denied: Google does not exchange this token",
            (Decision::Unknown, _, _) => "unknown: it depends on what was not given",
        };
        let mut head = headline(found.decision, words, judged.predicted, ctx);
        if let Some(name) = &report.trust.name {
            head.value("provider", &name.to_string(), ctx);
        }
        if let Some(principal) = &found.principal {
            head.value("the token is", principal, ctx);
        }
        for (name, value) in &found.attributes {
            head.value(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned), ctx);
        }
        push_prediction(&mut head, judged, ctx);
        push_cloud(&mut head, judged, ctx);
        page.part(head);
        for rule in &found.statements {
            page.gap();
            page.part(self::rule(rule, ctx));
        }
        push_findings(&mut page, "why", &judged.findings, ctx);
    }
    push_lint(&mut page, report.lint.as_deref(), "nothing too wide found, and no foreign token gets in", ctx);
    if !report.trust.problems.is_empty() {
        page.gap();
        let mut part = Page::titled(Line::of(Role::Strong, "Google would refuse this provider, or no token passes:"));
        for problem in &report.trust.problems {
            let text = Line::of(Role::Plain, format!("{}: {}", ctx.prose(&problem.at), ctx.prose(&problem.what)))
                .with(Role::Muted, format!(" {} {}", ctx.glyphs.arrow, ctx.prose(&problem.instead)));
            part.item(ctx.sign(Outcome::Warn), text);
        }
        page.part(part);
    }
    page
}

fn rule(rule: &EvaluatedRule, ctx: RenderContext) -> Page {
    let says = match (rule.index, rule.matches) {
        (0, Truth::True) => "accepts",
        (0, Truth::False) => "does not accept",
        (0, Truth::Unknown) => "may accept",
        (_, Truth::True) => "granted",
        (_, Truth::False) => "not granted",
        (_, Truth::Unknown) => "may be granted",
    };
    let mut page = Page::titled(Line::of(Role::Strong, format!("{}: {says}", ctx.prose(&rule.name))));
    for test in &rule.conditions {
        // A condition's part is its own name.
        let name = if test.operator == "holds" { test.key.clone() } else { format!("{} {}", test.key, test.operator) };
        let mut part = titled(test.result, &name, &test.why, ctx);
        match (test.operator, test.result) {
            ("is", _) | ("holds", Truth::True) => {}
            ("maps", _) => {
                part.value("from", test.expected.first().map_or("", String::as_str), ctx);
                for value in test.actual.iter().flatten() {
                    part.value("value", value, ctx);
                }
            }
            _ => push_values(&mut part, &test.expected, None, test.actual.as_deref(), test.result, ctx),
        }
        page.part(part);
    }
    page
}

fn headline(decision: Decision, words: &str, predicted: bool, ctx: RenderContext) -> Page {
    let outcome = match decision {
        Decision::Allow => Outcome::Pass,
        Decision::Deny => Outcome::Fail,
        Decision::Unknown => Outcome::Inconclusive,
    };
    let words = format!(" {}{words}", if predicted { "predicted, " } else { "" });
    Page::titled(Line::from(ctx.sign(outcome)).with(Role::Strong, words).hanging(2))
}

fn push_prediction<E>(head: &mut Page, judged: &Judged<E>, ctx: RenderContext) {
    if judged.predicted {
        head.value("claims", "predicted from the profile: no token was given", ctx);
    }
    if let Some(only) = &judged.accepts_only {
        head.value("accepts", &format!("of such tokens only some: `{only}`"), ctx);
    }
}

/// The cloud's word on the token itself, where it is more than that nothing stands against it.
fn push_cloud<E>(head: &mut Page, judged: &Judged<E>, ctx: RenderContext) {
    let Some(cloud) = &judged.cloud else { return };
    if cloud.verdict != Acceptance::Accept {
        head.prose(cloud.name, Role::Plain, &clouds::sentence(cloud), ctx);
    }
    for note in &cloud.notes {
        head.prose("note", Role::Muted, note, ctx);
    }
}

fn push_findings(page: &mut Page, name: &str, findings: &[Finding], ctx: RenderContext) {
    if findings.is_empty() {
        return;
    }
    page.gap();
    let mut part = Page::titled(Line::of(Role::Strong, name));
    for found in findings {
        part.gap();
        part.part(finding::page(found, ctx));
    }
    page.part(part);
}

fn push_lint(page: &mut Page, lint: Option<&[Finding]>, nothing: &str, ctx: RenderContext) {
    match lint {
        None => {}
        Some([]) => {
            page.gap();
            page.item(ctx.sign(Outcome::Pass), Line::of(Role::Plain, format!("lint: {nothing}")));
        }
        Some(lint) => push_findings(page, "lint", lint, ctx),
    }
}

fn statement(statement: &StatementEvaluation, ctx: RenderContext) -> Page {
    let sid = statement.sid.as_ref().map(|sid| format!(" ({})", ctx.prose(sid))).unwrap_or_default();
    let says = match statement.matches {
        Truth::True => "matches",
        Truth::False => "does not match",
        Truth::Unknown => "may match",
    };
    let title = format!("Statement[{}]{sid} {}: {says}", statement.index, statement.effect.name());
    let mut page = Page::titled(Line::of(Role::Strong, title));
    for element in [&statement.principal, &statement.action] {
        let nearest = element.near_miss.as_ref().map(|near| near.expected.as_str());
        let actual = Some(std::slice::from_ref(&element.actual));
        let mut part = titled(element.result, &element.element, &element.why, ctx);
        push_values(&mut part, &element.expected, nearest, actual, element.result, ctx);
        page.part(part);
    }
    for condition in &statement.conditions {
        let nearest = condition.near_miss.as_ref().map(|near| near.expected.as_str());
        let mut part =
            titled(condition.result, &format!("{} {}", condition.operator, condition.key), &condition.why, ctx);
        push_values(&mut part, &condition.expected, nearest, condition.actual.as_deref(), condition.result, ctx);
        page.part(part);
    }
    page
}

fn credential(credential: &EvaluatedCredential, ctx: RenderContext) -> Page {
    let says = match credential.matches {
        Truth::True => "accepts",
        Truth::False => "does not accept",
        Truth::Unknown => "may accept",
    };
    let mut page =
        Page::titled(Line::of(Role::Strong, format!("Credential {}: {says}", ctx.prose(&credential.called()))));
    for condition in &credential.conditions {
        let name = format!("{} {}", condition.key.name(), condition.operator);
        let mut part = titled(condition.result, &name, &condition.why, ctx);
        push_values(&mut part, &condition.expected, None, condition.actual.as_deref(), condition.result, ctx);
        page.part(part);
    }
    page
}

fn titled(result: Truth, name: &str, why: &str, ctx: RenderContext) -> Page {
    let outcome = match result {
        Truth::True => Outcome::Pass,
        Truth::False => Outcome::Fail,
        Truth::Unknown => Outcome::Inconclusive,
    };
    let why = format!(" {} {}", ctx.glyphs.dot, ctx.prose(why));
    let title = Line::from(ctx.sign(outcome)).with(Role::Plain, format!(" {}", ctx.prose(name)));
    Page::titled(title.with(Role::Muted, why).hanging(2))
}

/// What was expected and what was found; where they differ, a mark under the first character that does.
fn push_values(
    page: &mut Page,
    expected: &[String],
    nearest: Option<&str>,
    actual: Option<&[String]>,
    result: Truth,
    ctx: RenderContext,
) {
    if let ([expected], Some([actual])) = (expected, actual)
        && expected == actual
    {
        return page.value("both", actual, ctx);
    }
    // The value that the mark is about stands next to the actual one.
    let last = nearest.or(expected.last().map(String::as_str));
    let others: Vec<&String> = expected.iter().filter(|value| Some(value.as_str()) != last).collect();
    let label = |is_first: bool| if is_first { "expected" } else { "or" };
    for (at, value) in others.iter().take(SHOWN).enumerate() {
        page.value(label(at == 0), value, ctx);
    }
    if others.len() > SHOWN {
        page.value("or", &format!("({} more)", others.len() - SHOWN), ctx);
    }
    if let (Truth::False, Some(expected), Some([actual])) = (result, last, actual) {
        let labels = [Span::of(Role::Muted, label(others.is_empty())), Span::of(Role::Muted, "actual")];
        return page.push(Block::Comparison(Comparison::of(labels, expected, actual)));
    }
    if let Some(value) = last {
        page.value(label(others.is_empty()), value, ctx);
    }
    match actual {
        None | Some([]) => page.field("actual", Line::of(Role::Muted, "none")),
        Some(values) => values.iter().take(SHOWN).for_each(|value| page.value("actual", value, ctx)),
    }
}
