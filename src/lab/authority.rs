//! The lab's own certificate authority, made at start: nothing outside the lab trusts it unless told to. And the client of
//! what runs inside the lab, which trusts nobody else.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use super::LabError;
use super::keys::pem;
use super::world::Certificate;

/// The domain of vaults that are called by name: RFC 6761, section 6.3 has names below `localhost` lead to loopback.
pub(super) const VAULT_DOMAIN: &str = "vault.localhost";

/// The authority and its certificate.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a fresh ECDSA P-256 authority.
    pub(super) fn new() -> Result<Self, LabError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "trustline lab authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut params, -1, 365);
        Ok(Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// The authority's certificate, for clients to trust.
    pub(super) fn pem(&self) -> String {
        pem("CERTIFICATE", self.issuer.as_ref().der())
    }

    /// The same in DER.
    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.issuer.as_ref().der().clone()
    }

    /// A TLS server's set-up with a certificate of the wanted kind for 127.0.0.1, localhost and every vault's name.
    pub(super) fn server(&self, kind: Certificate) -> Result<Arc<ServerConfig>, LabError> {
        let names = match kind {
            Certificate::OtherName => vec!["issuer.example.com".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned(), format!("*.{VAULT_DOMAIN}")],
        };
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "trustline lab");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        match kind {
            Certificate::Expired => validity(&mut params, -90, -2),
            Certificate::NotYetValid => validity(&mut params, 2, 90),
            _ => validity(&mut params, -1, 90),
        }
        let key = KeyPair::generate()?;
        let chain = match kind {
            Certificate::SelfSigned => vec![params.self_signed(&key)?.der().clone()],
            _ => vec![params.signed_by(&key, &self.issuer)?.der().clone(), self.der()],
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn validity(params: &mut CertificateParams, from_days: i64, to_days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now + Duration::days(from_days);
    params.not_after = now + Duration::days(to_days);
}

/// How many connections to one server are kept for the next request. They stay: a lab beside a console that shows a
/// countdown has no reason to wake.
const MAX_IDLE: usize = 8;

/// A client that names itself `user_agent` and dials without a proxy; `None` where TLS cannot be set up.
pub(super) fn client_trusting(authority: &CertificateDer<'static>, user_agent: &str) -> Option<reqwest::Client> {
    client(std::slice::from_ref(authority), user_agent)?.no_proxy().build().ok()
}

/// Clients that trust several authorities: one for what is on this machine, and one for issuers elsewhere, which may be behind
/// the environment's proxy.
pub(super) struct Clients {
    pub here: reqwest::Client,
    pub elsewhere: reqwest::Client,
}

impl Clients {
    pub(super) fn trusting(authorities: &[CertificateDer<'static>], user_agent: &str) -> Option<Clients> {
        let here = client(authorities, user_agent)?.no_proxy().build().ok()?;
        Some(Clients { here, elsewhere: client(authorities, user_agent)?.build().ok()? })
    }
}

fn client(authorities: &[CertificateDer<'static>], user_agent: &str) -> Option<reqwest::ClientBuilder> {
    let mut roots = rustls::RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).ok()?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(user_agent)
        .pool_idle_timeout(None)
        .pool_max_idle_per_host(MAX_IDLE);
    Some(builder)
}
