//! The least trust policy of a role.

use serde_json::{Map, Value, json};

use super::lists::{NoTrust, fillings};
use super::proof::{Least, Wanted, is_meant, prove, token};
use crate::domain::iam::{Decision, Policy, TrustRequest, decide_trust, strangers};
use crate::domain::issuer::condition_key_prefix;

/// The characters of a trust policy without blanks that IAM takes of everybody, and those that it takes at most.
const USUAL_SIZE: usize = 2048;
const LARGEST: usize = 4096;

/// A policy that lets in the subjects of the lists by this provider, and nobody else.
///
/// # Errors
/// Where the policy would be larger than IAM takes, and where the proof fails.
pub fn trust_policy(wanted: &Wanted<'_>, provider_arn: &str) -> Result<Least<Value>, NoTrust> {
    let policy = document(wanted, provider_arn);
    let text = policy.to_string();
    // Letter for letter as IAM counts: blanks outside of texts do not.
    let size = text.chars().count();
    if size > LARGEST {
        return Err(NoTrust::TooLarge { size, unit: "characters", place: "IAM", limit: LARGEST });
    }
    let unproven = |why: String| NoTrust::NotAdmitted { subject: wanted.lists.admit.join(", "), why };
    let parsed = Policy::parse(&text).map_err(|error| unproven(error.to_string()))?;
    let claims = |subject: &str| token(wanted, subject);
    let decide = |claims: &Map<String, Value>| {
        (decide_trust(&parsed, &TrustRequest::new(claims, provider_arn)), "the policy denies it".to_owned())
    };
    let mut notes = prove(wanted, &claims, &decide)?;
    for subject in wanted.lists.admit.iter().flat_map(|listed| fillings(listed)) {
        let own = token(wanted, &subject);
        let request = TrustRequest::new(&own, provider_arn);
        // Those that are made for this policy's own patterns.
        let unmeant = strangers(&parsed, &request).into_iter().find(|one| !is_meant(wanted.lists, &one.subject));
        if let Some(stranger) = unmeant {
            return Err(NoTrust::Admitted { subject: stranger.subject });
        }
        let other = format!("{provider_arn}.example");
        if decide_trust(&parsed, &TrustRequest::new(&own, &other)) == Decision::Allow {
            return Err(NoTrust::Admitted { subject: format!("{subject} of another provider") });
        }
    }
    if size > USUAL_SIZE {
        notes.push(format!(
            "the policy has {size} characters; an account takes {USUAL_SIZE} until its quota \"Role trust policy length\" is raised"
        ));
    }
    Ok(Least { trust: policy, notes })
}

fn document(wanted: &Wanted<'_>, provider_arn: &str) -> Value {
    let host = condition_key_prefix(wanted.issuer);
    let (subject, audience) = (format!("{host}:sub"), format!("{host}:aud"));
    let statement = |condition: Value| {
        json!({
            "Effect": "Allow",
            "Principal": { "Federated": provider_arn },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        })
    };
    let mut statements = Vec::new();
    let exact: Vec<&str> = wanted.lists.exact().collect();
    if !exact.is_empty() {
        statements
            .push(statement(json!({ "StringEquals": { &audience: wanted.audience, &subject: one_or_many(exact) } })));
    }
    // Each with what it must not let in, so that no statement keeps out what another one is there for.
    for pattern in wanted.lists.patterns() {
        let mut condition =
            json!({ "StringEquals": { &audience: wanted.audience }, "StringLike": { &subject: pattern } });
        let refused: Vec<&str> = wanted.lists.within(pattern).collect();
        if !refused.is_empty() {
            condition["StringNotLike"] = json!({ &subject: one_or_many(refused) });
        }
        statements.push(statement(condition));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn one_or_many(values: Vec<&str>) -> Value {
    match values.as_slice() {
        [one] => (*one).into(),
        many => many.into(),
    }
}
