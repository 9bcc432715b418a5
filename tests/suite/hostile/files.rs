//! What is no file, or has no end, keeps nobody waiting and fills no memory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{RunningLab, trustline};

/// Much longer than any of these takes, and much shorter than for ever.
const LONG: Duration = Duration::from_secs(60);

/// Runs in a folder of profiles; yields the status and what was said. One that waits is killed, and has no status.
fn run(home: &Path, arguments: &[&str], variable: Option<(&str, &str)>) -> (Option<i32>, String) {
    let mut command = trustline();
    command.env("TRUSTLINE_CONFIG_DIR", home).args(arguments).timeout(LONG).envs(variable);
    let output = command.write_stdin("").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn a_pipe_is_refused_wherever_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    let pipe = folder.path().join("profiles/x.toml");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let pipe = pipe.to_str().unwrap();
    for arguments in [
        &["check", "--profile-file", pipe][..],
        &["check", "--profile", "x"],
        &["check", "--all"],
        &["profile", "show", "--profile", "x"],
        &["lab", "--world", pipe],
        &["trust", "--policy", pipe, "--claims", "/dev/null"],
        &["token", "--jwks", pipe, "-"],
        &["token", pipe],
        &["explain", pipe],
        &["events", pipe],
        &["replay", pipe],
        &["issuer", "https://127.0.0.1:1", "--ca-file", pipe],
    ] {
        let (status, said) = run(folder.path(), arguments, None);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains("a pipe") || said.contains("regular file") || arguments[0] == "token",
            "{arguments:?}: {said}"
        );
    }
    let (status, said) = run(folder.path(), &["profile", "list"], None);
    assert!(status.is_some() && said.contains('x'), "{said}");
    let (status, said) = run(folder.path(), &["issuer", "https://127.0.0.1:1"], Some(("SSL_CERT_FILE", pipe)));
    assert!(status == Some(2) && said.contains("SSL_CERT_FILE"), "{said}");
}

#[test]
fn what_has_no_end_is_read_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let endless = folder.path().join("endless");
    std::os::unix::fs::symlink("/dev/zero", &endless).unwrap();
    for named in ["/dev/zero", endless.to_str().unwrap()] {
        for (arguments, variable) in [
            (&["lab", "--world", named][..], None),
            (&["issuer", "https://127.0.0.1:1", "--ca-file", named], None),
            (&["check", "--lab", "--ca-file", named], None),
            (&["token", "-", "--ca-file", named, "--issuer", "https://127.0.0.1:1"], None),
            (&["issuer", "https://127.0.0.1:1"], Some(("SSL_CERT_FILE", named))),
        ] {
            let (status, said) = run(folder.path(), arguments, variable);
            assert_eq!(status, Some(2), "{arguments:?}: {said}");
        }
    }
}

/// A file whose size is told as zero, and is not.
#[test]
fn a_world_is_measured_by_what_is_read_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.json");
    fs::write(&large, " ".repeat((1 << 20) + 1)).unwrap();
    let (status, said) = run(folder.path(), &["lab", "--world", large.to_str().unwrap()], None);
    assert!(status == Some(2) && said.contains("larger than 1 MiB"), "{said}");
}

#[test]
fn an_authority_named_beside_the_lab_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said) = run(folder.path(), &["check", "--lab", "--ca-file", "/nonexistent/ca.pem"], None);
    assert!(status == Some(2) && said.contains("/nonexistent/ca.pem"), "{said}");
    let lab = RunningLab::start("healthy");
    let (status, said) = run(folder.path(), &["check", "--lab", "--ca-file", &lab.file("ca.pem")], None);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_link_to_itself_is_no_missing_profile() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    let link = folder.path().join("profiles/loop.toml");
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let (status, said) = run(folder.path(), &["profile", "show", "--profile", "loop"], None);
    assert!(status == Some(2) && said.contains("cannot be read") && !said.contains("did you mean"), "{said}");
}
