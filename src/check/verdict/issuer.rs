//! Verdicts on the issuer: can it be reached, is its certificate sound, does its document name it, are its keys usable.

use super::network::{CLOUD_PATIENCE_MS, finding};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::issuer::{DocumentFact, KeysFact};
use crate::check::facts::network::{AddressScope, Exchange, FailureKind, HopName, NetworkFailure};
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::certificate::{Chain, ChainOddity};
use crate::domain::discovery::{Discovery, DiscoveryProblem, Weight};
use crate::domain::jwks::{Jwk, JwksProblem, KeyProblem};
use crate::domain::profile::Profile;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

/// From this many milliseconds on, an answer comes so close to the cloud's patience that it deserves a warning.
const NEARLY_SLOW_MS: u64 = 3000;

/// A certificate that ends within this many seconds deserves a warning.
const EXPIRES_SOON_S: i64 = 14 * 86_400;

/// AWS STS allows this many seconds of clock difference in a token's times.
const SKEW_FATAL_S: u64 = 300;

/// From this many seconds on, a clock difference deserves a warning.
const SKEW_NOTABLE_S: u64 = 60;

/// The issuer's host can be found and connected to.
pub fn reachable(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(document) = &facts.issuer.document else { return not_asked() };
    let exchange = &document.exchange;
    if let Some(failure) = exchange.failure.as_ref().filter(|f| f.hop <= HopName::Connect) {
        return failed(CheckId::IssuerReachable, failure);
    }
    let addresses = &exchange.addresses;
    if exchange.proxy.is_none() && !addresses.is_empty() && addresses.iter().all(|a| a.scope == AddressScope::Private) {
        let listed: Vec<String> = addresses.iter().map(|a| a.ip.to_string()).collect();
        let reason = "the issuer's name leads to private addresses only, as seen from here";
        let finding = Finding::new(Cause::JwksUnreachable, CheckId::IssuerReachable.id(), Certainty::Possible, reason)
            .with_evidence(format!("it resolves to {}", listed.join(", ")))
            .with_evidence("the cloud fetches the issuer's documents over the internet");
        return Verdict::warn(reason, vec![finding]);
    }
    Verdict::pass()
}

/// The certificate is trusted, for this name, and not about to end.
pub fn tls(facts: &Facts, _profile: &Profile) -> Verdict {
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
    let mut findings: Vec<Finding> = expires_soon(&tls.chain, facts.now).into_iter().collect();
    findings.extend(tls.chain.oddities.iter().filter_map(|oddity| odd_chain(oddity, &tls.chain)));
    let on_this_machine = exchange.addresses.iter().all(|a| a.scope == AddressScope::Loopback);
    if tls.named_authority && !on_this_machine {
        findings.push(private_authority(&tls.chain));
    }
    judged(findings)
}

/// The discovery document is there, names its issuer and holds what the clouds need.
pub fn discovery(facts: &Facts, _profile: &Profile) -> Verdict {
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
    if let Some(unfit) = not_configured(document).or_else(|| no_document(document)) {
        findings.push(unfit);
    }
    if let Some(discovery) = &document.discovery {
        findings.extend(document_problems(discovery));
    }
    findings.extend(slow(check, &document.exchange));
    findings.extend(skewed(&document.exchange));
    judged(findings)
}

/// The key set is there and has keys that the clouds can use.
pub fn jwks(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(keys) = &facts.issuer.keys else { return not_asked() };
    let check = CheckId::IssuerJwks;
    if let Some(failure) = &keys.exchange.failure {
        return failed(check, failure);
    }
    let mut findings = Vec::new();
    findings.extend(unexpected_status(check, &keys.exchange, "the key set"));
    if let Some(error) = &keys.unreadable {
        let summary = format!("the answer at `jwks_uri` is no key set: {error}");
        findings.push(Finding::new(Cause::JwksInvalid, check.id(), Certainty::Proven, summary));
    }
    findings.extend(key_problems(keys));
    findings.extend(slow(check, &keys.exchange));
    judged(findings)
}

fn not_asked() -> Verdict {
    Verdict::skipped("the issuer was not asked")
}

/// The verdict on a failure. A proxy's refusal, and a machine without trusted authorities, say nothing of the issuer.
fn failed(check: CheckId, failure: &NetworkFailure) -> Verdict {
    let finding = finding(check, failure);
    let reason = finding.summary.clone();
    match failure.kind {
        FailureKind::ProxyUnreachable
        | FailureKind::ProxyRefused
        | FailureKind::ProxyAuth
        | FailureKind::TrustStore => Verdict::inconclusive(reason, vec![finding]),
        _ => Verdict::fail(reason, vec![finding]),
    }
}

/// Fails with a proven or likely finding, warns with a possible one, passes with none. The surest finding comes first.
fn judged(mut findings: Vec<Finding>) -> Verdict {
    findings.sort_by_key(|f| f.certainty);
    let Some(first) = findings.first() else { return Verdict::pass() };
    let outcome = if first.certainty == Certainty::Possible { Outcome::Warn } else { Outcome::Fail };
    Verdict { outcome, reason: Some(first.summary.clone()), findings }
}

fn expires_soon(chain: &Chain, now: UnixSeconds) -> Option<Finding> {
    let (position, next) = chain.certificates.iter().enumerate().min_by_key(|(_, c)| c.not_after)?;
    let left = next.not_after - now;
    if !(0..EXPIRES_SOON_S).contains(&left) {
        return None;
    }
    let whose = if position == 0 { "the issuer's certificate" } else { "an intermediate certificate" };
    let summary = format!("{whose} ends in {}", in_words(left.unsigned_abs()));
    let end = rfc3339(next.not_after).unwrap_or_default();
    Some(
        Finding::new(Cause::TlsExpired, CheckId::IssuerTls.id(), Certainty::Possible, summary)
            .with_evidence(format!("{} is valid until {end}", next.subject))
            .with_fix("renew the certificate, or see to it that its automatic renewal works"),
    )
}

fn odd_chain(oddity: &ChainOddity, chain: &Chain) -> Option<Finding> {
    let name = |position: usize| chain.certificates.get(position).map(|c| c.subject.clone()).unwrap_or_default();
    let summary = match oddity {
        ChainOddity::Duplicate { position } => format!("the server sends a certificate twice: {}", name(*position)),
        ChainOddity::OutOfOrder { position } => {
            format!("the server sends its certificates out of order: {}", name(*position))
        }
        ChainOddity::Extra { position } => {
            format!("the server sends a certificate that signs none of the others: {}", name(*position))
        }
        ChainOddity::Unreadable { position } => {
            format!("certificate {} of those served cannot be read", position + 1)
        }
        // The thumbprint still matches, until the next renewal; nothing is wrong with the chain as such.
        ChainOddity::LeafOnly => return None,
    };
    Some(
        Finding::new(Cause::Thumbprint, CheckId::IssuerTls.id(), Certainty::Possible, summary)
            .with_evidence("AWS STS may fail to validate tokens of an issuer whose chain is not in order")
            .with_fix("serve the host's own certificate first, then each one's issuer, each once, without others"),
    )
}

fn private_authority(chain: &Chain) -> Finding {
    let summary = "the certificate comes from a private authority: AWS then relies on the provider's thumbprints";
    let thumbprint = chain.thumbprint().unwrap_or_default();
    Finding::new(Cause::Thumbprint, CheckId::IssuerTls.id(), Certainty::Possible, summary)
        .with_evidence("it is trusted here only because of the CA file given to this program")
        .with_command(
            "register the thumbprint of the topmost certificate served",
            format!(
                "aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn <PROVIDER_ARN> --thumbprint-list {thumbprint}"
            ),
        )
}

fn not_configured(document: &DocumentFact) -> Option<Finding> {
    let status = document.exchange.status.filter(|s| matches!(s, 404 | 503))?;
    let summary = format!("the issuer publishes no discovery document (HTTP status {status})");
    Some(
        Finding::new(Cause::IssuerNotConfigured, CheckId::IssuerDiscovery.id(), Certainty::Proven, summary)
            .with_evidence(format!("GET {} answered {status}", document.exchange.url))
            .with_fix("on the platform, set the signing key (OIDC_PRIVATE_KEY) and the issuer's URL (OIDC_ISSUER), and start it again")
            .with_fix("if the issuer has a path, write it: the document is looked for below that path"),
    )
}

fn no_document(document: &DocumentFact) -> Option<Finding> {
    let check = CheckId::IssuerDiscovery;
    if let Some(error) = &document.unreadable {
        let summary = format!("what the issuer publishes is no discovery document: {error}");
        let finding = Finding::new(Cause::DiscoveryInvalid, check.id(), Certainty::Proven, summary);
        return Some(match &document.exchange.content_type {
            Some(kind) => finding.with_evidence(format!("it was sent as `{kind}`")),
            None => finding,
        });
    }
    unexpected_status(check, &document.exchange, "the discovery document")
}

/// An answer that is neither `200` nor a redirect, which is a failure of its own.
fn unexpected_status(check: CheckId, exchange: &Exchange, what: &str) -> Option<Finding> {
    let status = exchange.status.filter(|s| *s != 200)?;
    let (cause, why) = match status {
        429 => (Cause::IdpThrottled, "the issuer limits how often it is asked"),
        401 | 403 | 407 => {
            (Cause::JwksUnreachable, "the document must be public: no login, no allow-list of addresses")
        }
        _ => (Cause::JwksUnreachable, "the cloud takes nothing but 200"),
    };
    let summary = format!("{what} cannot be fetched: HTTP status {status}");
    Some(
        Finding::new(cause, check.id(), Certainty::Proven, summary)
            .with_evidence(format!("GET {} answered {status}", exchange.url))
            .with_evidence(why),
    )
}

fn document_problems(discovery: &Discovery) -> Vec<Finding> {
    discovery.problems.iter().filter_map(document_problem).collect()
}

fn document_problem(problem: &DiscoveryProblem) -> Option<Finding> {
    let certainty = match problem.weight() {
        Weight::Fatal => Certainty::Proven,
        Weight::Documented => Certainty::Possible,
        Weight::Note => return None,
    };
    let cause = match problem {
        DiscoveryProblem::IssuerDiffers { .. } => Cause::IssuerDiffers,
        DiscoveryProblem::NoKnownAlgorithm { .. } => Cause::AlgUnsupported,
        _ => Cause::DiscoveryInvalid,
    };
    let finding = Finding::new(cause, CheckId::IssuerDiscovery.id(), certainty, problem.words());
    let finding = match (problem.weight(), problem) {
        (Weight::Documented, _) => {
            finding.with_evidence("AWS documents the field as required; it may refuse to create the provider")
        }
        _ => finding,
    };
    Some(match problem {
        DiscoveryProblem::IssuerDiffers { expected, actual } => {
            let finding = finding.with_difference(expected, actual);
            match how_issuers_differ(expected, actual) {
                Some(how) => finding.with_evidence(how),
                None => finding,
            }
        }
        _ => finding,
    })
}

fn how_issuers_differ(expected: &str, actual: &str) -> Option<&'static str> {
    let without_slash = |s: &'_ str| s.trim_end_matches('/').to_owned();
    let without_scheme = |s: &'_ str| s.split_once("://").map_or(s, |(_, rest)| rest).to_owned();
    if without_slash(expected) == without_slash(actual) {
        Some("only a slash at the end differs")
    } else if expected.eq_ignore_ascii_case(actual) {
        Some("only letter case differs")
    } else if without_scheme(expected) == without_scheme(actual) {
        Some("only the scheme (https://) differs")
    } else if expected.trim() == actual.trim() {
        Some("only white space differs")
    } else {
        None
    }
}

fn slow(check: CheckId, exchange: &Exchange) -> Option<Finding> {
    let took = exchange.duration_ms as u64;
    let (certainty, relation) = match took {
        CLOUD_PATIENCE_MS.. => (Certainty::Proven, "later than the cloud waits"),
        NEARLY_SLOW_MS.. => (Certainty::Possible, "nearly later than the cloud waits"),
        _ => return None,
    };
    let summary = format!("the issuer answers after {took} ms, {relation} (about {CLOUD_PATIENCE_MS} ms)");
    let finding = Finding::new(Cause::IssuerSlow, check.id(), certainty, summary);
    let slowest = exchange.hops.iter().max_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms))?;
    Some(finding.with_evidence(format!("the longest hop is `{}`: {:.0} ms", slowest.name.id(), slowest.duration_ms)))
}

fn skewed(exchange: &Exchange) -> Option<Finding> {
    let skew = exchange.clock_skew_s?;
    let certainty = match skew.unsigned_abs() {
        s if s > SKEW_FATAL_S => Certainty::Likely,
        s if s > SKEW_NOTABLE_S => Certainty::Possible,
        _ => return None,
    };
    let direction = if skew > 0 { "ahead of" } else { "behind" };
    let summary =
        format!("the issuer's clock is {} {direction} the clock of this machine", in_words(skew.unsigned_abs()));
    Some(
        Finding::new(Cause::ClockSkew, CheckId::IssuerDiscovery.id(), certainty, summary)
            .with_evidence("by the Date header of its answer; AWS STS allows 300 s in a token's times"),
    )
}

fn key_problems(keys: &KeysFact) -> Vec<Finding> {
    let Some(jwks) = &keys.jwks else { return Vec::new() };
    let found = |certainty, summary| Finding::new(Cause::JwksInvalid, CheckId::IssuerJwks.id(), certainty, summary);
    let mut findings = Vec::new();
    let sts_sees = |key: &Jwk| key.is_usable() && !key.problems.iter().any(KeyProblem::hides_from_sts);
    if jwks.keys.iter().any(Jwk::is_usable) && !jwks.keys.iter().any(sts_sees) {
        findings.push(found(Certainty::Likely, "the key set has no key that AWS STS would use".to_owned()));
    }
    for problem in &jwks.problems {
        let certainty = match problem {
            JwksProblem::NoKeys | JwksProblem::NoUsableKey | JwksProblem::TooMany { .. } => Certainty::Proven,
            JwksProblem::DuplicateKid { .. } | JwksProblem::Key { .. } => Certainty::Possible,
        };
        findings.push(found(certainty, problem.to_string()));
    }
    // A set of hundreds of unfit keys is one problem, not hundreds.
    const SHOWN: usize = 12;
    findings.sort_by_key(|f| f.certainty);
    findings.truncate(SHOWN);
    findings
}
