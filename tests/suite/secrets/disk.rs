//! What the program writes is its owner's alone, whatever the umask, and goes through no symbolic link.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::planted::Lab;

const NEW_PROFILE: &str = "profile new made --set guide=aws-workload-identity --set aws.region=us-east-1 --set \
                           aws.role-arn=arn:aws:iam::123456789012:role/r --set issuer.url=https://i.example --set \
                           token.env=T --set secret.name=s";

/// Runs the program in `folder`, which is also its configuration's, with a umask that takes nothing away.
fn run(folder: &Path, arguments: &str) -> std::process::Output {
    let program = assert_cmd::cargo::cargo_bin!("trustline");
    Command::new("sh")
        .args(["-c", &format!("umask 000; exec {} {arguments}", program.display())])
        .env_clear()
        .env("TRUSTLINE_CONFIG_DIR", folder.join("config"))
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Every file and folder below, with its rights.
fn rights(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push((path.clone(), fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777));
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

#[test]
fn the_labs_folder_is_its_owners_alone() {
    let lab = Lab::on_azure();
    let files = rights(&lab.folder);
    assert!(files.len() >= 4, "{files:?}");
    assert!(files.iter().all(|(_, mode)| *mode == 0o600), "{files:?}");
    assert_eq!(fs::metadata(&lab.folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn symbolic_links_are_not_written_through() {
    for (arguments, link) in
        [(NEW_PROFILE, "config/profiles/made.toml"), ("check --lab --record run.ndjson", "run.ndjson")]
    {
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
