//! A refusal as Key Vault words it.

use serde_json::{Value, json};

/// What the vault answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub inner: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Fault { status, code, message: message.into(), inner: None }
    }

    /// Adds the inner code.
    pub(super) fn within(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    /// The `error` member of the body.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(inner) = self.inner {
            body["innererror"] = json!({ "code": inner });
        }
        body
    }
}
