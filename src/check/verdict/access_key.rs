//! The verdict on the access key, before anything is signed with it.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::access_key::{AccessKeyFact, FoundKey, KeyKind};
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

/// An access key is there, and of the kind that the platform takes.
pub fn present(facts: &Facts, _profile: &Profile) -> Verdict {
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
            (true, _) => {
                warned(format!("blanks stand around the key in {}; enter it without them on the platform", key.source))
            }
            (false, Some(length)) if key.kind == KeyKind::LongTerm => warned(format!(
                "the secret access key has {length} characters, and AWS makes them of 40; an SES SMTP password is none"
            )),
            _ => Verdict { reason: Some(format!("{} from {}", key.id, key.source)), ..Verdict::pass() },
        },
    }
}

fn finding(cause: Cause, summary: &str) -> Finding {
    Finding::new(cause, CheckId::AwsAccessKey.id(), Certainty::Proven, summary)
}

fn failed(finding: Finding) -> Verdict {
    Verdict::fail(finding.summary.clone(), vec![finding])
}

fn warned(reason: String) -> Verdict {
    Verdict { outcome: Outcome::Warn, reason: Some(reason), findings: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;

    fn verdict(fact: AccessKeyFact) -> (Outcome, Option<Cause>) {
        let mut facts = Facts::default();
        facts.aws.access_key = Some(fact);
        let verdict = present(&facts, &Profile::bare("p", Guide::AwsStatic));
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
