//! Profiles: what is refused and how it is told, which layer wins, and what `profile` makes and shows.

mod create;
mod refusal;
mod set;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::trustline;

const ROLE: &str = "arn:aws:iam::123456789012:role/crewai-secrets-reader";

const UUID: &str = "5b1f2c9e-0000-4000-8000-0123456789ab";

/// A profile that is right, whose lines the tests damage one at a time.
const RIGHT: &str = r#"guide = "aws-workload-identity"
[issuer]
url = "https://app.example.com"
[platform]
organization = "5b1f2c9e-0000-4000-8000-0123456789ab"
[token]
file = "token.jwt"
[aws]
role-arn = "arn:aws:iam::123456789012:role/crewai-secrets-reader"
region = "us-east-1"
trust-policy = "trust-policy.json"
[azure]
tenant-id = "5b1f2c9e-0000-4000-8000-0123456789ab"
client-id = "5b1f2c9e-0000-4000-8000-0123456789ac"
vault-url = "https://my-vault.vault.azure.net"
[secret]
name = "crewai-test-keyword"
[deployment]
url = "https://my-crew.example.com"
token-env = "DEPLOYMENT_TOKEN"
variable = "API_KEY"
"#;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Home(TempDir::new().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("profiles")
    }

    /// Writes a profile as a person would.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::create_dir_all(self.folder()).unwrap();
        let path = self.folder().join(format!("{name}.toml"));
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = trustline();
        command.env("TRUSTLINE_CONFIG_DIR", self.0.path()).envs(env.iter().copied());
        command.arg("profile").args(args).output().unwrap()
    }

    fn show(&self, args: &[&str], env: &[(&str, &str)]) -> Value {
        let output = self.run(&[&["show", "--output", "json"], args].concat(), env);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(stdout(output), "", "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
}

/// The value and the origin of a key, as `show --output json` has them.
fn value_and_origin(shown: &Value, key: &str) -> (Value, Value) {
    let values = shown["values"].as_array().unwrap();
    let entry = values.iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("{key} is not in {shown:#}"));
    (entry["value"].clone(), entry["origin"].clone())
}

#[test]
fn the_right_profile_is_right() {
    let home = Home::new();
    home.write("right", RIGHT);
    let shown = home.show(&["--profile", "right"], &[]);
    assert_eq!(shown["schema"], "trustline.profile/1");
    assert_eq!(shown["guide"], "aws-workload-identity");
    assert_eq!(value_and_origin(&shown, "aws.role-arn").0, ROLE);
}

#[test]
fn flag_goes_before_variable_before_file_before_default() {
    let home = Home::new();
    let path = home.write("p", RIGHT);
    let env = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")];
    let origin = |kind: &str| serde_json::json!({ "kind": kind });

    let shown = home.show(&["--profile", "p", "--set", "aws.region=eu-west-3"], &env);
    assert_eq!(value_and_origin(&shown, "aws.region"), ("eu-west-3".into(), origin("flag")));
    let shown = home.show(&["--profile", "p"], &env);
    let variable = serde_json::json!({ "kind": "variable", "name": "AWS_REGION" });
    assert_eq!(value_and_origin(&shown, "aws.region"), ("eu-west-1".into(), variable));
    let shown = home.show(&["--profile", "p"], &[]);
    let file = serde_json::json!({ "kind": "file", "path": path, "line": 10 });
    assert_eq!(value_and_origin(&shown, "aws.region"), ("us-east-1".into(), file));
    assert_eq!(value_and_origin(&shown, "aws.session-name"), ("trustline".into(), origin("default")));
}

#[test]
fn show_as_text_says_where_each_value_came_from() {
    let home = Home::new();
    home.write("p", RIGHT);
    let output = home.run(&["show", "--profile", "p", "--set", "secret.name=other"], &[("AWS_REGION", "eu-west-1")]);
    let text = stdout(&output);
    for (key, value, origin) in [
        ("aws.region", "eu-west-1", "AWS_REGION"),
        ("aws.role-arn", ROLE, "p.toml:9"),
        ("secret.name", "other", "--set"),
        ("aws.audience", "sts.amazonaws.com", "default"),
    ] {
        let words = vec![key, value, origin];
        assert!(text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == words), "{words:?} in\n{text}");
    }
}

#[test]
fn relative_paths_start_at_the_profiles_folder() {
    let home = Home::new();
    home.write("p", RIGHT);
    let shown = home.show(&["--profile", "p"], &[]);
    let file = home.folder().join("token.jwt");
    assert_eq!(value_and_origin(&shown, "token.file").0, file.to_str().unwrap());
    let elsewhere = home.0.path().join("here.toml");
    fs::write(&elsewhere, RIGHT).unwrap();
    let shown = home.show(&["--profile-file", elsewhere.to_str().unwrap()], &[]);
    assert_eq!(value_and_origin(&shown, "token.file").0, home.0.path().join("token.jwt").to_str().unwrap());
    assert_eq!(shown["name"], "here");
}

#[test]
fn variables_alone_make_a_profile_and_choose_its_guide() {
    let home = Home::new();
    let role = ("AWS_ROLE_ARN", ROLE);
    for (env, guide) in [
        (&[role, ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")][..], "aws-workload-identity"),
        (&[("AZURE_CLIENT_ID", UUID), ("AZURE_FEDERATED_TOKEN_FILE", "/t")], "azure-workload-identity"),
        (&[role, ("CIRCLECI", "true"), ("CIRCLE_OIDC_TOKEN", "t")], "circleci-aws"),
        (&[role, ("GITLAB_CI", "true")], "gitlab-aws"),
    ] {
        let shown = home.show(&[], env);
        assert_eq!((&shown["guide"], &shown["name"]), (&guide.into(), &"environment".into()), "{env:?}");
    }
    let output = home.run(&["show"], &[("AWS_ROLE_ARN", "arn:aws:iam::123456789012:user/u")]);
    refused(&output, &["AWS_ROLE_ARN: aws.role-arn", "IAM user"]);
}

#[test]
fn nothing_to_start_from_says_how_to_start() {
    let home = Home::new();
    home.write("mine", RIGHT);
    refused(&home.run(&["show"], &[("AWS_REGION", "us-east-1")]), &["--lab", "profile new", "yours: mine"]);
}

#[test]
fn a_missing_profile_is_named_with_the_nearest() {
    let home = Home::new();
    home.write("production", RIGHT);
    refused(
        &home.run(&["show", "--profile", "prodcution"], &[]),
        &["no profile `prodcution`", "did you mean `production`?"],
    );
    refused(&home.run(&["show", "--profile", "../etc/passwd"], &[]), &["no name for a profile", "--profile-file"]);
    refused(
        &home.run(&["show", "--profile-file", "/nonexistent/p.toml"], &[]),
        &["/nonexistent/p.toml", "cannot be read"],
    );
}

#[test]
fn list_says_which_profiles_hold_mistakes() {
    let home = Home::new();
    let empty = home.run(&["list"], &[]);
    assert!(stdout(&empty).contains("no profiles"));
    home.write("right", RIGHT);
    home.write("bad", "[aws]\nregion = 1\n");
    fs::write(home.folder().join("notes.txt"), "").unwrap();
    fs::write(home.folder().join("bad name.toml"), RIGHT).unwrap();
    let output = home.run(&["list", "--output", "json"], &[]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let profiles = list["profiles"].as_array().unwrap();
    assert_eq!(list["schema"], "trustline.profiles/1");
    assert_eq!(profiles.iter().map(|p| p["name"].as_str().unwrap()).collect::<Vec<_>>(), ["bad", "right"]);
    assert!(profiles[0]["problems"][0].as_str().unwrap().contains("bad.toml:2"));
    assert_eq!(profiles[1]["guide"], "aws-workload-identity");
    assert_eq!(list["passed_over"][0]["file"], "bad name.toml");
    let text = stdout(&home.run(&["list"], &[]));
    assert!(text.contains("not read: bad name.toml (`bad name` is no name for a profile;"), "{text}");
    assert!(text.contains("1 mistake") && text.contains("aws-workload-identity"), "{text}");
}

#[test]
fn path_names_folder_and_file() {
    let home = Home::new();
    assert_eq!(stdout(&home.run(&["path"], &[])).trim(), home.folder().to_str().unwrap());
    assert_eq!(stdout(&home.run(&["path", "p"], &[])).trim(), home.folder().join("p.toml").to_str().unwrap());
    let xdg = home.0.path().to_str().unwrap();
    let output = trustline()
        .env_remove("TRUSTLINE_CONFIG_DIR")
        .env("XDG_CONFIG_HOME", xdg)
        .args(["profile", "path", "p"])
        .output()
        .unwrap();
    assert_eq!(stdout(&output).trim(), format!("{xdg}/trustline/profiles/p.toml"));
}
