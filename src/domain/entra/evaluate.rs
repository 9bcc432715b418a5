//! Whether a federated credential accepts a token: issuer, subject and audience, compared as Entra compares them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::credential::CredentialProblem;
use super::credential::{CredentialSet, FederatedCredential};
use super::difference;
use super::difference::Difference;
use super::expression::{ClaimsExpression, claim_text, flexible_issuer};
use crate::domain::iam::open_text::{is_open, match_open, why_open};
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::iam::{Decision, Truth};
use crate::domain::profile::expected::{Predicted, PredictedClaims, may_have};

/// What the credentials at hand say of a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CredentialEvaluation {
    pub decision: Decision,
    /// Nearest first: one that accepts, else the one with the least to change.
    pub statements: Vec<EvaluatedCredential>,
    /// What is wrong with the credentials, whatever the token.
    pub problems: Vec<CredentialProblem>,
    /// Whether the application's whole list was evaluated, not one credential of it.
    pub is_list: bool,
}

/// One credential and its comparisons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluatedCredential {
    /// Its place in the text, counted from 0 as the statements of a policy are.
    pub index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub effect: &'static str,
    pub matches: Truth,
    /// Issuer, then subject or the expression's comparisons, then audience.
    pub conditions: Vec<Comparison>,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// `equals`, `eq` or `matches`.
    pub operator: &'static str,
    pub key: Field,
    /// What the credential holds.
    pub expected: Vec<String>,
    /// What the token holds; `None` where the claim is absent.
    pub actual: Option<Vec<String>>,
    pub result: Truth,
    pub why: String,
    /// How the two differ, where they do and both are plain texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Issuer,
    Subject,
    Audience,
    /// A claim of an expression.
    Claim(String),
}

impl Field {
    /// The field's name in a credential, or `claims['name']`.
    pub fn name(&self) -> String {
        match self {
            Field::Issuer => "issuer".into(),
            Field::Subject => "subject".into(),
            Field::Audience => "audience".into(),
            Field::Claim(claim) => format!("claims['{claim}']"),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl EvaluatedCredential {
    /// The comparisons that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Comparison> {
        self.conditions.iter().filter(|c| c.result == Truth::False)
    }

    fn distance(&self) -> u32 {
        let weigh = |c: &Comparison| match (c.result, &c.difference) {
            (Truth::True, _) => 0,
            (Truth::Unknown, _) => 1,
            // Another issuer, more than a slip away, is another platform: the credential was not meant for this token.
            (Truth::False, Some(difference)) if c.key == Field::Issuer => 10 + 4 * difference.distance(),
            (Truth::False, Some(difference)) => 10 + difference.distance(),
            (Truth::False, None) => 13,
        };
        self.conditions.iter().map(weigh).sum()
    }

    /// What to call it: its name, or its place.
    pub fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("credential {}", self.index + 1))
    }
}

/// Compares a token's claims with each credential: issuer, subject and audience must be equal, letter by letter; of a
/// flexible credential the expression must hold. One credential that accepts is enough.
///
/// Says nothing of the signature and the times, and nothing of how long a new credential takes to be known everywhere.
pub fn evaluate(set: &CredentialSet, claims: &Map<String, Value>) -> CredentialEvaluation {
    let effort = Effort::full();
    let statements: Vec<EvaluatedCredential> =
        set.credentials.iter().enumerate().map(|(at, one)| evaluated(at, one, claims, &effort)).collect();
    decided(set, statements)
}

/// The decision of the credentials, the nearest first.
pub(super) fn decided(set: &CredentialSet, mut statements: Vec<EvaluatedCredential>) -> CredentialEvaluation {
    statements.sort_by_key(EvaluatedCredential::distance);
    let decision = match Truth::any(statements.iter().map(|s| s.matches)) {
        Truth::True => Decision::Allow,
        Truth::False => Decision::Deny,
        Truth::Unknown => Decision::Unknown,
    };
    CredentialEvaluation { decision, statements, problems: set.problems.clone(), is_list: set.is_list }
}

fn evaluated(
    index: usize,
    one: &FederatedCredential,
    claims: &Map<String, Value>,
    effort: &Effort,
) -> EvaluatedCredential {
    let mut conditions = vec![equals(Field::Issuer, &one.issuer, claims.get("iss"))];
    match (&one.expression, &one.subject) {
        (Some(text), _) => conditions.extend(expression(&one.issuer, text, claims, effort)),
        (None, Some(subject)) => conditions.push(equals(Field::Subject, subject, claims.get("sub"))),
        (None, None) => conditions.push(unknown(
            Field::Subject,
            claims.get("sub"),
            "the credential shows no subject; a flexible one has an expression, which this answer leaves out",
        )),
    }
    conditions.push(audience(&one.audiences, claims.get("aud")));
    let matches = Truth::all(conditions.iter().map(|c| c.result));
    EvaluatedCredential { index, name: one.name.clone(), effect: "Allow", matches, conditions }
}

fn equals(key: Field, expected: &str, claim: Option<&Value>) -> Comparison {
    let actual = claim.and_then(Value::as_str);
    if let Some(actual) = actual.filter(|actual| is_open(expected) && match_open(expected, actual) == Truth::Unknown) {
        let open = unknown(key, claim, &why_open(expected));
        return Comparison { expected: vec![expected.to_owned()], actual: Some(vec![actual.to_owned()]), ..open };
    }
    let difference = match actual {
        Some(actual) => difference::between(expected, actual),
        None => Some(Difference::Absent),
    };
    let why = difference.as_ref().map_or_else(|| "equal".to_owned(), Difference::sentence);
    Comparison {
        operator: "equals",
        key,
        expected: vec![expected.to_owned()],
        actual: actual.map(|a| vec![a.to_owned()]),
        result: difference.is_none().into(),
        why,
        difference,
    }
}

fn audience(expected: &[String], claim: Option<&Value>) -> Comparison {
    let several: Option<Vec<String>> = match claim {
        Some(Value::Array(many)) => Some(many.iter().filter_map(claim_text).collect()),
        _ => None,
    };
    match (several, expected) {
        // A list of one is that one.
        (Some(actual), [expected]) if actual.len() > 1 => {
            let difference = if actual.contains(expected) { Difference::OneOfSeveral } else { Difference::Other };
            Comparison {
                operator: "equals",
                key: Field::Audience,
                expected: vec![expected.clone()],
                why: difference.sentence(),
                actual: Some(actual),
                result: Truth::False,
                difference: Some(difference),
            }
        }
        (Some(actual), [expected]) => {
            equals(Field::Audience, expected, actual.into_iter().next().map(Value::String).as_ref())
        }
        (None, [expected]) => equals(Field::Audience, expected, claim),
        (_, expected) => {
            let actual: Option<Vec<String>> = claim.map(|c| match c {
                Value::Array(many) => many.iter().filter_map(claim_text).collect(),
                one => claim_text(one).into_iter().collect(),
            });
            let found = actual.as_ref().is_some_and(|a| a.len() == 1 && expected.contains(&a[0]));
            Comparison {
                operator: "equals",
                key: Field::Audience,
                expected: expected.to_vec(),
                why: format!("the credential has {} audiences, and Entra takes exactly one", expected.len()),
                actual,
                result: if found { Truth::Unknown } else { Truth::False },
                difference: None,
            }
        }
    }
}

fn expression(issuer: &str, text: &str, claims: &Map<String, Value>, effort: &Effort) -> Vec<Comparison> {
    if is_open(issuer) || is_open(text) && ClaimsExpression::parse(text).is_err() {
        let open = unknown(Field::Subject, claims.get("sub"), &why_open(&format!("{issuer} {text}")));
        return vec![Comparison { expected: vec![text.to_owned()], ..open }];
    }
    // A GitLab of one's own writes the subjects of gitlab.com, and Microsoft's page shows one.
    if flexible_issuer(issuer).is_none() && !text.contains("'project_path:") {
        let why = "Entra takes expressions for GitHub, gitlab.com and Terraform Cloud only";
        let mut refused = unknown(Field::Subject, claims.get("sub"), why);
        refused.expected = vec![text.to_owned()];
        refused.result = Truth::False;
        return vec![refused];
    }
    let parsed = match ClaimsExpression::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let mut unread = unknown(Field::Subject, claims.get("sub"), &format!("cannot be read: {error}"));
            unread.expected = vec![text.to_owned()];
            return vec![unread];
        }
    };
    let whole = parsed.accepts(claims);
    let is_any = matches!(parsed, ClaimsExpression::Any(_));
    parsed
        .tests()
        .into_iter()
        .map(|test| {
            let own = test.accepts(claims, effort);
            // Of alternatives that one of meets, the others do not count against the token.
            let result = if whole == Truth::True || is_any && whole == Truth::Unknown { whole } else { own };
            let actual = claims.get(&test.claim).and_then(claim_text);
            let why = match (own, &actual) {
                (_, None) => "the token has no such claim".to_owned(),
                (Truth::True, _) => "holds".to_owned(),
                (Truth::False, _) => "does not hold".to_owned(),
                (Truth::Unknown, _) if is_open(&test.value) => why_open(&test.value),
                (Truth::Unknown, _) => "too costly to decide".to_owned(),
            };
            Comparison {
                operator: match test.operator {
                    super::expression::Operator::Eq => "eq",
                    super::expression::Operator::Matches => "matches",
                },
                key: Field::Claim(test.claim.clone()),
                expected: vec![test.value.clone()],
                actual: actual.map(|a| vec![a]),
                result,
                why,
                difference: None,
            }
        })
        .collect()
}

fn unknown(key: Field, claim: Option<&Value>, why: &str) -> Comparison {
    Comparison {
        operator: "equals",
        key,
        expected: Vec::new(),
        actual: claim.and_then(claim_text).map(|a| vec![a]),
        result: Truth::Unknown,
        why: why.to_owned(),
        difference: None,
    }
}

/// Decides on the expected claims. Where a part of the subject is open, a credential for one value of it accepts some of
/// these tokens and refuses others: then it is unknown, and the one that it accepts is told.
pub fn evaluate_predicted(set: &CredentialSet, predicted: &PredictedClaims) -> Predicted<CredentialEvaluation> {
    let mut evaluation = evaluate(set, &predicted.claims);
    let statements =
        evaluation.statements.drain(..).map(|statement| unknown_claims_open(statement, predicted)).collect();
    let mut evaluation = decided(set, statements);
    let accepts_only = match evaluation.decision {
        Decision::Deny => accepted(set, predicted),
        Decision::Allow | Decision::Unknown => None,
    };
    if accepts_only.is_some() {
        evaluation.decision = Decision::Unknown;
    }
    Predicted { evaluation, accepts_only }
}

/// A claim that such tokens have, and whose value is not known, is no reason to refuse.
fn unknown_claims_open(mut statement: EvaluatedCredential, predicted: &PredictedClaims) -> EvaluatedCredential {
    for comparison in &mut statement.conditions {
        let Field::Claim(claim) = &comparison.key else { continue };
        if comparison.result == Truth::False && comparison.actual.is_none() && may_have(&predicted.unknown, claim) {
            comparison.result = Truth::Unknown;
            comparison.difference = None;
            comparison.why = "depends on the claim's value, which the profile does not tell".to_owned();
        }
    }
    statement.matches = Truth::all(statement.conditions.iter().map(|comparison| comparison.result));
    statement
}

fn accepted(set: &CredentialSet, predicted: &PredictedClaims) -> Option<String> {
    let open = predicted.open_subject.as_deref()?;
    let written = set.credentials.iter().filter_map(|credential| credential.subject.as_deref());
    let accepts = |subject: &&str| {
        like(open, subject, &Effort::full()) == Truth::True
            && evaluate(set, &predicted.with_subject(subject)).decision == Decision::Allow
    };
    written.take(32).find(accepts).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::text_difference::TextDifference;

    fn set(credentials: Value) -> CredentialSet {
        CredentialSet::parse(&credentials.to_string()).unwrap()
    }

    fn one(issuer: &str, subject: &str, audience: &str) -> Value {
        json!({"name": "one", "issuer": issuer, "subject": subject, "audiences": [audience]})
    }

    fn claims(iss: &str, sub: &str, aud: Value) -> Map<String, Value> {
        json!({"iss": iss, "sub": sub, "aud": aud}).as_object().unwrap().clone()
    }

    #[test]
    fn what_code_leaves_open_is_unknown_by_name_unless_the_rest_decides() {
        let github = "https://token.actions.githubusercontent.com";
        let subject = "repo:octo/app:ref:refs/heads/main";
        let token = claims(github, subject, json!("api://AzureADTokenExchange"));
        let flexible = |expression: &str| {
            json!({"name": "one", "issuer": github, "audiences": ["api://AzureADTokenExchange"],
                "claimsMatchingExpression": {"value": expression, "languageVersion": 1}})
        };
        for (credential, decision, why) in [
            (
                one(github, "repo:${unknown:var.owner}/app:ref:refs/heads/main", "api://AzureADTokenExchange"),
                Decision::Unknown,
                "depends on var.owner, which has no value here",
            ),
            (one(github, "repo:${unknown:var.owner}/api:x", "api://AzureADTokenExchange"), Decision::Deny, "differ"),
            (one(github, "${unknown:var.subject}", "other"), Decision::Deny, "different texts"),
            (one("${unknown:var.issuer}", subject, "api://AzureADTokenExchange"), Decision::Unknown, "var.issuer"),
            (one(github, subject, "${unknown:var.audience}"), Decision::Unknown, "var.audience"),
            (flexible("claims['sub'] matches 'repo:${unknown:var.owner}/*'"), Decision::Unknown, "var.owner"),
            (flexible("claims['sub'] eq 'repo:${unknown:var.owner}/api'"), Decision::Deny, "does not hold"),
            (flexible("${unknown:var.expression}"), Decision::Unknown, "var.expression"),
        ] {
            let set = set(json!([credential]));
            assert_eq!(set.problems, [], "{credential}");
            let found = evaluate(&set, &token);
            assert_eq!(found.decision, decision, "{credential}");
            let whys: Vec<&str> = found.statements[0].conditions.iter().map(|c| c.why.as_str()).collect();
            assert!(whys.iter().any(|found| found.contains(why)), "{whys:?} {why}");
        }
    }

    #[test]
    fn decides_as_entra_does() {
        let credential = one("https://i", "organization:1", "api://A");
        for (iss, sub, aud, decision, failed) in [
            ("https://i", "organization:1", json!("api://A"), Decision::Allow, vec![]),
            ("https://i", "organization:1", json!(["api://A"]), Decision::Allow, vec![]),
            ("https://i/", "organization:1", json!("api://A"), Decision::Deny, vec![Field::Issuer]),
            ("https://i", "Organization:1", json!("api://A"), Decision::Deny, vec![Field::Subject]),
            ("https://i", "organization:1", json!("api://a"), Decision::Deny, vec![Field::Audience]),
            ("https://i", "organization:1", json!(["api://A", "b"]), Decision::Deny, vec![Field::Audience]),
            ("https://j", "x", json!(null), Decision::Deny, vec![Field::Issuer, Field::Subject, Field::Audience]),
        ] {
            let evaluation = evaluate(&set(json!([credential])), &claims(iss, sub, aud));
            assert_eq!(evaluation.decision, decision, "{iss} {sub}");
            let keys: Vec<Field> = evaluation.statements[0].failed().map(|c| c.key.clone()).collect();
            assert_eq!(keys, failed, "{iss} {sub}");
        }
    }

    #[test]
    fn one_that_accepts_is_enough_and_the_nearest_comes_first() {
        let list = set(json!([
            one("https://other", "organization:1", "api://A"),
            one("https://i", "organization:2", "api://A"),
            one("https://i", "organization:1", "api://A"),
        ]));
        let evaluation = evaluate(&list, &claims("https://i", "organization:1", json!("api://A")));
        assert_eq!(evaluation.decision, Decision::Allow);
        assert_eq!(evaluation.statements.iter().map(|s| s.index).collect::<Vec<_>>(), [2, 1, 0]);
        let denied = evaluate(&list, &claims("https://i", "ORGANIZATION:2", json!("api://A")));
        assert_eq!(denied.statements[0].index, 1);
        assert_eq!(denied.statements[0].conditions[1].difference, Some(Difference::Near(TextDifference::LetterCase)));
    }

    #[test]
    fn no_credential_denies_and_a_hidden_subject_is_not_known() {
        assert_eq!(evaluate(&set(json!([])), &Map::new()).decision, Decision::Deny);
        let hidden = set(json!([{"issuer": "https://gitlab.com", "audiences": ["a"]}]));
        assert_eq!(evaluate(&hidden, &claims("https://gitlab.com", "s", json!("a"))).decision, Decision::Unknown);
        assert_eq!(evaluate(&hidden, &claims("https://else", "s", json!("a"))).decision, Decision::Deny);
    }

    #[test]
    fn flexible_credentials_are_evaluated_where_they_are_allowed() {
        let flexible = |issuer: &str, text: &str| {
            set(
                json!([{"issuer": issuer, "audiences": ["a"], "claimsMatchingExpression": {"value": text, "languageVersion": 1}}]),
            )
        };
        let github = "https://token.actions.githubusercontent.com";
        let token = claims(github, "repo:o/r:ref:refs/heads/main", json!("a"));
        let decide = |issuer, text| evaluate(&flexible(issuer, text), &token).decision;
        assert_eq!(decide(github, "claims['sub'] matches 'repo:o/r:*'"), Decision::Allow);
        assert_eq!(decide(github, "claims['sub'] eq 'x' or claims['sub'] matches 'repo:*'"), Decision::Allow);
        assert_eq!(decide(github, "claims['sub'] matches 'repo:p/*'"), Decision::Deny);
        assert_eq!(decide(github, "sub matches 'repo:o/*'"), Decision::Unknown);
        let platform = flexible("https://platform", "claims['sub'] matches '*'");
        assert_eq!(evaluate(&platform, &claims("https://platform", "s", json!("a"))).decision, Decision::Deny);
    }

    #[test]
    fn serializes_to_the_trust_shape() {
        let evaluation = evaluate(&set(one("https://i", "s", "a")), &claims("https://i", "S", json!("a")));
        let json = serde_json::to_value(&evaluation).unwrap();
        assert_eq!(json["decision"], "deny");
        assert_eq!(json["statements"][0]["effect"], "Allow");
        assert_eq!(json["statements"][0]["matches"], "false");
        let condition = &json["statements"][0]["conditions"][1];
        assert_eq!((&condition["operator"], &condition["key"]), (&json!("equals"), &json!("subject")));
        assert_eq!(condition["difference"], "letter-case");
    }

    proptest! {
        /// The definition: equal texts, nothing else.
        #[test]
        fn agrees_with_equality(i in "[aA/ ]{0,3}", s in "[aA:]{0,3}", a in "[aA]{0,2}", ti in "[aA/ ]{0,3}", ts in "[aA:]{0,3}", ta in "[aA]{0,2}") {
            let credential = FederatedCredential { id: None, name: None, issuer: i.clone(), subject: Some(s.clone()), expression: None, audiences: vec![a.clone()] };
            let list = CredentialSet { credentials: vec![credential], ..CredentialSet::default() };
            let decision = evaluate(&list, &claims(&ti, &ts, json!(ta))).decision;
            prop_assert_eq!(decision == Decision::Allow, i == ti && s == ts && a == ta);
        }
    }
}

#[cfg(test)]
mod predicted_tests {
    use serde_json::json;

    use super::*;
    use crate::domain::profile::expected::predicted_claims;
    use crate::domain::profile::key::Key;
    use crate::domain::profile::{Guide, Profile};

    fn decided(credential: serde_json::Value) -> (Decision, Option<String>) {
        let mut whole = json!({"name": "n", "issuer": "https://token.actions.githubusercontent.com",
            "audiences": ["api://AzureADTokenExchange"]});
        for (name, value) in credential.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let workload = [(Key::GithubRepository, "o/r".to_owned())].into_iter().collect();
        let profile = Profile { workload, ..Profile::bare("p", Guide::AzureWorkloadIdentity) };
        let set = CredentialSet::parse(&whole.to_string()).unwrap();
        let found = evaluate_predicted(&set, &predicted_claims(&profile).unwrap());
        (found.evaluation.decision, found.accepts_only)
    }

    #[test]
    fn decides_as_far_as_the_profile_tells() {
        let one = "repo:o/r:environment:prod";
        assert_eq!(decided(json!({"subject": one})), (Decision::Unknown, Some(one.to_owned())));
        assert_eq!(decided(json!({"subject": "repo:o/other:environment:prod"})), (Decision::Deny, None));
        let expression = |value: &str| json!({"claimsMatchingExpression": {"languageVersion": 1, "value": value}});
        assert_eq!(decided(expression("claims['sub'] matches 'repo:o/r:*'")), (Decision::Allow, None));
        let workflow = "claims['sub'] matches 'repo:o/r:*' and claims['job_workflow_ref'] matches 'o/r/*'";
        assert_eq!(decided(expression(workflow)), (Decision::Unknown, None));
        assert_eq!(decided(expression("claims['sub'] matches 'repo:x/*'")), (Decision::Deny, None));
    }
}
