//! A refusal as Entra words it: the numeric code, the OAuth 2.0 error, the text with its tail.

use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

/// What the token endpoint answers instead of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: u32,
    pub status: u16,
    pub error: &'static str,
    pub message: String,
}

impl Fault {
    pub(super) fn new(code: u32, status: u16, error: &'static str, message: impl Into<String>) -> Self {
        Fault { code, status, error, message: message.into() }
    }

    /// The JSON body, with the identifiers that support asks for.
    pub(super) fn body(&self, trace: &str, correlation: &str, now: i64) -> String {
        let time = server_time(now);
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        })
        .to_string()
    }
}

/// `2025-10-13 14:54:34Z`.
fn server_time(now: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(now).ok().and_then(|t| t.format(format).ok()).unwrap_or_default()
}

/// `2025-10-13T14:54:34.0000000Z`, as the texts quote times.
pub(super) fn quoted_time(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].0000000Z");
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|t| t.format(format).ok()).unwrap_or_default()
}
