//! CloudTrail's look-ups: how an operator reads an account's record of exchanges, over the real protocol and at the real rate.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::iam::{self, Ruling};
use super::json_protocol::{AwsError, JsonProtocol, unknown_operation};
use super::server::{Request, Response, Service};
use super::session::{Account, Caller};
use super::trail::Event;

const PROTOCOL: JsonProtocol = JsonProtocol {
    service: "cloudtrail",
    target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.",
    message: "message",
};
const ACTION: &str = "cloudtrail:LookupEvents";
/// The events of a page, where the caller asks for no fewer.
const PAGE: u64 = 50;
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
