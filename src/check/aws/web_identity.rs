//! The check of `sts:AssumeRoleWithWebIdentity`: what the words of a refusal allow, narrowed by everything else seen.

use super::{may_pass_by_itself, missing_settings, refused};
use crate::cause::{Cause, Certainty, Finding, TrustDocument};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::secret::{AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce};
use crate::domain::iam::{Decision, audience_at_sts};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::timestamp::in_words;

/// For how long a role is new, in seconds. IAM names no bound for its propagation; minutes are seen.
const NEW_ROLE_S: u64 = 300;

const ID: CheckId = CheckId::AwsAssumeRoleWithWebIdentity;

/// STS exchanges the token for a session of the role.
pub const CHECK: Check = Check {
    id: ID,
    title: "STS exchanges the token for the role",
    docs: "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
    link: Link::Role,
    needs: &[],
    rules_out: &[Cause::EnvConflict, Cause::RegionDisabled],
    step: |_| Some(Step::WebIdentity),
    traffic: call!(aws.assume_role, |_, refusal| may_pass_by_itself(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.aws.assume_role.as_ref()),
    verdict: web_identity,
    reproduction: Reproduction::Command(|profile, _| reproduce::exchange_at_sts(profile)),
};

fn web_identity(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(call) = &facts.aws.assume_role else {
        return Verdict::inconclusive(missing_settings(profile), Vec::new());
    };
    if let Some(verdict) = unanswered(ID, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        return granted(call, call.granted().map_or_else(String::new, |role| role.assumed_role_arn.clone()));
    };
    let mut findings = from_words(ID, Cloud::Aws, "STS", refusal);
    narrow_by_trust_policy(&mut findings, facts, refusal);
    narrow_by_keys(&mut findings, facts);
    if let Some(seconds) = profile.aws.session_duration_s {
        let asked = format!("the profile asks for {seconds} s (aws.session-duration-s)");
        for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::SessionDuration) {
            finding.evidence.push(asked.clone());
        }
    }
    refused(refusal, findings)
}

/// STS answers every denial with one bare sentence; the policy at hand says which condition it was.
fn narrow_by_trust_policy(findings: &mut Vec<Finding>, facts: &Facts, refusal: &Refusal) {
    if refusal.code != "AccessDenied" {
        return;
    }
    match facts.trust.as_ref().and_then(|trust| trust.decision()) {
        Some(Decision::Deny) => {
            let Some(trust) = &facts.trust else { return };
            let proven = trust.findings(ID.into());
            if !proven.is_empty() {
                *findings = proven.into_iter().map(|f| f.with_evidence(quoted("STS", refusal))).collect();
            }
        }
        Some(Decision::Allow) => {
            findings.retain(|finding| !TrustDocument::Policy.decides().contains(&finding.cause));
            for finding in findings.iter_mut() {
                if finding.cause == Cause::RoleMissing && facts.operator.aws.role_in_force().is_none() {
                    finding.certainty = Certainty::Likely;
                }
                finding.evidence.push("the trust policy accepts this token, so its conditions are ruled out".into());
            }
            blame_a_new_role(findings, facts, refusal);
        }
        _ => {}
    }
}

/// A role that was made minutes ago is there, and not yet everywhere: it is denied as if it were missing.
fn blame_a_new_role(findings: &mut Vec<Finding>, facts: &Facts, refusal: &Refusal) {
    let made = facts.trust.as_ref().and_then(|trust| trust.role_created_at);
    let Some(age) = made.and_then(|made| u64::try_from(facts.now - made).ok()).filter(|age| *age < NEW_ROLE_S) else {
        return;
    };
    let summary = format!("the role was made {} ago, and STS does not know it everywhere yet", in_words(age));
    findings.retain(|finding| finding.cause != Cause::RoleMissing && finding.cause != Cause::PropagationDelay);
    // What IAM has now was read, and it lets the token in.
    let certainty = match facts.operator.aws.role_in_force() {
        Some(_) => Certainty::Proven,
        None => Certainty::Likely,
    };
    let finding = Finding::new(Cause::PropagationDelay, ID, certainty, summary)
        .with_evidence("the trust policy accepts this token, and its answer of get-role says when the role was made")
        .with_evidence(quoted("STS", refusal));
    findings.insert(0, finding);
}

/// The key that made the token is one that STS passes over, and STS says that it could not verify. Where the provider in force
/// takes the audience, nothing else is left of what those words may mean.
fn blame_a_hidden_key(findings: &mut Vec<Finding>, facts: &Facts) -> bool {
    let reason = facts.signature.as_ref().map(|fact| &fact.signature.reason);
    let Some(SignatureReason::NamedKey { hidden: Some(problem), .. }) = reason else { return false };
    let is_proven = takes_audience(facts);
    let blamed = [Cause::JwksInvalid, Cause::AudNotRegistered];
    findings.retain(|finding| blamed[..if is_proven { 1 } else { 2 }].contains(&finding.cause));
    for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::AudNotRegistered) {
        finding.certainty = Certainty::Likely;
    }
    for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::JwksInvalid) {
        finding.certainty = if is_proven { Certainty::Proven } else { Certainty::Likely };
        finding.summary = format!("STS passes over the key that made the token: {problem}");
        finding.evidence.push("from here the keys are reachable, and that key verifies the token".into());
        if is_proven {
            finding.evidence.push("the identity provider in force takes the token's audience".into());
        }
    }
    true
}

/// Whether the identity provider in force takes the audience that STS looks at.
fn takes_audience(facts: &Facts) -> bool {
    let provider = facts.operator.aws.provider.as_ref().and_then(|side| side.provider.seen());
    let audience = facts.claims().and_then(audience_at_sts);
    provider.zip(audience).is_some_and(|(provider, audience)| provider.client_ids.contains(&audience))
}

/// STS could not verify the token with the issuer's keys: what was seen of keys and signature from here tells why.
fn narrow_by_keys(findings: &mut Vec<Finding>, facts: &Facts) {
    let about_keys = [Cause::JwksUnreachable, Cause::JwksKidMissing, Cause::SignatureInvalid, Cause::JwksInvalid];
    if findings.iter().filter(|f| about_keys.contains(&f.cause)).count() < 2 {
        return;
    }
    if facts.signature.as_ref().is_some_and(|s| s.signature.state == SignatureState::Verified) {
        if blame_a_hidden_key(findings, facts) {
            return;
        }
        let ruled_out = [Cause::JwksKidMissing, Cause::SignatureInvalid, Cause::JwksInvalid];
        findings.retain(|finding| !ruled_out.contains(&finding.cause));
        for finding in findings.iter_mut() {
            finding.evidence.push(
                "from here the keys are reachable and verify the token, so the fault lies between AWS and the issuer"
                    .into(),
            );
        }
        // A token that verifies is well formed and signed with an algorithm that counts: what is left is for whom it is.
        let proven_wrong = [Cause::MalformedToken, Cause::AlgUnsupported, Cause::WrongTokenKind];
        if findings.iter().any(|finding| finding.cause == Cause::AudNotRegistered) {
            findings.retain(|finding| !proven_wrong.contains(&finding.cause));
        }
        for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::AudNotRegistered) {
            finding.certainty = Certainty::Likely;
        }
    }
}
