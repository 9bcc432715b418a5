//! The trust policy at hand, evaluated for the token.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::Unread;
use crate::cause::{Finding, trust};
use crate::domain::iam::{
    Decision, KnownFrom, Policy, Provider, Stranger, TrustEvaluation, TrustRequest, WEB_IDENTITY, evaluate_trust,
    strangers,
};
use crate::domain::profile::Profile;
use crate::domain::timestamp::UnixSeconds;

/// The trust policy at hand, evaluated for the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustFact {
    /// Where the policy came from.
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<TrustEvaluation>,
    /// When the role was made, where the policy came inside the answer of `aws iam get-role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_created_at: Option<UnixSeconds>,
    /// What told the account of the identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_from: Option<KnownFrom>,
    /// Tokens of strangers that the policy accepts too; looked for where it accepts the token at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<Stranger>,
    /// Why the policy could not be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// There is no such file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
}

impl TrustFact {
    /// Evaluates the policy in `text` for a token's `claims` and the role of `profile`, or keeps why it could not be
    /// read. `now` is the time of the exchange in seconds since the epoch.
    pub fn evaluate(
        source: &str,
        text: Result<String, Unread>,
        claims: &Map<String, Value>,
        profile: &Profile,
        now: UnixSeconds,
    ) -> Self {
        let mut fact = TrustFact {
            source: source.to_owned(),
            evaluation: None,
            role_created_at: None,
            known_from: None,
            strangers: Vec::new(),
            problem: None,
            is_missing: false,
        };
        let policy = match text.and_then(|text| Policy::parse(&text).map_err(|error| error.to_string().into())) {
            Ok(policy) => policy,
            Err(unread) => {
                (fact.problem, fact.is_missing) = (Some(unread.why), unread.is_missing);
                return fact;
            }
        };
        fact.role_created_at = policy.role_created_at;
        let role = profile.aws.role_arn.as_ref().map(ToString::to_string);
        let provider = Provider::of(claims, &policy, role.as_deref());
        let request = TrustRequest {
            claims,
            provider_arn: &provider.arn,
            action: WEB_IDENTITY,
            role_arn: role.as_deref(),
            session_name: profile.aws.session_name.as_deref(),
            region: profile.aws.region.as_deref(),
            now: Some(now),
        };
        let evaluation = evaluate_trust(&policy, &request);
        if evaluation.decision == Decision::Allow {
            fact.strangers = strangers(&policy, &request);
        }
        fact.evaluation = Some(evaluation);
        fact.known_from = Some(provider.known_from);
        fact
    }

    /// The decision, where the policy could be evaluated.
    pub fn decision(&self) -> Option<Decision> {
        self.evaluation.as_ref().map(|evaluation| evaluation.decision)
    }

    /// Why the policy does not accept the token, in the name of `check`.
    pub fn findings(&self, check: &str) -> Vec<Finding> {
        let mut findings =
            self.evaluation.as_ref().map_or_else(Vec::new, |evaluation| trust::findings(check, evaluation));
        for finding in &mut findings {
            finding.evidence.push(format!("the policy is {}", self.source));
        }
        findings
    }
}
