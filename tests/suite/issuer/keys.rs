//! Key sets with problems, and keys that cannot be fetched.

use super::super::servers::{Reply, http, json};
use super::{discovery, examine_within, issuer_with, issuer_with_keys, keys};

#[test]
fn key_sets_with_problems() {
    for (body, code, cause, part) in [
        (keys(&["k1", "k1"]), 0, "jwks-invalid", "share the kid"),
        (keys(&[]), 1, "jwks-invalid", "empty"),
        ("<html></html>".to_owned(), 1, "jwks-invalid", "HTML"),
        ("{}".to_owned(), 1, "jwks-invalid", "keys"),
    ] {
        let (authority, server) = issuer_with_keys(json(&body));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (code, vec![cause]), "{body}: {:#}", seen.json);
        assert!(seen.first()["summary"].as_str().unwrap().contains(part), "{}", seen.first());
    }
}

#[test]
fn keys_that_cannot_be_fetched() {
    for (reply, cause) in [
        (http("500 Internal Server Error", &[], ""), "jwks-unreachable"),
        (http("404 Not Found", &[], ""), "jwks-unreachable"),
        (http("302 Found", &["location: https://elsewhere.example/keys"], ""), "issuer-redirect"),
        (Reply::Hangup, "jwks-unreachable"),
        (Reply::Silence, "issuer-slow"),
    ] {
        let (authority, server) = issuer_with_keys(reply);
        let seen = examine_within(1, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec![cause]), "{:#}", seen.json);
        assert_eq!(seen.first()["check"], "issuer.jwks");
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (authority, server) = issuer_with(|issuer| json(&discovery(issuer, &format!("https://localhost:{closed}/"))));
    let seen = examine_within(5, &authority, &server);
    assert_eq!(seen.causes(), ["jwks-unreachable"], "{:#}", seen.json);
}
