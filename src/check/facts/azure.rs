//! What Entra and the vault answered, call by call.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Unread;
use super::secret::Call;
use super::secret::{SecretList, SecretRead};
use super::trust::Drift;
use crate::domain::entra::{CredentialEvaluation, CredentialSet, EntraError, evaluate, evaluate_predicted};
use crate::domain::keyvault::{Challenge, ChallengeFit, VaultError};
use crate::domain::profile::expected::PredictedClaims;
use crate::domain::timestamp::UnixSeconds;

/// What Entra and the vault answered. `None` where a call was not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AzureFacts {
    /// The federated credentials at hand, evaluated for the token.
    pub credentials: Option<CredentialFact>,
    pub exchange: Option<ExchangeFact>,
    pub list: Option<VaultFact<SecretList>>,
    pub secret: Option<VaultFact<VaultSecret>>,
    /// Whose directory the vault's subscription is of.
    pub subscription: Option<SubscriptionFact>,
}

impl AzureFacts {
    /// Whether Entra granted an access token.
    pub fn has_access(&self) -> bool {
        self.access().is_some()
    }

    /// The access token that Entra granted.
    pub fn access(&self) -> Option<&AccessGranted> {
        self.exchange.as_ref().and_then(|exchange| exchange.call.granted())
    }

    /// The secret that was read.
    pub fn read(&self) -> Option<&VaultSecret> {
        self.secret.as_ref().and_then(|secret| secret.call.granted())
    }
}

/// The federated credentials at hand, evaluated for the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CredentialFact {
    /// Where they came from.
    pub source: String,
    /// The text that was read: what a fix is made from.
    #[serde(skip)]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<CredentialEvaluation>,
    /// Evaluated for the claims that the profile makes expected: no token was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub predicted: bool,
    /// The one expected subject that is known to be accepted, where others that are possible are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_only: Option<String>,
    /// How the profile's file differs from what is in force, where an operator read that and the file is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Why they could not be evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// There is no such file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
}

impl CredentialFact {
    /// Evaluates the text, or keeps why it could not be read.
    pub fn evaluate(source: &str, text: Result<String, Unread>, claims: &Map<String, Value>) -> Self {
        Self::read(source, text, |set, fact| fact.evaluation = Some(evaluate(set, claims)))
    }

    /// As [`CredentialFact::evaluate`], where no token was read and `predicted` is what the profile makes expected.
    pub fn predict(source: &str, text: Result<String, Unread>, predicted: &PredictedClaims) -> Self {
        Self::read(source, text, |set, fact| {
            let found = evaluate_predicted(set, predicted);
            (fact.predicted, fact.accepts_only) = (true, found.accepts_only);
            fact.evaluation = Some(found.evaluation);
        })
    }

    /// The fact of credentials that could be read, as `learn` completes it, or of such as could not.
    fn read(
        source: &str,
        text: Result<String, Unread>,
        learn: impl FnOnce(&CredentialSet, &mut CredentialFact),
    ) -> Self {
        let mut fact = CredentialFact {
            source: source.to_owned(),
            text: None,
            evaluation: None,
            predicted: false,
            accepts_only: None,
            drift: None,
            problem: None,
            is_missing: false,
        };
        let read = text.and_then(|text| match CredentialSet::parse(&text) {
            Ok(set) => Ok((set, text)),
            Err(error) => Err(error.to_string().into()),
        });
        match read {
            Ok((set, text)) => {
                learn(&set, &mut fact);
                fact.text = Some(text);
            }
            Err(unread) => (fact.problem, fact.is_missing) = (Some(unread.why), unread.is_missing),
        }
        fact
    }
}

/// How a file with credentials differs from those in force; nothing where it holds none, or they are the same. A file
/// with one credential is held against the one of its name.
pub fn credentials_drift(file: &str, copy: &str, in_force: &str) -> Option<Drift> {
    let (copy, mut in_force) = (CredentialSet::parse(copy).ok()?, CredentialSet::parse(in_force).ok()?);
    if let ([own], false) = (copy.credentials.as_slice(), copy.is_list) {
        in_force.credentials.retain(|one| one.name == own.name || own.name.is_none() && one.issuer == own.issuer);
    }
    Drift::between(file, &shown(copy), &shown(in_force))
}

/// What counts of credentials, in an order that is their own.
fn shown(mut set: CredentialSet) -> String {
    set.credentials.sort_by(|a, b| (&a.name, &a.issuer, &a.subject).cmp(&(&b.name, &b.issuer, &b.subject)));
    let shown = set.credentials.iter().map(|one| {
        serde_json::json!({
            "name": one.name,
            "issuer": one.issuer,
            "subject": one.subject,
            "claimsMatchingExpression": one.expression,
            "audiences": one.audiences,
        })
    });
    Value::Array(shown.collect()).to_string()
}

/// The request for an access token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExchangeFact {
    pub authority: String,
    pub tenant_id: String,
    pub client_id: String,
    pub scope: String,
    pub credential: CredentialKind,
    #[serde(flatten)]
    pub call: Call<AccessGranted>,
    /// Entra's refusal, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<EntraError>,
}

/// What the application proved itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The workload's token, as `client_assertion`.
    Assertion,
    ClientSecret,
    /// A client secret that is a UUID, as secrets' ids are and their values are not.
    ClientSecretLikeAnId,
    /// A client secret that could not be read: nothing was sent.
    NoClientSecret,
}

/// An access token was granted: what it says, without the token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccessGranted {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The application's (client) id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The object id of the application's service principal: what a vault's roles and policies name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixSeconds>,
}

/// A call to the vault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VaultFact<T> {
    /// The vault's address, as the profile has it.
    pub vault: String,
    /// What the vault asks for, from its answer to the request without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// Whether that fits the vault; where it does not, no token is sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_fit: Option<ChallengeFit>,
    #[serde(flatten)]
    pub call: Call<T>,
    /// The vault's refusal, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<VaultError>,
    /// Entra's refusal of a token for what the vault asks for, where that was another than the one at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_error: Option<EntraError>,
    /// After "not found": whether a deleted secret of this name can still be recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<DeletedSecret>,
}

/// A secret of the vault was read; its value has been reduced to a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VaultSecret {
    #[serde(flatten)]
    pub read: SecretRead,
    /// The name as the profile has it, where it had to be changed for the vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<UnixSeconds>,
    /// Informational for a vault: it hands out the value before this time too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixSeconds>,
    /// Informational for a vault: it hands out the value after this time too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixSeconds>,
    /// The versions, newest first, where they may be listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionFact>,
}

/// A version of a secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionFact {
    pub id: String,
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
}

/// What the vault says of a deleted secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum DeletedSecret {
    /// It can be recovered until it is purged.
    Recoverable {
        #[serde(skip_serializing_if = "Option::is_none")]
        deleted_at: Option<UnixSeconds>,
        #[serde(skip_serializing_if = "Option::is_none")]
        purged_at: Option<UnixSeconds>,
    },
    /// There is none.
    None,
    /// The vault does not tell.
    NotKnown,
}

/// The question for a subscription, without any token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubscriptionFact {
    /// The subscription's id, as the profile has it.
    pub subscription: String,
    #[serde(flatten)]
    pub call: Call<SubscriptionSeen>,
}

/// What was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "subscription-is")]
pub enum SubscriptionSeen {
    /// It belongs to this directory.
    Of { tenant: String },
    /// There is none of this id.
    Nowhere,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copy_differs_in_what_counts() {
        let one = |name: &str, subject: &str| json!({ "name": name, "issuer": "https://i", "subject": subject, "audiences": ["a"], "description": name });
        let drift = |copy: Value, in_force: Value| {
            let found = credentials_drift("fic.json", &copy.to_string(), &in_force.to_string());
            found.map(|drift| drift.lines)
        };
        let in_force = json!({ "value": [one("b", "2"), one("a", "1")] });
        assert_eq!(drift(json!([one("a", "1"), one("b", "2")]), in_force.clone()), None);
        assert_eq!(drift(one("a", "1"), in_force.clone()), None);
        let changed = drift(one("a", "0"), in_force.clone()).unwrap();
        assert_eq!(changed, [r#"-     "subject": "0","#, r#"+     "subject": "1","#]);
        assert!(drift(json!([one("a", "1")]), in_force.clone()).is_some());
        assert!(drift(one("c", "1"), in_force).is_some());
        assert_eq!(drift(json!(3), json!([])), None);
    }
}
