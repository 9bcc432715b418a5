//! What CloudTrail keeps of an account: its exchanges at STS.
//!
//! As at AWS, what STS refuses because it cannot verify the token is not in the record; what the role refuses is, with whose
//! token it was and without the reason.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::keys::random_uuid;
use super::server::now;
use super::world::AwsWorld;
use crate::domain::timestamp::rfc3339;

/// So many events are kept; older ones are forgotten.
const MOST: usize = 10_000;
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
pub(super) struct Event {
    pub at: i64,
    shown_from: Instant,
    pub name: &'static str,
    pub user: String,
    pub body: Value,
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
    pub(super) fn is_within_rate(&self) -> bool {
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
    pub(super) fn page(&self, before: u64, most: usize, fits: impl Fn(&Event) -> bool) -> (Vec<Value>, Option<u64>) {
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
