//! One call to a cloud's service and its last answer, in the answer's own words.

use serde::Serialize;

use super::network::{Exchange, NetworkFailure};

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
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer<T> {
    /// The service did it.
    Granted(T),
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

impl<T> Answer<T> {
    /// The same answer with what was granted made into something else.
    pub fn map<U>(self, made: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Answer::Granted(granted) => Answer::Granted(made(granted)),
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
