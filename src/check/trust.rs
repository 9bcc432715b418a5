//! The check of the trust at hand: a role's policy for a token or for a signed caller, an application's federated
//! credentials, or a pool's provider.

use serde_json::Value;

use crate::cause::{Cause, Certainty, Finding, assume, entra, trust};
use crate::check::at_hand::{missing, predicted_verdict, with_drift};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::aws::RoleTrust;
use crate::check::facts::secret::Call;
use crate::check::facts::trust::TrustFact;
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, google};
use crate::domain::guide::Flow;
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Guide, Profile};
use crate::domain::redaction::echo::MARK;

const ID: CheckId = CheckId::TrustPolicy;
/// The trust at hand accepts the token, or the caller.
pub const CHECK: Check = Check {
    id: ID,
    title: "trust policy accepts the token",
    docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html",
    link: Link::Trust,
    needs: &[],
    rules_out: &[],
    step: |profile| Some(if profile.guide == Guide::AwsAssumeRole { Step::RoleTrust } else { Step::TrustPolicy }),
    traffic: Traffic::None,
    // What a denial means depends on whether the exchange was granted all the same.
    waits: Waits::If(|facts, _| {
        let decision = facts.trust.as_ref().and_then(TrustFact::decision);
        let of_google = facts.google.evaluation().map(|evaluation| evaluation.decision);
        facts.operator.aws.role_in_force().is_some() || [decision, of_google].contains(&Some(Decision::Deny))
    }),
    facts: |facts| {
        let of_aws = as_json(facts.trust.as_ref()).or_else(|| shown_role_trust(facts));
        let of_azure = || as_json(facts.azure.credentials.as_ref());
        of_aws.or_else(of_azure).or_else(|| as_json(facts.google.provider.as_ref()))
    },
    verdict,
    reproduction: Reproduction::JudgedHere,
};

fn verdict(facts: &Facts, profile: &Profile) -> Verdict {
    match profile.guide {
        guide if guide.cloud() == Cloud::Azure => credentials(facts),
        guide if guide.cloud() == Cloud::Gcp => google::provider::verdict(facts),
        guide if guide.flow() == Flow::AssumeRole => role_trust(facts),
        _ => web_identity_trust(facts),
    }
}

/// The trust of a role that a signed caller assumes. The caller's external id is between two parties.
fn shown_role_trust(facts: &Facts) -> Option<Value> {
    let mut trust = facts.aws.role_trust.clone()?;
    let statements = trust.evaluation.iter_mut().flat_map(|evaluation| &mut evaluation.statements);
    let conditions = statements.flat_map(|statement| &mut statement.conditions);
    for condition in conditions.filter(|condition| condition.key.eq_ignore_ascii_case("sts:ExternalId")) {
        condition.actual.iter_mut().flatten().for_each(|id| *id = MARK.to_owned());
    }
    as_json(Some(&trust))
}

/// The policy at hand accepts the token, and nobody else's. Without a token the one that the profile makes expected
/// counts, and the verdict says so.
fn web_identity_trust(facts: &Facts) -> Verdict {
    let Some(fact) = &facts.trust else { return Verdict::inconclusive("no trust policy was evaluated", Vec::new()) };
    let verdict = match facts.predicted_claims().filter(|_| fact.predicted) {
        Some(predicted) => predicted_verdict(judged(fact), predicted, fact.accepts_only.as_deref()),
        None => against_exchange(judged(fact), fact, facts),
    };
    match &fact.drift {
        Some(drift) => with_drift(verdict, drift, Key::TrustPolicy, "the trust policy that is in force"),
        None => verdict,
    }
}

/// A denial, where the exchange was granted: whoever granted it does not go by this policy, or not yet. What is a named
/// client's denial is none of the exchange that was made here.
fn against_exchange(verdict: Verdict, fact: &TrustFact, facts: &Facts) -> Verdict {
    let granted = facts.aws.assume_role.as_ref().and_then(Call::granted);
    let is_denied = fact.decision() == Some(Decision::Deny) && facts.client.is_none();
    let (true, Some(role)) = (is_denied, granted) else { return verdict };
    let denial = verdict.reason.unwrap_or_default();
    let (cause, policy) = match facts.operator.aws.role_in_force() {
        Some(_) => (Cause::TrustNotApplied, "the trust policy that was read"),
        None => (Cause::PolicyDrift, "the profile's copy of the trust policy"),
    };
    let summary = format!("STS granted the exchange, and {policy} denies it");
    let finding = Finding::new(cause, ID, Certainty::Likely, summary.clone())
        .with_evidence(format!("STS granted {}", role.assumed_role_arn))
        .with_evidence(format!("the policy: {denial}"));
    Verdict::warn(summary, vec![finding])
}

fn judged(fact: &TrustFact) -> Verdict {
    let check = ID.into();
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
            reason("whether the trust policy accepts this token depends on what is unknown here"),
            fact.findings(check),
        ),
        (None, Some(problem)) => {
            Verdict::inconclusive(format!("{} could not be read as a policy: {problem}", fact.source), Vec::new())
        }
        (None, None) => Verdict::inconclusive("no trust policy was evaluated", Vec::new()),
    }
}

/// The trust policy at hand lets the caller assume the role.
fn role_trust(facts: &Facts) -> Verdict {
    let Some(trust) = &facts.aws.role_trust else {
        return Verdict::inconclusive("no trust policy was evaluated", Vec::new());
    };
    if trust.is_missing {
        return missing(trust.problem.as_deref().unwrap_or_default(), Key::TrustPolicy);
    }
    let Some(evaluation) = &trust.evaluation else {
        let problem = trust.problem.as_deref().unwrap_or_default();
        return Verdict::inconclusive(format!("{} could not be read as a policy: {problem}", trust.source), Vec::new());
    };
    match evaluation.decision {
        Decision::Allow => Verdict::pass(),
        Decision::Deny => {
            let findings = role_findings(trust, ID);
            let reason = findings.first().map_or_else(
                || "the trust policy does not let the caller assume the role".to_owned(),
                |finding| finding.summary.clone(),
            );
            Verdict::fail(reason, findings)
        }
        Decision::Unknown => Verdict::inconclusive(
            "whether the trust policy lets the caller assume the role depends on what is not known here",
            Vec::new(),
        ),
    }
}

/// Why a role's trust does not let the caller in.
pub(super) fn role_findings(trust: &RoleTrust, check: CheckId) -> Vec<Finding> {
    let mut findings =
        trust.evaluation.as_ref().map_or_else(Vec::new, |evaluation| assume::findings(check.into(), evaluation));
    for finding in &mut findings {
        finding.evidence.push(format!("the policy is {}", trust.source));
    }
    findings
}

/// The federated credentials at hand accept the token.
fn credentials(facts: &Facts) -> Verdict {
    let Some(fact) = &facts.azure.credentials else {
        return Verdict::inconclusive("no federated credential was read", Vec::new());
    };
    if fact.is_missing {
        return missing(fact.problem.as_deref().unwrap_or_default(), Key::FederatedCredential);
    }
    let Some(evaluation) = &fact.evaluation else {
        return Verdict::inconclusive(fact.problem.clone().unwrap_or_default(), Vec::new());
    };
    let verdict = match evaluation.decision {
        Decision::Allow if evaluation.problems.is_empty() => Verdict::pass(),
        Decision::Allow => {
            let problems: Vec<String> = evaluation.problems.iter().map(ToString::to_string).collect();
            Verdict::warn(problems.join("; "), Vec::new())
        }
        Decision::Deny => {
            let mut findings = entra::of_credentials(evaluation, ID.into());
            for finding in &mut findings {
                finding.evidence.push(format!("read from {}", fact.source));
                finding.evidence.extend(evaluation.problems.iter().map(ToString::to_string));
            }
            let reason = findings.first().map(|f| f.summary.clone()).unwrap_or_default();
            Verdict::fail(reason, findings)
        }
        Decision::Unknown => {
            let problems: Vec<String> = evaluation.problems.iter().map(ToString::to_string).collect();
            let open = || "whether a federated credential accepts it depends on what is unknown here".to_owned();
            let reason = Some(problems.join("; ")).filter(|told| !told.is_empty()).unwrap_or_else(open);
            Verdict::inconclusive(reason, Vec::new())
        }
    };
    let verdict = match facts.predicted_claims().filter(|_| fact.predicted) {
        Some(predicted) => predicted_verdict(verdict, predicted, fact.accepts_only.as_deref()),
        None => verdict,
    };
    match &fact.drift {
        Some(drift) => {
            with_drift(verdict, drift, Key::FederatedCredential, "what the application's federated credentials are")
        }
        None => verdict,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::Unread;
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

    fn document(condition: serde_json::Value) -> serde_json::Value {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.example.com"},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]})
    }

    fn judged(condition: serde_json::Value) -> Verdict {
        judged_text(Ok(document(condition).to_string()))
    }

    fn judged_text(text: Result<String, Unread>) -> Verdict {
        let claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": "sts.amazonaws.com"});
        let claims = claims.as_object().unwrap();
        let trust = TrustFact::evaluate("trust-policy.json", text, claims, &profile(), 1_800_000_000);
        let copy: TrustFact = serde_json::from_str(&serde_json::to_string(&trust).unwrap()).unwrap();
        let copy = TrustFact { text: trust.text.clone(), ..copy };
        assert_eq!(copy, trust, "a recording gives the same fact back");
        web_identity_trust(&Facts { trust: Some(trust), ..Facts::default() })
    }

    #[test]
    fn a_tight_policy_passes() {
        let verdict = judged(
            json!({"StringEquals": {"app.example.com:aud": "sts.amazonaws.com", "app.example.com:sub": SUBJECT}}),
        );
        assert_eq!(verdict, Verdict::pass());
    }

    #[test]
    fn of_several_clients_the_refused_one_is_named() {
        let claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": "sts.amazonaws.com"});
        let text = document(json!({"StringEquals": {"app.example.com:sub": SUBJECT},
            "StringLike": {"sts:RoleSessionName": "botocore-session-*"}}));
        let asked = |client: &'static str, session: &str| {
            let mut profile = profile();
            profile.aws.session_name = Some(session.to_owned());
            let claims = claims.as_object().unwrap();
            let fact = TrustFact::evaluate("p.json", Ok(text.to_string()), claims, &profile, 1_800_000_000);
            (Some(client), fact)
        };
        let judge = |each| {
            let trust = TrustFact::of_clients(each);
            web_identity_trust(&Facts { trust, ..Facts::default() })
        };
        let (boto3, js) = (|| asked("boto3", "botocore-session-1"), || asked("JS v3", "aws-sdk-js-session-1"));
        let verdict = judge(vec![boto3(), js()]);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert!(verdict.findings[0].summary.starts_with("JS v3: "), "{:?}", verdict.findings);
        assert_eq!(judge(vec![boto3()]).outcome, Outcome::Pass);
        let alone = judge(vec![js()]);
        assert!(!alone.findings[0].summary.starts_with("JS v3"), "{:?}", alone.findings);
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

    /// The verdict on a policy for `condition` where the profile names its organization and no token was read.
    fn predicted(condition: serde_json::Value) -> (Verdict, serde_json::Value) {
        let organization = SUBJECT.strip_prefix("organization:").map(str::to_owned);
        let profile = Profile { organization, ..profile() };
        let predicted = crate::domain::profile::expected::predicted_claims(&profile).unwrap();
        let policy = document(condition).to_string();
        let trust = TrustFact::predict("trust-policy.json", Ok(policy), &predicted, &profile, 1_800_000_000);
        let facts = Facts { trust: Some(trust), predicted: Some(predicted), ..Facts::default() };
        (web_identity_trust(&facts), CHECK.shown(&facts).into())
    }

    #[test]
    fn a_prediction_is_called_one_and_proves_nothing() {
        let exact = json!({"app.example.com:aud": "sts.amazonaws.com", "app.example.com:sub": SUBJECT});
        let (verdict, facts) = predicted(json!({"StringEquals": exact}));
        assert_eq!((verdict.outcome, &facts["predicted"]), (Outcome::Pass, &json!(true)));
        assert!(verdict.reason.unwrap().starts_with("predicted: no token was read"));
        let other = SUBJECT.replace("7f3e", "7f3f");
        let (verdict, _) = predicted(json!({"StringEquals": {"app.example.com:sub": other}}));
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert!(verdict.reason.unwrap().starts_with("predicted: "));
        let finding = &verdict.findings[0];
        assert_eq!((finding.cause, finding.certainty), (Cause::SubMismatch, Certainty::Likely));
        assert!(finding.summary.starts_with("predicted: "), "{}", finding.summary);
        let (verdict, _) = predicted(json!({"StringLike": {"app.example.com:sub": "organization:*"}}));
        assert_eq!((verdict.outcome, verdict.findings[0].certainty), (Outcome::Warn, Certainty::Likely));
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
        assert_eq!(web_identity_trust(&Facts::default()).outcome, Outcome::Inconclusive);
        let nowhere = Unread { is_missing: true, why: "there is no file trust-policy.json".into() };
        let verdict = judged_text(Err(nowhere));
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, Cause::EnvNotSet));
    }
}
