//! The runtime and the HTTP stack of the commands that reach the network.

use std::time::Duration;

use super::CliError;
use super::args::NetworkArgs;
use crate::probe::http::{HttpSettings, HttpStack, ProxyUse};

/// The most that one network operation may take, unless the whole has less.
const OPERATION: Duration = Duration::from_secs(10);

/// The largest file of authorities that is read, in bytes.
const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;

impl NetworkArgs {
    /// What one network operation may take: at most ten seconds, and a little less than the whole, so that an
    /// operation that fails by time can still be told as such.
    pub(super) fn operation_timeout(&self) -> Duration {
        OPERATION.min(self.timeout.mul_f64(0.95))
    }

    /// The HTTP stack that these arguments ask for.
    pub(super) fn stack(&self, proxy: ProxyUse) -> Result<HttpStack, CliError> {
        let ca_pem = match &self.ca_file {
            None => None,
            Some(path) => {
                let unreadable = |e| CliError::new(format!("--ca-file {}: {e}", path.display()));
                let size = std::fs::metadata(path).map_err(unreadable)?.len();
                if size > LARGEST_CA_FILE {
                    return Err(CliError::new(format!("--ca-file {}: larger than 4 MiB", path.display())));
                }
                Some(std::fs::read(path).map_err(unreadable)?)
            }
        };
        HttpStack::new(&HttpSettings { ca_pem, timeout: self.operation_timeout(), proxy }).map_err(|e| {
            match &self.ca_file {
                Some(path) => CliError::new(format!("--ca-file {}: {e}", path.display())),
                None => CliError::new(e.to_string()),
            }
        })
    }
}

/// A runtime for one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::new(format!("the runtime does not start: {e}")))
}
