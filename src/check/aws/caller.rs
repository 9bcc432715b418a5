//! The checks of who calls: the access key, before anything is signed with it, and whom STS takes the caller for.

use super::{may_pass_by_itself, refused};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{from_words, granted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits, call};
use crate::check::facts::aws::{AccessKeyFact, FoundKey, KeyKind};
use crate::check::facts::read::Read;
use crate::check::facts::secret::{AnyCall, Call, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Outcome, Verdict, reproduce};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

/// An access key is there, and of the kind that the platform takes.
pub const ACCESS_KEY: Check = Check {
    id: CheckId::AwsAccessKey,
    title: "an access key was found",
    docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    link: Link::Role,
    needs: &[],
    rules_out: &[Cause::EnvConflict, Cause::EnvNotSet],
    step: |_| Some(Step::AccessKey),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.aws.access_key.as_ref()),
    verdict: access_key,
    reproduction: Reproduction::Command(|profile, _| Some(reproduce::access_key(profile))),
};

/// The credentials say who they are, and that is the caller meant.
pub const IDENTITY: Check = Check {
    id: CheckId::AwsCallerIdentity,
    title: "credentials identify a caller",
    docs: "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::CallerIdentity),
    traffic: call!(aws.caller, |_, refusal| may_pass_by_itself(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.aws.caller.as_ref()),
    verdict: caller_identity,
    reproduction: Reproduction::Command(|profile, _| Some(reproduce::sts(profile, "aws sts get-caller-identity"))),
};

fn access_key(facts: &Facts, _profile: &Profile) -> Verdict {
    match &facts.aws.access_key {
        None => Verdict::inconclusive("no access key was looked for", Vec::new()),
        Some(AccessKeyFact::Found(key)) => judged(key),
        Some(AccessKeyFact::Absent { places }) => {
            let summary = "no access key is set";
            let looked = format!("looked for in {}", places.join(", in "));
            failed(finding(Cause::EnvNotSet, summary).with_evidence(looked))
        }
        Some(AccessKeyFact::Elsewhere { source, way }) => {
            let summary = format!("{source} signs in by {way}, and holds no access key");
            failed(finding(Cause::EnvNotSet, &summary).about(Key::ConfigProfile).with_fix(
                "The platform wants the key of an IAM user, which begins with AKIA: name the profile or the file that \
                 holds one.",
            ))
        }
        Some(AccessKeyFact::Unusable { source, why }) => {
            failed(finding(Cause::EnvNotSet, &format!("the access key cannot be taken from {source}: {why}")))
        }
    }
}

fn judged(key: &FoundKey) -> Verdict {
    let from = format!("it comes from {}", key.source);
    match (key.kind, key.has_session_token) {
        (KeyKind::Temporary, false) => {
            let summary = format!("{} is a session's key, and its session token is missing", key.id);
            failed(finding(Cause::StaticKeyWrong, &summary).with_difference("AKIA…", &key.id).with_evidence(from))
        }
        (KeyKind::NoKey, _) => {
            let summary = format!("{} is the unique id of something else, not an access key's", key.id);
            failed(finding(Cause::StaticKeyWrong, &summary).with_difference("AKIA…", &key.id).with_evidence(from))
        }
        (KeyKind::LongTerm, true) => {
            let summary = format!("a session token is set beside {}, which has none of its own", key.id);
            failed(finding(Cause::EnvConflict, &summary).with_evidence(from))
        }
        (KeyKind::Temporary, true) => warned(format!(
            "{} is a session's key and ends by itself; the platform wants one that begins with AKIA",
            key.id
        )),
        (KeyKind::LongTerm | KeyKind::Unknown, _) => match (key.had_blanks, key.odd_length) {
            (true, _) => warned(format!(
                "there are blanks around the key in {}; enter it without them on the platform",
                key.source
            )),
            (false, Some(length)) if key.kind == KeyKind::LongTerm => warned(format!(
                "the secret access key has {length} characters, and AWS makes them of 40; an SES SMTP password is none"
            )),
            _ => Verdict { reason: Some(format!("{} from {}", key.id, key.source)), ..Verdict::pass() },
        },
    }
}

fn finding(cause: Cause, summary: &str) -> Finding {
    Finding::new(cause, CheckId::AwsAccessKey, Certainty::Proven, summary)
}

fn failed(finding: Finding) -> Verdict {
    Verdict::fail(finding.summary.clone(), vec![finding])
}

fn warned(reason: String) -> Verdict {
    Verdict { outcome: Outcome::Warn, reason: Some(reason), findings: Vec::new() }
}

fn caller_identity(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AwsCallerIdentity;
    let Some(call) = &facts.aws.caller else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(caller) = call.granted() else {
        return match call.refusal() {
            Some(refusal) => {
                let mut findings = from_words(check, Cloud::Aws, "STS", refusal);
                narrow_by_access_key(&mut findings, facts);
                narrow_by_owner(&mut findings, facts, refusal);
                refused(refusal, findings)
            }
            None => Verdict::inconclusive("no answer was seen", Vec::new()),
        };
    };
    match &profile.aws.role_arn {
        // A role that is to be assumed may well be another account's.
        Some(role) if profile.guide.is_aws_web_identity() && role.account != caller.account => {
            let summary = "the credentials belong to another account than the role";
            let finding = Finding::new(Cause::EnvConflict, check, Certainty::Likely, summary)
                .with_difference(&role.account, &caller.account)
                .with_evidence(format!("STS says that the caller is {}", caller.arn));
            Verdict::fail(summary, vec![finding])
        }
        _ => match profile.aws.account_id.as_ref().filter(|_| profile.guide.is_aws_access_key()) {
            Some(account) if *account != caller.account => {
                let summary = "the access key is of another account than the profile says";
                let finding = Finding::new(Cause::WrongAccount, check, Certainty::Proven, summary)
                    .about(Key::AccountId)
                    .with_difference(account, &caller.account)
                    .with_evidence(format!("STS says that the caller is {}", caller.arn));
                Verdict::fail(summary, vec![finding])
            }
            _ => granted(call, &caller.arn),
        },
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

/// A signature that does not fit, by a key that IAM has: the operator's own is made the same way, goes the same way, and is
/// answered, so neither clock nor proxy spoils it.
fn narrow_by_owner(findings: &mut Vec<Finding>, facts: &Facts, refusal: &Refusal) {
    let side = &facts.operator.aws;
    let owned = side.access_key.as_ref().and_then(Read::seen).filter(|key| key.is_active());
    let answered = side.caller.as_ref().and_then(Call::granted);
    let (Some(owned), Some(operator), "SignatureDoesNotMatch") = (owned, answered, refusal.code.as_str()) else {
        return;
    };
    findings.retain(|finding| finding.cause == Cause::StaticKeyWrong);
    for finding in findings.iter_mut() {
        finding.certainty = Certainty::Proven;
        finding.summary = format!("the secret access key is not the one of {}'s key", owned.user);
        finding.evidence.push(format!("IAM has the key id: it is of the user {}, and active", owned.user));
        finding.evidence.push(format!("STS answered {}, whose call was signed and sent the same way", operator.arn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;

    fn verdict(fact: AccessKeyFact) -> (Outcome, Option<Cause>) {
        let mut facts = Facts::default();
        facts.aws.access_key = Some(fact);
        let verdict = access_key(&facts, &Profile::bare("p", Guide::AwsStatic));
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn every_kind_of_key_has_its_verdict() {
        let key = |kind, has_session_token| FoundKey {
            source: "variable AWS_ACCESS_KEY_ID".into(),
            id: "AKIA…MPLE".into(),
            kind,
            has_session_token,
            had_blanks: false,
            odd_length: None,
        };
        let found = |kind, token| AccessKeyFact::Found(key(kind, token));
        let blanks = FoundKey { had_blanks: true, ..key(KeyKind::LongTerm, false) };
        let short = FoundKey { odd_length: Some(44), ..key(KeyKind::LongTerm, false) };
        for (fact, outcome, cause) in [
            (found(KeyKind::LongTerm, false), Outcome::Pass, None),
            (found(KeyKind::Unknown, true), Outcome::Pass, None),
            (found(KeyKind::LongTerm, true), Outcome::Fail, Some(Cause::EnvConflict)),
            (found(KeyKind::Temporary, false), Outcome::Fail, Some(Cause::StaticKeyWrong)),
            (found(KeyKind::Temporary, true), Outcome::Warn, None),
            (found(KeyKind::NoKey, false), Outcome::Fail, Some(Cause::StaticKeyWrong)),
            (AccessKeyFact::Found(blanks), Outcome::Warn, None),
            (AccessKeyFact::Found(short), Outcome::Warn, None),
            (AccessKeyFact::Absent { places: vec!["x".into()] }, Outcome::Fail, Some(Cause::EnvNotSet)),
            (
                AccessKeyFact::Elsewhere { source: "x".into(), way: "single sign-on".into() },
                Outcome::Fail,
                Some(Cause::EnvNotSet),
            ),
            (AccessKeyFact::Unusable { source: "x".into(), why: "y".into() }, Outcome::Fail, Some(Cause::EnvNotSet)),
        ] {
            assert_eq!(verdict(fact.clone()), (outcome, cause), "{fact:?}");
        }
    }
}
