//! The rules, a file for each speaker: what clouds, SDKs and tools say, and what it can mean.

mod aws;
mod azure;
mod gcp;
mod network;
mod settings;

use super::rule::Rule;

/// Every rule. The order decides nothing.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [settings::RULES, network::RULES, aws::RULES, azure::RULES, gcp::RULES].into_iter().flatten()
}
