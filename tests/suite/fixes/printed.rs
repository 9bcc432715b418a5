//! Every command that a finding prints is whole: no placeholder in it, a shell reads it, and what it calls of the program
//! itself is a command of the program that says which profile it is about.

use std::collections::BTreeSet;
use std::process::Command;

use clap::Parser as _;
use regex_lite::Regex;
use serde_json::Value;
use trustline::cli::Cli;
use trustline::domain::profile::Guide;
use trustline::domain::profile::document::parse_flag;
use trustline::guide::{Artifact, Values, render};
use trustline::lab::World;

use crate::support::trustline;

/// The program's subcommands that are about a profile.
const ABOUT_A_PROFILE: [&str; 7] = ["check", "fix", "rotate", "render", "guide", "explain", "profile"];

/// Every text under a key that holds something for a shell.
fn commands<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_str().filter(|_| ["command", "undo", "verify"].contains(&key.as_str())) {
                    Some(text) => {
                        found.insert(text);
                    }
                    None => commands(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| commands(item, found)),
        _ => {}
    }
}

/// The calls of the program itself in a text, each up to its end.
fn calls(text: &str) -> Vec<String> {
    let call = Regex::new(r"(?m)(?:^|[`\s(])(trustline (?:[a-z-]+)[^\n`|;&>]*)").unwrap();
    let whole = |call: &str| match call.matches('"').count() % 2 {
        // It ends a sentence of the script's own.
        1 => call.trim_end_matches('"').to_owned(),
        _ => call.to_owned(),
    };
    call.captures_iter(text).map(|found| whole(found[1].trim_end())).collect()
}

fn problem_with(call: &str) -> Option<String> {
    let words = shell_words(call);
    let parsed = Cli::try_parse_from(&words);
    if let Err(error) = parsed {
        return Some(format!("`{call}` is no command: {error}"));
    }
    let is_chosen = ["--profile", "--profile-file", "--lab"].iter().any(|flag| words.iter().any(|word| word == flag));
    (ABOUT_A_PROFILE.contains(&words[1].as_str()) && !is_chosen).then(|| format!("`{call}` does not say which profile"))
}

/// The words as `sh` makes them, with every variable set.
fn shell_words(call: &str) -> Vec<String> {
    let variable = Regex::new(r"\$\{?([A-Za-z_]+)").unwrap();
    let names = variable.captures_iter(call).map(|found| found[1].to_owned());
    let script = format!("for word in {call}; do printf '%s\\n' \"$word\"; done");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .envs(names.map(|name| (name, "of-the-reader")))
        .env("SELECTOR", "--profile of-the-reader")
        .output()
        .unwrap();
    assert!(output.status.success(), "{call}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn is_read_by_a_shell(script: &str) -> bool {
    Command::new("sh").args(["-n", "-c", script]).output().unwrap().status.success()
}

#[test]
fn every_command_of_every_scenario_is_whole_in_every_form() {
    // `(?<name>…)` is a group of jq's.
    let placeholder = Regex::new("[^?]<[a-z][a-z_-]*>").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = BTreeSet::new();
    let mut calls_of_all = BTreeSet::new();
    for scenario in World::list().unwrap() {
        let recording = folder.path().join(&scenario.name);
        trustline().args(["check", "--lab", &scenario.name, "--record"]).arg(&recording).output().unwrap();
        let replayed = |form: &str| {
            let output = trustline().arg("replay").arg(&recording).args(["--output", form]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let json = replayed("json");
        let report: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{}: {json}", scenario.name));
        let mut scripts = BTreeSet::new();
        commands(&report, &mut scripts);
        for script in &scripts {
            if !is_read_by_a_shell(script) {
                wrong.insert(format!("{}: no shell reads {script}", scenario.name));
            }
            wrong.extend(fetched(script).into_iter().map(|option| format!("{}: {option}", scenario.name)));
        }
        let forms = [
            scripts.iter().copied().collect::<Vec<_>>().join("\n"),
            replayed("text"),
            replayed("markdown").replace("\\`", "`"),
        ];
        for form in forms {
            wrong.extend(placeholder.find_iter(&form).map(|found| format!("{}: {}", scenario.name, found.as_str())));
            calls_of_all.extend(calls(&form));
        }
    }
    assert!(calls_of_all.len() > 100, "{calls_of_all:?}");
    wrong.extend(calls_of_all.iter().filter_map(|call| problem_with(call)));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The options of `aws` whose value begins like an address: version 1 of the AWS CLI fetches what is there and takes it for
/// the value, except of these two options.
fn fetched(script: &str) -> Vec<String> {
    let option = Regex::new(r#"(--[a-z-]+)[ =]['"]?https?://"#).unwrap();
    let of_aws = script.replace("\\\n", " ");
    let lines = of_aws.lines().filter(|line| line.contains("aws ")).map(str::to_owned).collect::<Vec<_>>();
    let found = lines.iter().flat_map(|line| option.captures_iter(line));
    found.filter(|found| !["--url", "--endpoint-url"].contains(&&found[1])).map(|found| found[0].to_owned()).collect()
}

#[test]
fn no_artifact_gives_the_aws_cli_an_address_that_it_would_fetch() {
    let settings: Vec<_> = [
        "aws.audience=https://gitlab.com",
        "aws.role-arn=arn:aws:iam::123456789012:role/reader",
        "aws.region=us-east-1",
        "issuer.url=https://gitlab.example.com",
        "secret.name=db",
    ]
    .map(|setting| parse_flag(setting).unwrap())
    .into();
    let mut has_audience = 0;
    for guide in [Guide::AwsWorkloadIdentity, Guide::GitlabAws, Guide::CircleciAws, Guide::AwsAssumeRole] {
        for artifact in Artifact::ALL.iter().filter(|artifact| artifact.is_of(guide)) {
            let text = render(*artifact, &Values::of(guide, &settings)).text;
            has_audience += usize::from(text.contains("https://gitlab.com") && text.contains("aws iam"));
            assert!(fetched(&text).is_empty(), "{}: {:?}", artifact.id(), fetched(&text));
        }
    }
    assert!(has_audience > 0, "no artifact registers the audience");
    assert_eq!(fetched("aws iam add-client-id --client-id 'https://gitlab.com'").len(), 1);
    assert!(fetched("aws iam create --url https://gitlab.com --cli-input-json file://provider.json").is_empty());
}
