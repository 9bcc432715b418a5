//! The verdict on a service account's key: what its file holds, and what Google's token endpoint says to what it signed.

use super::refused;
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::facts::Facts;
use crate::check::facts::google::{KeyFact, KeyProblem};
use crate::check::facts::secret::Refusal;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::timestamp::rfc3339;

const ID: CheckId = CheckId::GcpExchange;
const ENDPOINT: &str = "Google's token endpoint";
/// The seconds by which a clock is off before an assertion of an hour fails.
const OFF: i64 = 60;

/// Whether Google grants its owner an access token.
pub(super) fn signed_in(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(key) = &facts.google.key else {
        let reason = format!("the profile does not say {}", Key::GcpKeyFile.path());
        let finding = Finding::new(Cause::EnvNotSet, ID, Certainty::Proven, reason.clone());
        return Verdict::inconclusive(reason, vec![finding.about(Key::GcpKeyFile)]);
    };
    if let Some(problem) = &key.problem {
        let finding = of_file(key, problem).about(Key::GcpKeyFile);
        return Verdict::fail(finding.summary.clone(), vec![finding]);
    }
    let Some(fact) = &facts.google.exchange else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(ID, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let Some(refusal) = fact.call.refusal() else {
        let until = fact.call.granted().and_then(|granted| rfc3339(granted.expires_at?));
        let account = key.account.as_deref().unwrap_or_default();
        return granted(
            &fact.call,
            until.map_or_else(|| format!("as {account}"), |at| format!("as {account} until {at}")),
        );
    };
    let mut findings = from_words(ID, Cloud::Gcp, ENDPOINT, refusal);
    let skew_s = fact.call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s);
    if let Some(found) = of_refusal(key, refusal, skew_s, facts.operator.google.missing_account(profile)) {
        // Google's endpoint has a text of its own for each: what others share with it is not meant.
        findings = vec![found.with_evidence(quoted(ENDPOINT, refusal))];
    }
    refused(fact, findings)
}

fn of_file(key: &KeyFact, problem: &KeyProblem) -> Finding {
    let finding = |cause, summary: String| Finding::new(cause, ID, Certainty::Proven, summary);
    match problem {
        KeyProblem::Unread(why) => finding(Cause::EnvNotSet, format!("there is no key to sign with: {why}")),
        KeyProblem::OtherKind(kind) => {
            let summary = format!("{} is no service account's key: it is `{kind}`", key.source);
            finding(Cause::CredentialFileKind, summary).with_difference("service_account", kind)
        }
        KeyProblem::NoKind(what) => {
            let summary = format!("{} is no service account's key: it is {what}", key.source);
            finding(Cause::CredentialFileKind, summary).with_difference("service_account", what)
        }
        KeyProblem::Unusable(why) => finding(Cause::StaticKeyWrong, format!("{}: {why}", key.source)),
    }
}

/// What the refusal proves; `skew_s` is by how much the endpoint's clock is ahead of the local one.
fn of_refusal(key: &KeyFact, refusal: &Refusal, skew_s: Option<i64>, missing: Option<String>) -> Option<Finding> {
    let account = key.account.as_deref().unwrap_or("the key's account");
    let says = |part: &str| refusal.message.contains(part);
    if says("Invalid JWT Signature") {
        let id = key.key_id.as_deref().unwrap_or("without an id");
        let summary = format!(
            "{account} has no key {id} that is in force: it was deleted, disabled or has expired, or is another account's"
        );
        return Some(Finding::new(Cause::StaticKeyWrong, ID, Certainty::Proven, summary));
    }
    if says("account not found") || says("Robot is disabled") {
        let summary = missing.unwrap_or_else(|| format!("{account} was deleted or is disabled"));
        return Some(Finding::new(Cause::ServiceAccountMissing, ID, Certainty::Proven, summary));
    }
    if says("reasonable timeframe") || says("short-lived token") {
        let off = skew_s.filter(|seconds| seconds.abs() >= OFF);
        let (certainty, summary) = match off {
            Some(seconds) => {
                let side = if seconds > 0 { "behind" } else { "ahead of" };
                (Certainty::Proven, format!("this machine's clock is {} s {side} Google's", seconds.abs()))
            }
            None => (Certainty::Likely, "the assertion's times do not fit Google's clock".to_owned()),
        };
        return Some(Finding::new(Cause::ClockSkew, ID, certainty, summary));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::google::{GoogleCall, TokenGranted};
    use crate::check::facts::secret::{Answer, Call};
    use crate::domain::profile::Guide;

    const ACCOUNT: &str = "reader@my-project.iam.gserviceaccount.com";

    fn judged(problem: Option<KeyProblem>, answer: Option<Answer<TokenGranted>>) -> Verdict {
        let mut facts = Facts::default();
        facts.google.key = Some(KeyFact {
            source: "key.json".into(),
            account: Some(ACCOUNT.into()),
            key_id: Some("0123abcd".into()),
            problem,
        });
        facts.google.exchange = answer.map(|answer| GoogleCall {
            endpoint: "https://oauth2.googleapis.com".into(),
            call: Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None },
            error: None,
        });
        signed_in(&facts, &Profile::bare("p", Guide::GcpStatic))
    }

    fn said(message: &str) -> Option<Answer<TokenGranted>> {
        let refusal =
            Refusal { code: "invalid_grant".into(), message: message.into(), http_status: 400, request_id: None };
        Some(Answer::Refused(refusal))
    }

    #[test]
    fn each_of_googles_texts_has_its_cause() {
        let times = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                     Check your iat and exp values in the JWT claim.";
        for (message, cause, part) in [
            ("Invalid JWT Signature.", Cause::StaticKeyWrong, "no key 0123abcd"),
            ("Invalid grant: account not found", Cause::ServiceAccountMissing, "deleted or is disabled"),
            (times, Cause::ClockSkew, "times do not fit"),
        ] {
            let verdict = judged(None, said(message));
            assert_eq!((verdict.outcome, verdict.findings.len()), (Outcome::Fail, 1), "{message}");
            assert_eq!(verdict.findings[0].cause, cause);
            assert!(verdict.findings[0].summary.contains(part), "{}", verdict.findings[0].summary);
        }
    }

    #[test]
    fn a_clock_that_is_off_is_proven_by_the_answers_own_time() {
        let refusal = Refusal {
            code: "invalid_grant".into(),
            message: "in a reasonable timeframe".into(),
            http_status: 400,
            request_id: None,
        };
        let key = KeyFact { source: String::new(), account: None, key_id: None, problem: None };
        let found = |skew_s| of_refusal(&key, &refusal, skew_s, None).unwrap();
        assert_eq!((found(None).certainty, found(Some(3)).certainty), (Certainty::Likely, Certainty::Likely));
        assert!(found(Some(7200)).summary.contains("7200 s behind"), "{}", found(Some(7200)).summary);
        assert!(found(Some(-7200)).summary.contains("7200 s ahead of"));
    }

    #[test]
    fn a_file_without_a_key_fails_before_anything_is_sent() {
        for (problem, cause) in [
            (KeyProblem::Unread("there is no file key.json".into()), Cause::EnvNotSet),
            (KeyProblem::OtherKind("external_account".into()), Cause::CredentialFileKind),
            (KeyProblem::NoKind("no JSON object".into()), Cause::CredentialFileKind),
            (KeyProblem::Unusable("the file has no `private_key`".into()), Cause::StaticKeyWrong),
        ] {
            let verdict = judged(Some(problem), None);
            assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, cause));
        }
        let bare = signed_in(&Facts::default(), &Profile::bare("p", Guide::GcpStatic));
        assert_eq!(bare.outcome, Outcome::Inconclusive);
        let granted = TokenGranted { of: ACCOUNT.into(), expires_at: Some(0) };
        let passed = judged(None, Some(Answer::Granted(granted)));
        assert_eq!(passed.outcome, Outcome::Pass);
        assert!(passed.reason.unwrap().contains(ACCOUNT));
    }
}
