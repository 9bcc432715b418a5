//! The platform's part of a world: what the issuer's host publishes, how it answers, and which certificate it shows.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::WorldError;
use super::description::{check_delay, check_key, check_seconds, check_status, wrong};

const MAX_COPIES: u32 = 1000;

/// The platform's host: what it publishes and how it answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerWorld {
    /// The `issuer` of the discovery document.
    pub url: String,
    /// The `jwks_uri` of the discovery document.
    pub jwks_uri: String,
    pub discovery_status: u16,
    /// Sent instead of the discovery document.
    pub discovery_body: Option<String>,
    /// Fields left out of the discovery document.
    pub discovery_without: Vec<String>,
    pub jwks_status: u16,
    /// Sent instead of the key set.
    pub jwks_body: Option<String>,
    /// The published keys; the six default ones where the list is absent.
    pub jwks: Option<Vec<PublishedKey>>,
    pub redirect: Redirect,
    pub certificate: Certificate,
    /// Wait before the slow documents are sent, milliseconds.
    pub delay_ms: u64,
    /// Which documents that is.
    pub slow: Slow,
    /// Seconds the platform's clock is ahead of the clouds'.
    pub clock_offset_s: i64,
}

/// A key in the issuer's key set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PublishedKey {
    /// Which of the lab's keys.
    pub key: String,
    /// Members added to the JSON Web Key, or put in place of its own.
    pub set: Map<String, Value>,
    /// Members left out of it.
    pub without: Vec<String>,
    /// How many more times it is published, each under a `kid` of its own.
    pub copies: u32,
    /// Publishes a changed modulus, or point, under this key's name.
    pub corrupt: bool,
}

/// Which of the issuer's documents answer with a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    #[default]
    None,
    Discovery,
    Jwks,
}

/// Which of the issuer's documents come late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slow {
    #[default]
    Both,
    Discovery,
    Jwks,
}

/// The kind of certificate that the issuer's host shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    #[default]
    Valid,
    Expired,
    NotYetValid,
    OtherName,
    SelfSigned,
}

impl IssuerWorld {
    pub(super) fn check(&self) -> Result<(), WorldError> {
        for published in self.jwks.iter().flatten() {
            check_key(&format!("issuer.jwks: key `{}`", published.key), &published.key)?;
            if published.copies > MAX_COPIES {
                return Err(wrong("issuer.jwks: copies", "is too many; write 1000 or less"));
            }
        }
        check_status("issuer.discovery-status", self.discovery_status)?;
        check_status("issuer.jwks-status", self.jwks_status)?;
        check_seconds("issuer.clock-offset-s", self.clock_offset_s)?;
        check_delay("issuer.delay-ms", self.delay_ms)
    }
}
