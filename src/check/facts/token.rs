//! What the token's source gave.

/// The token, decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenFact {}

/// The state of the token's signature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignatureFact {}
