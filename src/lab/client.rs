//! The HTTP client of what runs inside the lab: it trusts the lab's authority and nobody else.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// How many connections to one server are kept for the next request. They stay: a lab beside a console that shows a
/// countdown has no reason to wake.
const MAX_IDLE: usize = 8;

/// A client that names itself `user_agent`; `None` where TLS cannot be set up.
pub(super) fn trusting(authority: &CertificateDer<'static>, user_agent: &str) -> Option<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.clone()).ok()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(user_agent)
        .pool_idle_timeout(None)
        .pool_max_idle_per_host(MAX_IDLE)
        .build()
        .ok()
}
