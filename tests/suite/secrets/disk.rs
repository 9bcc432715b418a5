//! What the program writes is its owner's alone, whatever the umask, and goes through no symbolic link.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::super::pty::screen::Screen;
use crate::support::RunningLab;

const NEW_PROFILE: &str = "profile new made --set guide=aws-workload-identity --set aws.region=us-east-1 --set \
                           aws.role-arn=arn:aws:iam::123456789012:role/r --set issuer.url=https://i.example --set \
                           token.env=T --set secret.name=s";

/// The program in `folder`, which is also its configuration's, with a umask that takes nothing away.
fn command(folder: &Path, arguments: &str) -> Command {
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("umask 000; exec {} {arguments}", program.display())])
        .env_clear()
        .env("TRUSTLINE_CONFIG_DIR", folder.join("config"))
        .env("TRUSTLINE_STATE_DIR", folder.join("state"))
        .current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &str) -> std::process::Output {
    command(folder, arguments).output().unwrap()
}

/// Every file and folder below, with its rights.
fn rights(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A draft may have taken its name meanwhile.
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        found.push((path.clone(), meta.permissions().mode() & 0o777));
        if path.is_dir() {
            found.extend(rights(&path));
        }
    }
    found
}

#[test]
fn everything_written_is_its_owners_alone() {
    for (arguments, written) in [
        (NEW_PROFILE, "config/profiles/made.toml"),
        ("check --lab --record run.ndjson", "run.ndjson"),
        ("guide aws-workload-identity 7 --confirm --profile-file p.toml", "p.toml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("p.toml");
        fs::write(&profile, "guide = \"aws-workload-identity\"\n").unwrap();
        fs::set_permissions(&profile, fs::Permissions::from_mode(0o600)).unwrap();
        let output = run(folder.path(), arguments);
        assert!(folder.path().join(written).exists(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        for (path, mode) in rights(folder.path()) {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "{arguments}: {} is {mode:o}", path.display());
        }
    }
}

/// Every file of a folder is its owner's alone, and these are among them.
fn assert_rights(folder: &Path, endings: &[&str]) {
    let written = rights(folder);
    for ending in endings {
        assert!(written.iter().any(|(path, _)| path.to_str().unwrap().ends_with(ending)), "{ending}: {written:?}");
    }
    for (path, mode) in written {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{} is {mode:o}", path.display());
    }
}

fn wait_for_file(folder: &Path, ending: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_there = || rights(folder).iter().any(|(path, _)| path.to_str().unwrap().ends_with(ending));
    while !is_there() {
        assert!(Instant::now() < deadline, "{ending} never came: {:?}", rights(folder));
        std::thread::yield_now();
    }
}

#[test]
fn what_a_rotation_leaves_is_its_owners_alone() {
    let lab = RunningLab::with_planted_value();
    let rotate = format!(
        "rotate --profile-file {} --ca-file {} --evidence evidence.json",
        lab.file("profile.toml"),
        lab.file("ca.pem")
    );
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &format!("{rotate} --wait 0"));
    assert_rights(folder.path(), &["evidence.json", "evidence.md", ".fingerprint-key", "state"]);
    // Killed while it waits for the new version, it leaves its session.
    let folder = tempfile::tempdir().unwrap();
    // Nothing of it outlives the test, whatever becomes of that.
    let rotate = format!("{rotate} --wait 30");
    let mut waiting = command(folder.path(), &rotate).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_file(folder.path(), ".rotation.json");
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert_rights(folder.path(), &[".rotation.json", ".lock", ".fingerprint-key"]);
}

#[test]
fn what_the_console_writes_is_its_owners_alone() {
    let program = assert_cmd::cargo::cargo_bin!("trustline").display();
    let script = format!("umask 000; {program} {NEW_PROFILE} && exec {program} --profile made --clipboard off");
    let mut screen = Screen::script(&script, (120, 40));
    screen.wait("1 Guide");
    let folder = screen.folder().to_owned();
    screen.send("1");
    screen.send("e");
    screen.wait("next field");
    screen.send("not a value yet");
    wait_for_file(&folder, ".drafts.json");
    screen.send("\x1b");
    screen.wait("next step");
    for (choice, ending) in [("\r", "identity.md"), ("j\r", "identity.json")] {
        screen.send("x");
        screen.wait("Export the report");
        screen.send(choice);
        screen.wait_for("the list is gone", |text| !text.contains("Export the report"));
        wait_for_file(&folder, ending);
    }
    assert_rights(&folder, &["profiles/made.toml", "profiles/made.drafts.json", "identity.md", "identity.json"]);
    screen.send("\x03q");
    screen.ended();
}

#[test]
fn the_labs_folder_is_its_owners_alone() {
    let lab = RunningLab::on_azure();
    let files = rights(&lab.folder);
    assert!(files.len() >= 4, "{files:?}");
    assert!(files.iter().all(|(_, mode)| *mode == 0o600), "{files:?}");
    assert_eq!(fs::metadata(&lab.folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn symbolic_links_are_not_written_through() {
    const ROTATE: &str = "rotate --lab --wait 0 --evidence evidence.json";
    for (arguments, link) in [
        (NEW_PROFILE, "config/profiles/made.toml"),
        ("check --lab --record run.ndjson", "run.ndjson"),
        (ROTATE, "evidence.json"),
        (ROTATE, "evidence.md"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let link = folder.path().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&target, &link).unwrap();
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(!target.exists() && link.is_symlink(), "{arguments}");
    }
}

#[test]
fn a_linked_profile_is_not_written_through() {
    const PROFILE: &str = "guide = \"aws-workload-identity\"\n";
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target.toml");
    fs::write(&target, PROFILE).unwrap();
    symlink(&target, folder.path().join("p.toml")).unwrap();
    let output = run(folder.path(), "guide aws-workload-identity 7 --confirm --profile-file p.toml");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(target).unwrap(), PROFILE);
}
