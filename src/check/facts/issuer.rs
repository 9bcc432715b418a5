//! What the issuer's host showed.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use url::Url;

use super::network::{Exchange, Tls};
use crate::domain::discovery::{Discovery, DiscoveryError};
use crate::domain::jwks::{Jwks, JwksError};

/// What the issuer's host showed. `None` where nobody asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuerFacts {
    pub document: Option<DocumentFact>,
    pub keys: Option<KeysFact>,
}

impl IssuerFacts {
    /// Where the discovery document says the keys are.
    pub fn jwks_uri(&self) -> Option<&str> {
        self.document.as_ref()?.discovery.as_ref()?.jwks_uri.as_deref()
    }

    /// The handshake whose chain holds the certificate that an IAM provider registers: with the host of `jwks_uri` (IAM
    /// user guide, "Obtain the thumbprint for an OpenID Connect identity provider"). Where no keys were asked for, with
    /// the host of the document.
    pub fn registered_tls(&self) -> Option<&Tls> {
        match &self.keys {
            Some(keys) => keys.exchange.tls.as_ref(),
            None => self.document.as_ref()?.exchange.tls.as_ref(),
        }
    }

    /// Whether the document names another host for the keys than its own: then each has certificates of its own.
    pub fn keys_are_elsewhere(&self) -> bool {
        let host = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        let document = self.document.as_ref().and_then(|fact| host(&fact.exchange.url));
        self.jwks_uri().and_then(host).is_some_and(|keys| Some(keys) != document)
    }

    /// The key set, where one was fetched.
    pub fn jwks(&self) -> Option<&Jwks> {
        self.keys.as_ref()?.jwks.as_ref()
    }
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
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
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
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    pub unreadable: Option<JwksError>,
}

fn in_words<T: Display, S: Serializer>(error: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(T::to_string).serialize(serializer)
}
