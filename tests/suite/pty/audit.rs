//! How far an audit has come, as whoever waits at a terminal sees it: a line that changes in place and is taken away at the end,
//! and nothing of it where nobody looks.

use std::fs;

use serde_json::json;

use super::screen::Screen;
use crate::operator::variables;
use crate::support::{RunningLab, trustline};

const GITHUB: &str = "token.actions.githubusercontent.com";

fn trust(subject: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}")},
        "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:sub"): subject}}}]})
    .to_string()
}

/// The line is written in place of itself, and nothing of it is left on the screen.
fn assert_shown_and_taken_away(screen: &Screen, words: &str) {
    let raw = screen.raw();
    let at = raw.find(words).unwrap_or_else(|| panic!("no `{words}` in {raw:?}"));
    assert!(raw[..at].contains("\r\x1b[K"), "it begins where the line begins: {raw:?}");
    assert!(raw[at..].contains("\r\x1b[K"), "it is taken away: {raw:?}");
    assert!(!screen.text().contains(words), "nothing of it is left: {}", screen.text());
}

#[test]
fn a_terminal_shows_how_far_the_audit_of_an_account_has_come() {
    let roles: String = (0..6)
        .map(|at| format!("[aws.roles.ci-{at}]\ntrust-policy = '{}'\n", trust("repo:octo@1/app@2:environment:prod")))
        .collect();
    let lab = RunningLab::world(&format!("name = \"fleet\"\ntitle = \"t\"\n[aws]\npage-size = 2\n{roles}"));
    let (profile, ca_file) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let arguments = [
        "audit",
        "--operator",
        "--profile-file",
        &profile,
        "--ca-file",
        &ca_file,
        "--allow-host",
        "127.0.0.1",
        "--allow-host",
        "localhost",
    ];
    let variables = variables(&lab);
    let changed: Vec<(&str, Option<&str>)> =
        variables.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    let mut screen = Screen::with_environment(&changed, &arguments, (100, 60));
    screen.ended();
    assert_shown_and_taken_away(&screen, "answers, ");
    let output = trustline().args(arguments).envs(variables).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Reading the account") && !said.contains("answers, ") && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn a_terminal_shows_how_far_the_audit_of_a_folder_has_come() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..80 {
        fs::write(folder.path().join(format!("{at:03}.json")), trust("repo:octo@1/app@2:environment:prod")).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let mut screen = Screen::trustline(&["audit", path], (100, 40));
    screen.wait("no findings in 80 federated trusts");
    assert_eq!(screen.ended(), 0);
    assert_shown_and_taken_away(&screen, "trusts judged");
    // Lines of findings are not written over.
    let mut lines = Screen::trustline(&["audit", path, "--output", "ndjson"], (100, 40));
    lines.wait("\"trusts\":80");
    assert_eq!(lines.ended(), 0);
    assert!(!lines.raw().contains("trusts judged"), "{:?}", lines.raw());
    let output = trustline().args(["audit", path]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
