//! The token endpoint's error answers: codes, identifiers for support, and what the text quotes of the request.
//!
//! Codes: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>. The texts may change at any
//! time, so everything beside the numbers is optional.

use serde::Serialize;
use serde_json::Value;
use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::domain::timestamp::UnixSeconds;

/// The longest text that is searched, in bytes.
const LONGEST: usize = 64 * 1024;

/// An error answer, read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EntraError {
    /// The OAuth 2.0 error, such as `invalid_client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The numbers after `AADSTS`, the first one first; no number twice.
    pub codes: Vec<u32>,
    /// The description, without its own code in front and its tail of identifiers.
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suberror: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Entra's clock when it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_time: Option<UnixSeconds>,
}

/// What a "no matching record" answer quotes of the assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub audience: Option<String>,
}

/// The three times of AADSTS700024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValidRange {
    /// Entra's clock.
    pub now: Option<UnixSeconds>,
    /// `nbf`, or 1970 where the assertion has none.
    pub from: Option<UnixSeconds>,
    /// `exp`.
    pub until: Option<UnixSeconds>,
}

impl EntraError {
    /// Reads a JSON answer, or any text that holds `AADSTS` and a number, such as a line of a log.
    pub fn parse(text: &str) -> Option<EntraError> {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text[..end].trim();
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => {
                let field = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
                let mut read = EntraError::of_text(&field("error_description").unwrap_or_default());
                read.error = field("error");
                let listed = object.get("error_codes").and_then(Value::as_array).into_iter().flatten();
                let listed: Vec<u32> =
                    listed.filter_map(|c| c.as_u64().and_then(|c| u32::try_from(c).ok())).take(16).collect();
                // The list is the better key; the text may name further codes.
                let in_text = std::mem::take(&mut read.codes);
                for code in listed.into_iter().chain(in_text) {
                    if !read.codes.contains(&code) {
                        read.codes.push(code);
                    }
                }
                read.suberror = field("suberror").filter(|s| !s.is_empty());
                read.trace_id = field("trace_id").or(read.trace_id);
                read.correlation_id = field("correlation_id").or(read.correlation_id);
                read.server_time = field("timestamp").and_then(|t| server_time(&t)).or(read.server_time);
                (read.error.is_some() || !read.codes.is_empty()).then_some(read)
            }
            _ => {
                let read = EntraError::of_text(text);
                (!read.codes.is_empty()).then_some(read)
            }
        }
    }

    fn of_text(text: &str) -> EntraError {
        // Logs may carry the line breaks as the two characters they are escaped with.
        let text = text.replace("\\r\\n", "\n").replace("\r\n", "\n");
        let tail = ["Trace ID:", "Correlation ID:", "Timestamp:"].iter().filter_map(|mark| text.find(mark)).min();
        let codes = codes(&text);
        let description = text[..tail.unwrap_or(text.len())].trim();
        let own_code = codes.first().map(|code| format!("AADSTS{code}:")).unwrap_or_default();
        let description = description.strip_prefix(&own_code).unwrap_or(description).trim().to_owned();
        EntraError {
            codes,
            description,
            trace_id: labelled(&text, "Trace ID:", 1),
            correlation_id: labelled(&text, "Correlation ID:", 1),
            server_time: labelled(&text, "Timestamp:", 2).and_then(|t| server_time(&t)),
            ..EntraError::default()
        }
    }

    /// The first code.
    pub fn code(&self) -> Option<u32> {
        self.codes.first().copied()
    }

    /// The issuer, subject and audience that the text quotes.
    pub fn presented(&self) -> Presented {
        let text = &self.description;
        let quoted = |name: &str| {
            let old = format!("Assertion {name}:");
            let new = format!("assertion {}", name.to_lowercase());
            after_quoted(text, &old).or_else(|| after_quoted(text, &new))
        };
        Presented { issuer: quoted("Issuer"), subject: quoted("Subject"), audience: quoted("Audience") }
    }

    /// The times that the text quotes.
    pub fn valid_range(&self) -> ValidRange {
        let at = |mark: &str| {
            let rest = &self.description[self.description.find(mark)? + mark.len()..];
            iso_time(rest.trim_start_matches([':', ' ']))
        };
        ValidRange { now: at("Current time"), from: at("assertion valid from"), until: at("expiry time of assertion") }
    }

    /// The key id of AADSTS7000272, as the text writes it: the decoded `kid` in hexadecimal.
    pub fn certificate(&self) -> Option<&str> {
        let rest = self.description.split_once("certificate with identifier ")?.1;
        rest.split_whitespace().next().filter(|id| *id != "used")
    }
}

/// The numbers after `AADSTS`, in their order.
fn codes(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for part in text.split("AADSTS").skip(1) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if let Ok(code) = part[..digits].parse()
            && !found.contains(&code)
            && found.len() < 16
        {
            found.push(code);
        }
    }
    found
}

/// The `words` words after a label.
fn labelled(text: &str, label: &str, words: usize) -> Option<String> {
    let rest = &text[text.find(label)? + label.len()..];
    let found: Vec<&str> = rest.split_whitespace().take(words).collect();
    (found.len() == words).then(|| found.join(" "))
}

/// The text between the first two quotation marks behind `mark`, which must follow it closely.
fn after_quoted(text: &str, mark: &str) -> Option<String> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let rest = rest.trim_start().strip_prefix(['\'', '"'])?;
    // A quoted value may itself hold a mark; the sentence goes on with a full stop or a blank behind the last one.
    let end = rest
        .char_indices()
        .filter(|(_, c)| matches!(c, '\'' | '"'))
        .find(|(at, _)| rest[at + 1..].is_empty() || rest[at + 1..].starts_with(['.', ' ', '\n', ',']))?
        .0;
    Some(rest[..end].to_owned())
}

/// `2025-10-13 14:54:34Z`, UTC.
fn server_time(text: &str) -> Option<UnixSeconds> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let text = text.trim().trim_end_matches('Z');
    PrimitiveDateTime::parse(text, format).ok().map(|t| t.assume_utc().unix_timestamp())
}

/// `2024-05-28T06:01:42.1234567Z` at the start of a text; the fraction is left aside.
fn iso_time(text: &str) -> Option<UnixSeconds> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    PrimitiveDateTime::parse(text.get(..19)?, format).ok().map(|t| t.assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:o/r:ref:refs/heads/main'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";

    #[test]
    fn reads_the_answer_in_both_separators() {
        for separator in [" ", "\r\n", "\\r\\n"] {
            let description = format!(
                "{TEXT}{separator}Trace ID: 11{separator}Correlation ID: 22{separator}Timestamp: 2025-10-13 14:54:34Z"
            );
            let body = json!({"error": "invalid_client", "error_description": description, "error_codes": [700213]});
            for text in [body.to_string(), format!("ERROR: {description}")] {
                let read = EntraError::parse(&text).unwrap();
                assert_eq!(read.codes, [700213], "{text}");
                assert!(read.description.ends_with("presented assertion."), "{:?}", read.description);
                assert_eq!((read.trace_id.as_deref(), read.correlation_id.as_deref()), (Some("11"), Some("22")));
                assert_eq!(read.server_time, Some(1_760_367_274));
            }
        }
    }

    #[test]
    fn quotes_what_was_presented() {
        let old = "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 'a'b'. Assertion Audience: 'c'. https://docs";
        let read = EntraError::parse(old).unwrap();
        assert_eq!(
            read.presented(),
            Presented { issuer: Some("https://i".into()), subject: Some("a'b".into()), audience: Some("c".into()) }
        );
        let new = EntraError::parse(TEXT).unwrap();
        assert_eq!(new.presented().subject.as_deref(), Some("repo:o/r:ref:refs/heads/main"));
        assert_eq!(new.presented().issuer, None);
    }

    #[test]
    fn reads_times_and_keys() {
        let read = EntraError::parse("AADSTS700024: Client assertion is not within its valid time range. Current time: 2024-05-28T06:01:42.1Z, assertion valid from 1970-01-01T00:00:00.0Z, expiry time of assertion 2024-05-28T02:29:01.0Z.").unwrap();
        assert_eq!(
            read.valid_range(),
            ValidRange { now: Some(1_716_876_102), from: Some(0), until: Some(1_716_863_341) }
        );
        let read = EntraError::parse("AADSTS7000272: The certificate with identifier DFA1 used to sign the federated credential could not be found").unwrap();
        assert_eq!(read.certificate(), Some("DFA1"));
        let read = EntraError::parse("AADSTS7000272: The certificate with identifier  used to sign").unwrap();
        assert_eq!(read.certificate(), None);
    }

    #[test]
    fn several_codes_keep_their_order_and_other_texts_are_not_errors() {
        let read = EntraError::parse(
            "invalid_request: 50166 - [2023-10-03 00:44:32Z]: AADSTS70002: x AADSTS50012: y AADSTS70002",
        )
        .unwrap();
        assert_eq!(read.codes, [70002, 50012]);
        for text in ["", "{}", "[1]", "<html>502</html>", "AADSTS"] {
            assert_eq!(EntraError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "(AADSTS|[0-9]|'|Trace ID: |Timestamp: |Assertion Issuer: |\\PC){0,30}") {
            if let Some(read) = EntraError::parse(&text) {
                let _ = (read.presented(), read.valid_range(), read.certificate());
            }
        }
    }
}
