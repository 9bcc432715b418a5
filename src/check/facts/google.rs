//! What Google answered, call by call, and what the provider at hand says to the token.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Unread;
use super::secret::{Call, SecretList, SecretRead};
use super::trust::Drift;
use crate::domain::gcp::{ForeignToken, PoolProvider, ProviderEvaluation, Subject, bindings, evaluate, foreign};
use crate::domain::google_error::GoogleError;
use crate::domain::iam::Decision;
use crate::domain::profile::expected::PredictedClaims;
use crate::domain::timestamp::UnixSeconds;

/// What Google answered. `None` where a call was not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoogleFacts {
    /// The provider at hand, evaluated for the token.
    pub provider: Option<ProviderFact>,
    /// The service account's key that signs, where no token is exchanged.
    pub key: Option<KeyFact>,
    pub exchange: Option<GoogleCall<TokenGranted>>,
    pub impersonated: Option<GoogleCall<TokenGranted>>,
    pub list: Option<GoogleCall<SecretList>>,
    pub secret: Option<GoogleCall<GoogleSecret>>,
    /// The locations that have a regional secret of the name, where the one asked for was not found.
    pub found_in: Vec<String>,
}

impl GoogleFacts {
    /// Whether the STS exchanged the token.
    pub fn is_exchanged(&self) -> bool {
        self.exchange.as_ref().is_some_and(|fact| fact.call.granted().is_some())
    }

    /// Whether the service account's token was granted.
    pub fn is_impersonated(&self) -> bool {
        self.impersonated.as_ref().is_some_and(|fact| fact.call.granted().is_some())
    }

    /// When the access token ends that secrets are read with.
    pub fn access_ends_at(&self) -> Option<UnixSeconds> {
        let granted = self.impersonated.as_ref().or(self.exchange.as_ref())?.call.granted()?;
        granted.expires_at
    }

    /// The secret that was read.
    pub fn read(&self) -> Option<&GoogleSecret> {
        self.secret.as_ref()?.call.granted()
    }

    /// What the provider at hand says, where it could be evaluated.
    pub fn evaluation(&self) -> Option<&ProviderEvaluation> {
        self.provider.as_ref()?.evaluation.as_ref()
    }
}

/// A call, and Google's refusal taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GoogleCall<T> {
    /// Where the service was asked.
    pub endpoint: String,
    #[serde(flatten)]
    pub call: Call<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<GoogleError>,
}

/// A service account's key, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyFact {
    /// The file that it is in.
    pub source: String,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Why nothing was signed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<KeyProblem>,
}

/// What is wrong with the file of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyProblem {
    /// There is none, or it cannot be read.
    Unread(String),
    /// It is a credential file whose `type` is this other one.
    OtherKind(String),
    /// It says no type; what it is instead, in words.
    NoKind(String),
    /// It is a key's, and nothing can be signed with it.
    Unusable(String),
}

/// An access token was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenGranted {
    /// The provider, or the service account, that it is of.
    pub of: String,
    /// None where Google says nothing of it, as for a token with seconds left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixSeconds>,
}

/// A secret was read; its value has been reduced to a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GoogleSecret {
    #[serde(flatten)]
    pub read: SecretRead,
    /// What was asked for: a number, an alias or `latest`.
    pub asked: String,
    /// Whether the value's checksum came with it, and fits.
    pub is_checksummed: bool,
}

/// The provider at hand, evaluated for the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProviderFact {
    /// Where it came from.
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<ProviderEvaluation>,
    /// Keys were uploaded to it, so that Google does not fetch the issuer's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_uploaded_keys: bool,
    /// Whose tokens get in besides, the furthest first. The finding shows them.
    #[serde(skip)]
    pub foreign: Vec<ForeignToken>,
    /// The claims that the provider looks at.
    #[serde(skip)]
    pub claims_read: Vec<String>,
    /// What Google would refuse of the provider itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Evaluated for the claims that the profile makes expected: no token was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub predicted: bool,
    /// Why it could not be evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// There is no such file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
    /// In what the profile's copy differs from the provider in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What was read, for a fix to be made from; no part of the report.
    #[serde(skip)]
    pub text: Option<String>,
}

/// The documents at hand.
pub struct AtHand {
    pub source: String,
    pub provider: Result<String, Unread>,
    /// An IAM policy, where the profile names one.
    pub policy: Option<Result<String, Unread>>,
}

impl ProviderFact {
    /// Evaluates the provider for a token's claims.
    pub fn evaluate(at_hand: AtHand, claims: &Map<String, Value>) -> Self {
        Self::read(at_hand, Subject { claims, unknown: &[] })
    }

    /// As [`ProviderFact::evaluate`], where no token was read and `predicted` is what the profile makes expected.
    pub fn predict(at_hand: AtHand, predicted: &PredictedClaims) -> Self {
        let subject = Subject { claims: &predicted.claims, unknown: &predicted.unknown };
        ProviderFact { predicted: true, ..Self::read(at_hand, subject) }
    }

    fn read(at_hand: AtHand, subject: Subject<'_>) -> Self {
        let mut fact = ProviderFact {
            source: at_hand.source,
            evaluation: None,
            has_uploaded_keys: false,
            foreign: Vec::new(),
            claims_read: Vec::new(),
            problems: Vec::new(),
            predicted: false,
            problem: None,
            is_missing: false,
            drift: None,
            text: None,
        };
        let text = match at_hand.provider {
            Ok(text) => text,
            Err(unread) => {
                (fact.problem, fact.is_missing) = (Some(unread.why), unread.is_missing);
                return fact;
            }
        };
        let policy = at_hand.policy.map(|policy| policy.map_err(|unread| unread.why));
        let policy = policy.map(|policy| policy.and_then(|text| bindings(&text).map_err(|error| error.to_string())));
        let (provider, policy) = match (PoolProvider::parse(&text), policy.transpose()) {
            (Ok(provider), Ok(policy)) => (provider, policy),
            (Err(error), _) => {
                fact.problem = Some(format!("{error}; {}", error.hint()));
                return fact;
            }
            (_, Err(why)) => {
                fact.problem = Some(why);
                return fact;
            }
        };
        let evaluation = evaluate(&provider, policy.as_deref(), subject);
        if evaluation.decision == Decision::Allow {
            let expressions = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
            fact.claims_read = expressions.flat_map(|expression| expression.claims()).map(str::to_owned).collect();
            fact.foreign = foreign(&provider, policy.as_deref(), Some(subject.claims));
        }
        fact.has_uploaded_keys = provider.has_uploaded_keys;
        fact.problems = provider.problems.iter().map(|problem| format!("{}: {}", problem.at, problem.what)).collect();
        (fact.evaluation, fact.text) = (Some(evaluation), Some(text));
        fact
    }
}
