//! Rotation: what a store and a running automation held before and after, and what follows from it.

pub mod evidence;
pub mod judge;
pub mod snapshot;

pub use judge::Verdict;
pub use judge::{Facts, Judgement, Why, judge};
pub use snapshot::{Place, Sibling, Store, StoreSnapshot, Version};
pub use snapshot::{RuntimeObservation, Source};

#[cfg(test)]
mod judge_tests;
