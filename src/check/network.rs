//! From a network failure to the cause behind it. The same failure means another cause on the way to another place.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::network::{FailureKind, HopName, NetworkFailure};
use crate::check::{CheckId, Verdict};
use crate::domain::timestamp::rfc3339;

/// The time after which AWS gives up on an issuer, in milliseconds
/// (AWS re:Post, "How do I resolve the InvalidIdentityToken error").
pub const CLOUD_PATIENCE_MS: u64 = 5000;

/// What a check was talking to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    IssuerDocument,
    IssuerKeys,
    Sts,
    Deployment,
    Other,
}

impl Peer {
    fn of(check: CheckId) -> Peer {
        match check {
            CheckId::IssuerReachable | CheckId::IssuerTls | CheckId::IssuerDiscovery => Peer::IssuerDocument,
            CheckId::IssuerJwks => Peer::IssuerKeys,
            CheckId::AwsAssumeRoleWithWebIdentity | CheckId::AwsAssumeRole | CheckId::AwsCallerIdentity => Peer::Sts,
            CheckId::DeploymentReachable => Peer::Deployment,
            _ => Peer::Other,
        }
    }

    /// The cause where the peer cannot be reached and the failure names no narrower one.
    fn unreachable(self) -> Cause {
        match self {
            Peer::IssuerDocument | Peer::IssuerKeys => Cause::JwksUnreachable,
            Peer::Sts => Cause::StsUnreachable,
            Peer::Deployment => Cause::DeploymentUnreachable,
            Peer::Other => Cause::Transient,
        }
    }

    /// The cause for a failure to connect: the narrow one, or the peer's own where that says more.
    fn connecting(self, narrow: Cause) -> Cause {
        match self {
            Peer::IssuerKeys | Peer::Deployment => self.unreachable(),
            _ => narrow,
        }
    }

    /// The cause for an answer that is not the document it should be.
    fn unfit(self) -> Cause {
        match self {
            Peer::IssuerDocument => Cause::DiscoveryInvalid,
            Peer::IssuerKeys => Cause::JwksInvalid,
            _ => self.unreachable(),
        }
    }

    fn silent(self) -> Cause {
        match self {
            Peer::IssuerDocument | Peer::IssuerKeys => Cause::IssuerSlow,
            Peer::Other => Cause::ConnectTimeout,
            _ => self.unreachable(),
        }
    }
}

/// The finding behind `failure`, which `check` met.
pub fn finding(check: CheckId, failure: &NetworkFailure) -> Finding {
    let peer = Peer::of(check);
    let (cause, certainty) = cause(peer, failure);
    let finding = Finding::new(cause, check, certainty, summary(failure));
    let finding = with_values(finding, failure).with_evidence(format!(
        "{} failed at the {} hop after {} ms: {}",
        failure.url,
        failure.hop.id(),
        failure.elapsed_ms,
        failure.detail
    ));
    let finding = match &failure.proxy {
        Some(proxy) => finding.with_evidence(format!("the way leads through the proxy {proxy}")),
        None => finding,
    };
    with_fixes(finding, failure)
}

/// The verdict on a check whose assertion is that somebody answers: what keeps this machine from asking is no failure of
/// the other side.
pub fn failed(check: CheckId, failure: &NetworkFailure) -> Verdict {
    let finding = finding(check, failure);
    let reason = finding.summary.clone();
    match failure.kind {
        FailureKind::ProxyUnreachable
        | FailureKind::ProxyRefused
        | FailureKind::ProxyAuth
        | FailureKind::TrustStore
        | FailureKind::Shortage => Verdict::inconclusive(reason, vec![finding]),
        _ if is_cut_or_garbled_by_proxy(failure) => Verdict::inconclusive(reason, vec![finding]),
        _ => Verdict::fail(reason, vec![finding]),
    }
}

/// Whether the connection closes or is no longer what was spoken, where a proxy is the one who answers first: in a tunnel it
/// says it opened, or for a request it was given whole.
fn is_cut_or_garbled_by_proxy(failure: &NetworkFailure) -> bool {
    let is_plain = failure.url.starts_with("http:");
    failure.proxy.is_some()
        && match failure.kind {
            FailureKind::TlsAbsent | FailureKind::Reset => failure.hop == HopName::Tls,
            FailureKind::Protocol => failure.hop <= HopName::Connect || is_plain && failure.hop == HopName::Request,
            _ => false,
        }
}

fn cause(peer: Peer, failure: &NetworkFailure) -> (Cause, Certainty) {
    use Certainty::{Likely, Possible, Proven};
    match &failure.kind {
        _ if is_cut_or_garbled_by_proxy(failure) => (Cause::Proxy, Likely),
        FailureKind::Dns => (peer.connecting(Cause::Dns), Proven),
        FailureKind::Refused => (peer.connecting(Cause::ConnectRefused), Proven),
        FailureKind::Unreachable => (peer.connecting(Cause::ConnectTimeout), Proven),
        FailureKind::Timeout => match failure.hop {
            HopName::Resolve => (peer.connecting(Cause::Dns), Likely),
            HopName::Connect if failure.proxy.is_some() => (Cause::Proxy, Likely),
            HopName::Connect => (peer.connecting(Cause::ConnectTimeout), Proven),
            // The way there is open: whoever took the request owes the answer.
            HopName::Request | HopName::Body if peer == Peer::Other => (Cause::Transient, Likely),
            // Giving up before the cloud would is no proof that the cloud would too.
            _ if failure.elapsed_ms < CLOUD_PATIENCE_MS => (peer.silent(), Likely),
            _ => (peer.silent(), Proven),
        },
        FailureKind::Reset => (peer.unreachable(), Likely),
        FailureKind::ProxyUnreachable | FailureKind::ProxyRefused | FailureKind::ProxyAuth => (Cause::Proxy, Proven),
        FailureKind::TlsUntrusted { .. } => (Cause::TlsUntrusted, Proven),
        FailureKind::TrustStore => (Cause::TlsUntrusted, Possible),
        FailureKind::Shortage => (Cause::Transient, Possible),
        FailureKind::TlsCertificate => (Cause::TlsUntrusted, Likely),
        FailureKind::TlsExpired { .. } | FailureKind::TlsNotYetValid { .. } => (Cause::TlsExpired, Proven),
        FailureKind::TlsName { .. } => (Cause::TlsName, Proven),
        // Whatever speaks there is not the cloud's service, and repeating it does not help.
        FailureKind::TlsHandshake | FailureKind::TlsVersion | FailureKind::TlsAbsent if peer == Peer::Other => {
            (Cause::Proxy, Possible)
        }
        FailureKind::TlsHandshake | FailureKind::TlsVersion | FailureKind::TlsAbsent => (peer.unreachable(), Likely),
        FailureKind::Redirect { .. } => match peer {
            Peer::IssuerDocument | Peer::IssuerKeys => (Cause::IssuerRedirect, Proven),
            _ => (peer.unreachable(), Likely),
        },
        FailureKind::TooLarge { .. } | FailureKind::Truncated | FailureKind::Protocol => (peer.unfit(), Likely),
        FailureKind::Address => (peer.unfit(), Proven),
    }
}

fn summary(failure: &NetworkFailure) -> String {
    let NetworkFailure { host, port, .. } = failure;
    let proxy = failure.proxy.as_deref().unwrap_or("the proxy");
    match &failure.kind {
        FailureKind::TlsAbsent if is_cut_or_garbled_by_proxy(failure) => {
            format!("{proxy} opens a tunnel to {host}, port {port}, and what answers there does not speak TLS")
        }
        FailureKind::Reset if is_cut_or_garbled_by_proxy(failure) => {
            format!("{proxy} opens a tunnel to {host}, port {port}, which closes before the TLS handshake is over")
        }
        FailureKind::Protocol if is_cut_or_garbled_by_proxy(failure) => {
            format!("what {proxy} answers for {host}, port {port}, is not proper HTTP")
        }
        FailureKind::Dns => format!("the name {host} does not resolve"),
        FailureKind::Refused => format!("{host} refuses connections on port {port}: nothing listens there"),
        FailureKind::Unreachable => format!("no route leads to {host}, port {port}"),
        FailureKind::Timeout => match failure.hop {
            HopName::Resolve => format!("the look-up of the name {host} does not end"),
            HopName::Connect if failure.proxy.is_some() => {
                format!("no connection to {host} comes about through {proxy}")
            }
            HopName::Connect => format!("{host}, port {port}, does not answer: packets vanish on the way"),
            HopName::Tls => format!("{host}, port {port}, takes the connection and says nothing"),
            HopName::Request => {
                format!("{host} takes the request and does not answer within {} ms", failure.elapsed_ms)
            }
            HopName::Body => format!("the answer of {host} does not end within {} ms", failure.elapsed_ms),
        },
        FailureKind::Reset => format!("{host} closes the connection without an answer"),
        FailureKind::ProxyUnreachable => format!("{proxy} cannot be reached or spoken to"),
        FailureKind::ProxyRefused => format!("{proxy} refuses to connect to {host}, port {port}"),
        FailureKind::ProxyAuth => format!("{proxy} asks for credentials"),
        FailureKind::TlsUntrusted { self_signed: true, .. } => format!("the certificate of {host} is self-signed"),
        FailureKind::TlsUntrusted { authority: Some(authority), .. } => {
            format!("the certificate of {host} comes from an authority that is not trusted here: {authority}")
        }
        FailureKind::TlsUntrusted { .. } => format!("the certificate of {host} comes from an unknown authority"),
        FailureKind::TlsExpired { .. } => format!("the certificate of {host} has expired"),
        FailureKind::TlsNotYetValid { .. } => format!("the certificate of {host} is not valid yet"),
        FailureKind::TlsName { .. } => format!("the certificate that {host} shows is for another name"),
        FailureKind::TlsCertificate => format!("the certificate of {host} is unfit: {}", failure.detail),
        FailureKind::TlsHandshake => format!("the TLS handshake with {host} fails: {}", failure.detail),
        FailureKind::TlsVersion => format!("{host}, port {port}, speaks neither TLS 1.2 nor TLS 1.3"),
        FailureKind::TlsAbsent => format!("{host}, port {port}, does not speak TLS"),
        FailureKind::TrustStore => "no trusted authority could be loaded on this machine".to_owned(),
        FailureKind::Shortage => {
            format!("{host} was not asked: this machine has no descriptor or memory left ({})", failure.detail)
        }
        FailureKind::Redirect { status, location: Some(location) } => {
            format!("{host} answers with a redirect ({status}) to {location} instead of the document")
        }
        FailureKind::Redirect { status, .. } => format!("{host} answers with a redirect ({status}) that leads nowhere"),
        FailureKind::TooLarge { announced: Some(size), limit } => {
            format!("the answer of {host} has {size} bytes, more than the {limit} that any such document needs")
        }
        FailureKind::TooLarge { limit, .. } => format!("the answer of {host} is larger than {limit} bytes"),
        FailureKind::Truncated => format!("the answer of {host} ends before it is whole"),
        FailureKind::Protocol => format!("what {host} answers on port {port} is not proper HTTP"),
        FailureKind::Address => format!("`{}` cannot be dialled: {}", failure.url, failure.detail),
    }
}

fn with_values(finding: Finding, failure: &NetworkFailure) -> Finding {
    let time = |seconds: &Option<i64>| seconds.and_then(rfc3339);
    match &failure.kind {
        FailureKind::TlsName { names } => finding.with_difference(&failure.host, shown(names)),
        FailureKind::TlsExpired { not_after } => match time(not_after) {
            Some(time) => finding.with_evidence(format!("it was valid until {time}")),
            None => finding,
        },
        FailureKind::TlsNotYetValid { not_before } => match time(not_before) {
            Some(time) => finding.with_evidence(format!("it is valid from {time}")),
            None => finding,
        },
        _ => finding,
    }
}

fn shown(names: &[String]) -> String {
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}

/// Fixes that the failure itself suggests. The rest comes from the catalogue of causes.
fn with_fixes(finding: Finding, failure: &NetworkFailure) -> Finding {
    match (&failure.kind, &failure.proxy) {
        (FailureKind::TlsUntrusted { self_signed: false, .. }, Some(proxy)) => finding
            .with_fix(format!(
                "if {proxy} inspects TLS, its authority shows here instead of the server's: name it with --ca-file or SSL_CERT_FILE"
            ))
            .with_fix(format!("or leave the proxy out for this host: add {} to NO_PROXY", failure.host)),
        (FailureKind::TlsUntrusted { .. }, _) => finding
            .with_fix("serve a certificate of a publicly trusted authority, with its intermediates: the clouds fetch from this host too")
            .with_fix("for a private authority, let it sign the server's certificate, and name the authority's with --ca-file or SSL_CERT_FILE"),
        (FailureKind::TrustStore, _) => finding.with_fix(
            "install the system's certificate authorities (ca-certificates), or name a PEM file with SSL_CERT_FILE or --ca-file",
        ),
        (FailureKind::ProxyAuth, Some(_)) => {
            finding.with_fix("put user name and password into the proxy's variable: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT")
        }
        (_, Some(proxy)) if is_cut_or_garbled_by_proxy(failure) => finding
            .with_fix(format!("let {proxy} pass on to {} what it is sent, unchanged", failure.host))
            .with_fix(format!("or leave the proxy out for this host: add {} to NO_PROXY", failure.host)),
        (FailureKind::ProxyRefused | FailureKind::ProxyUnreachable, Some(proxy)) => finding
            .with_fix(format!("let {proxy} connect to {}, port {}", failure.host, failure.port))
            .with_fix(format!("or leave the proxy out for this host: add {} to NO_PROXY", failure.host)),
        (FailureKind::TlsVersion, _) => {
            finding.with_fix("let the server, or what ends TLS before it, speak TLS 1.2 or 1.3: the clouds take nothing older")
        }
        (FailureKind::Protocol, _) if failure.url.starts_with("http:") => {
            finding.with_fix("if that port speaks TLS, write https:// instead of http://")
        }
        (FailureKind::TlsAbsent, _) => finding.with_fix("write the port that serves https, or let a TLS front end answer there"),
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;

    fn failure(hop: HopName, kind: FailureKind) -> NetworkFailure {
        NetworkFailure {
            hop,
            kind,
            host: "app.example.com".into(),
            port: 443,
            url: "https://app.example.com/x".into(),
            proxy: None,
            elapsed_ms: 6000,
            detail: "the error's own words".into(),
        }
    }

    #[test]
    fn each_failure_has_its_cause_by_where_it_led() {
        use CheckId::{
            AwsAssumeRoleWithWebIdentity as Sts, AwsGetSecret as Get, IssuerDiscovery as Doc, IssuerJwks as Keys,
        };
        use HopName::{Body, Connect, Request, Resolve, Tls};
        let untrusted = FailureKind::TlsUntrusted { authority: None, self_signed: false };
        let expired = FailureKind::TlsExpired { not_after: Some(0) };
        let name = FailureKind::TlsName { names: vec!["other.example".into()] };
        let redirect = FailureKind::Redirect { status: 302, location: None };
        let large = FailureKind::TooLarge { limit: 1, announced: None };
        for (check, hop, kind, cause) in [
            (Doc, Resolve, FailureKind::Dns, Cause::Dns),
            (Keys, Resolve, FailureKind::Dns, Cause::JwksUnreachable),
            (Sts, Resolve, FailureKind::Dns, Cause::Dns),
            (Doc, Connect, FailureKind::Refused, Cause::ConnectRefused),
            (Keys, Connect, FailureKind::Refused, Cause::JwksUnreachable),
            (Get, Connect, FailureKind::Refused, Cause::ConnectRefused),
            (CheckId::DeploymentReachable, Connect, FailureKind::Refused, Cause::DeploymentUnreachable),
            (Doc, Connect, FailureKind::Unreachable, Cause::ConnectTimeout),
            (Doc, Resolve, FailureKind::Timeout, Cause::Dns),
            (Doc, Connect, FailureKind::Timeout, Cause::ConnectTimeout),
            (Doc, Tls, FailureKind::Timeout, Cause::IssuerSlow),
            (Doc, Request, FailureKind::Timeout, Cause::IssuerSlow),
            (Keys, Body, FailureKind::Timeout, Cause::IssuerSlow),
            (Sts, Request, FailureKind::Timeout, Cause::StsUnreachable),
            (Get, Tls, FailureKind::Timeout, Cause::ConnectTimeout),
            (Get, Request, FailureKind::Timeout, Cause::Transient),
            (Get, Body, FailureKind::Timeout, Cause::Transient),
            (Doc, Request, FailureKind::Reset, Cause::JwksUnreachable),
            (Sts, Tls, FailureKind::Reset, Cause::StsUnreachable),
            (Doc, Connect, FailureKind::ProxyAuth, Cause::Proxy),
            (Sts, Connect, FailureKind::ProxyRefused, Cause::Proxy),
            (Keys, Connect, FailureKind::ProxyUnreachable, Cause::Proxy),
            (Doc, Tls, untrusted.clone(), Cause::TlsUntrusted),
            (Keys, Tls, untrusted, Cause::TlsUntrusted),
            (Doc, Tls, expired, Cause::TlsExpired),
            (Doc, Tls, name, Cause::TlsName),
            (Doc, Request, redirect.clone(), Cause::IssuerRedirect),
            (Keys, Request, redirect, Cause::IssuerRedirect),
            (Doc, Body, large.clone(), Cause::DiscoveryInvalid),
            (Keys, Body, large, Cause::JwksInvalid),
            (Doc, Body, FailureKind::Truncated, Cause::DiscoveryInvalid),
            (Doc, Request, FailureKind::Protocol, Cause::DiscoveryInvalid),
        ] {
            let found = finding(check, &failure(hop, kind.clone()));
            assert_eq!(found.cause, cause, "{check} {hop:?} {kind:?}");
            assert!(!found.summary.is_empty() && !found.evidence.is_empty());
        }
    }

    #[test]
    fn giving_up_early_is_no_proof_of_slowness() {
        let late = failure(HopName::Request, FailureKind::Timeout);
        let early = NetworkFailure { elapsed_ms: 2000, ..late.clone() };
        assert_eq!(finding(CheckId::IssuerDiscovery, &late).certainty, Certainty::Proven);
        assert_eq!(finding(CheckId::IssuerDiscovery, &early).certainty, Certainty::Likely);
    }

    #[test]
    fn what_a_proxy_garbles_is_not_held_against_the_destination() {
        for (hop, kind, url) in [
            (HopName::Tls, FailureKind::TlsAbsent, "https://app.example.com/x"),
            (HopName::Tls, FailureKind::Reset, "https://app.example.com/x"),
            (HopName::Connect, FailureKind::Protocol, "https://app.example.com/x"),
            (HopName::Request, FailureKind::Protocol, "http://app.example.com/x"),
        ] {
            let direct = NetworkFailure { url: url.into(), ..failure(hop, kind.clone()) };
            let through = NetworkFailure { proxy: Some("http://proxy.corp:3128/".into()), ..direct.clone() };
            for check in [CheckId::IssuerReachable, CheckId::IssuerJwks, CheckId::AwsAssumeRoleWithWebIdentity] {
                let verdict = failed(check, &through);
                assert_eq!(
                    (verdict.outcome, verdict.findings[0].cause),
                    (Outcome::Inconclusive, Cause::Proxy),
                    "{kind:?}"
                );
                assert!(verdict.findings[0].summary.contains("http://proxy.corp:3128/"), "{kind:?}");
                assert_eq!(failed(check, &direct).outcome, Outcome::Fail, "{kind:?} without a proxy");
            }
        }
        let answered = NetworkFailure {
            proxy: Some("http://proxy.corp:3128/".into()),
            ..failure(HopName::Request, FailureKind::Protocol)
        };
        assert_eq!(finding(CheckId::IssuerDiscovery, &answered).cause, Cause::DiscoveryInvalid, "it came through TLS");
    }

    #[test]
    fn an_intercepting_proxy_is_named() {
        let kind = FailureKind::TlsUntrusted { authority: Some("CN=Corp Inspection".into()), self_signed: false };
        let through = NetworkFailure { proxy: Some("http://proxy.corp:3128/".into()), ..failure(HopName::Tls, kind) };
        let found = finding(CheckId::IssuerTls, &through);
        assert!(found.summary.contains("CN=Corp Inspection"), "{}", found.summary);
        assert!(found.fixes.iter().any(|f| f.text.contains("http://proxy.corp:3128/")), "{:?}", found.fixes);
    }
}
