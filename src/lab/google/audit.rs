//! The audit log of Google's exchanges, of tokens of service accounts, and of reads of secrets, as Cloud Logging lists it
//! (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list>).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::access::{Asked, GoogleService};
use super::error::GoogleError;
use super::exchange::{Refused, Seen};
use super::project::Resource;
use crate::domain::timestamp::{parse_rfc3339, rfc3339};
use crate::lab::keys::random_uuid;

pub(super) const SERVICE: GoogleService =
    GoogleService { name: "logging.googleapis.com", title: "Cloud Logging API", scopes: &[], act };

/// So many entries are kept; older ones are forgotten.
const MOST: usize = 10_000;
/// The entries of a page, where no fewer are asked for.
const PAGE: usize = 1000;
const EXCHANGE: (&str, &str) = ("sts.googleapis.com", "google.identity.sts.v1.SecurityTokenService.ExchangeToken");

/// The log of one project, the oldest first, each entry with its number.
#[derive(Default)]
pub(super) struct AuditLog(Mutex<VecDeque<(u64, Value)>>);

/// A call that is put on record.
pub(super) struct Call<'c> {
    /// Its service and method.
    pub method: (&'static str, &'static str),
    pub resource: String,
    /// As policies name whoever called.
    pub principal: String,
    pub refusal: Option<&'c GoogleError>,
}

impl AuditLog {
    /// Puts an exchange on record.
    pub(super) fn exchanged(&self, number: &str, seen: &Seen, refused: Option<&Refused>, now: i64) {
        let mut payload = json!({
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": EXCHANGE.0,
            "methodName": EXCHANGE.1,
            "resourceName": seen.provider,
            "authenticationInfo": {},
            "requestMetadata": { "callerIp": "127.0.0.1" },
            "metadata": {
                "@type": "type.googleapis.com/google.identity.sts.v1.AuditData",
                "mapped_principal": seen.principal.as_deref().unwrap_or_default(),
            },
        });
        if let Some(subject) = &seen.subject {
            payload["authenticationInfo"] = json!({ "principalSubject": subject });
        }
        if let Some(refused) = refused {
            payload["status"] = json!({ "code": 3, "message": refused.description });
        }
        self.add(number, payload, refused.is_some(), now);
    }

    /// Puts a call on record that was made with an access token.
    pub(super) fn called(&self, number: &str, call: &Call<'_>, now: i64) {
        let who = match call.principal.strip_prefix("user:").or(call.principal.strip_prefix("serviceAccount:")) {
            Some(address) => json!({ "principalEmail": address }),
            None => json!({ "principalSubject": call.principal }),
        };
        let mut payload = json!({
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": call.method.0,
            "methodName": call.method.1,
            "resourceName": call.resource,
            "authenticationInfo": who,
            "requestMetadata": { "callerIp": "127.0.0.1" },
        });
        if let Some(refusal) = call.refusal {
            payload["status"] = json!({ "code": refusal.number(), "message": refusal.message });
        }
        self.add(number, payload, call.refusal.is_some(), now);
    }

    fn add(&self, number: &str, payload: Value, is_refused: bool, now: i64) {
        let (service, method) = (payload["serviceName"].clone(), payload["methodName"].clone());
        let entry = json!({
            "protoPayload": payload,
            "insertId": random_uuid(),
            "resource": {
                "type": "audited_resource",
                "labels": { "method": method, "project_id": number, "service": service },
            },
            "timestamp": rfc3339(now),
            "receiveTimestamp": rfc3339(now),
            "severity": if is_refused { "ERROR" } else { "INFO" },
            "logName": format!("projects/{number}/logs/cloudaudit.googleapis.com%2Fdata_access"),
        });
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = entries.back().map_or(0, |(number, _)| number + 1);
        entries.push_back((next, entry));
        if entries.len() > MOST {
            entries.pop_front();
        }
    }

    /// The entries that fit, in the order that is asked for: those after the one that `page_token` counts.
    fn list(&self, query: &Query) -> Value {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting: Vec<&Value> = entries.iter().map(|(_, entry)| entry).filter(|entry| query.fits(entry)).collect();
        let ordered: Vec<&Value> = if query.is_descending { fitting.into_iter().rev().collect() } else { fitting };
        let next = query.skipped.saturating_add(query.size);
        let page: Vec<&Value> = ordered.iter().copied().skip(query.skipped).take(query.size).collect();
        let mut answer = json!({ "entries": page });
        if next < ordered.len() {
            answer["nextPageToken"] = next.to_string().into();
        }
        answer
    }
}

/// What a request asks of the log.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    /// A field, and the values of which it has one.
    equal: Vec<(String, Vec<String>)>,
    since: Option<i64>,
    until: Option<i64>,
    is_descending: bool,
    size: usize,
    skipped: usize,
}

impl Query {
    /// Reads the body of `entries:list`; of Logging's language it knows comparisons that are joined with AND or stand on
    /// lines of their own.
    fn read(body: &Value) -> Result<Self, GoogleError> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let size = body.get("pageSize").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let skipped = match text("pageToken") {
            "" => 0,
            token => token.parse().map_err(|_| GoogleError::invalid("The page token is invalid."))?,
        };
        let mut query = Query {
            is_descending: text("orderBy") == "timestamp desc",
            size: size.filter(|size| *size > 0).unwrap_or(PAGE).min(PAGE),
            skipped,
            ..Query::default()
        };
        let filter = text("filter").replace(" AND ", "\n");
        for comparison in filter.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let unparseable = || GoogleError::invalid(format!("Unparseable filter: {comparison}"));
            let unquoted = |value: &str| value.trim().trim_matches('"').to_owned();
            let at = |value: &str| parse_rfc3339(&unquoted(value)).ok_or_else(unparseable);
            if let Some((_, value)) = comparison.split_once("timestamp>=").or(comparison.split_once("timestamp >= ")) {
                query.since = Some(at(value)?);
            } else if let Some((_, value)) =
                comparison.split_once("timestamp<=").or(comparison.split_once("timestamp <= "))
            {
                query.until = Some(at(value)?);
            } else {
                let (name, value) = comparison.split_once('=').ok_or_else(unparseable)?;
                let listed = value.trim().trim_start_matches('(').trim_end_matches(')');
                query.equal.push((name.trim().to_owned(), listed.split(" OR ").map(unquoted).collect()));
            }
        }
        Ok(query)
    }

    fn fits(&self, entry: &Value) -> bool {
        let at = entry["timestamp"].as_str().and_then(parse_rfc3339);
        let is = |(name, values): &(String, Vec<String>)| {
            let found = name.split('.').try_fold(entry, |value, part| value.get(part));
            found.is_some_and(|found| values.iter().any(|value| found == value.as_str()))
        };
        self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at <= until))
            && self.equal.iter().all(is)
    }
}

fn act(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let ("POST", path, "list") = asked.route() else { return Err(GoogleError::no_such_method()) };
    if path != ["entries"] {
        return Err(GoogleError::no_such_method());
    }
    let body = asked.body()?;
    let named = body["resourceNames"][0].as_str().and_then(|name| name.strip_prefix("projects/"));
    let named = named.ok_or_else(|| GoogleError::invalid("resource_names must name a project: projects/PROJECT"))?;
    let permission = "logging.privateLogEntries.list";
    let project = asked.project(named, permission)?;
    asked.must(&project, permission, &Resource::Project, None)?;
    Ok(asked.cloud.audit.list(&Query::read(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> AuditLog {
        let log = AuditLog::default();
        for at in [100, 200, 300] {
            let seen = Seen { provider: format!("p{at}"), subject: Some("job:1".to_owned()), principal: None };
            log.exchanged("1", &seen, None, at);
        }
        let principal = "principal://iam.googleapis.com/projects/1/x".to_owned();
        let method = ("secretmanager.googleapis.com", "google.cloud.secretmanager.v1.SecretManagerService.ListSecrets");
        let refusal = GoogleError::denied("secretmanager.secrets.list", "projects/1");
        log.called("1", &Call { method, resource: "projects/1".to_owned(), principal, refusal: Some(&refusal) }, 400);
        log
    }

    fn resources(body: &Value) -> (Vec<String>, Option<String>) {
        let listed = log().list(&Query::read(body).unwrap());
        let name = |entry: &Value| entry["protoPayload"]["resourceName"].as_str().unwrap().to_owned();
        let token = listed["nextPageToken"].as_str().map(str::to_owned);
        (listed["entries"].as_array().unwrap().iter().map(name).collect(), token)
    }

    #[test]
    fn entries_are_found_by_method_time_and_page() {
        let exchanges = "protoPayload.methodName=\"google.identity.sts.v1.SecurityTokenService.ExchangeToken\"";
        assert_eq!(resources(&json!({ "filter": exchanges })).0, ["p100", "p200", "p300"]);
        let either = "protoPayload.serviceName=(\"sts.googleapis.com\" OR \"secretmanager.googleapis.com\")";
        assert_eq!(resources(&json!({ "filter": either })).0.len(), 4);
        let since = format!("{exchanges} AND timestamp>=\"1970-01-01T00:03:20Z\"");
        let latest = json!({ "filter": since, "orderBy": "timestamp desc", "pageSize": 1 });
        assert_eq!(resources(&latest), (vec!["p300".to_owned()], Some("1".to_owned())));
        let next = json!({ "filter": since, "orderBy": "timestamp desc", "pageSize": 1, "pageToken": "1" });
        assert_eq!(resources(&next), (vec!["p200".to_owned()], None));
        let until = json!({ "filter": "severity=ERROR\ntimestamp <= \"1970-01-01T00:06:40Z\"" });
        assert_eq!(resources(&until).0, ["projects/1"]);
        for wrong in [json!({ "filter": "timestamp>=\"yesterday\"" }), json!({ "filter": "severity" })] {
            assert_eq!(Query::read(&wrong).unwrap_err().code, "INVALID_ARGUMENT");
        }
    }
}
