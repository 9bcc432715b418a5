//! The one HTTP stack: everything that dials out goes through it, so one set of trusted authorities, one proxy
//! setting, one timeout and one way to observe an exchange hold for the issuer, the clouds' SDKs and the rest.
//!
//! The client is reqwest's; nothing here speaks HTTP or TLS itself. The hops are observed from hooks that the
//! client has anyway, see `trace.rs`: the name resolver, the TLS session store, the certificate verifier
//! and a layer around the connector.

mod client;
mod echo_redaction;
mod failure;
mod trace;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::regular_file;
use crate::check::facts::network::{FailureKind, NetworkFailure};
pub use client::{ANSWER_LIMIT, Answer, Observed, ObservedClient};
pub use failure::network_failure;
use trace::NotingVerifier;
use trace::TimedResolver;

/// How to reach the network.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Authorities to trust beside the system's, as PEM text. There is no way to trust without verifying.
    pub ca_pem: Option<Vec<u8>>,
    /// Files of authorities that other clients are told to trust. They are trusted as well, and read when the first
    /// certificate has to be verified; one that no client could use is passed over.
    pub ca_of_clients: Vec<PathBuf>,
    /// The most that one operation may take, from the name look-up to the last byte of the answer.
    pub timeout: Duration,
    pub proxy: ProxyUse,
}

/// Whether to go through a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyUse {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the desktop's settings) say.
    #[default]
    Environment,
    /// Never: for what runs on this machine, such as the lab.
    None,
}

/// Why no client could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpStackError {
    /// The authorities' file is not PEM.
    #[error(
        "the CA file is not valid PEM ({0}); write certificates between BEGIN CERTIFICATE and END CERTIFICATE lines"
    )]
    CaNotPem(String),
    /// The authorities' file holds no certificate.
    #[error("the CA file holds no certificate; write certificates between BEGIN CERTIFICATE and END CERTIFICATE lines")]
    CaEmpty,
    /// A certificate of the authorities' file cannot be read as a trust anchor.
    #[error("certificate {position} of the CA file cannot be used as an authority: {detail}")]
    CaUnusable {
        /// Counted from 1.
        position: usize,
        detail: String,
    },
    /// The client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Client(String),
}

/// The one HTTP stack. Cheap to clone; clones share connections and the loaded authorities.
#[derive(Clone, Debug)]
pub struct HttpStack {
    http: reqwest::Client,
    tls: rustls::ClientConfig,
    /// One verifier, and so one load of the authorities, for all clients.
    verifier: Arc<NotingVerifier>,
    timeout: Duration,
    /// Which destinations go through which proxy: the client's own rules, asked again so that they can be shown.
    proxies: Option<Arc<Matcher>>,
    resolver: TimedResolver,
}

impl HttpStack {
    /// Sets the stack up without any input or output: the system's authorities are read when the first certificate
    /// has to be verified.
    ///
    /// # Errors
    /// Where the authorities of `settings.ca_pem` cannot be read.
    pub fn new(settings: &HttpSettings) -> Result<HttpStack, HttpStackError> {
        let extra_roots = settings.ca_pem.as_deref().map(authorities).transpose()?.unwrap_or_default();
        let verifier = Arc::new(NotingVerifier::new(extra_roots, settings.ca_of_clients.clone()));
        let tls = trace::client_config(&verifier).map_err(|e| HttpStackError::Client(e.to_string()))?;
        let resolver = TimedResolver::default();
        let http = connections(&tls, settings.timeout, settings.proxy, &resolver)
            .map_err(|e| HttpStackError::Client(failure::innermost(&e)))?;
        let proxies = (settings.proxy == ProxyUse::Environment).then(|| Arc::new(Matcher::from_system()));
        Ok(HttpStack { http, tls, verifier, timeout: settings.timeout, proxies, resolver })
    }

    /// Whether a text of authorities could be taken.
    ///
    /// # Errors
    /// As [`HttpStack::new`].
    pub fn check_authorities(pem: &[u8]) -> Result<(), HttpStackError> {
        authorities(pem).map(drop)
    }

    /// This stack with addresses of names that are not to be looked up. A name behind a proxy is the proxy's to look up.
    #[must_use]
    pub fn with_addresses(self, of_names: BTreeMap<String, Vec<IpAddr>>) -> HttpStack {
        let resolver = TimedResolver { told: Arc::new(of_names) };
        HttpStack { resolver, ..self }.disconnected()
    }

    /// This stack with less time for an operation, where less is left of the whole.
    #[must_use]
    pub fn within(&self, left: Duration) -> HttpStack {
        HttpStack { timeout: self.timeout.min(left), ..self.clone() }
    }

    /// A client with a journal of its own. It shares its connections with every other client of this stack.
    pub fn client(&self) -> ObservedClient {
        ObservedClient::new(self, self.http.clone())
    }

    /// A client with connections of its own: its first exchange shows every hop and the server's certificates.
    pub fn fresh_client(&self) -> ObservedClient {
        self.disconnected().client()
    }

    /// This stack without its connections. An open connection's buffer keeps what came last, which may be a secret; with
    /// the stack that opened it, it is closed and wiped.
    #[must_use]
    pub fn disconnected(&self) -> HttpStack {
        let proxy = if self.proxies.is_some() { ProxyUse::Environment } else { ProxyUse::None };
        // What could be made once can be made again; if not, sharing connections loses hops, not answers.
        let http = connections(&self.tls, self.timeout, proxy, &self.resolver).unwrap_or_else(|_| self.http.clone());
        HttpStack { http, ..self.clone() }
    }
}

/// Whether a variable's text names a proxy that the client can dial.
pub fn is_proxy_address(text: &str) -> bool {
    let everything = Matcher::builder().all(text.to_owned()).build();
    everything.intercept(&http::Uri::from_static("https://proxied.invalid")).is_some()
}

fn connections(
    tls: &rustls::ClientConfig,
    timeout: Duration,
    proxy: ProxyUse,
    resolver: &TimedResolver,
) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(resolver.clone())
        .connector_layer(trace::TimedConnectorLayer)
        // A diagnosis shows the first answer: it follows no redirect and repeats no request by itself.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Shares the time among a name's addresses, so that one that swallows packets cannot use it all up.
        .connect_timeout(timeout)
        .user_agent(concat!("trustline/", env!("CARGO_PKG_VERSION")));
    match proxy {
        ProxyUse::Environment => builder,
        ProxyUse::None => builder.no_proxy(),
    }
    .build()
}

/// The largest file of authorities that is read, in bytes.
pub const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;

fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, HttpStackError> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        found.push(certificate.map_err(|e| HttpStackError::CaNotPem(e.to_string()))?);
    }
    if found.is_empty() {
        return Err(HttpStackError::CaEmpty);
    }
    let mut store = rustls::RootCertStore::empty();
    for (at, certificate) in found.iter().enumerate() {
        store
            .add(certificate.clone())
            .map_err(|e| HttpStackError::CaUnusable { position: at + 1, detail: e.to_string() })?;
    }
    Ok(found)
}

/// The authorities of a file that clients are told to trust; `None` where no client could use it.
fn authorities_of(path: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let pem = regular_file::read(path, LARGEST_CA_FILE).ok()?;
    let fits = u64::try_from(pem.len()).is_ok_and(|bytes| bytes <= LARGEST_CA_FILE);
    fits.then(|| authorities(&pem).ok()).flatten()
}

/// The most of an AWS answer that is read, in bytes: above a full page of `ListSecrets`, and 64 KiB of a secret.
const AWS_ANSWER_LIMIT: u64 = 8 * 1024 * 1024;

/// The transport for an AWS SDK's configuration. The exchanges go into `client`'s journal; a failure's
/// [`NetworkFailure`] is found in the `SdkError` by [`network_failure`].
pub fn connector(client: &ObservedClient) -> SharedHttpClient {
    SharedHttpClient::new(Transport { client: client.clone() })
}

#[derive(Clone, Debug)]
struct Transport {
    client: ObservedClient,
}

impl HttpClient for Transport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        HttpConnectorFuture::new(async move {
            let request = to_ours(request).await?;
            let observed = client.send(request, AWS_ANSWER_LIMIT).await;
            let Some(answer) = observed.answer else {
                return Err(match observed.exchange.failure {
                    Some(failure) => to_theirs(failure),
                    None => ConnectorError::other("no answer".into(), None),
                });
            };
            let mut response = http::Response::new(SdkBody::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

async fn to_ours(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(|e| ConnectorError::user(e.into()))
}

fn to_theirs(failure: NetworkFailure) -> ConnectorError {
    match failure.kind {
        FailureKind::Timeout => ConnectorError::timeout(failure.into()),
        FailureKind::Address => ConnectorError::user(failure.into()),
        _ => ConnectorError::io(failure.into()),
    }
}
