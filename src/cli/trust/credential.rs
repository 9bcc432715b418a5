//! `trustline trust --credential`: would one of these federated credentials let this token stand for the application?

use serde_json::{Map, Value, json};

use super::{CHECK, TrustArgs, exit, text};
use crate::cause::{Finding, entra};
use crate::check::Outcome;
use crate::cli::args::OutputFormat;
use crate::cli::{CliError, Exit, terminal};
use crate::domain::entra::{Comparison, CredentialEvaluation, CredentialSet, EvaluatedCredential, evaluate};
use crate::domain::iam::{Decision, Truth};
use crate::domain::text::visible;
use crate::output::paint::{Paint, Role};
use crate::remedy::{Values, advised};

/// What was found out.
struct Answer {
    claims: Map<String, Value>,
    evaluation: CredentialEvaluation,
    /// Why the token is not let in.
    findings: Vec<Finding>,
    /// Who else is let in; `None` where nobody asked.
    lint: Option<Vec<Finding>>,
}

/// Evaluates, prints, and yields the exit status.
pub(super) fn run(args: &TrustArgs, credentials: &CredentialSet, claims: Map<String, Value>) -> Result<Exit, CliError> {
    let evaluation = evaluate(credentials, &claims);
    let values = Values { claims: Some(&claims), ..Values::default() };
    let answer = Answer {
        findings: entra::of_credentials(&evaluation, CHECK, None)
            .into_iter()
            .map(|finding| advised(finding, Some("azure-workload-identity"), &values))
            .collect(),
        lint: args.lint.then(|| entra::strangers(credentials, CHECK)),
        claims,
        evaluation,
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => format!("{:#}\n", document(&answer)),
        _ => readable(&answer, terminal::paint(&args.output)),
    })?;
    Ok(exit(answer.evaluation.decision))
}

fn document(answer: &Answer) -> Value {
    let problems: Vec<Value> = answer
        .evaluation
        .problems
        .iter()
        .map(|problem| json!({ "what": problem.to_string(), "problem": problem }))
        .collect();
    json!({
        "schema": super::document::SCHEMA,
        "decision": answer.evaluation.decision,
        "issuer": answer.claims.get("iss"),
        "subject": answer.claims.get("sub"),
        "statements": answer.evaluation.statements,
        "findings": answer.findings,
        "lint": answer.lint.as_deref().unwrap_or_default(),
        "problems": problems,
    })
}

fn readable(answer: &Answer, paint: Paint) -> String {
    let (outcome, words) = match answer.evaluation.decision {
        Decision::Allow => (Outcome::Pass, "allowed: a federated credential lets this token stand for the application"),
        Decision::Deny => (Outcome::Fail, "denied: no federated credential lets this token stand for the application"),
        Decision::Unknown => (Outcome::Inconclusive, "unknown: it depends on what is not known here"),
    };
    let mut lines = vec![format!("{} {}", paint.outcome(outcome), paint.paint(Role::Strong, words))];
    for credential in &answer.evaluation.statements {
        lines.push(String::new());
        lines.extend(self::credential(credential, paint));
    }
    text::section("why", &answer.findings, &mut lines, paint);
    if let Some(lint) = &answer.lint {
        text::section("lint", lint, &mut lines, paint);
        if lint.is_empty() {
            lines.push(String::new());
            lines.push(format!("{} lint: no stranger gets in", paint.outcome(Outcome::Pass)));
        }
    }
    if !answer.evaluation.problems.is_empty() {
        lines.push(String::new());
        for problem in &answer.evaluation.problems {
            lines.push(format!("  {} {}", paint.outcome(Outcome::Warn), visible(&problem.to_string())));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn credential(credential: &EvaluatedCredential, paint: Paint) -> Vec<String> {
    let says = match credential.matches {
        Truth::True => "accepts",
        Truth::False => "does not accept",
        Truth::Unknown => "may accept",
    };
    let title = format!("Credential {}: {says}", visible(&credential.called()));
    let mut lines = vec![paint.paint(Role::Strong, &title)];
    for condition in &credential.conditions {
        lines.extend(self::condition(condition, paint));
    }
    lines
}

fn condition(condition: &Comparison, paint: Paint) -> Vec<String> {
    let name = format!("{} {}", condition.key.name(), condition.operator);
    let mut lines = vec![text::title(condition.result, &name, &condition.why, paint)];
    lines.extend(text::values(&condition.expected, None, condition.actual.as_deref(), condition.result, paint));
    lines
}
