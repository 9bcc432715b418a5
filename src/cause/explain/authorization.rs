//! What AWS's own explanation of a denial says: the answer of `GetRequestAuthorizationDetails` (IAM toolbox, a preview of 2026,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html>), told in the words of the
//! denial that a client prints.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The answer, as far as it says why.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default)]
    request_context: Map<String, Value>,
    evaluations: Vec<Evaluation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation {
    action: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    check_type: String,
    evaluated_effect: String,
    #[serde(default)]
    matched_policies: Vec<MatchedPolicy>,
}

#[derive(Debug, Deserialize)]
struct MatchedPolicy {
    uri: String,
}

/// What the answer calls a policy's kind, and what a denial does.
const KINDS: &[(&str, &str)] = &[
    ("SERVICE_CONTROL_POLICY", "service control policy"),
    ("RESOURCE_CONTROL_POLICY", "resource control policy"),
    ("VPC_ENDPOINT", "VPC endpoint policy"),
    ("RESOURCE", "resource-based policy"),
    ("PRINCIPAL", "identity-based policy"),
    ("PERMISSIONS_BOUNDARY", "permissions boundary"),
    ("SESSION", "session policy"),
];

/// The text with each such answer in it replaced by the denials that it explains; nothing where it has none.
pub(super) fn as_denials(text: &str) -> Option<String> {
    if !text.contains("\"checkType\"") {
        return None;
    }
    let at = text.find('{')?;
    let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Details>();
    let details = values.next()?.ok()?;
    let behind = &text[at + values.byte_offset()..];
    let lines = details.denials();
    (!lines.is_empty()).then(|| format!("{}\n{}\n{behind}", &text[..at], lines.join("\n")))
}

impl Details {
    fn denials(&self) -> Vec<String> {
        let caller = ["aws:PrincipalArn", "aws:principalArn"].iter().find_map(|key| self.request_context.get(*key));
        let caller = match caller {
            Some(Value::Array(many)) => many.first().and_then(Value::as_str),
            Some(one) => one.as_str(),
            None => None,
        };
        let whose = caller.map_or_else(|| "The caller".to_owned(), |arn| format!("User: {arn}"));
        self.evaluations.iter().filter_map(|evaluation| evaluation.denial(&whose)).collect()
    }
}

impl Evaluation {
    /// The denial, for what denies outright where something does, else for the narrowest of what does not allow.
    fn denial(&self, whose: &str) -> Option<String> {
        let of = |effect: &str| self.checks.iter().find(|check| check.evaluated_effect == effect);
        let silent = || {
            let silent = self.checks.iter().filter(|check| check.evaluated_effect == "IMPLICIT_DENY");
            // That no policy of the resource allows says nothing beside what has to allow as well.
            silent.min_by_key(|check| check.check_type == "RESOURCE")
        };
        let (check, is_explicit) = match of("EXPLICIT_DENY") {
            Some(check) => (check, true),
            None => (silent()?, false),
        };
        let kind = KINDS.iter().find(|(name, _)| *name == check.check_type).map(|(_, kind)| *kind)?;
        let on = if self.resource.is_empty() { String::new() } else { format!(" on resource: {}", self.resource) };
        let policy = check.matched_policies.first().map(|policy| format!(": {}", policy.uri)).unwrap_or_default();
        let why = if is_explicit {
            let article = if kind.starts_with('i') { "an" } else { "a" };
            format!("with an explicit deny in {article} {kind}{policy}")
        } else {
            format!("because no {kind} allows the {} action", self.action)
        };
        Some(format!("AccessDenied: {whose} is not authorized to perform: {}{on} {why}", self.action))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ExplainContext, explain};
    use super::*;
    use crate::cause::Cause;

    fn answer(checks: &Value) -> Value {
        json!({
            "requestContext": { "aws:PrincipalArn": ["arn:aws:iam::123456789012:role/reader"] },
            "evaluations": [{
                "action": "secretsmanager:GetSecretValue",
                "resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
                "evaluatedEffect": "EXPLICIT_DENY",
                "checks": checks
            }],
            "policies": []
        })
    }

    fn check(kind: &str, effect: &str) -> Value {
        json!({ "checkType": kind, "evaluatedEffect": effect, "matchedPolicies": [{ "uri": "arn:aws:iam::123456789012:policy/p" }] })
    }

    #[test]
    fn the_check_that_denied_is_the_cause() {
        let allowed = check("PRINCIPAL", "ALLOW");
        for (checks, cause) in [
            (json!([allowed, check("PERMISSIONS_BOUNDARY", "IMPLICIT_DENY")]), Cause::PermissionsBoundary),
            (json!([allowed, check("SESSION", "IMPLICIT_DENY")]), Cause::SessionPolicy),
            (json!([allowed, check("VPC_ENDPOINT", "IMPLICIT_DENY")]), Cause::VpcEndpointPolicy),
            (json!([allowed, check("SERVICE_CONTROL_POLICY", "EXPLICIT_DENY")]), Cause::Scp),
            (json!([allowed, check("RESOURCE_CONTROL_POLICY", "IMPLICIT_DENY")]), Cause::Scp),
            (json!([check("RESOURCE", "IMPLICIT_DENY"), check("PRINCIPAL", "IMPLICIT_DENY")]), Cause::MissingGet),
            (json!([allowed, check("RESOURCE", "EXPLICIT_DENY")]), Cause::ExplicitDeny),
            (json!([check("SESSION", "IMPLICIT_DENY"), check("PRINCIPAL", "EXPLICIT_DENY")]), Cause::ExplicitDeny),
        ] {
            let explanation = explain(&format!("{:#}", answer(&checks)), &ExplainContext::default());
            assert_eq!(explanation.causes.first().map(|found| found.cause), Some(cause), "{checks}");
            let parsed = &explanation.parsed;
            assert_eq!(parsed.principal.as_deref(), Some("arn:aws:iam::123456789012:role/reader"), "{parsed:?}");
            assert_eq!(parsed.action.as_deref(), Some("secretsmanager:GetSecretValue"));
        }
    }

    #[test]
    fn what_stands_around_the_answer_stays_and_other_json_is_left_alone() {
        let denied = answer(&json!([check("SESSION", "IMPLICIT_DENY")]));
        let told = as_denials(&format!("$ aws iam-toolbox …\n{denied}\ndone")).unwrap();
        assert!(told.starts_with("$ aws iam-toolbox") && told.ends_with("\ndone"), "{told}");
        assert_eq!(as_denials("{\"checkType\": 1}"), None);
        assert_eq!(as_denials(&answer(&json!([check("PRINCIPAL", "ALLOW")])).to_string()), None);
        assert_eq!(as_denials("AccessDenied"), None);
    }
}
