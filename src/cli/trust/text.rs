//! The answer for people: a line each for principal, action and condition, and what differs marked.

use serde_json::Value;

use super::{Answer, Judged};
use crate::check::Outcome;
use crate::domain::iam::{ConditionEvaluation, Decision, ElementEvaluation, StatementEvaluation, Truth};
use crate::domain::text::visible;
use crate::domain::text_difference::first_difference;
use crate::report::finding_text;
use crate::report::paint::{Paint, Role};

/// No more values of a condition than these are printed.
const SHOWN: usize = 8;

pub(super) fn render(answer: &Answer, paint: Paint) -> String {
    let mut lines = Vec::new();
    if let Some(judged) = &answer.judged {
        lines.extend(heading(judged, paint));
        for statement in &judged.evaluation.statements {
            lines.push(String::new());
            lines.extend(self::statement(statement, paint));
        }
        section("why", &judged.findings, &mut lines, paint);
    }
    if let Some(lint) = &answer.lint {
        section("lint", lint, &mut lines, paint);
        if lint.is_empty() {
            gap(&mut lines);
            lines.push(format!(
                "{} lint: nothing unsafe or dead found, and no stranger gets in",
                paint.outcome(Outcome::Pass)
            ));
        }
    }
    if !answer.policy.problems.is_empty() {
        lines.push(String::new());
        lines.push(paint.paint(Role::Strong, "IAM would refuse this document:"));
        for problem in &answer.policy.problems {
            lines.push(format!(
                "  {} {}: {}",
                paint.outcome(Outcome::Warn),
                visible(&problem.at),
                visible(&problem.what)
            ));
            lines.push(format!("    {}", visible(&problem.instead)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// An empty line, but not as the first one.
pub(super) fn gap(lines: &mut Vec<String>) {
    if !lines.is_empty() {
        lines.push(String::new());
    }
}

fn heading(judged: &Judged, paint: Paint) -> Vec<String> {
    let evaluation = &judged.evaluation;
    let (outcome, words) = match evaluation.decision {
        Decision::Allow => (Outcome::Pass, "allowed: the trust policy lets this token have the role"),
        Decision::Deny => (Outcome::Fail, "denied: the trust policy does not let this token have the role"),
        Decision::Unknown => (Outcome::Inconclusive, "unknown: it depends on what is not at hand"),
    };
    let words = if judged.predicted { format!("predicted, {words}") } else { words.to_owned() };
    let row =
        |label: &str, value: &str| format!("  {}{}", paint.paint(Role::Muted, &format!("{label:10}")), visible(value));
    let subject = match judged.claims.get("sub") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "none".to_owned(),
    };
    let mut lines = vec![
        format!("{} {}", paint.outcome(outcome), paint.paint(Role::Strong, &words)),
        row("issuer", &evaluation.issuer),
        row("subject", &subject),
        row("provider", &format!("{} (from {})", evaluation.provider_arn, judged.known_from.words())),
    ];
    lines.extend(evaluation.role_arn.as_ref().map(|role| row("role", role)));
    lines.extend(judged.predicted.then(|| row("claims", "predicted from the profile: no token was given")));
    lines.extend(
        judged.accepts_only.as_ref().map(|only| row("accepts", &format!("of such tokens only some: `{only}`"))),
    );
    for action in evaluation.actions.iter().skip(1) {
        let words = match action.decision {
            Decision::Allow => "allowed",
            Decision::Deny => "denied",
            Decision::Unknown => "unknown",
        };
        lines.push(row("also asks", &format!("{}: {words}", action.action)));
    }
    lines
}

fn statement(statement: &StatementEvaluation, paint: Paint) -> Vec<String> {
    let sid = statement.sid.as_ref().map(|sid| format!(" ({})", visible(sid))).unwrap_or_default();
    let effect = statement.effect.name();
    let says = match statement.matches {
        Truth::True => "matches",
        Truth::False => "does not match",
        Truth::Unknown => "may match",
    };
    let title = format!("Statement[{}]{sid} {effect}: {says}", statement.index);
    let mut lines = vec![paint.paint(Role::Strong, &title)];
    lines.extend(element(&statement.principal, paint));
    lines.extend(element(&statement.action, paint));
    for condition in &statement.conditions {
        lines.extend(self::condition(condition, paint));
    }
    lines
}

fn element(element: &ElementEvaluation, paint: Paint) -> Vec<String> {
    let nearest = element.near_miss.as_ref().map(|near| near.expected.as_str());
    let mut lines = vec![title(element.result, &element.element, &element.why, paint)];
    lines.extend(values(
        &element.expected,
        nearest,
        Some(std::slice::from_ref(&element.actual)),
        element.result,
        paint,
    ));
    lines
}

fn condition(condition: &ConditionEvaluation, paint: Paint) -> Vec<String> {
    let nearest = condition.near_miss.as_ref().map(|near| near.expected.as_str());
    let name = format!("{} {}", condition.operator, condition.key);
    let mut lines = vec![title(condition.result, &name, &condition.why, paint)];
    lines.extend(values(&condition.expected, nearest, condition.actual.as_deref(), condition.result, paint));
    lines
}

pub(super) fn title(result: Truth, name: &str, why: &str, paint: Paint) -> String {
    let outcome = match result {
        Truth::True => Outcome::Pass,
        Truth::False => Outcome::Fail,
        Truth::Unknown => Outcome::Inconclusive,
    };
    let why = paint.paint(Role::Muted, &format!("{} {}", paint.dot(), visible(why)));
    format!("  {} {} {why}", paint.outcome(outcome), visible(name))
}

/// What was expected and what was found, aligned; where they differ, a mark under the first character that does.
pub(super) fn values(
    expected: &[String],
    nearest: Option<&str>,
    actual: Option<&[String]>,
    result: Truth,
    paint: Paint,
) -> Vec<String> {
    let label = |text: &str| paint.paint(Role::Muted, &format!("{text:10}"));
    if let ([expected], Some([actual])) = (expected, actual)
        && expected == actual
    {
        return vec![format!("      {}{}", label("both"), visible(actual))];
    }
    // The value that the mark is about stands next to the actual one.
    let last = nearest.or(expected.last().map(String::as_str));
    let others = expected.iter().filter(|value| Some(value.as_str()) != last);
    let mut lines: Vec<String> = Vec::new();
    for value in others.clone().take(SHOWN) {
        lines.push(format!("      {}{}", label(if lines.is_empty() { "expected" } else { "or" }), visible(value)));
    }
    let hidden = others.count().saturating_sub(SHOWN);
    if hidden > 0 {
        lines.push(format!("      {}({hidden} more)", label("or")));
    }
    if let Some(value) = last {
        lines.push(format!("      {}{}", label(if lines.is_empty() { "expected" } else { "or" }), visible(value)));
    }
    let Some(actual) = actual else {
        lines.push(format!("      {}{}", label("actual"), paint.paint(Role::Muted, "none")));
        return lines;
    };
    for value in actual.iter().take(SHOWN) {
        lines.push(format!("      {}{}", label("actual"), visible(value)));
    }
    if let (Truth::False, Some(expected), [actual]) = (result, last, actual)
        && let Some(difference) = first_difference(expected, actual)
    {
        let shared: String = actual.chars().take(difference.at).collect();
        let indent = unicode_width::UnicodeWidthStr::width(&*visible(&shared));
        lines.push(format!("      {:10}{}{}", "", " ".repeat(indent), paint.paint(Role::Difference, "^")));
    }
    lines
}

pub(super) fn section(name: &str, findings: &[crate::cause::Finding], lines: &mut Vec<String>, paint: Paint) {
    if findings.is_empty() {
        return;
    }
    gap(lines);
    lines.push(paint.paint(Role::Strong, name));
    for finding in findings {
        lines.extend(finding_text::lines(finding, paint));
    }
}
