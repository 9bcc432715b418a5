//! What Google's services say when they refuse: the STS as OAuth 2.0 has it, the others in the form of their APIs
//! (<https://cloud.google.com/apis/design/errors>).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GoogleError {
    /// `invalid_grant` of the STS, `PERMISSION_DENIED` of an API.
    pub code: String,
    pub message: String,
    /// Why, in one word: `IAM_PERMISSION_DENIED`, `SERVICE_DISABLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The permission that is lacking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    OAuth { error: String, error_description: Option<String> },
    Api { error: Api },
}

#[derive(Deserialize)]
struct Api {
    code: Option<u16>,
    #[serde(default)]
    message: String,
    status: Option<String>,
    #[serde(default)]
    details: Vec<Value>,
}

impl GoogleError {
    /// Reads the body of an answer; `None` where it is no refusal of Google's.
    pub fn parse(body: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(body).ok()? {
            Answer::OAuth { error, error_description } => {
                GoogleError { code: error, message: error_description.unwrap_or_default(), ..GoogleError::default() }
            }
            Answer::Api { error } => {
                let info = error.details.iter().find(|detail| detail.get("reason").is_some_and(Value::is_string));
                let text = |at: &str| info.and_then(|info| info.pointer(at)?.as_str()).map(str::to_owned);
                let code = error.status.or_else(|| Some(error.code?.to_string())).unwrap_or_default();
                // Not all of them have the detail; the sentence names it alike.
                let permission = text("/metadata/permission").or_else(|| named_permission(&error.message));
                GoogleError { code, message: error.message, reason: text("/reason"), permission }
            }
        })
    }

    /// Whether the service itself is off in the project.
    pub fn is_service_disabled(&self) -> bool {
        self.reason.as_deref() == Some("SERVICE_DISABLED") || self.message.contains("has not been used in project")
    }

    /// Whether the access token was made for other services, whatever its owner may do.
    pub fn is_scope_too_narrow(&self) -> bool {
        self.reason.as_deref() == Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    }
}

fn named_permission(message: &str) -> Option<String> {
    let (_, after) = message.split_once("Permission '")?;
    Some(after.split_once('\'')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let sts =
            GoogleError::parse(br#"{"error":"invalid_grant","error_description":"Unable to parse the ID Token."}"#)
                .unwrap();
        assert_eq!((sts.code.as_str(), sts.message.as_str()), ("invalid_grant", "Unable to parse the ID Token."));
        let denied = br#"{"error":{"code":403,"message":"Permission 'secretmanager.versions.access' denied for resource 'x' (or it may not exist).",
            "status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",
            "reason":"IAM_PERMISSION_DENIED","domain":"iam.googleapis.com","metadata":{"permission":"secretmanager.versions.access"}}]}}"#;
        let denied = GoogleError::parse(denied).unwrap();
        assert_eq!(denied.reason.as_deref(), Some("IAM_PERMISSION_DENIED"));
        assert_eq!(denied.permission.as_deref(), Some("secretmanager.versions.access"));
        let bare = GoogleError::parse(
            br#"{"error":{"code":403,"message":"Permission 'a.b.c' denied on resource (or it may not exist)."}}"#,
        )
        .unwrap();
        assert_eq!((bare.code.as_str(), bare.permission.as_deref()), ("403", Some("a.b.c")));
        assert_eq!(GoogleError::parse(b"<html>"), None);
        assert_eq!(GoogleError::parse(b"{}"), None);
        let off = br#"{"error":{"code":403,"message":"Secret Manager API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED"}}"#;
        assert!(GoogleError::parse(off).unwrap().is_service_disabled());
    }
}
