//! The signature algorithms that clouds take for web identity tokens.

use std::str::FromStr;

use crate::domain::jwks::{Curve, Jwk, Material};

/// An algorithm that AWS STS takes (RFC 7518 sections 3.3 and 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

/// The text names no algorithm that AWS STS takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of RS256, RS384, RS512, ES256, ES384, ES512")]
pub struct UnsupportedAlgorithm(pub String);

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 6] =
        [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512];

    /// The name in a token's header. Letter case counts.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
        }
    }

    /// Whether a key is of the type that the algorithm needs: RSA, or exactly its curve.
    pub fn fits(self, key: &Jwk) -> bool {
        match &key.material {
            Some(Material::Rsa { .. }) => self.curve().is_none(),
            Some(Material::Ec { curve, .. }) => self.curve() == Some(*curve),
            None => false,
        }
    }

    const fn curve(self) -> Option<Curve> {
        match self {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => None,
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
