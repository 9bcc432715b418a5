//! What the probes saw, typed and free of secrets: the only input of a verdict beside the profile.
//!
//! A field is `None` where its probe has not run. Every fact serializes to the JSON object that the
//! report shows under its check.

pub mod aws;
pub mod cloud;
pub mod issuer;
pub mod network;
pub mod secret;
pub mod token;
pub mod trust;

use crate::domain::timestamp::UnixSeconds;

/// Everything seen so far in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The local clock when the run started.
    pub now: UnixSeconds,
    /// The issuer's host: name look-up, connection, certificate chain, discovery document, keys.
    pub issuer: issuer::IssuerFacts,
    /// The token as its source gave it, decoded.
    pub token: Option<token::TokenFact>,
    /// The state of the token's signature.
    pub signature: Option<token::SignatureFact>,
    /// The trust policy at hand, evaluated for the token.
    pub trust: Option<trust::TrustFact>,
    /// What AWS answered.
    pub aws: aws::AwsFacts,
}
