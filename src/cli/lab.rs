//! `trustline lab`.

use clap::Args;

use super::{CliError, Exit};
use crate::lab::{Lab, LabOptions, World};

/// Arguments of `trustline lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {}

pub(super) fn run(_args: &LabArgs) -> Result<Exit, CliError> {
    Err(CliError::new("`lab` is not built yet"))
}

/// Starts the lab in a scenario's world, on the current runtime.
pub(super) fn start(scenario: &str, options: LabOptions) -> Result<Lab, CliError> {
    let world = World::scenario(scenario).map_err(|e| CliError::new(e.to_string()))?;
    Lab::start(&world, options).map_err(|e| CliError::new(e.to_string()))
}
