//! Standard streams that are full, closed or gone, and folders that cannot be written to.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.c2lnbmF0dXJl";

fn trustline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("trustline"));
    command.args(arguments).env_clear().current_dir(folder);
    command.env("TRUSTLINE_CONFIG_DIR", folder.join("config")).env("TRUSTLINE_STATE_DIR", folder.join("state"));
    command
}

fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever does not read it has ended before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Every command that prints, with what it reads.
fn printing(folder: &Path) -> Vec<(Vec<String>, &'static str)> {
    let recording = folder.join("run.ndjson");
    let recording = recording.to_str().unwrap();
    let made = trustline(folder, &["check", "--lab", "healthy", "--record", recording]).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::write(folder.join("claims.json"), r#"{"iss":"https://i.example","sub":"s","aud":"a"}"#).unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/i.example"}}]}"#;
    std::fs::write(folder.join("policy.json"), policy).unwrap();
    let credential = r#"{"issuer":"https://i.example","subject":"s","audiences":["a"],"name":"n"}"#;
    std::fs::write(folder.join("credential.json"), credential).unwrap();
    let replay = format!("replay {recording} --output text");
    let lines = [
        ("check --lab healthy", ""),
        ("check --lab healthy --output json", ""),
        ("check --lab healthy --output junit", ""),
        ("check --lab healthy --output markdown", ""),
        ("token", TOKEN),
        ("issuer https://127.0.0.1:1", ""),
        ("trust --policy policy.json --claims claims.json", ""),
        ("trust --credential credential.json --claims claims.json", ""),
        ("explain", "AccessDenied"),
        ("rotate --lab healthy --put --yes --kickoff", "rotated value"),
        ("guide", ""),
        ("guide aws-workload-identity", ""),
        ("render --list", ""),
        ("profile path", ""),
        ("profile list", ""),
        ("lab --list", ""),
        ("lab", ""),
        (&replay, ""),
        ("completions bash", ""),
        ("man", ""),
        ("--help", ""),
        ("--version", ""),
    ];
    lines.iter().map(|(line, input)| (line.split(' ').map(str::to_owned).collect(), *input)).collect()
}

#[test]
fn every_command_says_that_standard_output_is_full() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, input) in printing(folder.path()) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = trustline(folder.path(), &arguments);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let output = run(command, input);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains("standard output cannot be written to"), "{arguments:?}: {told}");
        assert!(!told.contains("internal error") && !told.contains("panicked"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    for (line, status) in [("lab --list", 0), ("man", 0), ("--help", 0), ("check --lab sub-mismatch", 1)] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = trustline(folder.path(), &arguments);
        command.stdout(writer);
        let output = run(command, "");
        assert_eq!(output.status.code(), Some(status), "{line}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{line}");
    }
}

#[test]
fn a_limit_of_file_sizes_is_told_like_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    for line in [
        "ulimit -f 1; exec \"$0\" check --lab healthy --record run.ndjson",
        "ulimit -f 1; exec \"$0\" lab --list > list.txt",
        "ulimit -f 1; exec \"$0\" man --folder pages",
    ] {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).arg(program).current_dir(folder.path());
        let output = shell.env_clear().output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {told}");
        assert!(told.starts_with("trustline: ") && told.contains("File too large"), "{line}: {told}");
    }
}

#[test]
fn without_standard_streams_it_works_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    for (line, status) in [
        ("exec \"$0\" check --lab sub-mismatch <&- >&- 2>&-", 1),
        ("exec \"$0\" lab --list <&- 2>&- >/dev/null", 0),
        ("exec \"$0\" token <&- 2>/dev/null", 2),
        ("exec \"$0\" < /dev/null 2>/dev/null", 2),
    ] {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).arg(program).env_clear().env("TRUSTLINE_CONFIG_DIR", folder.path());
        assert_eq!(shell.output().unwrap().status.code(), Some(status), "{line}");
    }
}

#[test]
fn a_machine_where_nothing_is_set_up_has_the_lab_and_a_sentence_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("file/in/no/folder");
    std::fs::write(folder.path().join("file"), "").unwrap();
    for home in [None, Some("/dev/null"), nowhere.to_str()] {
        let run = |line: &str| {
            let arguments: Vec<&str> = line.split(' ').collect();
            let mut command = Command::new(assert_cmd::cargo::cargo_bin!("trustline"));
            command.args(arguments).env_clear().current_dir(folder.path());
            if let Some(home) = home {
                command.env("HOME", home);
            }
            let output = command.stdin(Stdio::null()).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let (status, told) = run("check --lab healthy");
        assert_eq!((status, told.as_str()), (Some(0), ""), "{home:?}");
        assert_eq!(run("profile list").0, Some(0), "{home:?}");
        let (status, told) = run("check");
        assert_eq!(status, Some(2), "{home:?}: {told}");
        assert!(told.contains("--lab"), "{home:?}: {told}");
        // Without HOME, the system's own list of users says where it is.
        if home.is_some() {
            let (status, told) =
                run("profile new p --set guide=aws-static --set aws.region=us-east-1 --set secret.name=s");
            assert_eq!(status, Some(2), "{home:?}: {told}");
            assert!(told.starts_with("trustline: ") && told.contains("p.toml") || told.contains("profiles"), "{told}");
        }
    }
}
