//! From the client's error to a typed failure: by the types in its chain of sources, not by their words.

use std::error::Error;
use std::io::{self, ErrorKind};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};
use tower_service::Service;

use super::trace::Connection;
use super::trace::NoTrustAnchors;
use crate::check::facts::network::{FailureKind, HopName, NetworkFailure};
use crate::domain::certificate::Chain;
use crate::probe::regular_file;

/// hyper-util keeps the name of its tunnel's error to itself; the trait gives it away.
type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;

type Source<'a> = &'a (dyn Error + 'static);

/// Finds the failure of our client inside the error of an SDK that was given this client.
pub fn network_failure<'a>(error: Source<'a>) -> Option<&'a NetworkFailure> {
    chain(error).find_map(|e| e.downcast_ref())
}

/// What `error`, met at `hop` on the way to `host`, was, and in its own words.
pub(super) fn classify(
    error: &reqwest::Error,
    hop: HopName,
    host: &str,
    connection: Option<&Connection>,
) -> (FailureKind, String) {
    let handshake = connection.and_then(|c| c.handshake_with(host));
    if let Some(handshake) = handshake
        && let Some(Err(refusal)) = &handshake.verdict
    {
        return (of_verdict(refusal, &Chain::read(&handshake.chain)), refusal_words(refusal));
    }
    let kind = if is_shortage(error) {
        FailureKind::Shortage
    } else if error.is_dns() {
        FailureKind::Dns
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_builder() {
        FailureKind::Address
    } else {
        chain(error).find_map(|e| of_source(e, hop)).unwrap_or(FailureKind::Protocol)
    };
    (kind, innermost(error))
}

/// The failure as it is with a proxy on the way: what keeps us from connecting is the proxy's host, not the destination.
pub(super) fn behind_proxy(kind: FailureKind, hop: HopName, has_proxy: bool) -> FailureKind {
    match kind {
        FailureKind::Dns | FailureKind::Refused | FailureKind::Unreachable | FailureKind::Reset
            if has_proxy && hop <= HopName::Connect =>
        {
            FailureKind::ProxyUnreachable
        }
        kind => kind,
    }
}

/// The words of the error at the end of the chain: the one that happened, without those that pass it on.
pub(super) fn innermost(error: Source<'_>) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

/// The error and its sources, outermost first. `io::Error` hides the error it carries from `source`.
fn chain<'a>(error: Source<'a>) -> impl Iterator<Item = Source<'a>> {
    std::iter::successors(Some(error), |link| {
        let link: Source<'a> = *link;
        match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried as Source<'a>),
            None => link.source(),
        }
    })
}

/// Whether this machine lacks what it takes to ask.
fn is_shortage(error: Source<'_>) -> bool {
    chain(error).filter_map(|link| link.downcast_ref::<io::Error>()).any(regular_file::is_shortage)
}

fn of_source(error: Source<'_>, hop: HopName) -> Option<FailureKind> {
    if let Some(tunnel) = error.downcast_ref::<TunnelError>() {
        return Some(match tunnel {
            TunnelError::ProxyAuthRequired => FailureKind::ProxyAuth,
            TunnelError::ConnectFailed(_) | TunnelError::Io(_) => FailureKind::ProxyUnreachable,
            _ => FailureKind::ProxyRefused,
        });
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(of_handshake(tls));
    }
    if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
        return match () {
            () if hyper.is_parse() => Some(FailureKind::Protocol),
            () if hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled() => Some(cut_off(hop)),
            () => None,
        };
    }
    let io = error.downcast_ref::<io::Error>()?;
    match io.kind() {
        ErrorKind::ConnectionRefused => Some(FailureKind::Refused),
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => Some(FailureKind::Unreachable),
        ErrorKind::TimedOut => Some(FailureKind::Timeout),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => Some(cut_off(hop)),
        _ => None,
    }
}

fn cut_off(hop: HopName) -> FailureKind {
    match hop {
        HopName::Body => FailureKind::Truncated,
        _ => FailureKind::Reset,
    }
}

fn of_handshake(error: &rustls::Error) -> FailureKind {
    match error {
        // What is no TLS record at all: plain HTTP, or another protocol.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            FailureKind::TlsAbsent
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => FailureKind::TlsVersion,
        _ => FailureKind::TlsHandshake,
    }
}

fn refusal_words(refusal: &rustls::Error) -> String {
    match refusal {
        rustls::Error::Other(other) | rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.to_string()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => "a trusted authority has the name of the one that signed this, and another key".to_owned(),
        _ => refusal.to_string(),
    }
}

fn of_verdict(refusal: &rustls::Error, chain: &Chain) -> FailureKind {
    let leaf = chain.certificates.first();
    let self_signed = leaf.is_some_and(|c| c.is_self_signed);
    let rustls::Error::InvalidCertificate(reason) = refusal else {
        return match refusal {
            rustls::Error::Other(other) if other.0.is::<NoTrustAnchors>() => FailureKind::TrustStore,
            _ => FailureKind::TlsCertificate,
        };
    };
    match reason {
        CertificateError::Expired => FailureKind::TlsExpired { not_after: leaf.map(|c| c.not_after) },
        CertificateError::ExpiredContext { not_after, .. } => {
            FailureKind::TlsExpired { not_after: i64::try_from(not_after.as_secs()).ok() }
        }
        CertificateError::NotValidYet => FailureKind::TlsNotYetValid { not_before: leaf.map(|c| c.not_before) },
        CertificateError::NotValidYetContext { not_before, .. } => {
            FailureKind::TlsNotYetValid { not_before: i64::try_from(not_before.as_secs()).ok() }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            FailureKind::TlsName { names: leaf.map(|c| c.names.clone()).unwrap_or_default() }
        }
        // A bad signature: an authority of the same name is trusted, and its key did not sign this.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => untrusted(chain, self_signed),
        // A self-signed certificate that claims to be an authority is refused for that claim first.
        CertificateError::Other(_) if self_signed => untrusted(chain, true),
        _ => FailureKind::TlsCertificate,
    }
}

fn untrusted(chain: &Chain, self_signed: bool) -> FailureKind {
    let top = chain.certificates.last().map(|c| c.issuer.clone());
    FailureKind::TlsUntrusted { authority: top.filter(|name| !name.is_empty()), self_signed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_failure_that_others_wrapped() {
        let failure = NetworkFailure {
            hop: HopName::Connect,
            kind: FailureKind::Refused,
            host: "localhost".into(),
            port: 1,
            url: "https://localhost:1/".into(),
            proxy: None,
            elapsed_ms: 1,
            detail: "refused".into(),
        };
        let wrapped = io::Error::other(io::Error::other(failure.clone()));
        assert_eq!(network_failure(&wrapped), Some(&failure));
        assert_eq!(network_failure(&io::Error::other("another")), None);
    }
}
