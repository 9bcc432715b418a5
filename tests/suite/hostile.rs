//! What others wrote can be anything: no reader panics or never ends, no control byte reaches a terminal, and a file from
//! elsewhere neither runs a program nor sends a key anywhere unasked.

mod enormous;
mod files;
mod from_elsewhere;
mod fuzz;
mod targets;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use self::enormous::enormous;
use self::targets::Target;
use super::pty::screen::Screen;
use super::servers::{Reply, plain};
use super::support::trustline;

/// Characters that a terminal would obey; a line's end is its own.
fn steers(shown: &str) -> Option<char> {
    shown.chars().find(|c| *c != '\n' && trustline::domain::text::is_unsafe(*c))
}

fn fault(target: &Target, input: &[u8]) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| (target.read)(input))) {
        Err(_) => Some("panics".to_owned()),
        Ok(shown) => steers(&shown).map(|c| format!("shows {c:?}")),
    }
}

/// `cargo bench --bench hostile` shows the times at 1 MiB; here it is enough that every reader ends.
#[test]
fn every_reader_ends_on_what_is_enormous() {
    let wrong: Vec<String> = targets::all()
        .flat_map(|target| {
            let faults = enormous(target, 64 * 1024).into_iter();
            faults.filter_map(|(what, input)| Some(format!("{}, {what}: {}", target.name, fault(target, &input)?)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Confirmations stand in the profile's file.
#[test]
fn hostile_confirmations_are_refused_or_shown_harmlessly() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p.toml");
    for confirmed in [
        "credential = \"\\u001b]0;x\\u0007\\u202e\"".to_owned(),
        format!("credential = \"{}\"", "9".repeat(50_000)),
        format!("credential = {}", "[".repeat(50_000)),
        "\"\\u001b[2J\" = \"2026-01-01T00:00:00Z\"".to_owned(),
        "credential = 1".to_owned(),
    ] {
        let head = "guide = \"aws-workload-identity\"\n\n[confirmed.aws-workload-identity]\n";
        fs::write(&profile, format!("{head}{confirmed}\n")).unwrap();
        let output = trustline().args(["guide", "--profile-file"]).arg(&profile).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert_eq!(steers(&shown), None, "{}", shown.escape_debug());
        assert!(matches!(output.status.code(), Some(0 | 2)), "{:?}", output.status);
    }
}

/// A profile that would run a program, and send the environment's token to another host.
fn hostile_profile(folder: &Path, port: u16) -> std::path::PathBuf {
    let path = folder.join("from-elsewhere.toml");
    let ran = folder.join("ran");
    fs::write(
        &path,
        format!(
            "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"http://127.0.0.1:{port}\"\n\
             [token]\ncommand = [\"touch\", {ran:?}]\n\
             [aws]\nrole-arn = \"arn:aws:iam::123456789012:role/r\"\nregion = \"us-east-1\"\n\
             endpoint-url = \"https://collector.invalid\"\n[secret]\nname = \"s\"\n"
        ),
    )
    .unwrap();
    path
}

#[test]
fn a_profile_opened_by_its_path_runs_and_sends_nothing_unasked() {
    let server = plain(|_| HashMap::from([("/.well-known/openid-configuration", Reply::Hangup)]));
    let folder = tempfile::tempdir().unwrap();
    let profile = hostile_profile(folder.path(), server.port);
    let profile = profile.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = trustline().args(arguments).args(["--profile-file", profile]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for command in [&["check"][..], &["check", "--allow-host", "collector.invalid"], &["guide", "--check"]] {
        let (code, told) = run(command);
        assert_eq!(code, Some(2), "{command:?}: {told}");
        assert!(told.contains("--allow-command") && told.contains("touch"), "{told}");
    }
    let (code, told) = run(&["check", "--allow-command"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("--allow-host collector.invalid") && told.contains("aws.endpoint-url"), "{told}");
    // Reading it is harmless, and needs no leave.
    for command in [&["profile", "show"][..], &["guide"], &["render", "trust-policy", "--output", "json"]] {
        let (code, told) = run(command);
        assert_eq!(code, Some(0), "{command:?}: {told}");
    }
    assert!(server.requests.lock().unwrap().is_empty() && !folder.path().join("ran").exists());
    let only = ["check", "--allow-command", "--allow-host", "Collector.invalid", "--only", "token.present"];
    let (code, _) = run(&only);
    assert_eq!(code, Some(1), "it runs, and the program prints no token");
    assert!(folder.path().join("ran").exists());
}

#[test]
fn on_a_terminal_it_is_asked() {
    let server = plain(|_| HashMap::from([("/.well-known/openid-configuration", Reply::Hangup)]));
    let folder = tempfile::tempdir().unwrap();
    let profile = hostile_profile(folder.path(), server.port);
    for (arguments, answer) in [(&["check"][..], "no\r"), (&[], "\r"), (&["check"], "\u{4}")] {
        let arguments = [arguments, &["--profile-file", profile.to_str().unwrap()]].concat();
        let mut screen = Screen::trustline(&arguments, (100, 30));
        screen.wait("collector.invalid (aws.endpoint-url)");
        screen.wait("Type yes to let it");
        screen.send(answer);
        assert_eq!(screen.ended(), 2, "{arguments:?}");
        assert!(!folder.path().join("ran").exists());
    }
    let arguments = ["check", "--only", "token.present", "--profile-file", profile.to_str().unwrap()];
    let mut screen = Screen::trustline(&arguments, (100, 30));
    screen.wait("Type yes to let it");
    screen.send("yes\r");
    assert_eq!(screen.ended(), 1);
    assert!(folder.path().join("ran").exists());
}

#[test]
fn ones_own_profile_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    let own = folder.path().join("profiles/own.toml");
    fs::rename(hostile_profile(folder.path(), 1), own).unwrap();
    let mut command = trustline();
    command.env("TRUSTLINE_CONFIG_DIR", folder.path()).args(["check", "--profile", "own", "--only", "token.present"]);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    assert!(folder.path().join("ran").exists());
}

/// A recording is data: what it says was run or asked is neither run nor asked again.
#[test]
fn a_replay_runs_and_asks_nothing() {
    let server = plain(|_| HashMap::new());
    let folder = tempfile::tempdir().unwrap();
    let profile = hostile_profile(folder.path(), server.port);
    let recording = folder.path().join("run.ndjson");
    trustline()
        .args(["check", "--allow-command", "--allow-host", "collector.invalid", "--timeout", "5", "--profile-file"])
        .arg(profile)
        .arg("--record")
        .arg(&recording)
        .output()
        .unwrap();
    fs::remove_file(folder.path().join("ran")).unwrap();
    let asked = server.requests.lock().unwrap().len();
    for form in ["text", "json", "junit", "markdown"] {
        let output = trustline().arg("replay").arg(&recording).args(["--output", form]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "as the recorded run ended");
    }
    let mut screen = Screen::trustline(&["replay", recording.to_str().unwrap()], (100, 30));
    screen.wait("recording, read-only");
    screen.send("q");
    screen.ended();
    assert_eq!(server.requests.lock().unwrap().len(), asked);
    assert!(!folder.path().join("ran").exists());
}
