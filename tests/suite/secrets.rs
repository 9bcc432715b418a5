//! Planted secrets appear nowhere: not raw, not encoded, not in part. Every command runs, against clouds that behave well
//! and badly, and all that leaves the process is searched.

mod disk;
mod memory;
pub mod planted;

use std::fs;

use self::planted::{Cloud, Manner, found};
use super::support::trustline;

/// Every command that reads a secret or could be handed one. `{…}` stands for a file of the lab's folder, `{profile}`
/// for the arguments that name the profile and its cloud, `{new}` for a file that does not exist yet.
const COMMANDS: &[&str] = &[
    "check {profile} --output text --record {new}",
    "check {profile} --output json",
    "check {profile} --output junit",
    "check {profile} --output markdown --strict",
    "check {profile} --color always --wait 1 --only token.claims",
    "guide --check {profile}",
    "guide {profile}",
    "render --list",
    "render trust-policy {profile}",
    "profile show {plain-profile}",
    "token {token.jwt}",
    "token {token.jwt} --output json",
    "token /nonexistent --env NO_SUCH_VARIABLE",
    "explain {token.jwt}",
    "explain {token.jwt} --output json",
    "explain {client-secret}",
    "trust --policy {trust-policy.json} --token {token.jwt}",
    "trust --policy {trust-policy.json} --token {token.jwt} --output json --lint",
    "trust --policy {token.jwt} --token {token.jwt}",
    "trust --credential {token.jwt} --token {token.jwt}",
    "issuer {token.jwt}",
    "replay {token.jwt}",
    "lab --world {token.jwt}",
    "check --profile-file {token.jwt}",
    "check {profile} --ca-file {token.jwt}",
    "token {token.jwt} --jwks {token.jwt}",
];

/// The commands that talk to the cloud; the others are the same whatever it does.
fn is_online(command: &str) -> bool {
    command.starts_with("check {profile} --output") || command.starts_with("guide --check")
}

fn arguments(command: &str, cloud: &Cloud, new: &std::path::Path) -> Vec<String> {
    let mut arguments = Vec::new();
    for word in command.split(' ') {
        match word {
            "{profile}" => arguments.extend(cloud.arguments()),
            "{plain-profile}" => arguments.extend(["--profile-file".to_owned(), cloud.lab.file("profile.toml")]),
            "{new}" => arguments.push(new.to_str().unwrap().to_owned()),
            _ => match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                Some(file) => arguments.push(cloud.lab.file(file)),
                None => arguments.push(word.to_owned()),
            },
        }
    }
    arguments
}

/// Runs a command and says what of the planted secrets left it.
fn leaks(command: &str, cloud: &Cloud) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    let output = trustline().args(arguments(command, cloud, &new)).current_dir(folder.path()).output().unwrap();
    let mut left = vec![("standard output", output.stdout), ("standard error", output.stderr)];
    for entry in fs::read_dir(folder.path()).unwrap() {
        left.push(("a file", fs::read(entry.unwrap().path()).unwrap()));
    }
    let secrets = cloud.secrets();
    left.iter()
        .flat_map(|(place, bytes)| {
            found(bytes, &secrets).into_iter().map(move |hit| format!("{command}: {place} holds {hit}"))
        })
        .collect()
}

fn assert_no_leaks(cloud: &Cloud, commands: impl Fn(&str) -> bool) {
    let leaks: Vec<String> =
        COMMANDS.iter().filter(|command| commands(command)).flat_map(|command| leaks(command, cloud)).collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn where_all_is_well_on_aws() {
    let cloud = Cloud::aws(Manner::Well);
    let output = trustline().arg("check").args(cloud.arguments()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_no_leaks(&cloud, |_| true);
}

#[test]
fn where_all_is_well_on_azure() {
    let cloud = Cloud::azure(Manner::Well);
    let output = trustline().arg("check").args(cloud.arguments()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_no_leaks(&cloud, |_| true);
}

#[test]
fn where_answers_are_cut_off_garbled_or_quote_what_was_sent() {
    for manner in [Manner::CutOff, Manner::Garbled, Manner::Quotes, Manner::QuotesLater] {
        for cloud in [Cloud::aws(manner), Cloud::azure(manner)] {
            assert_no_leaks(&cloud, is_online);
        }
    }
}
