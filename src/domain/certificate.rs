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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["a.example".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A leaf, its intermediate, the root above, and a stranger.
    fn certificates() -> [Vec<u8>; 4] {
        let root = authority("Root");
        let mut params_ca = params("Intermediate");
        params_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let intermediate = CertifiedIssuer::signed_by(params_ca, KeyPair::generate().unwrap(), &root).unwrap();
        let leaf = params("Leaf").signed_by(&KeyPair::generate().unwrap(), &intermediate).unwrap();
        [leaf.der(), intermediate.der(), root.der(), authority("Stranger").der()].map(|der| der.to_vec())
    }

    #[test]
    fn reads_what_a_certificate_says() {
        let [leaf, intermediate, root, _] = certificates();
        let chain = Chain::read(&[leaf, intermediate, root]);
        let [leaf, intermediate, root] = &chain.certificates[..] else { panic!("three certificates") };
        assert_eq!((leaf.subject.as_str(), leaf.issuer.as_str()), ("CN=Leaf", "CN=Intermediate"));
        assert_eq!(leaf.names, ["a.example", "10.0.0.1"]);
        assert_eq!((leaf.is_ca, leaf.is_self_signed), (false, false));
        assert_eq!((intermediate.is_ca, intermediate.is_self_signed), (true, false));
        assert_eq!((root.is_ca, root.is_self_signed), (true, true));
        assert!(leaf.not_before < leaf.not_after);
    }

    #[test]
    fn the_topmost_certificate_served_is_the_one_iam_wants() {
        let [leaf, intermediate, root, _] = certificates();
        for served in [vec![&leaf], vec![&leaf, &intermediate], vec![&leaf, &intermediate, &root]] {
            let chain = Chain::read(&served);
            let last = chain.certificates.last().unwrap();
            assert_eq!(chain.thumbprint(), Some(last.thumbprint_sha1.as_str()));
            assert_eq!(chain.certificates.iter().filter(|c| c.wanted_by_iam).count(), 1);
        }
        assert_eq!(Chain::read::<Vec<u8>>(&[]).thumbprint(), None);
    }

    #[test]
    fn a_thumbprint_is_sha1_in_lower_case() {
        assert_eq!(sha1_hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn odd_chains_are_told() {
        let [leaf, intermediate, root, stranger] = certificates();
        for (served, expected) in [
            (vec![&leaf, &intermediate], vec![]),
            (vec![&leaf, &intermediate, &root], vec![]),
            (vec![&root], vec![]),
            (vec![&leaf], vec![ChainOddity::LeafOnly]),
            (vec![&leaf, &intermediate, &intermediate], vec![ChainOddity::Duplicate { position: 2 }]),
            (
                vec![&leaf, &root, &intermediate],
                vec![ChainOddity::OutOfOrder { position: 1 }, ChainOddity::OutOfOrder { position: 2 }],
            ),
            (vec![&leaf, &intermediate, &stranger], vec![ChainOddity::Extra { position: 2 }]),
            (vec![&leaf, &vec![1, 2, 3]], vec![ChainOddity::Unreadable { position: 1 }]),
        ] {
            assert_eq!(Chain::read(&served).oddities, expected);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(chain in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..4)) {
            let _ = Chain::read(&chain);
        }

        #[test]
        fn no_damaged_certificate_panics(at in 0usize..400, byte in any::<u8>()) {
            let mut der = certificates()[3].clone();
            if let Some(b) = der.get_mut(at) { *b = byte }
            let _ = Chain::read(&[der]);
        }
    }
}
