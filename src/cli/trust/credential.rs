//! `trustline trust --credential`: would one of these federated credentials let this token stand for the application?

use serde_json::{Map, Value, json};

use super::{CHECK, Subject, TrustArgs};
use crate::cause::{Finding, entra};
use crate::cli::exit::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::OutputFormat;
use crate::cli::terminal;
use crate::domain::entra::{CredentialEvaluation, CredentialSet, evaluate, evaluate_predicted};
use crate::domain::iam::Decision;
use crate::domain::profile::expected::Predicted;
use crate::remedy::{Values, advised};
use crate::report::trust::{self, Judged, TrustReport};

/// What the credentials say.
type Answer<'a> = TrustReport<&'a CredentialSet, CredentialEvaluation>;

/// Evaluates, prints, and yields the exit status.
pub(super) fn run(args: &TrustArgs, credentials: &CredentialSet, subject: Subject) -> Result<Exit, CliError> {
    let is_alone = matches!(subject, Subject::Nobody);
    let answer = Answer {
        trust: credentials,
        judged: judged(credentials, subject),
        lint: (args.lint || is_alone).then(|| entra::strangers(credentials, CHECK)),
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&document(&answer)),
        _ => terminal::rendered(&args.output, |ctx| trust::credentials(&answer, ctx)),
    })?;
    let decision = answer.judged.map(|judged| judged.evaluation.decision);
    Ok(args.threshold.exit(decision, answer.lint.as_deref().unwrap_or_default()))
}

fn judged(credentials: &CredentialSet, subject: Subject) -> Option<Judged<CredentialEvaluation>> {
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
        .trust
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
