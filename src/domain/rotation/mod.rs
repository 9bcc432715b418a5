//! Rotation: what a store and a running automation held before and after, and what follows from it.

pub mod evidence;
pub mod judge;
pub mod sighting;
pub mod snapshot;
pub mod verdict;

pub use judge::{Facts, Judgement, Why, judge};
pub use sighting::{Sighting, Source};
pub use snapshot::{Place, Sibling, Store, StoreSnapshot, Version};
pub use verdict::Verdict;

#[cfg(test)]
mod judge_tests;
