//! What becomes of an issuer that answers otherwise than it should.

use serde_json::json;

use super::*;
use crate::check::facts::network::{Address, FailureKind, Hop, NetworkFailure, Tls};
use crate::check::facts::network::{DocumentFact, IssuerFacts, KeysFact};
use crate::domain::certificate::{Certificate, Chain};
use crate::domain::discovery::Discovery;
use crate::domain::jwks::Jwks;
use crate::domain::profile::Guide;
use crate::domain::timestamp::UnixSeconds;

const NOW: UnixSeconds = 1_800_000_000;
const ISSUER: &str = "https://app.example.com";

fn profile() -> Profile {
    Profile { issuer_url: Some(ISSUER.into()), ..Profile::bare("test", Guide::AwsWorkloadIdentity) }
}

fn certificate(days_left: i64) -> Certificate {
    Certificate {
        subject: "CN=app.example.com".into(),
        issuer: "CN=Authority".into(),
        names: vec!["app.example.com".into()],
        not_before: NOW - 86_400,
        not_after: NOW + days_left * 86_400,
        thumbprint_sha1: "a9993e364706816aba3e25717850c26c9cd0d89d".into(),
        is_ca: false,
        is_self_signed: false,
        wanted_by_iam: true,
    }
}

fn exchange() -> Exchange {
    Exchange {
        method: "GET".into(),
        url: format!("{ISSUER}/.well-known/openid-configuration"),
        addresses: vec![Address { ip: [203, 0, 113, 7].into(), scope: AddressScope::Public }],
        hops: vec![Hop { name: HopName::Request, start_ms: 0.0, duration_ms: 20.0 }],
        tls: Some(Tls {
            server_name: "app.example.com".into(),
            version: Some("TLS 1.3".into()),
            chain: Chain { certificates: vec![certificate(60)], oddities: Vec::new() },
            accepted: true,
            named_authority: false,
        }),
        status: Some(200),
        clock_skew_s: Some(0),
        duration_ms: 20.0,
        ..Exchange::default()
    }
}

fn document() -> DocumentFact {
    let text = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{ISSUER}/keys"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "claims_supported": ["sub"],
    });
    DocumentFact {
        issuer: ISSUER.into(),
        exchange: exchange(),
        discovery: Discovery::parse(text.to_string().as_bytes(), ISSUER).ok(),
        unreadable: None,
    }
}

fn facts(document: DocumentFact) -> Facts {
    Facts { now: NOW, issuer: IssuerFacts { document: Some(document), keys: None }, ..Facts::default() }
}

fn failure(hop: HopName, kind: FailureKind) -> Option<NetworkFailure> {
    Some(NetworkFailure {
        hop,
        kind,
        host: "app.example.com".into(),
        port: 443,
        url: ISSUER.into(),
        proxy: None,
        elapsed_ms: 7000,
        detail: String::new(),
    })
}

fn outcomes(facts: &Facts) -> [Outcome; 3] {
    [reachable, tls, discovery].map(|verdict| verdict(facts, &profile()).outcome)
}

#[test]
fn a_healthy_issuer_passes_and_an_unasked_one_is_skipped() {
    assert_eq!(outcomes(&facts(document())), [Outcome::Pass; 3]);
    assert_eq!(outcomes(&Facts::default()), [Outcome::Skipped; 3]);
    assert_eq!(jwks(&facts(document()), &profile()).outcome, Outcome::Skipped);
}

#[test]
fn a_failure_fails_the_check_of_its_hop_and_blocks_the_later_ones() {
    use Outcome::{Fail, Inconclusive, Pass, Skipped};
    for (hop, kind, expected) in [
        (HopName::Resolve, FailureKind::Dns, [Fail, Skipped, Skipped]),
        (HopName::Connect, FailureKind::Refused, [Fail, Skipped, Skipped]),
        (HopName::Connect, FailureKind::ProxyAuth, [Inconclusive, Skipped, Skipped]),
        (HopName::Connect, FailureKind::ProxyRefused, [Inconclusive, Skipped, Skipped]),
        (HopName::Tls, FailureKind::TlsHandshake, [Pass, Fail, Skipped]),
        (HopName::Tls, FailureKind::TrustStore, [Pass, Inconclusive, Skipped]),
        (HopName::Connect, FailureKind::Shortage, [Inconclusive, Skipped, Skipped]),
        (HopName::Request, FailureKind::Timeout, [Pass, Pass, Fail]),
        (HopName::Body, FailureKind::Truncated, [Pass, Pass, Fail]),
    ] {
        let mut document = document();
        document.discovery = None;
        document.exchange.failure = failure(hop, kind.clone());
        assert_eq!(outcomes(&facts(document)), expected, "{hop:?} {kind:?}");
    }
}

#[test]
fn private_addresses_deserve_a_warning_and_loopback_does_not() {
    for (scopes, outcome) in [
        (vec![AddressScope::Private], Outcome::Warn),
        (vec![AddressScope::Private, AddressScope::Public], Outcome::Pass),
        (vec![AddressScope::Loopback], Outcome::Pass),
        (vec![], Outcome::Pass),
    ] {
        let mut document = document();
        document.exchange.addresses =
            scopes.iter().map(|scope| Address { ip: [10, 0, 0, 1].into(), scope: *scope }).collect();
        assert_eq!(reachable(&facts(document), &profile()).outcome, outcome, "{scopes:?}");
    }
}

#[test]
fn certificates_that_end_soon() {
    for (days, outcome) in [(60, Outcome::Pass), (14, Outcome::Pass), (13, Outcome::Warn), (0, Outcome::Warn)] {
        let mut document = document();
        if let Some(tls) = &mut document.exchange.tls {
            tls.chain.certificates = vec![certificate(days)];
        }
        assert_eq!(tls(&facts(document), &profile()).outcome, outcome, "{days} days");
    }
}

#[test]
fn a_private_authority_comes_with_the_command_that_registers_its_thumbprint() {
    let mut document = document();
    if let Some(tls) = &mut document.exchange.tls {
        tls.named_authority = true;
    }
    let verdict = tls(&facts(document.clone()), &profile());
    assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Warn, Cause::Thumbprint));
    let command = verdict.findings[0].fixes[0].command.clone().unwrap();
    assert!(command.ends_with("a9993e364706816aba3e25717850c26c9cd0d89d"), "{command}");
    document.exchange.addresses[0].scope = AddressScope::Loopback;
    assert_eq!(tls(&facts(document), &profile()).outcome, Outcome::Pass);
}

#[test]
fn how_late_is_too_late() {
    for (ms, outcome, certainty) in [
        (2999.0, Outcome::Pass, None),
        (3000.0, Outcome::Warn, Some(Certainty::Possible)),
        (4999.0, Outcome::Warn, Some(Certainty::Possible)),
        (5000.0, Outcome::Fail, Some(Certainty::Proven)),
        (6010.0, Outcome::Fail, Some(Certainty::Proven)),
    ] {
        let mut document = document();
        document.exchange.duration_ms = ms;
        let verdict = discovery(&facts(document), &profile());
        assert_eq!(verdict.outcome, outcome, "{ms} ms");
        assert_eq!(verdict.findings.first().map(|f| f.certainty), certainty);
        assert!(verdict.findings.iter().all(|f| f.cause == Cause::IssuerSlow));
    }
}

#[test]
fn how_skewed_is_too_skewed() {
    for (skew, outcome) in [
        (60, Outcome::Pass),
        (-60, Outcome::Pass),
        (61, Outcome::Warn),
        (-300, Outcome::Warn),
        (301, Outcome::Fail),
        (i64::MIN, Outcome::Fail),
    ] {
        let mut document = document();
        document.exchange.clock_skew_s = Some(skew);
        let verdict = discovery(&facts(document), &profile());
        assert_eq!(verdict.outcome, outcome, "{skew} s");
    }
}

#[test]
fn statuses_and_their_causes() {
    for (status, cause) in [
        (404, Cause::IssuerNotConfigured),
        (503, Cause::IssuerNotConfigured),
        (403, Cause::JwksUnreachable),
        (429, Cause::IdpThrottled),
        (500, Cause::JwksUnreachable),
        (204, Cause::JwksUnreachable),
    ] {
        let mut document = document();
        (document.discovery, document.exchange.status) = (None, Some(status));
        let verdict = discovery(&facts(document), &profile());
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, cause), "{status}");
    }
}

#[test]
fn key_sets_and_what_becomes_of_them() {
    let key = json!({
        "kty": "EC", "kid": "k", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let with = |name: &str, value: serde_json::Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    for (keys, outcome) in [
        (vec![key.clone()], Outcome::Pass),
        (vec![key.clone(), key.clone()], Outcome::Warn),
        (vec![key.clone(), with("kid", json!(""))], Outcome::Warn),
        (vec![], Outcome::Fail),
        (vec![with("d", json!("AQ"))], Outcome::Fail),
        (vec![with("key_ops", json!(["verify"]))], Outcome::Fail),
        (vec![with("use", json!("enc"))], Outcome::Fail),
        (vec![with("crv", json!("P-192"))], Outcome::Fail),
        (vec![with("use", json!("enc")); 500], Outcome::Fail),
    ] {
        let text = json!({ "keys": keys }).to_string();
        let mut facts = facts(document());
        facts.issuer.keys = Some(KeysFact {
            exchange: exchange(),
            cached_s: None,
            jwks: Jwks::parse(text.as_bytes()).ok(),
            unreadable: None,
        });
        let verdict = jwks(&facts, &profile());
        assert_eq!(verdict.outcome, outcome, "{text:.200}");
        assert!(verdict.findings.iter().all(|f| f.cause == Cause::JwksInvalid));
        assert!(verdict.findings.len() <= 12);
    }
}

#[test]
fn checks_that_share_an_exchange_have_their_own_part_of_its_time() {
    let hop = |name, start_ms, duration_ms| Hop { name, start_ms, duration_ms };
    let mut document = document();
    document.exchange.hops = vec![
        hop(HopName::Resolve, 0.0, 2.0),
        hop(HopName::Connect, 2.0, 10.0),
        hop(HopName::Tls, 12.0, 30.0),
        hop(HopName::Request, 42.0, 50.0),
        hop(HopName::Body, 92.0, 1.4),
    ];
    let facts = facts(document);
    for (check, times) in [(REACHABLE, Some((0, 12))), (TLS, Some((12, 30))), (DISCOVERY, Some((42, 51))), (JWKS, None)]
    {
        assert_eq!(check.hop_times(&facts), times, "{}", check.id);
    }
}

/// Place 15: the URL in the profile has the default port too much; the issuer and its tokens are right.
#[test]
fn a_default_port_written_out_is_the_urls_own_fault() {
    for (typed, said) in [("https://app.example.com:443", true), ("https://app.example.com:8443", false)] {
        let text = json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") }).to_string();
        let discovery = Discovery::parse(text.as_bytes(), typed).ok();
        let facts = facts(DocumentFact { discovery, issuer: typed.into(), ..document() });
        let verdict = discovery_verdict(&facts);
        assert_eq!(verdict.findings[0].cause, Cause::IssuerDiffers, "{typed}");
        let fixed = verdict.findings[0]
            .fixes
            .iter()
            .any(|fix| fix.text.contains("Write the issuer as https://app.example.com:"));
        assert_eq!(fixed, said, "{typed}: {:?}", verdict.findings[0]);
    }
}

fn discovery_verdict(facts: &Facts) -> Verdict {
    discovery(facts, &profile())
}

/// Keys that are sound, and sign in a way that the profile's cloud does not take.
#[test]
fn keys_that_the_cloud_takes_no_token_of() {
    let curve = json!({
        "kty": "EC", "kid": "k", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let modulus = format!("{}w", "x".repeat(341));
    let pss = json!({ "kty": "RSA", "kid": "k", "alg": "PS256", "n": modulus, "e": "AQAB" });
    for (key, guide, cause) in [
        (&curve, Guide::AwsWorkloadIdentity, None),
        (&curve, Guide::AzureWorkloadIdentity, Some(Cause::AlgUnsupported)),
        (&pss, Guide::AwsWorkloadIdentity, Some(Cause::AlgUnsupported)),
    ] {
        let text = json!({ "keys": [key] }).to_string();
        let mut facts = facts(document());
        let jwks = Jwks::parse(text.as_bytes()).ok();
        facts.issuer.keys = Some(KeysFact { exchange: exchange(), cached_s: None, jwks, unreadable: None });
        let verdict = super::jwks(&facts, &Profile { issuer_url: Some(ISSUER.into()), ..Profile::bare("test", guide) });
        assert_eq!(verdict.findings.first().map(|finding| finding.cause), cause, "{guide} {text}");
        assert_eq!(verdict.outcome == Outcome::Fail, cause.is_some(), "{guide} {text}");
    }
}
