//! The runtime and the HTTP stack of the commands that reach the network.

use std::path::{self, Path, PathBuf};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use super::exit::CliError;
use super::flags::NetworkArgs;
use crate::domain::client::TRUST_VARIABLES;
use crate::guide::form::shell::quote;
use crate::probe::http::{HttpSettings, HttpStack, LARGEST_CA_FILE, ProxyUse, is_proxy_address};
use crate::probe::regular_file;

/// The most that one network operation may take, unless the whole has less.
const OPERATION: Duration = Duration::from_secs(10);

/// The variable that the platform's verifier reads, too.
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

/// The variables that name a proxy, in both spellings; the first that is set is used.
const PROXY_VARIABLES: &[&[&str]] =
    &[&["HTTPS_PROXY", "https_proxy"], &["HTTP_PROXY", "http_proxy"], &["ALL_PROXY", "all_proxy"]];

/// The threads of the serving runtime.
const WORKERS: usize = 2;
/// The threads that look names up or read files beside them, at the least.
const LOOK_UPS: usize = 1;

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
        let stack = stack(self.ca_file.as_slice(), self.operation_timeout(), ProxyUse::Environment)?;
        Ok(if self.resolve.is_empty() { stack } else { stack.with_addresses(self.resolve.iter().cloned().collect()) })
    }

    /// The HTTP stack for the collector of telemetry: the authorities are those of everything else.
    #[cfg(feature = "otlp")]
    pub(super) fn collector_stack(&self, timeout: Duration, proxy: ProxyUse) -> Result<HttpStack, CliError> {
        stack(self.ca_file.as_slice(), timeout, proxy)
    }

    /// The HTTP stack for the lab on this machine: its authority is trusted, and no proxy stands in between.
    pub(super) fn lab_stack(&self, ca_file: &Path) -> Result<HttpStack, CliError> {
        let ca_files: Vec<PathBuf> = self.ca_file.iter().cloned().chain([ca_file.to_owned()]).collect();
        stack(&ca_files, self.operation_timeout(), ProxyUse::None)
    }
}

fn stack(ca_files: &[PathBuf], timeout: Duration, proxy: ProxyUse) -> Result<HttpStack, CliError> {
    system_authorities()?;
    if proxy == ProxyUse::Environment {
        proxy_variables(&|name| std::env::var(name).ok())?;
    }
    let mut pem = Vec::new();
    for path in ca_files {
        let of_file = authorities(path, "--ca-file")?;
        // Told of the file that it is in, not of all together.
        HttpStack::check_authorities(&of_file).map_err(|e| refused("--ca-file", path, &e))?;
        pem.extend_from_slice(&of_file);
        pem.push(b'\n');
    }
    let ca_pem = (!pem.is_empty()).then_some(pem);
    let ca_of_clients = if proxy == ProxyUse::Environment { authorities_of_clients() } else { Vec::new() };
    HttpStack::new(&HttpSettings { ca_pem, ca_of_clients, timeout, proxy }).map_err(|e| CliError::new(e.to_string()))
}

/// Refuses a variable that names a proxy and holds no address: the client would pass it over and dial without a proxy.
/// The value is not repeated, as it may hold a password.
fn proxy_variables(value_of: &dyn Fn(&str) -> Option<String>) -> Result<(), CliError> {
    let is_set = |name: &&str| value_of(name).is_some_and(|value| !value.is_empty());
    let in_force = PROXY_VARIABLES.iter().filter_map(|spellings| spellings.iter().copied().find(is_set));
    let wrong = in_force.into_iter().find(|name| !value_of(name).is_some_and(|value| is_proxy_address(&value)));
    match wrong {
        Some(name) => Err(CliError::new(format!("{name} is not the address of a proxy")).with_hint(
            "write http://HOST:PORT, or unset it (NO_PROXY lists the hosts that are reached without a proxy)",
        )),
        None => Ok(()),
    }
}

/// Looks at what the system's verifier will read whole, without a limit of its own.
fn system_authorities() -> Result<(), CliError> {
    if let Some(path) = std::env::var_os(SSL_CERT_FILE).filter(|path| Path::new(path).exists()) {
        authorities(Path::new(&path), SSL_CERT_FILE)?;
    }
    let folders = std::env::var_os("SSL_CERT_DIR").unwrap_or_default();
    let entries =
        std::env::split_paths(&folders).filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let is_odd = std::fs::metadata(&path).is_ok_and(|about| !about.is_file() && !about.is_dir());
        if is_odd {
            regular_file::open(&path).map_err(|e| refused("SSL_CERT_DIR", &path, &e))?;
        }
    }
    Ok(())
}

/// The files of authorities that the ecosystem's other variables name, each once: what a client trusts by them is trusted here
/// too, and the client's checks tell who reads which.
fn authorities_of_clients() -> Vec<PathBuf> {
    let file = |name: &str| std::env::var_os(name).and_then(|path| std::fs::canonicalize(path).ok());
    // Where the platform's verifier reads this one, none of it has to be read again.
    let of_system = if cfg!(target_os = "linux") { file(SSL_CERT_FILE) } else { None };
    let mut files: Vec<PathBuf> = Vec::new();
    for path in TRUST_VARIABLES.iter().filter(|name| **name != SSL_CERT_FILE).filter_map(|name| file(name)) {
        if Some(&path) != of_system.as_ref() && !files.contains(&path) && path.is_file() {
            files.push(path);
        }
    }
    files
}

/// A file of authorities.
pub(super) fn authorities(path: &Path, named_by: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let pem = regular_file::read(path, LARGEST_CA_FILE).map_err(|e| refused(named_by, path, &e))?;
    if pem.len() as u64 > LARGEST_CA_FILE {
        return Err(refused(named_by, path, &"larger than 4 MiB; name a PEM file with the authority's certificate"));
    }
    Ok(pem)
}

pub(super) fn refused(named_by: &str, path: &Path, what: &dyn std::fmt::Display) -> CliError {
    CliError::new(format!("{named_by} {}: {what}", path.display()))
}

/// A runtime for one command that mostly waits: one thread.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    built(&mut Builder::new_current_thread(), LOOK_UPS)
}

/// A runtime for a command that also serves what it asks: the lab must not wait for its own client.
pub(super) fn serving_runtime() -> Result<Runtime, CliError> {
    built(Builder::new_multi_thread().worker_threads(WORKERS), WORKERS + LOOK_UPS)
}

fn built(builder: &mut Builder, threads: usize) -> Result<Runtime, CliError> {
    let refused = |error: std::io::Error| CliError::new(format!("the runtime does not start: {error}"));
    if let Err(error) = can_start(threads) {
        return Err(CliError::new(format!("no thread can be started: {error}"))
            .with_hint("raise the limit of processes (`ulimit -u`, or a container's pids limit)"));
    }
    builder.enable_all().build().map_err(refused)
}

/// Whether so many threads can run at once. The runtime itself would end the program where they cannot.
fn can_start(threads: usize) -> std::io::Result<()> {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    std::thread::scope(|scope| {
        // Dropped on the way out, which ends them all.
        let _hold = hold;
        for _ in 0..threads {
            let wait = || drop(held.lock().map(|held| held.recv().is_ok()));
            std::thread::Builder::new().spawn_scoped(scope, wait)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_variable_that_holds_no_address_is_named_and_its_value_not_shown() {
        let refused = |set: &[(&str, &str)]| {
            let value_of = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            proxy_variables(&value_of).err().map(|error| error.message)
        };
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let said = refused(&[(name, "user:planted@::::")]).unwrap();
            assert!(said.starts_with(name) && !said.contains("planted"), "{said}");
            assert_eq!(refused(&[(name, "http://proxy.example:3128")]), None);
            assert_eq!(refused(&[(name, "")]), None, "an empty variable is as good as none");
        }
        // The first spelling that is set is the one that is used.
        assert_eq!(refused(&[("ALL_PROXY", "http://proxy.example:3128"), ("all_proxy", "::::")]), None);
        assert!(refused(&[("ALL_PROXY", ""), ("all_proxy", "::::")]).is_some_and(|said| said.starts_with("all_proxy")));
    }
}
