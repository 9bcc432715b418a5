//! A lab in a process of its own, and checks against it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command as Process, Output, Stdio};

use serde_json::Value;

use crate::support::trustline;

/// A running lab and the folder it wrote.
pub struct World {
    process: Child,
    pub folder: PathBuf,
    /// What it printed when it was ready.
    pub ready: Value,
}

impl World {
    /// Starts a world of the Azure guide with these differences.
    pub fn start(differences: &str) -> World {
        let text = format!("name = \"test\"\ntitle = \"a test\"\nguide = \"azure-workload-identity\"\n{differences}");
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(file.path(), text).unwrap();
        let mut process = Process::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(["lab", "--output", "json", "--world"])
            .arg(file.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let folder = PathBuf::from(ready["ca_file"].as_str().unwrap()).parent().unwrap().to_owned();
        World { process, folder, ready }
    }

    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// `trustline check` against it, with further arguments.
    pub fn check(&self, arguments: &[&str]) -> Output {
        let (profile, ca) = (self.file("profile.toml"), self.file("ca.pem"));
        trustline().args(["check", "--profile-file", &profile, "--ca-file", &ca]).args(arguments).output().unwrap()
    }

    /// The causes that a check names, in their order.
    pub fn causes(&self) -> Vec<String> {
        let report: Value = serde_json::from_slice(&self.check(&["--output", "json"]).stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["cause"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
