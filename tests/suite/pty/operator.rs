//! The console reads the cloud's own side by one key: as whom is shown and asked once, and what was possible is proven.

use std::time::{Duration, Instant};

use super::screen::Screen;
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

#[test]
fn the_key_shows_as_whom_asks_once_and_proves() {
    let lab = RunningLab::start("sub-mismatch");
    let text = std::fs::read_to_string(lab.file("profile.toml")).unwrap();
    let copies = ["trust-policy", "identity-policy"];
    let profile: String = text
        .lines()
        .filter(|line| !copies.iter().any(|copy| line.starts_with(copy)))
        .map(|line| line.replace("file = \"token.jwt\"", &format!("file = \"{}\"", lab.file("token.jwt"))) + "\n")
        .collect();
    let own = variables(&lab);
    let own: Vec<(&str, Option<&str>)> =
        own.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    let authority = lab.file("ca.pem");
    let arguments = ["--profile", "walk", "--ca-file", &authority, "--no-animation"];
    let mut screen = Screen::with_profile(&profile, &[], &arguments, &own, (140, 45));
    screen.send("2");
    screen.wait("failed");
    screen.wait_for("the run is over", |text| !text.contains("running"));
    assert!(!screen.text().contains("proven by trust.policy"), "{}", screen.text());
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
