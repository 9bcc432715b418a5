//! What AWS answered.

/// What AWS answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsFacts {}
