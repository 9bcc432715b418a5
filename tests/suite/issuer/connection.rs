//! Hosts that refuse, swallow, cut, stay silent or take too long.

use std::collections::HashMap;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::super::servers::{Reply, json, plain, raw};
use super::super::support::RunningLab;
use super::{DOCUMENT, KEYS, discovery, examine, examine_within, issuer_with, keys};

#[test]
fn what_one_host_serves_comes_over_one_connection() {
    let lab = RunningLab::start("healthy");
    let seen = examine(lab.ready["issuer"].as_str().unwrap(), &["--ca-file", &lab.file("ca.pem")], &[]);
    assert_eq!((seen.code, seen.hops()), (0, vec!["connect", "tls", "request", "body"]), "{:#}", seen.json);
    let of_keys: Vec<&str> =
        seen.json["jwks"]["hops"].as_array().unwrap().iter().map(|hop| hop["name"].as_str().unwrap()).collect();
    assert_eq!(of_keys, ["request", "body"]);
    assert!(seen.json["tls"]["thumbprint_sha1"].is_string(), "{:#}", seen.json);
}

#[test]
fn a_closed_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seen = examine(&format!("https://localhost:{port}"), &[], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["connect-refused"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "connect");
}

#[test]
fn a_name_that_does_not_resolve() {
    let seen = examine("https://nothing.invalid", &["--timeout", "5"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["dns"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "resolve");
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
fn a_server_that_says_nothing_ends_with_the_timeout() {
    // Before TLS.
    let silent = raw(|stream| async move {
        let _open = stream;
        std::future::pending().await
    });
    let seen = examine(&format!("https://localhost:{}", silent.port), &["--timeout", "1"], &[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["issuer-slow"]), "{:#}", seen.json);
    assert_eq!(seen.json["failure"]["hop"], "tls");
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
