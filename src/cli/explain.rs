//! `trustline explain`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {}

pub(super) fn run(_args: &ExplainArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`explain` is not built yet"))
}
