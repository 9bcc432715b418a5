//! The verdicts on `sts:AssumeRole`, by an access key's owner or as a second hop, and on the role's trust policy at hand.

use super::aws::{missing_settings, refused};
use super::cloud::{from_words, granted, quoted, unanswered};
use crate::cause::explain::Provider;
use crate::cause::{Cause, Certainty, Finding, assume};
use crate::check::facts::Facts;
use crate::check::facts::aws::RoleTrust;
use crate::check::facts::cloud::Refusal;
use crate::check::{CheckId, Verdict};
use crate::domain::iam::Decision;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Guide, Profile};

const CHECK: CheckId = CheckId::AwsAssumeRole;

/// STS lets the caller assume the role.
pub fn assumed(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(call) = &facts.aws.assumed else {
        return Verdict::inconclusive(missing_settings(profile), Vec::new());
    };
    if let Some(verdict) = unanswered(CHECK, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        return granted(call, call.granted().map_or_else(String::new, |role| role.assumed_role_arn.clone()));
    };
    let mut findings = from_words(CHECK, Provider::Aws, "STS", refusal);
    narrow_by_trust(&mut findings, facts, profile, refusal);
    // A refusal never says that it is the role's name; of the two roles of a chain it is about the second one.
    let role = if profile.guide == Guide::CircleciAws { Key::TargetRoleArn } else { Key::RoleArn };
    for finding in findings.iter_mut().filter(|finding| finding.setting.is_none() && is_about_role(finding.cause)) {
        finding.setting = Some(role.path().to_owned());
    }
    refused(refusal, findings)
}

fn is_about_role(cause: Cause) -> bool {
    matches!(cause, Cause::RoleMissing | Cause::AssumeRoleDenied | Cause::WrongAccount | Cause::WrongFlow)
}

/// The trust policy at hand lets the caller assume the role.
pub fn trusted(facts: &Facts, _profile: &Profile) -> Verdict {
    let check = CheckId::TrustPolicy;
    let Some(trust) = &facts.aws.role_trust else {
        return Verdict::inconclusive("no trust policy was evaluated", Vec::new());
    };
    if trust.is_missing {
        return super::trust::missing(trust.problem.as_deref().unwrap_or_default(), Key::TrustPolicy);
    }
    let Some(evaluation) = &trust.evaluation else {
        let problem = trust.problem.as_deref().unwrap_or_default();
        return Verdict::inconclusive(format!("{} could not be read as a policy: {problem}", trust.source), Vec::new());
    };
    match evaluation.decision {
        Decision::Allow => Verdict::pass(),
        Decision::Deny => {
            let findings = of_trust(trust, check);
            let reason = findings.first().map_or_else(
                || "the trust policy does not let the caller assume the role".to_owned(),
                |finding| finding.summary.clone(),
            );
            Verdict::fail(reason, findings)
        }
        Decision::Unknown => Verdict::inconclusive(
            "whether the trust policy lets the caller assume the role depends on what is not known here",
            Vec::new(),
        ),
    }
}

fn of_trust(trust: &RoleTrust, check: CheckId) -> Vec<Finding> {
    let mut findings =
        trust.evaluation.as_ref().map_or_else(Vec::new, |evaluation| assume::findings(check.id(), evaluation));
    for finding in &mut findings {
        finding.evidence.push(format!("the policy is {}", trust.source));
    }
    findings
}

/// STS never says which side denies: the trust policy at hand does. Without it, a call that sends no external id may
/// lack one, and one that sends it may send a wrong one.
fn narrow_by_trust(findings: &mut Vec<Finding>, facts: &Facts, profile: &Profile, refusal: &Refusal) {
    if !findings.iter().any(|finding| finding.cause == Cause::AssumeRoleDenied) {
        return;
    }
    let trust = facts.aws.role_trust.as_ref();
    let decision = trust.and_then(|trust| Some(trust.evaluation.as_ref()?.decision));
    match (trust, decision) {
        (Some(trust), Some(Decision::Deny)) => {
            let proven = of_trust(trust, CHECK);
            if !proven.is_empty() {
                *findings = proven.into_iter().map(|finding| finding.with_evidence(quoted("STS", refusal))).collect();
            }
        }
        (Some(trust), Some(Decision::Allow)) => {
            findings.retain(|finding| finding.cause != Cause::ExternalId);
            for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::AssumeRoleDenied) {
                finding.certainty = Certainty::Likely;
                finding.evidence.push(format!(
                    "{} lets the caller in, so it is the caller's own permissions, or another role",
                    trust.source
                ));
            }
        }
        _ if profile.aws.external_id.is_some() => {
            for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::ExternalId) {
                finding
                    .evidence
                    .push("an external id is sent; the role's trust policy says whether it is the right one".into());
            }
        }
        // External ids are for third parties; the second hop leads into an account of the caller's own.
        _ if profile.aws.target_role_arn.is_some() => {
            for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::AssumeRoleDenied) {
                finding.certainty = Certainty::Likely;
                finding
                    .evidence
                    .push("either side may refuse: what the first role may do, or whom the second one trusts".into());
            }
            findings.sort_by_key(|finding| match finding.cause {
                Cause::AssumeRoleDenied => 0,
                Cause::ExternalId => 1,
                _ => 2,
            });
        }
        _ => {}
    }
}
