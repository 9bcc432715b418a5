//! The answer as `trustline.trust/1`.

use serde_json::{Value, json};

use super::Answer;
use crate::domain::iam::Decision;
use crate::report::trust::{Judged, PolicyEvaluation};

/// The schema's name.
pub(super) const SCHEMA: &str = "trustline.trust/1";

pub(super) fn render(answer: &Answer) -> Value {
    let mut document = match &answer.judged {
        Some(judged) => self::judged(judged),
        // Without a token there is nothing to decide on.
        None => json!({ "decision": Decision::Unknown, "statements": [], "findings": [] }),
    };
    document["schema"] = SCHEMA.into();
    document["lint"] = json!(answer.lint.as_deref().unwrap_or_default());
    document["problems"] = json!(answer.trust.problems);
    document
}

fn judged(judged: &Judged<PolicyEvaluation>) -> Value {
    let PolicyEvaluation { evaluation, known_from } = &judged.evaluation;
    let mut document = json!({
        "decision": evaluation.decision,
        "issuer": evaluation.issuer,
        "subject": judged.claims.get("sub"),
        "provider_arn": evaluation.provider_arn,
        "provider_from": known_from,
        "role_arn": evaluation.role_arn,
        "actions": evaluation.actions,
        "refusals": evaluation.refusals,
        "statements": evaluation.statements,
        "findings": judged.findings,
    });
    if judged.predicted {
        document["predicted"] = true.into();
        document["claims"] = json!(judged.claims);
    }
    if let Some(only) = &judged.accepts_only {
        document["accepts_only"] = only.as_str().into();
    }
    document
}
