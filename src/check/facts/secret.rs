//! What a secret store showed of its secrets: names, versions and fingerprints, never a value.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::network::{Exchange, NetworkFailure};
use crate::domain::fingerprint::guess::Guessability;
use crate::domain::fingerprint::{Fingerprint, VariantFingerprint};
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

/// One call and its last answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call<T> {
    /// The region the client was set to, for a service that has regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How often the call was made; more than once only while waiting for propagation.
    pub attempts: u32,
    /// Milliseconds from the first attempt to the answer that counted.
    pub waited_ms: u64,
    /// What came back.
    #[serde(flatten)]
    pub answer: Answer<T>,
    /// The exchange that brought the answer: what was dialled, and where the time went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

/// What came back of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "answer", bound(serialize = "T: Serialize"))]
pub enum Answer<T> {
    /// The service did it.
    Granted(#[serde(serialize_with = "beside_the_tag")] T),
    /// The service refused, in its own words.
    Refused(Refusal),
    /// No whole answer arrived.
    Network { failure: NetworkFailure },
    /// An answer arrived that is not the service's.
    Unreadable {
        #[serde(skip_serializing_if = "Option::is_none")]
        http_status: Option<u16>,
        detail: String,
    },
    /// The client refused to send the request.
    NotSent { detail: String },
}

/// What was granted, as members beside those of its answer: a list is one of them, whole.
fn beside_the_tag<T: Serialize, S: Serializer>(granted: &T, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::to_value(granted).map_err(serde::ser::Error::custom)? {
        Value::Array(entries) => serde_json::json!({ "entries": entries }).serialize(serializer),
        _ => granted.serialize(serializer),
    }
}

/// A service's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The service's code, such as `AccessDenied`.
    pub code: String,
    pub message: String,
    pub http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Refusal {
    /// Whether the service knows the caller and does not let it do this.
    pub fn is_denial(&self) -> bool {
        const DENIALS: &[&str] = &[
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationFailed",
            "Authorization_RequestDenied",
            "Forbidden",
            "PERMISSION_DENIED",
        ];
        DENIALS.contains(&self.code.as_str())
    }

    /// Whether the same question would be answered a little later.
    pub fn is_throttling(&self) -> bool {
        self.http_status == 429 || self.code.contains("Throttling") || self.code == "TooManyRequestsException"
    }
}

impl<T> Answer<T> {
    /// The same answer with what was granted made into something else.
    pub fn map<U>(self, made: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|granted| Answer::Granted(made(granted)))
    }

    /// The same answer with what was granted made into another answer.
    pub fn and_then<U>(self, made: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Answer::Granted(granted) => made(granted),
            Answer::Refused(refusal) => Answer::Refused(refusal),
            Answer::Network { failure } => Answer::Network { failure },
            Answer::Unreadable { http_status, detail } => Answer::Unreadable { http_status, detail },
            Answer::NotSent { detail } => Answer::NotSent { detail },
        }
    }
}

/// A call, whatever it asks for.
pub trait AnyCall {
    /// The service's refusal, if it refused.
    fn refusal(&self) -> Option<&Refusal>;

    /// The exchange that brought the answer, where one went out.
    fn exchange(&self) -> Option<&Exchange>;

    /// Keeps how often the call was made, and for how long.
    fn note_attempts(&mut self, attempts: u32, waited_ms: u64);
}

impl<T> AnyCall for Call<T> {
    fn refusal(&self) -> Option<&Refusal> {
        self.refusal()
    }

    fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_ref()
    }

    fn note_attempts(&mut self, attempts: u32, waited_ms: u64) {
        (self.attempts, self.waited_ms) = (attempts, waited_ms);
    }
}

impl<T> Call<T> {
    /// The same call with what was granted made into another answer.
    pub fn and_then<U>(self, made: impl FnOnce(T) -> Answer<U>) -> Call<U> {
        let Call { region, attempts, waited_ms, answer, exchange } = self;
        Call { region, attempts, waited_ms, answer: answer.and_then(made), exchange }
    }

    /// What the service granted, if it did.
    pub fn granted(&self) -> Option<&T> {
        match &self.answer {
            Answer::Granted(value) => Some(value),
            _ => None,
        }
    }

    /// The service's refusal, if it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.answer {
            Answer::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
