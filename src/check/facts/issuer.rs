//! What the issuer's host showed.

use serde::Serialize;

use super::network::Exchange;
use crate::domain::discovery::{Discovery, DiscoveryError};
use crate::domain::jwks::{Jwks, JwksError};

/// What the issuer's host showed. `None` where nobody asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuerFacts {
    pub document: Option<DocumentFact>,
    pub keys: Option<KeysFact>,
}

/// The fetch of the discovery document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentFact {
    /// The issuer asked for, character by character.
    pub issuer: String,
    #[serde(flatten)]
    pub exchange: Exchange,
    /// The document, where the answer was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
    /// Why the answer, a `200`, was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<DiscoveryError>,
}

/// The fetch of the keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeysFact {
    #[serde(flatten)]
    pub exchange: Exchange,
    /// The key set, where the answer was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// Why the answer, a `200`, was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<JwksError>,
}
