//! AWS's own side of the reads: what the policies in force allow, and the secret with its key.

use super::aws::ROLE;
use super::{could_not_read, with_pauses};
use crate::cause::{Cause, Certainty, Finding, access};
use crate::check::call::quoted;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::operator::{KeySide, Replica, SecretSide};
use crate::check::facts::trust::PermissionsFact;
use crate::check::facts::{Facts, as_json};
use crate::check::reproduce::as_aws_operator;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::iam::{AccessEvaluation, Decision};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::rotation::snapshot::CURRENT;
use crate::domain::text::quote;

/// The policies in force let the reader read.
pub const PERMISSIONS: Check = Check {
    id: CheckId::AwsRolePermissions,
    title: "the policies in force allow the reads",
    docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    link: Link::Secret,
    rules_out: &[],
    step: |_| Some(Step::AwsRolePermissions),
    traffic: Traffic::None,
    waits: Waits::If(|_, _| true),
    facts: |facts| as_json(facts.operator.aws.policies.as_ref()),
    verdict: |facts, profile| {
        let side = facts.operator.aws.policies.as_ref();
        let throttled =
            side.map(|side| side.caller.iter().fold(side.reader.throttled, |all, caller| all.beside(caller.throttled)));
        with_pauses(permissions(facts, profile), throttled.unwrap_or_default())
    },
    reproduction: Reproduction::Command(|profile, _| {
        let role = profile.role_to_assume().or(profile.aws.role_arn.as_ref())?;
        let command = format!("aws iam list-role-policies --role-name {}", quote(role.name()));
        Some(as_aws_operator(profile, &command, profile.aws.iam_endpoint_url.as_deref()))
    }),
    ..ROLE
};

/// The secret is there, has a current version, and its key can be used.
pub const SECRET: Check = Check {
    id: CheckId::AwsSecretSettings,
    title: "the secret and its key are usable",
    docs: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html",
    rules_out: &[Cause::SecretNotFound, Cause::SecretPendingDeletion, Cause::SecretEmpty, Cause::KmsKeyState],
    step: |_| Some(Step::AwsSecretSettings),
    waits: Waits::IfClockIsOff,
    facts: |facts| as_json(facts.operator.aws.secret.as_ref()),
    verdict: |facts, profile| match &facts.operator.aws.secret {
        Some(side) => with_pauses(secret(side, profile), side.throttled),
        None => Verdict::inconclusive("the secret was not read", Vec::new()),
    },
    reproduction: Reproduction::Command(|profile, _| {
        let name = &profile.secret.as_ref()?.name;
        let command = format!("aws secretsmanager describe-secret --secret-id {}", quote(name));
        Some(as_aws_operator(profile, &command, profile.aws.secretsmanager_endpoint_url.as_deref()))
    }),
    ..PERMISSIONS
};

fn permissions(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(side) = &facts.operator.aws.policies else {
        return Verdict::inconclusive("no policies were read: it is not known whose count", Vec::new());
    };
    let principals = || std::iter::once(&side.reader).chain(&side.caller);
    let unread: Vec<String> = principals().flat_map(|principal| principal.unread.iter().cloned()).collect();
    let nowhere = principals().find(|principal| principal.is_nowhere);
    let evaluated = facts.aws.permissions.as_ref().filter(|_| !side.reader.is_nowhere);
    let denied: Vec<Finding> = evaluated.map(denied).unwrap_or_default();
    match (denied.first(), nowhere) {
        (Some(first), _) => Verdict::fail(first.summary.clone(), denied),
        (None, Some(principal)) => Verdict::inconclusive(format!("there is no {}", principal.arn), Vec::new()),
        (None, None) if !unread.is_empty() => Verdict::inconclusive(unread.join("; "), Vec::new()),
        (None, None) => match evaluated.map(open) {
            None => Verdict::inconclusive("no policies were read", Vec::new()),
            Some(open) if open.is_empty() => Verdict::pass(),
            Some(open) => Verdict::inconclusive(open.join("; "), Vec::new()),
        },
    }
}

/// The calls that were evaluated.
fn calls(fact: &PermissionsFact) -> impl Iterator<Item = &AccessEvaluation> {
    [&fact.hop, &fact.list, &fact.get, &fact.get_prefix, &fact.decrypt].into_iter().flatten()
}

/// Why calls are denied.
fn denied(fact: &PermissionsFact) -> Vec<Finding> {
    let mut found = Vec::new();
    for evaluation in calls(fact).filter(|evaluation| evaluation.decision == Decision::Deny) {
        for finding in access::findings(CheckId::AwsRolePermissions.into(), evaluation) {
            if !found.iter().any(|known: &Finding| known.cause == finding.cause) {
                found.push(finding.with_evidence(format!("read: {}", fact.source)));
            }
        }
    }
    found
}

/// The calls about which what was read does not decide.
fn open(fact: &PermissionsFact) -> Vec<String> {
    let unknown = calls(fact).filter(|evaluation| evaluation.decision == Decision::Unknown);
    unknown
        .map(|evaluation| format!("whether {} is allowed depends on what is unknown here", evaluation.action))
        .collect()
}

fn secret(side: &SecretSide, profile: &Profile) -> Verdict {
    if let Some(verdict) = could_not_read(&side.secret) {
        return verdict;
    }
    let check = CheckId::AwsSecretSettings;
    let finding = |cause, summary: &str| Finding::new(cause, check, Certainty::Proven, summary);
    let failed = |finding: Finding| Verdict::fail(finding.summary.clone(), vec![finding]);
    let Some(seen) = side.secret.seen() else {
        let said = side.secret.call.refusal().map(|refusal| quoted("Secrets Manager", refusal)).unwrap_or_default();
        let region = profile.aws.region.as_deref().unwrap_or_default();
        let named =
            profile.secret.as_ref().and_then(|secret| secret.name.split(':').nth(3)).filter(|own| *own != region);
        let located = side.located.iter().flat_map(|located| located.found_in.iter().map(String::as_str));
        let elsewhere: Vec<&str> = named.into_iter().chain(located).collect();
        let missing = match elsewhere.first() {
            Some(first) => finding(
                Cause::SecretWrongRegion,
                &format!("the secret lives in {}, and the profile says {region}", elsewhere.join(" and ")),
            )
            .about(Key::Region)
            .with_difference(*first, region),
            None => finding(Cause::SecretNotFound, &format!("there is no such secret in {region}")),
        };
        return failed(missing.with_evidence(said));
    };
    if seen.deleted_at.is_some() {
        return failed(finding(Cause::SecretPendingDeletion, "the secret is marked for deletion"));
    }
    if !seen.stages.iter().any(|stage| stage == CURRENT) {
        return failed(finding(Cause::SecretEmpty, "the secret has no current version"));
    }
    if let Some(verdict) = side.key.as_ref().and_then(key) {
        return verdict;
    }
    if let Some(behind) = seen.replica.as_ref().and_then(behind_its_primary) {
        return Verdict::warn(behind.summary.clone(), vec![behind]);
    }
    if side.unread.is_empty() { Verdict::pass() } else { Verdict::inconclusive(side.unread.join("; "), Vec::new()) }
}

/// A replica that has not what its primary has: a rotation there shows here once it is replicated.
fn behind_its_primary(replica: &Replica) -> Option<Finding> {
    let Replica { primary, status } = replica;
    let what = match status.as_str() {
        "InSync" => return None,
        "Failed" => "could not be replicated",
        "Detached" => "is not replicated any more: the primary stopped it",
        _ => "is not replicated yet",
    };
    let summary = format!("the secret is a replica, and what was last written to its primary {what}");
    let finding = Finding::new(Cause::PropagationDelay, CheckId::AwsSecretSettings, Certainty::Proven, summary)
        .with_evidence(format!("Secrets Manager says of the replication from {primary}: {status}"))
        .with_fix("Rotate in the account of the primary, and wait until DescribeSecret of the replica says InSync.");
    Some(finding)
}

/// What is wrong with the secret's key, or could not be read of it.
fn key(side: &KeySide) -> Option<Verdict> {
    if let Some(verdict) = could_not_read(&side.key) {
        return Some(verdict);
    }
    let summary = match side.key.seen() {
        Some(key) if key.state == "Enabled" => return None,
        Some(key) => format!("the secret's key is {}", in_words(&key.state)),
        None => "the secret's key is no longer there".to_owned(),
    };
    let arn = side.key.seen().map_or(&side.id, |key| &key.arn);
    let finding = Finding::new(Cause::KmsKeyState, CheckId::AwsSecretSettings, Certainty::Proven, summary.clone())
        .with_evidence(format!("KMS says of {arn}: {summary}"));
    Some(Verdict::fail(summary, vec![finding]))
}

/// `PendingDeletion` as people write it.
fn in_words(state: &str) -> String {
    let mut words = String::new();
    for (place, letter) in state.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::operator::{KeyInForce, Read, SecretInForce, Throttled};
    use crate::check::facts::secret::{Answer, Call, Refusal};
    use crate::domain::profile::Guide;

    fn read<T>(answer: Answer<T>) -> Read<T> {
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
        Read { permission: "secretsmanager:DescribeSecret", call, throttled: Throttled::default() }
    }

    fn refused<T>(code: &str) -> Read<T> {
        let refusal = Refusal { code: code.into(), message: "No.".into(), http_status: 400, request_id: None };
        read(Answer::Refused(refusal))
    }

    fn judged(change: impl FnOnce(&mut SecretInForce, &mut Option<KeySide>)) -> (Outcome, Option<Cause>) {
        let mut seen = SecretInForce {
            arn: "arn".into(),
            key: None,
            deleted_at: None,
            stages: vec![CURRENT.to_owned()],
            replica: None,
        };
        let mut key = None;
        change(&mut seen, &mut key);
        told(SecretSide {
            secret: read(Answer::Granted(seen)),
            policies: Vec::new(),
            key,
            located: None,
            unread: Vec::new(),
            throttled: Throttled::default(),
        })
    }

    fn told(side: SecretSide) -> (Outcome, Option<Cause>) {
        let verdict = secret(&side, &Profile::bare("p", Guide::AwsStatic));
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    fn with_state(state: &str) -> Option<KeySide> {
        let key = read(Answer::Granted(KeyInForce { arn: "arn:key".into(), state: state.into() }));
        Some(KeySide { id: "key".into(), key, policy: None, grantees: None })
    }

    #[test]
    fn every_state_of_a_secret_has_its_verdict() {
        let failed = |cause| (Outcome::Fail, Some(cause));
        assert_eq!(judged(|_, _| ()), (Outcome::Pass, None));
        assert_eq!(judged(|seen, _| seen.deleted_at = Some(1)), failed(Cause::SecretPendingDeletion));
        assert_eq!(judged(|seen, _| seen.stages.clear()), failed(Cause::SecretEmpty));
        assert_eq!(judged(|_, key| *key = with_state("Enabled")), (Outcome::Pass, None));
        assert_eq!(judged(|_, key| *key = with_state("PendingDeletion")), failed(Cause::KmsKeyState));
        assert_eq!(in_words("PendingDeletion"), "pending deletion");
        for (status, expected) in [
            ("InSync", (Outcome::Pass, None)),
            ("InProgress", (Outcome::Warn, Some(Cause::PropagationDelay))),
            ("Failed", (Outcome::Warn, Some(Cause::PropagationDelay))),
        ] {
            let replica = Replica { primary: "arn:p".into(), status: status.into() };
            assert_eq!(judged(|seen, _| seen.replica = Some(replica)), expected, "{status}");
        }
    }

    #[test]
    fn what_may_not_be_read_is_named_and_is_no_failure() {
        let side = |secret, located| SecretSide {
            secret,
            policies: Vec::new(),
            key: None,
            located,
            unread: Vec::new(),
            throttled: Throttled::default(),
        };
        assert_eq!(told(side(refused("AccessDeniedException"), None)), (Outcome::Inconclusive, None));
        let nowhere = told(side(refused("ResourceNotFoundException"), None));
        assert_eq!(nowhere, (Outcome::Fail, Some(Cause::SecretNotFound)));
        let denied: Read<SecretInForce> = refused("AccessDeniedException");
        assert_eq!(denied.unread().unwrap(), "the operator lacks secretsmanager:DescribeSecret: No.");
    }
}
