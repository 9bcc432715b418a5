//! The check of the exchange at Entra: what the words of a refusal allow, narrowed by everything else that was seen.

use crate::cause::{Cause, Certainty, Finding, entra};
use crate::check::call::{first_line, from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::azure::CredentialKind;
use crate::check::facts::secret::{Answer, AnyCall, Call, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce};
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::signature::SignatureState;

const ID: CheckId = CheckId::AzureExchange;

/// Entra exchanges the token, or the client secret, for an access token.
pub const CHECK: Check = Check {
    id: ID,
    title: "Entra grants an access token",
    docs: "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::EntraExchange),
    traffic: call!(azure.exchange => call, may_pass),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.azure.exchange.as_ref()),
    verdict: exchange,
    reproduction: Reproduction::Command(|profile, _| reproduce::exchange_at_entra(profile)),
};

fn exchange(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(fact) = &facts.azure.exchange else {
        return missing_settings(profile);
    };
    if let (CredentialKind::NoClientSecret, Answer::NotSent { detail }) = (fact.credential, &fact.call.answer) {
        return Verdict::fail(
            detail.clone(),
            vec![Finding::new(Cause::EnvNotSet, ID, Certainty::Proven, detail.clone())],
        );
    }
    if let Some(verdict) = unanswered(ID, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let Some(refusal) = fact.call.refusal() else {
        let object = fact.call.granted().and_then(|access| access.object_id.as_deref());
        return granted(&fact.call, object.map_or_else(String::new, |id| format!("as service principal {id}")));
    };
    let mut findings = from_words(ID, Cloud::Azure, "Entra", refusal);
    if refusal.http_status == 429 {
        let summary = "Entra was asked too often and wants a pause";
        let finding = Finding::new(Cause::Throttled, ID, Certainty::Proven, summary);
        findings.retain(|finding| finding.cause != Cause::Throttled);
        findings.insert(0, finding.with_evidence(quoted("Entra", refusal)));
    }
    if let Some(error) = &fact.error {
        let token = facts.token.as_ref().and_then(|t| t.token());
        let audience = token.and_then(|t| t.audiences().first().map(|a| (*a).to_owned()));
        let seen = entra::Seen {
            client_id: Some(&fact.client_id),
            authority: Some(&fact.authority),
            vault_url: profile.azure.vault_url.as_deref(),
            chosen_scope: profile.azure.scope.as_deref(),
            in_force: facts.operator.azure.credentials_in_force().is_some(),
            evaluation: facts.azure.credentials.as_ref().and_then(|c| c.evaluation.as_ref()),
            now: facts.now,
            expires_at: token.and_then(|t| t.expires_at()),
            audience: audience.as_deref(),
            kid: token.and_then(|t| t.kid()),
            verified_here: match facts.signature.as_ref().map(|s| s.signature.state) {
                Some(SignatureState::Verified) => Some(true),
                Some(SignatureState::Failed) => Some(false),
                _ => None,
            },
        };
        entra::narrow(&mut findings, error, ID.into(), &seen);
    }
    if fact.credential == CredentialKind::ClientSecretLikeAnId {
        for finding in findings.iter_mut().filter(|f| f.cause == Cause::ClientSecretWrong) {
            finding.certainty = Certainty::Proven;
            finding.evidence.push("what was sent is a UUID, as a secret's id is; its value is another text".into());
        }
    }
    refused(&fact.call, findings)
}

/// What an exchange's refusal says that may pass by itself: Entra is eventually consistent, so an application,
/// service principal or credential made minutes ago is refused as if it were not there.
fn may_pass(facts: &Facts, refusal: &Refusal) -> Option<String> {
    let fact = facts.azure.exchange.as_ref()?;
    let evaluation = facts.azure.credentials.as_ref().and_then(|c| c.evaluation.as_ref());
    if evaluation.is_some_and(|e| e.decision == Decision::Deny) && fact.error.as_ref().is_some_and(entra::is_no_match) {
        // What the credential itself denies will not be granted later.
        return None;
    }
    let error = fact.error.as_ref();
    let new = error.is_some_and(|e| {
        entra::is_no_match(e) || e.codes.iter().any(|c| [700016, 7000229, 90024, 90033, 90055].contains(c))
    });
    (new || refusal.http_status == 429 || refusal.http_status >= 500)
        .then(|| format!("{}: {}", refusal.code, refusal.message))
}

fn missing_settings(profile: &Profile) -> Verdict {
    let settings = [
        (profile.azure.tenant_id.is_none(), "azure.tenant-id"),
        (profile.azure.client_id.is_none(), "azure.client-id"),
        (
            profile.guide.is_key_beside_aws() && profile.azure.client_secret.is_none(),
            "azure.client-secret-file (or azure.client-secret-env)",
        ),
    ];
    let missing: Vec<&str> = settings.iter().filter_map(|(missing, key)| missing.then_some(*key)).collect();
    if missing.is_empty() {
        return Verdict::inconclusive("no answer was seen", Vec::new());
    }
    let reason = format!("the profile does not say {}", missing.join(" and "));
    let finding = Finding::new(Cause::EnvNotSet, ID, Certainty::Proven, reason.clone());
    Verdict::inconclusive(reason, vec![finding])
}

pub(super) fn refused<T>(call: &Call<T>, findings: Vec<Finding>) -> Verdict {
    let reason = call.refusal().map(|r| format!("{}: {}", r.code, first_line(&r.message))).unwrap_or_default();
    Verdict::fail(reason, findings)
}
