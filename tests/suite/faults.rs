//! Every fault of a network at every hop of the chain: what is told.
//!
//! `cargo test faults::black_hole` runs one.

mod clock;
mod compressed;
mod families;
mod proxies;

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use trustline::check::CheckId;
use trustline::domain::profile::document;
use trustline::domain::profile::resolve::resolve;
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};
use trustline::run::plan::{Limits, Selection};
use trustline::run::probes::NetworkProbes;
use trustline::run::report::Report;
use trustline::run::runner::{self, RunRequest};

use super::servers::{Authority, Days, Server, VALID, authority, json, raw, read_head, self_signed, tls, tls_raw};
use super::support::RunningLab;

/// What one operation may take, and the whole run.
const OPERATION: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(20);
const NO_PAUSE: Duration = Duration::from_millis(1);

/// A hop: its name, the checks that look at it, and the key of the profile that leads there.
const HOPS: &[(&str, &[CheckId], &str)] = &[
    ("discovery", &[CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery], "issuer.url"),
    ("keys", &[CheckId::IssuerJwks], "issuer.url"),
    ("sts", &[CheckId::AwsAssumeRoleWithWebIdentity], "aws.sts-endpoint-url"),
    ("secrets", &[CheckId::AwsGetSecret], "aws.secretsmanager-endpoint-url"),
    ("entra", &[CheckId::AzureExchange], "azure.authority-host"),
    ("vault", &[CheckId::AzureGetSecret], "azure.vault-url"),
    ("deployment", &[CheckId::DeploymentReachable], "deployment.url"),
];

/// Something listening that does one wrong thing.
enum Faulty {
    Server(Server),
    /// A port with nothing behind it.
    Closed(u16),
    /// A queue that is full and never emptied, as a firewall that drops packets.
    Full {
        port: u16,
        _held: Box<dyn std::any::Any + Send + Sync>,
    },
}

impl Faulty {
    fn port(&self) -> u16 {
        match self {
            Faulty::Server(server) => server.port,
            Faulty::Closed(port) | Faulty::Full { port, .. } => *port,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.port())
    }
}

/// A server that reads a request's head and writes these bytes, then the end.
fn answers(identity: ServerConfig, bytes: &'static [u8]) -> Faulty {
    Faulty::Server(tls_raw(identity, move |mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
    }))
}

/// A server that reads a request's head and writes these bytes again and again, with a pause between.
fn repeats(identity: ServerConfig, first: &'static [u8], bytes: &'static [u8], pause: Duration) -> Faulty {
    Faulty::Server(tls_raw(identity, move |mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(first).await?;
        loop {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            tokio::time::sleep(pause).await;
        }
    }))
}

/// A server that answers the first bytes with these, without ever speaking TLS itself.
fn says(bytes: &[u8]) -> Faulty {
    let bytes: Arc<[u8]> = bytes.into();
    Faulty::Server(raw(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
        }
    }))
}

/// The `ServerHello` of a server that knows nothing newer than this version (RFC 2246, 7.4.1.3): 32 random bytes, no
/// session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression.
fn server_hello(version: u8) -> Vec<u8> {
    let hello = [&[3, version][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let length = u8::try_from(hello.len()).unwrap();
    [&[22, 3, version, 0, length + 4, 2, 0, 0, length][..], &hello].concat()
}

fn swallows() -> Faulty {
    swallows_at("127.0.0.1:0".parse().unwrap())
}

fn swallows_at(address: SocketAddr) -> Faulty {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
    socket.bind(address).unwrap();
    swallowing(socket)
}

fn swallowing(socket: TcpSocket) -> Faulty {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(async { socket.listen(1).unwrap() });
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
    }
    Faulty::Full { port: address.port(), _held: Box::new((runtime, listener, queued)) }
}

fn closed() -> Faulty {
    Faulty::Closed(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

/// The labs whose hops are put in the way of a fault, and who vouches for the servers there.
struct World {
    aws: RunningLab,
    azure: RunningLab,
    known: Authority,
}

impl World {
    /// The world that tests which run now share; it ends with the last of them.
    fn shared() -> Arc<World> {
        static NOW: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut now = NOW.lock().unwrap_or_else(PoisonError::into_inner);
        now.upgrade().unwrap_or_else(|| {
            let world = Arc::new(World::start());
            *now = Arc::downgrade(&world);
            world
        })
    }

    fn start() -> World {
        World {
            aws: RunningLab::with_planted_value(),
            azure: RunningLab::on_azure(),
            known: authority("Known Authority"),
        }
    }

    /// A stack that trusts them, for one runtime: it drives the connections that the stack keeps.
    fn http(&self) -> HttpStack {
        stack(&[&self.aws.file("ca.pem"), &self.azure.file("ca.pem"), self.known.file.path().to_str().unwrap()])
    }

    /// The lab that a key of the profile leads into.
    fn lab(&self, key: &str) -> &RunningLab {
        if key.starts_with("azure") { &self.azure } else { &self.aws }
    }

    fn good(&self) -> ServerConfig {
        self.known.identity("localhost", VALID)
    }

    fn days(&self, from: i64, to: i64) -> ServerConfig {
        self.known.identity("localhost", Days { from, to })
    }
}

/// A stack that trusts the authorities of these files.
fn stack(authorities: &[&str]) -> HttpStack {
    let pem: Vec<u8> = authorities.iter().flat_map(|path| fs::read(path).unwrap()).collect();
    HttpStack::new(&HttpSettings {
        ca_pem: Some(pem),
        ca_of_clients: Vec::new(),
        timeout: OPERATION,
        proxy: ProxyUse::None,
    })
    .unwrap()
}

/// The profile of a lab with some values set.
fn request(lab: &RunningLab, checks: &[CheckId], set: &[String]) -> RunRequest {
    let path = lab.file("profile.toml");
    let (file, problems) = document::parse(&fs::read_to_string(&path).unwrap(), Path::new(&path));
    assert!(problems.is_empty());
    let set: Vec<_> = set.iter().map(|set| document::parse_flag(set).unwrap()).collect();
    let profile = resolve("p", &set, &file, &|_| None).unwrap().profile;
    RunRequest {
        profile,
        selection: Selection { only: checks.to_vec(), skip: Vec::new() },
        limits: Limits { total: WHOLE, wait: Duration::ZERO },
        now: time::OffsetDateTime::now_utc().unix_timestamp(),
    }
}

async fn told(request: RunRequest, http: HttpStack) -> String {
    let probes = Arc::new(NetworkProbes { http, timeout: OPERATION });
    let mut events = runner::start(request, probes, CancellationToken::new());
    let mut report = Report::default();
    while let Some(event) = events.recv().await {
        report.apply(&event);
    }
    let verdict = report.end.as_ref().map(|end| format!("{:?}", end.verdict).to_lowercase());
    assert_ne!(verdict.as_deref(), Some("pass"), "{:?}", report.checks);
    report.findings.first().map(|finding| finding.cause.to_string()).or(verdict).unwrap_or_default()
}

// A fault, and the first finding's cause at each hop: told with its evidence, and never as a pass.
test_each! { is_told_at_every_hop:
    refused: (
        |_| closed(),
        "connect-refused jwks-unreachable connect-refused connect-refused connect-refused connect-refused deployment-unreachable",
    );
    reset: (
        |_| Faulty::Server(raw(|mut stream| async move { stream.shutdown().await })),
        "jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable",
    );
    black_hole: (
        |_| swallows(),
        "connect-timeout jwks-unreachable connect-timeout connect-timeout connect-timeout connect-timeout deployment-unreachable",
    );
    no_first_byte: (
        |at| repeats(at.good(), b"", b"", Duration::from_secs(60)),
        "issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable",
    );
    a_byte_a_second: (
        |at| repeats(at.good(), b"HTTP/1.1 200 OK\r\nx-slow: ", b"a", Duration::from_secs(1)),
        "issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable",
    );
    end_before_answer: (
        |at| answers(at.good(), b""),
        "jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable",
    );
    truncated: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"a\":"),
        "discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable",
    );
    length_too_small: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{\"a\":1}"),
        "discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    lengths_that_differ: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n{\"a\":1}"),
        "discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable",
    );
    bad_chunk: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"),
        "discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable",
    );
    endless_1xx: (
        |at| repeats(at.good(), b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", NO_PAUSE),
        "issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable",
    );
    endless_body: (
        |at| repeats(at.good(), b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n", b" ", NO_PAUSE),
        "discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable",
    );
    redirect_to_itself: (
        |at| answers(at.good(), b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
        "issuer-redirect issuer-redirect sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    empty_answer: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"),
        "discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    a_page: (
        |at| answers(at.good(), b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 19\r\n\r\n<html>Sign in</html"),
        "discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    gzip_bomb: (
        |at| answers(at.good(), compressed::answer("gzip").leak()),
        "discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    not_http: (
        |at| answers(at.good(), b"220 mail.example ESMTP\r\n"),
        "discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable",
    );
    status_500: (
        |at| answers(at.good(), b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"),
        "jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable",
    );
    status_503: (
        |at| answers(at.good(), b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
        "issuer-not-configured jwks-unreachable sts-unreachable transient transient transient deployment-unreachable",
    );
    not_tls: (
        |_| says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    // Alerts of level fatal: handshake_failure, and protocol_version as a server of TLS 1.0 sends it (RFC 5246, 7.2).
    tls_alert: (
        |_| says(&[21, 3, 3, 0, 2, 2, 40]),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    tls_version_alert: (
        |_| says(&[21, 3, 1, 0, 2, 2, 70]),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    ssl_3_0_only: (
        |_| says(&server_hello(0)),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    tls_1_0_only: (
        |_| says(&server_hello(1)),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    tls_1_1_only: (
        |_| says(&server_hello(2)),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    ssh: (
        |_| says(b"SSH-2.0-OpenSSH_9.6\r\n"),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    noise_for_tls: (
        |_| says(&[22, 3, 0, 0, 4, 0xff, 0, 0, 0]),
        "jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable",
    );
    expired: (
        |at| answers(at.days(-30, -1), b""),
        "tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired",
    );
    not_yet_valid: (
        |at| answers(at.days(1, 30), b""),
        "tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired",
    );
    wrong_host: (
        |at| answers(at.known.identity("other.example", VALID), b""),
        "tls-name tls-name tls-name tls-name tls-name tls-name tls-name",
    );
    unknown_authority: (
        |_| answers(authority("Unknown Authority").identity("localhost", VALID), b""),
        "tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted",
    );
    signed_by_itself: (
        |_| answers(self_signed("localhost"), b""),
        "tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted",
    );
}

/// Each hop has its own run; they wait more than they work.
fn is_told_at_every_hop(fault: impl Fn(&World) -> Faulty, causes: &str) {
    let world = World::shared();
    let faulty = fault(&world);
    // An issuer whose document is right and whose keys are at the fault.
    let issuer = tls(world.good(), |port| {
        let document = serde_json::json!({
            "issuer": format!("https://localhost:{port}"), "jwks_uri": format!("{}/keys", faulty.url()),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        HashMap::from([("/.well-known/openid-configuration", json(&document.to_string()))])
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let http = world.http();
    let runs: Vec<_> = HOPS
        .iter()
        .map(|(hop, checks, key)| {
            let url = if *hop == "keys" { format!("https://localhost:{}", issuer.port) } else { faulty.url() };
            let request = request(world.lab(key), checks, &[format!("{key}={url}")]);
            (hop, runtime.spawn(told(request, http.clone())))
        })
        .collect();
    let told: Vec<_> = runs.into_iter().map(|(hop, run)| (*hop, runtime.block_on(run).unwrap())).collect();
    runtime.shutdown_background();
    let wanted: Vec<_> = HOPS.iter().map(|(hop, ..)| *hop).zip(causes.split(' ').map(str::to_owned)).collect();
    assert_eq!(told, wanted);
}

#[test]
fn what_was_asked_for_and_is_blocked_is_no_pass() {
    let world = World::shared();
    let http = HttpStack::new(&HttpSettings {
        ca_pem: None,
        ca_of_clients: Vec::new(),
        timeout: OPERATION,
        proxy: ProxyUse::None,
    })
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = request(&world.aws, &[CheckId::IssuerDiscovery], &[format!("issuer.url={}", closed().url())]);
    assert_eq!(runtime.block_on(told(request, http)), "inconclusive");
}

#[test]
fn an_answer_with_nothing_in_it_is_no_pass() {
    let world = World::shared();
    let http = world.http();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for nothing in [
        answers(world.good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"),
        answers(world.good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"),
    ] {
        for (check, key) in [
            (CheckId::AwsListSecrets, "aws.secretsmanager-endpoint-url"),
            (CheckId::AwsGetSecret, "aws.secretsmanager-endpoint-url"),
            (CheckId::AzureGetSecret, "azure.vault-url"),
        ] {
            let request = request(world.lab(key), &[check], &[format!("{key}={}", nothing.url())]);
            assert_eq!(runtime.block_on(told(request, http.clone())), "proxy", "{check}");
        }
    }
}
