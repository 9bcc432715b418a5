//! The trust policy at hand, evaluated for the token.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cause::Finding;
use crate::domain::iam::{Decision, Policy, TrustEvaluation, TrustRequest, WEB_IDENTITY, evaluate_trust};
use crate::domain::profile::Profile;
use crate::domain::timestamp::UnixSeconds;

/// The trust policy at hand, evaluated for the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustFact {
    /// Where the policy came from.
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<TrustEvaluation>,
    /// Why it could not be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl TrustFact {
    /// Evaluates `text`, or keeps why it could not be read.
    pub fn evaluate(
        source: &str,
        text: Result<String, String>,
        claims: &Map<String, Value>,
        profile: &Profile,
        now: UnixSeconds,
    ) -> Self {
        let (evaluation, problem) = match text.and_then(|t| Policy::parse(&t).map_err(|e| e.to_string())) {
            Ok(policy) => {
                let role = profile.aws.role_arn.as_ref().map(ToString::to_string);
                let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
                let (partition, account) = profile
                    .aws
                    .role_arn
                    .as_ref()
                    .map_or(("aws", "000000000000"), |r| (r.partition.as_str(), r.account.as_str()));
                let provider = format!(
                    "arn:{partition}:iam::{account}:oidc-provider/{}",
                    issuer.strip_prefix("https://").unwrap_or(issuer)
                );
                let request = TrustRequest {
                    claims,
                    provider_arn: &provider,
                    action: WEB_IDENTITY,
                    role_arn: role.as_deref(),
                    session_name: profile.aws.session_name.as_deref(),
                    region: profile.aws.region.as_deref(),
                    now: Some(now),
                };
                (Some(evaluate_trust(&policy, &request)), None)
            }
            Err(problem) => (None, Some(problem)),
        };
        TrustFact { source: source.to_owned(), evaluation, problem }
    }

    /// The decision, where the policy could be evaluated.
    pub fn decision(&self) -> Option<Decision> {
        self.evaluation.as_ref().map(|e| e.decision)
    }

    /// Why it denies.
    pub fn findings(&self, _check: &str) -> Vec<Finding> {
        Vec::new()
    }
}
