//! When each leg of a connection began and ended, taken from hooks that the client has anyway:
//!
//! - *resolve*: our [`Resolve`] runs the look-up. The connector does not ask it for an address literal.
//! - *connect* ends, and *TLS* begins, when rustls asks its session store for a ticket: it does so before it
//!   composes its first message, and the connector starts TLS only on an established connection (behind a
//!   proxy: on the tunnel). Our store has no ticket, so every connection has a full handshake, and with it a
//!   certificate chain to show.
//! - the *chain* and the verdict on it pass through the certificate verifier, also when it refuses.
//! - *TLS* (on plain HTTP: *connect*) ends when the connector that [`TimedConnectorLayer`] wraps is done.
//!
//! All of these run inside the connector's future, so a task-local names the connection they belong to; another
//! one names the exchange that asked for the connection. Requests at the same time do not mix.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue, WebPkiServerVerifier,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, NamedGroup, RootCertStore, SignatureScheme, crypto};
use rustls_platform_verifier::Verifier;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::domain::certificate::Chain;

tokio::task_local! {
    /// The exchange whose request is being polled.
    pub(super) static EXCHANGE: Arc<ExchangeTrace>;
    /// The connection whose connector is being polled.
    static CONNECTION: Arc<Mutex<Connection>>;
}

/// The connection an exchange asked for, if it did not find an open one.
#[derive(Debug, Default)]
pub(super) struct ExchangeTrace {
    connection: Mutex<Option<Arc<Mutex<Connection>>>>,
}

impl ExchangeTrace {
    /// What was seen of the newest connection so far.
    pub(super) fn connection(&self) -> Option<Connection> {
        locked(&self.connection).as_ref().map(|c| locked(c).clone())
    }
}

/// What was seen of a connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub started: Instant,
    pub resolve: Option<LookUp>,
    /// The handshakes: with an `https` proxy, where there is one, and with the destination.
    pub handshakes: Vec<Handshake>,
    /// When the connection was ready for a request, or had failed.
    pub finished: Option<Instant>,
}

impl Connection {
    /// The handshake with the destination itself, not the one with an `https` proxy on the way.
    pub(super) fn handshake_with(&self, host: &str) -> Option<&Handshake> {
        self.handshakes.iter().rfind(|h| h.server_name == host)
    }
}

/// A name look-up.
#[derive(Clone, Debug)]
pub(super) struct LookUp {
    pub started: Instant,
    pub finished: Option<Instant>,
    pub addresses: Vec<IpAddr>,
}

/// A TLS handshake.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    pub server_name: String,
    pub started: Instant,
    /// As served; empty where none came.
    pub chain: Vec<CertificateDer<'static>>,
    pub verdict: Option<Result<(), rustls::Error>>,
    pub version: Option<&'static str>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_connection(note: impl FnOnce(&mut Connection)) {
    let _ = CONNECTION.try_with(|connection| note(&mut locked(connection)));
}

/// Notes what the verifier was shown and how it judged.
pub(super) fn note_chain(chain: Vec<CertificateDer<'static>>, verdict: Result<(), rustls::Error>) {
    on_connection(|connection| {
        if let Some(handshake) = connection.handshakes.last_mut() {
            handshake.chain = chain;
            handshake.verdict = Some(verdict);
        }
    });
}

/// Notes the protocol version, which the verifier learns by which of its signature checks is asked.
pub(super) fn note_version(version: &'static str) {
    on_connection(|connection| {
        if let Some(handshake) = connection.handshakes.last_mut() {
            handshake.version = Some(version);
        }
    });
}

/// The system's resolver, timed; names that it was told of are not looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct TimedResolver {
    pub told: Arc<BTreeMap<String, Vec<IpAddr>>>,
}

impl Resolve for TimedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        on_connection(|connection| {
            connection.resolve = Some(LookUp { started: Instant::now(), finished: None, addresses: Vec::new() });
        });
        let asked = name.as_str().to_ascii_lowercase();
        let told = self.told.get(&asked).cloned();
        Box::pin(async move {
            // The port is the connector's to fill in.
            let found = match told {
                Some(addresses) => Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()),
                None => tokio::net::lookup_host((name.as_str(), 0)).await.map(Vec::from_iter),
            };
            let found = found.and_then(|found| only_here(&asked, found));
            on_connection(|connection| {
                if let Some(look_up) = &mut connection.resolve {
                    look_up.finished = found.is_ok().then(Instant::now);
                    look_up.addresses = found.iter().flatten().map(|address| address.ip()).collect();
                }
            });
            Ok(Box::new(found?.into_iter()) as Addrs)
        })
    }
}

/// Of `localhost` and the names below it, only the addresses of this machine (RFC 6761, section 6.3): plain http is spoken
/// with them.
fn only_here(name: &str, mut found: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let name = name.trim_end_matches('.');
    if name != "localhost" && !name.ends_with(".localhost") {
        return Ok(found);
    }
    found.retain(|address| address.ip().is_loopback());
    if found.is_empty() {
        let why = "a name below localhost leads to another machine";
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    Ok(found)
}

/// A session store that keeps nothing and notes when a handshake begins.
#[derive(Debug)]
pub(super) struct HandshakeStarts;

impl ClientSessionStore for HandshakeStarts {
    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        on_connection(|connection| {
            connection.handshakes.push(Handshake {
                server_name: server_name.to_str().into_owned(),
                started: Instant::now(),
                chain: Vec::new(),
                verdict: None,
                version: None,
            });
        });
        None
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}
}

/// Times the whole connector.
#[derive(Clone, Debug)]
pub(super) struct TimedConnectorLayer;

impl<S> Layer<S> for TimedConnectorLayer {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> TimedConnector<S> {
        TimedConnector { inner }
    }
}

/// A connector that says which connection the hooks inside it belong to.
#[derive(Clone, Debug)]
pub(super) struct TimedConnector<S> {
    inner: S,
}

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let connection = Arc::new(Mutex::new(Connection {
            started: Instant::now(),
            resolve: None,
            handshakes: Vec::new(),
            finished: None,
        }));
        // The client calls its connector while the request that wants the connection is being polled.
        let _ = EXCHANGE.try_with(|exchange| *locked(&exchange.connection) = Some(connection.clone()));
        let connecting = self.inner.call(destination);
        Box::pin(async move {
            let result = CONNECTION.scope(connection.clone(), connecting).await;
            locked(&connection).finished = result.is_ok().then(Instant::now);
            result
        })
    }
}

/// The TLS settings of every client: one crypto provider, HTTP/1.1, and `verifier` as the only judge.
pub(super) fn client_config(verifier: &Arc<NotingVerifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(verifier.provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::store(Arc::new(HandshakeStarts));
    Ok(config)
}

/// The platform's verifier, with a note of each chain and of the verdict on it.
///
/// Delegates every judgement: what the authorities named by the user vouch for is accepted, and of all else nothing
/// that the platform's verifier refuses. Reading the system's authorities takes some milliseconds and memory, so
/// it waits until an exchange over TLS needs them. `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured by the platform's
/// verifier.
#[derive(Debug)]
pub(super) struct NotingVerifier {
    provider: Arc<CryptoProvider>,
    told: Vec<CertificateDer<'static>>,
    files: Vec<PathBuf>,
    /// Those that were told and those of the files.
    extra_roots: OnceLock<Vec<CertificateDer<'static>>>,
    /// Their subjects.
    subjects: OnceLock<Vec<String>>,
    /// Trusts the extra roots alone; `None` where there are none.
    named: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
    platform: OnceLock<Result<Verifier, Error>>,
}

/// Marks the error of a verifier that has nothing to trust.
#[derive(Debug, thiserror::Error)]
#[error("no trusted authority could be loaded: {0}")]
pub(super) struct NoTrustAnchors(Error);

impl NotingVerifier {
    /// A verifier that trusts the platform's authorities, those that it is told, and those of `files`, as far as they can be
    /// read.
    pub(super) fn new(told: Vec<CertificateDer<'static>>, files: Vec<PathBuf>) -> NotingVerifier {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        NotingVerifier {
            provider,
            told,
            files,
            extra_roots: OnceLock::new(),
            subjects: OnceLock::new(),
            named: OnceLock::new(),
            platform: OnceLock::new(),
        }
    }

    fn extra_roots(&self) -> &[CertificateDer<'static>] {
        self.extra_roots.get_or_init(|| {
            let of_files = self.files.iter().filter_map(|path| super::authorities_of(path)).flatten();
            self.told.iter().cloned().chain(of_files).collect()
        })
    }

    /// Whether a name is the subject of an authority that this verifier was told of.
    pub(super) fn is_named(&self, subject: &str) -> bool {
        let subjects = self.subjects.get_or_init(|| {
            Chain::read(self.extra_roots()).certificates.into_iter().map(|certificate| certificate.subject).collect()
        });
        subjects.iter().any(|named| named == subject)
    }

    /// Does what a first handshake would otherwise do on the way, so that no hop is charged with it: reads the
    /// authorities and seeds the random number generator. Later calls do nothing.
    pub(super) fn prepare(&self) {
        // A failure of either shows in the handshake, where it is noted.
        if self.named().is_none() {
            let _ = self.platform();
        }
        let _ = self.provider.secure_random.fill(&mut [0]);
    }

    fn named(&self) -> Option<&Arc<WebPkiServerVerifier>> {
        let made = self.named.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self.extra_roots().iter().cloned());
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build().ok()
        });
        made.as_ref()
    }

    fn platform(&self) -> Result<&Verifier, Error> {
        let loaded = self.platform.get_or_init(|| {
            Verifier::new_with_extra_roots(self.extra_roots().iter().cloned(), self.provider.clone())
                .map_err(|e| Error::Other(rustls::OtherError(Arc::new(NoTrustAnchors(e)))))
        });
        loaded.as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for NotingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_named = self
            .named()
            .and_then(|v| v.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).ok());
        let verdict = match by_named {
            Some(accepted) => Ok(accepted),
            None => self
                .platform()
                .and_then(|v| v.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)),
        };
        let chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.clone().into_owned()).collect();
        note_chain(chain, verdict.as_ref().map(|_| ()).map_err(Clone::clone));
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        note_version("TLS 1.2");
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        note_version("TLS 1.3");
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // Asked before the handshake begins: the provider knows, without the system's authorities.
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
