//! `trustline issuer` against servers that behave and servers that misbehave.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::servers::{
    Authority, Days, Reply, Server, VALID, authority, http, json, plain, raw, read_head, self_signed, tls, tunnel,
};
use super::support::trustline;

const DOCUMENT: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/keys";

/// The time a command may take beyond its `--timeout`: starting it on a busy machine.
const MARGIN: Duration = Duration::from_secs(4);

/// What the command said.
struct Seen {
    code: i32,
    json: Value,
    took: Duration,
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
    let started = Instant::now();
    let output = trustline()
        .args(["issuer", url, "--output", "json"])
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let took = started.elapsed();
    let text = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    Seen { code: output.status.code().unwrap(), json, took }
}

fn discovery(issuer: &str, jwks_uri: &str) -> String {
    serde_json::json!({
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
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

/// Examines `server` with `authority` trusted, and expects an end within the timeout.
fn examine_within(seconds: u64, authority: &Authority, server: &Server) -> Seen {
    let ca = authority.file.path().to_str().unwrap();
    let url = format!("https://localhost:{}", server.port);
    let timeout = seconds.to_string();
    let seen = examine(&url, &["--ca-file", ca, "--timeout", &timeout], &[]);
    assert!(seen.took < Duration::from_secs(seconds) + MARGIN, "took {:?}", seen.took);
    seen
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
fn a_closed_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seen = examine(&format!("https://localhost:{port}"), &[], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["connect-refused"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "connect");
    assert!(seen.took < MARGIN);
}

#[test]
fn a_name_that_does_not_resolve() {
    let seen = examine("https://nothing.invalid", &["--timeout", "5"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["dns"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "resolve");
    assert!(seen.took < Duration::from_secs(5) + MARGIN);
}

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
    for (name, days, cause, part) in [
        ("localhost", Days { from: -90, to: -1 }, "tls-expired", "has expired"),
        ("localhost", Days { from: 1, to: 90 }, "tls-expired", "not valid yet"),
        ("other.example", VALID, "tls-name", "another name"),
    ] {
        let server = tls(authority.identity(name, days), |port| healthy("https", port));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec![cause]), "{:#}", seen.json);
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
fn answers_that_are_no_discovery_document() {
    let html = "<!doctype html><html><title>Sign in</title></html>";
    for (reply, part) in [
        (http("200 OK", &["content-type: text/html"], html), "HTML page"),
        (json("{\"issuer\":"), "not JSON"),
        (json("[]"), "an array"),
        (json(""), "empty"),
    ] {
        let (authority, server) = issuer_with(|_| reply.clone());
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec!["discovery-invalid"]), "{:#}", seen.json);
        assert!(seen.first()["summary"].as_str().unwrap().contains(part), "{}", seen.first());
        assert!(seen.json["jwks"].is_null());
    }
}

#[test]
fn answers_without_end_are_cut() {
    let announced = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2147483648\r\n\r\n{";
    let unannounced = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{";
    for head in [announced, unannounced] {
        let (authority, server) = issuer_with(|_| Reply::Endless(head.as_bytes().to_vec()));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec!["discovery-invalid"]), "{:#}", seen.json);
        assert_eq!(seen.json["failure"]["kind"], "too-large");
        assert!(seen.took < Duration::from_secs(8));
    }
}

#[test]
fn headers_without_end_are_cut() {
    let (authority, server) = issuer_with(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\nx-filler: ".to_vec()));
    let seen = examine_within(10, &authority, &server);
    assert_eq!((seen.code, seen.causes()), (1, vec!["discovery-invalid"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["kind"], "protocol");
}

#[test]
fn a_host_that_swallows_packets() {
    // A queue that is full and never emptied: the system drops what comes on top, as a firewall would.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.listen(1).unwrap()
    });
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
    }
    let seen = examine(&format!("https://127.0.0.1:{}", address.port()), &["--timeout", "1"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["connect-timeout"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "connect");
    assert!(seen.took < Duration::from_secs(1) + MARGIN);
}

#[test]
fn an_answer_of_one_byte_a_second_ends_with_the_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let (authority, server) = issuer_with(|_| Reply::Drip(head.as_bytes().to_vec()));
    let seen = examine_within(2, &authority, &server);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-slow"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "body");
}

#[test]
fn an_answer_cut_off_in_the_middle() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let (authority, server) = issuer_with(|_| Reply::Bytes(head.as_bytes().to_vec()));
    let seen = examine_within(5, &authority, &server);
    assert_eq!(seen.causes(), ["discovery-invalid"], "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["kind"], "truncated");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let (authority, server) = issuer_with(|issuer| http("302 Found", &[&format!("location: {issuer}{DOCUMENT}")], ""));
    let seen = examine_within(10, &authority, &server);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-redirect"]), "{:#}", seen.json);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
    assert!(seen.first()["summary"].as_str().unwrap().contains(DOCUMENT));
}

#[test]
fn a_server_that_says_nothing_ends_with_the_timeout() {
    // Before TLS.
    let silent = raw(|stream| async move {
        let _open = stream;
        std::future::pending().await
    });
    let seen = examine(&format!("https://localhost:{}", silent.port), &["--timeout", "1"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-slow"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "tls");
    assert!(seen.took < Duration::from_secs(1) + MARGIN, "{:?}", seen.took);
    // After the request; the keys are then not asked for.
    let (authority, server) = issuer_with(|_| Reply::Silence);
    let seen = examine_within(1, &authority, &server);
    assert_eq!(seen.causes(), ["issuer-slow"], "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "request");
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[test]
fn two_slow_answers_share_the_timeout() {
    let late = |body: &str| match json(body) {
        Reply::Bytes(bytes) => Reply::Late(Duration::from_millis(1200), bytes),
        other => other,
    };
    let server = plain(|port| {
        let issuer = format!("http://localhost:{port}");
        HashMap::from([(DOCUMENT, late(&discovery(&issuer, &format!("{issuer}{KEYS}")))), (KEYS, late(&keys(&["k1"])))])
    });
    let seen = examine(&format!("http://localhost:{}", server.port), &["--timeout", "2"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-slow"]), "{:#}", seen.json);
    assert_eq!(seen.first()["check"], "issuer.jwks");
    let probed = seen.json["duration_ms"].as_f64().unwrap() + seen.json["jwks"]["duration_ms"].as_f64().unwrap();
    assert!(probed < 2100.0, "{probed} ms");
}

#[test]
fn a_server_slower_than_the_cloud_waits_is_found_with_the_default_timeout() {
    let (authority, server) = issuer_with(|issuer| match json(&discovery(issuer, &format!("{issuer}{KEYS}"))) {
        Reply::Bytes(bytes) => Reply::Late(Duration::from_millis(5200), bytes),
        other => other,
    });
    let url = format!("https://localhost:{}", server.port);
    let seen = examine(&url, &["--ca-file", authority.file.path().to_str().unwrap()], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-slow"]), "{:#}", seen.json);
    assert_eq!(seen.first()["certainty"], "proven");
    assert!(seen.json["failure"].is_null());
}

#[test]
fn an_issuer_that_is_not_set_up() {
    for status in ["404 Not Found", "503 Service Unavailable"] {
        let (authority, server) = issuer_with(|_| http(status, &[], ""));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-not-configured"]), "{:#}", seen.json);
        let text = seen.evidence();
        assert!(text.contains("OIDC_PRIVATE_KEY") && text.contains("OIDC_ISSUER"), "{text}");
    }
}

#[test]
fn other_statuses() {
    for (status, cause) in [
        ("403 Forbidden", "jwks-unreachable"),
        ("500 Internal Server Error", "jwks-unreachable"),
        ("429 Too Many Requests", "idp-throttled"),
    ] {
        let (authority, server) = issuer_with(|_| http(status, &[], ""));
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (1, vec![cause]), "{:#}", seen.json);
    }
}

#[test]
fn a_document_of_another_issuer() {
    for (change, how) in [
        ((|issuer: &str| format!("{issuer}/")) as fn(&str) -> String, "slash at the end"),
        (|issuer| issuer.replace("localhost", "LocalHost"), "letter case"),
        (|issuer| issuer.replace("https:", "http:"), "scheme"),
        (|_| "https://other.example".to_owned(), "issuer-differs"),
    ] {
        let (authority, server) = issuer_with(|issuer| json(&discovery(&change(issuer), &format!("{issuer}{KEYS}"))));
        let seen = examine_within(10, &authority, &server);
        let issuer = format!("https://localhost:{}", server.port);
        assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-differs"]), "{:#}", seen.json);
        assert_eq!(seen.first()["expected"], issuer);
        assert_eq!(seen.first()["actual"], change(&issuer));
        assert!(seen.first().to_string().contains(how), "{}", seen.first());
    }
}

#[test]
fn a_trailing_slash_that_was_asked_for_is_right() {
    let (authority, server) = issuer_with(|issuer| json(&discovery(&format!("{issuer}/"), &format!("{issuer}{KEYS}"))));
    let ca = authority.file.path().to_str().unwrap();
    let seen = examine(&format!("https://localhost:{}/", server.port), &["--ca-file", ca], &[]);
    assert_eq!((seen.code, seen.causes().len()), (0, 0), "{:#}", seen.json);
}

#[test]
fn fields_that_are_missing() {
    for (field, code) in [
        ("issuer", 1),
        ("jwks_uri", 1),
        ("response_types_supported", 1),
        ("subject_types_supported", 1),
        ("id_token_signing_alg_values_supported", 1),
        ("claims_supported", 0),
    ] {
        let (authority, server) = issuer_with(|issuer| {
            let mut document: Value = serde_json::from_str(&discovery(issuer, &format!("{issuer}{KEYS}"))).unwrap();
            document.as_object_mut().unwrap().remove(field);
            json(&document.to_string())
        });
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (code, vec!["discovery-invalid"]), "{field}: {:#}", seen.json);
        assert!(seen.first()["summary"].as_str().unwrap().contains(field));
    }
}

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

#[test]
fn a_clock_that_differs() {
    for (minutes, code, certainty) in [(-20, 1, "likely"), (2, 0, "possible")] {
        let date = time::OffsetDateTime::now_utc() + time::Duration::minutes(minutes);
        let format = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let date = format!("date: {}", date.format(format).unwrap());
        let (authority, server) = issuer_with(|issuer| {
            let body = discovery(issuer, &format!("{issuer}{KEYS}"));
            http("200 OK", &["content-type: application/json", &date], &body)
        });
        let seen = examine_within(10, &authority, &server);
        assert_eq!((seen.code, seen.causes()), (code, vec!["clock-skew"]), "{:#}", seen.json);
        assert_eq!(seen.first()["certainty"], certainty);
        let skew = seen.json["clock_skew_s"].as_i64().unwrap();
        assert!((skew - minutes * 60).abs() <= 10, "{skew}");
    }
}

#[test]
fn connections_that_are_cut_and_servers_that_speak_something_else() {
    for (server, cause, kind) in [
        (raw(|mut stream| async move { stream.shutdown().await }), "jwks-unreachable", "reset"),
        (
            raw(|mut stream| async move {
                stream.write_all(b"220 mail.example ESMTP\r\n").await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
            }),
            "jwks-unreachable",
            "tls-absent",
        ),
        (
            raw(|mut stream| async move {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
                stream.shutdown().await?;
                // Leaves the close to the client, so that the answer is not lost to a reset.
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
            }),
            "jwks-unreachable",
            "tls-absent",
        ),
    ] {
        let seen = examine(&format!("https://localhost:{}", server.port), &["--timeout", "3"], &[]);
        assert_eq!((seen.code, seen.causes()), (1, vec![cause]), "{:#}", seen.json);
        assert_eq!((&seen.json["failure"]["hop"], &seen.json["failure"]["kind"]), (&"tls".into(), &kind.into()));
    }
}

#[test]
fn through_a_proxy_that_works() {
    let authority = authority("Test Authority");
    let server = tls(authority.identity("localhost", VALID), |port| healthy("https", port));
    let port = server.port;
    let proxy = raw(move |mut stream| async move {
        assert!(read_head(&mut stream).await?.starts_with(&format!("CONNECT localhost:{port} ")));
        tunnel(stream, port).await
    });
    let address = format!("http://user:p4ss@127.0.0.1:{}", proxy.port);
    let ca = authority.file.path().to_str().unwrap();
    let url = format!("https://localhost:{port}");
    let seen = examine(&url, &["--ca-file", ca], &[("HTTPS_PROXY", &address)]);
    assert_eq!((seen.code, seen.causes().len()), (0, 0), "{:#}", seen.json);
    assert_eq!(seen.json["proxy"], format!("http://127.0.0.1:{}/", proxy.port));
    assert!(!seen.json.to_string().contains("p4ss"));
    assert_eq!(seen.hops(), ["connect", "tls", "request", "body"]);
    // NO_PROXY leaves it out.
    let seen = examine(&url, &["--ca-file", ca], &[("HTTPS_PROXY", &address), ("NO_PROXY", "localhost")]);
    assert_eq!(seen.code, 0);
    assert!(seen.json["proxy"].is_null());
}

#[test]
fn through_proxies_that_do_not_work() {
    let refusing = |answer: &'static str| {
        raw(move |mut stream| async move {
            read_head(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        })
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (proxy, kind) in [
        (refusing("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "proxy-auth"),
        (refusing("HTTP/1.1 403 Forbidden\r\n\r\n"), "proxy-refused"),
        (refusing(""), "proxy-refused"),
    ] {
        let address = format!("http://127.0.0.1:{}", proxy.port);
        let seen = examine("https://app.example.com", &["--timeout", "5"], &[("HTTPS_PROXY", &address)]);
        // A proxy's refusal says nothing of the issuer: it could not be checked.
        assert_eq!((seen.code, seen.causes()), (3, vec!["proxy"]), "{:#}", seen.json);
        assert_eq!(seen.json["failure"]["kind"], kind);
    }
    for address in [format!("http://127.0.0.1:{closed}"), "http://nothing.invalid:3128".to_owned()] {
        let seen = examine("https://app.example.com", &["--timeout", "5"], &[("HTTPS_PROXY", &address)]);
        assert_eq!((seen.code, seen.causes()), (3, vec!["proxy"]), "{:#}", seen.json);
        assert_eq!(seen.json["failure"]["kind"], "proxy-unreachable");
    }
}

#[test]
fn plain_http_through_a_proxy_that_wants_credentials() {
    let proxy = raw(|mut stream| async move {
        assert!(read_head(&mut stream).await?.starts_with("GET http://localhost:1/"));
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await?;
        stream.shutdown().await
    });
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let seen = examine("http://localhost:1", &["--timeout", "5"], &[("HTTP_PROXY", &address)]);
    assert_eq!((seen.code, seen.causes()), (3, vec!["proxy"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["kind"], "proxy-auth");
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
