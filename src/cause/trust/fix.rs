//! Corrected policy texts and the command that puts them in force.

use serde_json::{Value, json};

use crate::cause::Finding;
use crate::domain::iam::{TrustEvaluation, WEB_IDENTITY};
use crate::domain::issuer::condition_key_prefix;

/// A `Condition` of one operator and key.
pub(super) fn condition(operator: &str, key: &str, values: &[String]) -> String {
    let value = match values {
        [only] => Value::from(only.as_str()),
        _ => Value::from(values.to_vec()),
    };
    pretty(&json!({"Condition": {operator: {key: value}}}))
}

/// A `Principal` of one identity provider.
pub(super) fn principal(provider: &str) -> String {
    pretty(&json!({"Principal": {"Federated": provider}}))
}

/// A whole statement for the token's issuer, to be completed with its audience and subject.
pub(super) fn statement(evaluation: &TrustEvaluation) -> String {
    let prefix = condition_key_prefix(&evaluation.issuer);
    pretty(&json!({
        "Effect": "Allow",
        "Principal": {"Federated": evaluation.provider_arn},
        "Action": WEB_IDENTITY,
        "Condition": {"StringEquals": {
            format!("{prefix}:aud"): "<AUDIENCE>",
            format!("{prefix}:sub"): "<SUBJECT>",
        }},
    }))
}

/// Adds the command that replaces the role's trust policy.
pub(super) fn update_role(finding: Finding, evaluation: &TrustEvaluation) -> Finding {
    let role = evaluation.role_arn.as_deref().and_then(|arn| arn.rsplit('/').next());
    let name = role.filter(|name| is_plain(name)).unwrap_or("<ROLE_NAME>");
    let command =
        format!("aws iam update-assume-role-policy --role-name {name} --policy-document file://trust-policy.json");
    finding.with_command("Put the corrected policy in force", command)
}

/// A name as IAM allows it: nothing a shell would read otherwise.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
