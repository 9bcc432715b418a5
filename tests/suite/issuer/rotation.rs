//! `issuer --record` and `--watch`: a key that leaves the set while tokens still name it.

use std::collections::HashMap;

use serde_json::Value;

use super::super::servers::{Reply, Server, http, json, plain};
use super::super::support::{Ended, trustline};
use super::{DOCUMENT, KEYS, discovery, examine, keys};

/// An issuer on this machine whose key set holds these keys, with a word on how long it may be kept.
fn replies(port: u16, kids: &[&str]) -> HashMap<&'static str, Reply> {
    let issuer = format!("http://localhost:{port}");
    let headers = ["content-type: application/json", "cache-control: public, max-age=600"];
    HashMap::from([
        (DOCUMENT, json(&discovery(&issuer, &format!("{issuer}{KEYS}")))),
        (KEYS, http("200 OK", &headers, &keys(kids))),
    ])
}

fn url(server: &Server) -> String {
    format!("http://localhost:{}", server.port)
}

#[test]
fn two_runs_with_a_record_tell_which_key_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("keys.json");
    let with_record = ["--record", record.to_str().unwrap()];
    let server = plain(|port| replies(port, &["k1"]));
    assert_eq!(examine(&url(&server), &with_record, &[]).code, 0);
    assert_eq!(
        server.requests.lock().unwrap().len(),
        2,
        "a look is two requests, rules of the clouds and record included"
    );
    // As if the former run had seen another key, a little while ago.
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    assert_eq!(kept["schema"], "trustline.issuer-keys/1");
    let seen = kept["keys"]["k1"].clone();
    assert_eq!(seen["cached_s"], 600, "{kept:#}");
    kept["keys"]["former"] = seen;
    std::fs::write(&record, kept.to_string()).unwrap();
    let told = examine(&url(&server), &with_record, &[]);
    assert_eq!((told.code, told.causes()), (1, vec!["jwks-kid-missing"]), "{:#}", told.json);
    let evidence = told.evidence();
    for part in ["`former`", "a cache may hold it for", "Publish the former key again"] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }
    // A record of another issuer is none of this one's.
    let other = plain(|port| replies(port, &["k1"]));
    let refused = trustline().args(["issuer", &url(&other)]).args(with_record).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another issuer"));
}

#[test]
fn what_is_watched_ends_by_itself_when_a_key_is_gone() {
    let server = plain(|port| {
        let set = |kids: &[&str]| replies(port, kids).remove(KEYS).unwrap();
        let mut replies = replies(port, &["k1"]);
        replies.insert(KEYS, Reply::in_turn(vec![set(&["k1", "k2"]), set(&["k1", "k2"]), set(&["k2"])]));
        replies
    });
    let told = trustline().args(["issuer", &url(&server), "--watch", "1", "--output", "json"]).output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{}", String::from_utf8_lossy(&told.stderr));
    // Told at first, not again while nothing changed, and when the key was gone.
    let documents: Vec<Value> =
        serde_json::Deserializer::from_slice(&told.stdout).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(documents.len(), 2, "{documents:#?}");
    let causes = |document: &Value| {
        let problems = document["problems"].as_array().unwrap().iter();
        problems.filter_map(|problem| problem["cause"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(!causes(&documents[0]).contains(&"jwks-kid-missing".to_owned()), "{:#}", documents[0]);
    assert!(causes(&documents[1]).contains(&"jwks-kid-missing".to_owned()), "{:#}", documents[1]);
}

#[test]
fn what_is_watched_goes_on_until_a_signal_while_no_key_is_gone() {
    let server = plain(|port| replies(port, &["k1"]));
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("keys.json");
    let mut watching = Ended(
        std::process::Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .args(["issuer", &url(&server), "--watch", "1", "--record"])
            .arg(&record)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap(),
    );
    // Two looks, of two requests each: what is told once is not told again, and it goes on.
    while server.requests.lock().unwrap().len() < 4 {
        assert_eq!(watching.0.try_wait().unwrap(), None, "it ended though no key is gone");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let id = nix::unistd::Pid::from_raw(watching.0.id().cast_signed());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(watching.0.wait().unwrap().code(), Some(130));
}
