//! `trustline issuer`.

use clap::Args;

use super::{CliError, Exit};

/// Arguments of `trustline issuer`.
#[derive(Debug, Args)]
pub(super) struct IssuerArgs {}

pub(super) fn run(_args: &IssuerArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`issuer` is not built yet"))
}
