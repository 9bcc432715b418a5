//! The checks of the reads at Secrets Manager: what a refusal allows, narrowed by the policy at hand and the other regions.

use super::{may_pass_by_itself, refused, values};
use crate::cause::{Cause, Certainty, Finding, access, authorization, catalogue};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::secret::{AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::secret::{list_in_words, read_in_words};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce};
use crate::domain::iam::{AccessEvaluation, Decision};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use serde_json::Value;

/// What a permissions policy at hand decides.
const DECIDED_BY_PERMISSIONS: &[Cause] = &[
    Cause::MissingList,
    Cause::ListResourceScoped,
    Cause::MissingGet,
    Cause::SecretArnSuffix,
    Cause::VersionstageCondition,
];

/// The role may list secrets.
pub const LIST: Check = Check {
    id: CheckId::AwsListSecrets,
    title: "secrets can be listed",
    docs: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html",
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::ListSecrets),
    traffic: call!(aws.list, |_, refusal| may_pass_by_itself(refusal)),
    waits: Waits::IfRefused,
    facts: shown_list,
    verdict: list_secrets,
    reproduction: Reproduction::Command(|profile, _| {
        Some(reproduce::secrets_manager(profile, "aws secretsmanager list-secrets --max-results 1"))
    }),
};

/// The role may read the secret, and it is there.
pub const GET: Check = Check {
    id: CheckId::AwsGetSecret,
    title: "secret can be read",
    docs: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GetSecret),
    traffic: call!(aws.secret, |_, refusal| may_pass_by_itself(refusal)),
    waits: Waits::If(|_, profile| values::are_stated(profile)),
    facts: shown_read,
    verdict: get_secret,
    reproduction: Reproduction::Command(|profile, _| reproduce::read_from_secrets_manager(profile)),
};

/// The list, and what IAM tells of its denial.
fn shown_list(facts: &Facts) -> Option<Value> {
    let call = facts.aws.list.as_ref();
    with_members(as_json(call)?, [("authorization", shown_authorization(facts, call?.refusal()))])
}

/// What IAM tells of a denial.
fn shown_authorization(facts: &Facts, refusal: Option<&Refusal>) -> Option<Value> {
    as_json(facts.operator.aws.authorization(&refusal?.message))
}

/// A call with what else there is to show.
fn with_members<const N: usize>(mut call: Value, beside: [(&str, Option<Value>); N]) -> Option<Value> {
    if let Value::Object(fields) = &mut call {
        fields.extend(beside.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))));
    }
    Some(call)
}

/// The read of the secret, and what was looked at to explain a refusal of it.
fn shown_read(facts: &Facts) -> Option<Value> {
    let call = facts.aws.secret.as_ref();
    let beside = [
        ("located", as_json(facts.aws.located.as_ref())),
        ("permissions", as_json(facts.aws.permissions.as_ref())),
        ("authorization", shown_authorization(facts, call?.refusal())),
    ];
    with_members(as_json(call)?, beside)
}

fn list_secrets(facts: &Facts, _profile: &Profile) -> Verdict {
    let check = CheckId::AwsListSecrets;
    let Some(call) = &facts.aws.list else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, call) {
        return verdict;
    }
    match call.refusal() {
        Some(refusal) => {
            let mut findings = from_words(check, Cloud::Aws, "Secrets Manager", refusal);
            let policy = facts.aws.permissions.as_ref().and_then(|p| Some((p.source.as_str(), p.list.as_ref()?)));
            narrow_by_permissions(&mut findings, check, policy, refusal);
            narrow_by_authorization(&mut findings, check, facts, refusal);
            take_at_its_word(&mut findings, refusal);
            say_unread(&mut findings, facts);
            refused(refusal, findings)
        }
        None => granted(call, call.granted().map(list_in_words).unwrap_or_default()),
    }
}

fn get_secret(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AwsGetSecret;
    let Some(call) = &facts.aws.secret else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, call) {
        return verdict;
    }
    let Some(refusal) = call.refusal() else {
        let wrong = values::wrong(facts, profile);
        return match wrong.first() {
            Some(first) => Verdict::fail(format!("the secret can be read, and {}", first.summary), wrong),
            None => granted(call, call.granted().map(read_in_words).unwrap_or_default()),
        };
    };
    let mut findings = from_words(check, Cloud::Aws, "Secrets Manager", refusal);
    let policy = facts.aws.permissions.as_ref().and_then(|p| Some((p.source.as_str(), p.get.as_ref()?)));
    narrow_by_permissions(&mut findings, check, policy, refusal);
    narrow_by_key(&mut findings, facts, refusal);
    narrow_by_region(&mut findings, facts, profile, refusal);
    narrow_by_authorization(&mut findings, check, facts, refusal);
    take_at_its_word(&mut findings, refusal);
    findings.extend(values::wrong(facts, profile));
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
            let proven = access::findings(check.into(), evaluation);
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

/// A denial of which IAM itself tells what denied it. What the policies in force proved before is the same cause, told further.
fn narrow_by_authorization(findings: &mut Vec<Finding>, check: CheckId, facts: &Facts, refusal: &Refusal) {
    let Some(side) = facts.operator.aws.authorization(&refusal.message) else { return };
    let told = side.details.seen().map(|details| authorization::findings(check.into(), &side.id, details));
    let told = told.filter(|told| !told.is_empty());
    let Some(told) = told else {
        let nowhere = side.details.is_nowhere().then(|| format!("IAM does not know the authorization id {}", side.id));
        let unread = nowhere.into_iter().chain(side.details.unread()).chain(side.unread.iter().cloned());
        findings.first_mut().into_iter().for_each(|first| first.evidence.extend(unread.clone()));
        return;
    };
    let is_proven = |finding: &Finding| finding.certainty == Certainty::Proven;
    for told in told {
        match findings.iter_mut().find(|finding| is_proven(finding) && finding.cause == told.cause) {
            Some(known) => {
                // The denial's words name the cause alone; what was read of the policies tells more.
                if known.summary == catalogue::entry(known.cause).title {
                    known.summary = told.summary;
                }
                known.evidence.extend(told.evidence);
            }
            None => {
                findings.retain(is_proven);
                findings.push(told.with_evidence(quoted("Secrets Manager", refusal)));
            }
        }
    }
}

/// A refused decryption, with the policies in force at hand.
fn narrow_by_key(findings: &mut Vec<Finding>, facts: &Facts, refusal: &Refusal) {
    let decrypt = facts.aws.permissions.as_ref().and_then(|permissions| permissions.decrypt.as_ref());
    let Some(decrypt) = decrypt.filter(|decrypt| decrypt.decision == Decision::Deny) else { return };
    if findings.iter().any(|finding| finding.cause == Cause::MissingKms) {
        let proven = access::findings(CheckId::AwsGetSecret.into(), decrypt).into_iter();
        *findings = proven.map(|finding| finding.with_evidence(quoted("Secrets Manager", refusal))).collect();
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
        let finding = Finding::new(Cause::SecretWrongRegion, CheckId::AwsGetSecret, Certainty::Proven, summary)
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
