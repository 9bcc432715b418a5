//! What one exchange over the network showed: the hops it took, who answered, and where it failed.

use std::fmt;
use std::fmt::Display;
use std::net::IpAddr;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::domain::certificate::Chain;
use crate::domain::discovery::{Discovery, DiscoveryError};
use crate::domain::jwks::{Jwks, JwksError};
use crate::domain::timestamp::{UnixMillis, UnixSeconds};

/// One HTTP exchange, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Exchange {
    pub method: String,
    /// The address that was dialled, without query, fragment and credentials.
    pub url: String,
    /// When it began, in Unix milliseconds of the local clock; `None` where nothing was dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_unix_ms: Option<UnixMillis>,
    /// The proxy in between, without its credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// What the name resolved to: the proxy's name where there is one. Empty where a connection was reused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The address that answered; `None` behind a proxy, and where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<IpAddr>,
    /// In the order they were taken. A reused connection has no `resolve`, `connect` and `tls`.
    pub hops: Vec<Hop>,
    /// The handshake with the destination, also where it was refused. `None` on plain HTTP and reused connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Such as `HTTP/1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The `Content-Encoding` of an answer that came compressed, unasked. Such an answer is not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The `Date` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_date: Option<UnixSeconds>,
    /// `Date` minus the local clock, in seconds: above zero where the server's clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_skew_s: Option<i64>,
    /// How many bytes of the body arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// From the start to the last byte or the failure, in milliseconds.
    pub duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<NetworkFailure>,
}

impl Exchange {
    /// That one family of the name's addresses is dead and the other answered, in words. The first address's family is
    /// dialled first, and the other one only where that fails or is late (RFC 8305).
    pub fn fell_back(&self) -> Option<String> {
        let (answered, first) = (self.connected?, self.addresses.first()?.ip);
        let family = |ip: IpAddr| if ip.is_ipv6() { "IPv6" } else { "IPv4" };
        (answered.is_ipv6() != first.is_ipv6()).then(|| {
            let (dead, alive) = (family(first), family(answered));
            format!("{answered} ({alive}) answered, and {first} ({dead}) took no connection, or too late")
        })
    }

    /// That the answer came compressed, in words: the reason why it was not read.
    pub fn compressed(&self) -> Option<String> {
        let encoding = self.content_encoding.as_deref()?;
        Some(format!("the answer came compressed (Content-Encoding: {encoding}), and was asked for as it is"))
    }
}

/// One leg of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    pub name: HopName,
    /// When it began, in milliseconds after the start of the exchange.
    pub start_ms: f64,
    /// In milliseconds; of the hop that failed: until it failed.
    pub duration_ms: f64,
}

/// The legs of an exchange, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HopName {
    /// The name look-up.
    Resolve,
    /// The TCP connection, with a proxy also its `CONNECT`.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request's first byte out to the answer's headers.
    Request,
    /// The answer's body.
    Body,
}

impl HopName {
    /// The name as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            HopName::Resolve => "resolve",
            HopName::Connect => "connect",
            HopName::Tls => "tls",
            HopName::Request => "request",
            HopName::Body => "body",
        }
    }
}

/// An address and who can reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    pub ip: IpAddr,
    pub scope: AddressScope,
}

/// Who can reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressScope {
    /// The internet.
    Public,
    /// A private network (RFC 1918, RFC 4193, RFC 6598), or one link (RFC 3927, RFC 4291).
    Private,
    /// This machine alone.
    Loopback,
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        let canonical = ip.to_canonical();
        let private = match canonical {
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                v4.is_private() || v4.is_link_local() || v4.is_unspecified() || (a == 100 && (64..128).contains(&b))
            }
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
        };
        let scope = match (canonical.is_loopback(), private) {
            (true, _) => AddressScope::Loopback,
            (false, true) => AddressScope::Private,
            (false, false) => AddressScope::Public,
        };
        Address { ip, scope }
    }
}

/// The TLS handshake with a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tls {
    /// The name the certificate had to be for.
    pub server_name: String,
    /// `TLS 1.2` or `TLS 1.3`; `None` where the handshake did not come that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the server sent, in its order.
    #[serde(flatten)]
    pub chain: Chain,
    /// Whether this machine's verifier accepted the chain for the name, now.
    pub accepted: bool,
    /// Whether the topmost certificate is of an authority that was named to this program, beside the system's.
    pub named_authority: bool,
}

/// An exchange that did not end with a whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFailure {
    /// Where it failed.
    pub hop: HopName,
    #[serde(flatten)]
    pub kind: FailureKind,
    pub host: String,
    pub port: u16,
    /// The address that was dialled, without query, fragment and credentials.
    pub url: String,
    /// The proxy in between, without its credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// From the start of the exchange to the failure.
    pub elapsed_ms: u64,
    /// The error's own words.
    pub detail: String,
}

/// How it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name did not resolve.
    Dns,
    /// The host refused the connection: nothing listens there.
    Refused,
    /// No route leads there.
    Unreachable,
    /// Nothing came within the time allowed.
    Timeout,
    /// The other side closed or reset the connection before it had answered.
    Reset,
    /// The proxy could not be reached or spoken to.
    ProxyUnreachable,
    /// The proxy refused to connect to the destination.
    ProxyRefused,
    /// The proxy asks for credentials.
    ProxyAuth,
    /// No trusted authority vouches for the certificate.
    TlsUntrusted {
        /// The issuer that the topmost certificate served names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authority: Option<String>,
        /// The server's own certificate is signed with its own key.
        self_signed: bool,
    },
    /// The certificate's validity has ended.
    TlsExpired {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_after: Option<UnixSeconds>,
    },
    /// The certificate's validity has not begun.
    TlsNotYetValid {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<UnixSeconds>,
    },
    /// The certificate is for other names.
    TlsName {
        /// The names it is for.
        names: Vec<String>,
    },
    /// The certificate is unfit in another way: revoked, for another purpose, ill-formed, badly signed.
    TlsCertificate,
    /// The handshake failed: an alert, no cipher in common.
    TlsHandshake,
    /// The server speaks no version of TLS that is still in use, as far as it tells.
    TlsVersion,
    /// What answers there does not speak TLS.
    TlsAbsent,
    /// No trust anchor could be loaded, so no certificate could be checked.
    TrustStore,
    /// This machine ran out of what a connection takes: descriptors, buffers, memory.
    Shortage,
    /// The answer is a redirect.
    Redirect {
        status: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// The answer is larger than what is read.
    TooLarge {
        /// The most that is read, in bytes.
        limit: u64,
        /// What `Content-Length` announced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        announced: Option<u64>,
    },
    /// The answer ended before it was whole.
    Truncated,
    /// What answers there does not speak HTTP as it should.
    Protocol,
    /// The address cannot be dialled: no host, a scheme other than `http` and `https`.
    Address,
}

impl FailureKind {
    /// The failure in a few words.
    pub fn words(&self) -> &'static str {
        match self {
            FailureKind::Dns => "the name does not resolve",
            FailureKind::Refused => "the connection was refused",
            FailureKind::Unreachable => "no route leads there",
            FailureKind::Timeout => "no answer in time",
            FailureKind::Reset => "the connection was closed without an answer",
            FailureKind::ProxyUnreachable => "the proxy cannot be reached",
            FailureKind::ProxyRefused => "the proxy refused to connect",
            FailureKind::ProxyAuth => "the proxy asks for credentials",
            FailureKind::TlsUntrusted { self_signed: true, .. } => "the certificate is self-signed",
            FailureKind::TlsUntrusted { .. } => "the certificate is from an unknown authority",
            FailureKind::TlsExpired { .. } => "the certificate has expired",
            FailureKind::TlsNotYetValid { .. } => "the certificate is not valid yet",
            FailureKind::TlsName { .. } => "the certificate is for another name",
            FailureKind::TlsCertificate => "the certificate is unfit",
            FailureKind::TlsHandshake => "the TLS handshake failed",
            FailureKind::TlsVersion => "the server shares no version of TLS",
            FailureKind::TlsAbsent => "the server does not speak TLS",
            FailureKind::Shortage => "this machine has no descriptor or memory left",
            FailureKind::TrustStore => "no trusted authority could be loaded",
            FailureKind::Redirect { .. } => "the answer is a redirect",
            FailureKind::TooLarge { .. } => "the answer is too large",
            FailureKind::Truncated => "the answer ended too early",
            FailureKind::Protocol => "the answer is not proper HTTP",
            FailureKind::Address => "the address cannot be dialled",
        }
    }
}

impl fmt::Display for NetworkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}: {})", self.url, self.kind.words(), self.hop.id(), self.detail)
    }
}

impl std::error::Error for NetworkFailure {}

/// What the issuer's host showed. `None` where nobody asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuerFacts {
    pub document: Option<DocumentFact>,
    pub keys: Option<KeysFact>,
}

impl IssuerFacts {
    /// Where the discovery document says the keys are.
    pub fn jwks_uri(&self) -> Option<&str> {
        self.document.as_ref()?.discovery.as_ref()?.jwks_uri.as_deref()
    }

    /// The handshake whose chain holds the certificate that an IAM provider registers: with the host of `jwks_uri` (IAM
    /// user guide, "Obtain the thumbprint for an OpenID Connect identity provider"). Where no keys were asked for, with
    /// the host of the document.
    pub fn registered_tls(&self) -> Option<&Tls> {
        let of_document = || self.document.as_ref()?.exchange.tls.as_ref();
        match &self.keys {
            // What came over the document's connection came from a host that has shown its certificates.
            Some(keys) => keys.exchange.tls.as_ref().or_else(|| of_document().filter(|_| !self.keys_are_elsewhere())),
            None => of_document(),
        }
    }

    /// Whether the document names another host for the keys than its own: then each has certificates of its own.
    pub fn keys_are_elsewhere(&self) -> bool {
        let host = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        let document = self.document.as_ref().and_then(|fact| host(&fact.exchange.url));
        self.jwks_uri().and_then(host).is_some_and(|keys| Some(keys) != document)
    }

    /// The key set, where one was fetched.
    pub fn jwks(&self) -> Option<&Jwks> {
        self.keys.as_ref()?.jwks.as_ref()
    }
}

/// The fetch of the discovery document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentFact {
    /// The issuer asked for, character by character.
    pub issuer: String,
    #[serde(flatten)]
    pub exchange: Exchange,
    /// The document, where the answer was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
    /// Why the answer, a `200`, was none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    pub unreadable: Option<DiscoveryError>,
}

/// The fetch of the keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeysFact {
    #[serde(flatten)]
    pub exchange: Exchange,
    /// How long the answer may be kept, by its own word (`Cache-Control`), in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_s: Option<i64>,
    /// The key set, where the answer was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// Why the answer, a `200`, was none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    pub unreadable: Option<JwksError>,
}

fn in_words<T: Display, S: Serializer>(error: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(T::to_string).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_know_who_reaches_them() {
        for (ip, scope) in [
            ("93.184.216.34", AddressScope::Public),
            ("10.1.2.3", AddressScope::Private),
            ("172.16.0.1", AddressScope::Private),
            ("172.32.0.1", AddressScope::Public),
            ("192.168.0.1", AddressScope::Private),
            ("100.64.0.1", AddressScope::Private),
            ("100.128.0.1", AddressScope::Public),
            ("169.254.169.254", AddressScope::Private),
            ("127.0.0.1", AddressScope::Loopback),
            ("::1", AddressScope::Loopback),
            ("::ffff:10.0.0.1", AddressScope::Private),
            ("::ffff:127.0.0.1", AddressScope::Loopback),
            ("fd00::1", AddressScope::Private),
            ("fe80::1", AddressScope::Private),
            ("2001:db8::1", AddressScope::Public),
        ] {
            assert_eq!(Address::from(ip.parse::<IpAddr>().unwrap()).scope, scope, "{ip}");
        }
    }

    #[test]
    fn a_failure_survives_json() {
        let failure = NetworkFailure {
            hop: HopName::Tls,
            kind: FailureKind::TlsUntrusted { authority: Some("CN=Corp".into()), self_signed: false },
            host: "example.com".into(),
            port: 443,
            url: "https://example.com/".into(),
            proxy: None,
            elapsed_ms: 12,
            detail: "UnknownIssuer".into(),
        };
        let json = serde_json::to_string(&failure).unwrap();
        assert!(json.contains(r#""hop":"tls","kind":"tls-untrusted""#), "{json}");
        assert_eq!(serde_json::from_str::<NetworkFailure>(&json).unwrap(), failure);
    }
}
