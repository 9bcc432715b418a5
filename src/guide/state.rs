//! Where each step stands: a pure function of what the checks found, what was shown otherwise, and what a person
//! confirmed.

use super::text::{Proof, SetupGuide, Step, TellingAnswer};
use crate::cause::{Certainty, Finding};
use crate::check::{CheckId, Outcome};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Need;

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Shown to be done.
    Verified {
        /// By these checks, in the order of the chain of trust.
        checks: Vec<CheckId>,
        /// And by these proofs.
        proofs: Vec<Proof>,
        /// When, RFC 3339 UTC: the oldest of them counts.
        at: String,
    },
    /// Shown to be done by an answer that refuses something later.
    Answered {
        /// The check that got the answer.
        check: CheckId,
        /// The answer's code.
        code: String,
        /// What it shows, in a sentence.
        says: String,
        /// When, RFC 3339 UTC.
        at: String,
    },
    /// Shown to be wrong.
    Failing {
        /// The check that failed.
        check: CheckId,
        /// What is wrong here, the surest first.
        findings: Vec<Finding>,
    },
    /// A person says that it is done, and nothing contradicts it.
    Confirmed {
        /// When they said so, RFC 3339 UTC.
        at: String,
    },
    /// An earlier step is in the way.
    Blocked {
        /// That step's number.
        by: u8,
    },
    /// Not done, as far as anybody can tell.
    ToDo(Open),
}

impl StepState {
    /// Whether nothing is left to do, as far as anybody knows.
    pub const fn is_done(&self) -> bool {
        matches!(self, StepState::Verified { .. } | StepState::Answered { .. } | StepState::Confirmed { .. })
    }
}

/// What a step still lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Required values that the profile does not hold.
    pub fields: Vec<Key>,
    /// Checks that have not passed: not run, or not able to tell.
    pub checks: Vec<CheckId>,
    /// Why those that ran could not tell.
    pub untold: Vec<(CheckId, String)>,
    /// Those that failed for what another step sets right.
    pub failed: Vec<FailedElsewhere>,
    /// Whether a person can settle it by confirming.
    pub confirmable: bool,
}

/// A check of a step that failed, and is fixed in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedElsewhere {
    pub check: CheckId,
    /// What is wrong, where the check said so.
    pub reason: Option<String>,
    /// The number of the step that fixes it.
    pub fixed_in: u8,
}

/// A check's end, as far as a step is concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    pub check: CheckId,
    pub outcome: Outcome,
    /// Its own words, where it has some.
    pub reason: Option<String>,
    /// What it found, surest first, completed with guide and step.
    pub findings: Vec<Finding>,
    /// The check that kept it from running, where one did.
    pub blocked_by: Option<CheckId>,
    /// The code of the cloud's refusal, where it refused.
    pub code: Option<String>,
    /// When its run began, RFC 3339 UTC.
    pub at: String,
}

/// A person's word that a step is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub step: u8,
    /// RFC 3339 UTC.
    pub at: String,
}

/// Something that was shown and that no check can repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalProof {
    pub proof: Proof,
    /// RFC 3339 UTC.
    pub at: String,
}

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The checks that ended; none where no run was made.
    pub checks: Vec<CheckResult>,
    /// What else was shown.
    pub shown: Vec<ExternalProof>,
    pub confirmations: Vec<Confirmation>,
    /// The keys that the profile holds.
    pub known: Vec<Key>,
}

/// The state of every step, in order.
pub fn states(guide: &SetupGuide, evidence: &Evidence) -> Vec<(u8, StepState)> {
    let failures = failures(guide, evidence);
    let mut states: Vec<(u8, StepState)> =
        guide.steps.iter().map(|step| (step.number, own_state(step, evidence, &failures))).collect();
    // What comes after a failing step cannot be told from it: open steps wait for the first one in their way.
    let first_failing = states.iter().find(|(_, state)| matches!(state, StepState::Failing { .. })).map(|(n, _)| *n);
    if let Some(by) = first_failing {
        for (number, state) in &mut states {
            if *number > by && matches!(state, StepState::ToDo(_)) {
                *state = StepState::Blocked { by };
            }
        }
    }
    states
}

/// The first step that wants doing: a failing one before one that is merely open.
pub fn next_open(states: &[(u8, StepState)]) -> Option<u8> {
    let failing = states.iter().find(|(_, state)| matches!(state, StepState::Failing { .. }));
    let open = || states.iter().find(|(_, state)| matches!(state, StepState::ToDo(_) | StepState::Blocked { .. }));
    failing.or_else(open).map(|(number, _)| *number)
}

struct Failure<'a> {
    step: u8,
    check: CheckId,
    findings: Vec<&'a Finding>,
}

/// The steps that failed checks point to: the one that answers for the check, else where its findings are set right, else
/// the first step that it verifies.
fn failures<'a>(guide: &SetupGuide, evidence: &'a Evidence) -> Vec<Failure<'a>> {
    let mut failures: Vec<Failure<'a>> = Vec::new();
    for judged in evidence.checks.iter().filter(|judged| judged.outcome == Outcome::Fail) {
        let mut blame = |step: u8, finding: Option<&'a Finding>| match failures
            .iter_mut()
            .find(|failure| failure.step == step && failure.check == judged.check)
        {
            Some(failure) => failure.findings.extend(finding),
            None => failures.push(Failure { step, check: judged.check, findings: finding.into_iter().collect() }),
        };
        if let Some(step) = guide.steps.iter().find(|step| step.answers_for.contains(&judged.check)) {
            blame(step.number, None);
            for finding in &judged.findings {
                blame(step.number, Some(finding));
            }
            continue;
        }
        let here = |finding: &&Finding| finding.step.is_some_and(|step| guide.step(step).is_some());
        // The surest finding names the step. Others do where they are proven too; a mere possibility accuses nobody
        // beside it.
        let mut pointing = judged.findings.iter().filter(here);
        match pointing.next() {
            Some(first) => {
                blame(first.step.unwrap_or_default(), Some(first));
                let also = |finding: &&Finding| finding.certainty == Certainty::Proven || finding.step == first.step;
                for finding in pointing.filter(also) {
                    blame(finding.step.unwrap_or_default(), Some(finding));
                }
            }
            None => {
                let listing = guide.steps.iter().find(|step| step.checks.contains(&judged.check));
                if let Some(step) = listing {
                    blame(step.number, judged.findings.first());
                }
            }
        }
    }
    failures
}

fn own_state(step: &Step, evidence: &Evidence, failures: &[Failure<'_>]) -> StepState {
    if let Some(failure) = failures.iter().find(|failure| failure.step == step.number) {
        let here = |finding: &&Finding| Finding { step: Some(step.number), ..(*finding).clone() };
        let findings = failure.findings.iter().map(here).collect();
        return StepState::Failing { check: failure.check, findings };
    }
    let of = |id: &CheckId| evidence.checks.iter().find(|judged| judged.check == *id);
    let passed = |id: &&CheckId| of(id).is_some_and(|judged| matches!(judged.outcome, Outcome::Pass | Outcome::Warn));
    // A check that does not apply says nothing, unlike one that another check kept from running or that could not tell.
    let silent =
        |id: &&CheckId| of(id).is_none_or(|judged| judged.outcome == Outcome::Skipped && judged.blocked_by.is_none());
    let shown: Vec<&ExternalProof> =
        evidence.shown.iter().filter(|shown| step.shown_by.contains(&shown.proof)).collect();
    let deciding: Vec<CheckId> = step.checks.iter().filter(passed).copied().collect();
    let open: Vec<CheckId> = step.checks.iter().filter(|id| !passed(id)).copied().collect();
    let all_told = open.iter().all(|id| silent(&id));
    // What has to be confirmed is shown by no check: a deployment that answers may still lack the variable.
    let by_checks = !deciding.is_empty() && all_told && step.confirm.is_none();
    let is_seen = !step.seen_by.is_empty() && step.seen_by.iter().all(|id| passed(&id));
    if by_checks || is_seen || !shown.is_empty() {
        let seen = step.seen_by.iter().filter(|id| is_seen && !step.checks.contains(*id)).copied();
        let deciding: Vec<CheckId> = deciding.into_iter().chain(seen).collect();
        let checked = deciding.iter().filter_map(of).map(|judged| &judged.at);
        let at = checked.chain(shown.iter().map(|shown| &shown.at)).min().cloned().unwrap_or_default();
        let proofs = shown.iter().map(|shown| shown.proof).collect();
        let supporting = step.supporting.iter().filter(passed).copied();
        let mut checks: Vec<CheckId> = deciding.into_iter().chain(supporting).collect();
        checks.sort_unstable();
        checks.dedup();
        return StepState::Verified { checks, proofs, at };
    }
    if let Some(answered) = step.shown_by_answers.iter().find_map(|answer| answered(answer, of(&answer.check)?)) {
        return answered;
    }
    if let Some(confirmation) = evidence.confirmations.iter().rfind(|c| c.step == step.number)
        && all_told
        && step.confirm.is_some()
    {
        return StepState::Confirmed { at: confirmation.at.clone() };
    }
    let lacks = |field: &Key| !evidence.known.contains(field);
    let required = step.fields.iter().filter(|field| field.need == Need::Required).map(|field| field.key);
    let untold =
        |judged: &CheckResult| (judged.outcome == Outcome::Inconclusive).then(|| judged.reason.clone()).flatten();
    let failed = |judged: &CheckResult| {
        let failure = failures.iter().find(|failure| failure.check == judged.check)?;
        let found = || failure.findings.first().map(|finding| finding.summary.clone());
        let reason = judged.reason.clone().or_else(found);
        Some(FailedElsewhere { check: judged.check, reason, fixed_in: failure.step })
    };
    StepState::ToDo(Open {
        failed: open.iter().filter_map(|id| failed(of(id)?)).collect(),
        fields: required.filter(lacks).collect(),
        untold: open.iter().filter_map(|id| Some((*id, untold(of(id)?)?))).collect(),
        checks: open,
        confirmable: step.confirm.is_some(),
    })
}

/// The state that a refusal shows, where it is one of those that tell.
fn answered(answer: &TellingAnswer, judged: &CheckResult) -> Option<StepState> {
    let code = judged.code.as_ref().filter(|code| judged.outcome == Outcome::Fail && answer.codes.contains(code))?;
    let (says, at) = (answer.says.clone(), judged.at.clone());
    Some(StepState::Answered { check: answer.check, code: code.clone(), says, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, catalogue};
    use crate::domain::profile::Guide;
    use crate::guide::text::setup_guide;

    const GUIDE: Guide = Guide::AwsWorkloadIdentity;
    const AT: &str = "2026-01-02T00:00:00Z";

    fn judged(check: CheckId, outcome: Outcome) -> CheckResult {
        CheckResult {
            check,
            outcome,
            reason: None,
            findings: Vec::new(),
            blocked_by: None,
            code: None,
            at: AT.to_owned(),
        }
    }

    fn failed(check: CheckId, causes: &[(Cause, Certainty)]) -> CheckResult {
        let finding = |(cause, certainty): &(Cause, Certainty)| {
            catalogue::complete(Finding::new(*cause, check, *certainty, "wrong"), Some(GUIDE.id()))
        };
        let findings = causes.iter().map(finding).collect();
        CheckResult { findings, ..judged(check, Outcome::Fail) }
    }

    fn state(evidence: &Evidence, number: u8) -> StepState {
        states(setup_guide(GUIDE), evidence).into_iter().find(|(n, _)| *n == number).unwrap().1
    }

    fn is_verified(state: &StepState) -> bool {
        matches!(state, StepState::Verified { .. })
    }

    #[test]
    fn without_any_evidence_everything_is_to_do() {
        let states = states(setup_guide(GUIDE), &Evidence::default());
        assert!(states.iter().all(|(_, state)| matches!(state, StepState::ToDo(_))), "{states:?}");
        assert_eq!(next_open(&states), Some(0));
        let StepState::ToDo(open) = &states[1].1 else { panic!() };
        assert_eq!(open.fields, [Key::IssuerUrl]);
        assert!(open.checks.contains(&CheckId::IssuerJwks) && !open.confirmable);
    }

    #[test]
    fn checks_that_pass_verify_and_what_does_not_apply_says_nothing() {
        let mut evidence = Evidence {
            checks: vec![
                judged(CheckId::AwsAssumeRoleWithWebIdentity, Outcome::Warn),
                judged(CheckId::TokenClaims, Outcome::Pass),
                judged(CheckId::TrustPolicy, Outcome::Skipped),
            ],
            ..Evidence::default()
        };
        assert_eq!(
            state(&evidence, 3),
            StepState::Verified {
                checks: vec![CheckId::TokenClaims, CheckId::AwsAssumeRoleWithWebIdentity],
                proofs: vec![],
                at: AT.to_owned(),
            }
        );
        // Could not tell is not passed.
        evidence.checks[2].outcome = Outcome::Inconclusive;
        evidence.checks[2].reason = Some("the file is no policy".to_owned());
        let StepState::ToDo(open) = state(&evidence, 3) else { panic!() };
        assert_eq!(open.untold, [(CheckId::TrustPolicy, "the file is no policy".to_owned())]);
        evidence.checks[2] =
            CheckResult { blocked_by: Some(CheckId::TokenPresent), ..judged(CheckId::TrustPolicy, Outcome::Skipped) };
        assert!(matches!(state(&evidence, 3), StepState::ToDo(_)));
        // What supports decides nothing.
        evidence.checks = vec![judged(CheckId::TokenClaims, Outcome::Pass)];
        assert!(matches!(state(&evidence, 3), StepState::ToDo(_)));
    }

    #[test]
    fn a_failure_stands_at_the_step_where_it_is_set_right() {
        let check = CheckId::AwsAssumeRoleWithWebIdentity;
        for (cause, number) in [(Cause::ProviderMissing, 2), (Cause::SubMismatch, 3)] {
            let evidence =
                Evidence { checks: vec![failed(check, &[(cause, Certainty::Proven)])], ..Evidence::default() };
            let all = states(setup_guide(GUIDE), &evidence);
            let failing: Vec<u8> =
                all.iter().filter(|(_, s)| matches!(s, StepState::Failing { .. })).map(|(n, _)| *n).collect();
            assert_eq!(failing, [number], "{cause}");
            assert_eq!(next_open(&all), Some(number));
            assert!(all.iter().all(|(n, s)| *n <= number || *s == StepState::Blocked { by: number }), "{all:?}");
            assert!(all.iter().all(|(n, s)| *n >= number || matches!(s, StepState::ToDo(_))), "{all:?}");
        }
    }

    #[test]
    fn mere_possibilities_accuse_no_further_step() {
        let check = CheckId::AwsAssumeRoleWithWebIdentity;
        let causes = [
            (Cause::SubMismatch, Certainty::Possible),
            (Cause::AudMismatch, Certainty::Possible),
            (Cause::ProviderMissing, Certainty::Possible),
        ];
        let evidence = Evidence { checks: vec![failed(check, &causes)], ..Evidence::default() };
        let StepState::Failing { findings, .. } = state(&evidence, 3) else { panic!() };
        assert_eq!(findings.iter().map(|f| f.cause).collect::<Vec<_>>(), [Cause::SubMismatch, Cause::AudMismatch]);
        assert!(matches!(state(&evidence, 2), StepState::ToDo(_)));
    }

    #[test]
    fn an_open_step_tells_of_its_own_check_that_failed_and_where_it_is_fixed() {
        let evidence = Evidence {
            checks: vec![failed(CheckId::IssuerTls, &[(Cause::TlsExpired, Certainty::Proven)])],
            ..Evidence::default()
        };
        let all = states(setup_guide(GUIDE), &evidence);
        let (fixed_in, _) = all.iter().find(|(_, s)| matches!(s, StepState::Failing { .. })).unwrap();
        let StepState::ToDo(open) = &all[0].1 else { panic!("{:?}", all[0].1) };
        let expected =
            FailedElsewhere { check: CheckId::IssuerTls, reason: Some("wrong".to_owned()), fixed_in: *fixed_in };
        assert_eq!(open.failed, [expected]);
    }

    #[test]
    fn a_failure_that_names_no_step_stands_at_the_first_that_it_verifies() {
        let mut fail = failed(CheckId::AwsGetSecret, &[(Cause::Transient, Certainty::Likely)]);
        fail.findings[0].step = None;
        let evidence = Evidence { checks: vec![fail], ..Evidence::default() };
        assert!(matches!(state(&evidence, 4), StepState::Failing { check: CheckId::AwsGetSecret, .. }));
    }

    #[test]
    fn a_token_that_the_cloud_takes_shows_nothing_of_what_is_saved_on_the_platform() {
        for &guide in Guide::ALL {
            let passing = CheckId::ALL.iter().map(|check| judged(*check, Outcome::Pass)).collect();
            let evidence = Evidence { checks: passing, ..Evidence::default() };
            for (number, state) in states(setup_guide(guide), &evidence) {
                let step = setup_guide(guide).step(number).unwrap();
                assert_eq!(is_verified(&state), step.confirm.is_none(), "{} {number}", guide.id());
            }
        }
    }

    #[test]
    fn a_refusal_of_something_later_shows_what_came_before_it() {
        let exchange = |code: &str, cause| CheckResult {
            code: Some(code.to_owned()),
            ..failed(CheckId::AwsAssumeRoleWithWebIdentity, &[(cause, Certainty::Likely)])
        };
        let with = |judged| Evidence { checks: vec![judged], ..Evidence::default() };
        let answered = state(&with(exchange("AccessDenied", Cause::SubMismatch)), 2);
        assert!(matches!(&answered, StepState::Answered { code, .. } if code == "AccessDenied"), "{answered:?}");
        assert!(answered.is_done());
        let refused = state(&with(exchange("InvalidIdentityToken", Cause::ProviderMissing)), 2);
        assert!(matches!(refused, StepState::Failing { .. }), "{refused:?}");
        // What may be the provider after all is no answer about it.
        let doubted = state(&with(exchange("AccessDenied", Cause::ProviderMissing)), 2);
        assert!(matches!(doubted, StepState::Failing { .. }), "{doubted:?}");
    }

    #[test]
    fn what_is_seen_on_the_clouds_own_side_is_done_before_a_token_shows_it() {
        let guide = setup_guide(Guide::AzureWorkloadIdentity);
        let blocked =
            CheckResult { blocked_by: Some(CheckId::TokenPresent), ..judged(CheckId::AzureExchange, Outcome::Skipped) };
        let state = |checks: &[CheckId]| {
            let seen = checks.iter().map(|check| judged(*check, Outcome::Pass));
            let evidence = Evidence { checks: seen.chain([blocked.clone()]).collect(), ..Evidence::default() };
            let verified = states(guide, &evidence).into_iter().filter(|(_, state)| state.is_done());
            verified.map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(state(&[CheckId::AzureApplication]), [2]);
        assert_eq!(state(&[CheckId::AzureApplication, CheckId::TrustPolicy]), [2, 3]);
        // A file that fits says nothing of what is in force.
        assert!(state(&[CheckId::TrustPolicy]).is_empty());
        assert_eq!(state(&[CheckId::AzureRoleAssignments, CheckId::AzureVaultSettings]), [4, 5]);
    }

    #[test]
    fn the_cluster_shows_the_pods_step_where_it_can_be_read_and_elsewhere_the_exchange_does() {
        use CheckId::{AwsAssumeRole, AwsCallerIdentity, KubernetesPod, KubernetesServiceAccount};
        let guide = setup_guide(Guide::KubernetesAws);
        let pod = guide.steps.iter().find(|step| step.id == "pod").unwrap().number;
        let is_shown = |checks: &[CheckId]| {
            let checks = checks.iter().map(|check| judged(*check, Outcome::Pass)).collect();
            let states = states(guide, &Evidence { checks, ..Evidence::default() });
            states.iter().any(|(number, state)| *number == pod && is_verified(state))
        };
        assert!(is_shown(&[KubernetesServiceAccount, KubernetesPod]));
        assert!(!is_shown(&[KubernetesServiceAccount]));
        assert!(is_shown(&[AwsAssumeRole, AwsCallerIdentity]));
    }

    #[test]
    fn a_person_confirms_what_nobody_can_be_asked_for() {
        let at = "2026-01-02T03:04:05Z".to_owned();
        let confirm = |step| Confirmation { step, at: at.clone() };
        let mut evidence = Evidence { confirmations: vec![confirm(6), confirm(3)], ..Evidence::default() };
        assert_eq!(state(&evidence, 6), StepState::Confirmed { at: at.clone() });
        assert!(matches!(state(&evidence, 3), StepState::ToDo(_)), "checks tell of step 3, and no word replaces them");
        // A deployment that answers does not show that the variable is set; a rotation that arrives does.
        evidence.checks = vec![judged(CheckId::DeploymentReachable, Outcome::Pass)];
        assert!(!is_verified(&state(&evidence, 9)));
        evidence.shown = vec![ExternalProof { proof: Proof::Rotation, at: AT.to_owned() }];
        for number in [0, 6, 7, 9, 10] {
            assert!(is_verified(&state(&evidence, number)), "{number}");
        }
        // A failure goes before every word.
        let fail = failed(CheckId::DeploymentReachable, &[]);
        let evidence = Evidence { confirmations: vec![confirm(10)], checks: vec![fail], ..Evidence::default() };
        assert!(matches!(state(&evidence, 10), StepState::Failing { .. }));
    }
}
