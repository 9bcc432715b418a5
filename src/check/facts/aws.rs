//! What AWS answered: one fact a call, with what was dialled and the answer's own words.

use serde::{Deserialize, Serialize};

use super::network::{Hop, NetworkFailure};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::timestamp::UnixSeconds;

/// What AWS answered, call by call. `None` where a call was not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsFacts {
    pub assume_role: Option<AwsCall<AssumedRole>>,
    pub caller: Option<AwsCall<Caller>>,
    pub list: Option<AwsCall<SecretList>>,
    pub secret: Option<AwsCall<SecretRead>>,
}

/// One call and its last answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsCall<T> {
    /// The address dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The region the client was set to.
    pub region: String,
    /// Milliseconds of the last attempt.
    pub duration_ms: u64,
    /// Where the last attempt's time went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// How often the call was made; more than once only while waiting for propagation.
    pub attempts: u32,
    /// Milliseconds from the first attempt to the answer that counted.
    pub waited_ms: u64,
    /// What came back.
    #[serde(flatten)]
    pub answer: AwsAnswer<T>,
}

/// What came back of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum AwsAnswer<T> {
    /// The service did it.
    Granted(T),
    /// The service refused, in its own words.
    Refused(AwsRefusal),
    /// No answer arrived.
    Network(NetworkFailure),
    /// An answer arrived that is not the service's.
    Unreadable {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_status: Option<u16>,
        detail: String,
    },
    /// The client refused to send the request.
    NotSent { detail: String },
}

/// A service's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsRefusal {
    /// The wire code, such as `AccessDenied`.
    pub code: String,
    pub message: String,
    pub http_status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A session was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssumedRole {
    /// The session's ARN.
    pub assumed_role_arn: String,
    /// The provider whose token was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The audience that was matched: `azp` where the token has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The token's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the session ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_expires_at: Option<UnixSeconds>,
}

/// Who the credentials are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub arn: String,
    pub account: String,
}

/// The first page of the account's secrets in this region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretList {
    /// How many secrets the first page holds.
    pub seen: usize,
    /// Whether there are further pages.
    pub more: bool,
    /// Whether the profile's secret is on the first page. The list may lag five minutes behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_secret: Option<bool>,
    /// The names on the first page nearest to the profile's, where it is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<String>,
}

/// A secret was read; its value has been reduced to a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRead {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(default)]
    pub stages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
    /// Text or bytes, as the store holds it.
    pub form: ValueForm,
    /// Of the whole value, or of the selected field where the profile selects one that is there.
    pub fingerprint: Fingerprint,
    /// The field that the profile selects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<SelectedField>,
}

/// How the store holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueForm {
    Text,
    Binary,
}

/// What became of `name#json_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedField {
    pub key: String,
    #[serde(flatten)]
    pub state: FieldState,
}

/// Whether the selected field is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "field")]
pub enum FieldState {
    /// There, and a text.
    Found,
    /// There, and not a text: a number, an object, …
    NotText { kind: String },
    /// The object has no such key; the nearest one it has, where one is near.
    Missing {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nearest: Option<String>,
    },
    /// The value is JSON, and no object.
    NotAnObject,
    /// The value is not JSON.
    NotJson,
}
