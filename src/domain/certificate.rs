//! X.509 certificates as a server sends them, and the thumbprint that IAM keeps of them.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::timestamp::{UnixSeconds, rfc3339};

/// What a server sent, in its order: its own certificate first (RFC 8446 section 4.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    #[serde(rename = "chain")]
    pub certificates: Vec<Certificate>,
    /// What is odd about the order and the make-up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<ChainOddity>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The distinguished name; empty where the certificate cannot be read.
    pub subject: String,
    /// The distinguished name of who signed it.
    pub issuer: String,
    /// Host names and addresses of the subject alternative name.
    pub names: Vec<String>,
    #[serde(serialize_with = "as_rfc3339")]
    pub not_before: UnixSeconds,
    #[serde(serialize_with = "as_rfc3339")]
    pub not_after: UnixSeconds,
    /// SHA-1 over the DER form, 40 lower-case hex digits.
    pub thumbprint_sha1: String,
    /// Whether it may sign other certificates (basic constraints).
    pub is_ca: bool,
    /// Whether it names itself as its issuer.
    pub is_self_signed: bool,
    /// Whether this is the certificate whose thumbprint an IAM OIDC provider registers.
    pub wanted_by_iam: bool,
}

/// What is odd about a chain. AWS fails to validate tokens of an issuer whose chain is out of order, holds a
/// certificate twice or extra ones (IAM user guide, "Create an OpenID Connect identity provider in IAM").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "oddity", rename_all = "kebab-case")]
pub enum ChainOddity {
    /// The certificate at this place (from 0) cannot be read.
    Unreadable { position: usize },
    /// The certificate at this place is the same as an earlier one.
    Duplicate { position: usize },
    /// The certificate at this place did not issue the one before it, and issued an earlier or later one.
    OutOfOrder { position: usize },
    /// The certificate at this place issued none of the others.
    Extra { position: usize },
    /// The server sent its own certificate only, though another authority signed it.
    LeafOnly,
}

impl Chain {
    /// Reads a chain from the DER form of its certificates. What cannot be read keeps its thumbprint.
    pub fn read<D: AsRef<[u8]>>(chain: &[D]) -> Chain {
        let mut certificates: Vec<Certificate> = chain.iter().map(|der| Certificate::read(der.as_ref())).collect();
        let oddities = oddities(&certificates);
        if let Some(last) = certificates.last_mut() {
            last.wanted_by_iam = true;
        }
        Chain { certificates, oddities }
    }

    /// The thumbprint an IAM OIDC provider registers: of the last certificate served, the topmost authority.
    /// (IAM user guide, "Obtain the thumbprint for an OpenID Connect identity provider".)
    pub fn thumbprint(&self) -> Option<&str> {
        self.certificates.iter().find(|c| c.wanted_by_iam).map(|c| c.thumbprint_sha1.as_str())
    }
}

impl Certificate {
    fn read(der: &[u8]) -> Certificate {
        let mut certificate = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: 0,
            not_after: 0,
            thumbprint_sha1: sha1_hex(der),
            is_ca: false,
            is_self_signed: false,
            wanted_by_iam: false,
        };
        if let Ok((_, parsed)) = X509Certificate::from_der(der) {
            certificate.subject = parsed.subject().to_string();
            certificate.issuer = parsed.issuer().to_string();
            certificate.names = names(&parsed);
            certificate.not_before = parsed.validity().not_before.timestamp();
            certificate.not_after = parsed.validity().not_after.timestamp();
            certificate.is_ca = parsed.is_ca();
            certificate.is_self_signed = parsed.subject().as_raw() == parsed.issuer().as_raw();
        }
        certificate
    }

    fn is_readable(&self) -> bool {
        self.not_after != 0
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let shown = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string()),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(shown).collect()
}

fn oddities(chain: &[Certificate]) -> Vec<ChainOddity> {
    let mut found = Vec::new();
    for (position, certificate) in chain.iter().enumerate() {
        let before = &chain[..position];
        if !certificate.is_readable() {
            found.push(ChainOddity::Unreadable { position });
        } else if before.iter().any(|c| c.thumbprint_sha1 == certificate.thumbprint_sha1) {
            found.push(ChainOddity::Duplicate { position });
        } else if before.last().is_some_and(|c| c.is_readable() && c.issuer != certificate.subject) {
            let issued_another =
                chain.iter().enumerate().any(|(i, c)| i != position && c.issuer == certificate.subject);
            found.push(match issued_another {
                true => ChainOddity::OutOfOrder { position },
                false => ChainOddity::Extra { position },
            });
        }
    }
    if let [only] = chain
        && only.is_readable()
        && !only.is_self_signed
    {
        found.push(ChainOddity::LeafOnly);
    }
    found
}

fn sha1_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut hex = String::with_capacity(40);
    for byte in digest.as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn as_rfc3339<S: Serializer>(seconds: &UnixSeconds, serializer: S) -> Result<S::Ok, S::Error> {
    rfc3339(*seconds).serialize(serializer)
}
