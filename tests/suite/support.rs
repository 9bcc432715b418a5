//! What the modules share: the program in a clean environment, and labs beside it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use trustline::lab::{Scenario, World};

/// A test a row, called by its name and run beside the others: `name: arguments of the function;`.
macro_rules! test_each {
    ($function:path: $($name:ident: $arguments:tt;)*) => {
        $(#[test] fn $name() { $function $arguments })*
    };
}

/// A test a scenario of the lab, and all their names. `sub_mismatch` is the scenario `sub-mismatch`.
macro_rules! test_each_scenario {
    ($function:ident: $($name:ident)*) => {
        const TESTED: &[&str] = &[$($crate::support::plain(stringify!($name))),*];
        $(#[test] fn $name() { $function(&$crate::support::scenario_name(stringify!($name))) })*
    };
}

/// An identifier without the mark of one that is a keyword too.
pub const fn plain(identifier: &str) -> &str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// The scenario that an identifier stands for.
pub fn scenario_name(identifier: &str) -> String {
    plain(identifier).replace('_', "-")
}

/// What the lab says of a scenario.
pub fn scenario(name: &str) -> Scenario {
    World::list().unwrap().into_iter().find(|listed| listed.name == name).unwrap()
}

/// What hangs is killed, and has then no exit status. Nothing takes as long, on the busiest machine.
const HANGS: Duration = Duration::from_secs(300);

/// The program with an empty environment: no profile, no cloud variable, no colour, home in a folder that does not exist.
pub fn trustline() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("trustline"));
    command.env_clear().env("TRUSTLINE_CONFIG_DIR", "/nonexistent/trustline");
    command.env("TRUSTLINE_STATE_DIR", env!("CARGO_TARGET_TMPDIR")).timeout(HANGS);
    command
}

/// What a test needs from outside, where the environment says it is. Such a test is ignored unless it is asked for; then it
/// does not pass without.
pub fn outside(variable: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.unwrap_or_else(|| panic!("{variable} is not set; `.ci/run` installs what it names"))
}

/// A process that ends with its test.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// moto on a port of its own choice.
pub struct Moto {
    pub address: String,
    _server: Ended,
}

impl Moto {
    pub fn start() -> Moto {
        let mut server = Ended(
            std::process::Command::new(outside("TRUSTLINE_TEST_MOTO"))
                .args(["-H", "127.0.0.1", "-p", "0"])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
        let address = log
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| line.split_once("Running on http://").map(|(_, address)| address.trim().to_owned()))
            .expect("moto ended before it listened");
        // It logs every request; nobody reading would stop it once the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        Moto { address, _server: server }
    }
}

/// A lab in a process of its own, which does not outlive its test.
pub struct RunningLab {
    process: Child,
    pub folder: PathBuf,
    /// What it printed when it was ready.
    pub ready: Value,
}

impl RunningLab {
    /// Starts a scenario.
    pub fn start(scenario: &str) -> RunningLab {
        RunningLab::with(&[scenario])
    }

    /// Starts a world of its own description.
    pub fn world(text: &str) -> RunningLab {
        let file = world_file(text);
        RunningLab::with(&["--world", file.path().to_str().unwrap()])
    }

    /// As [`RunningLab::world`], where its clouds reach issuers elsewhere by a proxy, and trust their authority.
    pub fn trusting(text: &str, authority: &Path, proxy: &str) -> RunningLab {
        let file = world_file(text);
        let arguments = ["--world", file.path().to_str().unwrap(), "--ca-file", authority.to_str().unwrap()];
        RunningLab::started(
            std::process::Command::new(program())
                .args(["lab", "--output", "json"])
                .args(arguments)
                .env("HTTPS_PROXY", proxy),
        )
    }

    fn with(arguments: &[&str]) -> RunningLab {
        RunningLab::started(std::process::Command::new(program()).args(["lab", "--output", "json"]).args(arguments))
    }

    fn started(command: &mut std::process::Command) -> RunningLab {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let folder = PathBuf::from(ready["ca_file"].as_str().unwrap()).parent().unwrap().to_owned();
        RunningLab { process, folder, ready }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What one of its services was asked, as it wrote it down.
    pub fn requests(&self, service: &str) -> Vec<Value> {
        let http = crate::lab::client::trusting(&std::fs::read(self.file("ca.pem")).unwrap());
        let address = format!("{}/lab/requests", self.ready[service].as_str().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async { http.get(address).send().await.unwrap().text().await.unwrap() });
        serde_json::from_str(&answer).unwrap()
    }

    /// A file that it wrote.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

fn program() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("trustline")
}

fn world_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.pid().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
