//! The trust policy at hand, evaluated for the token.

/// The trust policy at hand, evaluated for the token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrustFact {}
