//! What a trust policy says to a token that is not at hand, whose claims a profile makes expected.

use super::context::TrustRequest;
use super::decide::{Decision, decide_trust};
use super::evaluate::{TrustEvaluation, evaluate_trust};
use super::foreign::values_for;
use super::pattern::{Effort, like};
use super::policy::Policy;
use super::truth::Truth;
use crate::domain::issuer::condition_key_prefix;
use crate::domain::profile::expected::{Predicted, PredictedClaims};

/// Decides on the expected claims. Where a part of the subject is open, a policy that names one value of it accepts some
/// of these tokens and refuses others: then it is unknown, and the one that it accepts is told.
///
/// `request` tells everything but the claims.
pub fn evaluate_predicted(
    policy: &Policy,
    request: &TrustRequest<'_>,
    predicted: &PredictedClaims,
) -> Predicted<TrustEvaluation> {
    let request = TrustRequest { claims: &predicted.claims, unknown_claims: &predicted.unknown, ..*request };
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
mod tests {
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
