//! Policies with one fault each, and what stands there after the correction.

use serde_json::{Value, json};

use super::*;
use crate::audit::Place;

const GITHUB: &str = "token.actions.githubusercontent.com";
const OWN: &str = "repo:octo@1/app@2:ref:refs/heads/main";
const ROLE: &str = "arn:aws:iam::123456789012:role/ci";

fn provider(account: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{GITHUB}")
}

fn statement(conditions: Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"Federated": provider("123456789012")},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions})
}

fn key(claim: &str) -> String {
    format!("{GITHUB}:{claim}")
}

fn by_subject(operator: &str, subject: &str) -> Value {
    let mut conditions = json!({"StringEquals": {key("aud"): "sts.amazonaws.com"}});
    conditions[operator][key("sub")] = subject.into();
    statement(conditions)
}

/// The findings of a role with this statement, corrected.
fn found(statement: &Value, providers: &[Value], subjects: &[&str]) -> Vec<AuditFinding> {
    let role = json!({"RoleName": "ci", "Arn": ROLE,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
    .to_string();
    let role = RoleTrust::read(role.as_bytes(), None).unwrap().unwrap();
    let mut known = Providers::default();
    assert!(providers.iter().all(|provider| known.read(provider)));
    let subjects: Vec<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
    let managed = ManagedPolicies::default();
    let mut found = judge(&role, &managed, &known);
    assert!(!found.is_empty(), "nothing is wrong with {statement}");
    attach(&role, Beside { managed: &managed, providers: &known, subjects: &subjects }, &mut found);
    found
}

/// The corrected statement, where there is one.
fn corrected(statement: &Value, providers: &[Value], subjects: &[&str]) -> Option<Value> {
    let found = found(statement, providers, subjects);
    let document = found.iter().find_map(|finding| finding.fixes.first()?.document.clone())?;
    Some(serde_json::from_str::<Value>(&document).unwrap()["Statement"][0].clone())
}

#[test]
fn what_the_policy_itself_means_is_put_right() {
    let sound = by_subject("StringEquals", OWN);
    let mut other_key = sound.clone();
    other_key["Condition"]["StringEquals"] = json!({key("aud"): "sts.amazonaws.com", "gitlab.com:sub": OWN});
    for (faulty, right) in [
        (by_subject("ForAllValues:StringLike", OWN), by_subject("StringLike", OWN)),
        (by_subject("StringEqualsIfExists", OWN), sound.clone()),
        (
            by_subject("StringEquals", "repo:octo-12345/app-67890:environment:prod"),
            by_subject("StringEquals", "repo:octo@12345/app@67890:environment:prod"),
        ),
        (by_subject("StringEquals", &OWN.replace("octo", "\u{43e}cto")), sound.clone()),
        (by_subject("StringEquals", &format!("{OWN}\u{200b}")), sound.clone()),
        (statement(json!({"StringEquals": {key("sub"): OWN}})), sound.clone()),
        (other_key, sound.clone()),
    ] {
        assert_eq!(corrected(&faulty, &[], &[]).as_ref(), Some(&right), "{faulty:#}");
    }
}

#[test]
fn what_the_account_says_is_put_right() {
    let sound = by_subject("StringEquals", OWN);
    let with = |member: &str, value: Value| {
        let mut changed = sound.clone();
        changed[member] = value;
        changed
    };
    let registered = json!({"Url": GITHUB, "ClientIDList": ["sts.amazonaws.com"]});
    let other_audience = statement(json!({"StringEquals": {key("aud"): "https://github.com/octo", key("sub"): OWN}}));
    for (faulty, providers) in [
        (with("Principal", json!({"Federated": provider("999988887777")})), vec![]),
        (with("Action", json!("sts:AssumeRole")), vec![]),
        (other_audience, vec![registered]),
    ] {
        assert_eq!(corrected(&faulty, &providers, &[]).as_ref(), Some(&sound), "{faulty:#}");
    }
}

#[test]
fn whose_it_is_nobody_can_tell_without_a_log() {
    for wide in [
        statement(json!({"StringEquals": {key("aud"): "sts.amazonaws.com"}})),
        by_subject("StringLike", "repo:octo/*"),
        by_subject("StringEquals", "repo:octo@1/app@2:*"),
        by_subject("StringEquals", "repo:<OWNER>/app:ref:refs/heads/main"),
    ] {
        assert_eq!(corrected(&wide, &[], &[]), None, "{wide:#}");
    }
}

#[test]
fn who_came_takes_the_place_of_all_who_could() {
    let (one, other) = ("repo:octo/app:ref:refs/heads/main", "repo:octo/lib:environment:prod");
    let wide = by_subject("StringLike", "repo:octo/*");
    let narrowed = corrected(&wide, &[], &[one]).unwrap();
    assert_eq!(narrowed, by_subject("StringEquals", one));
    let found = found(&wide, &[], &[one, other]);
    let fix = &found[0].fixes[0];
    let document: Value = serde_json::from_str(fix.document.as_ref().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Condition"]["StringEquals"][key("sub")], json!([one, other]));
    assert!(fix.text.contains("all whom the events show"), "{}", fix.text);
    let script = fix.command.as_ref().unwrap();
    assert!(script.contains("update-assume-role-policy") && script.contains("ROLE_NAME=ci"), "{script}");
    assert!(fix.undo.as_ref().unwrap().contains("repo:octo/*"));
}

#[test]
fn one_more_subject_stands_beside_the_one_that_is_named() {
    let named = "repo:octo/app:ref:refs/heads/main";
    let policy = json!({"Version": "2012-10-17", "Statement": [by_subject("StringEquals", named)]}).to_string();
    let place = Place { resource: ROLE.to_owned(), location: None };
    let role = RoleTrust::of_policy(Policy::parse(&policy).unwrap(), place).with_document(&policy);
    let fix = with_another_subject(&role, named, OWN).unwrap();
    let after: Value = serde_json::from_str(&fix.document.unwrap()).unwrap();
    assert_eq!(after["Statement"][0]["Condition"]["StringEquals"][key("sub")], json!([named, OWN]));
    assert_eq!(with_another_subject(&role, "repo:octo/other:x", OWN), None);
}
