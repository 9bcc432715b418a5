//! From an error text to ranked causes: what the text says, which causes give it, and what would decide.

use super::{Cause, Certainty};

/// A cause that an answer of a cloud may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What may be wrong.
    pub cause: Cause,
    /// How far the answer alone carries.
    pub certainty: Certainty,
}

/// The causes that an answer with this code and message may have, the likeliest first; at most twelve.
///
/// `provider` is `aws`, `azure` or `gcp`.
pub fn candidates(provider: &str, code: &str, message: &str) -> Vec<Candidate> {
    let _ = (provider, code, message);
    Vec::new()
}
