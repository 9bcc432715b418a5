//! Whether a token's signature is its issuer's: four states, each with its reason. "Not checked" is never "failed".

mod verify;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::jwks::{Jwk, KeyProblem};
use super::token::{DecodedToken, RawToken};
pub use verify::verify;

/// What is known of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// A published key made it.
    Verified,
    /// The key that should have made it did not.
    Failed,
    /// Nobody supplied keys to check it with.
    NotChecked,
    /// Keys were at hand, and the check was not possible.
    CannotCheck,
}

/// The state of a signature, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub state: SignatureState,
    /// Why it is in this state; its `Display` is a sentence.
    pub reason: SignatureReason,
    /// The algorithm the token's header names.
    pub alg: Option<String>,
    /// The key the token's header names.
    pub kid: Option<String>,
}

impl Signature {
    /// The state of a signature whose keys could not be had, unless the token itself already settles it.
    pub fn without_keys(token: &RawToken, decoded: &DecodedToken, why: impl Into<String>) -> Self {
        let settled = verify(token, decoded, None);
        match settled.state {
            SignatureState::NotChecked => {
                let reason = SignatureReason::KeysUnavailable { why: why.into() };
                Signature::new(SignatureState::CannotCheck, reason, decoded)
            }
            _ => settled,
        }
    }

    fn new(state: SignatureState, reason: SignatureReason, token: &DecodedToken) -> Self {
        Signature { state, reason, alg: token.alg().map(str::to_owned), kid: token.kid().map(str::to_owned) }
    }
}

/// A key of the set, by place and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRef {
    /// Its place in the set, counted from 1.
    pub position: usize,
    pub kid: Option<String>,
    /// Its type, such as `RSA` or `EC P-256`.
    pub key_type: String,
}

impl From<&Jwk> for KeyRef {
    fn from(key: &Jwk) -> Self {
        KeyRef { position: key.position, kid: key.kid.clone(), key_type: key.type_name() }
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kid.as_deref() {
            Some(kid) if !kid.is_empty() => write!(f, "key `{kid}`"),
            _ => write!(f, "key number {}", self.position),
        }
    }
}

/// Why a signature is in the state it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SignatureReason {
    // Verified
    /// The key that the token names made the signature. `hidden` says why AWS STS would not use that key.
    NamedKey { key: KeyRef, hidden: Option<KeyProblem> },
    /// The token names no key; the only key that could have made the signature made it.
    OnlyFittingKey { key: KeyRef },

    // Failed
    /// `alg` is `none`.
    Unsigned,
    /// The signature part is empty.
    EmptySignature,
    /// The signature part is not base64url, so no key can have made it.
    MalformedSignature,
    /// The key that the token names did not make the signature.
    DoesNotVerify { key: KeyRef },
    /// Another published key made the signature.
    OtherKeyVerifies { named: KeyRef, verifies: KeyRef },
    /// Several keys share the `kid`, and the one that counts (the last) did not make the signature; an earlier did.
    EarlierDuplicateVerifies { counts: KeyRef, verifies: KeyRef },
    /// The key that the token names cannot be used with the token's algorithm.
    KeyTypeUnfit { key: KeyRef, alg: String },
    /// The token names no key, and the only key that could have made the signature did not.
    OnlyFittingKeyDoesNotVerify { key: KeyRef },

    // Not checked
    /// No key set was given.
    NoKeySet,

    // Cannot check
    /// The keys could not be had.
    KeysUnavailable { why: String },
    /// The token is not three parts with a readable header.
    NotSignedJwt,
    /// The header names no algorithm.
    NoAlgorithm,
    /// An algorithm that is not checked here, because no cloud takes it.
    AlgorithmUnsupported { alg: String },
    /// `crit` demands extensions that are not known here.
    Critical { names: Vec<String> },
    /// The set is empty.
    NoKeys,
    /// The set has no key of the name that the token gives. `verifies` is a key of another name that made the signature.
    KidNotFound { kid: String, published: Vec<String>, verifies: Option<KeyRef> },
    /// The key that the token names is unusable.
    KeyUnusable { key: KeyRef, problem: KeyProblem },
    /// The token names no key, and none of the set could have made the signature.
    NoFittingKey { alg: String },
    /// The token names no key, and several could have made the signature. `verifies` is the one that did.
    KidMissing { fitting: usize, verifies: Option<KeyRef> },
}

impl fmt::Display for SignatureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignatureReason::NamedKey { key, hidden: None } => write!(f, "{key} ({}) made it", key.key_type),
            SignatureReason::NamedKey { key, hidden: Some(problem) } => {
                write!(f, "{key} ({}) made it, but AWS STS would not use this key: {problem}", key.key_type)
            }
            SignatureReason::OnlyFittingKey { key } => {
                write!(f, "the token names no key; {key}, the only one published that could fit, made it")
            }
            SignatureReason::Unsigned => f.write_str("the header says alg `none`: nobody signed this token"),
            SignatureReason::EmptySignature => f.write_str("the signature part is empty"),
            SignatureReason::MalformedSignature => {
                f.write_str("the signature part is not base64url, so no key can have made it")
            }
            SignatureReason::DoesNotVerify { key } => {
                write!(f, "{key} did not make it: the token was changed, or signed by a key of the same name elsewhere")
            }
            SignatureReason::OtherKeyVerifies { named, verifies } => {
                write!(f, "the token names {named}, but {verifies} made the signature")
            }
            SignatureReason::EarlierDuplicateVerifies { counts, verifies } => write!(
                f,
                "several keys share this kid: number {} made the signature, but the later number {} is the one that counts",
                verifies.position, counts.position
            ),
            SignatureReason::KeyTypeUnfit { key, alg } => {
                write!(f, "{key} is {}, which cannot have made an {alg} signature", key.key_type)
            }
            SignatureReason::OnlyFittingKeyDoesNotVerify { key } => {
                write!(f, "the token names no key, and {key}, the only one published that could fit, did not make it")
            }
            SignatureReason::NoKeySet => f.write_str("no key set was given to check it with"),
            SignatureReason::KeysUnavailable { why } => write!(f, "the published keys could not be had: {why}"),
            SignatureReason::NotSignedJwt => {
                f.write_str("the token is not three parts with a readable header and a signature")
            }
            SignatureReason::NoAlgorithm => f.write_str("the header names no algorithm (`alg`)"),
            SignatureReason::AlgorithmUnsupported { alg } => {
                write!(f, "alg `{alg}` is none of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512, EdDSA")
            }
            SignatureReason::Critical { names } => {
                write!(f, "the header demands extensions that nobody here knows (`crit`: {})", names.join(", "))
            }
            SignatureReason::NoKeys => f.write_str("the key set is empty"),
            SignatureReason::KidNotFound { kid, published, verifies } => {
                write!(f, "no published key has the kid `{kid}`")?;
                match published.as_slice() {
                    [] => f.write_str("; none has any kid")?,
                    kids => write!(f, "; published: {}", list(kids))?,
                }
                match verifies {
                    Some(key) => write!(f, "; {key} made the signature under another name"),
                    None => Ok(()),
                }
            }
            SignatureReason::KeyUnusable { key, problem } => write!(f, "{key} cannot be used: {problem}"),
            SignatureReason::NoFittingKey { alg } => {
                write!(f, "the token names no key, and no published key fits alg `{alg}`")
            }
            SignatureReason::KidMissing { fitting, verifies } => {
                write!(f, "the token names no key, and {fitting} published keys could fit")?;
                match verifies {
                    Some(key) => write!(f, " ({key} is the one that made it)"),
                    None => f.write_str(" (none of them made it)"),
                }
            }
        }
    }
}

/// The first few of a list.
fn list(kids: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = kids.iter().take(SHOWN).map(|kid| format!("`{kid}`")).collect::<Vec<_>>().join(", ");
    if kids.len() > SHOWN {
        text.push_str(&format!(" and {} more", kids.len() - SHOWN));
    }
    text
}
