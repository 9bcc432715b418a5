//! `trustline rotate`: every verdict in the lab, every way of rotating, and no value anywhere.

mod azure_cli;
mod place;
mod verdict;

use std::io::Write as _;

use serde_json::Value;
use trustline::domain::fingerprint::Fingerprint;

use self::place::Place;
use super::pty::screen::Screen;
use super::support::{RunningLab, trustline};

/// The published vector, and its fingerprint.
const NEW: (&str, &str) = ("rotated value", "sha256:5d8269a65fdc");
/// What the lab holds at first.
const OLD: &str = "sha256:6abbcfd8acc8";

/// Runs `rotate` with a value on standard input, and reads its JSON.
fn rotate(arguments: &[&str], value: &str) -> (Value, i32) {
    let mut command = trustline();
    command.args(["rotate", "--output", "json"]).args(arguments).write_stdin(value);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(value.is_empty() || !(printed.clone() + &said).contains(value), "the value is shown: {printed}{said}");
    let report = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"));
    (report, output.status.code().unwrap())
}

fn in_lab(scenario: &str, more: &[&str], value: &str) -> (Value, i32) {
    rotate(&[&["--lab", scenario][..], more].concat(), value)
}

#[test]
fn the_document_is_as_the_interface_has_it() {
    for scenario in ["healthy", "azure", "gcp"] {
        let (report, code) = in_lab(scenario, &["--put", "--yes", "--kickoff"], NEW.0);
        assert_eq!((code, report["schema"].as_str()), (0, Some("trustline.rotation/1")), "{report:#}");
        assert_eq!((&report["secret"], &report["verdict"]), (&"crewai-test-keyword".into(), &"propagated".into()));
        assert_ne!(report["before"]["id"], report["after"]["id"]);
        assert_ne!(report["before"]["fingerprint"], report["after"]["fingerprint"]);
        assert_eq!(report["runtime_after"]["fingerprint"], report["after"]["fingerprint"]);
        assert_eq!(report["runtime_before"]["fingerprint"], report["before"]["fingerprint"]);
        assert_eq!(report["kickoffs"].as_array().unwrap().len(), 2);
        assert!(report["propagated_ms"].is_u64() && report["after"]["created"].as_str().unwrap().ends_with('Z'));
        assert!(report["reader"].is_string() && report["operator"].is_string(), "{report:#}");
    }
    let (report, _) = in_lab("healthy", &["--put", "--yes", "--kickoff"], NEW.0);
    assert_eq!(report["before"]["stages"], serde_json::json!(["AWSCURRENT"]));
    assert_eq!(report["store_after"]["versions"][1]["stages"], serde_json::json!(["AWSPREVIOUS"]));
}

/// Whoever reads a CI log must not be able to try guesses at a value, old or new.
#[test]
fn fingerprints_of_guessable_values_are_keyed_in_all_that_a_session_prints_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let (value, bare) = NEW;
    for form in ["text", "json", "markdown"] {
        let file = folder.path().join(form);
        let file = file.to_str().unwrap();
        let arguments = ["rotate", "--lab", "--put", "--yes", "--kickoff", "--record", file, "--output", form];
        let live = trustline().args(arguments).write_stdin(value).output().unwrap();
        let recorded = std::fs::read(file).unwrap();
        for written in [&live.stdout, &live.stderr, &recorded].map(|bytes| String::from_utf8_lossy(bytes)) {
            assert!(written.contains("hmac-sha256:"), "{form}: {written}");
            assert!(!written.contains(bare) && !written.contains(OLD), "{form}: {written}");
        }
        let replay = trustline().args(["replay", file, "--output", form]).output().unwrap();
        assert_eq!(String::from_utf8(live.stdout).unwrap(), String::from_utf8(replay.stdout).unwrap(), "{form}");
        assert_eq!(live.status.code(), replay.status.code());
    }
}

#[test]
fn a_recording_of_a_rotation_that_cannot_be_made_or_printed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let rotate = |value: &str| {
        let mut command = trustline();
        command.args(["rotate", "--lab", "--put", "--yes", "--record"]).arg(&file).write_stdin(value);
        command.output().unwrap()
    };
    assert_eq!(rotate(NEW.0).status.code(), Some(3), "nobody looked at the automation");
    let again = rotate(NEW.0);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("the file exists"));
    let junit = trustline().arg("replay").arg(&file).args(["--output", "junit"]).output().unwrap();
    assert_eq!(junit.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&junit.stderr).contains("text, json or markdown"));
}

#[test]
fn a_session_reads_as_a_check_does_with_keys_and_through_a_second_role() {
    for (scenario, reader) in [
        ("static", ":user/secrets-reader"),
        ("assume-role", ":assumed-role/crewai-secrets-reader/"),
        ("circleci", ":assumed-role/crewai-secrets-reader/"),
    ] {
        let script = format!("echo credential.fingerprint={}", NEW.1);
        let (report, code) = in_lab(scenario, &["--put", "--yes", "--runtime-command", "sh", "-c", &script], NEW.0);
        assert_eq!((report["verdict"].as_str(), code), (Some("propagated"), 0), "{scenario}: {report:#}");
        assert!(report["reader"].as_str().unwrap().contains(reader), "{scenario}: {report:#}");
    }
    for (scenario, cause) in [
        ("static-key-missing", "env-not-set"),
        ("static-key-deleted", "static-key-wrong"),
        ("assume-role-denied", "assume-role-denied"),
        ("external-id", "external-id"),
        ("circleci-hop-denied", "assume-role-denied"),
    ] {
        let (report, code) = in_lab(scenario, &["--put", "--yes"], NEW.0);
        assert_eq!((report["verdict"].as_str(), code), (Some("inconclusive"), 3), "{scenario}: {report:#}");
        assert_eq!(report["troubles"][0]["findings"][0]["cause"], cause, "{scenario}: {report:#}");
    }
}

#[test]
fn an_interrupted_session_knows_the_kickoff_that_still_runs() {
    let place = Place::world("[deployment]\ntakes-ms = 600000");
    let mut session = place.session(&["--already", "--kickoff"]);
    session.wait_for("kickoff ");
    let report = session.interrupted();
    assert_eq!(report["kickoffs"].as_array().map(Vec::len), Some(1), "{report:#}");
    assert!(session.said().contains(report["kickoffs"][0].as_str().unwrap()));
}

#[test]
fn the_stores_own_verdicts() {
    for (scenario, value) in
        [("healthy", "hello from aws"), ("azure", "hello from azure"), ("gcp", "hello from google")]
    {
        let (report, code) = in_lab(scenario, &["--put", "--yes"], value);
        assert_eq!((report["verdict"].as_str(), code), (Some("new-version-same-value"), 1), "{report:#}");
        let (report, code) = in_lab(scenario, &["--wait", "0"], "");
        assert_eq!((report["verdict"].as_str(), code), (Some("not-rotated"), 1), "{report:#}");
        // The store has it; nobody looked at the automation.
        let (report, code) = in_lab(scenario, &["--put", "--yes"], NEW.0);
        assert_eq!((report["reason"]["why"].as_str(), code), (Some("runtime-not-asked"), 3), "{report:#}");
    }
}

#[test]
fn a_version_left_pending_does_not_stand_in_the_way_of_a_value_and_is_told() {
    let (report, code) = in_lab("rotation-pending-stuck", &["--put", "--yes", "--kickoff"], NEW.0);
    assert_eq!((report["verdict"].as_str(), code), (Some("propagated"), 0), "{report:#}");
    assert!(report["warning"].as_str().unwrap().contains("3e4f5061-7283-4d94-8ea5-bfc6c0c7e133"), "{report:#}");
    let (report, _) = in_lab("healthy", &["--put", "--yes"], NEW.0);
    assert!(report["warning"].is_null(), "{report:#}");
    let (report, _) = in_lab("rotation-pending-stuck", &["--wait", "0"], "");
    assert!(report["warning"].is_null(), "the verdict says it: {report:#}");
}

#[test]
fn a_session_rolls_back_what_went_wrong() {
    for scenario in ["rotation-newline", "azure-rotation-newline", "gcp-rotation-newline"] {
        let (report, code) = in_lab(scenario, &["--put", "--yes", "--kickoff", "--rollback-on-failure"], NEW.0);
        assert_eq!((report["verdict"].as_str(), code), (Some("near-miss"), 1), "{report:#}");
        assert!(report["rolled_back"].is_string(), "{report:#}");
    }
    let (report, _) = in_lab("healthy", &["--put", "--yes", "--kickoff", "--rollback-on-failure"], NEW.0);
    assert!(report["rolled_back"].is_null(), "{report:#}");
}

#[test]
fn generated_values_go_to_several_secrets() {
    let secrets = "crewai-test-keyword,crewai-database#password";
    for scenario in ["healthy", "azure", "gcp"] {
        let (report, _) = in_lab(scenario, &["--secret", secrets, "--generate", "--yes", "--kickoff"], "");
        let rows = report["secrets"].as_array().unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["verdict"], "propagated", "{report:#}");
        assert_eq!(rows[1]["secret"], "crewai-database#password");
        assert_ne!(rows[0]["after"]["fingerprint"], rows[1]["after"]["fingerprint"]);
        assert_ne!(rows[1]["before"]["fingerprint"], rows[1]["after"]["fingerprint"]);
    }
    let refusal =
        trustline().args(["rotate", "--lab", "--secret", secrets, "--put", "--yes"]).write_stdin("x").output();
    assert_eq!(refusal.unwrap().status.code(), Some(2));
}

#[test]
fn the_runtime_is_read_of_in_texts_logs_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("worker.log");
    let line = format!("Workload identity config '7f3e' (aws): 1 secret(s) resolved\ncredential.fingerprint={}\n", OLD);
    std::fs::write(&log, &line).unwrap();
    let log = log.to_str().unwrap();
    let (report, _) = in_lab("healthy", &["--put", "--yes", "--runtime-before", log, "--runtime-after", log], NEW.0);
    assert_eq!(report["verdict"], "stale", "{report:#}");
    assert_eq!(report["findings"][0]["cause"], "read-at-import", "the worker resolved it: {report:#}");
    let (report, _) = in_lab("healthy", &["--put", "--yes", "--runtime-log", log], NEW.0);
    assert_eq!(report["reason"]["why"], "no-fingerprint", "what was there before says nothing of after: {report:#}");
    let script = format!("echo noise; echo credential.fingerprint={} >&2", NEW.1);
    let (report, code) = in_lab("healthy", &["--put", "--yes", "--runtime-command", "sh", "-c", &script], NEW.0);
    assert_eq!((report["verdict"].as_str(), code), (Some("propagated"), 0), "{report:#}");
}

#[test]
fn a_text_can_be_brought_after_the_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("printed");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.to_str().unwrap().to_owned();
    let place = Place::start("healthy");
    for (value, text, verdict) in [("another value", "none", "inconclusive"), (NEW.0, NEW.1, "propagated")] {
        let mut session = place.session(&["--wait", "60", "--poll", "0.2", "--runtime-text", &path]);
        session.wait_for("waiting for a new version");
        place.rotate(&["--put", "--yes"], value);
        // The pipe opens when the session reads it: that is not before the new version is there.
        std::fs::write(&pipe, format!("credential.fingerprint={text}\n")).unwrap();
        assert_eq!(session.ended()["verdict"], verdict);
        assert!(session.said().contains("looking at the running automation, after"), "{}", session.said());
    }
    let gone = folder.path().join("gone");
    let report = place.rotate(&["--already", "--runtime-text", gone.to_str().unwrap()], "");
    assert_eq!((&report["verdict"], &report["reason"]["why"]), (&"inconclusive".into(), &"runtime-not-asked".into()));
    let report = place.rotate(&["--already", "--runtime-text", "-"], &format!("credential.fingerprint={}", NEW.1));
    assert_eq!(report["verdict"], "propagated", "{report:#}");
}

#[test]
fn a_person_rotates_while_the_session_waits() {
    let place = Place::start("healthy");
    let mut waiting = place.session(&["--kickoff", "--wait", "60", "--poll", "1"]);
    waiting.wait_for("waiting for a new version");
    assert!(waiting.said().contains("read -rs NEW_VALUE") && waiting.said().contains("file:///dev/stdin"));
    assert!(place.rotate(&["--put", "--yes"], NEW.0)["after"]["id"].is_string());
    let report = waiting.ended();
    assert_eq!((&report["verdict"], &report["way"]), (&"propagated".into(), &"by-hand".into()), "{report:#}");
    assert!(report["propagated_ms"].is_u64());
    // The store alone shows what was done, also afterwards.
    assert_eq!(place.rotate(&["--already", "--kickoff"], "")["verdict"], "propagated");
}

#[test]
fn an_earlier_value_that_comes_back_is_told() {
    for (scenario, first) in
        [("healthy", "hello from aws"), ("azure", "hello from azure"), ("gcp", "hello from google")]
    {
        let place = Place::start(scenario);
        place.rotate(&["--put", "--yes"], NEW.0);
        let report = place.rotate(&["--put", "--yes", "--kickoff"], first);
        assert_eq!(report["verdict"], "rolled-back", "{report:#}");
    }
}

#[test]
fn a_command_rotates() {
    let place = Place::start("healthy");
    let program = place.file(
        "rotate.sh",
        "cat > /dev/null; exec \"$TRUSTLINE\" rotate --profile-file \"$1\" --ca-file \"$2\" --generate --yes",
    );
    let arguments = ["--kickoff", "--command", "sh", &program, &place.profile(), &place.ca_file()];
    let report = place.rotate(&arguments, "");
    assert_eq!((&report["verdict"], &report["way"]), (&"propagated".into(), &"command".into()), "{report:#}");
    let report = place.rotate(&["--wait", "0", "--command", "false"], "");
    assert_eq!(report["verdict"], "not-rotated");
    assert!(report["troubles"][0]["reason"].as_str().unwrap().contains("program false failed"), "{report:#}");
}

#[test]
fn watching_reports_each_rotation() {
    let place = Place::start("azure");
    let mut watching = place.session(&["--watch", "--kickoff", "--poll", "0.2"]);
    watching.wait_for("waiting for a new version");
    for (value, times) in [("first new value", 1), ("second new value", 2)] {
        place.rotate(&["--put", "--yes"], value);
        watching.wait_for_times("crewai-test-keyword: propagated", times);
    }
    let report = watching.interrupted();
    assert_eq!(report["verdicts"].as_array().map(Vec::len), Some(2), "{report:#}");
    assert_eq!(report["cut_short"], "interrupted");
}

#[test]
fn a_field_is_replaced_and_its_neighbours_stay() {
    let place = Place::start("healthy");
    let of = |key: &str| {
        let secret = format!("crewai-database#{key}");
        place.rotate(&["--secret", &secret, "--wait", "0"], "")["before"]["fingerprint"].clone()
    };
    let (name, password) = (of("username"), of("password"));
    // Nobody guesses it, so its fingerprint is the bare one.
    let value = "Zk4vQ9wT-r2LmXc8sP-b1Nq7yHd";
    place.rotate(&["--secret", "crewai-database#password", "--put", "--yes"], value);
    let bare = Fingerprint::of(value.as_bytes());
    assert_eq!((of("username"), of("password")), (name, bare.as_str().into()));
    assert_ne!(password, bare.as_str());
}

#[test]
fn nothing_is_written_without_consent_and_nothing_unclear() {
    let refused = |arguments: &[&str], value: &[u8]| {
        let mut command = trustline();
        let output = command.args(["rotate", "--lab"]).args(arguments).write_stdin(value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--put", "--yes"], b"v\n").contains("--line-break strip"));
    assert!(refused(&["--put", "--yes"], b"").contains("empty"));
    assert!(refused(&["--put", "--yes"], b"\xff").contains("UTF-8"));
    assert!(refused(&["--generate", "--characters", "8", "--yes"], b"").contains("16"));
    assert!(refused(&["--put", "--yes", "--runtime-after", "-"], b"x").contains("standard input"));
    assert!(refused(&["--put", "--yes", "--runtime-text", "-"], b"x").contains("standard input"));
    assert!(refused(&["--kickoff", "--yes", "--set", "deployment.url="], b"").contains("deployment"));
}

#[test]
fn a_person_at_a_terminal_names_the_secret_and_the_account() {
    let mut screen = Screen::trustline(&["rotate", "--lab", "--put", "--kickoff"], (140, 40));
    // Whose secret it is stands there before the value is asked for.
    screen.wait("To go on, type: crewai-test-keyword 123456789012");
    screen.send("crewai-test-keyword 123456789012\r");
    screen.wait("New value (it is not shown):");
    screen.send(&format!("{}\r", NEW.0));
    screen.wait("PROPAGATED");
    assert_eq!(screen.ended(), 0);
    assert!(!screen.raw().contains(NEW.0), "the value was shown");

    let mut screen = Screen::trustline(&["rotate", "--lab", "azure", "--generate"], (140, 40));
    screen.wait("To go on, type: crewai-test-keyword 127.0.0.1");
    screen.send("yes\r");
    screen.wait("nothing was written");
    assert_eq!(screen.ended(), 2);
}

#[test]
fn the_offer_to_roll_back_is_answered_at_the_terminal() {
    let mut value = tempfile::NamedTempFile::new().unwrap();
    value.write_all(NEW.0.as_bytes()).unwrap();
    let file = value.path().to_str().unwrap();
    for (answer, rolled_back) in [("yes", true), ("no", false)] {
        let arguments = ["rotate", "--lab", "rotation-newline", "--value-file", file, "--yes", "--kickoff"];
        let mut screen = Screen::trustline(&arguments, (160, 50));
        screen.wait("current again? Type yes");
        screen.send(&format!("{answer}\r"));
        screen.wait("NEAR-MISS");
        assert_eq!(screen.ended(), 1);
        assert_eq!(screen.raw().contains("is current again"), rolled_back, "{}", screen.text());
    }
}

/// The guide's last steps are shown by a rotation; one of a profile that was named is kept in it.
#[test]
fn a_named_profile_keeps_that_a_rotation_reached_the_automation() {
    let lab = RunningLab::start("healthy");
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    let text = std::fs::read_to_string(lab.file("profile.toml")).unwrap();
    let here = std::path::Path::new(&lab.file("profile.toml")).parent().unwrap().to_owned();
    let anchored = text.replace("= \"token", &format!("= \"{}/token", here.display()));
    let anchored = anchored.replace("= \"deployment-token", &format!("= \"{}/deployment-token", here.display()));
    let anchored = anchored.replace("= \"trust-policy", &format!("= \"{}/trust-policy", here.display()));
    std::fs::write(profiles.join("prod.toml"), anchored).unwrap();
    let run = |arguments: &[&str]| {
        trustline()
            .args(arguments)
            .args(["--profile", "prod"])
            .env("TRUSTLINE_CONFIG_DIR", folder.path())
            .env("TRUSTLINE_STATE_DIR", folder.path().join("state"))
            .env("AWS_SHARED_CREDENTIALS_FILE", lab.file("secrets-admin-credentials"))
            .output()
            .unwrap()
    };
    let ca = lab.file("ca.pem");
    let rotated =
        run(&["rotate", "--kickoff", "--generate", "--yes", "--ca-file", &ca, "--operator-profile", "secrets-admin"]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let kept = std::fs::read_to_string(profiles.join("prod.toml")).unwrap();
    assert!(kept.contains("[shown.aws-workload-identity]"), "{kept}");
    let guide: Value =
        serde_json::from_slice(&run(&["guide", "aws-workload-identity", "10", "--output", "json"]).stdout).unwrap();
    assert!(guide.to_string().contains("\"verified\""), "{guide:#}");
}

/// A lab's secrets end with it, and so does what is kept of their rotations.
#[test]
fn a_rotation_in_a_lab_leaves_nothing_in_the_users_folders() {
    let home = tempfile::tempdir().unwrap();
    let left = |what: &str| {
        let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{what} leaves {left:?}");
    };
    let inside = trustline()
        .args(["rotate", "--lab", "healthy", "--generate", "--yes", "--kickoff"])
        .env_remove("TRUSTLINE_STATE_DIR")
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(inside.status.success(), "{}", String::from_utf8_lossy(&inside.stderr));
    left("a lab inside the process");

    let lab = RunningLab::start("healthy");
    let [operator, profile, ca_file] = ["operator.env", "profile.toml", "ca.pem"].map(|name| lab.file(name));
    let program = assert_cmd::cargo::cargo_bin!("trustline").display();
    let rotate = format!("{program} rotate --profile-file {profile} --ca-file {ca_file} --generate --yes --kickoff");
    let beside = std::process::Command::new("/bin/sh")
        .args(["-c", &format!(". {operator}; {rotate}")])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(beside.status.success(), "{}", String::from_utf8_lossy(&beside.stderr));
    left("a lab beside it");
}
