//! Verdicts on AWS's answers: what the words of a refusal allow, narrowed by everything else that was seen.

use super::aws_values;
use super::cloud::{from_words, granted, list_in_words, quoted, read_in_words, unanswered};
use crate::cause::explain::Provider;
use crate::cause::{Cause, Certainty, Finding, TrustDocument, access};
use crate::check::facts::Facts;
use crate::check::facts::access_key::AccessKeyFact;
use crate::check::facts::cloud::{Call, Refusal};
use crate::check::facts::secret::FieldState;
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::iam::{AccessEvaluation, Decision};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::signature::SignatureState;
use crate::domain::timestamp::in_words;

/// For how long a role is new, in seconds. IAM names no bound for its propagation; minutes are seen.
const NEW_ROLE_S: u64 = 300;

/// What a permissions policy at hand decides.
const DECIDED_BY_PERMISSIONS: &[Cause] = &[
    Cause::MissingList,
    Cause::ListResourceScoped,
    Cause::MissingGet,
    Cause::SecretArnSuffix,
    Cause::VersionstageCondition,
];

/// STS exchanges the token for a session of the role.
pub fn web_identity(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AwsAssumeRoleWithWebIdentity;
    let Some(call) = &facts.aws.assume_role else {
        return Verdict::inconclusive(missing_settings(profile), Vec::new());
    };
    if let Some(verdict) = unanswered(check, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        return granted(call, call.granted().map_or_else(String::new, |role| role.assumed_role_arn.clone()));
    };
    let mut findings = from_words(check, Provider::Aws, "STS", refusal);
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

/// The session says who it is, and that is the role asked for.
pub fn caller_identity(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AwsCallerIdentity;
    let Some(call) = &facts.aws.caller else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(caller) = call.granted() else {
        return match call.refusal() {
            Some(refusal) => {
                let mut findings = from_words(check, Provider::Aws, "STS", refusal);
                narrow_by_access_key(&mut findings, facts);
                refused(refusal, findings)
            }
            None => Verdict::inconclusive("no answer was seen", Vec::new()),
        };
    };
    match &profile.aws.role_arn {
        // A role that is to be assumed may well be another account's.
        Some(role) if profile.guide.is_aws_web_identity() && role.account != caller.account => {
            let summary = "the credentials belong to another account than the role";
            let finding = Finding::new(Cause::EnvConflict, check.id(), Certainty::Likely, summary)
                .with_difference(&role.account, &caller.account)
                .with_evidence(format!("STS says that the caller is {}", caller.arn));
            Verdict::fail(summary, vec![finding])
        }
        _ => match profile.aws.account_id.as_ref().filter(|_| profile.guide.is_aws_access_key()) {
            Some(account) if *account != caller.account => {
                let summary = "the access key is of another account than the profile says";
                let finding = Finding::new(Cause::WrongAccount, check.id(), Certainty::Proven, summary)
                    .about(Key::AccountId)
                    .with_difference(account, &caller.account)
                    .with_evidence(format!("STS says that the caller is {}", caller.arn));
                Verdict::fail(summary, vec![finding])
            }
            _ => granted(call, &caller.arn),
        },
    }
}

/// The role may list secrets.
pub fn list_secrets(facts: &Facts, _profile: &Profile) -> Verdict {
    let check = CheckId::AwsListSecrets;
    let Some(call) = &facts.aws.list else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, call) {
        return verdict;
    }
    match call.refusal() {
        Some(refusal) => {
            let mut findings = from_words(check, Provider::Aws, "Secrets Manager", refusal);
            let policy = facts.aws.permissions.as_ref().and_then(|p| Some((p.source.as_str(), p.list.as_ref()?)));
            narrow_by_permissions(&mut findings, check, policy, refusal);
            take_at_its_word(&mut findings, refusal);
            say_unread(&mut findings, facts);
            refused(refusal, findings)
        }
        None => granted(call, call.granted().map(list_in_words).unwrap_or_default()),
    }
}

/// The role may read the secret, and it is there.
pub fn get_secret(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AwsGetSecret;
    let Some(call) = &facts.aws.secret else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        let wrong = aws_values::wrong(facts, profile);
        return match wrong.first() {
            Some(first) => Verdict::fail(format!("the secret can be read, and {}", first.summary), wrong),
            None => granted(call, call.granted().map(read_in_words).unwrap_or_default()),
        };
    };
    let mut findings = from_words(check, Provider::Aws, "Secrets Manager", refusal);
    let policy = facts.aws.permissions.as_ref().and_then(|p| Some((p.source.as_str(), p.get.as_ref()?)));
    narrow_by_permissions(&mut findings, check, policy, refusal);
    narrow_by_region(&mut findings, facts, profile, refusal);
    take_at_its_word(&mut findings, refusal);
    findings.extend(aws_values::wrong(facts, profile));
    say_unread(&mut findings, facts);
    refused(refusal, findings)
}

/// Says with the likeliest cause that the permissions policy, which would decide, could not be read.
fn say_unread(findings: &mut [Finding], facts: &Facts) {
    let permissions = facts.aws.permissions.as_ref();
    if let (Some(first), Some(problem)) = (findings.first_mut(), permissions.and_then(|read| read.problem.as_ref())) {
        first.evidence.push(format!("the permissions policy (aws.identity-policy) could not be read: {problem}"));
    }
}

/// The secret holds the field that the profile selects.
pub fn json_key(facts: &Facts, _profile: &Profile) -> Verdict {
    let field = facts.secret_read().and_then(|read| read.field.as_ref());
    let Some(field) = field else { return Verdict::inconclusive("no value was read", Vec::new()) };
    let key = &field.json_key;
    let reason = match &field.state {
        FieldState::Found => return Verdict::pass(),
        FieldState::NotText { kind } => {
            let reason = format!("the field `{key}` is {kind}; a consumer that expects a text may not take it");
            return Verdict { outcome: Outcome::Warn, reason: Some(reason), findings: Vec::new() };
        }
        FieldState::Missing { nearest: Some(nearest) } => {
            format!("the secret has no field `{key}`; it has `{nearest}`")
        }
        FieldState::Missing { nearest: None } => format!("the secret has no field `{key}`"),
        FieldState::NotAnObject => format!("the secret is JSON and no object, so it has no field `{key}`"),
        FieldState::NotJson => format!("the secret is not JSON, so it has no field `{key}`"),
    };
    let mut finding =
        Finding::new(Cause::JsonKeyMissing, CheckId::SecretJsonKey.id(), Certainty::Proven, reason.clone());
    if let FieldState::Missing { nearest: Some(nearest) } = &field.state {
        finding = finding.with_difference(key, nearest);
    }
    Verdict::fail(reason, vec![finding])
}

/// What a refusal says that may pass by itself: IAM is eventually consistent, and a provider, role or
/// permission made seconds ago is denied as if it were not there.
pub fn may_pass_by_itself<T>(call: &Call<T>) -> Option<String> {
    let refusal = call.refusal()?;
    let code = refusal.code.trim_end_matches("Exception");
    let passing = match code {
        "AccessDenied" | "Throttling" | "InternalFailure" | "IDPCommunicationError" | "ResourceNotFound" => true,
        "InvalidIdentityToken" => {
            refusal.message.contains("No OpenIDConnect provider")
                || refusal.message.contains("retrieve verification key")
        }
        _ => refusal.http_status >= 500,
    };
    passing.then(|| format!("{}: {}", refusal.code, refusal.message))
}

pub(super) fn refused(refusal: &Refusal, mut findings: Vec<Finding>) -> Verdict {
    findings.sort_by_key(|finding| finding.certainty);
    Verdict::fail(format!("{}: {}", refusal.code, refusal.message), findings)
}

pub(super) fn missing_settings(profile: &Profile) -> String {
    let missing: Vec<&str> =
        [(profile.aws.role_arn.is_none(), "aws.role-arn"), (profile.aws.region.is_none(), "aws.region")]
            .iter()
            .filter_map(|(missing, key)| missing.then_some(*key))
            .collect();
    format!("the profile does not say {}", missing.join(" and "))
}

/// STS answers every denial with one bare sentence; the policy at hand says which condition it was.
fn narrow_by_trust_policy(findings: &mut Vec<Finding>, facts: &Facts, refusal: &Refusal) {
    if refusal.code != "AccessDenied" {
        return;
    }
    let check = CheckId::AwsAssumeRoleWithWebIdentity;
    match facts.trust.as_ref().and_then(|trust| trust.decision()) {
        Some(Decision::Deny) => {
            let Some(trust) = &facts.trust else { return };
            let proven = trust.findings(check.id());
            if !proven.is_empty() {
                *findings = proven.into_iter().map(|f| f.with_evidence(quoted("STS", refusal))).collect();
            }
        }
        Some(Decision::Allow) => {
            findings.retain(|finding| !TrustDocument::Policy.decides().contains(&finding.cause));
            for finding in findings.iter_mut() {
                if finding.cause == Cause::RoleMissing {
                    finding.certainty = Certainty::Likely;
                }
                finding
                    .evidence
                    .push("the trust policy at hand accepts this token, so its conditions are ruled out".into());
            }
            blame_a_new_role(findings, facts, refusal);
        }
        _ => {}
    }
}

/// It is known where the key came from, so no other credential won.
fn narrow_by_access_key(findings: &mut Vec<Finding>, facts: &Facts) {
    let Some(AccessKeyFact::Found(key)) = &facts.aws.access_key else { return };
    findings.retain(|finding| finding.cause != Cause::EnvConflict);
    for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::StaticKeyWrong) {
        finding.certainty = Certainty::Likely;
        finding.evidence.push(format!("the call was signed with {} from {}", key.id, key.source));
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
    let finding =
        Finding::new(Cause::PropagationDelay, CheckId::AwsAssumeRoleWithWebIdentity.id(), Certainty::Likely, summary)
            .with_evidence(
                "the trust policy at hand accepts this token, and its answer of get-role says when the role was made",
            )
            .with_evidence(quoted("STS", refusal));
    findings.insert(0, finding);
}

/// STS could not verify the token with the issuer's keys: what was seen of keys and signature from here tells why.
fn narrow_by_keys(findings: &mut Vec<Finding>, facts: &Facts) {
    let about_keys = [Cause::JwksUnreachable, Cause::JwksKidMissing, Cause::SignatureInvalid, Cause::JwksInvalid];
    if findings.iter().filter(|f| about_keys.contains(&f.cause)).count() < 2 {
        return;
    }
    if facts.signature.as_ref().is_some_and(|s| s.signature.state == SignatureState::Verified) {
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

/// A denied read, with the role's permissions at hand: they say why, or that it is not they who deny.
fn narrow_by_permissions(
    findings: &mut Vec<Finding>,
    check: CheckId,
    policy: Option<(&str, &AccessEvaluation)>,
    refusal: &Refusal,
) {
    let Some((source, evaluation)) = policy else { return };
    if !findings.iter().any(|finding| DECIDED_BY_PERMISSIONS.contains(&finding.cause)) {
        return;
    }
    match evaluation.decision {
        Decision::Deny => {
            let proven = access::findings(check.id(), evaluation);
            if !proven.is_empty() {
                *findings = proven
                    .into_iter()
                    .map(|f| {
                        f.with_evidence(format!("the permissions are those of {source}"))
                            .with_evidence(quoted("Secrets Manager", refusal))
                    })
                    .collect();
            }
        }
        Decision::Allow => {
            findings.retain(|finding| !DECIDED_BY_PERMISSIONS.contains(&finding.cause));
            for finding in findings.iter_mut() {
                finding.evidence.push(format!("{source} grants {}", evaluation.action));
            }
        }
        Decision::Unknown => {}
    }
}

/// A refusal that names the kind of policy at fault says where to look: the first of what it can mean is more than possible.
fn take_at_its_word(findings: &mut [Finding], refusal: &Refusal) {
    const WORDS: &[&str] = &[
        "because no identity-based policy allows",
        "because no permissions boundary allows",
        "with an explicit deny in a",
    ];
    let is_surer = findings.iter().any(|finding| finding.certainty < Certainty::Possible);
    if !is_surer
        && WORDS.iter().any(|words| refusal.message.contains(words))
        && let Some(first) = findings.first_mut()
    {
        first.certainty = Certainty::Likely;
    }
}

/// A secret that is not found or not allowed here may live in another region.
fn narrow_by_region(findings: &mut Vec<Finding>, facts: &Facts, profile: &Profile, refusal: &Refusal) {
    let Some(region) = &profile.aws.region else { return };
    let named = profile.secret.as_ref().and_then(|secret| secret.name.split(':').nth(3));
    let elsewhere: Vec<&str> = match named {
        Some(named) if named != region => vec![named],
        Some(_) => Vec::new(),
        None => facts.aws.located.iter().flat_map(|l| l.found_in.iter().map(String::as_str)).collect(),
    };
    if let Some(first) = elsewhere.first() {
        let summary = format!("the secret lives in {}, and {region} was asked", elsewhere.join(" and "));
        let finding = Finding::new(Cause::SecretWrongRegion, CheckId::AwsGetSecret.id(), Certainty::Proven, summary)
            .about(Key::Region)
            .with_difference(*first, region)
            .with_evidence(quoted("Secrets Manager", refusal));
        findings.retain(|f| f.cause != Cause::SecretWrongRegion && f.cause != Cause::SecretNotFound);
        findings.insert(0, finding);
        return;
    }
    let asked = facts.aws.located.as_ref().map_or(0, |located| located.regions_asked);
    if asked > 0 {
        findings.retain(|f| f.cause != Cause::SecretWrongRegion);
        for finding in findings.iter_mut().filter(|f| f.cause == Cause::SecretNotFound) {
            finding.certainty = Certainty::Proven;
            finding.evidence.push(format!("no other region lists a secret of this name ({asked} regions asked)"));
        }
    }
    if facts.aws.list.as_ref().and_then(|c| c.granted()).is_some_and(|list| list.holds_secret == Some(true)) {
        findings.retain(|f| !matches!(f.cause, Cause::SecretWrongRegion | Cause::SecretNotFound));
    }
    let nearest = facts.aws.list.as_ref().and_then(|c| c.granted()).and_then(|list| list.nearest.clone());
    if let (Some(nearest), Some(secret)) = (nearest, &profile.secret) {
        for finding in findings.iter_mut().filter(|f| f.cause == Cause::SecretNotFound && f.actual.is_none()) {
            finding.expected = Some(secret.name.clone());
            finding.actual = Some(nearest.clone());
            finding.evidence.push(format!("the list of secrets has `{nearest}`"));
        }
    }
}
