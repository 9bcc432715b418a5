//! `trustline token`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline token`.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {}

pub(super) fn run(_args: &TokenArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`token` is not built yet"))
}
