//! What is kept on the disk is listed, and goes when a person says so; nothing else does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::support::trustline;

/// What the command prints, what it says, and its status.
fn data(home: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = trustline();
    command.env("TRUSTLINE_CONFIG_DIR", home.join("config")).env("TRUSTLINE_STATE_DIR", home.join("state"));
    let output = command.arg("data").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn what_is_kept_is_listed_and_removed_file_by_file() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir_all(path("config/profiles")).unwrap();
    fs::create_dir_all(path("state")).unwrap();
    let kept =
        ["config/profiles/a.toml", "config/console.toml", "state/a-1.fingerprint-key", "state/a-1.rotation.json"];
    for name in kept.iter().chain(&["state/notes.txt"]) {
        fs::write(path(name), "guide = \"aws-static\"\n").unwrap();
    }
    symlink(path("state/notes.txt"), path("config/profiles/link.toml")).unwrap();

    let (printed, said, status) = data(home.path(), &["list", "--output", "json"]);
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&printed).unwrap();
    let listed: Vec<&str> =
        document["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(listed, kept.map(|name| path(name).display().to_string()), "neither foreign files nor links");

    // One that is none of them stops all of it.
    let (key, foreign) = (path("state/a-1.fingerprint-key"), path("state/notes.txt"));
    let (_, said, status) = data(home.path(), &["remove", key.to_str().unwrap(), foreign.to_str().unwrap()]);
    assert_eq!(status, Some(2));
    assert!(said.contains("notes.txt") && key.exists() && foreign.exists(), "{said}");

    let (_, said, status) = data(home.path(), &["remove", key.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{said}");
    assert!(!key.exists() && path("state/a-1.rotation.json").exists());
}

#[test]
fn nothing_kept_is_said() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(data(home.path(), &["list"]), ("nothing is kept\n".to_owned(), String::new(), Some(0)));
}
