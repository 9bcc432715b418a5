//! Answers in place of the discovery document, and documents of another issuer, with fields missing, or by another clock.

use serde_json::Value;

use super::super::servers::{Reply, http, json};
use super::{DOCUMENT, KEYS, discovery, examine, examine_within, issuer_with};

#[test]
fn answers_that_are_no_discovery_document() {
    let html = "<!doctype html><html><title>Sign in</title></html>";
    for (reply, part) in [
        (http("200 OK", &["content-type: text/html"], html), "HTML page"),
        (json("{\"issuer\":"), "not JSON"),
        (json("[]"), "a list"),
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
