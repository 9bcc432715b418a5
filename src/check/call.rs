//! What the checks of any cloud's calls share: a refusal in words, candidates as findings, answers that are none.

use super::facts::secret::{Answer, Call, Refusal};
use crate::cause::explain::candidates;
use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::check::facts::network::Exchange;
use crate::check::network;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::timestamp::in_words;

/// A refusal as evidence: who said what.
pub fn quoted(service: &str, refusal: &Refusal) -> String {
    let request = refusal.request_id.as_ref().map(|id| format!(", request {id}")).unwrap_or_default();
    format!("{service} answered {} (HTTP {}{request}): {}", refusal.code, refusal.http_status, refusal.message)
}

/// The causes that a refusal's own words allow, as findings with those words as evidence.
pub fn from_words(check: CheckId, cloud: Cloud, service: &str, refusal: &Refusal) -> Vec<Finding> {
    candidates(cloud, &refusal.code, &refusal.message)
        .into_iter()
        .map(|candidate| {
            Finding::new(candidate.cause, check, candidate.certainty, catalogue::entry(candidate.cause).title.clone())
                .with_evidence(quoted(service, refusal))
        })
        .collect()
}

/// A pass with what was granted, and with how long it took to come about, where it did not at once.
pub fn granted<T>(call: &Call<T>, what: impl Into<String>) -> Verdict {
    let mut notes = vec![what.into()];
    if call.attempts > 1 {
        let since = in_words(call.waited_ms / 1000);
        notes.push(format!("worked after {since}, {} attempt", ordinal(call.attempts)));
    }
    notes.extend(call.exchange.as_ref().and_then(Exchange::fell_back));
    notes.retain(|note| !note.is_empty());
    Verdict { reason: (!notes.is_empty()).then(|| notes.join("; ")), ..Verdict::pass() }
}

/// `5th` of 5.
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The verdict on a call that brought no answer of the service: that is no refusal.
pub fn unanswered<T>(check: CheckId, unreachable: Cause, call: &Call<T>) -> Option<Verdict> {
    match &call.answer {
        Answer::Granted(_) | Answer::Refused(_) => None,
        Answer::Network { failure } => {
            let finding = network::finding(check, failure);
            Some(Verdict::inconclusive(finding.summary.clone(), vec![finding]))
        }
        Answer::Unreadable { http_status, detail } => {
            let status = http_status.map(|s| format!(" (HTTP {s})")).unwrap_or_default();
            let reason = format!("what answered is not the service{status}: {detail}");
            let evidence = call.exchange.as_ref().map(|x| format!("dialled {}", x.url));
            // A server in trouble may lose its own words; something in between does not say 5xx for long.
            let in_trouble = unreachable == Cause::Proxy && http_status.is_some_and(|status| status >= 500);
            let cause = match http_status {
                Some(429) => Cause::Throttled,
                _ if in_trouble => Cause::Transient,
                _ => unreachable,
            };
            let mut finding = Finding::new(cause, check, Certainty::Likely, reason.clone());
            finding.evidence.extend(evidence);
            finding.evidence.extend(call.exchange.as_ref().and_then(Exchange::compressed));
            Some(Verdict::inconclusive(reason, vec![finding]))
        }
        Answer::NotSent { detail } => {
            Some(Verdict::inconclusive(format!("the request was not sent: {detail}"), Vec::new()))
        }
    }
}

/// The first line of a message; the further ones are told one by one.
pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
