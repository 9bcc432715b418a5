//! From what IAM tells of a denial by its authorization id, to the causes.

use super::access::{cause_of, findings as of_policies};
use super::{Cause, Certainty, Finding};
use crate::domain::iam::{AuthorizationDenial, AuthorizationDetails, AuthorizationEvaluation};
use crate::domain::ids::FoundBy;

const DOCS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html";

/// Why the request was denied, as IAM itself has it.
pub fn findings(check: FoundBy, id: &str, details: &AuthorizationDetails) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for call in &details.evaluations {
        // Whoever denies wins, whatever else does not allow.
        let is_explicit = call.denials.iter().any(|denial| denial.is_explicit);
        for denial in call.denials.iter().filter(|denial| denial.is_explicit == is_explicit) {
            for finding in of_denial(check, details, call, denial) {
                if !found.iter().any(|known| known.cause == finding.cause) {
                    found.push(
                        finding.with_evidence(format!("IAM says so of the request with the authorization id {id}")),
                    );
                }
            }
        }
    }
    found
}

fn of_denial(
    check: FoundBy,
    details: &AuthorizationDetails,
    call: &AuthorizationEvaluation,
    denial: &AuthorizationDenial,
) -> Vec<Finding> {
    let is_organization = matches!(denial.check.as_str(), "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY");
    let evaluated = details.evaluate(call, denial).map(|evaluation| of_policies(check, &evaluation));
    // IAM says whether a statement denied or none allowed; the other half of an evaluation is about nothing that happened.
    let is_of_kind = |finding: &Finding| (finding.cause == Cause::ExplicitDeny) == denial.is_explicit;
    let evaluated: Vec<Finding> = evaluated.unwrap_or_default().into_iter().filter(is_of_kind).collect();
    // What the account's own policies say is told as where they are read in IAM; the organization's have a cause of their own.
    let is_told = !evaluated.is_empty() && !is_organization && (denial.is_explicit || denial.check == "PRINCIPAL");
    if is_told {
        return evaluated.into_iter().map(|finding| Finding { certainty: Certainty::Proven, ..finding }).collect();
    }
    let cause = match (is_organization, denial.is_explicit) {
        (true, _) => Cause::Scp,
        (false, true) => Cause::ExplicitDeny,
        (false, false) => cause_of(&call.action),
    };
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary(details, call, denial));
    for statement in evaluated {
        finding.evidence.push(statement.summary);
        finding.evidence.extend(statement.evidence);
    }
    finding.docs = DOCS.to_owned();
    vec![finding]
}

fn summary(details: &AuthorizationDetails, call: &AuthorizationEvaluation, denial: &AuthorizationDenial) -> String {
    let action = &call.action;
    if !denial.is_explicit {
        return format!("{} allows `{action}`", none_of(&denial.check));
    }
    let names: Vec<String> = denial.policies.iter().map(|uri| details.name_of(uri)).collect();
    let place = if names.is_empty() { format!("a policy ({})", denial.check) } else { names.join(" and ") };
    match denial.statements.as_slice() {
        [] => format!("{place} denies `{action}` explicitly"),
        statements => format!("{place} denies `{action}` explicitly, by {}", statements.join(", ")),
    }
}

/// The kind of policy of which none allowed.
fn none_of(check: &str) -> &'static str {
    match check {
        "SERVICE_CONTROL_POLICY" => "no service control policy",
        "RESOURCE_CONTROL_POLICY" => "no resource control policy",
        "VPC_ENDPOINT" => "no policy of the VPC endpoint",
        "RESOURCE" => "no policy of the resource",
        "PERMISSIONS_BOUNDARY" => "no permissions boundary",
        "SESSION" => "no session policy",
        _ => "no policy of the caller's",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::ids::CheckId;

    fn judged(checks: &Value, documents: &[(&str, Value)]) -> Vec<Finding> {
        let mut details = AuthorizationDetails::default();
        details
            .add_page(&json!({
                "requestContext": { "aws:RequestedRegion": "eu-west-1" },
                "evaluations": [{ "action": "secretsmanager:GetSecretValue", "resource": "arn:aws:secretsmanager:eu-west-1:1:secret:s-AbCdEf",
                    "checks": checks }],
                "policies": [
                    { "type": "IDENTITY_BASED_POLICY", "inline": true, "uri": "u1", "attachedTo": [{ "arn": "arn:role" }] },
                    { "type": "SERVICE_CONTROL_POLICY", "inline": false, "uri": "arn:scp" },
                ],
            }))
            .unwrap();
        details.documents.extend(documents.iter().map(|(uri, text)| ((*uri).to_owned(), text.to_string())));
        findings(CheckId::AwsGetSecret.into(), "id7", &details)
    }

    fn explicit(check: &str, uri: &str) -> Value {
        json!({ "checkType": check, "evaluatedEffect": "EXPLICIT_DENY",
            "matchedPolicies": [{ "uri": uri, "matchedStatements": [{ "sid": "Region", "evaluatedEffect": "DENY" }] }] })
    }

    fn implicit(check: &str) -> Value {
        json!({ "checkType": check, "evaluatedEffect": "IMPLICIT_DENY", "relevantPolicyTypes": ["IDENTITY_BASED_POLICY"] })
    }

    #[test]
    fn what_denied_is_the_cause_and_proven() {
        let region = json!({ "Statement": { "Sid": "Region", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "StringNotEquals": { "aws:RequestedRegion": "us-east-1" } } } });
        let list =
            json!({ "Statement": { "Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*" } });
        for (checks, documents, cause, word) in [
            (json!([explicit("PRINCIPAL", "u1")]), vec![("u1", region.clone())], Cause::ExplicitDeny, "Region"),
            (json!([explicit("PRINCIPAL", "u1")]), vec![], Cause::ExplicitDeny, "by Region"),
            (json!([explicit("SERVICE_CONTROL_POLICY", "arn:scp")]), vec![("arn:scp", region)], Cause::Scp, "arn:scp"),
            (json!([implicit("SERVICE_CONTROL_POLICY")]), vec![], Cause::Scp, "no service control policy"),
            (json!([implicit("PRINCIPAL")]), vec![("u1", list)], Cause::MissingGet, "no policy that was read"),
            (json!([implicit("SESSION")]), vec![], Cause::MissingGet, "no session policy allows"),
            (json!([implicit("PRINCIPAL"), explicit("SESSION", "u1")]), vec![], Cause::ExplicitDeny, "u1"),
        ] {
            let found = judged(&checks, &documents);
            assert_eq!(found.len(), 1, "{checks}: {found:?}");
            assert_eq!((found[0].cause, found[0].certainty), (cause, Certainty::Proven), "{checks}");
            let told = format!("{} {}", found[0].summary, found[0].evidence.join(" "));
            assert!(told.contains(word) || word == "u1" && told.contains("arn:role"), "{told}");
            assert!(told.contains("authorization id id7"), "{told}");
        }
        assert_eq!(judged(&json!([]), &[]), []);
    }

    #[test]
    fn the_value_that_met_the_condition_is_told() {
        let region = json!({ "Statement": { "Sid": "Region", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "StringNotEquals": { "aws:RequestedRegion": "us-east-1" } } } });
        let found = judged(&json!([explicit("SERVICE_CONTROL_POLICY", "arn:scp")]), &[("arn:scp", region)]);
        assert!(
            found[0].evidence.iter().any(|line| line.contains("aws:RequestedRegion") && line.contains("eu-west-1"))
        );
    }
}
