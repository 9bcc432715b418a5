//! `trustline issuer` against servers that behave and servers that misbehave.

mod certificates;
mod clouds;
mod connection;
mod document;
mod keys;
mod proxy;
mod rotation;

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::servers::{Authority, Reply, Server, VALID, authority, json, plain, tls};
use super::support::trustline;

const DOCUMENT: &str = "/.well-known/openid-configuration";

const KEYS: &str = "/keys";

/// What the command said.
struct Seen {
    code: i32,
    json: Value,
}

impl Seen {
    /// The causes of the problems, in order.
    fn causes(&self) -> Vec<&str> {
        self.json["problems"].as_array().unwrap().iter().map(|p| p["cause"].as_str().unwrap()).collect()
    }

    fn first(&self) -> &Value {
        &self.json["problems"][0]
    }

    fn hops(&self) -> Vec<&str> {
        self.json["hops"].as_array().unwrap().iter().map(|h| h["name"].as_str().unwrap()).collect()
    }

    fn evidence(&self) -> String {
        self.json["problems"].to_string()
    }
}

fn examine(url: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Seen {
    let output = trustline()
        .args(["issuer", url, "--output", "json"])
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    Seen { code: output.status.code().unwrap(), json }
}

fn discovery(issuer: &str, jwks_uri: &str) -> String {
    serde_json::json!({
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "claims_supported": ["sub", "aud", "iss", "iat", "exp"],
    })
    .to_string()
}

fn key(kid: &str) -> Value {
    // The point of RFC 7515 appendix A.3.
    serde_json::json!({
        "kty": "EC", "kid": kid, "alg": "ES256", "use": "sig", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn keys(kids: &[&str]) -> String {
    serde_json::json!({ "keys": kids.iter().map(|kid| key(kid)).collect::<Vec<_>>() }).to_string()
}

/// A healthy issuer's replies, on a scheme.
fn healthy(scheme: &str, port: u16) -> HashMap<&'static str, Reply> {
    let issuer = format!("{scheme}://localhost:{port}");
    HashMap::from([
        (DOCUMENT, json(&discovery(&issuer, &format!("{issuer}{KEYS}")))),
        (KEYS, json(&keys(&["k1", "k2"]))),
    ])
}

/// An issuer over TLS that is healthy but for its document.
fn issuer_with(document: impl Fn(&str) -> Reply) -> (Authority, Server) {
    let authority = authority("Test Authority");
    let server = tls(authority.identity("localhost", VALID), |port| {
        let mut replies = healthy("https", port);
        replies.insert(DOCUMENT, document(&format!("https://localhost:{port}")));
        replies
    });
    (authority, server)
}

/// An issuer over TLS that is healthy but for its keys.
fn issuer_with_keys(reply: Reply) -> (Authority, Server) {
    let authority = authority("Test Authority");
    let server = tls(authority.identity("localhost", VALID), |port| {
        let mut replies = healthy("https", port);
        replies.insert(KEYS, reply.clone());
        replies
    });
    (authority, server)
}

/// Examines `server` with `authority` trusted, for so many seconds.
fn examine_within(seconds: u64, authority: &Authority, server: &Server) -> Seen {
    let ca = authority.file.path().to_str().unwrap();
    let url = format!("https://localhost:{}", server.port);
    let timeout = seconds.to_string();
    examine(&url, &["--ca-file", ca, "--timeout", &timeout], &[])
}

#[test]
fn a_healthy_issuer_over_tls() {
    let authority = authority("Test Authority");
    let server = tls(authority.identity("localhost", VALID), |port| healthy("https", port));
    let seen = examine_within(10, &authority, &server);
    assert_eq!(seen.causes(), [""; 0], "{:#}", seen.json);
    assert_eq!(seen.code, 0);
    assert_eq!(seen.json["schema"], "trustline.issuer/1");
    assert_eq!(seen.json["issuer"], format!("https://localhost:{}", server.port));
    assert_eq!(seen.hops(), ["resolve", "connect", "tls", "request", "body"]);
    assert_eq!(seen.json["tls"]["version"], "TLS 1.3");
    assert_eq!(seen.json["tls"]["accepted"], true);
    let kids: Vec<_> = seen.json["jwks"]["keys"].as_array().unwrap().iter().map(|k| k["kid"].clone()).collect();
    assert_eq!(kids, ["k1", "k2"]);

    // IAM's thumbprint is that of the last certificate served: SHA-1 over its DER form.
    let chain = seen.json["tls"]["chain"].as_array().unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &authority.der());
    let thumbprint: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[0]["names"], serde_json::json!(["localhost"]));
    assert_eq!(chain[1]["thumbprint_sha1"], thumbprint);
    assert_eq!(chain[1]["wanted_by_iam"], true);
    assert_eq!(seen.json["tls"]["thumbprint_sha1"], thumbprint);
}

#[test]
fn hops_follow_each_other_and_fill_the_time() {
    let (authority, server) = issuer_with(|issuer| match json(&discovery(issuer, &format!("{issuer}{KEYS}"))) {
        Reply::Bytes(bytes) => Reply::Late(Duration::from_millis(300), bytes),
        other => other,
    });
    let seen = examine_within(10, &authority, &server);
    let hops = seen.json["hops"].as_array().unwrap();
    let mut end = 0.0;
    for hop in hops {
        let (start, duration) = (hop["start_ms"].as_f64().unwrap(), hop["duration_ms"].as_f64().unwrap());
        assert!(start >= end - 0.01 && duration >= 0.0, "{:#}", seen.json["hops"]);
        end = start + duration;
    }
    let request = hops.iter().find(|h| h["name"] == "request").unwrap()["duration_ms"].as_f64().unwrap();
    assert!(request >= 300.0, "{request}");
    assert!(end <= seen.json["duration_ms"].as_f64().unwrap() + 0.01);
}

#[test]
fn a_healthy_issuer_on_plain_http_of_this_machine() {
    let server = plain(|port| healthy("http", port));
    let seen = examine(&format!("http://localhost:{}", server.port), &[], &[]);
    assert_eq!((seen.code, seen.causes().len()), (0, 0), "{:#}", seen.json);
    assert_eq!(seen.hops(), ["resolve", "connect", "request", "body"]);
    assert!(seen.json["tls"].is_null());
    assert!(seen.json["notes"].to_string().contains("clouds need https"));
}

#[test]
fn the_well_known_path_may_be_pasted_along() {
    let server = plain(|port| healthy("http", port));
    let seen = examine(&format!("http://localhost:{}{DOCUMENT}", server.port), &[], &[]);
    assert_eq!(seen.code, 0);
    assert_eq!(seen.json["issuer"], format!("http://localhost:{}", server.port));
    assert!(seen.json["notes"].to_string().contains("not part of the issuer"));
}

#[test]
fn urls_that_are_no_issuers_are_refused() {
    for (url, part) in [
        ("http://app.example.com", "https://app.example.com"),
        ("https://app.example.com?x=1", "has no query"),
        ("https://<your-platform-host>", "placeholder"),
        ("ftp://app.example.com", "ftp:"),
    ] {
        let output = trustline().args(["issuer", url]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{url}: {stderr}");
        assert!(stderr.contains(part), "{url}: {stderr}");
    }
}

#[test]
fn a_ca_file_that_is_none_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for (path, part) in [(path, "holds no certificate"), ("/nonexistent/ca.pem", "No such file")] {
        let output = trustline().args(["issuer", "https://localhost:1", "--ca-file", path]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(part));
    }
}

#[test]
fn the_text_shows_hops_certificates_keys_and_problems_without_escapes_from_outside() {
    let (authority, server) = issuer_with(|issuer| {
        let document = discovery(issuer, &format!("{issuer}{KEYS}")).replace("\"public\"", "\"pub\\u001b[2Jlic\"");
        json(&document)
    });
    let output = trustline()
        .args(["issuer", &format!("https://localhost:{}", server.port), "--ca-file"])
        .arg(authority.file.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "resolve",
        "connect",
        "tls",
        "request",
        "TLS 1.3",
        "sha1",
        "IAM provider",
        "jwks_uri",
        "k1",
        "ES256",
        "PASS with warnings",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}
