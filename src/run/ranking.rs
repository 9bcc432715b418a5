//! The run's findings in the order a person should read them, and the run's verdict.

use super::event::{FinishedCheck, RunVerdict};
use crate::cause::{Certainty, Finding};
use crate::check::{CheckId, Outcome};

/// The verdict on the finished checks. Where one that was asked for is blocked by what was not, or all were skipped, the run
/// has no answer: that is no pass.
pub fn verdict(finished: &[&FinishedCheck]) -> RunVerdict {
    let any = |outcome| finished.iter().any(|f| f.outcome == outcome);
    let blocked = finished.iter().any(|f| f.blocked_by.is_some());
    let answered = any(Outcome::Pass) || any(Outcome::Warn);
    if any(Outcome::Fail) {
        RunVerdict::Fail
    } else if any(Outcome::Inconclusive) || blocked || !finished.is_empty() && !answered {
        RunVerdict::Inconclusive
    } else {
        RunVerdict::Pass
    }
}

/// All findings, root causes first.
///
/// Failures come before what could not be checked, and that before warnings; within each, the order of the chain of
/// trust, since what breaks earlier blocks what comes later. A cause found more than once is told once,
/// where it was found surest, with the other places as evidence. Where a check could only name candidates and one
/// of them was found for certain elsewhere, that one explains it and the other candidates go.
pub fn rank(finished: &[&FinishedCheck]) -> Vec<Finding> {
    let mut placed: Vec<(usize, usize, &Finding)> = Vec::new();
    for check in finished {
        let explained = explanation(check, finished);
        for finding in &check.findings {
            if explained.is_some_and(|e| e.cause != finding.cause) && finding.certainty != Certainty::Proven {
                continue;
            }
            placed.push((severity(check.outcome), position(check.id), finding));
        }
    }
    placed.sort_by_key(|(severity, position, finding)| (*severity, *position, finding.certainty));
    merge(placed.into_iter().map(|(_, _, finding)| finding))
}

/// The certain finding of another check that is among this check's uncertain candidates.
fn explanation<'a>(check: &FinishedCheck, finished: &[&'a FinishedCheck]) -> Option<&'a Finding> {
    finished
        .iter()
        .filter(|other| other.id != check.id && matches!(other.outcome, Outcome::Fail | Outcome::Inconclusive))
        .flat_map(|other| &other.findings)
        .find(|f| f.certainty == Certainty::Proven && check.findings.iter().any(|own| own.cause == f.cause))
}

fn merge<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let Some(first) = merged.iter_mut().find(|m| m.cause == finding.cause) else {
            merged.push(finding.clone());
            continue;
        };
        if first.check == finding.check && (&first.expected, &first.actual) != (&finding.expected, &finding.actual) {
            merged.push(finding.clone());
            continue;
        }
        if finding.certainty < first.certainty {
            let earlier = std::mem::replace(first, finding.clone());
            absorb(first, &earlier);
        } else {
            absorb(first, finding);
        }
    }
    merged
}

fn absorb(into: &mut Finding, other: &Finding) {
    for fact in &other.evidence {
        if !into.evidence.contains(fact) {
            into.evidence.push(fact.clone());
        }
    }
    if into.expected.is_none() && into.actual.is_none() {
        into.expected.clone_from(&other.expected);
        into.actual.clone_from(&other.actual);
    }
}

fn severity(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Inconclusive => 1,
        Outcome::Skipped => 2,
        Outcome::Warn | Outcome::Pass => 3,
    }
}

fn position(check: CheckId) -> usize {
    CheckId::ALL.iter().position(|c| *c == check).unwrap_or(CheckId::ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::cause::Certainty::{Likely, Possible, Proven};

    fn check(id: CheckId, outcome: Outcome, findings: &[(Cause, Certainty)]) -> FinishedCheck {
        let findings = findings.iter().map(|(cause, certainty)| {
            let finding = Finding::new(*cause, id.id(), *certainty, "wrong");
            finding.with_evidence("the same everywhere").with_evidence(format!("seen by {id}"))
        });
        FinishedCheck {
            id,
            title: id.title().to_owned(),
            outcome,
            reason: None,
            started_ms: 0,
            duration_ms: 0,
            facts: serde_json::Map::new(),
            docs: String::new(),
            findings: findings.collect(),
            blocked_by: None,
        }
    }

    fn ranked(checks: &[FinishedCheck]) -> Vec<Finding> {
        rank(&checks.iter().collect::<Vec<_>>())
    }

    fn causes(checks: &[FinishedCheck]) -> Vec<Cause> {
        ranked(checks).iter().map(|finding| finding.cause).collect()
    }

    #[test]
    fn failures_come_before_doubts_before_warnings_and_each_in_the_chains_order() {
        let checks = [
            check(CheckId::IssuerTls, Outcome::Warn, &[(Cause::TlsExpired, Possible)]),
            check(CheckId::IssuerJwks, Outcome::Inconclusive, &[(Cause::JwksUnreachable, Likely)]),
            check(CheckId::AwsGetSecret, Outcome::Fail, &[(Cause::MissingGet, Proven)]),
            check(CheckId::TokenTime, Outcome::Fail, &[(Cause::TokenExpired, Proven)]),
        ];
        let order = [Cause::TokenExpired, Cause::MissingGet, Cause::JwksUnreachable, Cause::TlsExpired];
        assert_eq!(causes(&checks), order);
    }

    #[test]
    fn a_certain_cause_takes_the_place_of_the_candidates_that_it_is_among() {
        let trust = check(CheckId::TrustPolicy, Outcome::Fail, &[(Cause::SubMismatch, Proven)]);
        let candidates = [(Cause::AudMismatch, Possible), (Cause::SubMismatch, Possible)];
        let exchange = check(CheckId::AwsAssumeRoleWithWebIdentity, Outcome::Fail, &candidates);
        assert_eq!(causes(&[trust, exchange.clone()]), [Cause::SubMismatch]);
        // Another certain cause explains none of them.
        let elsewhere = check(CheckId::TokenTime, Outcome::Fail, &[(Cause::TokenExpired, Proven)]);
        assert_eq!(causes(&[elsewhere, exchange]), [Cause::TokenExpired, Cause::AudMismatch, Cause::SubMismatch]);
    }

    #[test]
    fn a_cause_found_twice_is_told_once_where_it_is_surest() {
        let early = check(CheckId::TokenClaims, Outcome::Fail, &[(Cause::SubMismatch, Likely)]);
        let late = check(CheckId::TrustPolicy, Outcome::Fail, &[(Cause::SubMismatch, Proven)]);
        let told = ranked(&[early, late]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].check.as_str(), told[0].certainty), ("trust.policy", Proven));
        assert_eq!(told[0].evidence, ["the same everywhere", "seen by trust.policy", "seen by token.claims"]);
    }
}
