//! What the modules share: the program in a clean environment, and labs beside it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use assert_cmd::Command;
use serde_json::Value;

/// The program with an empty environment: no profile, no cloud variable, no colour, home in a folder that does not exist.
pub fn trustline() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("trustline"));
    command.env_clear().env("TRUSTLINE_CONFIG_DIR", "/nonexistent/trustline");
    command.env("TRUSTLINE_STATE_DIR", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// A lab in a process of its own, which does not outlive its test.
pub struct RunningLab {
    process: Child,
    folder: PathBuf,
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
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        RunningLab::with(&["--world", file.path().to_str().unwrap()])
    }

    fn with(arguments: &[&str]) -> RunningLab {
        let mut process = std::process::Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(["lab", "--output", "json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let folder = PathBuf::from(ready["ca_file"].as_str().unwrap()).parent().unwrap().to_owned();
        RunningLab { process, folder, ready }
    }

    /// A file that it wrote.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
