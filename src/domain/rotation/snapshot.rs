//! What a store held of a secret at one moment: its versions, their stages and fingerprints.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::fingerprint::Fingerprint;
use super::super::fingerprint::guess::Guessability;
use super::super::timestamp::{UnixMillis, UnixSeconds};
use crate::domain::fingerprint::{Variant, VariantFingerprint, variant_of};
use crate::domain::runtime_output::RuntimeOutput;

/// The stage of the version that AWS hands out by default.
pub const CURRENT: &str = "AWSCURRENT";
/// The stage of the version that was current before.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The stage of a version that a rotation is about to make current.
pub const PENDING: &str = "AWSPENDING";

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    AwsSecretsManager,
    AzureKeyVault,
    GoogleSecretManager,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Store::AwsSecretsManager => "AWS Secrets Manager",
            Store::AzureKeyVault => "Azure Key Vault",
            Store::GoogleSecretManager => "Google Secret Manager",
        })
    }
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub store: Store,
    /// The region, or the vault's address.
    pub location: String,
}

/// One version of a secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub id: String,
    /// AWS's staging labels; empty in a vault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    /// Whether a vault hands it out; always so in AWS.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
    /// Of the value, or of the selected field; none where the value was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How hard the value is to guess; none where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessability: Option<Guessability>,
    /// Fingerprints of other forms of the value that people mistake for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantFingerprint>,
}

fn yes() -> bool {
    true
}

impl Version {
    /// Whether this label is on it.
    pub fn has_stage(&self, stage: &str) -> bool {
        self.stages.iter().any(|known| known == stage)
    }

    /// The form of the value that has this fingerprint.
    pub fn variant(&self, fingerprint: &Fingerprint) -> Option<&Variant> {
        variant_of(&self.variants, fingerprint)
    }
}

/// The secret whose name has `_` where this one's has `-`, or the reverse, where the store has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sibling {
    pub name: String,
    pub fingerprint: Fingerprint,
}

/// A store's versions of one secret at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSnapshot {
    pub place: Place,
    /// When the store answered, by the local clock.
    pub at: UnixMillis,
    /// The store's full name of the secret: an ARN, or a vault's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<String>,
    /// The version handed out by default.
    pub current: String,
    /// The versions that could be seen, the current one first.
    pub versions: Vec<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sibling: Option<Sibling>,
    /// What could not be seen, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
}

impl StoreSnapshot {
    /// The version handed out by default.
    pub fn current(&self) -> Option<&Version> {
        self.version(&self.current)
    }

    /// The version that was current before, where it can be seen: `AWSPREVIOUS`, or a vault's second newest.
    pub fn previous(&self) -> Option<&Version> {
        match self.place.store {
            Store::AwsSecretsManager => self.versions.iter().find(|version| version.has_stage(PREVIOUS)),
            Store::AzureKeyVault | Store::GoogleSecretManager => {
                self.versions.iter().find(|version| version.id != self.current)
            }
        }
    }

    /// A version under `AWSPENDING` that is not the current one: a rotation that is not finished.
    pub fn pending(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.has_stage(PENDING) && version.id != self.current)
    }

    /// The version of this id.
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// This snapshot as it would have been before the current version was written: for a rotation that has been made
    /// already. None where the version before cannot be seen.
    pub fn before_last_write(&self) -> Option<StoreSnapshot> {
        let previous = self.previous()?.clone();
        let mut earlier = self.clone();
        earlier.versions.retain(|version| version.id != self.current && !version.has_stage(PENDING));
        for version in &mut earlier.versions {
            version.stages.retain(|stage| stage != PREVIOUS);
            if version.id == previous.id && self.place.store == Store::AwsSecretsManager {
                version.stages.push(CURRENT.to_owned());
            }
        }
        earlier.current = previous.id;
        Some(earlier)
    }
}

/// Where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum Source {
    /// The answer of a kickoff.
    Kickoff { kickoff_id: String },
    /// Text that somebody brought.
    Text,
    /// A log file.
    Log { file: String },
    /// What a command printed.
    Command { program: String },
}

/// One look at the running automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeObservation {
    /// When the automation was started, or the text was read, by the local clock.
    pub began: UnixMillis,
    /// When it was seen.
    pub at: UnixMillis,
    #[serde(flatten)]
    pub source: Source,
    /// The automation ended in an error of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    #[serde(flatten)]
    pub output: RuntimeOutput,
}

impl RuntimeObservation {
    /// The fingerprint that counts: the last one that `known` knows, since an output may tell of several secrets and
    /// of several moments; else the last one of all.
    pub fn fingerprint(&self, known: impl Fn(&Fingerprint) -> bool) -> Option<&Fingerprint> {
        let prints = &self.output.fingerprints;
        prints.iter().rev().find(|print| known(print)).or(prints.last())
    }

    /// Whether a worker says that it read the secrets afresh.
    pub fn resolved_afresh(&self) -> bool {
        !self.output.resolved.is_empty()
    }
}
