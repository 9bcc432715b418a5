//! The claims' way into keys, and the logic of statements.

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
    let statement = json!({"Effect": "Allow", "Action": "sts:*", "Principal": {"Federated": ARN}, "Condition": {
        "StringEquals": {"sts:RoleSessionName": "${h.example.com/p:sub}", "aws:RequestedRegion": "eu-west-1"},
        "StringLike": {"aws:UserAgent": "Boto3/*"},
        "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
        "NumericGreaterThan": {"aws:EpochTime": 1_700_000_000}}});
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}).to_string()).unwrap();
    let claims = json!({"iss": "https://h.example.com/p", "sub": "s"});
    let claims = claims.as_object().unwrap();
    let request = TrustRequest {
        session_name: Some("s"),
        region: Some("eu-west-1"),
        user_agent: Some("Boto3/1.44.5"),
        now: Some(1_800_000_000),
        ..TrustRequest::new(claims, ARN)
    };
    assert_eq!(evaluate_trust(&policy, &request).decision, Decision::Allow);
    let of_another = TrustRequest { user_agent: Some("aws-sdk-rust/1.3.13"), ..request };
    assert_eq!(evaluate_trust(&policy, &of_another).decision, Decision::Deny);
    let of_nobody = TrustRequest { user_agent: None, ..request };
    assert_eq!(evaluate_trust(&policy, &of_nobody).decision, Decision::Unknown);
    let late = TrustRequest { now: Some(1_900_000_000), ..request };
    assert_eq!(evaluate_trust(&policy, &late).decision, Decision::Deny);
}

/// Measured in September 2026: STS takes the provider for the caller.
#[test]
fn the_provider_is_the_caller() {
    for (operator, key, value, result) in [
        ("StringEquals", "aws:PrincipalAccount", "123456789012", Truth::True),
        ("StringEquals", "aws:PrincipalAccount", "anonymous", Truth::False),
        ("StringEquals", "aws:PrincipalType", "User", Truth::True),
        ("StringEquals", "aws:PrincipalType", "FederatedUser", Truth::False),
        ("StringEquals", "aws:userid", ARN, Truth::True),
        ("StringEquals", "aws:userid", "s", Truth::False),
        ("Null", "aws:PrincipalArn", "true", Truth::True),
        ("StringEquals", "aws:PrincipalArn", ARN, Truth::False),
    ] {
        let found = one(json!({operator: {key: value}}), json!({"sub": "s"}));
        assert_eq!(found.result, result, "{operator} {key} {value}");
    }
}

#[test]
fn what_no_account_and_no_provider_tell_stays_unknown() {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*",
        "Principal": {"Federated": ["accounts.google.com", "arn:aws:iam::000000000000:oidc-provider/h.example.com/p"]},
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}});
    let policy = Policy::parse(&policy.to_string()).unwrap();
    let claims = json!({"sub": "s"});
    for provider in ["accounts.google.com", "arn:aws:iam::000000000000:oidc-provider/h.example.com/p"] {
        let request = TrustRequest::new(claims.as_object().unwrap(), provider);
        assert_eq!(evaluate_trust(&policy, &request).decision, Decision::Unknown, "{provider}");
    }
}

#[test]
fn a_claim_that_is_null_acts_as_absent() {
    let statement = |condition: Value| {
        json!({"Effect": "Allow", "Principal": {"Federated": ARN}, "Condition": condition,
            "Action": "sts:AssumeRoleWithWebIdentity"})
    };
    let roles = json!({"https://aws.amazon.com/roles": null});
    let unlisted = statement(json!({"Bool": {"sts:RoleAuthorizedByIdp": "false"}}));
    assert_eq!(evaluate(&unlisted, &roles).decision, Decision::Allow);
    let audience = statement(json!({"StringEquals": {"h.example.com/p:aud": "a"}}));
    assert_eq!(evaluate(&audience, &json!({"aud": "a", "azp": null})).decision, Decision::Allow);
    let several = evaluate(&statement(json!({})), &json!({"aud": ["a", "b"], "azp": null}));
    assert_eq!(several.refusals, [Refusal::SeveralAudiences]);
    let identity = json!({"https://aws.amazon.com/source_identity": null});
    assert_eq!(evaluate(&statement(json!({})), &identity).decision, Decision::Allow);
}

#[test]
fn session_tags_are_keys_and_ask_for_their_action() {
    let nested =
        json!({"https://aws.amazon.com/tags": {"principal_tags": {"Team": ["a"]}, "transitive_tag_keys": ["Team"]}});
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
        json!({"Effect": effect, "Action": "sts:*", "Principal": {"Federated": ARN},
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
        (json!("*"), ("Action", json!("*")), Decision::Deny),
        (json!({"AWS": "*"}), ("Action", json!("*")), Decision::Deny),
        (json!({"AWS": ["*", "arn:aws:iam::123456789012:root"]}), ("Action", json!("*")), Decision::Deny),
        (json!({"AWS": "123456789012"}), ("Action", json!("*")), Decision::Deny),
        (json!({"Service": "*"}), ("Action", json!("*")), Decision::Deny),
        (json!({"CanonicalUser": "*"}), ("Action", json!("*")), Decision::Deny),
        (json!({"AWS": "*", "Federated": ARN}), ("Action", json!("*")), Decision::Allow),
        (json!({"Federated": "*"}), ("Action", json!("*")), Decision::Unknown),
        (json!({"AWS": ARN}), ("Action", json!("*")), Decision::Deny),
        (json!({"Federated": ["accounts.google.com", ARN]}), ("Action", json!("*")), Decision::Allow),
        (json!({"Federated": "accounts.google.com"}), ("Action", json!("*")), Decision::Deny),
    ] {
        assert_eq!(with(principal.clone(), action.clone()), decision, "{principal} {action:?}");
    }
    let excepted = json!({"Effect": "Allow", "Action": "*", "NotPrincipal": {"Federated": ARN}});
    assert_eq!(evaluate(&excepted, &json!({})).decision, Decision::Deny);
    let others = json!({"Effect": "Allow", "Action": "*", "NotPrincipal": {"Federated": "accounts.google.com"}});
    assert_eq!(evaluate(&others, &json!({})).decision, Decision::Unknown);
    let ours = json!({"Effect": "Allow", "Action": "*", "Principal": {"Federated": ARN}});
    for denied in
        [json!({"Principal": "*"}), json!({"Principal": {"AWS": "*"}}), json!({"Principal": {"Federated": "*"}})]
    {
        let mut deny = json!({"Effect": "Deny", "Action": "*"});
        deny["Principal"] = denied["Principal"].clone();
        assert_eq!(evaluate(&json!([ours, deny]), &json!({})).decision, Decision::Deny, "{denied}");
    }
    let nobody = evaluate(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}), &json!({}));
    assert!(nobody.statements[0].principal.why.contains("identity policy"));
}

#[test]
fn terraform_cloud_wants_the_subject_evaluated() {
    let claims =
        json!({"iss": "https://app.terraform.io", "sub": "organization:o:project:p:workspace:w:run_phase:plan"});
    let statement = json!({"Effect": "Allow", "Action": "*", "Principal": {"Federated": ARN}});
    let evaluation = evaluate(&statement, &claims);
    assert_eq!((evaluation.decision, &evaluation.refusals[..]), (Decision::Deny, &[Refusal::SubjectNotEvaluated][..]));
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
        let statement = |condition: &Value| json!({"Effect": "Allow", "Action": "*", "Principal": {"Federated": ARN}, "Condition": condition});
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
            json!({"Effect": "Allow", "Action": action, "Principal": {"Federated": ARN}, "Condition": condition})
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
