//! `trustline trust --credential`: would one of these federated credentials let this token stand for the application?

use serde_json::{Map, Value, json};

use super::{CHECK, Subject, TrustArgs, text};
use crate::cause::{Finding, entra};
use crate::check::Outcome;
use crate::cli::args::OutputFormat;
use crate::cli::{CliError, Exit, terminal};
use crate::domain::entra::{
    Comparison, CredentialEvaluation, CredentialSet, EvaluatedCredential, evaluate, evaluate_predicted,
};
use crate::domain::iam::{Decision, Truth};
use crate::domain::profile::expected::Predicted;
use crate::domain::text::visible;
use crate::remedy::{Values, advised};
use crate::report::paint::{Paint, Role};

/// What was found out.
struct Answer<'a> {
    credentials: &'a CredentialSet,
    judged: Option<Judged>,
    /// Who else is let in; `None` where nobody asked.
    lint: Option<Vec<Finding>>,
}

/// What the credentials say to a token.
struct Judged {
    claims: Map<String, Value>,
    evaluation: CredentialEvaluation,
    /// Why the token is not let in.
    findings: Vec<Finding>,
    /// No token was given; the claims follow from the profile.
    predicted: bool,
    /// The one expected subject that is accepted, where others that are possible are not.
    accepts_only: Option<String>,
}

/// Evaluates, prints, and yields the exit status.
pub(super) fn run(args: &TrustArgs, credentials: &CredentialSet, subject: Subject) -> Result<Exit, CliError> {
    let is_alone = matches!(subject, Subject::Nobody);
    let answer = Answer {
        credentials,
        judged: judged(credentials, subject),
        lint: (args.lint || is_alone).then(|| entra::strangers(credentials, CHECK)),
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&document(&answer)),
        _ => readable(&answer, terminal::paint(&args.output)),
    })?;
    let decision = answer.judged.map(|judged| judged.evaluation.decision);
    Ok(args.threshold.exit(decision, answer.lint.as_deref().unwrap_or_default()))
}

fn judged(credentials: &CredentialSet, subject: Subject) -> Option<Judged> {
    let causes = |evaluation: &CredentialEvaluation, claims: &Map<String, Value>| {
        let values = Values { claims: Some(claims), ..Values::default() };
        let complete = |finding| advised(finding, Some("azure-workload-identity"), &values);
        entra::of_credentials(evaluation, CHECK).into_iter().map(complete).collect::<Vec<Finding>>()
    };
    match subject {
        Subject::Nobody => None,
        Subject::Token(claims) => {
            let evaluation = evaluate(credentials, &claims);
            let findings = causes(&evaluation, &claims);
            Some(Judged { claims, evaluation, findings, predicted: false, accepts_only: None })
        }
        Subject::Predicted(predicted) => {
            let Predicted { evaluation, accepts_only } = evaluate_predicted(credentials, &predicted);
            let expected = predicted.subject();
            let found = causes(&evaluation, &predicted.claims);
            let findings = found.into_iter().map(|finding| finding.as_predicted(expected)).collect();
            Some(Judged { claims: predicted.claims, evaluation, findings, predicted: true, accepts_only })
        }
    }
}

fn document(answer: &Answer<'_>) -> Value {
    let problems: Vec<Value> = answer
        .credentials
        .problems
        .iter()
        .map(|problem| json!({ "what": problem.to_string(), "problem": problem }))
        .collect();
    let mut document = match &answer.judged {
        Some(judged) => json!({
            "decision": judged.evaluation.decision,
            "issuer": judged.claims.get("iss"),
            "subject": judged.claims.get("sub"),
            "statements": judged.evaluation.statements,
            "findings": judged.findings,
        }),
        None => json!({ "decision": Decision::Unknown, "statements": [], "findings": [] }),
    };
    document["schema"] = super::document::SCHEMA.into();
    document["lint"] = json!(answer.lint.as_deref().unwrap_or_default());
    document["problems"] = problems.into();
    if let Some(judged) = answer.judged.as_ref().filter(|judged| judged.predicted) {
        document["predicted"] = true.into();
        document["claims"] = json!(judged.claims);
        if let Some(only) = &judged.accepts_only {
            document["accepts_only"] = only.as_str().into();
        }
    }
    document
}

fn readable(answer: &Answer<'_>, paint: Paint) -> String {
    let mut lines = Vec::new();
    if let Some(judged) = &answer.judged {
        heading(judged, paint, &mut lines);
    }
    if let Some(lint) = &answer.lint {
        text::section("lint", lint, &mut lines, paint);
        if lint.is_empty() {
            text::gap(&mut lines);
            lines.push(format!("{} lint: no stranger gets in", paint.outcome(Outcome::Pass)));
        }
    }
    if !answer.credentials.problems.is_empty() {
        text::gap(&mut lines);
        for problem in &answer.credentials.problems {
            lines.push(format!("  {} {}", paint.outcome(Outcome::Warn), visible(&problem.to_string())));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn heading(judged: &Judged, paint: Paint, lines: &mut Vec<String>) {
    let (outcome, words) = match judged.evaluation.decision {
        Decision::Allow => (Outcome::Pass, "allowed: a federated credential lets this token stand for the application"),
        Decision::Deny => (Outcome::Fail, "denied: no federated credential lets this token stand for the application"),
        Decision::Unknown => (Outcome::Inconclusive, "unknown: it depends on what is not at hand"),
    };
    let words = if judged.predicted { format!("predicted, {words}") } else { words.to_owned() };
    lines.push(format!("{} {}", paint.outcome(outcome), paint.paint(Role::Strong, &words)));
    if let Some(only) = &judged.accepts_only {
        lines.push(format!("  of such tokens it accepts only some: `{}`", visible(only)));
    }
    for credential in &judged.evaluation.statements {
        lines.push(String::new());
        lines.extend(self::credential(credential, paint));
    }
    text::section("why", &judged.findings, lines, paint);
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
