//! The account's own record of exchanges, looked up with the operator's credentials: page by page, and no faster than CloudTrail
//! lets an account ask (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::signed::Reader;
use super::{AwsTarget, Session};
use crate::check::facts::operator::Read;
use crate::check::facts::secret::Answer;
use crate::domain::exchange::{Exchange, LogTally, read_log};
use crate::domain::iam::AwsRead;
use crate::domain::region::partition_of;
use crate::domain::timestamp::UnixSeconds;

/// Two look-ups a second are answered in an account's region.
const PACE: Duration = Duration::from_millis(500);
/// The events of a page.
const PAGE: u64 = 50;
/// What is called at the global endpoint is written down here.
const GLOBAL: &str = "us-east-1";

/// What was looked up.
#[derive(Debug, Default)]
pub struct LookedUp {
    pub exchanges: Vec<Exchange>,
    pub tally: LogTally,
    /// Why there is more than what was read.
    pub unfinished: Option<String>,
}

/// A page of the record, and how to go on.
struct Page {
    text: String,
    next: Option<String>,
}

impl AwsTarget {
    /// The exchanges since then, the latest first: of this region, and those at the global endpoint.
    ///
    /// # Errors
    /// Nothing could be read; says which permission lacks, or what failed.
    pub async fn look_up_exchanges(
        &self,
        session: &Session,
        since: Option<UnixSeconds>,
        left: Duration,
    ) -> Result<LookedUp, String> {
        let deadline = Instant::now() + left;
        let mut found = LookedUp::default();
        let mut known = HashSet::new();
        for region in self.regions_of_record() {
            let target = AwsTarget { region: region.to_owned(), ..self.clone() };
            let reader = Reader { target: &target, session, deadline };
            let mut next = None;
            loop {
                let again = Instant::now() + PACE;
                let read = look_up(reader, since, next.as_deref()).await;
                let why = read.unread().unwrap_or_else(|| "the record cannot be read".to_owned());
                let Answer::Granted(page) = read.call.answer else {
                    found.unfinished = Some(why.clone());
                    return if found.tally.documents == 0 { Err(why) } else { Ok(found) };
                };
                let tally = read_log(page.text.as_bytes(), &mut |exchange| {
                    // A service that answers for all regions tells of each exchange twice.
                    if exchange.request_id.as_ref().is_none_or(|id| known.insert(id.clone())) {
                        found.exchanges.push(exchange);
                    }
                });
                let tally = tally
                    .map_err(|error| format!("{}: the answer cannot be read: {error}", AwsRead::Events.permission()))?;
                found.tally.documents += tally.documents;
                found.tally.events += tally.events;
                next = page.next;
                if next.is_none() {
                    break;
                }
                if again >= deadline {
                    found.unfinished = Some("the time was up before the record's beginning".to_owned());
                    return Ok(found);
                }
                sleep_until(again).await;
            }
        }
        found.tally.exchanges = found.exchanges.len() as u64;
        Ok(found)
    }

    /// The regions whose record is read.
    fn regions_of_record(&self) -> Vec<&str> {
        let is_of_aws = partition_of(&self.region).is_ok_and(|partition| partition.id == "aws");
        let global = (is_of_aws && self.region != GLOBAL).then_some(GLOBAL);
        [self.region.as_str()].into_iter().chain(global).collect()
    }
}

async fn look_up(reader: Reader<'_>, since: Option<UnixSeconds>, next: Option<&str>) -> Read<Page> {
    let mut input = json!({
        "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity" }],
        "MaxResults": PAGE,
    });
    if let Some(since) = since {
        input["StartTime"] = since.into();
    }
    if let Some(next) = next {
        input["NextToken"] = next.into();
    }
    let page = |answer: &Value| {
        let next = answer.get("NextToken").and_then(Value::as_str).map(str::to_owned);
        answer.get("Events").map(|events| Page { text: json!({ "Events": events }).to_string(), next })
    };
    reader.json(AwsRead::Events, &input, page).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::AwsSettings;
    use crate::probe::http::{HttpSettings, HttpStack, ProxyUse};

    #[test]
    fn the_global_endpoints_record_is_read_where_it_is_kept() {
        let settings = HttpSettings { ca_pem: None, ca_of_clients: Vec::new(), timeout: PACE, proxy: ProxyUse::None };
        let http = HttpStack::new(&settings).unwrap();
        for (region, read) in [
            ("eu-west-1", &["eu-west-1", "us-east-1"][..]),
            ("us-east-1", &["us-east-1"]),
            ("cn-north-1", &["cn-north-1"]),
            ("us-gov-west-1", &["us-gov-west-1"]),
        ] {
            let target = AwsTarget { http: http.clone(), region: region.to_owned(), settings: AwsSettings::default() };
            assert_eq!(target.regions_of_record(), read, "{region}");
        }
    }
}
