//! What federated credentials say to a token that is not at hand, whose claims a profile makes expected.

use super::credential::CredentialSet;
use super::evaluate::{CredentialEvaluation, EvaluatedCredential, Field, decided, evaluate};
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::iam::{Decision, Truth};
use crate::domain::profile::expected::{Predicted, PredictedClaims};

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
        if comparison.result == Truth::False && comparison.actual.is_none() && predicted.unknown.contains(claim) {
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
