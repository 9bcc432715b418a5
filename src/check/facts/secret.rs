//! What a secret store showed of its secrets: names, versions and fingerprints, never a value.

use serde::Serialize;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::VariantFingerprint;
use crate::domain::fingerprint::guess::Guessability;
use crate::domain::rotation::Version;
use crate::domain::timestamp::UnixSeconds;

/// The first page of the store's secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecretList {
    /// How many secrets the first page holds.
    pub seen: usize,
    /// Whether there are further pages.
    pub more: bool,
    /// Whether the profile's secret is on the first page. AWS's list may lag five minutes behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds_secret: Option<bool>,
    /// The store's full name of the profile's secret, where it is on the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name on the first page nearest to the profile's, where that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// How many names on the first page begin as the profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefixed: Option<usize>,
    /// The customer key that encrypts the profile's secret, where it is on the first page and has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The customer keys that encrypt the secrets of the first page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// A secret was read; its value has been reduced to a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretRead {
    pub name: String,
    /// The store's full name for it: an ARN, or a vault's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// AWS staging labels of this version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
    /// Text or bytes, as the store holds it.
    pub form: ValueForm,
    /// Of the whole value, or of the selected field where the profile selects one that is there.
    pub fingerprint: Fingerprint,
    /// What the fingerprint would be, had something on the way to a process changed the value.
    #[serde(skip)]
    pub variants: Vec<VariantFingerprint>,
    /// Of the value that the fingerprint is of.
    pub guessability: Guessability,
    /// The field that the profile selects.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub field: Option<SelectedField>,
}

impl SecretRead {
    /// What was read, as one version of the secret. It has no fingerprint where the selected field is not there.
    pub fn into_version(self) -> Version {
        let is_selected = self.field.as_ref().is_none_or(SelectedField::is_found);
        Version {
            id: self.version_id.unwrap_or_default(),
            stages: self.stages,
            enabled: true,
            created_at: self.created_at,
            fingerprint: is_selected.then_some(self.fingerprint),
            guessability: is_selected.then_some(self.guessability),
            variants: self.variants,
        }
    }
}

/// How the store holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueForm {
    Text,
    Binary,
}

/// What became of `name#json_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SelectedField {
    pub json_key: String,
    #[serde(flatten)]
    pub state: FieldState,
}

impl SelectedField {
    /// Whether the field is there, and a text.
    pub fn is_found(&self) -> bool {
        self.state == FieldState::Found
    }
}

/// Whether the selected field is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "field")]
pub enum FieldState {
    /// There, and a text.
    Found,
    /// There, and not a text: a number, an object, …
    NotText { kind: &'static str },
    /// The object has no such key; the nearest one it has, where one is near.
    Missing {
        #[serde(skip_serializing_if = "Option::is_none")]
        nearest: Option<String>,
    },
    /// The value is JSON, and no object.
    NotAnObject,
    /// The value is not JSON.
    NotJson,
}
