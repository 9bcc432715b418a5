//! Profiles: what is refused and how it is told, which layer wins, and what `profile` makes and shows.

use std::fs;
use std::path::{Path, PathBuf};
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

/// Line of [`RIGHT`] (from 1), what it becomes, and what the refusal must say.
const WRONG: &[(usize, &str, &[&str])] = &[
    (1, r#"guide = "aws-workload-identy""#, &["guide", "is no guide", "`aws-workload-identity`"]),
    (1, r#"guide = aws"#, &["not TOML"]),
    (3, r#"url = "http://app.example.com""#, &["issuer.url", "plain http", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com?tenant=1""#, &["issuer.url", "query", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com#x""#, &["fragment"]),
    (3, r#"url = "app.example.com""#, &["no scheme", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com/.well-known/openid-configuration""#, &["discovery document"]),
    (3, r#"url = "https://<your-platform-host>""#, &["placeholder `<your-platform-host>`"]),
    (3, r#"url = " https://app.example.com""#, &["a blank (U+0020) at its start"]),
    (3, "url = \"https://app.exa\u{200b}mple.com\"", &["a zero-width space (U+200B) at character 16"]),
    (5, r#"organization = "my-organization""#, &["platform.organization", "no UUID", "8-4-4-4-12"]),
    (
        5,
        r#"organization = "organization:5b1f2c9e-0000-4000-8000-0123456789ab""#,
        &["subject", "write `5b1f2c9e-0000-4000-8000-0123456789ab`"],
    ),
    (5, r#"organization = "<YOUR_CREWAI_ORG_UUID>""#, &["placeholder `<YOUR_CREWAI_ORG_UUID>`"]),
    (5, r#"organization = 42"#, &["is a number", "organization = \"…\""]),
    (7, r#"file = "${TOKEN_FILE}""#, &["`${TOKEN_FILE}`", "nothing expands"]),
    (7, r#"file = "~/token.jwt""#, &["token.file", "`~`"]),
    (7, r#"env = "$MY_TOKEN""#, &["reference", "`MY_TOKEN`"]),
    (7, r#"command = "gcloud auth print-identity-token""#, &["is a text", "command = ["]),
    (7, "file = \"a\"\nenv = \"B\"", &["token.env", "second source", "token.file"]),
    (
        9,
        r#"role-arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com""#,
        &["OIDC identity provider", "role/NAME"],
    ),
    (
        9,
        r#"role-arn = "arn:aws:sts::123456789012:assumed-role/reader/session""#,
        &["session of a role", "`arn:aws:iam::123456789012:role/reader`"],
    ),
    (9, r#"role-arn = "arn:aws:iam::123456789012:user/me""#, &["IAM user"]),
    (9, r#"role-arn = "arn:aws:iam::<YOUR_ACCOUNT_ID>:role/r""#, &["placeholder `<YOUR_ACCOUNT_ID>`"]),
    (9, r#"role-arn = "arn:aws:iam::1234:role/r""#, &["account `1234`", "twelve digits"]),
    (9, r#"role-arn = "arn:aws-china:iam::123456789012:role/r""#, &["partition `aws-china`"]),
    (9, r#"role-arn = "arn:aws-cn:iam::123456789012:role/r""#, &["partition", "`us-east-1`"]),
    (9, r#"role-arn = "reader""#, &["not an ARN", "role/reader"]),
    (9, r#"role_arn = "x""#, &["`aws.role_arn` is no key", "write `aws.role-arn`"]),
    (10, r#"region = "us-east1""#, &["not a region", "write `us-east-1`"]),
    (10, r#"region = "us-east-1a""#, &["availability zone", "write `us-east-1`"]),
    (10, "region = \"us-east-1\u{a0}\"", &["a no-break space (U+00A0) at its end"]),
    (10, "region = \u{201c}us-east-1\u{201d}", &["typographic quotation mark (U+201C)"]),
    (13, r#"tenant-id = "{tenantId}""#, &["azure.tenant-id", "placeholder `{tenantId}`"]),
    (13, r#"tenant-id = "common""#, &["any directory"]),
    (14, r#"client-id = "5b1f2c9e-0000-4000-8000-0123456789ab""#, &["same UUID", "application (client) ID"]),
    (15, r#"vault-url = "my-vault""#, &["a vault's name", "`https://my-vault.vault.azure.net`"]),
    (
        15,
        r#"vault-url = "https://my-vault.vault.azure.net/secrets/db""#,
        &["address of a secret", "secret.name = \"db\""],
    ),
    (17, r#"name = "a#""#, &["secret.name", "`name#json_key`"]),
    (17, r#"name = "a#b#c""#, &["more than one `#`"]),
    (17, r#"name = """#, &["is empty"]),
    (19, r#"url = "http://my-crew.example.com""#, &["deployment.url", "plain http"]),
    (20, r#"token-env = "Bearer abc""#, &["deployment.token-env", "never the value"]),
    (21, r#"variabel = "API_KEY""#, &["`deployment.variabel` is no key", "write `deployment.variable`"]),
];

#[test]
fn bad_profiles_are_refused_with_line_what_and_what_instead() {
    let home = Home::new();
    for (line, replaced, parts) in WRONG {
        let mut lines: Vec<&str> = RIGHT.lines().collect();
        lines[line - 1] = replaced;
        let path = home.write("bad", &lines.join("\n"));
        let output = home.run(&["show", "--profile", "bad"], &[]);
        // Of a partition that differs the region is told, and of two sources the second.
        let told = line + usize::from(replaced.contains("aws-cn") || replaced.contains('\n'));
        refused(&output, &[&[format!("{}:{told}: ", path.display()).as_str()], *parts].concat());
        // What would be right stands on a line of its own.
        assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let home = Home::new();
    home.write("bad", "[aws]\nrole-arn = \"x y\"\nregion = \"nowhere\"\nnonsense = 1\n");
    let output = home.run(&["show", "--profile", "bad", "--set", "secret.name=a#"], &[]);
    refused(&output, &["`bad` has 4 mistakes", "bad.toml:2", "bad.toml:3", "bad.toml:4", "--set: secret.name"]);
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
fn new_writes_a_private_file_that_reads_back() {
    let home = Home::new();
    let role = format!("aws.role-arn={ROLE}");
    let set = ["new", "p", "--set", &role, "--set", "aws.region=us-east-1", "--set", "token.command=[\"a\", \"b\"]"];
    let output = home.run(&set, &[("AWS_REGION", "eu-west-1")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = home.show(&["--profile", "p"], &[]);
    assert_eq!(value_and_origin(&shown, "aws.region").0, "us-east-1");
    assert_eq!(value_and_origin(&shown, "token.command").0, serde_json::json!(["a", "b"]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&home.folder()), 0o700);
        assert_eq!(mode(&home.folder().join("p.toml")), 0o600);
    }
    assert_eq!(fs::read_dir(home.folder()).unwrap().count(), 1, "no draft is left behind");
}

#[test]
fn new_never_replaces_anything() {
    let home = Home::new();
    let role = format!("aws.role-arn={ROLE}");
    let set = ["new", "p", "--set", &role, "--set", "aws.region=us-east-1"];
    let path = home.write("p", "# mine\n");
    refused(&home.run(&set, &[]), &["exists already"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    #[cfg(unix)]
    {
        fs::remove_file(&path).unwrap();
        let target = home.0.path().join("target");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        refused(&home.run(&set, &[]), &["symbolic link"]);
        assert!(!target.exists());
    }
}

#[test]
fn new_names_what_it_lacks_and_refuses_what_is_wrong() {
    let home = Home::new();
    let azure = ["new", "p", "--guide", "azure-workload-identity"];
    refused(&home.run(&azure, &[]), &["--set azure.tenant-id=", "--set azure.client-id=", "--set azure.vault-url="]);
    let wrong = ["new", "p", "--set", "aws.role-arn=arn:aws:iam::<ID>:role/r", "--set", "aws.region=us-east-1"];
    refused(&home.run(&wrong, &[]), &["--set: aws.role-arn", "placeholder `<ID>`"]);
    refused(&home.run(&["new", "p", "--set", "aws.regoin=x"], &[]), &["`aws.regoin` is no key", "`aws.region`"]);
    refused(&home.run(&["new", "a/b", "--set", "aws.region=us-east-1"], &[]), &["no name for a profile"]);
    assert!(!home.folder().exists());
}

#[test]
fn list_says_which_profiles_hold_mistakes() {
    let home = Home::new();
    let empty = home.run(&["list"], &[]);
    assert!(stdout(&empty).contains("no profiles"));
    home.write("right", RIGHT);
    home.write("bad", "[aws]\nregion = 1\n");
    fs::write(home.folder().join("notes.txt"), "").unwrap();
    let output = home.run(&["list", "--output", "json"], &[]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let profiles = list["profiles"].as_array().unwrap();
    assert_eq!(list["schema"], "trustline.profiles/1");
    assert_eq!(profiles.iter().map(|p| p["name"].as_str().unwrap()).collect::<Vec<_>>(), ["bad", "right"]);
    assert!(profiles[0]["problems"][0].as_str().unwrap().contains("bad.toml:2"));
    assert_eq!(profiles[1]["guide"], "aws-workload-identity");
    let text = stdout(&home.run(&["list"], &[]));
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

#[test]
fn secrets_in_the_wrong_place_are_refused_and_never_printed() {
    let home = Home::new();
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl", "eyJzdWIiOiJ4In0".repeat(3));
    let key = "AKIAABCDEFGHIJKLMNOP";
    for secret in [token.as_str(), key, "-----BEGIN PRIVATE KEY-----"] {
        for (table, entry) in [
            ("token", format!("env = \"{secret}\"")),
            ("token", format!("file = \"{secret}\"")),
            ("token", format!("command = [\"print\", \"{secret}\"]")),
            ("deployment", format!("token-env = \"{secret}\"")),
            ("aws", format!("external-id = \"{secret}\"")),
            ("aws", format!("\"{secret}\" = 1")),
        ] {
            home.write("p", &format!("[{table}]\n{entry}\n"));
            for args in [&["show", "--profile", "p"][..], &["list"], &["list", "--output", "json"]] {
                let output = home.run(args, &[]);
                let said = stdout(&output) + &stderr(&output);
                assert!(!said.contains(secret), "{entry}: {said}");
                assert!(args[0] == "list" || output.status.code() == Some(2), "{entry}: {said}");
            }
        }
        let flag = format!("token.env={secret}");
        let bare = format!("--set={secret}");
        for args in [&["show", "--set", &flag][..], &["show", &bare], &["new", "q", "--set", &flag]] {
            let output = home.run(args, &[]);
            refused(&output, &["--set"]);
            assert!(!stderr(&output).contains(secret), "{}", stderr(&output));
        }
    }
    let shown = home.run(&["show", "--output", "json"], &[("CIRCLE_OIDC_TOKEN", &token), ("AWS_ROLE_ARN", ROLE)]);
    assert!(stdout(&shown).contains("CIRCLE_OIDC_TOKEN") && !stdout(&shown).contains(&token));
    let password = home.run(&["show", "--set", "issuer.url=https://me:hunter2@app.example.com"], &[]);
    refused(&password, &["user name or password"]);
    assert!(!stderr(&password).contains("hunter2"));
    let external = home.run(&["show", "--set", "aws.external-id=kept-to-ourselves"], &[]);
    assert!(!stdout(&external).contains("kept-to-ourselves") && stdout(&external).contains("not shown"));
}

#[test]
fn nothing_in_a_profile_steers_the_terminal() {
    let home = Home::new();
    home.write("p", "[aws]\nregion = \"\\u001b[2Jx\"\n\"\\u001b[31mkey\" = 1\n");
    let output = home.run(&["show", "--profile", "p"], &[]);
    refused(&output, &["control character (U+001B)"]);
    assert!(!output.stderr.contains(&0x1b), "{}", stderr(&output));
}

#[test]
fn large_and_broken_files_are_refused_at_once() {
    let home = Home::new();
    home.write("p", &"[aws]\n".repeat(200_000));
    refused(&home.run(&["show", "--profile", "p"], &[]), &["64 KiB"]);
    fs::write(home.folder().join("p.toml"), b"[aws]\nregion = \"\xff\"\n").unwrap();
    refused(&home.run(&["show", "--profile", "p"], &[]), &["p.toml:2", "not UTF-8"]);
    fs::remove_file(home.folder().join("p.toml")).unwrap();
    fs::create_dir(home.folder().join("p.toml")).unwrap();
    refused(&home.run(&["show", "--profile", "p"], &[]), &["cannot be read"]);
}

#[test]
fn values_are_imported_from_what_is_at_hand_and_secrets_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let import = |text: &str, arguments: &[&str]| {
        let mut command = crate::support::trustline();
        command.env("TRUSTLINE_CONFIG_DIR", folder.path()).args(["profile", "import", "p", "-"]).args(arguments);
        command.write_stdin(text).output().unwrap()
    };
    let role = "arn:aws:iam::123456789012:role/reader";
    let output = import(role, &[]);
    assert_eq!(output.status.code(), Some(2), "nothing says which guide");
    let output = import(role, &["--guide", "aws-workload-identity"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let file = folder.path().join("profiles/p.toml");
    let profile = std::fs::read_to_string(&file).unwrap();
    assert!(profile.starts_with("guide = \"aws-workload-identity\"") && profile.contains(role), "{profile}");

    let answer = r#"{"AccessKey": {"SecretAccessKey": "wJalrX-planted"}, "Role": {"Arn": "arn:aws:iam::123456789012:role/other"}}"#;
    let told = String::from_utf8(import(answer, &[]).stdout).unwrap();
    assert!(told.contains("Role.Arn") && told.contains(&format!("instead of {role}")), "{told}");
    assert!(told.contains("SecretAccessKey: is a secret") && !told.contains("planted"), "{told}");

    let before = std::fs::read_to_string(&file).unwrap();
    let output = import("hello", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    assert!(!before.contains("planted"));
}
