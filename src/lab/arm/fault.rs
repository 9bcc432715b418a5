//! A refusal as Resource Manager words it.

use serde_json::json;

/// What Resource Manager answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Fault { status, code, message: message.into() }
    }

    pub(super) fn body(&self) -> String {
        json!({ "error": { "code": self.code, "message": self.message } }).to_string()
    }
}
