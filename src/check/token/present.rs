//! `token.present`: whether the source gave a token, and whether other readers would take it as it stands.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::Facts;
use crate::check::facts::token::{AbsenceKind, Surroundings, TokenAbsence, TokenFact, TokenReading};
use crate::check::network;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::guide::Workload;
use crate::domain::profile::Guide;
use crate::domain::profile::Profile;
use serde_json::json;

const ID: CheckId = CheckId::TokenPresent;

/// Is there a token?
fn present(facts: &Facts, profile: &Profile) -> Verdict {
    match &facts.token {
        Some(fact) => judge(fact, profile.guide),
        None if profile.token.is_none() => Verdict::skipped(format!(
            "the profile names no token source; `trustline guide {}` says where a token comes from",
            profile.guide.id()
        )),
        None => Verdict::skipped("the token was not read"),
    }
}

/// There is a token.
pub const CHECK: Check = Check {
    id: ID,
    title: "a token was obtained",
    docs: "https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    link: Link::Token,
    needs: &[],
    rules_out: &[Cause::EnvNotSet, Cause::IdTokenPermissionMissing],
    step: |_| Some(Step::Token),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| facts.token.as_ref().map(|token| json!({ "source": token.source })),
    verdict: present,
    reproduction: Reproduction::JudgedHere,
};

fn judge(fact: &TokenFact, guide: Guide) -> Verdict {
    let read = match &fact.reading {
        TokenReading::Absent(absence) => return absent(absence, guide),
        TokenReading::Read(read) => read,
    };
    let harmful: Vec<String> =
        read.cleaned.iter().filter(|cleaning| cleaning.harms_other_readers()).map(ToString::to_string).collect();
    if harmful.is_empty() {
        return Verdict::pass();
    }
    let summary = "the token is not stored bare: programs that send it unchanged are refused";
    let finding = Finding::new(Cause::MalformedToken, ID, Certainty::Likely, summary)
        .with_evidence(format!("{}: stripped {}", fact.source, harmful.join(", ")))
        .with_fix("Store the bare token, `eyJ…` with two dots, without quotes, `Bearer` or line breaks.");
    Verdict::warn(summary, vec![finding])
}

const OF_FORK: &str = "the run is of a fork's pull request or of Dependabot: such a job gets no token";

fn is_of_fork(absence: &TokenAbsence) -> bool {
    absence.around.as_ref().is_some_and(|around| around.of_fork)
}

/// The variable or file is not there: what a job lacks where there is none, or what a pod was not given.
fn not_set(absence: &TokenAbsence, guide: Guide) -> Vec<Finding> {
    let around = absence.around.as_ref();
    let in_pod = around.filter(|around| around.workload == Workload::Kubernetes);
    let summary = match in_pod {
        None => absence.message.clone(),
        Some(Surroundings { is_injected: true, .. }) => {
            format!("{}: the pod has the webhook's variables, and the volume with the token is not mounted", absence.message)
        }
        Some(Surroundings { has_cluster_token: true, .. }) => {
            "no webhook gave the pod a token for the cloud, and no volume projects one: label and annotation are missing, or \
             the pod is older than they are"
                .to_owned()
        }
        Some(_) => {
            "the pod has no token at all: automountServiceAccountToken is false, and no volume projects one for the cloud"
                .to_owned()
        }
    };
    let mut findings = vec![Finding::new(Cause::EnvNotSet, ID, Certainty::Proven, summary)];
    // In CI the variable is there as soon as the job may have a token.
    let lacking = match guide.workload() {
        Workload::Gitlab => Some("the job has no `id_tokens:` entry of this name"),
        Workload::Circleci if is_of_fork(absence) => Some("the job runs for a fork, which gets no secrets"),
        Workload::Circleci => Some("the job uses no context, or runs for a fork that gets no secrets"),
        Workload::Github | Workload::Kubernetes | Workload::Platform => None,
    };
    findings.extend(lacking.map(|what| Finding::new(Cause::IdTokenPermissionMissing, ID, Certainty::Possible, what)));
    findings
}

fn absent(absence: &TokenAbsence, guide: Guide) -> Verdict {
    let finding = |cause, certainty| Finding::new(cause, ID, certainty, absence.message.clone());
    let findings = match (absence.kind, &absence.failure) {
        (_, Some(failure)) => vec![network::finding(ID, failure)],
        (AbsenceKind::NotSet, _) => not_set(absence, guide),
        (AbsenceKind::Denied, _) => vec![finding(Cause::TokenFileUnreadable, Certainty::Proven)],
        (AbsenceKind::Unreadable | AbsenceKind::CommandFailed, _) => {
            vec![finding(Cause::EnvNotSet, Certainty::Likely)]
        }
        (AbsenceKind::NotPermitted, _) if is_of_fork(absence) => {
            vec![Finding::new(Cause::IdTokenPermissionMissing, ID, Certainty::Proven, OF_FORK)]
        }
        (AbsenceKind::NotPermitted, _) => vec![finding(Cause::IdTokenPermissionMissing, Certainty::Likely)],
        (AbsenceKind::Shortage, _) => vec![finding(Cause::Transient, Certainty::Possible)],
        (AbsenceKind::RequestFailed, _) => vec![finding(Cause::IdTokenPermissionMissing, Certainty::Possible)],
    };
    match absence.kind {
        AbsenceKind::Shortage => Verdict::inconclusive(absence.message.clone(), findings),
        _ => Verdict::fail(absence.message.clone(), findings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::domain::token::{Cleaning, RawToken};

    #[test]
    fn absences_lead_to_their_causes() {
        use AbsenceKind::*;
        for (kind, guide, causes) in [
            (NotSet, Guide::AwsWorkloadIdentity, &[Cause::EnvNotSet][..]),
            (NotSet, Guide::GitlabAws, &[Cause::EnvNotSet, Cause::IdTokenPermissionMissing]),
            (Denied, Guide::AwsWorkloadIdentity, &[Cause::TokenFileUnreadable]),
            (Unreadable, Guide::AwsWorkloadIdentity, &[Cause::EnvNotSet]),
            (CommandFailed, Guide::AwsWorkloadIdentity, &[Cause::EnvNotSet]),
            (NotPermitted, Guide::AwsWorkloadIdentity, &[Cause::IdTokenPermissionMissing]),
            (RequestFailed, Guide::AwsWorkloadIdentity, &[Cause::IdTokenPermissionMissing]),
        ] {
            let absence = TokenAbsence { kind, message: "m".to_owned(), failure: None, around: None };
            let verdict = judge(&TokenFact::absent("s", absence), guide);
            assert_eq!(verdict.outcome, Outcome::Fail);
            assert_eq!(verdict.findings.iter().map(|f| f.cause).collect::<Vec<_>>(), causes);
        }
    }

    #[test]
    fn only_what_harms_other_readers_is_a_warning() {
        let (raw, _) = RawToken::clean("eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
        for (cleaned, outcome) in [
            (vec![], Outcome::Pass),
            (vec![Cleaning::Surrounding], Outcome::Pass),
            (vec![Cleaning::Quotes], Outcome::Warn),
            (vec![Cleaning::LineBreaks { count: 2 }], Outcome::Warn),
        ] {
            let fact = TokenFact::read("file t", &raw, cleaned);
            assert_eq!(judge(&fact, Guide::AwsWorkloadIdentity).outcome, outcome);
        }
    }

    #[test]
    fn a_pod_and_a_forks_job_are_told_what_they_were_not_given() {
        let around = |workload, of_fork, has_cluster_token, is_injected| Surroundings {
            workload,
            of_fork,
            has_cluster_token,
            is_injected,
        };
        for (kind, guide, around, cause, part) in [
            (
                AbsenceKind::NotSet,
                Guide::KubernetesAzure,
                around(Workload::Kubernetes, false, true, false),
                Cause::EnvNotSet,
                "no webhook",
            ),
            (
                AbsenceKind::NotSet,
                Guide::KubernetesAws,
                around(Workload::Kubernetes, false, false, false),
                Cause::EnvNotSet,
                "automountServiceAccountToken",
            ),
            (
                AbsenceKind::NotSet,
                Guide::KubernetesAws,
                around(Workload::Kubernetes, false, true, true),
                Cause::EnvNotSet,
                "not mounted",
            ),
            (
                AbsenceKind::NotPermitted,
                Guide::GithubAws,
                around(Workload::Github, true, false, false),
                Cause::IdTokenPermissionMissing,
                "fork",
            ),
            (
                AbsenceKind::NotPermitted,
                Guide::GithubAws,
                around(Workload::Github, false, false, false),
                Cause::IdTokenPermissionMissing,
                "m",
            ),
        ] {
            let absence = TokenAbsence { kind, message: "m".to_owned(), failure: None, around: Some(around) };
            let verdict = absent(&absence, guide);
            assert_eq!(verdict.findings[0].cause, cause, "{part}");
            assert!(verdict.findings[0].summary.contains(part), "{verdict:?}");
        }
    }
}
