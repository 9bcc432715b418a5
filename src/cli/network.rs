//! The runtime and the HTTP stack of the commands that reach the network.

use std::path::{self, Path};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::CliError;
use super::args::NetworkArgs;
use crate::guide::form::shell::quote;
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

    /// The flags that ask for the same network again, behind those that choose a profile.
    pub(super) fn again(&self, selector: &str) -> String {
        let ca_file = self.ca_file.as_ref().map(|path| path::absolute(path).unwrap_or_else(|_| path.clone()));
        let ca_file = ca_file.map(|path| format!("--ca-file {}", quote(&path.to_string_lossy())));
        let named = self.resolve.iter().map(|(name, addresses)| {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("--resolve {}", quote(&format!("{name}={}", addresses.join(","))))
        });
        let flags = [selector.to_owned()].into_iter().filter(|flags| !flags.is_empty());
        flags.chain(ca_file).chain(named).collect::<Vec<_>>().join(" ")
    }

    /// The HTTP stack that these arguments ask for.
    pub(super) fn stack(&self) -> Result<HttpStack, CliError> {
        let stack = stack(self.ca_file.as_deref(), self.operation_timeout(), ProxyUse::Environment)?;
        Ok(if self.resolve.is_empty() { stack } else { stack.with_addresses(self.resolve.iter().cloned().collect()) })
    }

    /// The HTTP stack for the lab on this machine: its authority is trusted, and no proxy stands in between.
    pub(super) fn lab_stack(&self, ca_file: &Path) -> Result<HttpStack, CliError> {
        stack(Some(ca_file), self.operation_timeout(), ProxyUse::None)
    }
}

fn stack(ca_file: Option<&Path>, timeout: Duration, proxy: ProxyUse) -> Result<HttpStack, CliError> {
    let told = |what: &dyn std::fmt::Display| match ca_file {
        Some(path) => CliError::new(format!("--ca-file {}: {what}", path.display())),
        None => CliError::new(what.to_string()),
    };
    let ca_pem = match ca_file {
        None => None,
        Some(path) if std::fs::metadata(path).map_err(|e| told(&e))?.len() > LARGEST_CA_FILE => {
            return Err(told(&"larger than 4 MiB; name a PEM file with the authority's certificate"));
        }
        Some(path) => Some(std::fs::read(path).map_err(|e| told(&e))?),
    };
    HttpStack::new(&HttpSettings { ca_pem, timeout, proxy }).map_err(|e| told(&e))
}

/// A runtime for one command that mostly waits: one thread.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    built(&mut Builder::new_current_thread())
}

/// A runtime for a command that also serves what it asks: the lab must not wait for its own client.
pub(super) fn serving_runtime() -> Result<Runtime, CliError> {
    built(Builder::new_multi_thread().worker_threads(2))
}

fn built(builder: &mut Builder) -> Result<Runtime, CliError> {
    builder.enable_all().build().map_err(|e| CliError::new(format!("the runtime does not start: {e}")))
}
