//! A guide's steps as an operator's reads show them: what is set up is seen before a token exists, and what only the platform
//! knows is shown by no token.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variables;
use crate::support::{RunningLab, trustline};

const GUIDE: &str = "aws-workload-identity";

/// A world of the guide, whose profile names no token that is there.
fn without_token(differences: &str) -> RunningLab {
    let lab = RunningLab::world(&format!("name = \"guide\"\ntitle = \"a guide's steps\"\n{differences}"));
    let profile = lab.file("profile.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("file = \"token.jwt\"", "env = \"NO_SUCH_TOKEN\"")).unwrap();
    lab
}

/// Where each step stands.
fn states(lab: &RunningLab, guide: &str, arguments: &[&str]) -> BTreeMap<u64, Value> {
    let output = trustline()
        .envs(variables(lab))
        .args(["guide", guide, "--check", "--output", "json", "--profile-file", &lab.file("profile.toml")])
        .args(["--ca-file", &lab.file("ca.pem"), "--allow-host", "127.0.0.1", "--allow-host", "localhost"])
        .args(["--allow-env", "NO_SUCH_TOKEN"])
        .args(arguments)
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let steps = document["guides"][0]["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["number"].as_u64().unwrap(), step["state"].clone())).collect()
}

fn verified(states: &BTreeMap<u64, Value>) -> Vec<u64> {
    states.iter().filter(|(_, state)| state["is"] == "verified").map(|(number, _)| *number).collect()
}

#[test]
fn provider_role_policy_and_secret_are_seen_before_a_token_shows_them() {
    let lab = without_token("");
    assert_eq!(verified(&states(&lab, GUIDE, &[])), [1]);
    let seen = states(&lab, GUIDE, &["--operator"]);
    assert_eq!(verified(&seen), [1, 2, 3, 4, 5], "{seen:#?}");
    for (step, check) in
        [(2, "aws.oidc-provider"), (3, "aws.role"), (4, "aws.role-permissions"), (5, "aws.secret-settings")]
    {
        assert!(seen[&step].to_string().contains(check), "{step}: {:#}", seen[&step]);
    }
}

#[test]
fn what_is_not_there_yet_is_not_seen() {
    for (differences, step) in [
        ("[aws.providers.platform]\npresent = false\n", 2),
        ("[aws.roles.crewai-secrets-reader]\npresent = false\n", 3),
        ("[aws.roles.crewai-secrets-reader.policies]\nSecretsManagerRead = '{\"Statement\": []}'\n", 4),
        ("[aws.secrets.crewai-test-keyword]\npresent = false\n", 5),
    ] {
        let seen = states(&without_token(differences), GUIDE, &["--operator"]);
        assert_eq!(seen[&step]["is"], "failing", "{differences}: {seen:#?}");
    }
}

#[test]
fn a_configuration_on_the_platform_is_shown_by_no_token() {
    for (lab, guide) in [("healthy", GUIDE), ("azure", "azure-workload-identity")] {
        let lab = RunningLab::start(lab);
        let seen = states(&lab, guide, &["--operator"]);
        // The token is taken, and everything that it can show is shown.
        assert_eq!(seen[&8]["is"], "verified", "{seen:#?}");
        assert_eq!((&seen[&6]["is"], &seen[&7]["is"]), (&"to-do".into(), &"to-do".into()), "{seen:#?}");
    }
}

#[test]
fn the_guides_of_other_platforms_see_what_is_set_up_too() {
    for (lab, guide, expected) in [("gitlab", "gitlab-aws", &[1, 2][..]), ("circleci", "circleci-aws", &[1, 2, 3])] {
        let lab = RunningLab::start(lab);
        let profile = lab.file("profile.toml");
        let text = std::fs::read_to_string(&profile).unwrap();
        std::fs::write(&profile, text.replace("file = \"token.jwt\"", "env = \"NO_SUCH_TOKEN\"")).unwrap();
        let without = verified(&states(&lab, guide, &[]));
        let with = verified(&states(&lab, guide, &["--operator"]));
        assert!(expected.iter().all(|step| !without.contains(step) && with.contains(step)), "{without:?} {with:?}");
    }
}
