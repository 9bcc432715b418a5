//! Standard input is read twice, so it is kept aside: in a file that nobody else can open, and that is gone with the program,
//! however that ends; and what was read is the last that lines say.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{GITHUB, audit, by_subject, folder_with, role};

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// An audit of standard input that keeps things aside in `folder`.
fn reading(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trustline"))
        .args(["audit", "--output", "ndjson"])
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The permissions of the file in `folder` that the process has open, once it has one.
fn spilled(process: u32, folder: &Path) -> u32 {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        for path in descriptors.flatten().map(|entry| entry.path()) {
            if fs::read_link(&path).is_ok_and(|target| target.starts_with(folder)) {
                return fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            }
        }
        std::thread::yield_now();
    }
    panic!("nothing was kept aside in {}", folder.display());
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_is_kept_aside_has_no_name_and_no_other_reader_and_is_gone_on_an_interrupt() {
    let folder = tempfile::tempdir().unwrap();
    let folder_path = folder.path().canonicalize().unwrap();
    let mut child = reading(&folder_path);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"RoleDetailList\": [").unwrap();
    assert_eq!(spilled(child.id(), &folder_path), 0o600);
    assert_eq!(names_in(&folder_path), Vec::<String>::new());
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    assert!(status.signal() == Some(Signal::SIGINT as i32) || status.code() == Some(130), "{status}");
    assert_eq!(names_in(&folder_path), Vec::<String>::new());
}

#[test]
fn what_is_kept_aside_is_read_whole_and_gone_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let wide = role("wide", json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]));
    let mut child = reading(folder.path());
    child.stdin.take().unwrap().write_all(json!({"RoleDetailList": [wide]}).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
}

#[test]
fn what_was_read_is_the_last_line_and_every_other_is_a_finding() {
    let wide =
        |name: &str| json!({"RoleDetailList": [role(name, json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]))]});
    let folder = folder_with(&[("a.json", wide("a").to_string()), ("b.json", wide("b").to_string())]);
    let output = audit(folder.path(), &["a.json", "b.json", "--output", "ndjson"]);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [findings @ .., last] = lines.as_slice() else { panic!("nothing was printed") };
    assert_eq!((&last["read"]["files"], &last["read"]["trusts"]), (&json!(2), &json!(2)));
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding["id"].is_string() && finding.get("read").is_none()), "{lines:#?}");
}
