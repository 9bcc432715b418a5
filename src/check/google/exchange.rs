//! The checks of the exchange at Google's STS, and of the impersonation behind it.

use super::{key, may_pass, missing, refused};
use crate::cause::gcp_exchange::{self, KeySeen, Seen};
use crate::cause::{Cause, Certainty, Finding, gcp};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::google::{GoogleCall, TokenGranted};
use crate::check::facts::secret::{AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce};
use crate::domain::iam::{Decision, Truth};
use crate::domain::ids::Cloud;
use crate::domain::jwks::Jwks;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::text::quote;
use crate::domain::timestamp::rfc3339;
use crate::domain::token::DecodedToken;
use serde_json::{Value, json};

/// Google's STS exchanges the token, or its token endpoint takes what a key has signed.
pub const EXCHANGE: Check = Check {
    id: CheckId::GcpExchange,
    title: "Google grants an access token",
    docs: "https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GoogleExchange),
    traffic: call!(google.exchange => call, exchange_may_pass),
    waits: Waits::IfRefused,
    facts: shown_exchange,
    verdict: exchange,
    reproduction: Reproduction::Command(|profile, _| reproduce::google::exchange(profile)),
};

/// The federated token takes the service account's place.
pub const IMPERSONATE: Check = Check {
    id: CheckId::GcpImpersonate,
    title: "service account can be impersonated",
    docs: "https://cloud.google.com/iam/docs/workload-identity-federation#impersonation",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GoogleImpersonate),
    traffic: call!(google.impersonated => call, |_, refusal| may_pass(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.google.impersonated.as_ref()),
    verdict: impersonate,
    reproduction: Reproduction::Command(|profile, _| reproduce::google::impersonate(profile)),
};

const STS: &str = "Google's STS";

fn shown_exchange(facts: &Facts) -> Option<Value> {
    let mut shown = as_json(facts.google.exchange.as_ref());
    if let Some(key) = as_json(facts.google.key.as_ref()) {
        shown.get_or_insert_with(|| json!({}))["key"] = key;
    }
    shown
}

fn exchange(facts: &Facts, profile: &Profile) -> Verdict {
    if profile.guide.is_key_beside_aws() {
        return key::signed_in(facts, profile);
    }
    let check = CheckId::GcpExchange;
    let Some(fact) = &facts.google.exchange else { return missing(check, profile, &[Key::GcpProvider]) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let Some(refusal) = fact.call.refusal() else { return granted(&fact.call, how_long(fact)) };
    let mut findings = from_words(check, Cloud::Gcp, STS, refusal);
    if refusal.http_status == 429 && findings.first().is_none_or(|found| found.cause != Cause::Throttled) {
        let finding = Finding::new(Cause::Throttled, check, Certainty::Proven, "the STS was asked too often");
        findings = vec![finding.with_evidence(quoted(STS, refusal))];
    }
    if refusal.http_status >= 500 && findings.is_empty() {
        let finding = Finding::new(Cause::Transient, check, Certainty::Possible, "the STS failed by itself");
        findings = vec![finding.with_evidence(quoted(STS, refusal))];
    }
    if let Some(error) = &fact.error {
        let seen = Seen {
            token: facts.token.as_ref().and_then(|token| token.token()),
            now: facts.now,
            provider: profile.gcp.provider.as_ref(),
            universe: profile.gcp.universe(),
            evaluation: facts.google.evaluation(),
            keys: keys(facts),
            has_uploaded_keys: facts.google.provider.as_ref().is_some_and(|provider| provider.has_uploaded_keys),
            is_not_uploaded: is_not_uploaded(facts),
        };
        gcp_exchange::narrow(&mut findings, check.into(), error, refusal.http_status, &seen);
    }
    refused(fact, findings)
}

fn how_long(fact: &GoogleCall<TokenGranted>) -> String {
    match fact.call.granted().map(|granted| granted.expires_at) {
        Some(Some(at)) => format!("an access token until {}", rfc3339(at).unwrap_or_default()),
        Some(None) => {
            "an access token without `expires_in`: the token had seconds left, and several clients fail on that"
                .to_owned()
        }
        None => String::new(),
    }
}

/// Whether the provider at hand has uploaded keys, and the token's is none of them.
fn is_not_uploaded(facts: &Facts) -> bool {
    let kid = facts.token.as_ref().and_then(|token| token.token()).and_then(DecodedToken::kid);
    let text = facts.google.provider.as_ref().and_then(|provider| provider.text.as_deref());
    let keys = text.and_then(|text| {
        let provider: Value = serde_json::from_str(text).ok()?;
        Jwks::parse(provider["oidc"]["jwksJson"].as_str()?.as_bytes()).ok()
    });
    keys.zip(kid).is_some_and(|(keys, kid)| !keys.keys.iter().any(|key| key.kid.as_deref() == Some(kid)))
}

/// What the issuer's published keys say of the token's.
fn keys(facts: &Facts) -> KeySeen {
    let is_fetched = facts.issuer.keys.as_ref().is_some_and(|keys| keys.jwks.is_some());
    match facts.signature.as_ref().map(|fact| (fact.signature.state, &fact.signature.reason)) {
        Some((SignatureState::Verified, _)) => KeySeen::Verified,
        Some((
            _,
            SignatureReason::KidNotFound { .. } | SignatureReason::NoFittingKey { .. } | SignatureReason::NoKeys,
        )) => KeySeen::NotPublished,
        Some((SignatureState::Failed, _)) => KeySeen::Failed,
        _ if facts.issuer.document.is_some() && !is_fetched => KeySeen::NotFetched,
        _ => KeySeen::NotLookedAt,
    }
}

/// What an exchange's refusal says that may pass by itself: a provider that was made or changed takes seconds to count.
fn exchange_may_pass(facts: &Facts, refusal: &Refusal) -> Option<String> {
    if facts.google.evaluation().is_some_and(|evaluation| evaluation.exchanged() == Truth::False) {
        // What the provider itself denies will not be granted later.
        return None;
    }
    let is_new = refusal.code == "invalid_target" || refusal.message.contains("Error connecting to");
    let passing = is_new || refusal.http_status == 429 || refusal.http_status >= 500;
    passing.then(|| format!("{}: {}", refusal.code, refusal.message))
}

fn impersonate(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::GcpImpersonate;
    let Some(fact) = &facts.google.impersonated else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let Some(refusal) = fact.call.refusal() else {
        return granted(
            &fact.call,
            fact.call.granted().map_or_else(String::new, |granted| format!("as {}", granted.of)),
        );
    };
    let quoted_refusal = quoted("IAM Credentials", refusal);
    if let Some(missing) = facts.operator.google.missing_account(profile) {
        let finding = Finding::new(Cause::ServiceAccountMissing, check, Certainty::Proven, missing);
        return refused(fact, vec![finding.about(Key::GcpServiceAccount).with_evidence(quoted_refusal)]);
    }
    let mut findings = from_words(check, Cloud::Gcp, "IAM Credentials", refusal);
    if fact
        .error
        .as_ref()
        .is_some_and(|error| error.permission.as_deref() == Some("iam.serviceAccounts.getAccessToken"))
    {
        let account = profile.gcp.service_account.as_deref().unwrap_or_default();
        let of_bindings = facts
            .google
            .evaluation()
            .filter(|found| found.decision == Decision::Deny && found.exchanged() == Truth::True);
        let decided = of_bindings.and_then(|evaluation| gcp::refused(check.into(), evaluation).into_iter().next());
        let decided = decided.unwrap_or_else(|| {
            let summary =
                format!("no binding of {account} lets this token take its place (or there is no such account)");
            Finding::new(Cause::PrincipalsetMismatch, check, Certainty::Likely, summary)
        });
        let decided = decided.with_look(
            "Who may take the service account's place",
            format!("gcloud iam service-accounts get-iam-policy {}", quote(account)),
        );
        findings.retain(|finding| finding.cause != decided.cause);
        findings.insert(0, decided.with_evidence(quoted_refusal));
    }
    refused(fact, findings)
}
