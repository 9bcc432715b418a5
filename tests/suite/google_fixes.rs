//! What is named at Google is fixed by what is printed, with Google's own command line.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::lab::gcloud::gcloud_as_operator;
use crate::support::{RunningLab, trustline};

/// How many scenarios run at once; the command line starts slowly.
const AT_ONCE: usize = 4;

/// What an operator of the project fixes. A call of `gcloud` takes seconds, so one of each kind is here.
const FIXED: [&str; 7] = [
    "gcp-condition-false",
    "gcp-accessor-missing",
    "gcp-viewer-missing",
    "gcp-latest-disabled",
    "gcp-provider-disabled",
    "github-gcp-other-repository",
    "kubernetes-gcp-swapped",
];

#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_carries_out_the_printed_fixes() {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(name) = FIXED.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = closes(name) {
                        wrong.lock().unwrap().push(format!("{name}: {problem}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The scenario names its cause first, and is sound once the printed script has run.
fn closes(name: &str) -> Result<(), String> {
    let lab = RunningLab::start(name);
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let selected = |command: &str| {
        let mut program = trustline();
        program.args([command, "--profile-file", &profile, "--ca-file", &authority]);
        program
    };
    let check = || -> Value {
        let output = selected("check").args(["--output", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let before = check();
    if before["verdict"] != "fail" {
        return Err(format!("it is {} before the fix", before["verdict"]));
    }
    let fix = selected("fix").output().unwrap();
    let script = String::from_utf8(fix.stdout).unwrap();
    if fix.status.code() != Some(0) {
        return Err(format!("no script: {}", String::from_utf8_lossy(&fix.stderr)));
    }
    let own = assert_cmd::cargo::cargo_bin!("trustline").parent().map(Path::to_owned).unwrap();
    let value = lab.folder.join("new-value");
    std::fs::write(&value, "a value of the lab").unwrap();
    let around = format!("PATH='{}':$PATH\nexport VALUE_FILE='{}'\n{script}", own.display(), value.display());
    gcloud_as_operator(&lab, &around)?;
    let after = check();
    if after["verdict"] == "pass" { Ok(()) } else { Err(format!("{}\n{script}", after["findings"])) }
}
