//! Verdicts: pure functions from facts and the profile to how a check ended and why.

pub mod aws;
pub mod issuer;
pub mod network;
pub mod token;
pub mod trust;
