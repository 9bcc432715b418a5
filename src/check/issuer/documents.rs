//! Findings on an issuer's two documents: its discovery document and its key set.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::CheckId;
use crate::check::facts::network::{AddressScope, Exchange, Tls};
use crate::check::facts::network::{DocumentFact, KeysFact};
use crate::domain::certificate::{Chain, ChainOddity};
use crate::domain::discovery::{Discovery, DiscoveryProblem, Weight};
use crate::domain::jwks::{Jwk, Jwks, JwksProblem, KeyProblem};
use crate::domain::relying_party::algorithms_of_set;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

/// AWS STS allows this many seconds of clock difference in a token's times.
const SKEW_FATAL_S: u64 = 300;

/// From this many seconds on, a clock difference deserves a warning.
const SKEW_NOTABLE_S: u64 = 60;

pub(super) fn not_configured(document: &DocumentFact) -> Option<Finding> {
    let status = document.exchange.status.filter(|s| matches!(s, 404 | 503))?;
    let summary = format!("the issuer publishes no discovery document (HTTP status {status})");
    Some(
        Finding::new(Cause::IssuerNotConfigured, CheckId::IssuerDiscovery, Certainty::Proven, summary)
            .with_evidence(format!("GET {} answered {status}", document.exchange.url))
            .with_fix("on the platform, set the signing key (OIDC_PRIVATE_KEY) and the issuer's URL (OIDC_ISSUER), and start it again")
            .with_fix("if the issuer has a path, write it: the document is looked for below that path"),
    )
}

pub(super) fn no_document(document: &DocumentFact) -> Option<Finding> {
    let check = CheckId::IssuerDiscovery;
    if document.unreadable.is_some()
        && let Some(why) = document.exchange.compressed()
    {
        return Some(compressed(Cause::DiscoveryInvalid, check, &why));
    }
    if let Some(error) = &document.unreadable {
        let summary = format!("what the issuer publishes is no discovery document: {error}");
        let finding = Finding::new(Cause::DiscoveryInvalid, check, Certainty::Proven, summary);
        return Some(match &document.exchange.content_type {
            Some(kind) => finding.with_evidence(format!("it was sent as `{kind}`")),
            None => finding,
        });
    }
    unexpected_status(check, &document.exchange, "the discovery document")
}

/// A document that is only compressed may well be read by a cloud that asks for it otherwise.
pub(super) fn compressed(cause: Cause, check: CheckId, why: &str) -> Finding {
    Finding::new(cause, check, Certainty::Likely, why)
        .with_evidence(
            "the request said `Accept-Encoding: identity`; what is compressed in spite of it is not inflated",
        )
        .with_evidence("a stored object's own Content-Encoding does this, and so does a CDN's compression")
}

/// What is wrong with the document, and, where its endpoints are plain http under an https issuer, why that nearly always is.
pub(super) fn document_problems(discovery: &Discovery) -> Vec<Finding> {
    let mut findings: Vec<Finding> = discovery
        .problems
        .iter()
        .filter(|problem| !is_aws_wish(problem))
        .filter_map(|problem| document_problem(problem, discovery))
        .collect();
    findings.extend(aws_wishes(discovery));
    let has_plain_endpoint = discovery.problems.iter().any(|p| matches!(p, DiscoveryProblem::JwksUriNotHttps { .. }));
    if !has_plain_endpoint && is_behind_proxy(discovery) {
        let summary = "the issuer is https, and endpoints in its document are http";
        findings.push(
            Finding::new(Cause::DiscoveryInvalid, CheckId::IssuerDiscovery, Certainty::Possible, summary)
                .with_fix(BELIEVE_THE_PROXY),
        );
    }
    findings
}

/// What an issuer behind a proxy for TLS has to be told.
const BELIEVE_THE_PROXY: &str = "The issuer stands behind a proxy for TLS and does not believe its X-Forwarded-Proto: let the proxy send that header, and turn on the issuer's setting that trusts it (\"trust proxy\", ProxyFix, SECURE_PROXY_SSL_HEADER), or set the issuer's https URL outright.";

/// An https issuer whose endpoints are http.
fn is_behind_proxy(discovery: &Discovery) -> bool {
    let is_https = discovery.issuer.as_deref().is_some_and(|issuer| issuer.starts_with("https://"));
    let endpoints = [&discovery.authorization_endpoint, &discovery.token_endpoint, &discovery.jwks_uri];
    is_https && endpoints.into_iter().flatten().any(|endpoint| endpoint.starts_with("http://"))
}

/// What AWS documents as required and may not insist on.
fn is_aws_wish(problem: &DiscoveryProblem) -> bool {
    problem.weight() == Weight::Documented
}

/// One warning for all of that, with the lines to paste.
fn aws_wishes(discovery: &Discovery) -> Option<Finding> {
    let wishes: Vec<&DiscoveryProblem> = discovery.problems.iter().filter(|problem| is_aws_wish(problem)).collect();
    let summary = wishes.iter().map(|problem| problem.words()).reduce(|all, one| format!("{all}; {one}"))?;
    let line = |problem: &&DiscoveryProblem| match problem {
        DiscoveryProblem::NoIdToken { .. } | DiscoveryProblem::Missing { field: "response_types_supported" } => {
            r#""response_types_supported": ["id_token", "code"]"#
        }
        DiscoveryProblem::NoPublicSubject { .. } => r#""subject_types_supported": ["public"]"#,
        _ => r#""claims_supported": ["iss", "sub", "aud", "iat", "exp"]"#,
    };
    let lines = wishes.iter().map(line).collect::<Vec<_>>().join(", ");
    Some(
        Finding::new(Cause::DiscoveryInvalid, CheckId::IssuerDiscovery, Certainty::Possible, summary)
            .with_evidence("AWS only: it documents this as required, and may refuse to create the provider; whether it insists is unknown")
            .with_fix(format!("Let the discovery document say {lines}.")),
    )
}

fn document_problem(problem: &DiscoveryProblem, discovery: &Discovery) -> Option<Finding> {
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
    let finding = Finding::new(cause, CheckId::IssuerDiscovery, certainty, problem.words());
    Some(match problem {
        DiscoveryProblem::JwksUriNotHttps { .. } if is_behind_proxy(discovery) => finding.with_fix(BELIEVE_THE_PROXY),
        DiscoveryProblem::IssuerDiffers { expected, actual } => {
            let finding = finding.with_difference(expected, actual);
            let finding = match how_issuers_differ(expected, actual) {
                Some(how) => finding.with_evidence(how),
                None => finding,
            };
            if without_default_port(expected) == *actual {
                return Some(finding.with_fix(format!(
                    "Write the issuer as {actual}: the URL given has the default port too much, and the issuer is right."
                )));
            }
            finding
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
    } else if without_default_port(expected) == without_default_port(actual) {
        Some("only the default port (:443), written out on one side, differs")
    } else {
        None
    }
}

/// An issuer's URL without a port that its scheme has anyway.
fn without_default_port(issuer: &str) -> String {
    let Some((scheme, rest)) = issuer.split_once("://") else { return issuer.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let default = if scheme == "https" { ":443" } else { ":80" };
    format!("{scheme}://{}{path}", authority.strip_suffix(default).unwrap_or(authority))
}

pub(super) fn skewed(exchange: &Exchange) -> Option<Finding> {
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
        Finding::new(Cause::ClockSkew, CheckId::IssuerDiscovery, certainty, summary)
            .with_evidence("by the Date header of its answer; AWS STS allows 300 s in a token's times"),
    )
}

pub(super) fn key_problems(keys: &KeysFact) -> Vec<Finding> {
    let Some(jwks) = &keys.jwks else { return Vec::new() };
    let found = |certainty, summary| Finding::new(Cause::JwksInvalid, CheckId::IssuerJwks, certainty, summary);
    let mut findings = Vec::new();
    findings.extend(jwks.keys.iter().filter_map(example_key));
    // Sound keys of a kind that no cloud takes: they are published as they must be, and have to be others.
    if let Some(of_a_kind) = keys_of_no_cloud(jwks) {
        findings.push(of_a_kind);
        return findings;
    }
    let sts_sees = |key: &Jwk| key.is_usable() && !key.problems.iter().any(KeyProblem::hides_from_sts);
    if jwks.keys.iter().any(Jwk::is_usable) && !jwks.keys.iter().any(sts_sees) {
        findings.push(found(Certainty::Likely, "the key set has no key that AWS STS would use".to_owned()));
    }
    for problem in &jwks.problems {
        let certainty = match problem {
            JwksProblem::NoKeys | JwksProblem::NoUsableKey | JwksProblem::TooMany { .. } => Certainty::Proven,
            // Whoever reads it signs as the issuer, whatever else works.
            JwksProblem::Key { problem: KeyProblem::PrivatePublished { .. }, .. } => Certainty::Proven,
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

/// A key that comes with the software: whoever has that signs as the issuer.
fn example_key(key: &Jwk) -> Option<Finding> {
    let kid = key.kid.as_deref().filter(|kid| EXAMPLE_KIDS.contains(kid))?;
    let summary = format!("the key `{kid}` is named as the example key that comes with the issuer's software");
    Some(
        Finding::new(Cause::JwksInvalid, CheckId::IssuerJwks, Certainty::Likely, summary)
            .with_evidence(
                "its private half is published with the software: whoever reads that can sign as this issuer",
            )
            .with_fix("Make a key of the issuer's own, publish it under another `kid`, and take the example key out."),
    )
}

/// The names of keys that are the same in every quick start: of oidc-provider, and of moto.
const EXAMPLE_KIDS: [&str; 2] = ["keystore-CHANGE-ME", "dummy"];

/// That every key signs in a way that no cloud takes.
fn keys_of_no_cloud(jwks: &Jwks) -> Option<Finding> {
    let algorithm = |key: &Jwk| match (key.kty.as_deref(), key.alg.as_deref()) {
        (Some("OKP"), _) => Some("EdDSA"),
        (Some("RSA"), Some("PS256" | "PS384" | "PS512")) => Some("PS256 and its like"),
        _ => None,
    };
    let algorithms: Option<Vec<&str>> = jwks.keys.iter().map(algorithm).collect();
    let first = *algorithms?.first()?;
    let summary = format!("the published keys sign with {first}, which no cloud takes");
    Some(
        Finding::new(Cause::AlgUnsupported, CheckId::IssuerJwks, Certainty::Proven, summary)
            .with_difference("RSA keys for RS256", first)
            .with_fix("Let the issuer sign with an RSA key and RS256, which every cloud takes; the keys themselves are published as they must be."),
    )
}

/// That the document promises algorithms which no published key has.
pub(super) fn contradiction(discovery: &Discovery, keys: &KeysFact) -> Option<Finding> {
    let listed = discovery.id_token_signing_alg_values_supported.as_deref()?;
    let set = keys.jwks.as_ref().filter(|set| !set.keys.is_empty())?;
    let published = algorithms_of_set(set, listed);
    if published.is_empty() || listed.is_empty() || published.iter().any(|alg| listed.contains(alg)) {
        return None;
    }
    let summary = format!(
        "the discovery document lists {}, and the published keys sign with {}",
        listed.join(", "),
        published.join(", ")
    );
    Some(
        Finding::new(Cause::AlgUnsupported, CheckId::IssuerJwks, Certainty::Likely, summary)
            .with_difference(listed.join(", "), published.join(", "))
            .with_fix("Let the issuer sign with a key of an algorithm that its document lists: RS256, which every cloud takes."),
    )
}

/// An answer that is neither `200` nor a redirect, which is a failure of its own.
pub(super) fn unexpected_status(check: CheckId, exchange: &Exchange, what: &str) -> Option<Finding> {
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
        Finding::new(cause, check, Certainty::Proven, summary)
            .with_evidence(format!("GET {} answered {status}", exchange.url))
            .with_evidence(why),
    )
}

/// A certificate that ends within this many seconds deserves a warning.
const EXPIRES_SOON_S: i64 = 14 * 86_400;

/// What deserves a warning in a chain.
pub(super) fn concerns(check: CheckId, chain: &Chain, now: UnixSeconds) -> Vec<Finding> {
    let mut findings: Vec<Finding> = expires_soon(check, chain, now).into_iter().collect();
    findings.extend(chain.oddities.iter().filter_map(|oddity| odd_chain(check, oddity, chain)));
    findings
}

fn expires_soon(check: CheckId, chain: &Chain, now: UnixSeconds) -> Option<Finding> {
    let (position, next) = chain.certificates.iter().enumerate().min_by_key(|(_, c)| c.not_after)?;
    let left = next.not_after - now;
    if !(0..EXPIRES_SOON_S).contains(&left) {
        return None;
    }
    let whose = if position == 0 { "the issuer's certificate" } else { "an intermediate certificate" };
    let summary = format!("{whose} ends in {}", in_words(left.unsigned_abs()));
    let end = rfc3339(next.not_after).unwrap_or_default();
    Some(
        Finding::new(Cause::TlsExpired, check, Certainty::Possible, summary)
            .with_evidence(format!("{} is valid until {end}", next.subject))
            .with_fix("renew the certificate, or see to it that its automatic renewal works"),
    )
}

fn odd_chain(check: CheckId, oddity: &ChainOddity, chain: &Chain) -> Option<Finding> {
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
        Finding::new(Cause::Thumbprint, check, Certainty::Possible, summary)
            .with_evidence("AWS STS may fail to validate tokens of an issuer whose chain is not in order")
            .with_fix("serve the host's own certificate first, then each one's issuer, each once, without others"),
    )
}

/// The host of the keys has a certificate of an authority that only this program was told of.
pub(super) fn private_authority(check: CheckId, tls: &Tls, exchange: &Exchange) -> Option<Finding> {
    let on_this_machine = exchange.addresses.iter().all(|a| a.scope == AddressScope::Loopback);
    if !tls.named_authority || on_this_machine {
        return None;
    }
    let summary = "the certificate comes from a private authority: AWS then relies on the provider's thumbprints";
    let thumbprint = tls.chain.thumbprint().unwrap_or_default();
    Some(
    Finding::new(Cause::Thumbprint, check, Certainty::Possible, summary)
        .with_evidence("it is trusted here only because of the CA file given to this program")
        .with_command(
            format!("register the thumbprint of the topmost certificate that {} serves", tls.server_name),
            format!(
                "aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn <PROVIDER_ARN> --thumbprint-list {thumbprint}"
            ),
        ),
    )
}
