//! The check of `sts:AssumeRole`, by an access key's owner or as a second hop.

use super::{may_pass_by_itself, missing_settings, refused};
use crate::cause::{Cause, Certainty, Finding, access};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::secret::{AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce, trust};
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Guide, Profile};

const ID: CheckId = CheckId::AwsAssumeRole;

/// STS lets the caller assume the role.
pub const CHECK: Check = Check {
    id: ID,
    title: "STS lets the caller assume the role",
    docs: "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::AssumeRole),
    traffic: call!(aws.assumed, |_, refusal| may_pass_by_itself(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.aws.assumed.as_ref()),
    verdict: assumed,
    reproduction: Reproduction::Command(|profile, _| reproduce::assume_role(profile)),
};

fn assumed(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(call) = &facts.aws.assumed else {
        return Verdict::inconclusive(missing_settings(profile), Vec::new());
    };
    if let Some(verdict) = unanswered(ID, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        return granted(call, call.granted().map_or_else(String::new, |role| role.assumed_role_arn.clone()));
    };
    let mut findings = from_words(ID, Cloud::Aws, "STS", refusal);
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

/// STS never says which side denies: the trust policy at hand does. Without it, a call that sends no external id may
/// lack one, and one that sends it may send a wrong one.
fn narrow_by_trust(findings: &mut Vec<Finding>, facts: &Facts, profile: &Profile, refusal: &Refusal) {
    if !findings.iter().any(|finding| finding.cause == Cause::AssumeRoleDenied) {
        return;
    }
    let hop =
        facts.aws.permissions.as_ref().and_then(|permissions| Some((&permissions.source, permissions.hop.as_ref()?)));
    let denied = hop.filter(|(_, hop)| hop.decision == Decision::Deny).map(|(source, hop)| {
        let found = access::findings(ID.into(), hop).into_iter();
        let found = found.map(|f| f.with_evidence(format!("read: {source}")).with_evidence(quoted("STS", refusal)));
        found.collect::<Vec<_>>()
    });
    if let Some(proven) = denied.filter(|proven| !proven.is_empty()) {
        *findings = proven;
        return;
    }
    let trust = facts.aws.role_trust.as_ref();
    let decision = trust.and_then(|trust| Some(trust.evaluation.as_ref()?.decision));
    match (trust, decision) {
        (Some(trust), Some(Decision::Deny)) => {
            let proven = trust::role_findings(trust, ID);
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
