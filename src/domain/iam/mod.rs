//! IAM policies and their evaluation.

pub mod pattern;
mod truth;

pub use truth::Truth;
