//! Recordings: what was seen once can be read again, and nothing secret is in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::support::trustline;

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(trustline().args(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn a_recording_prints_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    for form in ["text", "json", "markdown", "junit"] {
        let file = folder.path().join(format!("{form}.ndjson"));
        let file = file.to_str().unwrap();
        let live = printed(&["check", "--lab", "sub-case-mismatch", "--record", file, "--output", form]);
        assert_eq!(live, printed(&["replay", file, "--output", form]), "{form}");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// A value that can be guessed has one fingerprint in all that a run writes, and it is not the bare one.
#[test]
fn a_guessable_value_has_the_same_keyed_fingerprint_in_the_check_and_in_its_replay() {
    let folder = tempfile::tempdir().unwrap();
    for form in ["text", "json", "markdown"] {
        let file = folder.path().join(format!("{form}.ndjson"));
        let file = file.to_str().unwrap();
        let live = printed(&["check", "--lab", "healthy", "--record", file, "--output", form]);
        assert!(!live.contains("\"sha256:") && !live.contains(" sha256:"), "{form}: {live}");
        assert_eq!(live, printed(&["replay", file, "--output", form]), "{form}");
        assert!(!fs::read_to_string(file).unwrap().contains("\"sha256:"));
    }
    let json = printed(&["check", "--lab", "healthy", "--output", "json"]);
    assert!(json.contains("hmac-sha256:") && json.contains("keyed_because"), "{json}");
}

#[test]
fn a_replay_ends_as_the_run_did() {
    let folder = tempfile::tempdir().unwrap();
    for (scenario, status) in [("healthy", 0), ("sub-mismatch", 1)] {
        let file = folder.path().join(scenario);
        let file = file.to_str().unwrap();
        let run = trustline().args(["check", "--lab", scenario, "--record", file]).output().unwrap();
        assert_eq!(run.status.code(), Some(status), "{scenario}");
        for form in ["text", "json", "markdown", "junit"] {
            let replay = trustline().args(["replay", file, "--output", form]).output().unwrap();
            assert_eq!(replay.status.code(), Some(status), "{scenario} {form}");
        }
    }
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept");
    fs::write(&file, "mine").unwrap();
    let output = trustline().args(["check", "--lab", "--record"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn a_recording_cut_off_is_read_to_its_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whole");
    trustline().args(["check", "--lab", "--record"]).arg(&file).assert().success();
    let whole = fs::read_to_string(&file).unwrap();
    for cut in [whole.len() - 10, whole.len() / 2] {
        fs::write(&file, &whole[..cut]).unwrap();
        let output = trustline().arg("replay").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&output.stdout).contains("UNFINISHED"));
    }
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad");
    let header = r#"{"schema":"trustline.recording/1","version":"0"}"#;
    for (content, told) in [
        (String::new(), "line 1"),
        (format!("{header}\n{{}}\n"), "line 2"),
        (r#"{"schema":"trustline.recording/9","version":"0"}"#.to_owned() + "\n", "recording/9"),
    ] {
        fs::write(&file, content).unwrap();
        let output = trustline().arg("replay").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{told}");
    }
}
