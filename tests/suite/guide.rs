//! `trustline guide` and `trustline render`: the steps, and artifacts that do what they say where they are used.

mod aws;
mod azure;
mod least;
mod progress;
mod render;
mod rows;
mod schemas;
mod wrong;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::trustline;

const ORGANIZATION: &str = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";

/// A profile of every guide, with every value that it can have.
fn profile(guide: &str) -> String {
    let of_guide = match guide {
        "gitlab-aws" => {
            "[issuer]\nurl = \"https://gitlab.example.com\"\n[gitlab]\nproject-path = \"mygroup/myproject\"\nref = \"main\"\n"
        }
        "circleci-aws" => "[circleci]\nproject = \"5b1f2c9e-0000-4000-8000-0123456789ab\"\n",
        guide if guide.starts_with("github-") => {
            "[github]\nrepository = \"octo-org/octo-repo\"\nref = \"refs/heads/main\"\n"
        }
        guide if guide.starts_with("kubernetes-") => {
            "[issuer]\nurl = \"https://oidc.example.com/cluster\"\n[kubernetes]\nnamespace = \"team\"\nservice-account = \"reader\"\n"
        }
        "aws-static" | "aws-assume-role" | "azure-static" | "gcp-static" => "",
        _ => "[issuer]\nurl = \"https://app.example.com\"\n",
    };
    let cloud = match guide {
        "gcp-static" => {
            "[gcp]\nproject-id = \"my-project\"\nservice-account = \"reader@my-project.iam.gserviceaccount.com\"\n\
             key-file = \"key.json\"\n"
        }
        guide if guide.contains("azure") => {
            "[azure]\ntenant-id = \"0f1e2d3c-0000-4000-8000-000000000001\"\nclient-id = \"0f1e2d3c-0000-4000-8000-000000000002\"\n\
             subscription-id = \"0f1e2d3c-0000-4000-8000-000000000003\"\nresource-group = \"rg(prod)\"\n\
             vault-url = \"https://my-vault.vault.azure.net\"\n"
        }
        guide if guide.contains("gcp") => {
            "[gcp]\nproject-id = \"my-project\"\nservice-account = \"reader@my-project.iam.gserviceaccount.com\"\n\
             provider = \"projects/123456789012/locations/global/workloadIdentityPools/crewai-pool/providers/crewai-provider\"\n\
             [token]\nfile = \"token.jwt\"\n"
        }
        "aws-static" => {
            "[aws]\nregion = \"eu-west-1\"\naccount-id = \"123456789012\"\nsecret-prefix = \"crewai\"\n\
             kms-key-arn = \"arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"\n"
        }
        "circleci-aws" => {
            "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/ci/circleci-oidc\"\nregion = \"eu-west-1\"\n\
             target-role-arn = \"arn:aws:iam::210987654321:role/reader\"\n"
        }
        _ => {
            "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/crewai-secrets-reader\"\nregion = \"eu-west-1\"\n\
             external-id = \"of-our-own-making\"\nsecret-prefix = \"crewai\"\n"
        }
    };
    format!(
        "guide = \"{guide}\"\n[platform]\norganization = \"{ORGANIZATION}\"\n{of_guide}{cloud}[secret]\nname = \"crewai-db#password\"\n\
         [deployment]\nurl = \"https://my-crew.example.com\"\nvariable = \"API_KEY\"\n"
    )
}

const GUIDES: [(&str, usize); 15] = [
    ("aws-workload-identity", 10),
    ("azure-workload-identity", 10),
    ("gcp-workload-identity", 10),
    ("aws-static", 7),
    ("aws-assume-role", 7),
    ("azure-static", 6),
    ("gcp-static", 6),
    ("github-aws", 3),
    ("github-azure", 6),
    ("github-gcp", 6),
    ("gitlab-aws", 3),
    ("circleci-aws", 4),
    ("kubernetes-aws", 3),
    ("kubernetes-azure", 6),
    ("kubernetes-gcp", 6),
];

/// Pipes a script to a shell in a folder, with a cloud's command line in its path and a value, where it is not empty, in
/// the file that `VALUE_FILE` names; gives back what it printed.
fn sh(cli: &Path, folder: &Path, variables: &[(&str, &str)], script: &str, value: &str) -> String {
    let file = folder.join("value");
    fs::write(&file, value).unwrap();
    let path = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect::<Vec<_>>();
    let path = [vec![cli.parent().unwrap().to_owned()], path].concat();
    let mut shell = Command::new("sh")
        .current_dir(folder)
        .env("VALUE_FILE", if value.is_empty() { OsStr::new("") } else { file.as_os_str() })
        .env("PATH", std::env::join_paths(path).unwrap())
        .env_remove("AWS_PROFILE")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a profile of a guide in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn with(guide: &str) -> Home {
        let home = Home { folder: TempDir::new().unwrap() };
        fs::write(home.profile(), profile(guide)).unwrap();
        home
    }

    fn profile(&self) -> PathBuf {
        self.folder.path().join("p.toml")
    }

    /// Runs the program with the profile; what it prints, and its status.
    fn run(&self, arguments: &[&str]) -> (String, String, Option<i32>) {
        let output = trustline().args(arguments).arg("--profile-file").arg(self.profile()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    }

    fn render(&self, artifact: &str) -> String {
        let (text, said, status) = self.run(&["render", artifact]);
        assert_eq!(status, Some(0), "{artifact}: {said}");
        text
    }
}

fn artifacts(guide: &str) -> Vec<(String, String)> {
    let output =
        trustline().args(["render", "--list", "--output", "json", "--set", &format!("guide={guide}")]).output();
    let list: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = list["artifacts"].as_array().unwrap();
    all.iter()
        .filter(|artifact| artifact["guides"].as_array().unwrap().iter().any(|id| id == guide))
        .map(|artifact| (text(&artifact["id"]), text(&artifact["form"])))
        .collect()
}

fn all_guides() -> Value {
    let output = trustline().args(["guide", "--output", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_guide_is_listed_with_fields_artifacts_and_checks_of_every_step() {
    let document = all_guides();
    assert_eq!(document["schema"], "trustline.guide/1");
    let guides = document["guides"].as_array().unwrap();
    let counts: Vec<(&str, usize)> =
        guides.iter().map(|g| (g["id"].as_str().unwrap(), g["steps"].as_array().unwrap().len())).collect();
    assert_eq!(counts, GUIDES);
    for guide in guides {
        assert_eq!(guide["prerequisites"]["number"], 0, "{}", guide["id"]);
        for (at, step) in guide["steps"].as_array().unwrap().iter().enumerate() {
            assert_eq!(step["number"], at + 1);
            for list in ["fields", "artifacts", "checks"] {
                assert!(step[list].is_array(), "{} {at} has no {list}", guide["id"]);
            }
            assert_eq!(step["state"], Value::Null, "a step has no state without a profile");
            assert!(!step.to_string().contains("{issuer}"), "{step:#}");
        }
    }
}

#[test]
fn a_step_shows_the_profiles_values_and_what_is_missing() {
    let home = Home::with("aws-workload-identity");
    let (text, _, status) = home.run(&["guide", "aws-workload-identity", "3"]);
    assert_eq!(status, Some(0));
    for shown in [
        "Create the IAM role",
        "arn:aws:iam::123456789012:oidc-provider/app.example.com",
        "app.example.com:sub",
        &format!("organization:{ORGANIZATION}"),
        "trust.policy",
        "Subject is another",
        "to do",
    ] {
        assert!(text.contains(shown), "{shown} is not in:\n{text}");
    }
    let output = trustline().args(["guide", "aws-workload-identity", "3"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("<platform-organization>") && text.contains("platform.organization"), "{text}");
    assert!(!text.contains('{') || text.contains("\"Version\""), "{text}");
}

#[test]
fn what_does_not_exist_is_refused_with_the_nearest() {
    for (arguments, wrong, hint) in [
        (&["guide", "aws-workload-identy"][..], "no guide", "`aws-workload-identity`"),
        (&["guide", "gitlab-aws", "4"], "no step 4", "1 to 3"),
        (&["render", "trust-polciy"], "no artifact", "`trust-policy`"),
        (&["render", "gitlab-job", "--set", "guide=aws-static"], "has no artifact", "secrets-policy"),
        (&["guide", "aws-static", "5", "--confirm"], "kept in a profile", "--profile"),
        (&["guide", "--check"], "needs a profile", "--lab"),
        (&["guide", "--output", "junit"], "possible values", "text, json, markdown"),
    ] {
        let output = trustline().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wrong) && said.contains(hint), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

/// As printed, a command must find the profile that the guide was read with.
#[test]
fn the_commands_of_a_step_choose_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my own.toml");
    fs::write(&file, profile("aws-workload-identity")).unwrap();
    let selector = format!("--profile-file '{}'", file.display());
    for (step, command) in [("8", "trustline check"), ("10", "trustline rotate"), ("3", "trustline render")] {
        for form in ["text", "json", "markdown"] {
            let arguments = ["guide", "aws-workload-identity", step, "--output", form, "--profile-file"];
            let output = trustline().args(arguments).arg(&file).output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let places: Vec<_> = printed.match_indices(command).collect();
            assert!(!places.is_empty(), "{step} {form}: {printed}");
            for (at, _) in places {
                let line = printed[at..].split(['`', '\n', '"']).next().unwrap();
                // What a line is looked for by is named, and not to be run.
                let is_named = printed[..at].trim_end_matches(['`', '\\']).ends_with("the line is what ");
                assert!(is_named || line.contains(&selector), "{step} {form}: {line}");
            }
        }
    }
}

#[test]
fn the_labs_checks_verify_steps_and_blame_the_right_one() {
    let steps = |scenario: &str, status: i32| {
        let output = trustline()
            .args(["guide", "aws-workload-identity", "--lab", scenario, "--check", "--output", "json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{scenario}: {}", String::from_utf8_lossy(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let states: Vec<String> = document["guides"][0]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["state"]["is"].as_str().unwrap().to_owned())
            .collect();
        states
    };
    let healthy = steps("healthy", 0);
    for number in [1, 2, 3, 4, 5, 8] {
        assert_eq!(healthy[number - 1], "verified", "{number}: {healthy:?}");
    }
    for (scenario, number) in [
        ("discovery-invalid", 1),
        ("provider-missing", 2),
        ("sub-mismatch", 3),
        ("missing-get", 4),
        ("secret-empty", 5),
    ] {
        let states = steps(scenario, 1);
        assert_eq!(states[number - 1], "failing", "{scenario}: {states:?}");
        assert!(states[number..].iter().all(|state| state != "to-do"), "{scenario}: {states:?}");
    }
}
