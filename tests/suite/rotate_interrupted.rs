//! `trustline rotate` killed at any moment: what it left is whole or not there, and the rotation goes on where it was.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{RunningLab, trustline};

const POINTS: usize = 50;
/// Lines that a rotation tells while it runs, and one past the last.
const LINES: usize = 12;
const LABS: usize = 5;

/// The application that may write to the lab's vault.
const AZURE_ADMIN: &str = "55555555-aaaa-4bbb-8ccc-666666666666";

/// Where one rotation works.
struct Bench<'a> {
    lab: &'a RunningLab,
    folder: TempDir,
    value: String,
    is_azure: bool,
}

impl Bench<'_> {
    fn new(lab: &RunningLab, point: usize) -> Bench<'_> {
        let folder = tempfile::tempdir().unwrap();
        let value = format!("planted-R7bKx2mQ9vTz4LwYc8NdJf3H-{point}");
        fs::create_dir(folder.path().join("in")).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        fs::write(folder.path().join("in/value"), &value).unwrap();
        let is_azure = fs::read_to_string(lab.file("profile.toml")).unwrap().contains("azure-workload-identity");
        Bench { lab, folder, value, is_azure }
    }

    fn evidence(&self) -> PathBuf {
        self.folder.path().join("out/evidence.json")
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let secret = self.lab.file("secrets-admin-client-secret");
        let operator: &[&str] = if self.is_azure {
            &["--operator-client-id", AZURE_ADMIN, "--operator-secret-file", &secret]
        } else {
            &["--operator-profile", "secrets-admin"]
        };
        let mut arguments: Vec<String> =
            ["rotate", "--kickoff", "--yes"].iter().chain(operator).chain(more).map(ToString::to_string).collect();
        for (flag, value) in [
            ("--profile-file", self.lab.file("profile.toml")),
            ("--ca-file", self.lab.file("ca.pem")),
            ("--value-file", self.folder.path().join("in/value").display().to_string()),
            ("--evidence", self.evidence().display().to_string()),
        ] {
            arguments.extend([flag.to_owned(), value]);
        }
        arguments
    }

    fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("TRUSTLINE_STATE_DIR", self.folder.path().join("out/state").display().to_string()),
            ("TRUSTLINE_CONFIG_DIR", "/nonexistent/trustline".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", self.lab.file("secrets-admin-credentials")),
        ]
    }

    /// Starts a rotation, and kills it a while after it told so many lines.
    fn killed_after(&self, lines: usize, pause: Duration) {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(self.arguments(&[]))
            .env_clear()
            .envs(self.environment())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(process.stderr.take().unwrap()).lines().take(lines).count();
        assert!(told == lines || lines > 9, "it ended after {told} lines");
        thread::sleep(pause);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Starts a rotation, kills it as soon as a run of the automation is under way, and yields that run's id.
    fn killed_at_kickoff(&self, moment: &str) -> String {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(self.arguments(&[]))
            .env_clear()
            .envs(self.environment())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let start = format!("runtime: {moment} kickoff ");
        let told = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let id = told.into_iter().find_map(|line| Some(line.strip_prefix(&start)?.strip_suffix(" runs")?.to_owned()));
        process.kill().unwrap();
        process.wait().unwrap();
        id.unwrap()
    }

    fn run(&self, more: &[&str]) -> std::process::Output {
        trustline().args(self.arguments(more)).envs(self.environment()).output().unwrap()
    }

    /// Everything that was left, and whether there is a session to go on with.
    fn assert_whole(&self, point: usize) -> bool {
        let mut sessions = 0;
        for path in files(&self.folder.path().join("out")) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(!text.contains("planted"), "point {point}: {name} holds a value");
            if name.ends_with(".json") && !name.starts_with('.') {
                serde_json::from_str::<Value>(&text).unwrap_or_else(|e| panic!("point {point}: {name}: {e}"));
                sessions += usize::from(name.ends_with(".rotation.json"));
            }
        }
        if self.evidence().exists() {
            let verified = trustline().args(["rotate", "verify-evidence"]).arg(self.evidence()).output().unwrap();
            assert!(verified.status.success(), "point {point}: {}", String::from_utf8_lossy(&verified.stdout));
        }
        sessions > 0
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

fn kill_and_go_on(lab: &RunningLab, point: usize) -> bool {
    let bench = Bench::new(lab, point);
    let pause = Duration::from_millis(u64::try_from(point / LINES * 11).unwrap());
    bench.killed_after(point % LINES, pause);
    let is_kept = bench.assert_whole(point);
    if !is_kept && bench.evidence().exists() {
        return is_kept; // It had ended.
    }
    let output = bench.run(if is_kept { &["--resume", "--output", "json"] } else { &["--output", "json"] });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("point {point}: {e}: {said}"));
    assert_eq!(report["verdict"], "propagated", "point {point}: {report:#}\n{said}");
    assert!(!bench.assert_whole(point), "point {point}: the session is kept beyond its end");
    let evidence: Value = serde_json::from_str(&fs::read_to_string(bench.evidence()).unwrap()).unwrap();
    let last = evidence["records"].as_array().unwrap().last().unwrap();
    assert_eq!(last["verdict"], "propagated", "point {point}");
    assert_ne!(last["store_before"]["current"], last["store_after"]["current"], "point {point}");
    assert!(!said.contains(&bench.value) && !String::from_utf8_lossy(&output.stdout).contains(&bench.value));
    is_kept
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_half_written_and_goes_on() {
    let kept: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..LABS)
            .map(|worker| {
                scope.spawn(move || {
                    let lab = RunningLab::start("healthy");
                    (worker..POINTS).step_by(LABS).filter(|point| kill_and_go_on(&lab, *point)).count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(kept > POINTS / 2, "only {kept} of the killed rotations had kept a session");
}

#[test]
fn a_vaults_rotation_that_is_killed_goes_on_too() {
    let lab = RunningLab::start("azure");
    let kept = (0..LINES).filter(|point| kill_and_go_on(&lab, *point)).count();
    assert!(kept > LINES / 2, "only {kept} of the killed rotations had kept a session");
}

#[test]
fn evidence_of_a_vault_is_a_chain_that_tells_where_it_was_broken() {
    let lab = RunningLab::start("azure");
    let bench = Bench::new(&lab, 0);
    for _ in 0..2 {
        let output = bench.run(&["--output", "json"]);
        assert!(output.stderr.is_empty() || output.status.code().is_some_and(|code| code < 2), "{output:?}");
    }
    let read = || fs::read_to_string(bench.evidence()).unwrap();
    let evidence: Value = serde_json::from_str(&read()).unwrap();
    let verdicts: Vec<&str> =
        evidence["records"].as_array().unwrap().iter().map(|record| record["verdict"].as_str().unwrap()).collect();
    // The second time, the same value is written.
    assert_eq!(verdicts, ["propagated", "new-version-same-value"]);
    for told in ["azure-key-vault", "azure-workload-identity"] {
        assert!(read().contains(told), "{told}: {}", read());
    }
    assert!(!bench.assert_whole(0));
    assert!(bench.evidence().with_extension("md").exists());
    fs::write(bench.evidence(), read().replacen("propagated", "stale", 1)).unwrap();
    let verified = trustline().args(["rotate", "verify-evidence"]).arg(bench.evidence()).output().unwrap();
    assert_eq!(verified.status.code(), Some(1), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_run_that_was_under_way_is_followed_and_not_started_again() {
    for (scenario, moment, runs) in [("healthy", "before", 2), ("healthy", "after", 2), ("azure", "after", 2)] {
        let lab = RunningLab::start(scenario);
        let bench = Bench::new(&lab, 0);
        let kickoff = bench.killed_at_kickoff(moment);
        let output = bench.run(&["--resume", "--output", "json"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert_eq!(report["verdict"], "propagated", "{report:#}");
        let seen = report[format!("runtime_{moment}")].to_string();
        assert!(seen.contains(&kickoff), "{moment}: {kickoff} is not in {seen}");
        // What was seen before is one of them, also where it was seen before the interruption.
        let before = report["runtime_before"]["source"].to_string() + &report["kickoffs"].to_string();
        let ids: std::collections::BTreeSet<&str> = before.split('"').filter(|part| part.len() == 36).collect();
        assert_eq!(ids.len(), runs, "{scenario} {moment}: {report:#}");
    }
}

#[test]
fn a_rotation_that_had_begun_is_not_forgotten_unasked() {
    let lab = RunningLab::start("healthy");
    let bench = Bench::new(&lab, 0);
    let none = bench.run(&["--resume"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no rotation of this secret was interrupted"));
    bench.killed_after(5, Duration::ZERO);
    let refused = bench.run(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("--resume") && said.contains("--start-anew"), "{said}");
    let resumed = bench.run(&["--resume"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
}
