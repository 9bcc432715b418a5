//! What the issuer's host showed.

/// What the issuer's host showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuerFacts {}
