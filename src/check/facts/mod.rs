//! What the probes saw, typed and free of secrets: the only input of a verdict beside the profile.
//!
//! A field is `None` where its probe has not run. Every fact serializes to the JSON object that the
//! report shows under its check.

pub mod access_key;
pub mod aws;
pub mod azure;
pub mod cloud;
pub mod deployment;
pub mod document;
pub mod issuer;
pub mod network;
pub mod permissions;
pub mod secret;
pub mod subscription;
pub mod token;
pub mod trust;

use serde::Serialize;
use serde_json::{Map, Value, json};

use self::cloud::AnyCall;
use self::network::{Exchange, HopName};
use super::CheckId;
use crate::domain::profile::expected::PredictedClaims;
use crate::domain::redaction::echo::MARK;
use crate::domain::timestamp::UnixSeconds;
use crate::domain::token::DecodedToken;

/// Everything seen so far in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The local clock when the run started.
    pub now: UnixSeconds,
    /// The issuer's host: name look-up, connection, certificate chain, discovery document, keys.
    pub issuer: issuer::IssuerFacts,
    /// The claims that the profile makes expected, where it says enough.
    pub predicted: Option<PredictedClaims>,
    /// The token as its source gave it, decoded.
    pub token: Option<token::TokenFact>,
    /// The state of the token's signature.
    pub signature: Option<token::SignatureFact>,
    /// The trust policy at hand, evaluated for the token.
    pub trust: Option<trust::TrustFact>,
    /// What AWS answered.
    pub aws: aws::AwsFacts,
    /// What Entra and the vault answered.
    pub azure: azure::AzureFacts,
    /// What the running deployment answered.
    pub deployment: Option<deployment::DeploymentFact>,
}

impl Facts {
    /// Whether a token was read, good or bad.
    pub fn has_token(&self) -> bool {
        self.token.as_ref().is_some_and(|fact| fact.token().is_some())
    }

    /// Whether what was read as the token may be sent as one.
    pub fn has_form_of_token(&self) -> bool {
        self.token.as_ref().and_then(|fact| fact.token()).is_some_and(DecodedToken::has_form_of_token)
    }

    /// The token's claims, where they can be read.
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        self.token.as_ref()?.token()?.claims.as_ref()
    }

    /// The claims that the profile makes expected, where no token was read that has its own.
    pub fn predicted_claims(&self) -> Option<&PredictedClaims> {
        self.predicted.as_ref().filter(|_| !self.has_token())
    }

    /// The secret that was read, in whichever store.
    pub fn secret_read(&self) -> Option<&secret::SecretRead> {
        let in_aws = self.aws.secret.as_ref().and_then(|call| call.granted());
        in_aws.or_else(|| self.azure.read().map(|secret| &secret.read))
    }

    /// What a check's part of the report shows.
    pub fn json(&self, check: CheckId) -> Map<String, Value> {
        let value = match check {
            CheckId::IssuerReachable => self.document().map(|x| json!({ "url": x.url, "addresses": x.addresses, "hops": x.hops })),
            CheckId::IssuerTls => self.document().and_then(|x| shown(x.tls.as_ref())),
            CheckId::IssuerDiscovery => shown(self.issuer.document.as_ref()),
            CheckId::IssuerJwks => shown(self.issuer.keys.as_ref()),
            CheckId::TokenPresent => self.token.as_ref().map(|t| json!({ "source": t.source })),
            CheckId::TokenShape => shown(self.token.as_ref()),
            CheckId::TokenTime => self.token.as_ref().and_then(|t| t.token()).map(|t| {
                json!({ "now": self.now, "issued_at": t.issued_at(), "not_before": t.not_before(), "expires_at": t.expires_at() })
            }),
            CheckId::TokenClaims => self.shown_claims(),
            CheckId::TokenSignature => shown(self.signature.as_ref()),
            CheckId::TrustPolicy => shown(self.trust.as_ref())
                .or_else(|| self.shown_role_trust())
                .or_else(|| shown(self.azure.credentials.as_ref())),
            CheckId::AzureExchange => shown(self.azure.exchange.as_ref()),
            CheckId::AzureListSecrets => shown(self.azure.list.as_ref()),
            CheckId::AzureGetSecret => shown(self.azure.secret.as_ref()),
            CheckId::AzureSubscription => shown(self.azure.subscription.as_ref()),
            CheckId::AwsAssumeRoleWithWebIdentity => shown(self.aws.assume_role.as_ref()),
            CheckId::AwsCallerIdentity => shown(self.aws.caller.as_ref()),
            CheckId::AwsListSecrets => shown(self.aws.list.as_ref()),
            CheckId::AwsGetSecret => self.aws_read(),
            CheckId::SecretJsonKey => self.secret_read().and_then(|read| shown(read.field.as_ref())),
            CheckId::DeploymentReachable => shown(self.deployment.as_ref()),
            CheckId::AwsAccessKey => shown(self.aws.access_key.as_ref()),
            CheckId::AwsAssumeRole => shown(self.aws.assumed.as_ref()),
        };
        match value {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    fn shown_claims(&self) -> Option<Value> {
        if let Some(claims) = self.claims() {
            return Some(json!({ "claims": claims }));
        }
        let mut shown = shown(self.predicted_claims())?;
        shown.as_object_mut()?.insert("predicted".to_owned(), true.into());
        Some(shown)
    }

    /// The trust of a role that a signed caller assumes. The caller's external id is between two parties.
    fn shown_role_trust(&self) -> Option<Value> {
        let mut trust = self.aws.role_trust.clone()?;
        let statements = trust.evaluation.iter_mut().flat_map(|evaluation| &mut evaluation.statements);
        let conditions = statements.flat_map(|statement| &mut statement.conditions);
        for condition in conditions.filter(|condition| condition.key.eq_ignore_ascii_case("sts:ExternalId")) {
            condition.actual.iter_mut().flatten().for_each(|id| *id = MARK.to_owned());
        }
        shown(Some(&trust))
    }

    /// The read of the secret, and what was looked at to explain a refusal of it.
    fn aws_read(&self) -> Option<Value> {
        let mut read = shown(self.aws.secret.as_ref())?;
        let beside =
            [("located", shown(self.aws.located.as_ref())), ("permissions", shown(self.aws.permissions.as_ref()))];
        if let Value::Object(fields) = &mut read {
            fields.extend(beside.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))));
        }
        Some(read)
    }

    /// When a check's own hops began, in milliseconds after its step did, and how long they took; for the checks that
    /// share one exchange.
    pub fn hop_times(&self, check: CheckId) -> Option<(u64, u64)> {
        let names: &[HopName] = match check {
            CheckId::IssuerReachable => &[HopName::Resolve, HopName::Connect],
            CheckId::IssuerTls => &[HopName::Tls],
            CheckId::IssuerDiscovery => &[HopName::Request, HopName::Body],
            _ => return None,
        };
        let hops: Vec<_> = self.document()?.hops.iter().filter(|hop| names.contains(&hop.name)).collect();
        let start = hops.first()?.start_ms;
        let total: f64 = hops.iter().map(|hop| hop.duration_ms).sum();
        Some((start.round() as u64, total.round() as u64))
    }

    /// Notes on the call behind `checks` how often it was made, and since when.
    pub fn note_attempts(&mut self, checks: &[CheckId], attempts: u32, waited_ms: u64) {
        for check in checks {
            if let Some(call) = self.call_mut(*check) {
                call.note_attempts(attempts, waited_ms);
            }
        }
    }

    /// The call to a cloud, or to the deployment, that a check is judged by.
    pub fn call(&self, check: CheckId) -> Option<&dyn AnyCall> {
        fn any<T>(call: &cloud::Call<T>) -> &dyn AnyCall {
            call
        }
        let (aws, azure) = (&self.aws, &self.azure);
        match check {
            CheckId::AwsAssumeRoleWithWebIdentity => aws.assume_role.as_ref().map(any),
            CheckId::AwsCallerIdentity => aws.caller.as_ref().map(any),
            CheckId::AwsAssumeRole => aws.assumed.as_ref().map(any),
            CheckId::AwsListSecrets => aws.list.as_ref().map(any),
            CheckId::AwsGetSecret => aws.secret.as_ref().map(any),
            CheckId::AzureExchange => azure.exchange.as_ref().map(|fact| any(&fact.call)),
            CheckId::AzureListSecrets => azure.list.as_ref().map(|fact| any(&fact.call)),
            CheckId::AzureGetSecret => azure.secret.as_ref().map(|fact| any(&fact.call)),
            CheckId::AzureSubscription => azure.subscription.as_ref().map(|fact| any(&fact.call)),
            CheckId::DeploymentReachable => self.deployment.as_ref().map(|fact| any(&fact.call)),
            _ => None,
        }
    }

    fn call_mut(&mut self, check: CheckId) -> Option<&mut dyn AnyCall> {
        fn any<T>(call: &mut cloud::Call<T>) -> &mut dyn AnyCall {
            call
        }
        let (aws, azure) = (&mut self.aws, &mut self.azure);
        match check {
            CheckId::AwsAssumeRoleWithWebIdentity => aws.assume_role.as_mut().map(any),
            CheckId::AwsCallerIdentity => aws.caller.as_mut().map(any),
            CheckId::AwsAssumeRole => aws.assumed.as_mut().map(any),
            CheckId::AwsListSecrets => aws.list.as_mut().map(any),
            CheckId::AwsGetSecret => aws.secret.as_mut().map(any),
            CheckId::AzureExchange => azure.exchange.as_mut().map(|fact| any(&mut fact.call)),
            CheckId::AzureListSecrets => azure.list.as_mut().map(|fact| any(&mut fact.call)),
            CheckId::AzureGetSecret => azure.secret.as_mut().map(|fact| any(&mut fact.call)),
            CheckId::AzureSubscription => azure.subscription.as_mut().map(|fact| any(&mut fact.call)),
            CheckId::DeploymentReachable => self.deployment.as_mut().map(|fact| any(&mut fact.call)),
            _ => None,
        }
    }

    /// The exchange that a check is judged by, where it went out.
    pub fn exchange(&self, check: CheckId) -> Option<&Exchange> {
        match check {
            CheckId::IssuerReachable | CheckId::IssuerTls | CheckId::IssuerDiscovery => self.document(),
            CheckId::IssuerJwks => self.issuer.keys.as_ref().map(|keys| &keys.exchange),
            _ => self.call(check)?.exchange(),
        }
    }

    /// Every exchange that was seen, in the order of the chain of trust.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        CheckId::ALL.iter().filter_map(|check| self.exchange(*check))
    }

    fn document(&self) -> Option<&Exchange> {
        self.issuer.document.as_ref().map(|document| &document.exchange)
    }
}

fn shown<T: Serialize>(fact: Option<&T>) -> Option<Value> {
    fact.and_then(|fact| serde_json::to_value(fact).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::network::Hop;

    #[test]
    fn checks_that_share_an_exchange_have_their_own_part_of_its_time() {
        let hop = |name, start_ms, duration_ms| Hop { name, start_ms, duration_ms };
        let exchange = Exchange {
            hops: vec![
                hop(HopName::Resolve, 0.0, 2.0),
                hop(HopName::Connect, 2.0, 10.0),
                hop(HopName::Tls, 12.0, 30.0),
                hop(HopName::Request, 42.0, 50.0),
                hop(HopName::Body, 92.0, 1.4),
            ],
            ..Exchange::default()
        };
        let issuer = "https://app.example.com".to_owned();
        let document = issuer::DocumentFact { issuer, exchange, discovery: None, unreadable: None };
        let mut facts = Facts::default();
        facts.issuer.document = Some(document);
        for (check, times) in [
            (CheckId::IssuerReachable, Some((0, 12))),
            (CheckId::IssuerTls, Some((12, 30))),
            (CheckId::IssuerDiscovery, Some((42, 51))),
            (CheckId::IssuerJwks, None),
        ] {
            assert_eq!(facts.hop_times(check), times, "{check}");
        }
    }
}
