//! The run's findings in the order a person should read them, what stays undecided among them, and the run's verdict.

use super::event::{FinishedCheck, RunVerdict};
use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::check::{CheckId, Outcome};
use crate::domain::ids::FoundBy;

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

/// What a run comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Root causes first; of a refusal that several causes would explain, the likeliest alone.
    pub findings: Vec<Finding>,
    /// Those several, the likeliest first; empty where nothing is open.
    pub candidates: Vec<Finding>,
}

/// All findings, root causes first.
///
/// Failures come before what could not be checked, and that before warnings; within each, the order of the chain of
/// trust, since what breaks earlier blocks what comes later. A cause found more than once is told once,
/// where it was found surest, with the other places as evidence. Where a check could only name candidates, those that
/// `is_excluded` or a check that passed rules out go, and all of them go where the root is found elsewhere.
pub fn rank(finished: &[&FinishedCheck], is_excluded: impl Fn(Cause) -> bool) -> Ranked {
    let mut placed: Vec<(usize, usize, Finding)> = Vec::new();
    for check in finished {
        let explained = is_explained(check, finished);
        let open = |finding: &&Finding| {
            finding.certainty == Certainty::Proven
                || !(explained(finding) || is_excluded(finding.cause) || is_ruled_out(finding.cause, finished))
        };
        let left: Vec<&Finding> = check.findings.iter().filter(open).collect();
        // What explains a refusal was not seen elsewhere, so the exclusions themselves are in doubt where none is left.
        let in_doubt = left.is_empty() && !check.findings.iter().any(&explained);
        let left = match left.as_slice() {
            _ if in_doubt => check.findings.clone(),
            [only] if is_last_left(only, check, finished) => vec![with_rivals_ruled_out(only)],
            _ => left.into_iter().cloned().collect(),
        };
        placed.extend(left.into_iter().map(|finding| (severity(check.outcome), position(check.id), finding)));
    }
    placed.sort_by_key(|(severity, position, finding)| (*severity, *position, finding.certainty));
    let mut findings = merge(placed.iter().map(|(_, _, finding)| finding));
    mark_followers(&mut findings);
    let candidates = take_candidates(&mut findings, finished);
    Ranked { findings, candidates }
}

/// Whether another finding accounts for one of this check's that is not proven: a proven one of the same check, or a root
/// elsewhere that is among the candidates or leads to one of them.
fn is_explained<'a>(check: &'a FinishedCheck, finished: &'a [&FinishedCheck]) -> impl Fn(&Finding) -> bool + use<'a> {
    let is_proven = |finding: &&Finding| finding.certainty == Certainty::Proven;
    let settled = check.findings.iter().find(is_proven).map(|_| ());
    let candidates = || check.findings.iter().map(|finding| finding.cause);
    let root = finished
        .iter()
        .filter(|other| other.id != check.id && matches!(other.outcome, Outcome::Fail | Outcome::Inconclusive))
        .flat_map(|other| other.findings.iter().map(move |finding| (*other, finding)))
        .find(|(other, finding)| {
            let is_among = finding.certainty == Certainty::Proven && candidates().any(|cause| cause == finding.cause);
            let is_earlier = other.outcome == Outcome::Fail && position(other.id) < position(check.id);
            let leads = &catalogue::entry(finding.cause).leads_to;
            let leads_here = is_earlier
                && finding.certainty != Certainty::Possible
                && candidates().any(|cause| leads.iter().any(|id| id == cause.id()));
            is_among || leads_here
        });
    let root = root.map(|(_, finding)| finding.cause);
    move |finding| match root {
        Some(root) => finding.cause != root,
        None => settled.is_some() && finding.certainty == Certainty::Possible,
    }
}

/// Whether the pass of a check rules a cause out, wherever it is a candidate.
fn is_ruled_out(cause: Cause, finished: &[&FinishedCheck]) -> bool {
    let passed = finished.iter().filter(|check| check.outcome == Outcome::Pass);
    passed.flat_map(|check| check.id.check().rules_out).any(|ruled_out| *ruled_out == cause)
}

/// Whether checks that passed rule out every other cause of a refusal.
fn is_last_left(only: &Finding, check: &FinishedCheck, finished: &[&FinishedCheck]) -> bool {
    let mut rivals = check.findings.iter().filter(|finding| finding.cause != only.cause).peekable();
    only.certainty == Certainty::Possible
        && rivals.peek().is_some()
        && rivals.all(|rival| is_ruled_out(rival.cause, finished))
}

fn with_rivals_ruled_out(only: &Finding) -> Finding {
    let certain = Finding { certainty: Certainty::Likely, ..only.clone() };
    certain.with_evidence("checks that passed rule out every other cause of this refusal")
}

/// A finding that an earlier proven one leads to, or that tells another place of the same fault, follows from it: what
/// fixes that one fixes this.
fn mark_followers(findings: &mut [Finding]) {
    for at in 1..findings.len() {
        let Some((earlier, [finding, ..])) = findings.split_at_mut_checked(at) else { return };
        let root = earlier.iter().filter(|root| root.follows_from.is_none()).find(|root| {
            let is_sure = root.certainty == Certainty::Proven;
            let leads = catalogue::entry(root.cause).leads_to.iter().any(|id| id == finding.cause.id());
            is_sure && leads || root.cause == finding.cause && root.check == finding.check
        });
        finding.follows_from = root.map(|root| root.cause);
    }
}

/// Takes the candidates of refusals out of the findings, and leaves the likeliest.
fn take_candidates(findings: &mut Vec<Finding>, finished: &[&FinishedCheck]) -> Vec<Finding> {
    let failed = |check: FoundBy| {
        let outcome = finished.iter().find(|finished| check == finished.id).map(|finished| finished.outcome);
        matches!(outcome, Some(Outcome::Fail | Outcome::Inconclusive))
    };
    let is_rival = |finding: &Finding| {
        finding.certainty == Certainty::Possible && finding.follows_from.is_none() && failed(finding.check)
    };
    let rivals: Vec<Finding> = findings.iter().filter(|finding| is_rival(finding)).cloned().collect();
    let open = |finding: &Finding| {
        is_rival(finding)
            || finding.certainty == Certainty::Likely && rivals.iter().any(|rival| rival.check == finding.check)
    };
    let candidates: Vec<Finding> = findings.iter().filter(|finding| open(finding)).cloned().collect();
    if candidates.len() < 2 {
        return Vec::new();
    }
    let likeliest = findings.iter().position(open);
    let mut place = 0;
    findings.retain(|finding| {
        place += 1;
        Some(place - 1) == likeliest || !is_rival(finding)
    });
    candidates
}

/// Folds a finding whose fix is the fix of an earlier one: whoever carries that out has done both.
pub fn fold_fixed_by_another(findings: &mut [Finding]) {
    let command = |finding: &Finding| finding.fixes.first().and_then(|fix| fix.command.clone());
    for at in 1..findings.len() {
        let Some((earlier, [finding, ..])) = findings.split_at_mut_checked(at) else { return };
        let own = command(finding);
        let root = earlier.iter().find(|root| own.is_some() && command(root) == own);
        if let Some(root) = root {
            finding.follows_from = Some(root.follows_from.unwrap_or(root.cause));
            finding.fixes.clear();
        }
    }
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
    use crate::cause::Certainty::{Likely, Possible, Proven};

    fn check(id: CheckId, outcome: Outcome, findings: &[(Cause, Certainty)]) -> FinishedCheck {
        let findings = findings.iter().map(|(cause, certainty)| {
            let finding = Finding::new(*cause, id, *certainty, "wrong");
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

    fn ranked(checks: &[FinishedCheck]) -> Ranked {
        rank(&checks.iter().collect::<Vec<_>>(), |_| false)
    }

    fn causes_of(findings: &[Finding]) -> Vec<Cause> {
        findings.iter().map(|finding| finding.cause).collect()
    }

    fn causes(checks: &[FinishedCheck]) -> Vec<Cause> {
        causes_of(&ranked(checks).findings)
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
        // Another certain cause explains none of them: they stay open, and the likeliest is told.
        let elsewhere = check(CheckId::TokenTime, Outcome::Fail, &[(Cause::TokenExpired, Proven)]);
        let both = ranked(&[elsewhere, exchange]);
        assert_eq!(causes_of(&both.findings), [Cause::TokenExpired, Cause::AudMismatch]);
        assert_eq!(causes_of(&both.candidates), [Cause::AudMismatch, Cause::SubMismatch]);
    }

    #[test]
    fn a_root_takes_the_place_of_what_it_leads_to() {
        let tls = check(CheckId::IssuerTls, Outcome::Fail, &[(Cause::TlsExpired, Proven)]);
        let unreachable = [(Cause::JwksUnreachable, Likely), (Cause::IdpThrottled, Possible)];
        let exchange = check(CheckId::AwsAssumeRoleWithWebIdentity, Outcome::Fail, &unreachable);
        let ranked_both = ranked(&[tls.clone(), exchange]);
        assert_eq!(causes_of(&ranked_both.findings), [Cause::TlsExpired]);
        assert!(ranked_both.candidates.is_empty());
        // STS denied after it had read the keys: an expired certificate does not explain that.
        let denied = [(Cause::SubMismatch, Possible), (Cause::AudMismatch, Possible)];
        let exchange = check(CheckId::AwsAssumeRoleWithWebIdentity, Outcome::Fail, &denied);
        assert_eq!(causes(&[tls, exchange]), [Cause::TlsExpired, Cause::SubMismatch]);
    }

    #[test]
    fn a_proven_cause_leaves_no_other_of_the_same_failure_possible() {
        let found = [(Cause::SecretNotFound, Proven), (Cause::WrongAccount, Possible), (Cause::SecretEmpty, Possible)];
        let read = ranked(&[check(CheckId::AwsGetSecret, Outcome::Fail, &found)]);
        assert_eq!(causes_of(&read.findings), [Cause::SecretNotFound]);
        assert!(read.candidates.is_empty());
    }

    #[test]
    fn what_follows_from_a_proven_root_says_so() {
        let differs = check(CheckId::IssuerDiscovery, Outcome::Fail, &[(Cause::IssuerDiffers, Proven)]);
        let claims = check(CheckId::TokenClaims, Outcome::Fail, &[(Cause::ProviderMissing, Proven)]);
        let policy = check(CheckId::TrustPolicy, Outcome::Fail, &[(Cause::PrincipalArnWrong, Proven)]);
        let follows: Vec<_> =
            ranked(&[differs, claims, policy.clone()]).findings.iter().map(|f| f.follows_from).collect();
        assert_eq!(follows, [None, Some(Cause::IssuerDiffers), Some(Cause::IssuerDiffers)]);
        assert_eq!(ranked(&[policy]).findings[0].follows_from, None);
    }

    #[test]
    fn a_check_that_passed_and_what_is_known_rule_candidates_out() {
        let denied = [(Cause::ClockSkew, Possible), (Cause::ImmutableSub, Possible), (Cause::SubMismatch, Possible)];
        let checks = [
            check(CheckId::TokenTime, Outcome::Pass, &[]),
            check(CheckId::AwsAssumeRoleWithWebIdentity, Outcome::Fail, &denied),
        ];
        let checks: Vec<&FinishedCheck> = checks.iter().collect();
        let open = rank(&checks, |cause| cause == Cause::ImmutableSub);
        assert_eq!(causes_of(&open.findings), [Cause::SubMismatch]);
        assert!(open.candidates.is_empty());
        // Where everything is excluded, the exclusions are in doubt.
        assert_eq!(causes_of(&rank(&checks, |_| true).candidates).len(), 3);
    }

    #[test]
    fn a_cause_found_twice_is_told_once_where_it_is_surest() {
        let early = check(CheckId::TokenClaims, Outcome::Fail, &[(Cause::SubMismatch, Likely)]);
        let late = check(CheckId::TrustPolicy, Outcome::Fail, &[(Cause::SubMismatch, Proven)]);
        let told = ranked(&[early, late]).findings;
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].check, told[0].certainty), (CheckId::TrustPolicy.into(), Proven));
        assert_eq!(told[0].evidence, ["the same everywhere", "seen by trust.policy", "seen by token.claims"]);
    }

    #[test]
    fn one_fix_for_two_findings_is_told_once() {
        let finding = |cause, command: &str| {
            Finding::new(cause, CheckId::TrustPolicy, Proven, "wrong").with_command("Correct the policy.", command)
        };
        let mut findings = [
            finding(Cause::SubMismatch, "aws iam update"),
            finding(Cause::AudMismatch, "aws iam update"),
            finding(Cause::MissingGet, "aws iam put"),
        ];
        fold_fixed_by_another(&mut findings);
        assert_eq!(findings.each_ref().map(|f| f.follows_from), [None, Some(Cause::SubMismatch), None]);
        assert_eq!(findings.each_ref().map(|f| f.fixes.len()), [1, 0, 1]);
    }

    #[test]
    fn what_passed_rules_out_may_leave_one_cause_of_a_refusal() {
        let asked = [Cause::ClientWrong, Cause::TenantWrong, Cause::SpMissing, Cause::WrongCloud];
        let exchange = check(CheckId::AzureExchange, Outcome::Fail, &asked.map(|cause| (cause, Possible)));
        let subscription = |outcome| check(CheckId::AzureSubscription, outcome, &[]);
        let found = rank(&[&exchange, &subscription(Outcome::Pass)], |_| false);
        assert_eq!(found.candidates, []);
        assert_eq!((found.findings[0].cause, found.findings[0].certainty), (Cause::ClientWrong, Likely));
        let open = rank(&[&exchange, &subscription(Outcome::Skipped)], |_| false);
        assert_eq!((open.candidates.len(), open.findings[0].certainty), (4, Possible));
    }
}
