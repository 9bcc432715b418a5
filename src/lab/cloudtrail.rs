//! CloudTrail: each account's own record of the exchanges at STS, and how an operator looks them up, over the real protocol and
//! at the real rate.
//!
//! As at AWS, what STS refuses because it cannot verify the token is not in the record; what the role refuses is, with whose
//! token it was and without the reason.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::iam::{self, Ruling};
use super::json_protocol::{AwsError, JsonProtocol, unknown_operation};
use super::keys::random_uuid;
use super::server::{Request, Response, Service, now};
use super::session::{Account, Caller};
use super::world::AwsWorld;
use crate::domain::timestamp::rfc3339;

const PROTOCOL: JsonProtocol = JsonProtocol {
    service: "cloudtrail",
    target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.",
    message: "message",
};
const ACTION: &str = "cloudtrail:LookupEvents";
/// So many events are kept; older ones are forgotten.
const MOST: usize = 10_000;
/// The events of a page, where the caller asks for no fewer.
const PAGE: u64 = 50;
/// An account's look-ups within a second.
const RATE: usize = 2;

/// The record of one account.
#[derive(Debug, Default)]
pub(super) struct Trail(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    /// The oldest first, each with its number.
    events: VecDeque<(u64, Event)>,
    next: u64,
    looked_up: VecDeque<Instant>,
}

/// An event, and when it can be looked up.
#[derive(Clone, Debug)]
struct Event {
    at: i64,
    shown_from: Instant,
    name: &'static str,
    user: String,
    body: Value,
}

/// An exchange, as STS saw it.
pub(super) struct Exchange<'a> {
    pub provider_arn: &'a str,
    pub audience: &'a str,
    pub subject: &'a str,
    pub role_arn: &'a str,
    pub session_name: &'a str,
    pub duration: i32,
    pub user_agent: &'a str,
    pub request_id: &'a str,
    /// What was granted, or the code of the refusal.
    pub outcome: Result<Value, &'a str>,
}

impl Trail {
    /// Writes an exchange down.
    pub(super) fn add(&self, world: &AwsWorld, exchange: &Exchange<'_>) {
        let Exchange { provider_arn, audience, subject, .. } = exchange;
        let at = now();
        let mut body = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "WebIdentityUser",
                "principalId": format!("{provider_arn}:{audience}:{subject}"),
                "userName": subject,
                "identityProvider": provider_arn,
            },
            "eventTime": rfc3339(at),
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRoleWithWebIdentity",
            "awsRegion": world.region,
            "sourceIPAddress": "127.0.0.1",
            "userAgent": exchange.user_agent,
            "requestParameters": {
                "roleArn": exchange.role_arn,
                "roleSessionName": exchange.session_name,
                "durationSeconds": exchange.duration,
            },
            "responseElements": exchange.outcome.as_ref().ok(),
            "requestID": exchange.request_id,
            "eventID": random_uuid(),
            "readOnly": true,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": world.account,
            "eventCategory": "Management",
        });
        if let Err(code) = &exchange.outcome {
            body["errorCode"] = (*code).into();
            body["errorMessage"] = "An unknown error occurred".into();
        }
        let event = Event {
            at,
            shown_from: Instant::now() + Duration::from_secs(world.events_after_s),
            name: "AssumeRoleWithWebIdentity",
            user: (*subject).to_owned(),
            body,
        };
        self.with(|record| {
            record.events.push_back((record.next, event));
            record.next += 1;
            if record.events.len() > MOST {
                record.events.pop_front();
            }
        });
    }

    fn with<R>(&self, work: impl FnOnce(&mut Record) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a look-up, unless there were too many within a second.
    fn is_within_rate(&self) -> bool {
        let at = Instant::now();
        self.with(|record| {
            record.looked_up.retain(|earlier| at.duration_since(*earlier) < Duration::from_secs(1));
            let is_free = record.looked_up.len() < RATE;
            if is_free {
                record.looked_up.push_back(at);
            }
            is_free
        })
    }

    /// The latest events before a number that fit, and how to go on where there are more.
    fn page(&self, before: u64, most: usize, fits: impl Fn(&Event) -> bool) -> (Vec<Value>, Option<u64>) {
        let at = Instant::now();
        self.with(|record| {
            let shown = |(number, event): &&(u64, Event)| *number < before && event.shown_from <= at && fits(event);
            let mut found = record.events.iter().rev().filter(shown);
            let page: Vec<&(u64, Event)> = found.by_ref().take(most).collect();
            let next = found.next().and(page.last()).map(|(number, _)| *number);
            (page.into_iter().map(|(_, event)| looked_up(event)).collect(), next)
        })
    }
}

/// An event as an answer has it: its parts, and the whole as text.
fn looked_up(event: &Event) -> Value {
    let role = &event.body["requestParameters"]["roleArn"];
    json!({
        "EventId": event.body["eventID"],
        "EventName": event.name,
        "ReadOnly": "true",
        "EventTime": event.at,
        "EventSource": "sts.amazonaws.com",
        "Username": event.user,
        "Resources": [{ "ResourceType": "AWS::IAM::Role", "ResourceName": role }],
        "CloudTrailEvent": event.body.to_string(),
    })
}

/// The CloudTrail of one account. One endpoint serves all regions.
pub(super) struct CloudTrail {
    account: Arc<Account>,
}

impl CloudTrail {
    pub(super) fn new(account: Arc<Account>) -> Self {
        CloudTrail { account }
    }

    fn act(&self, request: &Request) -> Result<Value, AwsError> {
        let (action, sender, input) = PROTOCOL.read(request, &self.account)?;
        match action.as_str() {
            "LookupEvents" => self.lookup_events(&sender.caller, &input),
            _ => Err(unknown_operation()),
        }
    }

    fn lookup_events(&self, caller: &Caller, input: &Map<String, Value>) -> Result<Value, AwsError> {
        let context = caller.keys(&self.account);
        if iam::rule(&self.account.identity_policies(caller), ACTION, "*", &context) != Ruling::Allowed {
            let user = self.account.arn(caller);
            let message = format!(
                "User: {user} is not authorized to perform: {ACTION} because no identity-based policy allows the {ACTION} action"
            );
            return Err(AwsError::new("AccessDeniedException", 400, message));
        }
        let refused = |code, message: &str| AwsError::new(code, 400, message);
        let most = input.get("MaxResults").map_or(Some(PAGE), Value::as_u64);
        let most = most.filter(|most| (1..=PAGE).contains(most)).ok_or_else(|| {
            refused("InvalidMaxResultsException", "Max results must be a value between 1 and 50, both included.")
        })?;
        let wanted = attribute(input)?;
        let time = |name: &str| input.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
        let (from, until) = (time("StartTime"), time("EndTime"));
        if from.zip(until).is_some_and(|(from, until)| from > until) {
            return Err(refused("InvalidTimeRangeException", "Start time must be before end time."));
        }
        let before = match input.get("NextToken") {
            None | Some(Value::Null) => u64::MAX,
            Some(token) => token
                .as_str()
                .and_then(|token| token.parse().ok())
                .ok_or_else(|| refused("InvalidNextTokenException", "The token is invalid."))?,
        };
        if !self.account.trail.is_within_rate() {
            return Err(refused("ThrottlingException", "Rate exceeded"));
        }
        let (events, next) = self.account.trail.page(before, usize::try_from(most).unwrap_or_default(), |event| {
            from.is_none_or(|from| event.at >= from)
                && until.is_none_or(|until| event.at <= until)
                && wanted.is_none_or(|wanted| wanted.fits(event))
        });
        let mut output = json!({ "Events": events });
        if let Some(next) = next {
            output["NextToken"] = next.to_string().into();
        }
        Ok(output)
    }
}

impl Service for CloudTrail {
    async fn answer(&self, request: Request) -> Response {
        PROTOCOL.answer(self.act(&request))
    }
}

/// What a look-up asks of an event.
#[derive(Clone, Copy)]
struct Attribute<'a> {
    key: &'a str,
    value: &'a str,
}

/// The attribute that is asked for; there can be one.
fn attribute(input: &Map<String, Value>) -> Result<Option<Attribute<'_>>, AwsError> {
    let wrong = |message: &str| AwsError::new("InvalidLookupAttributesException", 400, message);
    match input.get("LookupAttributes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        [] => Ok(None),
        [one] => match (one["AttributeKey"].as_str(), one["AttributeValue"].as_str()) {
            (Some(key), Some(value)) => Ok(Some(Attribute { key, value })),
            _ => Err(wrong("Lookup attributes must have a key and a value.")),
        },
        _ => Err(wrong("You can only specify one attribute at a time.")),
    }
}

impl Attribute<'_> {
    fn fits(self, event: &Event) -> bool {
        let actual = match self.key {
            "EventName" => event.name,
            "Username" => &event.user,
            "EventId" => event.body["eventID"].as_str().unwrap_or_default(),
            "EventSource" => "sts.amazonaws.com",
            "ResourceName" => event.body["requestParameters"]["roleArn"].as_str().unwrap_or_default(),
            "ResourceType" => "AWS::IAM::Role",
            "ReadOnly" => "true",
            _ => return false,
        };
        actual == self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: usize, events_after_s: u64) -> Trail {
        let trail = Trail::default();
        let world = AwsWorld { events_after_s, ..AwsWorld::default() };
        for number in 0..count {
            let subject = format!("s{}", number % 3);
            trail.add(
                &world,
                &Exchange {
                    provider_arn: "p",
                    audience: "a",
                    subject: &subject,
                    role_arn: "r",
                    session_name: "n",
                    duration: 3600,
                    user_agent: "",
                    request_id: &number.to_string(),
                    outcome: Err("AccessDenied"),
                },
            );
        }
        trail
    }

    fn ids(page: &[Value]) -> Vec<String> {
        let event = |value: &Value| serde_json::from_str::<Value>(value["CloudTrailEvent"].as_str().unwrap()).unwrap();
        page.iter().map(|value| event(value)["requestID"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn pages_go_back_in_time_and_each_event_is_on_one() {
        let trail = filled(10, 0);
        let (first, next) = trail.page(u64::MAX, 4, |_| true);
        assert_eq!((ids(&first).join(" "), next), ("9 8 7 6".to_owned(), Some(6)));
        // What is written meanwhile moves nothing.
        let (second, next) = trail.page(next.unwrap(), 6, |_| true);
        assert_eq!((ids(&second).join(" "), next), ("5 4 3 2 1 0".to_owned(), None));
        let (some, next) = trail.page(u64::MAX, 50, |event| event.user == "s1");
        assert_eq!((ids(&some).join(" "), next), ("7 4 1".to_owned(), None));
    }

    #[test]
    fn what_is_late_is_not_there_yet() {
        assert!(filled(3, 3600).page(u64::MAX, 50, |_| true).0.is_empty());
    }

    #[test]
    fn two_look_ups_a_second_are_answered() {
        let trail = Trail::default();
        let answered: Vec<bool> = (0..3).map(|_| trail.is_within_rate()).collect();
        assert_eq!(answered, [true, true, false]);
    }
}
