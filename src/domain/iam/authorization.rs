//! The authorization id that a denial of AWS may end with, and what IAM tells of that denial: which policy and statement denied,
//! and the condition keys that the request had
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html>).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{AccessEvaluation, AccessRequest, Effect, OtherKeys, Policy, Truth, evaluate_access};

/// The words before an id, in small letters.
const WORDS: &str = "authorization id: ";
/// What a link to the console has before an id.
const LINK: &str = "#/authorization-details/";
const LONGEST_ID: usize = 256;

/// The id of a denial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationId {
    pub id: String,
    /// Where the denial is kept, as the link says; there is none in an older form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl AuthorizationId {
    /// The id that a denial's words carry.
    pub fn find(message: &str) -> Option<Self> {
        let link = message.find(LINK).map(|at| message.split_at(at));
        let named = message.to_ascii_lowercase().find(WORDS).and_then(|at| message.get(at + WORDS.len()..));
        let id = leading(named.or(link.and_then(|(_, rest)| rest.get(LINK.len()..)))?, |letter| {
            letter.is_ascii_alphanumeric() || letter == '-'
        });
        let region = link.and_then(|(before, _)| before.rsplit_once("region=")).map(|(_, region)| {
            leading(region, |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-').to_owned()
        });
        let region = region.filter(|region| !region.is_empty());
        (!id.is_empty() && id.len() <= LONGEST_ID).then(|| AuthorizationId { id: id.to_owned(), region })
    }

    /// Whether it can be looked up: the ids of the draft, which are UUIDs, can no more.
    pub fn is_current(&self) -> bool {
        self.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    text.split(|letter| !belongs(letter)).next().unwrap_or_default()
}

/// What IAM tells of a denial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthorizationDetails {
    /// The condition keys of the request, in small letters, as far as each has one value.
    pub context: BTreeMap<String, String>,
    pub evaluations: Vec<AuthorizationEvaluation>,
    pub policies: Vec<EvaluatedPolicy>,
    /// The policies as they were then, by their URIs.
    #[serde(skip)]
    pub documents: BTreeMap<String, String>,
}

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationEvaluation {
    pub action: String,
    pub resource: String,
    /// What this evaluation has beyond the request's condition keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
    /// What was required and did not let the request through.
    pub denials: Vec<AuthorizationDenial>,
}

/// A requirement that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationDenial {
    /// Such as `SERVICE_CONTROL_POLICY`, `PRINCIPAL`, `SESSION`.
    pub check: String,
    /// A statement denied; otherwise none allowed.
    pub is_explicit: bool,
    /// The URIs of the policies whose statements denied, or of all that might have allowed.
    pub policies: Vec<String>,
    /// The statements that denied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
}

/// A policy that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvaluatedPolicy {
    pub uri: String,
    /// Such as `IDENTITY_BASED_POLICY`.
    pub kind: String,
    pub is_inline: bool,
    /// The ARNs of what it hangs on.
    pub attached_to: Vec<String>,
}

impl EvaluatedPolicy {
    /// What people call it: its ARN, or its kind and what it hangs on.
    pub fn name(&self) -> String {
        if !self.is_inline {
            return self.uri.clone();
        }
        let kind = self.kind.to_lowercase().replace('_', "-").replace("-policy", " policy");
        format!("the inline {kind} of {}", self.attached_to.join(", "))
    }
}

impl AuthorizationDetails {
    /// Takes in a page of `GetRequestAuthorizationDetails`; nothing where it is none.
    pub fn add_page(&mut self, answer: &Value) -> Option<()> {
        let list = |name: &str| answer.get(name).and_then(Value::as_array);
        self.context.extend(context(answer.get("requestContext")?));
        for policy in list("policies")?.iter().filter_map(policy) {
            if !self.policies.iter().any(|known| known.uri == policy.uri) {
                self.policies.push(policy);
            }
        }
        let policies = &self.policies;
        self.evaluations.extend(list("evaluations")?.iter().filter_map(|one| evaluation(one, policies)));
        Some(())
    }

    /// The policies whose documents say why.
    pub fn wanted_documents(&self) -> Vec<&str> {
        let denials = self.evaluations.iter().flat_map(|evaluation| &evaluation.denials);
        let mut uris: Vec<&str> = denials.flat_map(|denial| &denial.policies).map(String::as_str).collect();
        uris.sort_unstable();
        uris.dedup();
        uris
    }

    /// What the documents of a denial say to the call as it was made; nothing where one of them is not at hand.
    pub fn evaluate(&self, call: &AuthorizationEvaluation, denial: &AuthorizationDenial) -> Option<AccessEvaluation> {
        let text = |uri: &String| Policy::parse(self.documents.get(uri)?).ok();
        let documents: Vec<Policy> = denial.policies.iter().map(text).collect::<Option<_>>()?;
        let context: BTreeMap<String, String> =
            self.context.iter().chain(&call.context).map(|(key, value)| (key.clone(), value.clone())).collect();
        // A key with several values is left out of the context, so what is not there may still have been.
        let request = AccessRequest {
            action: &call.action,
            resource: if call.resource.is_empty() { "*" } else { &call.resource },
            context: &context,
            others: OtherKeys::Unknown,
        };
        let mut evaluation = evaluate_access(&documents, &request);
        evaluation.policies = denial.policies.iter().map(|uri| self.name_of(uri)).collect();
        if denial.is_explicit {
            evaluation.statements.retain(|one| one.effect == Effect::Deny && one.matches != Truth::False);
            // IAM says that it did match.
            evaluation.statements.iter_mut().for_each(|one| one.matches = Truth::True);
        }
        Some(evaluation)
    }

    /// What people call a policy.
    pub fn name_of(&self, uri: &str) -> String {
        self.policies.iter().find(|policy| policy.uri == uri).map_or_else(|| uri.to_owned(), EvaluatedPolicy::name)
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// A map of condition keys.
fn context(map: &Value) -> BTreeMap<String, String> {
    let value = |value: &Value| match value {
        Value::Array(several) => several.first().filter(|_| several.len() == 1).and_then(plain),
        one => plain(one),
    };
    let entries = map.as_object().into_iter().flatten();
    entries.filter_map(|(key, own)| Some((key.to_lowercase(), value(own)?))).collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn policy(policy: &Value) -> Option<EvaluatedPolicy> {
    let attached = policy.get("attachedTo").and_then(Value::as_array);
    Some(EvaluatedPolicy {
        uri: text(policy, "uri")?,
        kind: text(policy, "type").unwrap_or_default(),
        is_inline: policy.get("inline") == Some(&Value::Bool(true)),
        attached_to: attached.into_iter().flatten().filter_map(|place| text(place, "arn")).collect(),
    })
}

fn evaluation(evaluation: &Value, policies: &[EvaluatedPolicy]) -> Option<AuthorizationEvaluation> {
    let checks = evaluation.get("checks").and_then(Value::as_array);
    Some(AuthorizationEvaluation {
        action: text(evaluation, "action")?,
        resource: text(evaluation, "resource").unwrap_or_default(),
        context: evaluation.get("context").map(context).unwrap_or_default(),
        denials: checks.into_iter().flatten().filter_map(|check| denial(check, policies)).collect(),
    })
}

fn denial(check: &Value, policies: &[EvaluatedPolicy]) -> Option<AuthorizationDenial> {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let kind = text(check, "checkType")?;
    match text(check, "evaluatedEffect")?.as_str() {
        "EXPLICIT_DENY" => {
            let denied = |statement: &&Value| text(statement, "evaluatedEffect").as_deref() == Some("DENY");
            let mut found =
                AuthorizationDenial { check: kind, is_explicit: true, policies: Vec::new(), statements: Vec::new() };
            for matched in list(check, "matchedPolicies") {
                let statements = list(&matched, "matchedStatements");
                let mut denying = statements.iter().filter(denied).peekable();
                found.policies.extend(denying.peek().and_then(|_| text(&matched, "uri")));
                found.statements.extend(denying.filter_map(|statement| text(statement, "sid")));
            }
            Some(found)
        }
        "IMPLICIT_DENY" => {
            let kinds = list(check, "relevantPolicyTypes");
            let might_allow = policies.iter().filter(|policy| kinds.iter().any(|kind| *kind == policy.kind.as_str()));
            let policies = might_allow.map(|policy| policy.uri.clone()).collect();
            Some(AuthorizationDenial { check: kind, is_explicit: false, policies, statements: Vec::new() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::iam::Decision;

    const CURRENT: &str = "… with an explicit deny in an identity-based policy. Go to https://eu-west-1.console.aws.amazon.com/iam/home?region=eu-west-1#/authorization-details/8k2m1q for complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: 8k2m1q";

    #[test]
    fn both_forms_of_an_id_are_read() {
        let found = AuthorizationId::find(CURRENT).unwrap();
        assert_eq!(
            (found.id.as_str(), found.region.as_deref(), found.is_current()),
            ("8k2m1q", Some("eu-west-1"), true)
        );
        let cut = CURRENT.split(" for complete").next().unwrap();
        assert_eq!(AuthorizationId::find(cut), Some(found));
        let draft = "call the iam:GetAuthorizationDetails API with the following authorization ID: 0a1b2c3d-1111-2222-3333-444455556666.";
        let found = AuthorizationId::find(draft).unwrap();
        assert_eq!((found.id.len(), found.region.as_deref(), found.is_current()), (36, None, false));
        for other in ["AccessDenied", "authorization id: ", &format!("authorization id: {}", "a".repeat(300))] {
            assert_eq!(AuthorizationId::find(other), None, "{other}");
        }
    }

    fn details(check: &Value, documents: &[(&str, Value)]) -> AuthorizationDetails {
        let mut details = AuthorizationDetails::default();
        let page = json!({
            "requestContext": { "aws:PrincipalTag/team": "blue", "aws:CalledVia": ["a", "b"], "aws:MultiFactorAuthPresent": [false] },
            "evaluations": [{ "action": "secretsmanager:GetSecretValue", "resource": "arn:s", "evaluatedEffect": "EXPLICIT_DENY",
                "context": {}, "checks": [{ "checkType": "SERVICE_CONTROL_POLICY", "evaluatedEffect": "ALLOW" }, check] }],
            "policies": [
                { "type": "IDENTITY_BASED_POLICY", "inline": true, "uri": "u1", "attachedTo": [{ "arn": "arn:role" }] },
                { "type": "SERVICE_CONTROL_POLICY", "inline": false, "uri": "arn:scp", "attachedTo": [] },
            ],
        });
        details.add_page(&page).unwrap();
        details.documents.extend(documents.iter().map(|(uri, text)| ((*uri).to_owned(), text.to_string())));
        details
    }

    #[test]
    fn the_statement_that_denied_is_told_with_the_values_that_the_request_had() {
        let explicit = json!({ "checkType": "PRINCIPAL", "evaluatedEffect": "EXPLICIT_DENY", "matchedPolicies": [
            { "uri": "u1", "matchedStatements": [{ "sid": "NoBlue", "evaluatedEffect": "DENY" }, { "sid": "Read", "evaluatedEffect": "ALLOW" }] },
            { "uri": "arn:other", "matchedStatements": [{ "sid": "x", "evaluatedEffect": "ALLOW" }] },
        ]});
        let policy = json!({ "Statement": [
            { "Sid": "Read", "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Sid": "NoBlue", "Effect": "Deny", "Action": "*", "Resource": "*",
              "Condition": { "StringEquals": { "aws:PrincipalTag/team": "blue" } } },
        ]});
        let details = details(&explicit, &[("u1", policy)]);
        assert_eq!(details.context.len(), 2, "{:?}", details.context);
        assert_eq!(details.wanted_documents(), ["u1"]);
        let call = &details.evaluations[0];
        assert_eq!(call.denials[0].statements, ["NoBlue"]);
        let said = details.evaluate(call, &call.denials[0]).unwrap();
        assert_eq!((said.statements.len(), said.decision), (1, Decision::Deny));
        assert_eq!(said.statements[0].conditions[0].actual.as_deref(), Some(&["blue".to_owned()][..]));
        assert_eq!(said.policies, ["the inline identity-based policy of arn:role"]);
    }

    #[test]
    fn where_nothing_allowed_all_that_might_have_are_looked_at() {
        let implicit = json!({ "checkType": "PRINCIPAL", "evaluatedEffect": "IMPLICIT_DENY", "relevantPolicyTypes": ["IDENTITY_BASED_POLICY"] });
        let details = details(&implicit, &[]);
        assert_eq!(details.wanted_documents(), ["u1"]);
        let call = &details.evaluations[0];
        assert_eq!((call.denials.len(), call.denials[0].is_explicit), (1, false));
        assert_eq!(details.evaluate(call, &call.denials[0]), None, "its document was not read");
        assert_eq!(details.name_of("arn:scp"), "arn:scp");
        assert_eq!(AuthorizationDetails::default().add_page(&json!({ "evaluations": [] })), None);
    }
}
