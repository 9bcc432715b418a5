//! `trustline replay`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {}

pub(super) fn run(_args: &ReplayArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`replay` is not built yet"))
}
