//! What verdicts on any cloud's calls share: a refusal in words, candidates as findings, answers that are none.

use super::network;
use crate::cause::explain::{Provider, candidates};
use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::check::facts::cloud::{Answer, Call, Refusal};
use crate::check::facts::network::Exchange;
use crate::check::facts::secret::{FieldState, SecretList, SecretRead};
use crate::check::{CheckId, Verdict};
use crate::domain::timestamp::in_words;

/// A refusal as evidence: who said what.
pub fn quoted(service: &str, refusal: &Refusal) -> String {
    let request = refusal.request_id.as_ref().map(|id| format!(", request {id}")).unwrap_or_default();
    format!("{service} answered {} (HTTP {}{request}): {}", refusal.code, refusal.http_status, refusal.message)
}

/// The causes that a refusal's own words allow, as findings with those words as evidence.
pub fn from_words(check: CheckId, provider: Provider, service: &str, refusal: &Refusal) -> Vec<Finding> {
    candidates(provider, &refusal.code, &refusal.message)
        .into_iter()
        .map(|candidate| {
            Finding::new(
                candidate.cause,
                check.id(),
                candidate.certainty,
                catalogue::entry(candidate.cause).title.clone(),
            )
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

/// A secret that was read, in a line: its fingerprint, version and staging labels.
pub fn read_in_words(read: &SecretRead) -> String {
    let mut words = read.fingerprint.as_str().to_owned();
    if let Some(field) = read.field.as_ref().filter(|field| field.state == FieldState::Found) {
        words.push_str(&format!(" of the field `{}`", field.json_key));
    }
    if let Some(version) = &read.version_id {
        words.push_str(&format!(", version {version}"));
    }
    if !read.stages.is_empty() {
        words.push_str(&format!(", {}", read.stages.join(" ")));
    }
    words
}

/// A list of secrets, in words.
pub fn list_in_words(list: &SecretList) -> String {
    let more = if list.more { "the first " } else { "" };
    let plural = if list.seen == 1 { "" } else { "s" };
    format!("{more}{} secret{plural}", list.seen)
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
            let mut finding = Finding::new(cause, check.id(), Certainty::Likely, reason.clone());
            finding.evidence.extend(evidence);
            finding.evidence.extend(call.exchange.as_ref().and_then(Exchange::compressed));
            Some(Verdict::inconclusive(reason, vec![finding]))
        }
        Answer::NotSent { detail } => {
            Some(Verdict::inconclusive(format!("the request was not sent: {detail}"), Vec::new()))
        }
    }
}
