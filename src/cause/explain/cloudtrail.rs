//! A failed call as CloudTrail tells it: JSON whose parts say what an error's text says elsewhere
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use serde_json::{Map, Value, json};

use super::Parsed;
use super::clean::clean;
use super::redact::redact;
use super::requests::Requests;
use crate::domain::exchange::{Exchange, exchange_of};
use crate::domain::ids::Cloud;

/// How many failed calls of a text are read; the first ones are the root.
const MOST: usize = 200;
/// So often a text is tried that only looks like JSON.
const MOST_TRIES: usize = 64;

/// The failed calls that a text holds.
#[derive(Debug, PartialEq)]
pub(super) struct Events {
    /// What stands around them, and their errors in the words that a client prints, a line each.
    pub text: String,
    /// The call that the text is about.
    call: Failed,
    /// What the requests of all of them look like.
    requests: Option<Requests>,
    /// Whether an error text stands beside the events.
    is_beside_a_text: bool,
}

/// A call that failed.
#[derive(Debug, PartialEq)]
struct Failed {
    event: Value,
    /// What a cloud's log tells of an exchange, where it was one.
    exchange: Option<Exchange>,
}

impl Events {
    /// The failed calls of one event, of a log file's `Records`, of the answer of `aws cloudtrail lookup-events`, or of a
    /// sign-in, wherever in the text they stand, and of an event that was cut off or quoted by a program; nothing where the
    /// text has none of these or no call failed.
    pub(super) fn read(text: &str) -> Option<Events> {
        if !["eventName", "ervicePrincipalId", "protoPayload"].iter().any(|name| text.contains(name)) {
            return None;
        }
        let (mut failed, around) = whole(text);
        if failed.is_empty() {
            failed.extend(in_pieces(text));
        }
        // Of several, it is the one whose request the error text tells of.
        let is_told = |failed: &Failed| failed.request_id().is_some_and(|id| around.contains(id));
        let told = failed.iter().position(is_told);
        let lines: Vec<String> = match told.and_then(|place| failed.get(place)) {
            Some(one) => one.line().into_iter().collect(),
            None => failed.iter().filter_map(Failed::line).collect(),
        };
        let around = around.trim();
        let is_beside_a_text = around.chars().any(char::is_alphabetic);
        let text = if is_beside_a_text { format!("{around}\n{}", lines.join("\n")) } else { lines.join("\n") };
        let requests = Requests::of_events(failed.iter().map(|failed| &failed.event));
        let call = failed.into_iter().nth(told.unwrap_or_default())?;
        Some(Events { text, call, requests, is_beside_a_text })
    }

    /// The requests for an exchange that the events tell of.
    pub(super) fn requests(&self) -> Option<Requests> {
        self.requests.clone()
    }

    /// What the cloud kept of the token.
    pub(super) fn claims(&self) -> Option<Map<String, Value>> {
        self.call.exchange.as_ref().map(Exchange::claims)
    }

    /// The exchange that the text is about.
    pub(super) fn into_exchange(self) -> Option<Exchange> {
        self.call.exchange
    }

    /// Puts what the event has in a field of its own over what was read out of the text.
    pub(super) fn complete(&self, parsed: &mut Parsed) {
        let Failed { event, exchange } = &self.call;
        let plain = |text: &str| redact(clean(text)).text;
        let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(plain);
        // The event says less than the error that the client was told.
        let message = at("/errorMessage").or_else(|| at("/errorCode")).or_else(|| at("/protoPayload/status/message"));
        let message = message.filter(|_| !self.is_beside_a_text);
        let fields: [(&mut Option<String>, Option<String>); 10] = [
            (&mut parsed.message, message),
            (&mut parsed.operation, at("/eventName").or_else(|| at("/protoPayload/methodName"))),
            (&mut parsed.region, at("/awsRegion")),
            (&mut parsed.host, at("/tlsDetails/clientProvidedHostHeader")),
            (&mut parsed.client_address, at("/sourceIPAddress")),
            (&mut parsed.request_id, self.call.request_id().map(plain)),
            (&mut parsed.timestamp, at("/eventTime").or_else(|| at("/createdDateTime")).or_else(|| at("/timestamp"))),
            (&mut parsed.principal, at("/userIdentity/arn")),
            (&mut parsed.secret, at("/requestParameters/secretId")),
            (&mut parsed.account, at("/recipientAccountId")),
        ];
        for (field, told) in fields {
            if told.is_some() {
                *field = told;
            }
        }
        let Some(exchange) = exchange else { return };
        let kept = [
            (&mut parsed.subject, &exchange.subject),
            (&mut parsed.issuer, &exchange.issuer),
            (&mut parsed.audience, &exchange.audience),
        ];
        for (field, told) in kept {
            if let Some(told) = told {
                *field = Some(plain(told));
            }
        }
    }
}

impl Failed {
    /// A call that failed, where the object tells of one.
    fn of(event: Value) -> Option<Failed> {
        let exchange = exchange_of(&event);
        let is_failed =
            event.get("errorCode").is_some() || exchange.as_ref().is_some_and(|seen| seen.refusal.is_some());
        is_failed.then_some(Failed { event, exchange })
    }

    fn request_id(&self) -> Option<&str> {
        let own = self.event.get("requestID").and_then(Value::as_str);
        own.or_else(|| self.exchange.as_ref()?.request_id.as_deref()).filter(|id| !id.is_empty())
    }

    /// The failed call as a client words it.
    fn line(&self) -> Option<String> {
        if let Some(Exchange { cloud: Cloud::Azure | Cloud::Gcp, refusal: Some(refusal), .. }) = &self.exchange {
            return Some(format!("{}: {}", refusal.code, refusal.message.as_deref().unwrap_or_default()));
        }
        let at = |pointer: &str| self.event.pointer(pointer).and_then(Value::as_str);
        let (code, call) = (at("/errorCode")?, at("/eventName")?);
        let service = at("/eventSource").and_then(|host| host.split('.').next()).unwrap_or_default();
        let mut line = format!("{code}: {}", at("/errorMessage").unwrap_or_default().trim());
        // The event of a refused exchange says no more than that it failed; the client was told this.
        let is_exchange = self.exchange.is_some() || service == "sts";
        if code == "AccessDenied" && is_exchange && !line.contains("uthorized") {
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
}

/// The failed calls of the JSON in a text, and the text without that JSON.
fn whole(text: &str) -> (Vec<Failed>, String) {
    let (mut failed, mut around, mut tries) = (Vec::new(), String::new(), 0);
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[']).filter(|_| tries < MOST_TRIES) {
        let (before, json) = rest.split_at(at);
        around.push_str(before);
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
        let known = failed.len();
        if let Some(Ok(value)) = values.next() {
            let end = values.byte_offset();
            let is_log = collect(value, &mut failed) || failed.len() > known;
            let (own, after) = json.split_at(end);
            // Other JSON may be the error text itself.
            around.push_str(if is_log { " " } else { own });
            rest = after;
        } else {
            tries += 1;
            around.push_str(json.get(..1).unwrap_or_default());
            rest = json.get(1..).unwrap_or_default();
        }
    }
    around.push_str(rest);
    (failed, around)
}

/// Finds the failed calls in a document, whatever wraps them; yields whether it is a log of any kind.
fn collect(document: Value, failed: &mut Vec<Failed>) -> bool {
    match document {
        Value::Array(items) => items.into_iter().filter_map(|item| collect(item, failed).then_some(())).count() > 0,
        Value::Object(mut fields) => {
            for wrapper in ["Records", "records", "Events", "events", "value", "entries", "detail"] {
                if let Some(list @ (Value::Array(_) | Value::Object(_))) = fields.remove(wrapper) {
                    return collect(list, failed);
                }
            }
            // `lookup-events` holds each event as text, and a log group does.
            for text in ["CloudTrailEvent", "message"] {
                let inner = fields.get(text).and_then(Value::as_str).filter(|text| text.trim_start().starts_with('{'));
                if let Some(event) = inner.and_then(|text| serde_json::from_str(text).ok()) {
                    return collect(event, failed);
                }
            }
            let is_log =
                ["eventName", "servicePrincipalId", "protoPayload"].iter().any(|name| fields.contains_key(*name));
            if failed.len() < MOST {
                failed.extend(Failed::of(Value::Object(fields)).filter(|_| is_log));
            }
            is_log
        }
        _ => false,
    }
}

/// An event that is no JSON any more, because its end or beginning is missing, or a program printed it in its own way: its
/// members are still named.
fn in_pieces(text: &str) -> Option<Failed> {
    const MEMBERS: [(&str, &str); 11] = [
        ("eventName", ""),
        ("eventSource", ""),
        ("eventTime", ""),
        ("awsRegion", ""),
        ("errorCode", ""),
        ("errorMessage", ""),
        ("requestID", ""),
        ("principalId", "userIdentity"),
        ("userName", "userIdentity"),
        ("identityProvider", "userIdentity"),
        ("roleArn", "requestParameters"),
    ];
    let mut event = json!({});
    for (name, parent) in MEMBERS {
        let Some(value) = member(text, name) else { continue };
        match parent {
            "" => event[name] = value.into(),
            parent => event[parent][name] = value.into(),
        }
    }
    event.get("eventName")?;
    event.get("errorCode")?;
    Failed::of(event)
}

/// The value behind a member's name, in JSON or any form that is near it: `"name": "value"`, `'name': 'value'`,
/// `\"name\":\"value\"`, `name: value`.
fn member(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let is_whole = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let behind = text[at + name.len()..].trim_start_matches(['\\', '"', '\'']).trim_start();
        let value = behind.strip_prefix([':', '=']).filter(|_| is_whole)?.trim_start().trim_start_matches('\\');
        let value = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split([quote, '\n']).next()?.trim_end_matches('\\'),
            _ => value.split([',', '\n', '}']).next()?.trim(),
        };
        (!value.is_empty() && value != "null" && value != "None").then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
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
    fn an_event_is_read_in_whatever_form_it_is_pasted() {
        let event = refused_exchange();
        let compact = event.to_string();
        let python = compact.replace('"', "'").replace("null", "None");
        for (name, text) in [
            ("behind a log's time", format!("2026-11-30T05:00:00Z INFO event={compact} done")),
            ("in a fence", format!("see:\n```json\n{event:#}\n```\n")),
            ("as a text", json!(compact).to_string()),
            ("cut off", compact[..compact.len() - 30].to_owned()),
            ("the middle", format!("{event:#}").lines().skip(3).collect::<Vec<_>>().join("\n")),
            ("printed by Python", python),
            ("on a bus", json!({"detail-type": "AWS API Call via CloudTrail", "detail": event}).to_string()),
            ("in a log group", json!({"events": [{"message": compact}]}).to_string()),
            ("as a column", format!("EVENTS\tAKIA\t{compact}\tAssumeRoleWithWebIdentity")),
        ] {
            let explanation = explain(&text, &ExplainContext::default());
            let causes: Vec<Cause> = explanation.causes.iter().map(|finding| finding.cause).collect();
            assert!(causes.contains(&Cause::SubMismatch), "{name}: {causes:?}");
            let parsed = &explanation.parsed;
            assert_eq!(parsed.operation.as_deref(), Some("AssumeRoleWithWebIdentity"), "{name}");
            assert_eq!(parsed.subject.as_deref(), Some("organization:1"), "{name}");
            assert_eq!(parsed.issuer.as_deref(), Some("https://app.example.com"), "{name}");
        }
    }

    #[test]
    fn an_error_text_is_joined_to_its_event_by_the_request() {
        let mut other = refused_exchange();
        (other["requestID"], other["userIdentity"]["userName"]) = (json!("99999999"), json!("organization:9"));
        let told = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to \
                    perform sts:AssumeRoleWithWebIdentity";
        let log = json!({"Records": [other, refused_exchange()]});
        for text in [
            format!("{told} (Request ID: 11111111-2222-3333-4444-555555555555)\n{log}"),
            format!("{log:#}\n{told} (Request ID: 11111111-2222-3333-4444-555555555555)"),
        ] {
            let parsed = explain(&text, &ExplainContext::default()).parsed;
            assert_eq!(parsed.subject.as_deref(), Some("organization:1"));
            let message = parsed.message.unwrap();
            assert!(message.contains("Not authorized to perform") && !message.contains("eventVersion"), "{message}");
        }
    }

    #[test]
    fn a_refused_sign_in_is_read() {
        let sign_in = json!({"value": [{"id": "x", "createdDateTime": "2026-11-30T05:00:00Z", "appId": "5b1f2c9e-0000-4000-8000-000000000001",
            "servicePrincipalId": "y", "status": {"errorCode": 700_213, "failureReason": "No matching federated identity record found for presented assertion subject 'organization:2'."}}]});
        let explanation = explain(&sign_in.to_string(), &ExplainContext::default());
        assert_eq!(explanation.code.as_deref(), Some("AADSTS700213"));
        assert_eq!(explanation.parsed.subject.as_deref(), Some("organization:2"));
        assert_eq!(explanation.causes[0].cause, Cause::SubMismatch);
    }

    #[test]
    fn a_refused_exchange_of_googles_audit_log_is_read() {
        let message = "The given credential is rejected by the attribute condition.";
        let entry = json!({"insertId": "1q2w3e", "timestamp": "2026-11-30T05:00:00Z", "protoPayload": {
            "methodName": "google.identity.sts.v1.SecurityTokenService.ExchangeToken",
            "authenticationInfo": {"principalSubject": "repo:o/r:ref:refs/heads/main"},
            "request": {"audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"},
            "status": {"code": 3, "message": message}}});
        for text in [entry.to_string(), json!({"entries": [entry]}).to_string(), json!([entry]).to_string()] {
            let explanation = explain(&text, &ExplainContext::default());
            assert_eq!(explanation.causes[0].cause, Cause::AttributeCondition, "{text}");
            let parsed = &explanation.parsed;
            assert_eq!((parsed.message.as_deref(), parsed.request_id.as_deref()), (Some(message), Some("1q2w3e")));
            assert_eq!(parsed.subject.as_deref(), Some("repo:o/r:ref:refs/heads/main"));
            assert!(parsed.operation.as_ref().unwrap().ends_with("ExchangeToken"));
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
