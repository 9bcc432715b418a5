//! The rules, a file for each speaker: what clouds, SDKs and tools say, and what it can mean.

mod aws_secrets;
mod aws_sts;
mod entra;
mod gcp;
mod network;
mod prose;
mod runtime;
mod settings;
mod token;
mod vault;

use super::rule::Rule;

/// Every rule. The order decides nothing.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        settings::RULES,
        network::RULES,
        token::RULES,
        aws_sts::RULES,
        aws_secrets::RULES,
        entra::RULES,
        vault::RULES,
        gcp::RULES,
        runtime::RULES,
        prose::RULES,
    ]
    .into_iter()
    .flatten()
}
