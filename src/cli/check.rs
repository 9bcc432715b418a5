//! `trustline check`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {}

pub(super) fn run(_args: &CheckArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`check` is not built yet"))
}
