//! One published key (JSON Web Key, RFC 7517 and 7518), reduced to its public side.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The members that only a private key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The smallest RSA key that signature checks take (RFC 7518 section 3.3), in bits.
pub const MIN_RSA_BITS: usize = 2048;

/// The largest RSA key that the cryptographic library takes, in bits.
const MAX_RSA_BITS: usize = 8192;

/// The length of a public key of Ed25519, in bytes.
const ED25519_KEY: usize = 32;

/// The longest RSA exponent that the cryptographic library takes, in bytes.
const LONGEST_EXPONENT: usize = 5;

/// One key of a set. Private members, where a set wrongly publishes them, are named in `problems` and dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    /// Its place in the set, counted from 1.
    pub position: usize,
    /// The name by which tokens refer to it.
    pub kid: Option<String>,
    /// `RSA`, `EC`, …
    pub kty: Option<String>,
    /// The algorithm it is meant for.
    pub alg: Option<String>,
    /// `sig` or `enc`.
    #[serde(rename = "use")]
    pub usage: Option<String>,
    /// The operations it is meant for, where the set says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// The elliptic curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The size of an RSA key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<usize>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<KeyProblem>,
    /// The public key itself; `None` where it could not be read, and after a round trip through JSON.
    #[serde(skip)]
    pub material: Option<Material>,
}

/// A public key's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The uncompressed point: 4, x, y.
    Ec { curve: Curve, point: Vec<u8> },
    /// The public key of Ed25519, 32 bytes.
    Ed25519 { x: Vec<u8> },
}

/// The curves of the algorithms ES256, ES384 and ES512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// The name in `crv`.
    pub const fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// What the library reads its points with.
    fn algorithm(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED,
            Curve::P521 => &ECDSA_P521_SHA512_FIXED,
        }
    }

    /// The length of a coordinate, in bytes.
    const fn coordinate(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }
}

/// One thing wrong with, or remarkable about, a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum KeyProblem {
    /// The entry is no JSON object.
    NotAnObject,
    /// No `kid`; AWS STS finds keys by it.
    KidMissing,
    /// An empty `kid`.
    KidEmpty,
    /// A `kid` that is no text.
    KidNotText,
    /// No `kty`.
    KtyMissing,
    /// A key type that no accepted algorithm uses.
    KtyUnsupported { kty: String },
    /// A key for EdDSA, which AWS STS and Entra do not take.
    Okp,
    /// A shared secret in a public document.
    Symmetric,
    /// `use` is not `sig`.
    NotForSigning { usage: String },
    /// `key_ops` is present, with `verify` in it. AWS STS was seen to leave such keys out.
    KeyOps,
    /// `key_ops` is present without `verify`.
    KeyOpsWithoutVerify { ops: Vec<String> },
    /// `crv` is missing.
    CurveMissing,
    /// A curve that no accepted algorithm uses.
    CurveUnsupported { crv: String },
    /// A member of the public key is missing.
    MemberMissing { name: String },
    /// A member of the public key is not base64url text.
    MemberMalformed { name: String },
    /// A coordinate is not as long as the curve demands (RFC 7518 section 6.2.1.2).
    CoordinateLength { name: String, expected: usize, found: usize },
    /// An RSA key that is too small to be trusted.
    RsaTooSmall { bits: usize },
    /// An RSA key larger than can be checked here.
    RsaTooLarge { bits: usize },
    /// An RSA modulus that is even, and so no product of two large primes.
    RsaModulusEven,
    /// An RSA exponent that is even, below 3, or longer than any library takes: everything or nothing would verify.
    RsaExponent,
    /// A point that is not on its curve.
    NotOnCurve { crv: String },
    /// `alg` cannot be used with this type of key.
    AlgUnfit { alg: String },
    /// The private key is published too.
    PrivatePublished { names: Vec<String> },
}

impl KeyProblem {
    /// Whether no signature can be checked with the key.
    pub fn prevents_checking(&self) -> bool {
        !matches!(
            self,
            KeyProblem::KidMissing
                | KeyProblem::KidEmpty
                | KeyProblem::KidNotText
                | KeyProblem::KeyOps
                | KeyProblem::Okp
                | KeyProblem::AlgUnfit { .. }
                | KeyProblem::PrivatePublished { .. }
        )
    }

    /// Whether AWS STS passes the key over (the algorithm a key states is not looked at there).
    pub fn hides_from_sts(&self) -> bool {
        !matches!(self, KeyProblem::AlgUnfit { .. } | KeyProblem::PrivatePublished { .. })
    }
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyProblem::NotAnObject => f.write_str("it is not a JSON object"),
            KeyProblem::KidMissing => f.write_str("it has no `kid`"),
            KeyProblem::KidEmpty => f.write_str("its `kid` is empty"),
            KeyProblem::KidNotText => f.write_str("its `kid` is not text"),
            KeyProblem::KtyMissing => f.write_str("it has no key type (`kty`)"),
            KeyProblem::KtyUnsupported { kty } => write!(f, "its key type `{kty}` is neither RSA nor EC"),
            KeyProblem::Okp => f.write_str("it is a key for EdDSA, which neither AWS STS nor Entra takes"),
            KeyProblem::Symmetric => f.write_str("it is a shared secret (`oct`), which must not be published"),
            KeyProblem::NotForSigning { usage } => write!(f, "its `use` is `{usage}` instead of `sig`"),
            KeyProblem::KeyOps => f.write_str("it has `key_ops`, which makes AWS STS leave it out"),
            KeyProblem::KeyOpsWithoutVerify { ops } => {
                write!(f, "its `key_ops` ({}) do not include `verify`", ops.join(", "))
            }
            KeyProblem::CurveMissing => f.write_str("it names no curve (`crv`)"),
            KeyProblem::CurveUnsupported { crv } => {
                write!(f, "its curve `{crv}` is none of P-256, P-384, P-521, Ed25519")
            }
            KeyProblem::MemberMissing { name } => write!(f, "its member `{name}` is missing"),
            KeyProblem::MemberMalformed { name } => write!(f, "its member `{name}` is not base64url text"),
            KeyProblem::CoordinateLength { name, expected, found } => {
                write!(f, "its member `{name}` has {found} bytes instead of {expected}")
            }
            KeyProblem::RsaTooSmall { bits } => write!(f, "it has {bits} bits; {MIN_RSA_BITS} are the least"),
            KeyProblem::RsaTooLarge { bits } => write!(f, "it has {bits} bits; {MAX_RSA_BITS} are the most"),
            KeyProblem::RsaModulusEven => f.write_str("its modulus `n` is even, which that of no RSA key is"),
            KeyProblem::RsaExponent => {
                f.write_str("its exponent `e` is none of an RSA key; nearly every one has 65537 (`AQAB`)")
            }
            KeyProblem::NotOnCurve { crv } => write!(f, "its point (`x`, `y`) is not on the curve {crv}"),
            KeyProblem::AlgUnfit { alg } => write!(f, "its `alg` `{alg}` does not fit its key type"),
            KeyProblem::PrivatePublished { names } => {
                write!(f, "its private members ({}) are published: whoever reads the set can sign", names.join(", "))
            }
        }
    }
}

impl Jwk {
    /// Reads one entry of a set.
    pub(super) fn read(position: usize, entry: &Value) -> Jwk {
        let mut key = Jwk {
            position,
            kid: None,
            kty: None,
            alg: None,
            usage: None,
            key_ops: None,
            crv: None,
            bits: None,
            problems: Vec::new(),
            material: None,
        };
        let Value::Object(members) = entry else {
            key.problems.push(KeyProblem::NotAnObject);
            return key;
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        (key.kid, key.kty, key.alg, key.usage, key.crv) =
            (text("kid"), text("kty"), text("alg"), text("use"), text("crv"));
        key.key_ops = members
            .get("key_ops")
            .map(|ops| ops.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect());
        key.read_labels(members);
        match key.kty.as_deref() {
            None => key.problems.push(KeyProblem::KtyMissing),
            Some("RSA") => key.read_rsa(members),
            Some("EC") => key.read_ec(members),
            Some("OKP") => key.read_okp(members),
            Some("oct") => key.problems.push(KeyProblem::Symmetric),
            Some(other) => key.problems.push(KeyProblem::KtyUnsupported { kty: other.to_owned() }),
        }
        let published = PRIVATE_MEMBERS.iter().filter(|name| members.contains_key(**name) && **name != "k");
        let names: Vec<String> = published.map(|name| (*name).to_owned()).collect();
        if !names.is_empty() {
            key.problems.push(KeyProblem::PrivatePublished { names });
        }
        key
    }

    /// Whether a signature can be checked with it.
    pub fn is_usable(&self) -> bool {
        self.material.is_some() && !self.problems.iter().any(KeyProblem::prevents_checking)
    }

    /// The key's type for a sentence: `RSA`, `EC P-256`.
    pub fn type_name(&self) -> String {
        let kty = self.kty.as_deref().unwrap_or("unknown");
        match &self.crv {
            Some(crv) => format!("{kty} {crv}"),
            None => kty.to_owned(),
        }
    }

    fn read_labels(&mut self, members: &Map<String, Value>) {
        match (members.get("kid"), self.kid.as_deref()) {
            (None, _) => self.problems.push(KeyProblem::KidMissing),
            (Some(_), None) => self.problems.push(KeyProblem::KidNotText),
            (Some(_), Some("")) => self.problems.push(KeyProblem::KidEmpty),
            _ => {}
        }
        if let Some(usage) = self.usage.as_deref().filter(|usage| *usage != "sig") {
            self.problems.push(KeyProblem::NotForSigning { usage: usage.to_owned() });
        }
        match &self.key_ops {
            None => {}
            Some(ops) if ops.iter().any(|op| op == "verify") => self.problems.push(KeyProblem::KeyOps),
            Some(ops) => self.problems.push(KeyProblem::KeyOpsWithoutVerify { ops: ops.clone() }),
        }
    }

    fn read_rsa(&mut self, members: &Map<String, Value>) {
        let n = self.read_number(members, "n");
        let e = self.read_number(members, "e");
        let (Some(n), Some(e)) = (n, e) else { return };
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        self.bits = Some(bits);
        if bits < MIN_RSA_BITS {
            self.problems.push(KeyProblem::RsaTooSmall { bits });
        } else if bits > MAX_RSA_BITS {
            self.problems.push(KeyProblem::RsaTooLarge { bits });
        }
        if n.last().is_none_or(|byte| byte % 2 == 0) {
            self.problems.push(KeyProblem::RsaModulusEven);
        }
        let is_odd = e.last().is_some_and(|byte| byte % 2 == 1);
        if !is_odd || e == [1] || e.len() > LONGEST_EXPONENT {
            self.problems.push(KeyProblem::RsaExponent);
        }
        if let Some(alg) = self.alg.as_deref().filter(|alg| !alg.starts_with("RS") && !alg.starts_with("PS")) {
            self.problems.push(KeyProblem::AlgUnfit { alg: alg.to_owned() });
        }
        self.material = Some(Material::Rsa { n, e });
    }

    fn read_ec(&mut self, members: &Map<String, Value>) {
        let Some(crv) = self.crv.clone() else {
            self.problems.push(KeyProblem::CurveMissing);
            return;
        };
        let Some(curve) = Curve::ALL.into_iter().find(|curve| curve.name() == crv) else {
            self.problems.push(KeyProblem::CurveUnsupported { crv });
            return;
        };
        let expected_alg = match curve {
            Curve::P256 => "ES256",
            Curve::P384 => "ES384",
            Curve::P521 => "ES512",
        };
        if let Some(alg) = self.alg.as_deref().filter(|alg| *alg != expected_alg) {
            self.problems.push(KeyProblem::AlgUnfit { alg: alg.to_owned() });
        }
        let mut point = vec![4];
        for name in ["x", "y"] {
            let Some(coordinate) = self.read_number(members, name) else { return };
            let expected = curve.coordinate();
            if coordinate.len() != expected {
                let found = coordinate.len();
                self.problems.push(KeyProblem::CoordinateLength { name: name.to_owned(), expected, found });
                return;
            }
            point.extend(coordinate);
        }
        if ParsedPublicKey::new(curve.algorithm(), &point).is_err() {
            self.problems.push(KeyProblem::NotOnCurve { crv });
        }
        self.material = Some(Material::Ec { curve, point });
    }

    /// Ed25519 (RFC 8037, section 2).
    fn read_okp(&mut self, members: &Map<String, Value>) {
        let crv = self.crv.clone().unwrap_or_default();
        if crv.is_empty() {
            self.problems.push(KeyProblem::CurveMissing);
            return;
        }
        if crv != "Ed25519" {
            self.problems.push(KeyProblem::CurveUnsupported { crv });
            return;
        }
        self.problems.push(KeyProblem::Okp);
        let Some(x) = self.read_number(members, "x") else { return };
        if x.len() != ED25519_KEY {
            let found = x.len();
            self.problems.push(KeyProblem::CoordinateLength { name: "x".to_owned(), expected: ED25519_KEY, found });
            return;
        }
        if let Some(alg) = self.alg.as_deref().filter(|alg| *alg != "EdDSA" && *alg != "Ed25519") {
            self.problems.push(KeyProblem::AlgUnfit { alg: alg.to_owned() });
        }
        self.material = Some(Material::Ed25519 { x });
    }

    fn read_number(&mut self, members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
        let Some(value) = members.get(name) else {
            self.problems.push(KeyProblem::MemberMissing { name: name.to_owned() });
            return None;
        };
        let bytes = value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).filter(|bytes| !bytes.is_empty());
        if bytes.is_none() {
            self.problems.push(KeyProblem::MemberMalformed { name: name.to_owned() });
        }
        bytes
    }
}

fn without_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
