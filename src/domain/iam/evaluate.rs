//! Would this trust policy let this token have the role? The answer with every reason.

use serde::{Deserialize, Serialize};

use super::condition;
use super::context::{Actual, Context, TrustContext, TrustRequest, Unseen, authorized_party, claim_name};
use super::decide::{Decision, Refusal, covers_action, decide_action, decide_trust, refusals};
use super::foreign::values_for;
use super::key::{ImpossibleKey, impossible};
use super::near_subject::nearest_principal;
use super::open_text;
use super::operator::Comparison;
use super::pattern::{Effort, like};
use super::policy::{ActionElement, Condition, Effect, Policy, Statement};
use super::transformation::{LONGEST, Miss, NearMiss};
use super::truth::Truth;
use crate::domain::issuer::condition_key_prefix;
use crate::domain::profile::expected::{Predicted, PredictedClaims};

/// What a trust policy says to a token, with every reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustEvaluation {
    pub decision: Decision,
    /// The token's issuer.
    pub issuer: String,
    /// The identity provider the token was taken to come from.
    pub provider_arn: String,
    /// The role that was asked for, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The token's `azp`, which STS takes in place of `aud`, where that says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_party: Option<String>,
    /// The decision on each action that STS asks the policy for: the exchange, and what the token's claims add.
    pub actions: Vec<ActionDecision>,
    /// What STS refuses whatever the policy says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    pub statements: Vec<StatementEvaluation>,
}

/// The decision on one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionDecision {
    pub action: String,
    pub decision: Decision,
}

/// What one statement says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementEvaluation {
    /// Its place in the policy, from 0.
    pub index: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub effect: Effect,
    /// Whether all of it fits the request.
    pub matches: Truth,
    pub principal: ElementEvaluation,
    pub action: ElementEvaluation,
    pub conditions: Vec<ConditionEvaluation>,
}

impl TrustEvaluation {
    /// The allowing statement that lacks the least, which is the one that was meant.
    pub fn nearest_allow(&self) -> Option<&StatementEvaluation> {
        let allow = self.statements.iter().filter(|s| s.effect == Effect::Allow);
        allow.min_by_key(|statement| statement.distance())
    }
}

impl StatementEvaluation {
    /// How far it is from fitting.
    fn distance(&self) -> usize {
        let of = |result: Truth, is_near: bool, far: usize| match result {
            Truth::False if is_near => 2,
            Truth::False => far,
            Truth::Unknown => 1,
            Truth::True => 0,
        };
        let conditions = self.conditions.iter();
        of(self.principal.result, self.principal.near_miss.is_some(), 12)
            + of(self.action.result, false, 6)
            + conditions.map(|c| of(c.result, c.near_miss.is_some() || c.impossible_key.is_some(), 4)).sum::<usize>()
    }

    /// A statement fits where its principal, its action and every condition do.
    pub(super) fn of(
        index: usize,
        statement: &Statement,
        principal: ElementEvaluation,
        action: ElementEvaluation,
        conditions: Vec<ConditionEvaluation>,
    ) -> Self {
        let matches = principal.result.and(action.result).and(Truth::all(conditions.iter().map(|c| c.result)));
        let Statement { effect, ref sid, .. } = *statement;
        StatementEvaluation { index, sid: sid.clone(), effect, matches, principal, action, conditions }
    }
}

/// What a principal, action or resource element says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementEvaluation {
    /// The element's name, such as `NotPrincipal`.
    pub element: String,
    pub expected: Vec<String>,
    pub actual: String,
    pub result: Truth,
    pub why: String,
    /// The one change that would make it fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<NearMiss>,
}

/// What one condition says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionEvaluation {
    pub operator: String,
    pub key: String,
    pub expected: Vec<String>,
    /// The key's values; `null` where the request has none, or where they cannot be known.
    pub actual: Option<Vec<String>>,
    pub result: Truth,
    pub why: String,
    /// Why no token of this issuer can ever bring the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impossible_key: Option<ImpossibleKey>,
    /// The one change that would make it fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<NearMiss>,
}

/// Decides on `request`, and says why.
///
/// ```
/// use serde_json::json;
/// use trustline::domain::iam::{Decision, Policy, TrustRequest, evaluate_trust};
///
/// let provider = "arn:aws:iam::123456789012:oidc-provider/i.example";
/// let policy = json!({ "Version": "2012-10-17", "Statement": [{
///     "Effect": "Allow",
///     "Principal": { "Federated": provider },
///     "Action": "sts:AssumeRoleWithWebIdentity",
///     "Condition": { "StringEquals": { "i.example:aud": "sts.amazonaws.com", "i.example:sub": "own" } },
/// }] });
/// let policy = Policy::parse(&policy.to_string())?;
/// let decide = |subject: &str| {
///     let claims = json!({ "iss": "https://i.example", "aud": "sts.amazonaws.com", "sub": subject });
///     evaluate_trust(&policy, &TrustRequest::new(claims.as_object().unwrap(), provider)).decision
/// };
/// assert_eq!((decide("own"), decide("foreign")), (Decision::Allow, Decision::Deny));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate_trust(policy: &Policy, request: &TrustRequest<'_>) -> TrustEvaluation {
    let context = TrustContext::new(*request);
    let statements =
        policy.statements.iter().enumerate().map(|(i, s)| explain_statement(i, s, &context, request)).collect();
    let asked: Vec<&str> = std::iter::once(request.action).chain(request.implied_actions()).collect();
    let actions: Vec<ActionDecision> = asked
        .into_iter()
        .map(|action| ActionDecision {
            action: action.to_owned(),
            decision: decide_action(policy, &context, request, action),
        })
        .collect();
    let refusals = refusals(policy, request);
    let decision = if refusals.is_empty() {
        actions.iter().fold(Decision::Allow, |sum, action| sum.and(action.decision))
    } else {
        Decision::Deny
    };
    TrustEvaluation {
        decision,
        issuer: request.issuer().to_owned(),
        provider_arn: request.provider_arn.to_owned(),
        role_arn: request.role_arn.map(str::to_owned),
        authorized_party: replaced_audience(request),
        actions,
        refusals,
        statements,
    }
}

/// The `azp` of a token whose `aud` is not just the same.
fn replaced_audience(request: &TrustRequest<'_>) -> Option<String> {
    let party = authorized_party(request.claims)?;
    (request.claims.get("aud") != Some(party)).then(|| party.as_str().map(str::to_owned)).flatten()
}

fn explain_statement(
    index: usize,
    statement: &Statement,
    context: &TrustContext<'_>,
    request: &TrustRequest<'_>,
) -> StatementEvaluation {
    let principal = explain_principal(statement, request);
    let action = explain_action(&statement.action, request.action, context.effort());
    let conditions = statement.conditions.iter().map(|c| explain_claim_condition(c, context)).collect();
    StatementEvaluation::of(index, statement, principal, action, conditions)
}

fn explain_principal(statement: &Statement, request: &TrustRequest<'_>) -> ElementEvaluation {
    let actual = request.provider_arn.to_owned();
    let Some(principal) = &statement.principal else {
        return ElementEvaluation {
            element: "Principal".into(),
            expected: Vec::new(),
            actual,
            result: Truth::False,
            why: "the statement names nobody: a trust policy needs `Principal`, this may be an identity policy".into(),
            near_miss: None,
        };
    };
    let mut expected = principal.federated.clone();
    expected.extend(principal.others.iter().cloned());
    if principal.everybody && expected.is_empty() {
        expected.push("*".into());
    }
    let covers = principal.covers(request.provider_arn, statement.effect);
    let near_miss = (covers != Truth::True && !principal.negated)
        .then(|| nearest_principal(&principal.federated, &principal.others, request.provider_arn))
        .flatten();
    let open = principal.federated.iter().find(|federated| open_text::is_open(federated));
    let why_open = open.map(|open| open_text::why_open(open)).unwrap_or_default();
    let why = match (covers, principal.negated) {
        (Truth::Unknown, _) if open.is_some() => why_open.as_str(),
        (Truth::False | Truth::Unknown, false) if let Some(near) = &near_miss => &near.why,
        (Truth::True, false) => "the token's identity provider is named",
        (Truth::True, true) => "the token's identity provider is not among the excepted",
        (Truth::False, true) => "the token's identity provider is excepted",
        (Truth::Unknown, true) => "IAM takes no `NotPrincipal` in a trust policy",
        (Truth::Unknown, false) => "IAM takes no `*` under `Federated`",
        (Truth::False, false) if principal.everybody => "`*` is for callers who sign, and a token's caller does not",
        (Truth::False, false) if principal.federated.is_empty() => "no identity provider is named",
        (Truth::False, false) => "another identity provider is named",
    };
    ElementEvaluation {
        element: if principal.negated { "NotPrincipal".into() } else { "Principal".into() },
        expected,
        actual,
        result: covers,
        why: why.into(),
        near_miss,
    }
}

/// What an action element says to `action`.
pub fn explain_action(element: &ActionElement, action: &str, effort: &Effort) -> ElementEvaluation {
    let result = covers_action(element, action, effort);
    let why = match (result, element.negated) {
        (Truth::True, false) => "the action is listed",
        (Truth::True, true) => "the action is not among the excepted",
        (Truth::False, true) => "the action is excepted",
        (Truth::False, false) if element.patterns.is_empty() => "no action is listed",
        (Truth::False, false) => "the action is not listed",
        (Truth::Unknown, _) => "the list takes too long to compare",
    };
    ElementEvaluation {
        element: if element.negated { "NotAction".into() } else { "Action".into() },
        expected: element.patterns.clone(),
        actual: action.to_owned(),
        result,
        why: why.into(),
        near_miss: None,
    }
}

/// What a condition of a trust policy says, with what is known of its issuer.
fn explain_claim_condition(condition: &Condition, context: &TrustContext<'_>) -> ConditionEvaluation {
    let mut explained = explain_condition(condition, context);
    let claims = context.claims();
    let Some(actual) = &explained.actual else {
        explained.impossible_key = impossible(&condition.key, context.prefix(), context.kind(), claims);
        if let Some(key) = &explained.impossible_key {
            explained.why.clone_from(&key.why);
        } else if explained.result != Truth::Unknown
            && let Some(claim) = claim_name(&condition.key, context.prefix())
        {
            explained.why = format!("the token has no claim `{claim}`");
        }
        if explained.result == Truth::True {
            explained.why.push_str(", and the operator passes a missing key");
        }
        return explained;
    };
    if explained.result == Truth::False
        && !condition.operator.negated
        && let [actual] = &actual[..]
    {
        let miss = Miss {
            kind: context.kind(),
            comparison: condition.operator.comparison,
            claim: claim_name(&condition.key, context.prefix()),
            actual,
            claims,
        };
        explained.near_miss = miss.nearest(condition.expected.iter().map(|e| e.text.as_str()));
        if let Some(near) = &explained.near_miss {
            explained.why.clone_from(&near.why);
        }
    }
    explained
}

/// What a condition says, in words.
pub fn explain_condition<C: Context>(condition: &Condition, context: &C) -> ConditionEvaluation {
    let actual = context.lookup(&condition.key);
    let result = condition::test(condition, &actual, context);
    let why = match &actual {
        Actual::Unknown(what) => format!("depends on {what}"),
        Actual::Missing => "the key is not in the request".to_owned(),
        _ => match (result, condition.operator.negated) {
            (Truth::True, false) => "matches".to_owned(),
            (Truth::True, true) => "is none of the excluded values".to_owned(),
            (Truth::False, false) => format!("the policy requires {}", required(condition)),
            (Truth::False, true) => "is one of the excluded values".to_owned(),
            (Truth::Unknown, _) => undecided(condition, &actual),
        },
    };
    let actual = match actual {
        Actual::Missing | Actual::Unknown(_) => None,
        Actual::One(value) => Some(vec![reported(&value)]),
        Actual::Many(values) => Some(values.iter().map(|value| reported(value)).collect()),
    };
    ConditionEvaluation {
        operator: condition.operator_name.clone(),
        key: condition.key.clone(),
        expected: condition.expected.iter().map(|e| e.text.clone()).collect(),
        actual,
        result,
        why,
        impossible_key: None,
        near_miss: None,
    }
}

/// The values that a condition requires, as a person says it; of many the first few.
fn required(condition: &Condition) -> String {
    const TOLD: usize = 3;
    let values: Vec<String> =
        condition.expected.iter().take(TOLD).map(|e| format!("`{}`", reported(&e.text))).collect();
    let more = condition.expected.len().saturating_sub(TOLD);
    let sign = if condition.operator.has_wildcards() { "like" } else { "=" };
    match (values.as_slice(), more) {
        ([], _) => format!("`{}`", condition.key),
        ([only], _) => format!("`{}` {sign} {only}", condition.key),
        (_, 0) => format!("`{}` {sign} one of {}", condition.key, values.join(", ")),
        (_, more) => format!("`{}` {sign} one of {} and {more} more", condition.key, values.join(", ")),
    }
}

/// A value as a report holds it: whole, unless it is longer than any real one.
fn reported(value: &str) -> String {
    let end = value.floor_char_boundary(LONGEST);
    if end == value.len() {
        value.to_owned()
    } else {
        format!("{}… ({} bytes more)", &value[..end], value.len() - end)
    }
}

/// Why a comparison of values that are there has no result.
fn undecided(condition: &Condition, actual: &Actual<'_>) -> String {
    let why = if condition.operator.comparison == Comparison::Unrecognised {
        "IAM knows no such operator, and refuses a policy with it"
    } else if matches!(actual, Actual::Many(_)) && condition.operator.quantifier.is_none() {
        "the key has several values, and IAM asks for ForAnyValue or ForAllValues then"
    } else if let Some(open) = condition.expected.iter().find(|expected| open_text::is_open(&expected.text)) {
        return open_text::why_open(&open.text);
    } else {
        "the values cannot be compared, or depend on something that was not given"
    };
    why.to_owned()
}

/// Decides on the expected claims. Where a part of the subject is open, a policy that names one value of it accepts some
/// of these tokens and refuses others: then it is unknown, and the one that it accepts is told.
///
/// `request` tells everything but the claims.
pub fn evaluate_predicted(
    policy: &Policy,
    request: &TrustRequest<'_>,
    predicted: &PredictedClaims,
) -> Predicted<TrustEvaluation> {
    let request = TrustRequest { claims: &predicted.claims, unseen: Unseen::Claims(&predicted.unknown), ..*request };
    let mut evaluation = evaluate_trust(policy, &request);
    let accepts_only = match evaluation.decision {
        Decision::Deny => accepted(policy, &request, predicted),
        Decision::Allow | Decision::Unknown => None,
    };
    if accepts_only.is_some() {
        evaluation.decision = Decision::Unknown;
    }
    Predicted { evaluation, accepts_only }
}

/// A subject that the profile leaves possible and the policy accepts.
fn accepted(policy: &Policy, request: &TrustRequest<'_>, predicted: &PredictedClaims) -> Option<String> {
    let open = predicted.open_subject.as_deref()?;
    let written = values_for(policy, condition_key_prefix(request.issuer()), "sub");
    let possible = written.into_iter().map(|text| text.replace(['*', '?'], "x"));
    possible.into_iter().find(|subject| {
        let claims = predicted.with_subject(subject);
        like(open, subject, &Effort::full()) == Truth::True
            && decide_trust(policy, &TrustRequest { claims: &claims, ..*request }) != Decision::Deny
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod predicted_tests {
    use serde_json::json;

    use super::*;
    use crate::domain::profile::expected::predicted_claims;
    use crate::domain::profile::key::Key;
    use crate::domain::profile::{Guide, Profile};

    const GITHUB: &str = "token.actions.githubusercontent.com";

    fn decided(workload: &[(Key, &str)], conditions: serde_json::Value) -> (Decision, Option<String>) {
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}");
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}});
        let policy = Policy::parse(&policy.to_string()).unwrap();
        let workload = workload.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let profile = Profile { workload, ..Profile::bare("p", Guide::AwsWorkloadIdentity) };
        let predicted = predicted_claims(&profile).unwrap();
        let found = evaluate_predicted(&policy, &TrustRequest::new(&predicted.claims, &arn), &predicted);
        (found.evaluation.decision, found.accepts_only)
    }

    #[test]
    fn decides_as_far_as_the_profile_tells() {
        use Decision::{Allow, Deny, Unknown};
        let repository = (Key::GithubRepository, "o/r");
        let main = [repository, (Key::GithubRef, "refs/heads/main")];
        let sub = |operator: &str, value: &str| json!({operator: {format!("{GITHUB}:sub"): value}});
        let claim = |name: &str, value: &str| json!({"StringEquals": {format!("{GITHUB}:{name}"): value}});
        for (workload, conditions, decision, accepts_only) in [
            (&main[..], sub("StringEquals", "repo:o/r:ref:refs/heads/main"), Allow, None),
            (&main, sub("StringEquals", "repo:o/r:environment:prod"), Deny, None),
            (&[repository], sub("StringLike", "repo:o/r:*"), Allow, None),
            (&[repository], sub("StringLike", "repo:o/other:*"), Deny, None),
            (
                &[repository],
                sub("StringEquals", "repo:o/r:environment:prod"),
                Unknown,
                Some("repo:o/r:environment:prod"),
            ),
            (&[repository], sub("StringLike", "repo:o/r:ref:refs/heads/*"), Unknown, Some("repo:o/r:ref:refs/heads/x")),
            // What the token will have and the profile does not say is no reason to refuse.
            (&main, claim("repository_id", "1"), Unknown, None),
            (&main, claim("repository", "o/r"), Allow, None),
            (&main, claim("repository", "o/other"), Deny, None),
            // No GitHub token has it.
            (&main, claim("email", "a@example.com"), Deny, None),
        ] {
            let found = decided(workload, conditions.clone());
            assert_eq!(found, (decision, accepts_only.map(str::to_owned)), "{conditions}");
        }
    }
}
