//! The console reads the cloud's own side by one key: as whom is shown and asked once, and what was possible is proven.

use std::time::{Duration, Instant};

use super::screen::Screen;
use crate::google_operator::asked_by_operator;
use crate::operator::variables;
use crate::support::RunningLab;

/// The last line of what is asked.
const QUESTION: &str = "arn:aws:iam::123456789012:user/operator? Nothing is changed.";

/// How many runs have read the account's providers with the operator's key; each does once.
fn reads(lab: &RunningLab) -> usize {
    let own = |entry: &&serde_json::Value| {
        entry["access_key_id"] == "AKIALABOPERATOR00000" && entry["operation"] == "ListOpenIDConnectProviders"
    };
    lab.requests("iam").iter().filter(own).count()
}

/// The console at a lab, with the operator's variables and without copies of what the cloud holds, once its checks are over.
fn checked(lab: &RunningLab) -> Screen {
    let text = std::fs::read_to_string(lab.file("profile.toml")).unwrap();
    let copies = ["trust-policy", "identity-policy", "provider-file", "iam-policy"];
    let profile: String = text
        .lines()
        .filter(|line| !copies.iter().any(|copy| line.starts_with(copy)))
        .map(|line| line.replace("file = \"token.jwt\"", &format!("file = \"{}\"", lab.file("token.jwt"))) + "\n")
        .collect();
    let own = variables(lab);
    let own: Vec<(&str, Option<&str>)> =
        own.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    let authority = lab.file("ca.pem");
    let arguments = ["--profile", "walk", "--ca-file", &authority, "--no-animation"];
    let mut screen = Screen::with_profile(&profile, &[], &arguments, &own, (140, 45));
    screen.send("2");
    screen.wait("failed");
    screen.wait_for("the run is over", |text| !text.contains("running"));
    assert!(!screen.text().contains("proven by trust.policy"), "{}", screen.text());
    screen
}

#[test]
fn at_google_the_key_shows_what_it_reads_with_asks_and_proves() {
    let lab = RunningLab::start("gcp-condition-fails");
    let mut screen = checked(&lab);
    assert!(screen.text().contains("attribute-condition, likely by gcp.exchange"), "{}", screen.text());
    screen.send("O");
    screen.wait("Read the cloud's own side as the access token in");
    screen.wait("Nothing is changed.");
    // Whether the token is good for the project at all is asked before, as AWS is asked for the caller.
    let is_only_the_project =
        || asked_by_operator(&lab).iter().all(|(method, path)| method == "GET" && path == "/v1/projects/crewai-lab");
    assert!(is_only_the_project(), "{:?}", asked_by_operator(&lab));
    screen.send("n");
    screen.wait_for("the question is gone", |text| !text.contains("Nothing is changed."));
    assert!(is_only_the_project(), "{:?}", asked_by_operator(&lab));
    screen.send("O");
    screen.wait("Nothing is changed.");
    screen.send("y");
    screen.wait("attribute-condition, proven by trust.policy");
    assert!(!is_only_the_project());
    screen.send("q");
    screen.ended();
}

#[test]
fn the_key_shows_as_whom_asks_once_and_proves() {
    let lab = RunningLab::start("sub-mismatch");
    let mut screen = checked(&lab);
    screen.send("O");
    screen.wait(QUESTION);
    assert!(!screen.text().contains("asking as whom"), "its question is answered:\n{}", screen.text());
    assert_eq!(reads(&lab), 0, "nothing is read before that is agreed to");
    screen.send("y");
    screen.wait("proven by trust.policy");
    screen.wait_for("the run is over", |text| !text.contains("running"));
    let once = reads(&lab);
    assert!(once > 0);
    // Agreed to already: the key makes another run.
    screen.send("O");
    let deadline = Instant::now() + Duration::from_secs(60);
    while reads(&lab) < 2 * once {
        assert!(Instant::now() < deadline, "no second run:\n{}", screen.text());
        std::thread::yield_now();
    }
    screen.wait("proven by trust.policy");
    assert!(!screen.text().contains(QUESTION), "{}", screen.text());
    screen.send("q");
    screen.ended();
}
