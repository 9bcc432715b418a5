//! The verdict on `sts:AssumeRole`, by an access key's owner or as a second hop.

use super::aws::{missing_settings, refused};
use super::cloud::{from_words, granted, quoted, unanswered};
use crate::cause::explain::Provider;
use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::aws::ExternalIdRule;
use crate::check::facts::cloud::Refusal;
use crate::check::{CheckId, Verdict};
use crate::domain::profile::Profile;

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
    narrow_by_external_id(&mut findings, facts, profile, refusal);
    refused(refusal, findings)
}

/// STS never mentions external ids: the trust policy at hand says whether one is asked for. Without it, a call that
/// sends none may lack one, and one that sends it may send a wrong one.
fn narrow_by_external_id(findings: &mut Vec<Finding>, facts: &Facts, profile: &Profile, refusal: &Refusal) {
    if !findings.iter().any(|finding| finding.cause == Cause::AssumeRoleDenied) {
        return;
    }
    let trust = facts.aws.role_trust.as_ref();
    let source = trust.map_or("", |trust| trust.source.as_str());
    match trust.map(|trust| trust.external_id) {
        Some(rule @ (ExternalIdRule::Missing | ExternalIdRule::Differs)) => {
            let summary = match rule {
                ExternalIdRule::Missing => "the role asks for an external id, and none is sent",
                _ => "the role asks for another external id than the one that is sent",
            };
            let proven = Finding::new(Cause::ExternalId, CHECK.id(), Certainty::Proven, summary)
                .with_evidence(format!("{source} has a condition on sts:ExternalId"))
                .with_evidence(quoted("STS", refusal));
            *findings = vec![proven];
        }
        Some(ExternalIdRule::NotAsked | ExternalIdRule::Met) => {
            findings.retain(|finding| finding.cause != Cause::ExternalId);
            for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::AssumeRoleDenied) {
                finding.certainty = Certainty::Likely;
                finding.evidence.push(format!("{source} asks for no other external id than is sent"));
            }
        }
        Some(ExternalIdRule::Unreadable) | None if profile.aws.external_id.is_some() => {
            for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::ExternalId) {
                finding
                    .evidence
                    .push("an external id is sent; the role's trust policy says whether it is the right one".into());
            }
        }
        // External ids are for third parties; the second hop leads into an account of the caller's own.
        Some(ExternalIdRule::Unreadable) | None if profile.aws.target_role_arn.is_some() => {
            findings.sort_by_key(|finding| match finding.cause {
                Cause::AssumeRoleDenied => 0,
                Cause::ExternalId => 1,
                _ => 2,
            });
        }
        Some(ExternalIdRule::Unreadable) | None => {}
    }
}
