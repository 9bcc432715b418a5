//! Exchanges as the clouds' own logs keep them: who came with which token, for what, and whether it was let in. A log holds
//! no token, and of its claims only a few.

mod audit;
mod cloudtrail;
mod sign_in;

use std::io::Read;

use memchr::memmem;
use serde_json::{Map, Value};

use super::ids::Cloud;
use super::json_stream::{JsonStreamError, split};
use super::timestamp::UnixSeconds;

/// One exchange of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The cloud that was asked.
    pub cloud: Cloud,
    /// What was asked for: the role's ARN, the application's id, the provider's name, or a secret's version at Google.
    pub resource: Option<String>,
    /// The identity provider's ARN, or the host of a built-in one; at Google the principal that the token became.
    pub provider: Option<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub subject: Option<String>,
    /// Nothing where it was granted.
    pub refusal: Option<Refusal>,
    /// The federated credential that Entra found to match, by its id.
    pub credential: Option<String>,
    pub at: Option<UnixSeconds>,
    pub request_id: Option<String>,
    /// The region of the endpoint that was called.
    pub region: Option<String>,
    pub session_name: Option<String>,
}

/// What the cloud said instead of granting it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Such as `AccessDenied` or `AADSTS700213`.
    pub code: String,
    pub message: Option<String>,
}

/// How much of a log was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogTally {
    /// JSON documents: one a file, or one a line.
    pub documents: u64,
    /// Objects of any kind.
    pub objects: u64,
    /// Those that are events of a cloud, exchanges among them.
    pub events: u64,
    pub exchanges: u64,
}

impl Exchange {
    /// What the log keeps of the token. Google's keeps what its subject was mapped to, which is no claim.
    pub fn claims(&self) -> Map<String, Value> {
        if self.cloud == Cloud::Gcp {
            return Map::new();
        }
        let kept = [("iss", &self.issuer), ("sub", &self.subject), ("aud", &self.audience)];
        kept.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into()))).collect()
    }
}

/// The exchange that an event or a sign-in tells of.
pub fn exchange_of(event: &Value) -> Option<Exchange> {
    match entry(event.to_string().as_bytes(), &Names::new()).ok()? {
        Entry::Exchange(exchange) => Some(*exchange),
        Entry::Other | Entry::Foreign => None,
    }
}

/// What an object of a log is.
enum Entry {
    Exchange(Box<Exchange>),
    /// An event of another kind.
    Other,
    /// No event.
    Foreign,
}

/// The members whose list holds the events: CloudTrail's log files, `lookup-events`, log groups, Graph's and Azure's answers,
/// Google's `entries:list`.
const LISTS: &[&str] = &["Records", "records", "Events", "events", "value", "entries"];

/// Reads a log of any of the clouds and tells of each exchange in it, one event in memory at a time.
///
/// # Errors
/// It cannot be read, is broken, or has an exchange that cannot be read.
pub fn read_log(input: impl Read, found: &mut dyn FnMut(Exchange)) -> Result<LogTally, JsonStreamError> {
    let mut tally = LogTally::default();
    let names = Names::new();
    let streamed = split(input, LISTS, &mut |item| {
        tally.objects += 1;
        match entry(item.bytes, &names)? {
            Entry::Exchange(exchange) => {
                tally.events += 1;
                tally.exchanges += 1;
                found(*exchange);
            }
            Entry::Other => tally.events += 1,
            Entry::Foreign => {}
        }
        Ok(())
    })?;
    Ok(LogTally { documents: streamed.documents, ..tally })
}

/// What tells events from each other before they are read, prepared once.
struct Names {
    exchange: memmem::Finder<'static>,
    service_principal: memmem::Finder<'static>,
    event: memmem::Finder<'static>,
    audit: memmem::Finder<'static>,
    escape: memmem::Finder<'static>,
}

impl Names {
    fn new() -> Self {
        Names {
            exchange: memmem::Finder::new(cloudtrail::EXCHANGE),
            // In the letter case of Graph and in that of Log Analytics.
            service_principal: memmem::Finder::new("ervicePrincipal"),
            event: memmem::Finder::new("eventName"),
            audit: memmem::Finder::new(audit::PAYLOAD),
            // A name may be written with escapes; nobody does, and it would be the same name.
            escape: memmem::Finder::new("\\u00"),
        }
    }
}

/// Most events are not of interest, and are not taken apart to see that.
fn entry(object: &[u8], names: &Names) -> Result<Entry, String> {
    let may_be_escaped = || names.escape.find(object).is_some();
    if names.exchange.find(object).is_some() || may_be_escaped() {
        let event = cloudtrail::read(object).map_err(|error| format!("an event cannot be read: {error}"))?;
        if let Some(exchange) = event {
            return Ok(Entry::Exchange(Box::new(exchange)));
        }
    }
    if names.event.find(object).is_some() {
        return Ok(Entry::Other);
    }
    if names.audit.find(object).is_some() {
        return audit::read(object).map_err(|error| format!("an entry of an audit log cannot be read: {error}"));
    }
    if names.service_principal.find(object).is_none() {
        return Ok(Entry::Foreign);
    }
    sign_in::read(object).map_err(|error| format!("a sign-in cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<(Vec<Exchange>, LogTally), JsonStreamError> {
        let mut found = Vec::new();
        let tally = read_log(text.as_bytes(), &mut |exchange| found.push(exchange))?;
        Ok((found, tally))
    }

    /// An event, and whether it is an exchange; in one of the wrappings that each can have of its own.
    fn event() -> impl Strategy<Value = (Value, bool)> {
        let known = proptest::sample::select(vec!["AssumeRoleWithWebIdentity", "GetUser", "AssumeRole"]);
        let name = prop_oneof![known.prop_map(str::to_owned), ".{0,8}"];
        (name, ".{0,12}", 0..4_u8, any::<bool>()).prop_map(|(name, text, wrapping, denied)| {
            let mut event = json!({
                "eventName": name, "eventSource": "sts.amazonaws.com", "requestID": text,
                "userIdentity": {"type": "WebIdentityUser", "userName": text, "note": "AssumeRoleWithWebIdentity"},
                "requestParameters": if denied { json!({"roleArn": text}) } else { json!(null) },
            });
            if denied {
                event["errorCode"] = "AccessDenied".into();
            }
            let wrapped = match wrapping {
                0 => json!({"EventName": name, "CloudTrailEvent": event.to_string()}),
                1 => json!({"message": event.to_string()}),
                2 => json!({"detail-type": "AWS API Call via CloudTrail", "detail": event}),
                _ => event,
            };
            (wrapped, name == "AssumeRoleWithWebIdentity")
        })
    }

    proptest! {
        #[test]
        fn as_many_exchanges_are_told_as_there_are(events in proptest::collection::vec(event(), 0..12), lines in any::<bool>()) {
            let values: Vec<&Value> = events.iter().map(|(event, _)| event).collect();
            let text = if lines {
                values.iter().map(|event| format!("{event}\n")).collect()
            } else {
                json!({"Records": values}).to_string()
            };
            let (found, tally) = read(&text).unwrap();
            let exchanges = events.iter().filter(|(_, is_exchange)| *is_exchange).count();
            prop_assert_eq!((found.len(), tally.exchanges), (exchanges, exchanges as u64));
            prop_assert_eq!((tally.objects, tally.events), (events.len() as u64, events.len() as u64));
        }
    }

    #[test]
    fn what_is_no_log_has_no_event() {
        let (found, tally) = read(r#"{"name": "left-pad", "Records": [{"x": 1}, {"y": [{}]}]}"#).unwrap();
        assert_eq!((found.len(), tally), (0, LogTally { documents: 1, objects: 2, events: 0, exchanges: 0 }));
    }

    #[test]
    fn an_exchange_that_is_broken_ends_the_reading() {
        let error = read("{\"eventName\": \"AssumeRoleWithWebIdentity\", \"eventTime\": nul}").unwrap_err().to_string();
        assert!(error.starts_with("line 1, column 60: an event cannot be read: "), "{error}");
    }
}
