//! Strangers where no token is at hand: whoever a statement names is its owner, and others are strangers to that one.

use serde_json::{Map, Value};

use super::{Stranger, strangers, values_in};
use crate::domain::iam::context::{TrustRequest, claim_name};
use crate::domain::iam::policy::{Effect, Policy, Statement};
use crate::domain::iam::principal::ProviderArn;
use crate::domain::issuer::{Description, IssuerKind, is_whole};

/// Stands for a part of a claim that a pattern leaves open.
const FILLING: &str = "own";

/// The furthest stranger of each distance that `policy` accepts beside those whom it names, furthest first.
pub fn strangers_to_the_named(policy: &Policy) -> Vec<Stranger> {
    let mut found: Vec<Stranger> = Vec::new();
    for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for provider in statement.principal.iter().flat_map(|principal| &principal.federated) {
            let url = ProviderArn::parse(provider).map_or(provider.as_str(), |arn| arn.url);
            for subject in values_in(std::iter::once(statement), url, "sub") {
                let alone = alone(policy, statement, url, subject);
                let claims = claims(statement, url, &owner(url, subject));
                for stranger in strangers(&alone, &TrustRequest::new(&claims, provider)) {
                    if !found.iter().any(|known| known.distance == stranger.distance) {
                        found.push(stranger);
                    }
                }
            }
        }
    }
    found.sort_by_key(|stranger| stranger.distance);
    found
}

/// The policy with this statement as the only one that allows, and `subject` as the only one that it names.
fn alone(policy: &Policy, statement: &Statement, url: &str, subject: &str) -> Policy {
    let mut statement = statement.clone();
    for condition in &mut statement.conditions {
        if claim_name(&condition.key, url).is_some_and(|name| name.eq_ignore_ascii_case("sub")) {
            condition.expected.retain(|expected| expected.text == subject);
        }
    }
    let denying = policy.statements.iter().filter(|other| other.effect == Effect::Deny).cloned();
    Policy { statements: denying.chain([statement]).collect(), ..policy.clone() }
}

/// A whole subject that fits `pattern`. A wildcard may stand for several parts, which the issuer's example has.
fn owner(url: &str, pattern: &str) -> String {
    let kind = IssuerKind::of(url, Some(pattern));
    let simple = pattern.replace(['*', '?'], FILLING);
    let (Some(last), false) = (pattern.rfind('*'), is_whole(kind, &simple)) else { return simple };
    let before = pattern[..last].replace(['*', '?'], FILLING);
    let behind = pattern[last + 1..].replace('?', FILLING);
    let example = Description::of(kind).map_or("", |description| &description.example);
    let starts = std::iter::once(0).chain(example.match_indices([':', '/']).map(|(at, _)| at + 1));
    let mut ends: Vec<usize> = example.match_indices([':', '/']).map(|(at, _)| at).collect();
    // A wildcard at the end stands for all that follows.
    if behind.is_empty() {
        ends.clear();
    }
    ends.push(example.len());
    let pieces = starts.flat_map(|from| ends.iter().filter_map(move |to| example.get(from..*to)));
    let mut subjects = pieces.map(|piece| format!("{before}{piece}{behind}"));
    subjects.find(|subject| is_whole(kind, subject)).unwrap_or(simple)
}

/// Claims as the statement wants them.
fn claims(statement: &Statement, url: &str, subject: &str) -> Map<String, Value> {
    let wanted = statement.conditions.iter().filter(|condition| !condition.operator.negated).filter_map(|condition| {
        let name = claim_name(&condition.key, url)?.to_ascii_lowercase();
        Some((name, condition.expected.first()?.text.replace(['*', '?'], FILLING).into()))
    });
    let mut claims: Map<String, Value> = [("aud".to_owned(), Value::from("sts.amazonaws.com"))].into_iter().collect();
    claims.extend(wanted);
    claims.insert("iss".to_owned(), format!("https://{url}").into());
    claims.insert("sub".to_owned(), subject.into());
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::iam::foreign::Distance::{self, Branch, Project, PullRequest, Tenant};

    fn found(url: &str, conditions: Value) -> Vec<(Distance, String)> {
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{url}");
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}});
        let found = strangers_to_the_named(&Policy::parse(&policy.to_string()).unwrap());
        found.into_iter().map(|stranger| (stranger.distance, stranger.subject)).collect()
    }

    #[test]
    fn whoever_is_named_is_no_stranger() {
        let github = "token.actions.githubusercontent.com";
        let sub = |operator: &str, value: Value| {
            found(
                github,
                json!({operator: {format!("{github}:sub"): value}, "StringEquals": {format!("{github}:aud"): "x"}}),
            )
        };
        let two = json!(["repo:octo/app:ref:refs/heads/main", "repo:other/tool:environment:prod"]);
        assert_eq!(sub("StringLike", two), []);
        let furthest = |value: &str| sub("StringLike", json!(value)).first().map(|(distance, _)| *distance);
        assert_eq!(furthest("repo:octo/*"), Some(Project));
        let prefix = sub("StringLike", json!("repo:octo*"));
        assert_eq!(prefix.first(), Some(&(Tenant, "repo:octo-someone-else/own:ref:refs/heads/main".to_owned())));
        assert_eq!(furthest("repo:*"), Some(Tenant));
        assert_eq!(furthest("*"), Some(Tenant));
        assert_eq!(furthest("*:ref:refs/heads/main"), Some(Tenant));
        assert_eq!(furthest("repo:octo/app:*"), Some(PullRequest));
        assert_eq!(furthest("repo:octo/app:ref:refs/heads/*"), Some(Branch));
        let platform = found("app.example.com", json!({"StringLike": {"app.example.com:sub": "organization:*"}}));
        assert_eq!(platform.first().map(|(distance, _)| *distance), Some(Tenant));
        assert_eq!(found(github, json!({"StringEquals": {format!("{github}:repository_owner_id"): "1"}})), []);
    }
}
