//! Through a proxy, one that works and ones that do not.

use tokio::io::AsyncWriteExt as _;

use super::super::servers::{VALID, authority, raw, read_head, tls, tunnel};
use super::{examine, healthy};

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
