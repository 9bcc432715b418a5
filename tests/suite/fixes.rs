//! The loop of a fix: a lab with something wrong, the fix as it is printed, the check again, and the way back.

mod aws;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{RunningLab, trustline};

/// A lab and what is needed to carry out what is printed: the operator's variables, the clouds' command lines, a value.
struct Site {
    lab: RunningLab,
    folder: TempDir,
    cli: PathBuf,
}

impl Site {
    fn new(lab: RunningLab, cli: &Path) -> Site {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("value"), "a new value").unwrap();
        Site { lab, folder, cli: cli.to_owned() }
    }

    /// A check of the lab's profile, as JSON.
    fn check(&self) -> Value {
        let mut check = trustline();
        check.args(["check", "--profile-file", &self.lab.file("profile.toml"), "--ca-file", &self.lab.file("ca.pem")]);
        let output = check.args(["--output", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs a script as printed.
    fn run(&self, script: &str) -> Output {
        let program = Path::new(assert_cmd::cargo::cargo_bin!("trustline")).parent().unwrap().to_owned();
        let own = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect::<Vec<_>>();
        let path = [vec![program, self.cli.parent().unwrap().to_owned()], own].concat();
        Command::new("sh")
            .args(["-c", &format!(". {}\n{script}", self.lab.ready["operator_env"].as_str().unwrap())])
            .current_dir(self.folder.path())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", self.folder.path())
            .env("VALUE_FILE", self.folder.path().join("value"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a command that has to succeed, and gives back what it printed.
    fn sh(&self, command: &str) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The cause that a check names first.
fn cause(check: &Value) -> Option<&str> {
    check["findings"][0]["cause"].as_str()
}

fn causes(check: &Value) -> BTreeSet<&str> {
    check["findings"].as_array().unwrap().iter().filter_map(|finding| finding["cause"].as_str()).collect()
}

fn passed(check: &Value) -> BTreeSet<&str> {
    let passes = |outcome: &Value| outcome == "pass" || outcome == "warn";
    let checks = check["checks"].as_array().unwrap().iter();
    checks.filter(|check| passes(&check["outcome"])).filter_map(|check| check["id"].as_str()).collect()
}

/// The first fix that the reader can carry out here.
fn own_fix(check: &Value) -> Option<&Value> {
    let fixes = check["findings"][0]["fixes"].as_array()?;
    fixes.iter().find(|fix| fix["actor"] == "you" && fix["command"].is_string())
}

/// Works off `items` on a few threads, and gives back what they came to.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, results) = (Mutex::new(items.iter()), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(item) = next.lock().unwrap().next() else { return };
                    let result = work(item);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}
