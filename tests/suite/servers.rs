//! Servers that do as they are told, on loopback: TLS with any certificate, HTTP answers of any shape, proxies.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Served = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;
type Script = Arc<dyn Fn(Box<dyn Stream>) -> Served + Send + Sync>;

/// A server that runs until it is dropped.
pub struct Server {
    pub port: u16,
    /// The first line of every request, in order of arrival.
    pub requests: Arc<Mutex<Vec<String>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a server answers to a request.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// Each of these in its turn, and the last one for ever.
    InTurn(Arc<Mutex<Vec<Reply>>>),
    /// These bytes after a while.
    Late(Duration, Vec<u8>),
    /// These bytes, and then one more byte a second for ever.
    Drip(Vec<u8>),
    /// These bytes, and then more without end.
    Endless(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// The end of the connection.
    Hangup,
}

impl Reply {
    /// Each of these in its turn.
    pub fn in_turn(replies: Vec<Reply>) -> Reply {
        Reply::InTurn(Arc::new(Mutex::new(replies)))
    }

    /// What is answered now.
    fn next(self) -> Reply {
        let Reply::InTurn(left) = self else { return self };
        let mut left = left.lock().unwrap();
        if left.len() > 1 { left.remove(0) } else { left[0].clone() }
    }
}

/// An answer with a JSON body.
pub fn json(body: &str) -> Reply {
    http("200 OK", &["content-type: application/json"], body)
}

/// An answer with these headers beside its length.
pub fn http(status: &str, headers: &[&str], body: &str) -> Reply {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    Reply::Bytes(format!("{head}\r\n{body}").into_bytes())
}

/// Serves `replies` by path on plain HTTP; 404 for any other path.
pub fn plain(replies: impl Fn(u16) -> HashMap<&'static str, Reply>) -> Server {
    start(None, replies)
}

/// As [`plain`], over TLS.
pub fn tls(identity: ServerConfig, replies: impl Fn(u16) -> HashMap<&'static str, Reply>) -> Server {
    start(Some(identity), replies)
}

/// A server that takes connections and does as `script` says, without reading a request.
pub fn raw<F>(script: impl Fn(Box<dyn Stream>) -> F + Send + Sync + 'static) -> Server
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let (listener, port) = listen();
    run(listener, port, None, Arc::default(), Arc::new(move |stream| Box::pin(script(stream))))
}

/// As [`raw`], over TLS.
pub fn tls_raw<F>(identity: ServerConfig, script: impl Fn(Box<dyn Stream>) -> F + Send + Sync + 'static) -> Server
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let (listener, port) = listen();
    run(listener, port, Some(identity), Arc::default(), Arc::new(move |stream| Box::pin(script(stream))))
}

fn start(identity: Option<ServerConfig>, replies: impl Fn(u16) -> HashMap<&'static str, Reply>) -> Server {
    let (listener, port) = listen();
    let replies = Arc::new(replies(port));
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = requests.clone();
    let script: Script = Arc::new(move |stream| {
        let (replies, log) = (replies.clone(), log.clone());
        Box::pin(answer(stream, replies, log))
    });
    run(listener, port, identity, requests, script)
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn run(
    listener: TcpListener,
    port: u16,
    identity: Option<ServerConfig>,
    requests: Arc<Mutex<Vec<String>>>,
    script: Script,
) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let acceptor = identity.map(|config| TlsAcceptor::from(Arc::new(config)));
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => script(Box::new(stream)).await,
                    Some(acceptor) => script(Box::new(acceptor.accept(stream).await?)).await,
                }
            });
        }
    });
    Server { port, requests, runtime: Some(runtime) }
}

/// Reads up to the end of a request's head and returns its first line.
pub async fn read_head(stream: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned())
}

async fn answer(
    mut stream: Box<dyn Stream>,
    replies: Arc<HashMap<&'static str, Reply>>,
    log: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let line = read_head(&mut stream).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(line);
    let reply = replies.get(path.as_str()).cloned().unwrap_or_else(|| http("404 Not Found", &[], "no such page"));
    match reply.next() {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Late(delay, bytes) => {
            tokio::time::sleep(delay).await;
            stream.write_all(&bytes).await?;
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Reply::Endless(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&[b' '; 16 * 1024]).await?;
            }
        }
        Reply::Silence => std::future::pending().await,
        Reply::Hangup | Reply::InTurn(_) => {}
    }
    stream.shutdown().await
}

/// Carries bytes both ways between a proxy's client and `port` on this machine.
pub async fn tunnel(mut client: Box<dyn Stream>, port: u16) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// A certificate authority made for one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its certificate as a PEM file.
    pub file: tempfile::NamedTempFile,
}

/// An authority of this name.
pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let der = base64::engine::general_purpose::STANDARD.encode(issuer.der());
    write!(file, "-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n").unwrap();
    Authority { issuer, file }
}

/// The days of a certificate's validity around now.
#[derive(Clone, Copy)]
pub struct Days {
    pub from: i64,
    pub to: i64,
}

/// Valid since yesterday, for three months.
pub const VALID: Days = Days { from: -1, to: 90 };

impl Authority {
    /// A server identity for `name`, signed by this authority, with the authority's certificate in the chain.
    pub fn identity(&self, name: &str, days: Days) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf(name, days).signed_by(&key, &self.issuer).unwrap();
        config(vec![certificate.der().clone(), self.issuer.der().clone()], &key)
    }

    /// As [`Authority::identity`], with the chain in the order `of` makes of leaf and authority.
    pub fn identity_with(
        &self,
        name: &str,
        of: impl Fn(CertificateDer<'static>, CertificateDer<'static>) -> Vec<CertificateDer<'static>>,
    ) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf(name, VALID).signed_by(&key, &self.issuer).unwrap();
        config(of(certificate.der().clone(), self.issuer.der().clone()), &key)
    }

    /// The authority's certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }
}

/// A server identity signed with its own key.
pub fn self_signed(name: &str) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf(name, VALID).self_signed(&key).unwrap();
    config(vec![certificate.der().clone()], &key)
}

fn leaf(name: &str, days: Days) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now + time::Duration::days(days.from);
    params.not_after = now + time::Duration::days(days.to);
    params
}

fn config(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}
