//! Every fault of a network at every hop of the chain: what is told, and that it is told in time.

mod clock;
mod compressed;
mod families;
mod proxies;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
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
use trustline::run::probes::WorldProbes;
use trustline::run::report::Report;
use trustline::run::runner::{self, RunRequest};

use super::secrets::planted::Lab;
use super::servers::{Authority, Days, Server, VALID, authority, json, raw, read_head, self_signed, tls, tls_raw};

/// What one operation may take, and the whole run.
const OPERATION: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(20);
/// Beyond it: a busy machine's delay in noticing.
const MARGIN: Duration = Duration::from_secs(5);

/// How many runs at once: they mostly wait, and share a lab.
const AT_ONCE: usize = 48;

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

/// The first finding's cause; a row a fault, a column a hop. Each is told with its evidence, and never as a pass.
const TOLD: &str = "
refused              connect-refused jwks-unreachable connect-refused connect-refused connect-refused connect-refused deployment-unreachable
reset                jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable
black hole           connect-timeout jwks-unreachable connect-timeout connect-timeout connect-timeout connect-timeout deployment-unreachable
no first byte        issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable
a byte a second      issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable
end before answer    jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable
truncated            discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable
length too small     discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable
lengths that differ  discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable
bad chunk            discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable
endless 1xx          issuer-slow issuer-slow sts-unreachable transient transient transient deployment-unreachable
endless body         discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable
redirect to itself   issuer-redirect issuer-redirect sts-unreachable proxy proxy proxy deployment-unreachable
empty answer         discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable
a page               discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable
gzip bomb            discovery-invalid jwks-invalid sts-unreachable proxy proxy proxy deployment-unreachable
not HTTP             discovery-invalid jwks-invalid sts-unreachable transient transient transient deployment-unreachable
500                  jwks-unreachable jwks-unreachable sts-unreachable transient transient transient deployment-unreachable
503                  issuer-not-configured jwks-unreachable sts-unreachable transient transient transient deployment-unreachable
not TLS              jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
TLS alert            jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
TLS version alert    jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
SSL 3.0 only         jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
TLS 1.0 only         jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
TLS 1.1 only         jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
SSH                  jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
noise for TLS        jwks-unreachable jwks-unreachable sts-unreachable proxy proxy proxy deployment-unreachable
expired              tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired
not yet valid        tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired tls-expired
wrong host           tls-name tls-name tls-name tls-name tls-name tls-name tls-name
unknown authority    tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted
self-signed          tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted tls-untrusted
";

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

fn faults(known: &Authority, unknown: &Authority) -> Vec<(&'static str, Faulty)> {
    let good = || known.identity("localhost", VALID);
    let days = |from, to| answers(known.identity("localhost", Days { from, to }), b"");
    const NO_PAUSE: Duration = Duration::from_millis(1);
    vec![
        ("refused", closed()),
        ("reset", Faulty::Server(raw(|mut stream| async move { stream.shutdown().await }))),
        ("black hole", swallows()),
        ("no first byte", repeats(good(), b"", b"", Duration::from_secs(60))),
        ("a byte a second", repeats(good(), b"HTTP/1.1 200 OK\r\nx-slow: ", b"a", Duration::from_secs(1))),
        ("end before answer", answers(good(), b"")),
        ("truncated", answers(good(), b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"a\":")),
        ("length too small", answers(good(), b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{\"a\":1}")),
        (
            "lengths that differ",
            answers(good(), b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n{\"a\":1}"),
        ),
        ("bad chunk", answers(good(), b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n")),
        ("endless 1xx", repeats(good(), b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", NO_PAUSE)),
        ("endless body", repeats(good(), b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n", b" ", NO_PAUSE)),
        ("redirect to itself", answers(good(), b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n")),
        (
            "empty answer",
            answers(good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"),
        ),
        (
            "a page",
            answers(
                good(),
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 19\r\n\r\n<html>Sign in</html",
            ),
        ),
        ("gzip bomb", answers(good(), compressed::answer("gzip").leak())),
        ("not HTTP", answers(good(), b"220 mail.example ESMTP\r\n")),
        ("500", answers(good(), b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")),
        ("503", answers(good(), b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")),
        ("not TLS", says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        // Alerts of level fatal: handshake_failure, and protocol_version as a server of TLS 1.0 sends it (RFC 5246, 7.2).
        ("TLS alert", says(&[21, 3, 3, 0, 2, 2, 40])),
        ("TLS version alert", says(&[21, 3, 1, 0, 2, 2, 70])),
        ("SSL 3.0 only", says(&server_hello(0))),
        ("TLS 1.0 only", says(&server_hello(1))),
        ("TLS 1.1 only", says(&server_hello(2))),
        ("SSH", says(b"SSH-2.0-OpenSSH_9.6\r\n")),
        ("noise for TLS", says(&[22, 3, 0, 0, 4, 0xff, 0, 0, 0])),
        ("expired", days(-30, -1)),
        ("not yet valid", days(1, 30)),
        ("wrong host", answers(known.identity("other.example", VALID), b"")),
        ("unknown authority", answers(unknown.identity("localhost", VALID), b"")),
        ("self-signed", answers(self_signed("localhost"), b"")),
    ]
}

/// A stack that trusts the authorities of these files.
fn stack(authorities: &[&str]) -> HttpStack {
    let pem: Vec<u8> = authorities.iter().flat_map(|path| fs::read(path).unwrap()).collect();
    HttpStack::new(&HttpSettings { ca_pem: Some(pem), timeout: OPERATION, proxy: ProxyUse::None }).unwrap()
}

/// The profile of a lab with some values set.
fn request(lab: &Lab, checks: &[CheckId], set: &[String]) -> RunRequest {
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

async fn told(request: RunRequest, http: HttpStack) -> (String, Duration) {
    let probes = Arc::new(WorldProbes { http, timeout: OPERATION });
    let began = std::time::Instant::now();
    let mut events = runner::start(request, probes, CancellationToken::new());
    let mut report = Report::default();
    while let Some(event) = events.recv().await {
        report.apply(&event);
    }
    let verdict = report.end.as_ref().map(|end| format!("{:?}", end.verdict).to_lowercase());
    assert_ne!(verdict.as_deref(), Some("pass"), "{:?}", report.checks);
    let told = report.findings.first().map(|finding| finding.cause.to_string()).or(verdict);
    (told.unwrap_or_default(), began.elapsed())
}

#[test]
fn every_fault_at_every_hop_has_its_cause_in_time() {
    let (known, unknown) = (authority("Known Authority"), authority("Unknown Authority"));
    let (aws, azure) = (Lab::with_planted_value(), Lab::on_azure());
    let http = stack(&[&aws.file("ca.pem"), &azure.file("ca.pem"), known.file.path().to_str().unwrap()]);
    let faults = faults(&known, &unknown);
    // An issuer whose document is right and whose keys are at the fault.
    let mut issuers = Vec::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut runs, turns) = (Vec::new(), Arc::new(tokio::sync::Semaphore::new(AT_ONCE)));
    for (fault, faulty) in &faults {
        for (hop, checks, key) in HOPS {
            let mut url = faulty.url();
            if *hop == "keys" {
                let keys = url.clone();
                let issuer = tls(known.identity("localhost", VALID), |port| {
                    let document = serde_json::json!({
                        "issuer": format!("https://localhost:{port}"), "jwks_uri": format!("{keys}/keys"),
                        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["RS256"],
                    });
                    HashMap::from([("/.well-known/openid-configuration", json(&document.to_string()))])
                });
                url = format!("https://localhost:{}", issuer.port);
                issuers.push(issuer);
            }
            let lab = if key.starts_with("azure") { &azure } else { &aws };
            let (turn, request) = (turns.clone(), request(lab, checks, &[format!("{key}={url}")]));
            let http = http.clone();
            let run = async move {
                let _turn = turn.acquire_owned().await.unwrap();
                told(request, http).await
            };
            runs.push((*fault, *hop, runtime.spawn(run)));
        }
    }
    let mut table = String::new();
    let mut last = "";
    for (fault, hop, run) in runs {
        let (told, took) = runtime.block_on(run).unwrap();
        assert!(took < WHOLE + MARGIN, "{fault} at {hop} took {took:?}");
        if fault != last {
            let _ = write!(table, "{}{fault:<20}", if last.is_empty() { "" } else { "\n" });
            last = fault;
        }
        let _ = write!(table, " {told}");
    }
    runtime.shutdown_background();
    assert_eq!(table.trim(), TOLD.trim());
}

#[test]
fn what_was_asked_for_and_is_blocked_is_no_pass() {
    let lab = Lab::with_planted_value();
    let http = HttpStack::new(&HttpSettings { ca_pem: None, timeout: OPERATION, proxy: ProxyUse::None }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = request(&lab, &[CheckId::IssuerDiscovery], &[format!("issuer.url={}", closed().url())]);
    assert_eq!(runtime.block_on(told(request, http)).0, "inconclusive");
}

#[test]
fn an_answer_with_nothing_in_it_is_no_pass() {
    let known = authority("Known Authority");
    let (aws, azure) = (Lab::with_planted_value(), Lab::on_azure());
    let http = stack(&[&aws.file("ca.pem"), &azure.file("ca.pem"), known.file.path().to_str().unwrap()]);
    let good = || known.identity("localhost", VALID);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for nothing in [
        answers(good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"),
        answers(good(), b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"),
    ] {
        for (lab, check, key) in [
            (&aws, CheckId::AwsListSecrets, "aws.secretsmanager-endpoint-url"),
            (&aws, CheckId::AwsGetSecret, "aws.secretsmanager-endpoint-url"),
            (&azure, CheckId::AzureGetSecret, "azure.vault-url"),
        ] {
            let request = request(lab, &[check], &[format!("{key}={}", nothing.url())]);
            assert_eq!(runtime.block_on(told(request, http.clone())).0, "proxy", "{check}");
        }
    }
}
