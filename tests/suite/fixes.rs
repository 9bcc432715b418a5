//! The loop of a fix: a lab with something wrong, the fix as it is printed, the check again, and the way back.

mod aws;
mod documents;
mod printed;
mod stops;
mod trust_scripts;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{RunningLab, outside, trustline};

/// A lab and what is needed to carry out what is printed: the operator's variables, the clouds' command lines, a value.
struct Site {
    lab: RunningLab,
    folder: TempDir,
    cli: PathBuf,
}

impl Site {
    fn new(lab: RunningLab) -> Site {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("value"), "a new value").unwrap();
        Site { lab, folder, cli: outside("TRUSTLINE_TEST_AWS_CLI") }
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
            .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", "")])
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What is unsafe in the copy of the trust policy, and whom it lets in besides; nothing where there is no copy.
    fn lint(&self) -> BTreeSet<String> {
        let mut trust = trustline();
        trust.args(["trust", "--policy", &self.lab.file("trust-policy.json"), "--lint", "--output", "json"]);
        let Ok(answer) = serde_json::from_slice::<Value>(&trust.output().unwrap().stdout) else {
            return BTreeSet::new();
        };
        let findings = answer["lint"].as_array().unwrap().iter();
        findings.map(|finding| format!("{} {}", finding["cause"], finding["summary"])).collect()
    }

    /// What the reader's own files hold: the profile, the copies of policies, the key.
    fn files(&self) -> BTreeMap<&'static str, String> {
        const NAMES: [&str; 4] = ["profile.toml", "trust-policy.json", "identity-policy.json", "accessKeys.csv"];
        let read = |name| std::fs::read_to_string(self.lab.file(name)).ok().map(|text| (name, settled(&text)));
        NAMES.into_iter().filter_map(read).collect()
    }

    /// Runs a command that has to succeed, and gives back what it printed.
    fn sh(&self, command: &str) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The cause that a check names first.
fn first_cause(check: &Value) -> Option<&str> {
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

/// A document without its layout, which a script may change; other text as it is.
fn settled(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |document| document.to_string())
}

/// What each check came to, and what was found: all that a way back has to bring back.
fn outcomes(check: &Value) -> Vec<String> {
    let checks =
        check["checks"].as_array().unwrap().iter().map(|check| format!("{} {}", check["id"], check["outcome"]));
    checks.chain(causes(check).into_iter().map(str::to_owned)).collect()
}

/// The first fix that the reader can carry out here.
fn own_fix(check: &Value) -> Option<&Value> {
    let fixes = check["findings"][0]["fixes"].as_array()?;
    fixes.iter().find(|fix| fix["actor"] == "you" && fix["command"].is_string())
}

/// The loop: what is named is gone after its fix, nothing that passed fails, and the undo brings everything back.
/// Gives back the causes that the first one hid.
fn closes(site: &Site) -> Vec<String> {
    let (before, files, unsafe_before) = (site.check(), site.files(), site.lint());
    let found = first_cause(&before).expect("something is wrong").to_owned();
    let fix = own_fix(&before).unwrap_or_else(|| panic!("no script for {found}: {}", before["findings"][0]));
    site.sh(fix["command"].as_str().unwrap());
    let after = site.check();
    let left = causes(&after);
    assert!(!left.contains(found.as_str()), "{found} is still there: {after:#}");
    let lost: Vec<&str> = passed(&before).difference(&passed(&after)).copied().collect();
    assert!(lost.is_empty(), "{lost:?} passed before: {after:#}");
    let widened: Vec<String> = site.lint().difference(&unsafe_before).cloned().collect();
    assert!(widened.is_empty(), "{widened:#?}");
    let Some(undo) = fix["undo"].as_str() else {
        // What is only waited for has no way back.
        assert_eq!(found, "propagation-delay", "it has no undo");
        return left.into_iter().map(str::to_owned).collect();
    };
    // Nor has a value where there was none, which the script says.
    if found == "secret-empty" {
        let output = site.run(undo);
        assert!(String::from_utf8_lossy(&output.stderr).contains("had no value before"), "{output:?}");
        return left.into_iter().map(str::to_owned).collect();
    }
    site.sh(undo);
    let back = site.check();
    // A secret that was made is not gone at once, it waits for its deletion.
    if (found.as_str(), first_cause(&back)) != ("secret-not-found", Some("secret-pending-deletion")) {
        assert_eq!(outcomes(&back), outcomes(&before));
    }
    assert_eq!(site.files(), files);
    left.into_iter().map(str::to_owned).collect()
}
