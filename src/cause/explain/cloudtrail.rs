//! A failed call as CloudTrail tells it: JSON whose parts say what an error's text says elsewhere
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use serde_json::Value;

use super::Parsed;
use super::clean::clean;
use super::redact::redact;

/// How many failed calls of a file are read; the first ones are the root.
const MOST: usize = 200;

/// The failed calls that a text holds.
#[derive(Debug, PartialEq)]
pub(super) struct Events {
    /// Their errors in the words that a client prints, a line each.
    pub text: String,
    /// What the first one tells besides.
    first: Value,
}

impl Events {
    /// The failed calls of one event, of a log file's `Records`, or of the answer of `aws cloudtrail lookup-events`;
    /// nothing where the text is none of these or no call failed.
    pub(super) fn read(text: &str) -> Option<Events> {
        let text = text.trim().trim_start_matches('\u{feff}');
        if !text.starts_with(['{', '[']) || !text.contains("eventName") {
            return None;
        }
        let mut failed: Vec<Value> = Vec::new();
        for document in serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok) {
            collect(document, &mut failed);
        }
        let lines: Vec<String> = failed.iter().filter_map(line).collect();
        let first = failed.into_iter().next()?;
        Some(Events { text: lines.join("\n"), first })
    }

    /// Puts what the event has in a field of its own over what was read out of the text.
    pub(super) fn complete(&self, parsed: &mut Parsed) {
        let event = &self.first;
        let plain = |text: &str| redact(clean(text)).text;
        let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(plain);
        let fields: [(&mut Option<String>, Option<String>); 10] = [
            (&mut parsed.message, at("/errorMessage").or_else(|| at("/errorCode"))),
            (&mut parsed.operation, at("/eventName")),
            (&mut parsed.region, at("/awsRegion")),
            (&mut parsed.host, at("/tlsDetails/clientProvidedHostHeader")),
            (&mut parsed.client_address, at("/sourceIPAddress")),
            (&mut parsed.request_id, at("/requestID")),
            (&mut parsed.timestamp, at("/eventTime")),
            (&mut parsed.principal, at("/userIdentity/arn")),
            (&mut parsed.secret, at("/requestParameters/secretId")),
            (&mut parsed.account, at("/recipientAccountId")),
        ];
        for (field, told) in fields {
            if told.is_some() {
                *field = told;
            }
        }
        if at("/userIdentity/type").as_deref() == Some("WebIdentityUser") {
            parsed.subject = at("/userIdentity/userName").or(parsed.subject.take());
            let provider = at("/userIdentity/identityProvider");
            parsed.issuer = provider.and_then(|arn| issuer(&arn)).or(parsed.issuer.take());
        }
    }
}

/// The issuer that an identity provider's ARN names.
fn issuer(provider: &str) -> Option<String> {
    provider.split_once("oidc-provider/").map(|(_, url)| format!("https://{url}"))
}

/// Finds the failed calls in a document, whatever wraps them.
fn collect(document: Value, failed: &mut Vec<Value>) {
    match document {
        Value::Array(items) => items.into_iter().for_each(|item| collect(item, failed)),
        Value::Object(mut fields) => {
            for wrapper in ["Records", "Events", "events"] {
                if let Some(list) = fields.remove(wrapper) {
                    return collect(list, failed);
                }
            }
            // `lookup-events` holds each event as text.
            match fields.remove("CloudTrailEvent") {
                Some(Value::String(event)) => collect(serde_json::from_str(&event).unwrap_or_default(), failed),
                _ if fields.contains_key("errorCode") && failed.len() < MOST => failed.push(Value::Object(fields)),
                _ => {}
            }
        }
        _ => {}
    }
}

/// A failed call as a client words it.
fn line(event: &Value) -> Option<String> {
    let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let (code, call) = (at("/errorCode")?, at("/eventName")?);
    let service = at("/eventSource").and_then(|host| host.split('.').next()).unwrap_or_default();
    let mut line = format!("{code}: {}", at("/errorMessage").unwrap_or_default().trim());
    // The event of a refused exchange says no more than that it failed; the client was told this.
    if code == "AccessDenied" && service == "sts" && !line.contains("uthorized") {
        line = format!("{code}: Not authorized to perform sts:{call}");
    }
    line.push_str(&format!(" (when calling the {call} operation)"));
    for parameter in ["roleArn", "secretId"] {
        if let Some(value) = at(&format!("/requestParameters/{parameter}")) {
            line.push_str(&format!(" {parameter} {value}"));
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ExplainContext, explain};
    use super::*;
    use crate::cause::Cause;

    fn refused_exchange() -> Value {
        json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "WebIdentityUser",
                "principalId": "arn:aws:iam::123456789012:oidc-provider/app.example.com:sts.amazonaws.com:organization:1",
                "userName": "organization:1",
                "identityProvider": "arn:aws:iam::123456789012:oidc-provider/app.example.com"
            },
            "eventTime": "2026-11-30T05:00:00Z",
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRoleWithWebIdentity",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.7",
            "errorCode": "AccessDenied",
            "errorMessage": "An unknown error occurred",
            "requestParameters": {
                "roleArn": "arn:aws:iam::123456789012:role/reader", "roleSessionName": "s", "durationSeconds": 3600
            },
            "responseElements": null,
            "requestID": "11111111-2222-3333-4444-555555555555",
            "recipientAccountId": "123456789012"
        })
    }

    #[test]
    fn the_parts_of_an_event_are_read_whatever_wraps_it() {
        let event = refused_exchange();
        for (name, text) in [
            ("alone", format!("{event:#}\n")),
            ("a log file", json!({"Records": [{"eventName": "GetUser"}, event]}).to_string()),
            ("looked up", json!({"Events": [{"EventName": "x", "CloudTrailEvent": event.to_string()}]}).to_string()),
            ("lines", format!("{}\n{event}\n", json!({"eventName": "GetUser"}))),
        ] {
            let explanation = explain(&text, &ExplainContext::default());
            let causes: Vec<Cause> = explanation.causes.iter().map(|finding| finding.cause).collect();
            assert!(causes.contains(&Cause::SubMismatch), "{name}: {causes:?}");
            let parsed = &explanation.parsed;
            assert_eq!(explanation.code.as_deref(), Some("AccessDenied"), "{name}");
            assert_eq!(parsed.message.as_deref(), Some("An unknown error occurred"), "{name}");
            assert_eq!(parsed.operation.as_deref(), Some("AssumeRoleWithWebIdentity"), "{name}");
            assert_eq!(parsed.arns, ["arn:aws:iam::123456789012:role/reader"], "{name}");
            assert_eq!(parsed.account.as_deref(), Some("123456789012"), "{name}");
            assert_eq!(parsed.region.as_deref(), Some("eu-west-1"), "{name}");
            assert_eq!(parsed.subject.as_deref(), Some("organization:1"), "{name}");
            assert_eq!(parsed.issuer.as_deref(), Some("https://app.example.com"), "{name}");
            assert_eq!(parsed.timestamp.as_deref(), Some("2026-11-30T05:00:00Z"), "{name}");
            assert_eq!(parsed.request_id.as_deref(), Some("11111111-2222-3333-4444-555555555555"), "{name}");
        }
    }

    #[test]
    fn a_read_that_was_denied_keeps_its_own_words() {
        let message = "User: arn:aws:sts::123456789012:assumed-role/reader/s is not authorized to perform: \
                       secretsmanager:GetSecretValue on resource: keyword because no identity-based policy allows the \
                       secretsmanager:GetSecretValue action";
        let event = json!({"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
            "errorCode": "AccessDenied", "errorMessage": message, "requestParameters": {"secretId": "keyword"}});
        let explanation = explain(&event.to_string(), &ExplainContext::default());
        assert_eq!(explanation.causes[0].cause, Cause::MissingGet);
        assert_eq!(explanation.parsed.message.as_deref(), Some(message));
        assert_eq!(explanation.parsed.secret.as_deref(), Some("keyword"));
    }

    #[test]
    fn a_token_in_a_message_is_taken_out() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.{}", "eyJzdWIiOiJ4In0", "A".repeat(80));
        let mut event = refused_exchange();
        event["errorMessage"] = json!(format!("the token {token} was refused"));
        let explanation = explain(&event.to_string(), &ExplainContext::default());
        let message = explanation.parsed.message.unwrap();
        assert!(message.starts_with("the token ") && !message.contains(&"A".repeat(20)), "{message}");
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in ["AccessDenied: no", r#"{"eventName": "GetUser"}"#, r#"{"errorCode": "x"}"#, "[eventName", "{}"] {
            assert_eq!(Events::read(text), None, "{text}");
        }
    }
}
