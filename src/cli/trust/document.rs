//! The answer as `trustline.trust/1`.

use serde_json::{Value, json};

use super::Answer;

/// The schema's name.
pub(super) const SCHEMA: &str = "trustline.trust/1";

pub(super) fn render(answer: &Answer) -> Value {
    let evaluation = &answer.evaluation;
    json!({
        "schema": SCHEMA,
        "decision": evaluation.decision,
        "issuer": evaluation.issuer,
        "subject": answer.claims.get("sub"),
        "provider_arn": evaluation.provider_arn,
        "provider_from": answer.known_from,
        "role_arn": evaluation.role_arn,
        "actions": evaluation.actions,
        "refusals": evaluation.refusals,
        "statements": evaluation.statements,
        "findings": answer.findings,
        "lint": answer.lint.as_deref().unwrap_or_default(),
        "problems": answer.policy.problems,
    })
}
