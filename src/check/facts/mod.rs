//! What the probes saw, typed and free of secrets: the only input of a verdict beside the profile.
//!
//! A field is `None` where its probe has not run. Every fact serializes to a JSON object.

pub mod aws;
pub mod azure;
pub mod client;
pub mod cluster;
pub mod deployment;
pub mod google;
mod in_force;
pub mod network;
pub mod operator;
pub mod operator_azure;
pub mod operator_google;
pub mod read;
pub mod secret;
pub mod token;
pub mod trust;

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::profile::expected::PredictedClaims;
use crate::domain::timestamp::UnixSeconds;
use crate::domain::token::DecodedToken;

/// Everything seen so far in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The local clock when the run started.
    pub now: UnixSeconds,
    /// The issuer's host: name look-up, connection, certificate chain, discovery document, keys.
    pub issuer: network::IssuerFacts,
    /// The claims that the profile makes expected, where it says enough.
    pub predicted: Option<PredictedClaims>,
    /// The token as its source gave it, decoded.
    pub token: Option<token::TokenFact>,
    /// What the client that is meant, or a common one, finds here.
    pub client: Option<client::ClientFact>,
    /// The state of the token's signature.
    pub signature: Option<token::SignatureFact>,
    /// The trust policy at hand, evaluated for the token.
    pub trust: Option<trust::TrustFact>,
    /// What AWS answered.
    pub aws: aws::AwsFacts,
    /// What Entra and the vault answered.
    pub azure: azure::AzureFacts,
    /// What Google answered.
    pub google: google::GoogleFacts,
    /// What the operator read of the cloud's own side.
    pub operator: operator::OperatorFacts,
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
        let in_vault = || self.azure.read().map(|secret| &secret.read);
        in_aws.or_else(in_vault).or_else(|| self.google.read().map(|secret| &secret.read))
    }
}

/// Why a file that a profile names could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// There is no such file: then its name is wrong, and not only the look at it.
    pub is_missing: bool,
    /// A sentence with the file's name.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<String> for Unread {
    fn from(why: String) -> Self {
        Unread { is_missing: false, why }
    }
}

/// A fact as the JSON that the report shows.
pub(super) fn as_json<T: Serialize>(fact: Option<&T>) -> Option<Value> {
    fact.and_then(|fact| serde_json::to_value(fact).ok())
}
