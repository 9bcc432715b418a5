//! Whether a token's signature is its issuer's: four states, each with its reason. "Not checked" is never "failed".

mod algorithm;
mod reason;
mod verify;

use serde::{Deserialize, Serialize};

use super::token::{DecodedToken, RawToken};
pub use algorithm::{Algorithm, UnsupportedAlgorithm};
pub use reason::{KeyRef, SignatureReason};
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
