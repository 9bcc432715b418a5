//! A lab in a process of its own, and checks against it.

use std::process::Output;

use serde_json::Value;

use crate::support::{RunningLab, trustline};

/// A running lab.
pub struct World(RunningLab);

impl World {
    /// Starts a world of the Azure guide with these differences.
    pub fn start(differences: &str) -> World {
        let text = format!("name = \"test\"\ntitle = \"a test\"\nguide = \"azure-workload-identity\"\n{differences}");
        World(RunningLab::world(&text))
    }

    /// A value that it printed when it was ready.
    pub fn ready(&self, key: &str) -> String {
        self.0.ready[key].as_str().unwrap().to_owned()
    }

    pub fn requests(&self, service: &str) -> Vec<Value> {
        self.0.requests(service)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.file(name)
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
