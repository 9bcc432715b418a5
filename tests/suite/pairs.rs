//! Two faults at once: both are named, the one that blocks the other first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::support::trustline;

/// How many runs at once; they wait more than they work.
const AT_ONCE: usize = 4;

/// Faults of one link each, in the order of the chain. Two of different links can both be seen in one run unless the
/// first keeps the other from being tried at all, as an exchange that is refused keeps every read.
const ISSUER: &[&str] = &[
    "issuer-not-configured",
    "discovery-invalid",
    "issuer-redirect",
    "jwks-unreachable",
    "jwks-invalid",
    "tls-expired",
];
const TOKEN: &[&str] = &["token-expired", "clock-skew", "aud-multi-without-azp"];
const TRUST: &[&str] = &["action-missing", "sub-mismatch", "sub-case-mismatch", "operator-wrong", "explicit-deny"];
const LIST: &[&str] = &["missing-list", "list-resource-scoped"];
const READ: &[&str] = &["secret-empty", "secret-pending-deletion", "json-key-missing", "kms-key-state"];

const AZURE_ISSUER: &[&str] = &["azure-issuer-not-configured", "azure-jwks-unreachable"];
const AZURE_TOKEN: &[&str] = &["azure-token-expired", "azure-clock-ahead"];
const AZURE_CREDENTIAL: &[&str] =
    &["azure-iss-mismatch", "azure-sub-mismatch", "azure-sub-case-mismatch", "azure-aud-mismatch"];

fn pairs() -> Vec<(&'static str, &'static str)> {
    let links: &[(&[&'static str], &[&'static str])] = &[
        (ISSUER, TOKEN),
        (ISSUER, TRUST),
        (TOKEN, TRUST),
        (LIST, READ),
        (AZURE_ISSUER, AZURE_TOKEN),
        (AZURE_ISSUER, AZURE_CREDENTIAL),
        (AZURE_TOKEN, AZURE_CREDENTIAL),
    ];
    links.iter().flat_map(|(first, second)| first.iter().flat_map(|a| second.iter().map(|b| (*a, *b)))).collect()
}

#[test]
fn two_faults_at_once_are_both_named() {
    let expects = expectations();
    let pairs = pairs();
    let (next, both, ordered) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let misses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((first, second)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let causes = causes_of(&format!("{first}+{second}"));
                    let place = |name: &str| causes.iter().position(|cause| *cause == expects(name));
                    let (a, b) = (place(first), place(second));
                    both.fetch_add(usize::from(a.is_some() && b.is_some()), Ordering::Relaxed);
                    ordered.fetch_add(usize::from(a == Some(0)), Ordering::Relaxed);
                    if a != Some(0) || b.is_none() {
                        misses.lock().unwrap().push(format!("{first} + {second}: {causes:?}"));
                    }
                }
            });
        }
    });
    let (both, ordered, all) = (both.into_inner(), ordered.into_inner(), pairs.len());
    let misses = misses.into_inner().unwrap().join("\n");
    println!("of {all} pairs, both are named in {both}, the blocking one first in {ordered}\n{misses}");
    assert!(both * 100 >= all * 95 && ordered * 100 >= all * 95, "{both} and {ordered} of {all}\n{misses}");
}

fn expectations() -> impl Fn(&str) -> String {
    let listed = trustline().args(["lab", "--list", "--output", "json"]).output().unwrap();
    let scenarios: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    move |name| {
        let scenario = scenarios.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("no scenario {name}"));
        scenario["expects"].as_str().unwrap().to_owned()
    }
}

fn causes_of(scenario: &str) -> Vec<String> {
    let output = trustline().args(["check", "--output", "json", "--lab", scenario]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{scenario}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
    report["findings"].as_array().unwrap().iter().map(|f| f["cause"].as_str().unwrap().to_owned()).collect()
}
