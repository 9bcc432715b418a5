//! `trustline profile`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline profile`.
#[derive(Debug, Args)]
pub(super) struct ProfileArgs {}

pub(super) fn run(_args: &ProfileArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`profile` is not built yet"))
}
