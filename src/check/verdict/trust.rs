//! The verdict on the trust policy at hand.

use crate::cause::{Cause, Certainty, Finding, trust};
use crate::check::facts::Facts;
use crate::check::{CheckId, Verdict};
use crate::domain::iam::Decision;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

/// The policy at hand accepts the token, and nobody else's.
pub fn policy(facts: &Facts, _profile: &Profile) -> Verdict {
    let check = CheckId::TrustPolicy.id();
    let Some(fact) = &facts.trust else { return Verdict::inconclusive("no trust policy was evaluated", Vec::new()) };
    let reason = |otherwise: &str| {
        fact.findings(check).first().map_or_else(|| otherwise.to_owned(), |finding| finding.summary.clone())
    };
    if fact.is_missing {
        return missing(fact.problem.as_deref().unwrap_or_default(), Key::TrustPolicy);
    }
    match (fact.decision(), &fact.problem) {
        (Some(Decision::Allow), _) => match trust::strangers(check, &fact.strangers) {
            None => Verdict::pass(),
            Some(finding) => Verdict::warn(finding.summary.clone(), vec![finding]),
        },
        (Some(Decision::Deny), _) => {
            Verdict::fail(reason("the trust policy does not accept this token"), fact.findings(check))
        }
        (Some(Decision::Unknown), _) => Verdict::inconclusive(
            reason("whether the trust policy accepts this token depends on what is not known here"),
            fact.findings(check),
        ),
        (None, Some(problem)) => {
            Verdict::inconclusive(format!("{} could not be read as a policy: {problem}", fact.source), Vec::new())
        }
        (None, None) => Verdict::inconclusive("no trust policy was evaluated", Vec::new()),
    }
}

/// The profile names a file that is not there. One that cannot be opened or read says nothing of its name.
pub(super) fn missing(why: &str, key: Key) -> Verdict {
    let finding = Finding::new(Cause::EnvNotSet, CheckId::TrustPolicy.id(), Certainty::Proven, why)
        .about(key)
        .with_fix(format!("Name the file that holds it as `{}`, or remove that setting.", key.path()));
    Verdict::fail(why, vec![finding])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::document::Unread;
    use crate::check::facts::trust::TrustFact;
    use crate::domain::profile::{AwsSettings, Guide};

    const ISSUER: &str = "https://app.example.com";
    const SUBJECT: &str = "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c";

    fn profile() -> Profile {
        Profile {
            issuer_url: Some(ISSUER.into()),
            aws: AwsSettings {
                role_arn: crate::domain::arn::RoleArn::parse("arn:aws:iam::123456789012:role/reader").ok(),
                ..AwsSettings::default()
            },
            ..Profile::bare("test", Guide::AwsWorkloadIdentity)
        }
    }

    fn judged(condition: serde_json::Value) -> Verdict {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.example.com"},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]});
        judged_text(Ok(policy.to_string()))
    }

    fn judged_text(text: Result<String, Unread>) -> Verdict {
        let claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": "sts.amazonaws.com"});
        let claims = claims.as_object().unwrap();
        let trust = TrustFact::evaluate("trust-policy.json", text, claims, &profile(), 1_800_000_000);
        let copy: TrustFact = serde_json::from_str(&serde_json::to_string(&trust).unwrap()).unwrap();
        assert_eq!(copy, trust, "a recording gives the same fact back");
        policy(&Facts { trust: Some(trust), ..Facts::default() }, &profile())
    }

    #[test]
    fn a_tight_policy_passes() {
        let verdict = judged(
            json!({"StringEquals": {"app.example.com:aud": "sts.amazonaws.com", "app.example.com:sub": SUBJECT}}),
        );
        assert_eq!(verdict, Verdict::pass());
    }

    #[test]
    fn a_wide_policy_warns_with_the_strangers_subject() {
        let verdict = judged(json!({"StringLike": {"app.example.com:sub": "organization:*"}}));
        assert_eq!(verdict.outcome, Outcome::Warn);
        assert_eq!(verdict.findings[0].cause, Cause::TrustTooWide);
        assert!(verdict.findings[0].actual.as_ref().unwrap().starts_with("organization:0000"));
    }

    #[test]
    fn a_denial_is_proven() {
        let verdict = judged(json!({"StringEquals": {"app.example.com:sub": SUBJECT.to_uppercase()}}));
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.findings[0].cause, Cause::SubCaseMismatch);
        assert_eq!(verdict.findings[0].certainty, Certainty::Proven);
    }

    #[test]
    fn what_is_not_known_is_neither_passed_nor_failed() {
        let verdict = judged(json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}));
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert_eq!(verdict.findings[0].certainty, Certainty::Possible);
        for text in [Err("may not be opened".to_owned().into()), Ok("{".to_owned())] {
            let verdict = judged_text(text);
            assert_eq!(verdict.outcome, Outcome::Inconclusive);
            assert!(verdict.reason.unwrap().contains("trust-policy.json"));
        }
        assert_eq!(policy(&Facts::default(), &profile()).outcome, Outcome::Inconclusive);
        let nowhere = Unread { is_missing: true, why: "there is no file trust-policy.json".into() };
        let verdict = judged_text(Err(nowhere));
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, Cause::EnvNotSet));
    }
}
