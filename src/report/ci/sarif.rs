//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), for code scanning.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Alert, Alerts, Level, NotJudged, Place, Refused};
use crate::cause::{Cause, catalogue};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path must not have as it stands to be a URI's reference.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#')
    .add(b'?')
    .add(b'{')
    .add(b'}')
    .add(b'%')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'|')
    .add(b'\\')
    .add(b':');

/// A log of one run, with a rule for each cause that was found.
pub fn sarif(alerts: &Alerts) -> Value {
    let refused = |refused: &Refused| notification("error", &refused.message, refused.place.as_ref());
    let not_judged = |unjudged: &NotJudged| {
        let message = format!("{} was not judged: {}", unjudged.resource, unjudged.why);
        notification("warning", &message, unjudged.place.as_ref())
    };
    let not_judged = alerts.not_judged.iter().map(not_judged);
    let notifications: Vec<Value> = alerts.refused.iter().map(refused).chain(not_judged).collect();
    let causes: BTreeSet<Cause> = alerts.found.iter().map(|alert| alert.cause).collect();
    let mut log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "trustline",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": causes.into_iter().map(rule).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": alerts.refused.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": alerts.found.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    if !alerts.properties.is_empty() {
        log["runs"][0]["properties"] = json!(alerts.properties);
    }
    log
}

fn rule(cause: Cause) -> Value {
    let entry = catalogue::entry(cause);
    json!({
        "id": cause.id(),
        "shortDescription": { "text": entry.title },
        "fullDescription": { "text": entry.meaning },
        "helpUri": entry.docs,
    })
}

fn result(alert: &Alert) -> Value {
    let level = match alert.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut place = alert.place.as_ref().map_or_else(|| json!({}), location);
    place["logicalLocations"] = json!([{ "fullyQualifiedName": alert.resource, "kind": "resource" }]);
    let mut result = json!({
        "ruleId": alert.cause.id(),
        "level": level,
        "message": { "text": alert.message },
        "partialFingerprints": { "trustline/v1": alert.fingerprint },
        "properties": alert.properties,
        "locations": [place],
    });
    if let Some(reason) = &alert.suppressed {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
    }
    result
}

fn notification(level: &str, message: &str, place: Option<&Place>) -> Value {
    let mut notification = json!({ "level": level, "message": { "text": message } });
    if let Some(at) = place {
        notification["locations"] = json!([location(at)]);
    }
    notification
}

fn location(at: &Place) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": utf8_percent_encode(&at.file, RESERVED).to_string() },
        "region": { "startLine": at.line.max(1) },
    } })
}
