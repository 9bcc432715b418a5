//! `--record`: writes a run's events to a new file that only its owner can read.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::CliError;
use crate::run::record::Recorder;

/// Begins a recording in a file that must not exist yet.
pub(super) fn begin(path: &Path) -> Result<Recorder<BufWriter<File>>, CliError> {
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::new(format!("--record {}: the file exists; name a new one", path.display()))
        }
        _ => CliError::new(format!("--record {}: {e}", path.display())),
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(refused)?;
    Recorder::begin(BufWriter::new(file)).map_err(refused)
}
