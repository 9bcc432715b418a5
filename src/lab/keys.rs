//! The issuer's signing keys: one per algorithm AWS takes, and a spare that is never published.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaEncoding};
use aws_lc_rs::{digest, hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::LabError;

/// The name of the key that signs unless a token's header asks for another.
pub(super) const DEFAULT: &str = "RS256";

/// Names a world may use for a key; the first six are published by default.
pub(super) const NAMES: [&str; 7] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "spare"];

/// An RSA key in PKCS #8, and its modulus as a JSON Web Key has it: looking a private key over takes longer than anything else
/// of the lab's start, and most keys never sign.
macro_rules! rsa_key {
    ($file:literal) => {
        (
            include_bytes!(concat!("../../assets/lab/keys/", $file, ".der")).as_slice(),
            include_str!(concat!("../../assets/lab/keys/", $file, ".n")),
        )
    };
}

/// RSA keys are embedded, as making one would cost more than the whole start of the lab. Nobody trusts them.
const RSA: [(&str, (&[u8], &str)); 4] = [
    ("RS256", rsa_key!("rs256")),
    ("RS384", rsa_key!("rs384")),
    ("RS512", rsa_key!("rs512")),
    ("spare", rsa_key!("spare")),
];

/// The public exponent of all of them, 65537, as a JSON Web Key has it.
const EXPONENT: &str = "AQAB";

/// The keys of one lab.
pub(super) struct Keys {
    keys: Vec<SigningKey>,
    random: SystemRandom,
}

struct SigningKey {
    name: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa { pkcs8: &'static [u8], modulus: &'static str, pair: OnceLock<Option<RsaKeyPair>> },
    Ec { pair: EcdsaKeyPair, alg: &'static str, curve: &'static str },
}

impl Keys {
    /// Makes the elliptic-curve keys. The RSA keys are read when they sign.
    pub(super) fn new() -> Result<Self, LabError> {
        let failed = |_| LabError::Keys;
        let mut keys = Vec::with_capacity(NAMES.len());
        for (name, (pkcs8, modulus)) in RSA {
            keys.push(SigningKey { name, pair: Pair::Rsa { pkcs8, modulus, pair: OnceLock::new() } });
        }
        let curves: [(&str, &str, &'static EcdsaSigningAlgorithm); 3] = [
            ("ES256", "P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            ("ES384", "P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            ("ES512", "P-521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        ];
        for (name, curve, algorithm) in curves {
            let pair = EcdsaKeyPair::generate(algorithm).map_err(failed)?;
            keys.push(SigningKey { name, pair: Pair::Ec { pair, alg: name, curve } });
        }
        Ok(Keys { keys, random: SystemRandom::new() })
    }

    /// The `kid` a key is published under unless the world says otherwise.
    pub(super) fn kid(name: &str) -> String {
        format!("lab-{}", name.to_ascii_lowercase())
    }

    /// The public half of the key called `name` as a JSON Web Key (RFC 7517) without `kid`, `use` and `alg`.
    pub(super) fn public_jwk(&self, name: &str) -> Option<Map<String, Value>> {
        let key = self.named(name)?;
        let jwk = match &key.pair {
            Pair::Rsa { modulus, .. } => json!({ "kty": "RSA", "n": modulus, "e": EXPONENT }),
            Pair::Ec { pair, curve, .. } => {
                // An uncompressed point (SEC 1): 4, x, y.
                let point = pair.public_key().as_ref();
                let half = point.len() / 2;
                json!({
                    "kty": "EC",
                    "crv": curve,
                    "x": URL_SAFE_NO_PAD.encode(&point[1..=half]),
                    "y": URL_SAFE_NO_PAD.encode(&point[half + 1..]),
                })
            }
        };
        match jwk {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Signs `payload`, byte for byte, under `header`: with the key that its `kid` names where that key can do the
    /// header's `alg`, else with the key of that `alg`, else with the default key. `none` leaves the signature empty,
    /// `HS*` takes the public key's PEM for a secret.
    pub(super) fn mint(&self, header: &Map<String, Value>, payload: &str) -> Result<String, LabError> {
        let text = serde_json::to_string(header).map_err(|_| LabError::Keys)?;
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(payload));
        let alg = header.get("alg").and_then(Value::as_str).unwrap_or(DEFAULT);
        let kid = header.get("kid").and_then(Value::as_str);
        let by_kid = self.keys.iter().find(|key| kid == Some(Keys::kid(key.name).as_str()));
        let signature = self.sign(by_kid, alg, input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The header of a token that the named key signs.
    pub(super) fn header(name: &str) -> Map<String, Value> {
        let alg = if name == "spare" { DEFAULT } else { name };
        let mut header = Map::new();
        header.insert("alg".into(), alg.into());
        header.insert("kid".into(), Keys::kid(name).into());
        header.insert("typ".into(), "JWT".into());
        header
    }

    /// Signs under the key called `name`, whatever the header says.
    pub(super) fn mint_with(&self, name: &str, header: &Map<String, Value>, payload: &str) -> Result<String, LabError> {
        let text = serde_json::to_string(header).map_err(|_| LabError::Keys)?;
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(payload));
        let key = self.named(name).ok_or(LabError::Keys)?;
        let alg = header.get("alg").and_then(Value::as_str).unwrap_or(DEFAULT);
        let signature = self.sign(Some(key), alg, input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The private half of the RSA key called `name`, as PKCS #8 in PEM. These keys are public, and nobody trusts them.
    pub(super) fn private_pem(&self, name: &str) -> Option<String> {
        let (_, (der, _)) = RSA.iter().find(|(own, _)| *own == name)?;
        Some(pem("PRIVATE KEY", der))
    }

    fn named(&self, name: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    fn sign(&self, preferred: Option<&SigningKey>, alg: &str, input: &[u8]) -> Result<Vec<u8>, LabError> {
        if alg.eq_ignore_ascii_case("none") {
            return Ok(Vec::new());
        }
        if let Some(algorithm) = hmac_algorithm(alg) {
            let secret = self.public_pem(preferred)?;
            let key = hmac::Key::new(algorithm, secret.as_bytes());
            return Ok(hmac::sign(&key, input).as_ref().to_vec());
        }
        let able = preferred.filter(|key| key.can(alg));
        let key = able.or_else(|| self.named(alg)).or_else(|| self.named(DEFAULT)).ok_or(LabError::Keys)?;
        match &key.pair {
            Pair::Rsa { pkcs8, pair, .. } => {
                let pair = read(pair, pkcs8)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(alg), &self.random, input, &mut signature).map_err(|_| LabError::Keys)?;
                Ok(signature)
            }
            Pair::Ec { pair, .. } => Ok(pair.sign(&self.random, input).map_err(|_| LabError::Keys)?.as_ref().to_vec()),
        }
    }

    /// The subject public key info of a key in PEM: what a confused verifier would take for an HMAC secret.
    fn public_pem(&self, preferred: Option<&SigningKey>) -> Result<String, LabError> {
        let key = preferred.or_else(|| self.named(DEFAULT)).ok_or(LabError::Keys)?;
        let der: PublicKeyX509Der<'_> = match &key.pair {
            Pair::Rsa { pkcs8, pair, .. } => read(pair, pkcs8)?.public_key().as_der().map_err(|_| LabError::Keys)?,
            Pair::Ec { pair, .. } => pair.public_key().as_der().map_err(|_| LabError::Keys)?,
        };
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }
}

impl SigningKey {
    fn can(&self, alg: &str) -> bool {
        match &self.pair {
            Pair::Rsa { .. } => alg.starts_with("RS") || alg.starts_with("PS"),
            Pair::Ec { alg: own, .. } => *own == alg,
        }
    }
}

fn read<'p>(pair: &'p OnceLock<Option<RsaKeyPair>>, pkcs8: &[u8]) -> Result<&'p RsaKeyPair, LabError> {
    pair.get_or_init(|| RsaKeyPair::from_pkcs8(pkcs8).ok()).as_ref().ok_or(LabError::Keys)
}

fn hmac_algorithm(alg: &str) -> Option<hmac::Algorithm> {
    match alg {
        "HS256" => Some(hmac::HMAC_SHA256),
        "HS384" => Some(hmac::HMAC_SHA384),
        "HS512" => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn rsa_encoding(alg: &str) -> &'static dyn RsaEncoding {
    match alg {
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

/// `length` random characters out of `alphabet`, for identifiers and secrets.
pub(super) fn random_text(length: usize, alphabet: &[u8]) -> Result<String, LabError> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| LabError::Keys)?;
    Ok(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect())
}

/// A random version 4 UUID (RFC 9562).
pub(super) fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness the identifier is still well formed; it identifies an answer and protects nothing.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The textual encoding of RFC 7468.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = (0..base64.len()).step_by(64).map(|i| &base64[i..(i + 64).min(base64.len())]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// SHA-256 in lower-case hex.
pub(super) fn sha256_hex(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_the_public_half() {
        for (name, (pkcs8, modulus)) in RSA {
            let pair = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
            let public = pair.public_key();
            let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(encoded(public.modulus().big_endian_without_leading_zero()), modulus, "{name}");
            assert_eq!(encoded(public.exponent().big_endian_without_leading_zero()), EXPONENT, "{name}");
        }
    }
}
