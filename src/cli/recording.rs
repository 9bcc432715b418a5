//! `--record`: writes a run's events to a new file that only its owner can read.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::CliError;
use crate::private_file;
use crate::run::record::Recorder;

/// Begins a recording in a file that must not exist yet.
pub(super) fn begin(path: &Path) -> Result<Recorder<BufWriter<File>>, CliError> {
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::new(format!("--record {}: the file exists; name a new one", path.display()))
        }
        _ => CliError::new(format!("--record {}: {e}", path.display())),
    };
    let file = private_file::create(path).map_err(refused)?;
    Recorder::begin(BufWriter::new(file)).map_err(refused)
}
