//! `profile new`: a private file that reads back, nothing replaced, and what is refused.

use std::fs;
use std::path::Path;

use super::{Home, ROLE, refused, stderr, value_and_origin};

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
    refused(&home.run(&azure, &[]), &["--set azure.tenant-id="]);
    let wrong = ["new", "p", "--set", "aws.role-arn=arn:aws:iam::<ID>:role/r", "--set", "aws.region=us-east-1"];
    refused(&home.run(&wrong, &[]), &["--set: aws.role-arn", "placeholder `<ID>`"]);
    refused(&home.run(&["new", "p", "--set", "aws.regoin=x"], &[]), &["`aws.regoin` is no key", "`aws.region`"]);
    refused(&home.run(&["new", "a/b", "--set", "aws.region=us-east-1"], &[]), &["no name for a profile"]);
    assert!(!home.folder().exists());
}

#[test]
fn new_leaves_to_the_guide_what_its_steps_make() {
    let home = Home::new();
    for (name, set) in
        [("aws", "aws.region=us-east-1"), ("azure", "azure.tenant-id=11111111-2222-4333-8444-555555555555")]
    {
        let guide = format!("{name}-workload-identity");
        let output = home.run(&["new", name, "--guide", &guide, "--set", set], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = home.show(&["--profile", name], &[]);
        assert_eq!(shown["guide"], guide.as_str());
    }
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
