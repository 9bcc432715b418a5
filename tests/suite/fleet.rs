//! `trustline check --all`: every profile in one run, as it would be alone.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::servers::{Reply, plain};
use super::support::RunningLab;
use super::support::trustline;

#[test]
fn a_file_that_is_passed_over_is_named() {
    let fleet = Fleet::new();
    fleet.add("good", ("guide", "guide"));
    fleet.put("bad name", "");
    let output = fleet.command(&["--all", "--output", "json"]).output().unwrap();
    let (printed, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("bad name.toml") && said.contains("no name for a profile"), "{said}");
    assert!(serde_json::from_str::<Value>(&printed).is_ok(), "{printed}");
}

/// A folder of profiles beside a lab.
struct Fleet {
    lab: RunningLab,
    config: tempfile::TempDir,
}

impl Fleet {
    fn new() -> Fleet {
        let config = tempfile::tempdir().unwrap();
        fs::create_dir(config.path().join("profiles")).unwrap();
        Fleet { lab: RunningLab::with_planted_value(), config }
    }

    /// The lab's profile under a name, with one text of it replaced.
    fn add(&self, name: &str, (from, to): (&str, &str)) {
        let profile = fs::read_to_string(self.lab.file("profile.toml")).unwrap();
        assert!(profile.contains(from), "{from}: {profile}");
        let mut profile = profile.replacen(from, to, 1);
        // The profile names its files beside it.
        for entry in fs::read_dir(&self.lab.folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            profile = profile.replace(&format!("{name:?}"), &format!("{:?}", self.lab.file(&name)));
        }
        self.put(name, &profile);
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.config.path().join("profiles").join(format!("{name}.toml")), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = trustline();
        command.env("TRUSTLINE_CONFIG_DIR", self.config.path()).arg("check").args(arguments);
        command.args(["--ca-file", &self.lab.file("ca.pem")]);
        command
    }

    fn printed(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.command(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (text, output.status.code().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let (text, code) = self.printed(&[arguments, &["--output", "json"]].concat());
        (serde_json::from_str(&text).unwrap(), code)
    }
}

const AS_IT_IS: (&str, &str) = ("guide", "guide");
const WRONG_SECRET: (&str, &str) = ("crewai-test-keyword", "crewai-nothing-here");

#[test]
fn each_profiles_document_is_the_one_it_has_alone() {
    let fleet = Fleet::new();
    fleet.add("good", AS_IT_IS);
    fleet.add("wrong", WRONG_SECRET);
    let (all, code) = fleet.json(&["--all"]);
    assert_eq!(
        (code, &all["schema"], &all["verdict"]),
        (1, &"trustline.check-all/1".into(), &"fail".into()),
        "{all:#}"
    );
    assert_eq!(all["counts"], serde_json::json!({ "passed": 1, "failed": 1, "inconclusive": 0, "not_checked": 0 }));
    for (place, name) in ["good", "wrong"].iter().enumerate() {
        let (alone, _) = fleet.json(&["--profile", name]);
        let together = &all["profiles"][place];
        assert_eq!(together["profile"], *name);
        let keys = |document: &Value| document.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(together), keys(&alone));
        for (list, lasting) in [("checks", &["id", "outcome"][..]), ("findings", &["cause", "summary", "fixes"])] {
            let of = |document: &Value| -> Vec<Value> {
                let items = document[list].as_array().unwrap().iter();
                items.flat_map(|item| lasting.iter().map(|key| item[*key].clone())).collect()
            };
            assert_eq!(of(together), of(&alone), "{list}");
        }
    }
}

#[test]
fn the_exit_status_is_the_worst() {
    let fleet = Fleet::new();
    fleet.add("good", AS_IT_IS);
    assert_eq!(fleet.json(&["--all"]).1, 0);
    fleet.put("mistaken", "guide = \"no-such-guide\"\n");
    let (all, code) = fleet.json(&["--all"]);
    assert_eq!(code, 2);
    assert!(all["profiles"][1]["not_checked"].as_str().unwrap().contains("no-such-guide"), "{all:#}");
    fleet.add("wrong", WRONG_SECRET);
    assert_eq!(fleet.json(&["--all"]).1, 1);
}

#[test]
fn junit_has_a_suite_a_profile() {
    let fleet = Fleet::new();
    fleet.add("good", AS_IT_IS);
    fleet.add("wrong", WRONG_SECRET);
    fleet.put("mistaken", "guide = \"<&>\"\n");
    let (xml, _) = fleet.printed(&["--all", "--output", "junit"]);
    for name in ["good", "wrong", "mistaken"] {
        assert_eq!(xml.matches(&format!("<testsuite name=\"{name}\"")).count(), 1, "{xml}");
    }
    assert_eq!(xml.matches("<testsuites>").count(), 1);
    assert!(!xml.contains("<&"), "{xml}");
    let (text, _) = fleet.printed(&["--all"]);
    assert!(text.contains("1 passed, 1 failed, 1 not checked of 3"), "{text}");
    let (markdown, _) = fleet.printed(&["--all", "--output", "markdown"]);
    assert!(markdown.contains("# good"), "{markdown}");
}

#[test]
fn one_that_hangs_is_cut_off_alone() {
    let silent = plain(|_| HashMap::from([("/.well-known/openid-configuration", Reply::Silence)]));
    let fleet = Fleet::new();
    let issuer = fs::read_to_string(fleet.lab.file("profile.toml")).unwrap();
    let issuer = issuer.lines().find_map(|line| line.strip_prefix("url = \"")?.strip_suffix('"')).unwrap().to_owned();
    let hanging = format!("http://127.0.0.1:{}", silent.port);
    fleet.add("hangs", (&issuer, &hanging));
    fleet.add("one", AS_IT_IS);
    fleet.add("two", AS_IT_IS);
    let (all, _) = fleet.json(&["--all", "--concurrency", "2", "--timeout", "3"]);
    for place in [1, 2] {
        assert_eq!(all["profiles"][place]["verdict"], "pass", "{:#}", all["profiles"][place]);
    }
    assert_ne!(all["profiles"][0]["verdict"], "pass");
}

#[test]
fn interrupted_it_reports_what_ended() {
    let silent = plain(|_| HashMap::from([("/.well-known/openid-configuration", Reply::Silence)]));
    let fleet = Fleet::new();
    let hanging = format!("guide = \"aws-workload-identity\"\n[issuer]\nurl = \"http://127.0.0.1:{}\"\n", silent.port);
    for name in ["a", "b", "c"] {
        fleet.put(name, &hanging);
    }
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
        .env_clear()
        .env("TRUSTLINE_CONFIG_DIR", fleet.config.path())
        .args(["check", "--all", "--concurrency", "1", "--output", "json", "--timeout", "600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The first has asked its issuer: the program listens to signals by then.
    while silent.requests.lock().unwrap().is_empty() {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(all["profiles"][0]["cut_short"], "interrupted", "{all:#}");
    assert_eq!(all["profiles"][2]["not_checked"], "interrupted before it began");
}

#[test]
fn it_says_what_it_needs() {
    let output = trustline().args(["check", "--all"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("trustline profile new"));
    for arguments in
        [&["check", "--all", "--lab"][..], &["check", "--concurrency", "2"], &["check", "--all", "--concurrency", "0"]]
    {
        assert_eq!(trustline().args(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    assert!(!Path::new("/nonexistent/trustline").exists());
}
