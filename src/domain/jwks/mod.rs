//! An issuer's published keys: a JSON Web Key Set (RFC 7517), read leniently and judged strictly.

pub mod history;
mod key;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use key::{Curve, Jwk, KeyProblem, MIN_RSA_BITS, Material};

/// The most keys of one type that AWS STS takes (IAM user guide, "Create an OIDC provider").
pub const MAX_KEYS_PER_TYPE: usize = 100;

/// Keys after this many are counted and not read.
const MAX_KEYS_READ: usize = 1000;

/// A key set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys in the order of publication; at most 1000 of them.
    pub keys: Vec<Jwk>,
    /// What is wrong with the set and its keys.
    pub problems: Vec<JwksProblem>,
}

/// One thing wrong with, or remarkable about, a key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum JwksProblem {
    /// The set is empty.
    NoKeys,
    /// It has keys, and none that a signature can be checked with.
    NoUsableKey,
    /// Several keys share a `kid`. AWS STS takes the last.
    DuplicateKid { kid: String, positions: Vec<usize> },
    /// More keys of a type than AWS STS takes.
    TooMany { kty: String, count: usize },
    /// A problem of one key.
    Key { position: usize, kid: Option<String>, problem: KeyProblem },
}

impl fmt::Display for JwksProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JwksProblem::NoKeys => f.write_str("the key set is empty"),
            JwksProblem::NoUsableKey => f.write_str("no key of the set can check a signature"),
            JwksProblem::DuplicateKid { kid, positions } => {
                let list: Vec<String> = positions.iter().map(usize::to_string).collect();
                write!(f, "keys number {} share the kid `{kid}`; AWS STS takes the last", list.join(", "))
            }
            JwksProblem::TooMany { kty, count } => {
                write!(f, "{count} keys of type {kty}; AWS STS takes up to {MAX_KEYS_PER_TYPE}")
            }
            JwksProblem::Key { position, kid, problem } => match kid.as_deref() {
                Some(kid) if !kid.is_empty() => write!(f, "key `{kid}`: {problem}"),
                _ => write!(f, "key number {position}: {problem}"),
            },
        }
    }
}

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum JwksError {
    /// The document is empty.
    #[error("the key set is empty; expected JSON such as {{\"keys\": [ … ]}}")]
    Empty,
    /// The document is a web page.
    #[error("a web page (HTML) instead of a key set; expected JSON such as {{\"keys\": [ … ]}}")]
    Html,
    /// The document is a PEM file.
    #[error("a PEM file instead of a key set; publish or save the keys as JSON: {{\"keys\": [ … ]}}")]
    Pem,
    /// The document is not JSON.
    #[error("not JSON from line {line}, column {column} on; expected {{\"keys\": [ … ]}}")]
    NotJson { line: usize, column: usize },
    /// One key without the set around it.
    #[error("a single key instead of a key set; wrap it: {{\"keys\": [ … ]}}")]
    SingleKey,
    /// The discovery document, which names the key set's address.
    #[error("a discovery document instead of a key set; the keys are at its `jwks_uri`")]
    Discovery,
    /// JSON without a list called `keys`.
    #[error("no list called `keys`; expected {{\"keys\": [ … ]}}")]
    NoKeysMember,
}

impl Jwks {
    /// Reads a key set. Keys with problems stay in it, so that they can be shown.
    pub fn parse(bytes: &[u8]) -> Result<Jwks, JwksError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let start = bytes.trim_ascii_start();
        if start.is_empty() {
            return Err(JwksError::Empty);
        }
        if start.starts_with(b"<") {
            return Err(JwksError::Html);
        }
        if start.starts_with(b"-----BEGIN") {
            return Err(JwksError::Pem);
        }
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|error| JwksError::NotJson { line: error.line(), column: error.column() })?;
        let Some(entries) = document.get("keys").and_then(Value::as_array) else {
            return Err(if document.get("kty").is_some() {
                JwksError::SingleKey
            } else if document.get("jwks_uri").is_some() {
                JwksError::Discovery
            } else {
                JwksError::NoKeysMember
            });
        };
        let keys = entries.iter().take(MAX_KEYS_READ).enumerate().map(|(i, entry)| Jwk::read(i + 1, entry)).collect();
        let mut set = Jwks { keys, problems: Vec::new() };
        set.judge(entries);
        Ok(set)
    }

    fn judge(&mut self, entries: &[Value]) {
        if self.keys.is_empty() {
            self.problems.push(JwksProblem::NoKeys);
            return;
        }
        // No cloud takes what an Ed25519 key signs.
        let serves_a_cloud = |key: &Jwk| key.is_usable() && !matches!(key.material, Some(Material::Ed25519 { .. }));
        if !self.keys.iter().any(serves_a_cloud) {
            self.problems.push(JwksProblem::NoUsableKey);
        }
        for kty in ["RSA", "EC"] {
            let of_type = |entry: &&Value| entry.get("kty").and_then(Value::as_str) == Some(kty);
            let count = entries.iter().filter(of_type).count();
            if count > MAX_KEYS_PER_TYPE {
                self.problems.push(JwksProblem::TooMany { kty: kty.to_owned(), count });
            }
        }
        let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
        for key in &self.keys {
            if let Some(kid) = key.kid.as_deref().filter(|kid| !kid.is_empty()) {
                positions.entry(kid).or_default().push(key.position);
            }
        }
        let mut shared: Vec<(&str, Vec<usize>)> = positions.into_iter().filter(|(_, at)| at.len() > 1).collect();
        shared.sort_by_key(|(_, at)| at[0]);
        let shared =
            shared.into_iter().map(|(kid, at)| JwksProblem::DuplicateKid { kid: kid.to_owned(), positions: at });
        let of_keys = self.keys.iter().flat_map(|key| {
            key.problems.iter().map(|problem| JwksProblem::Key {
                position: key.position,
                kid: key.kid.clone(),
                problem: problem.clone(),
            })
        });
        let more: Vec<JwksProblem> = shared.chain(of_keys).collect();
        self.problems.extend(more);
    }
}

/// An algorithm that published keys verify (RFC 7518 sections 3.3 to 3.5, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    /// With Ed25519.
    EdDsa,
}

/// The text names no algorithm that a published key verifies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512, EdDSA")]
pub struct UnsupportedAlgorithm(pub String);

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::EdDsa,
    ];

    /// Whether AWS STS takes it
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).
    pub const fn is_taken_by_sts(self) -> bool {
        !matches!(self, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa)
    }

    /// The name in a token's header. Letter case counts.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Whether a key is of the type that the algorithm needs: RSA, exactly its curve, or Ed25519.
    pub fn fits(self, key: &Jwk) -> bool {
        match &key.material {
            Some(Material::Rsa { .. }) => self.curve().is_none() && self != Algorithm::EdDsa,
            Some(Material::Ed25519 { .. }) => self == Algorithm::EdDsa,
            Some(Material::Ec { curve, .. }) => self.curve() == Some(*curve),
            None => false,
        }
    }

    const fn curve(self) -> Option<Curve> {
        match self {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::EdDsa => None,
            Algorithm::Es256 => Some(Curve::P256),
            Algorithm::Es384 => Some(Curve::P384),
            Algorithm::Es512 => Some(Curve::P521),
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnsupportedAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnsupportedAlgorithm> {
        Algorithm::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| UnsupportedAlgorithm(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn coordinate(bytes: usize) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0x5b; bytes])
    }

    fn rsa(bytes: usize) -> Value {
        json!({"kty": "RSA", "kid": "r", "use": "sig", "n": coordinate(bytes), "e": "AQAB"})
    }

    fn ec() -> Value {
        // RFC 7515, appendix A.3.
        let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        json!({"kty": "EC", "kid": "e", "crv": "P-256", "x": x, "y": y})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn set(keys: &[Value]) -> Jwks {
        Jwks::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn sound_keys_have_no_problems() {
        let set = set(&[rsa(257), ec()]);
        assert_eq!(set.problems, []);
        assert!(set.keys.iter().all(Jwk::is_usable));
        let of_other_curves = [
            json!({
                "kty": "EC", "kid": "e", "crv": "P-384",
                "x": "J-fjVVvlcQXqmoM4T-CrZvk78HoSMRUqbe-0w28T55cUk_gvPUW0Qb3lMwnr6Dcn",
                "y": "FbMgMm9K0M2X3TCcgVh-r4SepOufp5bVdItJk02av9EzmST-iozJuTbr0bsD6M4z",
            }),
            // RFC 7520, section 3.1.
            json!({
                "kty": "EC", "kid": "f", "crv": "P-521",
                "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
                "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
            }),
        ];
        assert_eq!(self::set(&of_other_curves).problems, []);
        assert_eq!(set.keys[0].bits, Some(2055));
    }

    #[test]
    fn problems_of_one_key() {
        for (key, problem, usable) in [
            (json!(7), KeyProblem::NotAnObject, false),
            (with(rsa(257), "kid", json!("")), KeyProblem::KidEmpty, true),
            (with(rsa(257), "kid", json!(5)), KeyProblem::KidNotText, true),
            (with(rsa(257), "use", json!("enc")), KeyProblem::NotForSigning { usage: "enc".into() }, false),
            (with(rsa(257), "key_ops", json!(["verify"])), KeyProblem::KeyOps, true),
            (
                with(rsa(257), "key_ops", json!(["encrypt"])),
                KeyProblem::KeyOpsWithoutVerify { ops: vec!["encrypt".into()] },
                false,
            ),
            (rsa(128), KeyProblem::RsaTooSmall { bits: 1023 }, false),
            (with(rsa(257), "n", json!("!")), KeyProblem::MemberMalformed { name: "n".into() }, false),
            (with(rsa(257), "alg", json!("ES256")), KeyProblem::AlgUnfit { alg: "ES256".into() }, true),
            (with(rsa(257), "d", json!("x")), KeyProblem::PrivatePublished { names: vec!["d".into()] }, true),
            (with(ec(), "crv", json!("secp256k1")), KeyProblem::CurveUnsupported { crv: "secp256k1".into() }, false),
            (
                with(ec(), "x", json!(coordinate(31))),
                KeyProblem::CoordinateLength { name: "x".into(), expected: 32, found: 31 },
                false,
            ),
            (with(ec(), "x", json!(coordinate(32))), KeyProblem::NotOnCurve { crv: "P-256".into() }, false),
            (with(rsa(257), "e", json!("AQ")), KeyProblem::RsaExponent, false),
            (with(rsa(257), "e", json!("AA")), KeyProblem::RsaExponent, false),
            (with(rsa(257), "e", json!("AQAC")), KeyProblem::RsaExponent, false),
            (with(rsa(257), "e", json!(coordinate(6))), KeyProblem::RsaExponent, false),
            (with(rsa(257), "n", json!(format!("{}AA", coordinate(258)))), KeyProblem::RsaModulusEven, false),
            (json!({"kty": "oct", "kid": "o", "k": "c2VjcmV0"}), KeyProblem::Symmetric, false),
            (json!({"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": coordinate(32)}), KeyProblem::Okp, true),
            (
                json!({"kty": "OKP", "kid": "o", "crv": "X25519"}),
                KeyProblem::CurveUnsupported { crv: "X25519".into() },
                false,
            ),
            (json!({"kty": "LMS", "kid": "o"}), KeyProblem::KtyUnsupported { kty: "LMS".into() }, false),
            (json!({"kid": "o"}), KeyProblem::KtyMissing, false),
        ] {
            let set = set(std::slice::from_ref(&key));
            assert_eq!(set.keys[0].problems, std::slice::from_ref(&problem), "{key}");
            assert_eq!(set.keys[0].is_usable(), usable, "{key}");
            let serves_a_cloud = usable && problem != KeyProblem::Okp;
            assert_eq!(set.problems.contains(&JwksProblem::NoUsableKey), !serves_a_cloud, "{key}");
        }
    }

    #[test]
    fn private_members_are_dropped() {
        let set = set(&[with(rsa(257), "d", json!("cHJpdmF0ZQ"))]);
        assert!(!format!("{set:?}{}", serde_json::to_string(&set).unwrap()).contains("cHJpdmF0ZQ"));
    }

    #[test]
    fn problems_of_the_set() {
        assert_eq!(set(&[]).problems, [JwksProblem::NoKeys]);
        let duplicate = JwksProblem::DuplicateKid { kid: "r".into(), positions: vec![1, 3] };
        assert_eq!(set(&[rsa(257), ec(), rsa(257)]).problems, [duplicate]);
        let many: Vec<Value> = (0..101).map(|i| with(rsa(257), "kid", json!(i.to_string()))).collect();
        assert_eq!(set(&many).problems, [JwksProblem::TooMany { kty: "RSA".into(), count: 101 }]);
        assert_eq!(set(&many[..100]).problems, []);
    }

    #[test]
    fn other_documents_are_named() {
        for (document, error) in [
            ("", JwksError::Empty),
            ("<!doctype html>", JwksError::Html),
            ("-----BEGIN PUBLIC KEY-----", JwksError::Pem),
            ("{", JwksError::NotJson { line: 1, column: 1 }),
            ("{\"kty\":\"RSA\"}", JwksError::SingleKey),
            ("{\"jwks_uri\":\"x\"}", JwksError::Discovery),
            ("{\"keys\":{}}", JwksError::NoKeysMember),
            ("[]", JwksError::NoKeysMember),
        ] {
            assert_eq!(Jwks::parse(document.as_bytes()), Err(error), "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Jwks::parse(&bytes);
        }
    }
}
