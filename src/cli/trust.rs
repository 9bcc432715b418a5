//! `trustline trust`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline trust`.
#[derive(Debug, Args)]
pub(super) struct TrustArgs {}

pub(super) fn run(_args: &TrustArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`trust` is not built yet"))
}
