//! Every lab scenario names its cause first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::support::trustline;

/// How many scenarios run at once; they wait more than they work.
const AT_ONCE: usize = 4;

#[test]
fn every_scenario_names_its_cause_first() {
    let listed = trustline().args(["lab", "--list", "--output", "json"]).output().unwrap();
    let scenarios: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(scenarios.len() >= 40, "{} scenarios", scenarios.len());
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(problem) = problem_with(scenario) {
                        wrong.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} of {} scenarios name their cause first", scenarios.len() - wrong.len(), scenarios.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_that_passes_shows_what_it_saw() {
    for name in ["healthy", "static", "assume-role", "circleci-sub-account", "azure"] {
        let output = trustline().args(["check", "--output", "json", "--lab", name]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        assert!(checks.iter().filter(|check| check["outcome"] == "pass").count() > 4, "{name}: {report}");
        for check in checks.iter().filter(|check| check["outcome"] != "skipped") {
            assert!(!check["facts"].as_object().unwrap().is_empty(), "{name}: {} shows nothing", check["id"]);
        }
    }
}

fn problem_with(scenario: &Value) -> Option<String> {
    let name = scenario["name"].as_str().unwrap();
    let output = trustline().args(["check", "--output", "json", "--lab", name]).output().unwrap();
    let report: Value = match serde_json::from_slice(&output.stdout) {
        Ok(report) => report,
        Err(_) => return Some(format!("{name}: no report; {}", String::from_utf8_lossy(&output.stderr))),
    };
    let causes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["cause"].as_str().unwrap()).collect();
    let code = output.status.code();
    // What only warns passes, unless warnings are asked to count.
    let told = code != Some(0) || report["checks"].as_array().unwrap().iter().any(|check| check["outcome"] == "warn");
    match scenario["expects"].as_str() {
        Some(expected) if causes.first() == Some(&expected) && told => None,
        None if code == Some(0) && report["verdict"] == "pass" => None,
        expected => Some(format!("{name}: expected {expected:?}, found {causes:?}, exit {code:?}")),
    }
}
