//! The provider of a workload identity pool at hand, evaluated for the token: the trust of Google's side.

use crate::cause::{Cause, Certainty, Finding, gcp};
use crate::check::at_hand::{missing, predicted_verdict, with_drift};
use crate::check::facts::Facts;
use crate::check::{CheckId, Verdict};
use crate::domain::gcp::ProviderEvaluation;
use crate::domain::iam::{Decision, Truth};
use crate::domain::profile::key::Key;

const ID: CheckId = CheckId::TrustPolicy;

/// The provider accepts the token and, where an IAM policy is at hand, a binding has it among its members.
pub fn verdict(facts: &Facts) -> Verdict {
    let Some(fact) = &facts.google.provider else {
        return Verdict::inconclusive("no provider was evaluated", Vec::new());
    };
    if fact.is_missing {
        return missing(fact.problem.as_deref().unwrap_or_default(), Key::ProviderFile);
    }
    let Some(evaluation) = &fact.evaluation else {
        let problem = fact.problem.as_deref().unwrap_or_default();
        return Verdict::inconclusive(format!("{} could not be evaluated: {problem}", fact.source), Vec::new());
    };
    let verdict = match evaluation.decision {
        Decision::Allow => match gcp::strangers(ID.into(), &fact.foreign, &fact.claims_read) {
            Some(finding) => Verdict::warn(finding.summary.clone(), vec![finding]),
            None if fact.problems.is_empty() => Verdict::pass(),
            None => Verdict::warn(fact.problems.join("; "), Vec::new()),
        },
        Decision::Deny => {
            let mut findings = gcp::refused(ID.into(), evaluation);
            for finding in &mut findings {
                finding.evidence.push(format!("read from {}", fact.source));
                finding.evidence.extend(fact.problems.iter().cloned());
            }
            let reason = findings.first().map(|finding| finding.summary.clone()).unwrap_or_default();
            Verdict::fail(reason, findings)
        }
        Decision::Unknown => {
            let open = evaluation.statements.iter().flat_map(|rule| &rule.conditions);
            let why = open.into_iter().find(|test| test.result == Truth::Unknown);
            Verdict::inconclusive(
                why.map_or_else(
                    || "whether the provider accepts it depends on what is unknown here".to_owned(),
                    |test| format!("`{}`: {}", test.key, test.why),
                ),
                Vec::new(),
            )
        }
    };
    let verdict = against_answers(verdict, evaluation, facts);
    let verdict = match facts.predicted_claims().filter(|_| fact.predicted) {
        Some(predicted) => predicted_verdict(verdict, predicted, None),
        None => verdict,
    };
    match &fact.drift {
        Some(drift) => with_drift(verdict, drift, Key::ProviderFile, "the provider that is in force"),
        None => verdict,
    }
}

/// A denial of what Google granted: it goes by another provider or policy than this copy, or not by it yet.
fn against_answers(verdict: Verdict, evaluation: &ProviderEvaluation, facts: &Facts) -> Verdict {
    let is_by_provider = evaluation.exchanged() == Truth::False;
    let granted = match is_by_provider {
        true => facts.google.is_exchanged().then_some("the exchange"),
        false => facts.google.read().map(|_| "the read"),
    };
    let (Decision::Deny, Some(granted)) = (evaluation.decision, granted) else { return verdict };
    let is_in_force = facts.operator.google.provider_in_force().is_some();
    let (cause, document, key) = match (is_by_provider, is_in_force) {
        (true, true) => (Cause::TrustNotApplied, "the provider that was read", Key::GcpProvider),
        (true, false) => (Cause::PolicyDrift, "the profile's copy of the provider", Key::ProviderFile),
        (false, _) => (Cause::PolicyDrift, "the profile's copy of the IAM policy", Key::IamPolicy),
    };
    let summary = format!("Google granted {granted}, and {document} denies it");
    let finding = Finding::new(cause, ID, Certainty::Likely, summary.clone())
        .about(key)
        .with_evidence(format!("the copy: {}", verdict.reason.unwrap_or_default()));
    Verdict::warn(summary, vec![finding])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::google::{AtHand, GoogleCall, ProviderFact, TokenGranted};
    use crate::check::facts::secret::{Answer, Call};

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    fn judged(condition: &str, member: Option<&str>) -> (Outcome, Option<Cause>) {
        judged_beside(condition, member, |_| ())
    }

    fn judged_beside(
        condition: &str,
        member: Option<&str>,
        answered: impl FnOnce(&mut Facts),
    ) -> (Outcome, Option<Cause>) {
        let provider = json!({
            "name": format!("{POOL}/providers/ci"), "oidc": {"issuerUri": "https://app.example.com"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.organization": "assertion.organization_id"},
            "attributeCondition": condition,
        });
        let policy = member.map(|member| {
            json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member]}]}).to_string()
        });
        let claims = json!({
            "iss": "https://app.example.com", "sub": "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c",
            "organization_id": "7f3e81c4-1111-4222-8333-9d20c1a09a1c", "aud": format!("//iam.googleapis.com/{POOL}/providers/ci"),
        });
        let at_hand =
            AtHand { source: "provider.json".into(), provider: Ok(provider.to_string()), policy: policy.map(Ok) };
        let fact = ProviderFact::evaluate(at_hand, claims.as_object().unwrap());
        let mut facts = Facts::default();
        facts.google.provider = Some(fact);
        answered(&mut facts);
        let verdict = verdict(&facts);
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn provider_and_bindings_decide_together() {
        let own = "assertion.organization_id == '7f3e81c4-1111-4222-8333-9d20c1a09a1c'";
        let member = |value: &str| format!("principalSet://iam.googleapis.com/{POOL}/attribute.organization/{value}");
        let right = member("7f3e81c4-1111-4222-8333-9d20c1a09a1c");
        for (condition, member, found) in [
            (own, None, (Outcome::Pass, None)),
            (own, Some(right.as_str()), (Outcome::Pass, None)),
            (
                own,
                Some(&*member("7F3E81C4-1111-4222-8333-9D20C1A09A1C")),
                (Outcome::Fail, Some(Cause::PrincipalsetMismatch)),
            ),
            ("assertion.organization_id != ''", None, (Outcome::Warn, Some(Cause::TrustTooWide))),
            ("assertion.organization_id == 'other'", None, (Outcome::Fail, Some(Cause::AttributeCondition))),
            ("assertion.missing == 'x'", None, (Outcome::Fail, Some(Cause::AttributeCondition))),
        ] {
            assert_eq!(judged(condition, member), found, "{condition} {member:?}");
        }
    }

    #[test]
    fn a_copy_that_denies_what_google_granted_is_not_what_it_goes_by() {
        let exchanged = |facts: &mut Facts| {
            let of = format!("{POOL}/providers/ci");
            let answer = Answer::Granted(TokenGranted { of, expires_at: None });
            let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
            facts.google.exchange = Some(GoogleCall { endpoint: String::new(), call, error: None });
        };
        let other = "assertion.organization_id == 'other'";
        assert_eq!(judged_beside(other, None, exchanged), (Outcome::Warn, Some(Cause::PolicyDrift)));
        // Bindings say nothing of the exchange.
        let member = format!("principalSet://iam.googleapis.com/{POOL}/attribute.organization/x");
        let own = "assertion.organization_id == '7f3e81c4-1111-4222-8333-9d20c1a09a1c'";
        let refused = (Outcome::Fail, Some(Cause::PrincipalsetMismatch));
        assert_eq!(judged_beside(own, Some(&member), exchanged), refused);
    }

    #[test]
    fn a_file_that_is_none_proves_nothing() {
        let unread = |provider: Value| {
            let at_hand = AtHand { source: "p.json".into(), provider: Ok(provider.to_string()), policy: None };
            let mut facts = Facts::default();
            facts.google.provider = Some(ProviderFact::evaluate(at_hand, &serde_json::Map::new()));
            verdict(&facts).outcome
        };
        assert_eq!(unread(json!({"displayName": "x"})), Outcome::Inconclusive);
        assert_eq!(unread(json!([])), Outcome::Inconclusive);
        assert_eq!(verdict(&Facts::default()).outcome, Outcome::Inconclusive);
    }
}
