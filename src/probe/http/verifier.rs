//! Certificate verification: the platform's own verifier, loaded when first needed, with every chain noted.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::trace;

/// The TLS settings of every client: one crypto provider, HTTP/1.1, and `verifier` as the only judge.
pub(super) fn client_config(verifier: &Arc<NotingVerifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(verifier.provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::store(Arc::new(trace::HandshakeStarts));
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
    extra_roots: Vec<CertificateDer<'static>>,
    /// Trusts the extra roots alone; `None` where there are none.
    named: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
    platform: OnceLock<Result<Verifier, Error>>,
}

/// Marks the error of a verifier that has nothing to trust.
#[derive(Debug, thiserror::Error)]
#[error("no trusted authority could be loaded: {0}")]
pub(super) struct NoTrustAnchors(Error);

impl NotingVerifier {
    /// A verifier that trusts the platform's authorities and `extra_roots`.
    pub(super) fn new(extra_roots: Vec<CertificateDer<'static>>) -> NotingVerifier {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        NotingVerifier { provider, extra_roots, named: OnceLock::new(), platform: OnceLock::new() }
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
            roots.add_parsable_certificates(self.extra_roots.iter().cloned());
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build().ok()
        });
        made.as_ref()
    }

    fn platform(&self) -> Result<&Verifier, Error> {
        let loaded = self.platform.get_or_init(|| {
            Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), self.provider.clone())
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
        trace::note_chain(chain, verdict.as_ref().map(|_| ()).map_err(Clone::clone));
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trace::note_version("TLS 1.2");
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trace::note_version("TLS 1.3");
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // Asked before the handshake begins: the provider knows, without the system's authorities.
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
