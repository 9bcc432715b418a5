//! Verdicts on the issuer: can it be reached, is its certificate sound, does its document name it, are its keys usable.

mod documents;
#[cfg(test)]
mod tests;

use crate::cause::{Cause, Certainty, Finding};
use crate::check::clouds::presented;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::network::{AddressScope, Exchange, FailureKind, HopName};
use crate::check::facts::{Facts, as_json};
use crate::check::network::{CLOUD_PATIENCE_MS, failed};
use crate::check::reproduce::{fetch, find_url};
use crate::check::step::Step;
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::profile::Profile;
use crate::domain::relying_party::{Acceptance, Presented, RelyingParty};
use serde_json::{Map, Value, json};

/// From this many milliseconds on, an answer comes so close to the cloud's patience that it deserves a warning.
const NEARLY_SLOW_MS: u64 = 3000;

/// The issuer's host is found and answers.
pub const REACHABLE: Check = Check {
    id: CheckId::IssuerReachable,
    title: "issuer answers",
    docs: THUMBPRINTS,
    link: Link::Issuer,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::IssuerDocument),
    traffic: Traffic::Exchange { seen: document, hops: &[HopName::Resolve, HopName::Connect] },
    waits: Waits::IfRefused,
    facts: |facts| {
        document(facts).map(|seen| json!({ "url": seen.url, "addresses": seen.addresses, "hops": seen.hops }))
    },
    verdict: reachable,
    reproduction: Reproduction::Command(fetch_document),
};

/// Its certificate is trusted.
pub const TLS: Check = Check {
    id: CheckId::IssuerTls,
    title: "issuer's certificate is trusted",
    docs: THUMBPRINTS,
    link: Link::Issuer,
    needs: &[CheckId::IssuerReachable],
    rules_out: &[Cause::TlsExpired, Cause::TlsName],
    step: |_| Some(Step::IssuerDocument),
    traffic: Traffic::Exchange { seen: document, hops: &[HopName::Tls] },
    waits: Waits::IfRefused,
    facts: |facts| as_json(document(facts)?.tls.as_ref()),
    verdict: tls,
    reproduction: Reproduction::Command(fetch_document),
};

/// Its discovery document names it.
pub const DISCOVERY: Check = Check {
    id: CheckId::IssuerDiscovery,
    title: "discovery document names the issuer",
    docs: "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata",
    link: Link::Issuer,
    needs: &[CheckId::IssuerReachable, CheckId::IssuerTls],
    rules_out: &[Cause::IssuerDiffers, Cause::DiscoveryInvalid, Cause::IssuerNotConfigured, Cause::IssuerRedirect],
    step: |_| Some(Step::IssuerDocument),
    traffic: Traffic::Exchange { seen: document, hops: &[HopName::Request, HopName::Body] },
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.issuer.document.as_ref()),
    verdict: discovery,
    reproduction: Reproduction::Command(fetch_document),
};

/// Its signing keys are there.
pub const JWKS: Check = Check {
    id: CheckId::IssuerJwks,
    title: "signing keys are published",
    docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
    link: Link::Keys,
    needs: &[],
    rules_out: &[Cause::JwksInvalid],
    step: |_| Some(Step::IssuerKeys),
    traffic: Traffic::Exchange { seen: |facts| facts.issuer.keys.as_ref().map(|keys| &keys.exchange), hops: &[] },
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.issuer.keys.as_ref()),
    verdict: jwks,
    reproduction: Reproduction::Command(|_, facts| Some(fetch(&find_url(facts)?))),
};

const THUMBPRINTS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html";

fn document(facts: &Facts) -> Option<&Exchange> {
    facts.issuer.document.as_ref().map(|document| &document.exchange)
}

fn fetch_document(profile: &Profile, _facts: &Map<String, Value>) -> Option<String> {
    let issuer = profile.issuer_url.as_deref()?.trim_end_matches('/');
    Some(fetch(&format!("{issuer}/.well-known/openid-configuration")))
}

/// The issuer's host can be found and connected to.
fn reachable(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(document) = &facts.issuer.document else { return not_asked() };
    let exchange = &document.exchange;
    if let Some(failure) = exchange.failure.as_ref().filter(|f| f.hop <= HopName::Connect) {
        return failed(CheckId::IssuerReachable, failure);
    }
    let addresses = &exchange.addresses;
    if exchange.proxy.is_none() && !addresses.is_empty() && addresses.iter().all(|a| a.scope == AddressScope::Private) {
        let listed: Vec<String> = addresses.iter().map(|a| a.ip.to_string()).collect();
        let reason = "the issuer's name leads to private addresses only, as seen from here";
        let finding = Finding::new(Cause::JwksUnreachable, CheckId::IssuerReachable, Certainty::Possible, reason)
            .with_evidence(format!("it resolves to {}", listed.join(", ")))
            .with_evidence("the cloud fetches the issuer's documents over the internet");
        return Verdict::warn(reason, vec![finding]);
    }
    Verdict { reason: exchange.fell_back(), ..Verdict::pass() }
}

/// The certificate is trusted, for this name, and not about to end.
fn tls(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(document) = &facts.issuer.document else { return not_asked() };
    let exchange = &document.exchange;
    if let Some(failure) = &exchange.failure {
        match failure.hop {
            HopName::Resolve | HopName::Connect => return Verdict::skipped("the issuer's host cannot be reached"),
            HopName::Tls => return failed(CheckId::IssuerTls, failure),
            HopName::Request | HopName::Body => {}
        }
    }
    let Some(tls) = &exchange.tls else {
        return if exchange.url.starts_with("http:") {
            Verdict::skipped("plain http on this machine has no certificate; the clouds need https")
        } else {
            Verdict::inconclusive(
                "the connection was taken over from another request, without its certificate",
                Vec::new(),
            )
        };
    };
    let mut findings = documents::concerns(CheckId::IssuerTls, &tls.chain, facts.now);
    if !facts.issuer.keys_are_elsewhere() {
        findings.extend(documents::private_authority(CheckId::IssuerTls, tls, exchange));
    }
    judged(findings)
}

/// The discovery document is there, names its issuer and holds what the clouds need.
fn discovery(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(document) = &facts.issuer.document else { return not_asked() };
    let check = CheckId::IssuerDiscovery;
    if let Some(failure) = &document.exchange.failure {
        return match failure.hop {
            HopName::Resolve | HopName::Connect | HopName::Tls => {
                Verdict::skipped("no connection to the issuer came about")
            }
            HopName::Request | HopName::Body => failed(check, failure),
        };
    }
    let mut findings = Vec::new();
    if let Some(unfit) = documents::not_configured(document).or_else(|| documents::no_document(document)) {
        findings.push(unfit);
    }
    if let Some(discovery) = &document.discovery {
        findings.extend(documents::document_problems(discovery));
    }
    findings.extend(slow(check, &document.exchange));
    findings.extend(documents::skewed(&document.exchange));
    judged(findings)
}

/// The key set is there and has keys that the clouds can use.
fn jwks(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(keys) = &facts.issuer.keys else { return not_asked() };
    let check = CheckId::IssuerJwks;
    if let Some(failure) = &keys.exchange.failure {
        // The document's own fault, and told there.
        if failure.kind == FailureKind::Address && facts.issuer.document.is_some() {
            return Verdict::skipped(format!("not asked: {}", failure.detail));
        }
        return failed(check, failure);
    }
    let mut findings = Vec::new();
    findings.extend(documents::unexpected_status(check, &keys.exchange, "the key set"));
    if keys.unreadable.is_some()
        && let Some(why) = keys.exchange.compressed()
    {
        findings.push(documents::compressed(Cause::JwksInvalid, check, &why));
    } else if let Some(error) = &keys.unreadable {
        let summary = format!("the answer at `jwks_uri` is no key set: {error}");
        findings.push(Finding::new(Cause::JwksInvalid, check, Certainty::Proven, summary));
    }
    findings.extend(documents::key_problems(keys));
    let discovery = facts.issuer.document.as_ref().and_then(|document| document.discovery.as_ref());
    findings.extend(discovery.and_then(|discovery| documents::contradiction(discovery, keys)));
    if !findings.iter().any(|finding| finding.cause == Cause::AlgUnsupported) {
        findings.extend(unfit_for_cloud(facts, profile));
    }
    if let Some(tls) = keys.exchange.tls.as_ref().filter(|_| facts.issuer.keys_are_elsewhere()) {
        findings.extend(documents::concerns(check, &tls.chain, facts.now));
        findings.extend(documents::private_authority(check, tls, &keys.exchange));
    }
    findings.extend(slow(check, &keys.exchange));
    judged(findings)
}

/// That the profile's own cloud takes no algorithm of these keys, where others do.
fn unfit_for_cloud(facts: &Facts, profile: &Profile) -> Option<Finding> {
    let issuer = presented(facts, profile.issuer_url.as_deref());
    let verdict =
        RelyingParty::of(profile.guide.cloud())?.judge(&Presented { token: None, allows_this_machine: true, ..issuer });
    let is_refused = verdict.verdict == Acceptance::Refuse && verdict.cause == Some(Cause::AlgUnsupported);
    let summary = format!("{} takes no token of these keys: {}", verdict.name, verdict.why);
    is_refused.then(|| Finding::new(Cause::AlgUnsupported, CheckId::IssuerJwks, Certainty::Likely, summary))
}

fn not_asked() -> Verdict {
    Verdict::skipped("the issuer was not asked")
}

/// Fails with a proven or likely finding, warns with a possible one, passes with none. The surest finding comes first.
fn judged(mut findings: Vec<Finding>) -> Verdict {
    findings.sort_by_key(|f| f.certainty);
    let Some(first) = findings.first() else { return Verdict::pass() };
    let outcome = if first.certainty == Certainty::Possible { Outcome::Warn } else { Outcome::Fail };
    Verdict { outcome, reason: Some(first.summary.clone()), findings }
}

fn slow(check: CheckId, exchange: &Exchange) -> Option<Finding> {
    let took = exchange.duration_ms as u64;
    let (certainty, relation) = match took {
        CLOUD_PATIENCE_MS.. => (Certainty::Proven, "later than the cloud waits"),
        NEARLY_SLOW_MS.. => (Certainty::Possible, "nearly later than the cloud waits"),
        _ => return None,
    };
    let summary = format!("the issuer answers after {took} ms, {relation} (about {CLOUD_PATIENCE_MS} ms)");
    let finding = Finding::new(Cause::IssuerSlow, check, certainty, summary);
    let slowest = exchange.hops.iter().max_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms))?;
    Some(finding.with_evidence(format!("the longest hop is `{}`: {:.0} ms", slowest.name.id(), slowest.duration_ms)))
}
