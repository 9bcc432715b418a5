//! A refusal as Graph words it.

use serde_json::json;

use crate::lab::clock::now;
use crate::lab::keys::random_uuid;

/// What Graph answers instead of a result.
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

    /// `Request_BadRequest`, 400.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Fault::new(400, "Request_BadRequest", message)
    }

    /// A path that leads nowhere.
    pub(super) fn segment(segment: &str) -> Self {
        Fault::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
    }

    /// No object of this id.
    pub(super) fn not_found(id: &str) -> Self {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Fault::new(404, "Request_ResourceNotFound", message)
    }

    /// Something with this key is there already.
    pub(super) fn duplicate(message: impl Into<String>) -> Self {
        Fault::new(409, "Request_MultipleObjectsWithSameKeyValue", message)
    }

    /// The JSON body, with the identifiers that support asks for.
    pub(super) fn body(&self) -> String {
        let inner = json!({
            "date": crate::domain::timestamp::rfc3339(now()),
            "request-id": random_uuid(),
            "client-request-id": random_uuid(),
        });
        json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } }).to_string()
    }
}
