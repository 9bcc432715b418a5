//! The check of the running deployment: it answers, knows our token, and a kickoff would have its inputs. Nothing is
//! started.

use super::facts::secret::{Answer, AnyCall, Refusal};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::deployment::{DeploymentFact, SettingProblem};
use crate::check::facts::{Facts, as_json};
use crate::check::network;
use crate::check::reproduce::fetch;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::profile::key::Key;
use crate::domain::profile::{Profile, SecretSource};

const ID: CheckId = CheckId::DeploymentReachable;

/// The deployment answers `GET /inputs`.
pub const CHECK: Check = Check {
    id: ID,
    title: "deployment answers",
    docs: "https://docs.crewai.com/en/enterprise/guides/kickoff-crew",
    link: Link::Runtime,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::Deployment),
    traffic: call!(deployment => call, |_, _| None),
    waits: Waits::IfClockIsOff,
    facts: |facts| as_json(facts.deployment.as_ref()),
    verdict: reachable,
    reproduction: Reproduction::Command(|profile, _| Some(fetch(profile.deployment.url.as_deref()?))),
};

fn reachable(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(fact) = &facts.deployment else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(SettingProblem::Token(problem)) = &fact.problem {
        let key = match &profile.deployment.token {
            Some(SecretSource::File(_)) => Key::DeploymentTokenFile,
            _ => Key::DeploymentTokenEnv,
        };
        let finding = finding(Cause::EnvNotSet, Certainty::Proven, problem).about(key);
        return Verdict::fail(problem, vec![finding]);
    }
    match &fact.call.answer {
        Answer::Granted(_) => kickoff_possible(fact),
        Answer::Refused(refusal) => refused(fact, refusal),
        Answer::Network { failure } => network::failed(ID, failure),
        Answer::Unreadable { .. } | Answer::NotSent { .. } => {
            unanswered(ID, Cause::DeploymentUnreachable, &fact.call).unwrap_or_else(Verdict::pass)
        }
    }
}

fn kickoff_possible(fact: &DeploymentFact) -> Verdict {
    let declared = fact.call.granted().map_or(&[][..], |declared| &declared.inputs);
    if let Some(SettingProblem::Inputs(problem)) = &fact.problem {
        return Verdict::warn(problem, vec![finding(Cause::DeploymentInputsMissing, Certainty::Possible, problem)]);
    }
    if !fact.missing.is_empty() {
        let reason = format!("a kickoff would be refused: nothing says what {} should be", fact.missing.join(", "));
        let finding = finding(Cause::DeploymentInputsMissing, Certainty::Proven, &reason)
            .with_evidence(format!("GET /inputs names {}", declared.join(", ")));
        return Verdict::warn(reason, vec![finding]);
    }
    let words = if declared.is_empty() {
        "a kickoff needs no inputs".to_owned()
    } else {
        format!("a kickoff needs {}", declared.join(", "))
    };
    granted(&fact.call, words)
}

fn refused(fact: &DeploymentFact, refusal: &Refusal) -> Verdict {
    let evidence = quoted("the deployment", refusal);
    match (refusal.http_status, &fact.token) {
        (401 | 403, None) => {
            let reason = "the deployment answers and asks for a bearer token, and the profile names none";
            let finding = finding(Cause::EnvNotSet, Certainty::Proven, reason)
                .with_evidence(evidence)
                .with_fix("Name the variable that holds the token as `deployment.token-env`.");
            Verdict::warn(reason, vec![finding])
        }
        (401, Some(place)) => {
            let reason = format!("the deployment refuses the token of {place}");
            Verdict::fail(
                reason.clone(),
                vec![finding(Cause::DeploymentTokenWrong, Certainty::Proven, &reason).with_evidence(evidence)],
            )
        }
        (403, Some(place)) => {
            let reason = format!("the deployment forbids what was asked with the token of {place}");
            Verdict::fail(
                reason.clone(),
                vec![finding(Cause::DeploymentTokenWrong, Certainty::Likely, &reason).with_evidence(evidence)],
            )
        }
        (429, _) => {
            let reason = "the deployment was asked too often and wants a pause";
            Verdict::inconclusive(
                reason,
                vec![finding(Cause::Throttled, Certainty::Proven, reason).with_evidence(evidence)],
            )
        }
        (status, _) => {
            let is_direct = fact.call.exchange.as_ref().is_some_and(|exchange| exchange.proxy.is_none());
            let (reason, certainty) = match status {
                404 => ("no deployment answers at this address (404)".to_owned(), Certainty::Likely),
                // The address's own gateway says so, where nothing else is in between.
                502..=504 => {
                    let certainty = if is_direct { Certainty::Proven } else { Certainty::Likely };
                    (format!("the deployment is not running behind its address ({status})"), certainty)
                }
                _ => (format!("the deployment fails to answer ({status})"), Certainty::Likely),
            };
            Verdict::fail(
                reason.clone(),
                vec![finding(Cause::DeploymentUnreachable, certainty, &reason).with_evidence(evidence)],
            )
        }
    }
}

fn finding(cause: Cause, certainty: Certainty, summary: &str) -> Finding {
    Finding::new(cause, ID, certainty, summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::deployment::DeclaredInputs;
    use crate::check::facts::secret::Call;
    use crate::domain::profile::Guide;

    fn judged(answer: Answer<DeclaredInputs>, change: impl FnOnce(&mut DeploymentFact)) -> (Outcome, Option<Cause>) {
        let mut fact = DeploymentFact {
            deployment: "https://my-crew.example.com".into(),
            token: Some("variable DEPLOYMENT_TOKEN".into()),
            call: Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None },
            missing: Vec::new(),
            problem: None,
        };
        change(&mut fact);
        let facts = Facts { deployment: Some(fact), ..Facts::default() };
        let verdict = reachable(&facts, &Profile::bare("p", Guide::AwsWorkloadIdentity));
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    fn refusal(http_status: u16) -> Answer<DeclaredInputs> {
        Answer::Refused(Refusal { code: "x".into(), message: "y".into(), http_status, request_id: None })
    }

    #[test]
    fn refusals_are_told_apart_by_their_status() {
        for (status, outcome, cause) in [
            (401, Outcome::Fail, Cause::DeploymentTokenWrong),
            (403, Outcome::Fail, Cause::DeploymentTokenWrong),
            (404, Outcome::Fail, Cause::DeploymentUnreachable),
            (429, Outcome::Inconclusive, Cause::Throttled),
            (500, Outcome::Fail, Cause::DeploymentUnreachable),
            (503, Outcome::Fail, Cause::DeploymentUnreachable),
        ] {
            assert_eq!(judged(refusal(status), |_| {}), (outcome, Some(cause)), "{status}");
        }
        let without_token = judged(refusal(401), |fact| fact.token = None);
        assert_eq!(without_token, (Outcome::Warn, Some(Cause::EnvNotSet)));
    }

    #[test]
    fn an_answer_passes_and_missing_inputs_warn() {
        let inputs = || Answer::Granted(DeclaredInputs { inputs: vec!["topic".into()] });
        assert_eq!(judged(inputs(), |_| {}), (Outcome::Pass, None));
        let missing = judged(inputs(), |fact| fact.missing = vec!["topic".into()]);
        assert_eq!(missing, (Outcome::Warn, Some(Cause::DeploymentInputsMissing)));
    }

    #[test]
    fn a_token_that_is_nowhere_fails_and_what_could_not_be_asked_does_not() {
        let unset = |fact: &mut DeploymentFact| fact.problem = Some(SettingProblem::Token("not set".into()));
        let not_sent = Answer::NotSent { detail: "not set".into() };
        assert_eq!(judged(not_sent, unset), (Outcome::Fail, Some(Cause::EnvNotSet)));
        let html = Answer::Unreadable { http_status: Some(200), detail: "the answer is not JSON".into() };
        assert_eq!(judged(html, |_| {}), (Outcome::Inconclusive, Some(Cause::DeploymentUnreachable)));
    }
}
