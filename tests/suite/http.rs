//! The one HTTP stack as the clouds' SDKs use it: trust, observation of concurrent exchanges, typed failures.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use trustline::check::facts::network::{Exchange, FailureKind, HopName, NetworkFailure};
use trustline::probe::http::{HttpSettings, HttpStack, ObservedClient, ProxyUse, connector, network_failure};

use super::servers::{Authority, Reply, Server, VALID, authority, http, plain, read_head, self_signed, tls, tls_raw};

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>U</UserId><Account>123456789012</Account>\
</GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn stack(ca_pem: Option<Vec<u8>>, timeout: Duration) -> HttpStack {
    HttpStack::new(&HttpSettings { ca_pem, ca_of_clients: Vec::new(), timeout, proxy: ProxyUse::None }).unwrap()
}

fn sts(client: &ObservedClient, endpoint: String) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "example", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(connector(client))
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// Asks the caller's identity, and expects the network to fail.
fn failure(stack: &HttpStack, endpoint: String) -> (NetworkFailure, Vec<Exchange>) {
    let client = stack.client();
    let error = runtime().block_on(sts(&client, endpoint).get_caller_identity().send()).unwrap_err();
    (network_failure(&error).unwrap_or_else(|| panic!("{error:?}")).clone(), client.take_exchanges())
}

fn sts_server(identity: ServerConfig) -> Server {
    tls(identity, |_| HashMap::from([("/", http("200 OK", &["content-type: text/xml"], IDENTITY))]))
}

#[test]
fn the_aws_sdk_talks_over_our_client() {
    let authority = authority("Test Authority");
    let server = sts_server(authority.identity("localhost", VALID));
    let stack = stack(Some(std::fs::read(authority.file.path()).unwrap()), Duration::from_secs(10));
    let client = stack.client();
    let endpoint = format!("https://localhost:{}", server.port);
    let output = runtime().block_on(sts(&client, endpoint.clone()).get_caller_identity().send()).unwrap();
    assert_eq!(output.account(), Some("123456789012"));
    let exchanges = client.take_exchanges();
    let [exchange] = &exchanges[..] else { panic!("{exchanges:?}") };
    assert_eq!((exchange.method.as_str(), exchange.url.as_str()), ("POST", format!("{endpoint}/").as_str()));
    assert_eq!(exchange.status, Some(200));
    let hops: Vec<HopName> = exchange.hops.iter().map(|h| h.name).collect();
    assert_eq!(hops, [HopName::Resolve, HopName::Connect, HopName::Tls, HopName::Request, HopName::Body]);
    assert!(client.take_exchanges().is_empty());
}

#[test]
fn an_sdk_error_gives_the_typed_failure_back() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stack = stack(None, Duration::from_secs(1));
    let (refused, exchanges) = failure(&stack, format!("http://127.0.0.1:{closed}"));
    assert_eq!((refused.hop, &refused.kind), (HopName::Connect, &FailureKind::Refused));
    assert_eq!(exchanges[0].failure.as_ref(), Some(&refused));

    let untrusted = sts_server(self_signed("localhost"));
    let (untrusted, exchanges) = failure(&stack, format!("https://localhost:{}", untrusted.port));
    assert!(matches!(untrusted.kind, FailureKind::TlsUntrusted { self_signed: true, .. }), "{untrusted:?}");
    assert_eq!(exchanges[0].tls.as_ref().map(|t| t.chain.certificates.len()), Some(1));

    let silent = plain(|_| HashMap::from([("/", Reply::Silence)]));
    let (late, _) = failure(&stack, format!("http://127.0.0.1:{}", silent.port));
    assert_eq!((late.hop, &late.kind), (HopName::Request, &FailureKind::Timeout));

    let (unknown, _) = failure(&stack, "https://nothing.invalid".to_owned());
    assert_eq!((unknown.hop, &unknown.kind), (HopName::Resolve, &FailureKind::Dns));
}

#[test]
fn a_failure_names_no_query_and_no_credentials() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://user:p4ss@127.0.0.1:{closed}/path?token=s3cret#f").parse().unwrap();
    let observed = runtime().block_on(stack(None, Duration::from_secs(1)).client().get(url, &[], 10));
    let json = serde_json::to_string(&observed.exchange).unwrap();
    assert!(observed.answer.is_none());
    assert!(!json.contains("p4ss") && !json.contains("s3cret"), "{json}");
    assert_eq!(observed.exchange.url, format!("http://127.0.0.1:{closed}/path"));
}

#[test]
fn exchanges_at_the_same_time_do_not_mix() {
    let authority = authority("Test Authority");
    let slow = |port: u16| {
        let late = Duration::from_millis(if port.is_multiple_of(2) { 50 } else { 150 });
        HashMap::from([("/", Reply::Late(late, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()))])
    };
    let servers: Vec<Server> = (0..6).map(|_| tls(authority.identity("localhost", VALID), slow)).collect();
    let stack = stack(Some(std::fs::read(authority.file.path()).unwrap()), Duration::from_secs(10));
    let client = stack.client();
    let seen = runtime().block_on(async {
        let asked = servers.iter().map(|server| {
            let (client, port) = (client.clone(), server.port);
            tokio::spawn(async move {
                (port, client.get(format!("https://localhost:{port}/").parse().unwrap(), &[], 10).await)
            })
        });
        let mut seen = Vec::new();
        for task in asked.collect::<Vec<_>>() {
            seen.push(task.await.unwrap());
        }
        seen
    });
    let mut leaves = std::collections::HashSet::new();
    for (port, observed) in &seen {
        let exchange = &observed.exchange;
        assert_eq!(exchange.hops.len(), 5, "{exchange:?}");
        assert!(exchange.url.contains(&port.to_string()));
        let tls = exchange.tls.as_ref().unwrap();
        // Each server has a certificate of its own.
        assert!(leaves.insert(tls.chain.certificates[0].thumbprint_sha1.clone()));
    }
    assert_eq!(client.take_exchanges().len(), 6);
}

#[test]
fn a_reused_connection_has_no_hops_of_its_own_and_a_fresh_one_has_all() {
    let keep_alive = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    let server = tls_keep_alive(keep_alive);
    let stack = stack(Some(std::fs::read(server.0.file.path()).unwrap()), Duration::from_secs(10));
    let url: reqwest::Url = format!("https://localhost:{}/", server.1.port).parse().unwrap();
    runtime().block_on(async {
        let names = |e: &Exchange| e.hops.iter().map(|h| h.name.id()).collect::<Vec<_>>().join(" ");
        let first = stack.client().get(url.clone(), &[], 10).await.exchange;
        assert_eq!(names(&first), "resolve connect tls request body");
        // The connection is open for others once its task has seen the answer's end, which may take a moment.
        let mut second = first;
        for _ in 0..200 {
            second = stack.client().get(url.clone(), &[], 10).await.exchange;
            if second.tls.is_none() {
                break;
            }
        }
        assert_eq!((names(&second).as_str(), second.tls), ("request body", None));
        let fresh = stack.fresh_client().get(url, &[], 10).await.exchange;
        assert_eq!(names(&fresh), "resolve connect tls request body");
    });
}

fn tls_keep_alive(reply: Vec<u8>) -> (Authority, Server) {
    let authority = authority("Test Authority");
    let server = tls_raw(authority.identity("localhost", VALID), move |mut stream| {
        let reply = reply.clone();
        async move {
            loop {
                read_head(&mut stream).await?;
                stream.write_all(&reply).await?;
                stream.flush().await?;
            }
        }
    });
    (authority, server)
}

#[test]
fn an_old_servers_version_is_told() {
    let authority = authority("Test Authority");
    let key_and_chain = authority.identity("localhost", VALID).cert_resolver;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let old = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(key_and_chain);
    let server = sts_server(old);
    let stack = stack(Some(std::fs::read(authority.file.path()).unwrap()), Duration::from_secs(10));
    let url = format!("https://localhost:{}/", server.port).parse().unwrap();
    let exchange = runtime().block_on(stack.client().get(url, &[], 1000)).exchange;
    assert_eq!(exchange.tls.unwrap().version.as_deref(), Some("TLS 1.2"));
    assert_eq!(exchange.http_version.as_deref(), Some("HTTP/1.1"));
}
