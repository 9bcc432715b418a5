//! `trustline lab`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {}

pub(super) fn run(_args: &LabArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`lab` is not built yet"))
}
