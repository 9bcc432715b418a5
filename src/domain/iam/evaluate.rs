//! Would this trust policy let this token have the role? The answer with every reason.

use serde::{Deserialize, Serialize};

use super::condition;
use super::context::{Actual, Context, TrustContext, TrustRequest, claim_name};
use super::decide::{Decision, Refusal, covers_action, decide_action, refusals};
use super::key::{ImpossibleKey, impossible};
use super::near_miss::{Miss, NearMiss, nearest_principal};
use super::operator::Comparison;
use super::pattern::Effort;
use super::policy::{ActionElement, Condition, Effect, Policy, Statement};
use super::truth::Truth;

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
        actions,
        refusals,
        statements,
    }
}

fn explain_statement(
    index: usize,
    statement: &Statement,
    context: &TrustContext<'_>,
    request: &TrustRequest<'_>,
) -> StatementEvaluation {
    let principal = explain_principal(statement, request);
    let action = explain_action(&statement.action, request.action, context.effort());
    let conditions: Vec<_> = statement.conditions.iter().map(|c| explain_claim_condition(c, context)).collect();
    let matches = principal.result.and(action.result).and(Truth::all(conditions.iter().map(|c| c.result)));
    StatementEvaluation {
        index,
        sid: statement.sid.clone(),
        effect: statement.effect,
        matches,
        principal,
        action,
        conditions,
    }
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
    let covers = principal.covers(request.provider_arn);
    let near_miss = (!covers && !principal.negated)
        .then(|| nearest_principal(&principal.federated, &principal.others, request.provider_arn))
        .flatten();
    let why = match (covers, principal.negated) {
        (false, false) if let Some(near) = &near_miss => &near.why,
        (true, false) => "the token's identity provider is named",
        (true, true) => "the token's identity provider is not among the excepted",
        (false, true) => "the token's identity provider is excepted",
        (false, false) if principal.federated.is_empty() => "no identity provider is named",
        (false, false) => "another identity provider is named",
    };
    ElementEvaluation {
        element: if principal.negated { "NotPrincipal".into() } else { "Principal".into() },
        expected,
        actual,
        result: covers.into(),
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
            (Truth::True, false) => "a value fits".to_owned(),
            (Truth::True, true) => "no value fits, as the operator asks".to_owned(),
            (Truth::False, false) => "no value fits".to_owned(),
            (Truth::False, true) => "a value fits, and the operator asks for none".to_owned(),
            (Truth::Unknown, _) => undecided(condition, &actual).to_owned(),
        },
    };
    let actual = match actual {
        Actual::Missing | Actual::Unknown(_) => None,
        Actual::One(value) => Some(vec![value.into_owned()]),
        Actual::Many(values) => Some(values.into_iter().map(std::borrow::Cow::into_owned).collect()),
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

/// Why a comparison of values that are there has no result.
fn undecided(condition: &Condition, actual: &Actual<'_>) -> &'static str {
    if condition.operator.comparison == Comparison::Unrecognised {
        "IAM knows no such operator, and refuses a policy with it"
    } else if matches!(actual, Actual::Many(_)) && condition.operator.quantifier.is_none() {
        "the key has several values, and IAM asks for ForAnyValue or ForAllValues then"
    } else {
        "the values cannot be compared, or depend on something that is not at hand"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::decide_trust;
    use super::*;

    const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/h.example.com/p";

    fn evaluate(statements: &Value, claims: &Value) -> TrustEvaluation {
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap();
        let mut claims = claims.as_object().unwrap().clone();
        claims.entry("iss").or_insert(json!("https://h.example.com/p"));
        let request = TrustRequest::new(&claims, ARN);
        let evaluation = evaluate_trust(&policy, &request);
        assert_eq!(evaluation.decision, decide_trust(&policy, &request), "the quick way decides the same");
        evaluation
    }

    fn one(condition: Value, claims: Value) -> ConditionEvaluation {
        let statement =
            json!({"Effect": "Allow", "Action": "sts:*", "Principal": {"Federated": ARN}, "Condition": condition});
        evaluate(&statement, &claims).statements.remove(0).conditions.remove(0)
    }

    #[test]
    fn claims_become_keys_as_sts_does_it() {
        let key = |claim: &str| json!({"StringEquals": {format!("h.example.com/p:{claim}"): "x"}});
        let several = Some(vec!["a".to_owned(), "b".to_owned()]);
        let text = |t: &str| Some(vec![t.to_owned()]);
        for (claim, claims, actual) in [
            ("sub", json!({"sub": "s"}), text("s")),
            ("SUB", json!({"sub": "s"}), text("s")),
            ("sub", json!({"sub": 5}), text("5")),
            ("sub", json!({"sub": ""}), text("")),
            ("sub", json!({"sub": null}), None),
            ("sub", json!({}), None),
            ("aud", json!({"aud": "a"}), text("a")),
            ("aud", json!({"aud": ["a"]}), text("a")),
            ("aud", json!({"aud": "a", "azp": "z"}), text("z")),
            ("oaud", json!({"aud": "a", "azp": "z"}), text("a")),
            ("oaud", json!({"aud": ["a", "b"], "azp": "z"}), several.clone()),
            ("aud", json!({"aud": ["a", "b"], "azp": "z"}), text("z")),
            ("amr", json!({"amr": ["a", "b"]}), several),
            ("amr", json!({"amr": []}), None),
            ("email", json!({"email": "m@x"}), text("m@x")),
            ("iss", json!({}), None),
            ("repository", json!({"repository": "o/r"}), None),
        ] {
            assert_eq!(one(key(claim), claims.clone()).actual, actual, "{claim} {claims}");
        }
    }

    #[test]
    fn issuers_have_keys_of_their_own() {
        let actual = |issuer: &str, claim: &str, value: Value| {
            let condition = json!({"StringEquals": {format!("{issuer}:{claim}"): "x"}});
            one(condition, json!({"iss": format!("https://{issuer}"), "sub": "s", claim: value})).actual
        };
        let text = |t: &str| Some(vec![t.to_owned()]);
        let github = "token.actions.githubusercontent.com";
        for claim in ["actor", "environment", "job_workflow_ref", "repository_owner_id", "workflow"] {
            assert_eq!(actual(github, claim, json!("v")), text("v"));
        }
        assert_eq!(actual(github, "repository_id", json!(7)), text("7"));
        assert_eq!(actual(github, "runner_environment", json!("v")), None);
        assert_eq!(actual(&format!("{github}/octo"), "actor", json!("v")), text("v"));
        assert_eq!(actual("gitlab.com", "ref_protected", json!("true")), text("true"));
        assert_eq!(actual("gitlab.com", "ref_protected", json!(true)), text("true"));
        assert_eq!(actual("gitlab.example.com", "project_id", json!("1")), None);
        assert_eq!(actual("agent.buildkite.com", "organization_slug", json!("o")), text("o"));
        assert_eq!(actual("oidc.circleci.com/org/o", "oidc.circleci.com/project-id", json!("p")), text("p"));
        assert_eq!(actual("app.terraform.io", "terraform_workspace_id", json!("w")), None);
    }

    #[test]
    fn keys_that_nobody_here_can_know_say_what_they_depend_on() {
        for (operator, key, value, result) in [
            ("IpAddress", "aws:SourceIp", "203.0.113.0/24", Truth::Unknown),
            ("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z", Truth::Unknown),
            ("StringEquals", "aws:PrincipalOrgID", "o-1", Truth::Unknown),
            ("StringEquals", "sts:RoleSessionName", "x", Truth::Unknown),
            ("StringEquals", "aws:RequestedRegion", "x", Truth::Unknown),
            ("Bool", "aws:SecureTransport", "true", Truth::True),
            ("Bool", "sts:RoleAuthorizedByIdp", "true", Truth::False),
            ("Bool", "aws:MultiFactorAuthPresent", "true", Truth::False),
            ("StringEquals", "sts:ExternalId", "x", Truth::False),
            ("StringEquals", "aws:RequestTag/team", "a", Truth::False),
        ] {
            let found = one(json!({operator: {key: value}}), json!({"sub": "s"}));
            assert_eq!(found.result, result, "{key}");
            assert_eq!(found.why.starts_with("depends on"), result == Truth::Unknown, "{key}: {}", found.why);
        }
    }

    #[test]
    fn what_the_request_knows_is_used() {
        let statement = json!({"Effect": "Allow", "Action": "sts:*", "Principal": "*", "Condition": {
            "StringEquals": {"sts:RoleSessionName": "${h.example.com/p:sub}", "aws:RequestedRegion": "eu-west-1"},
            "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
            "NumericGreaterThan": {"aws:EpochTime": 1_700_000_000}}});
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}).to_string()).unwrap();
        let claims = json!({"iss": "https://h.example.com/p", "sub": "s"});
        let claims = claims.as_object().unwrap();
        let request = TrustRequest {
            session_name: Some("s"),
            region: Some("eu-west-1"),
            now: Some(1_800_000_000),
            ..TrustRequest::new(claims, ARN)
        };
        assert_eq!(evaluate_trust(&policy, &request).decision, Decision::Allow);
        let late = TrustRequest { now: Some(1_900_000_000), ..request };
        assert_eq!(evaluate_trust(&policy, &late).decision, Decision::Deny);
    }

    #[test]
    fn session_tags_are_keys_and_ask_for_their_action() {
        let nested = json!({"https://aws.amazon.com/tags": {"principal_tags": {"Team": ["a"]}, "transitive_tag_keys": ["Team"]}});
        let flat = json!({"https://aws.amazon.com/tags/principal_tags/Team": "a"});
        for claims in [nested, flat] {
            let condition = json!({"StringEquals": {"aws:RequestTag/team": "a"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}});
            let statement = |action: Value| json!({"Effect": "Allow", "Action": action, "Principal": {"Federated": ARN}, "Condition": condition});
            let exchange = "sts:AssumeRoleWithWebIdentity";
            assert_eq!(evaluate(&statement(json!([exchange, "sts:TagSession"])), &claims).decision, Decision::Allow);
            let denied = evaluate(&statement(json!(exchange)), &claims);
            assert_eq!(denied.decision, Decision::Deny);
            assert_eq!(denied.actions[1].action, "sts:TagSession");
        }
        let named = json!({"https://aws.amazon.com/source_identity": "mona"});
        let statement = json!({"Effect": "Allow", "Action": ["sts:AssumeRole*", "sts:SetSourceIdentity"], "Principal": {"Federated": ARN},
            "Condition": {"StringEquals": {"sts:SourceIdentity": "mona"}}});
        assert_eq!(evaluate(&statement, &named).decision, Decision::Allow);
    }

    #[test]
    fn statements_are_alternatives_and_a_deny_wins() {
        let statement = |effect: &str, sub: &str| {
            json!({"Effect": effect, "Action": "sts:*", "Principal": {"Federated": ARN},
                "Condition": {"StringEquals": {"h.example.com/p:sub": sub}}})
        };
        let unknown = |effect: &str| {
            json!({"Effect": effect, "Action": "sts:*", "Principal": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}})
        };
        let (allow, other) = (statement("Allow", "s"), statement("Allow", "t"));
        let (deny, no_deny) = (statement("Deny", "s"), statement("Deny", "t"));
        for (statements, decision) in [
            (json!([other, allow]), Decision::Allow),
            (json!([other]), Decision::Deny),
            (json!([]), Decision::Deny),
            (json!([allow, deny]), Decision::Deny),
            (json!([allow, no_deny]), Decision::Allow),
            (json!([unknown("Allow")]), Decision::Unknown),
            (json!([allow, unknown("Allow")]), Decision::Allow),
            (json!([allow, unknown("Deny")]), Decision::Unknown),
            (json!([other, unknown("Deny")]), Decision::Deny),
            (json!([deny, unknown("Allow")]), Decision::Deny),
        ] {
            assert_eq!(evaluate(&statements, &json!({"sub": "s"})).decision, decision, "{statements}");
        }
    }

    #[test]
    fn principals_and_actions_have_to_fit() {
        let with = |principal: Value, action: (&str, Value)| {
            let mut statement = json!({"Effect": "Allow", "Principal": principal});
            statement[action.0] = action.1;
            evaluate(&statement, &json!({"sub": "s"})).decision
        };
        let ours = json!({"Federated": ARN});
        for (principal, action, decision) in [
            (ours.clone(), ("Action", json!("sts:AssumeRoleWithWebIdentity")), Decision::Allow),
            (ours.clone(), ("Action", json!("STS:assumerolewithwebidentity")), Decision::Allow),
            (ours.clone(), ("Action", json!(["sts:TagSession", "sts:AssumeRole*"])), Decision::Allow),
            (ours.clone(), ("Action", json!("*")), Decision::Allow),
            (ours.clone(), ("Action", json!("sts:AssumeRole")), Decision::Deny),
            (ours.clone(), ("Action", json!("sts:AssumeRole?")), Decision::Deny),
            (ours.clone(), ("NotAction", json!("sts:AssumeRole")), Decision::Allow),
            (ours.clone(), ("NotAction", json!("sts:*")), Decision::Deny),
            (json!("*"), ("Action", json!("*")), Decision::Allow),
            (json!({"AWS": "*"}), ("Action", json!("*")), Decision::Allow),
            (json!({"AWS": ARN}), ("Action", json!("*")), Decision::Deny),
            (json!({"Federated": ["accounts.google.com", ARN]}), ("Action", json!("*")), Decision::Allow),
            (json!({"Federated": "accounts.google.com"}), ("Action", json!("*")), Decision::Deny),
        ] {
            assert_eq!(with(principal.clone(), action.clone()), decision, "{principal} {action:?}");
        }
        let excepted = json!({"Effect": "Allow", "Action": "*", "NotPrincipal": {"Federated": ARN}});
        assert_eq!(evaluate(&excepted, &json!({})).decision, Decision::Deny);
        let nobody = evaluate(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}), &json!({}));
        assert!(nobody.statements[0].principal.why.contains("identity policy"));
    }

    #[test]
    fn terraform_cloud_wants_the_subject_evaluated() {
        let claims =
            json!({"iss": "https://app.terraform.io", "sub": "organization:o:project:p:workspace:w:run_phase:plan"});
        let statement = json!({"Effect": "Allow", "Action": "*", "Principal": "*"});
        let evaluation = evaluate(&statement, &claims);
        assert_eq!(
            (evaluation.decision, &evaluation.refusals[..]),
            (Decision::Deny, &[Refusal::SubjectNotEvaluated][..])
        );
    }

    fn conditions() -> impl Strategy<Value = Value> {
        let operator =
            "(StringEquals|StringNotEquals|StringLike|StringEqualsIfExists|Null|ForAllValues:StringLike|IpAddress)";
        let key = "(h.example.com/p:(sub|aud|amr|email|iss)|aws:SourceIp|sts:ExternalId|sub)";
        prop::collection::vec((operator, key, "[ab*]{0,2}|true|false"), 0..5).prop_map(|list| {
            let mut conditions = json!({});
            for (operator, key, value) in list {
                conditions[operator][key] = json!(value);
            }
            conditions
        })
    }

    proptest! {
        /// All conditions have to hold: a statement says what the AND of its conditions, each alone, says.
        #[test]
        fn conditions_obey_and(conditions in conditions(), sub in "[ab]{0,2}", aud in "[ab]{0,2}") {
            let claims = json!({"sub": sub, "aud": aud, "amr": [sub, aud]});
            let statement = |condition: &Value| json!({"Effect": "Allow", "Action": "*", "Principal": "*", "Condition": condition});
            let together = evaluate(&statement(&conditions), &claims).statements[0].matches;
            let mut alone = Truth::True;
            for (operator, keys) in conditions.as_object().unwrap() {
                for (key, value) in keys.as_object().unwrap() {
                    let condition = json!({operator: {key: value}});
                    alone = alone.and(evaluate(&statement(&condition), &claims).statements[0].matches);
                }
            }
            prop_assert_eq!(together, alone);
        }

        /// The letter case of keys, operators and actions never counts.
        #[test]
        fn case_of_keys_never_counts(conditions in conditions(), sub in "[ab]{0,2}") {
            let claims = json!({"sub": sub});
            let statement = |condition: &Value, action: &str| {
                json!({"Effect": "Allow", "Action": action, "Principal": "*", "Condition": condition})
            };
            let mut shouted = json!({});
            for (operator, keys) in conditions.as_object().unwrap() {
                for (key, value) in keys.as_object().unwrap() {
                    shouted[operator.to_uppercase()][key.to_uppercase()] = value.clone();
                }
            }
            let plain = evaluate(&statement(&conditions, "sts:assumerole*"), &claims);
            prop_assert_eq!(plain.decision, evaluate(&statement(&shouted, "STS:ASSUMEROLE*"), &claims).decision);
        }
    }
}
