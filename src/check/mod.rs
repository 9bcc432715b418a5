//! What can be checked: each check's identity and needs, the facts a probe brings, and the verdict on them.

pub mod facts;
mod id;
mod outcome;
pub mod verdict;

pub use id::{CheckId, UnknownCheck};
pub use outcome::{Outcome, Verdict};
