//! What can be checked: each check as one value with its facts, its verdict and its command, and the steps that they need.

mod at_hand;
mod aws;
mod azure;
mod call;
mod client;
mod clock;
pub mod clouds;
mod definition;
mod deployment;
pub mod facts;
mod google;
mod issuer;
mod kubernetes;
mod network;
mod operator;
pub mod registry;
mod reproduce;
mod secret;
pub mod step;
#[cfg(test)]
mod tests;
pub mod token;
mod trust;
mod verdict;

pub use definition::{Check, Link, Reproduction};
pub use verdict::{Outcome, Verdict};

pub use crate::domain::ids::CheckId;
