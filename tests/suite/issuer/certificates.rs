//! Certificates: the ones no authority vouches for, for another time or another name, and chains with an oddity.

use super::super::servers::{Days, VALID, authority, self_signed, tls};
use super::{examine, examine_within, healthy};

#[test]
fn a_self_signed_certificate_is_refused_and_still_shown() {
    let server = tls(self_signed("localhost"), |port| healthy("https", port));
    let seen = examine(&format!("https://localhost:{}", server.port), &[], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["tls-untrusted"]), "{:#}", seen.json);
    assert!(seen.first()["summary"].as_str().unwrap().contains("self-signed"), "{:#}", seen.json);
    assert_eq!(seen.json["tls"]["accepted"], false);
    assert_eq!(seen.json["tls"]["chain"][0]["is_self_signed"], true);
    assert_eq!(seen.json["tls"]["thumbprint_sha1"].as_str().unwrap().len(), 40);
    assert_eq!(server.requests.lock().unwrap().len(), 0, "nothing is sent over an untrusted connection");
}

#[test]
fn an_authority_nobody_named_is_named_in_the_finding() {
    let authority = authority("Corp Inspection CA");
    let server = tls(authority.identity("localhost", VALID), |port| healthy("https", port));
    let url = format!("https://localhost:{}", server.port);
    let seen = examine(&url, &[], &[]);
    assert_eq!(seen.causes(), ["tls-untrusted"], "{:#}", seen.json);
    assert!(seen.first()["summary"].as_str().unwrap().contains("Corp Inspection CA"));
    assert_eq!(seen.json["tls"]["chain"].as_array().unwrap().len(), 2);
    // The same server, with its authority named by the ecosystem's own variable.
    let seen = examine(&url, &[], &[("SSL_CERT_FILE", authority.file.path().to_str().unwrap())]);
    assert_eq!(seen.code, 0, "{:#}", seen.json);
}

#[test]
fn certificates_outside_their_time_and_for_another_name() {
    let authority = authority("Test Authority");
    for (name, days, causes, part) in [
        ("localhost", Days { from: -90, to: -1 }, &["tls-expired"][..], "has expired"),
        // Nobody else tells the time here, and certificates are not made for later.
        ("localhost", Days { from: 1, to: 90 }, &["tls-expired", "clock-skew"], "not valid yet"),
        ("other.example", VALID, &["tls-name"], "another name"),
    ] {
        let server = tls(authority.identity(name, days), |port| healthy("https", port));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, causes.to_vec()), "{:#}", seen.json);
        assert!(seen.first()["summary"].as_str().unwrap().contains(part), "{}", seen.first());
    }
}

#[test]
fn a_certificate_about_to_expire_is_a_warning() {
    let authority = authority("Test Authority");
    let server = tls(authority.identity("localhost", Days { from: -80, to: 10 }), |port| healthy("https", port));
    let seen = examine_within(10, &authority, &server);
    assert_eq!((seen.code, seen.causes()), (0, vec!["tls-expired"]), "{:#}", seen.json);
    assert_eq!(seen.first()["certainty"], "possible");
}

#[test]
fn a_chain_with_a_certificate_twice_is_a_warning() {
    let authority = authority("Test Authority");
    let twice = authority.identity_with("localhost", |leaf, top| vec![leaf, top.clone(), top]);
    let server = tls(twice, |port| healthy("https", port));
    let seen = examine_within(10, &authority, &server);
    assert_eq!((seen.code, seen.causes()), (0, vec!["thumbprint"]), "{:#}", seen.json);
    assert_eq!(seen.json["tls"]["oddities"][0]["oddity"], "duplicate");
}

#[test]
fn a_machine_without_authorities_can_tell_nothing_about_a_certificate() {
    let server = tls(self_signed("localhost"), |port| healthy("https", port));
    let none = [("SSL_CERT_FILE", "/nonexistent/certificates.pem")];
    let seen = examine(&format!("https://localhost:{}", server.port), &[], &none);
    assert_eq!(seen.code, 3, "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["kind"], "trust-store");
    assert_eq!(seen.json["tls"]["chain"].as_array().unwrap().len(), 1);
}
