//! Rotations in the console, in a real terminal, on the lab's stores and its deployment: every verdict, on both clouds.

use std::collections::BTreeSet;

use trustline::domain::rotation::Verdict;

use super::screen::Screen;
use crate::support::{RunningLab, trustline};

/// A value that no store of the lab holds, and that nothing may show.
const VALUE: &str = "q7V-xkT2_mZ9pLw4RbN8cYd3";

const SIZE: (u16, u16) = (120, 40);

/// A console whose lab runs this scenario, on the rotation screen, ready to rotate.
fn ready(scenario: &str) -> Screen {
    on_rotation(Screen::trustline(&["--lab", scenario, "--no-animation"], SIZE))
}

fn on_rotation(mut screen: Screen) -> Screen {
    screen.wait_for("the run has ended", |text| {
        ["all passed", "failed", "inconclusive"]
            .iter()
            .any(|word| text.lines().next().unwrap_or_default().contains(word))
    });
    screen.send("5");
    screen.wait("Rotate a secret, then prove");
    screen
}

/// Types what has to be typed to agree, which the screen names.
fn agree(screen: &mut Screen) {
    screen.wait("To agree, type ");
    let text = screen.text();
    let asked = text.lines().find_map(|line| line.split_once("To agree, type ")).map(|(_, asked)| asked).unwrap();
    let asked = asked.trim_end_matches(['│', ' ']).to_owned();
    screen.send(&format!("{asked}\r"));
}

/// Ends the console.
fn leave(mut screen: Screen) -> Screen {
    screen.send("\x03");
    screen.send("q");
    screen.ended();
    screen.assert_given_back();
    screen
}

/// Who rotates in a row of the table.
#[derive(Clone, Copy)]
enum By {
    /// trustline, a value that it makes up.
    Chance,
    /// trustline, this value.
    Value(&'static str),
    /// Nobody: a person is waited for, and gives up.
    Nobody,
}

/// Rotates, with one kickoff before and one after, to a verdict; what the screen shows then.
fn verdict_of(scenario: &str, by: By) -> String {
    let mut screen = ready(scenario);
    screen.send("R");
    screen.wait("who writes the new value?");
    screen.send(match by {
        By::Nobody => "\r",
        By::Value(_) => "j\r",
        By::Chance => "jj\r",
    });
    screen.wait("how is the running automation seen?");
    screen.send("\r");
    match by {
        By::Nobody => {
            screen.wait("waiting for you to rotate");
            screen.send("f");
        }
        By::Value(value) => {
            screen.wait("The new value of");
            screen.send(&format!("{value}\r"));
            agree(&mut screen);
        }
        By::Chance => agree(&mut screen),
    }
    let is_verdict = |text: &str| {
        let words = Verdict::ALL.iter().map(|verdict| format!("{} · ", verdict.id().replace('-', " ")));
        words.into_iter().any(|word| text.contains(&word))
    };
    screen.wait_for("a verdict", is_verdict);
    let text = screen.text();
    leave(screen);
    text
}

#[test]
fn every_verdict_is_reached_in_the_lab_on_every_cloud() {
    use By::{Chance, Nobody, Value};
    let rows = [
        ("healthy", Chance, Verdict::Propagated),
        ("rotation-read-at-import", Chance, Verdict::Stale),
        ("rotation-other-region", Chance, Verdict::Foreign),
        ("rotation-newline", Chance, Verdict::NearMiss),
        ("rotation-variable-unset", Chance, Verdict::Inconclusive),
        ("healthy", Nobody, Verdict::NotRotated),
        ("rotation-pending-stuck", Nobody, Verdict::PendingStuck),
        ("healthy", Value("hello from aws"), Verdict::NewVersionSameValue),
        ("rotation-pinned", Value("hello from before"), Verdict::RolledBack),
        ("azure", Chance, Verdict::Propagated),
        ("azure-rotation-static-baked", Chance, Verdict::Stale),
        ("azure-rotation-other-vault", Chance, Verdict::Foreign),
        ("azure-rotation-whole-json", Chance, Verdict::NearMiss),
        ("azure", Nobody, Verdict::NotRotated),
        ("azure", Value("hello from azure"), Verdict::NewVersionSameValue),
        ("gcp", Chance, Verdict::Propagated),
        ("gcp-rotation-read-at-import", Chance, Verdict::Stale),
        ("gcp-rotation-pinned", Chance, Verdict::Foreign),
        ("gcp-rotation-whole-json", Chance, Verdict::NearMiss),
        ("gcp-rotation-variable-unset", Chance, Verdict::Inconclusive),
        ("gcp", Nobody, Verdict::NotRotated),
        ("gcp", Value("hello from google"), Verdict::NewVersionSameValue),
        ("gcp-rotation-pinned", Value("hello from before"), Verdict::RolledBack),
    ];
    let mut reached = BTreeSet::new();
    for (scenario, by, verdict) in rows {
        let text = verdict_of(scenario, by);
        let words = format!("{} · ", verdict.id().replace('-', " "));
        assert!(text.contains(&words), "{scenario}: {words}: {text}");
        reached.insert(verdict.id());
    }
    assert_eq!(reached.len(), Verdict::ALL.len());
}

#[test]
fn a_value_that_is_typed_arrives_and_shows_nowhere() {
    let mut screen = ready("healthy");
    screen.send("R");
    screen.wait("who writes the new value?");
    screen.send("j\r");
    screen.wait("how is the running automation seen?");
    screen.send("\r");
    screen.wait("The new value of");
    screen.send(&VALUE[..9]);
    screen.send(&format!("\x1b[200~{}\r\n\x1b[201~", &VALUE[9..]));
    screen.wait("the line break at its end was left out");
    screen.send("\r");
    agree(&mut screen);
    screen.wait("propagated · ");
    screen.wait(trustline::domain::fingerprint::Fingerprint::of(VALUE.as_bytes()).as_str());
    let screen = leave(screen);
    let raw = screen.raw();
    for part in [VALUE, &VALUE[..6], &VALUE[9..15]] {
        assert!(!raw.contains(part), "{part}");
    }
}

#[test]
fn a_rotation_that_went_wrong_is_rolled_back() {
    let mut screen = ready("rotation-read-at-import");
    screen.send("R");
    screen.wait("who writes the new value?");
    screen.send("jj\r");
    screen.wait("how is the running automation seen?");
    screen.send("\r");
    agree(&mut screen);
    screen.wait("roll back, or keep it as it is");
    screen.send("b");
    screen.wait("current again?");
    screen.send("y");
    screen.wait("rolled back: version");
    let screen = leave(screen);
    assert!(screen.text().contains("rotation of crewai-test-keyword: stale"), "a summary stays: {}", screen.text());
}

/// Begins a session; `way` picks who writes. One kickoff before and one after.
fn begin(screen: &mut Screen, way: &str) {
    screen.send("R");
    screen.wait("who writes the new value?");
    screen.send(way);
    screen.wait("how is the running automation seen?");
    screen.send("\r");
}

#[test]
fn a_killed_session_goes_on_and_its_evidence_holds() {
    let lab = RunningLab::start("healthy");
    let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let arguments = ["--profile-file", &profile, "--ca-file", &ca, "--no-animation"];
    let mut screen = on_rotation(Screen::trustline(&arguments, SIZE));
    begin(&mut screen, "\r");
    screen.wait("waiting for you to rotate");

    // What writes must not begin over what may have been written.
    let mut screen = on_rotation(screen.killed_and_again(&arguments, SIZE));
    sign_in(&screen, &lab);
    begin(&mut screen, "jj\r");
    agree(&mut screen);
    screen.wait("was interrupted, and the new");
    screen.wait("begin with `I do,");
    screen.wait("The rotation could not begin");
    screen.wait("esc close");
    screen.send("\x1b");
    screen.wait_for("the error is gone", |text| !text.contains("The rotation could not begin"));

    begin(&mut screen, "\r");
    screen.wait("goes on with the rotation that began");
    screen.wait("waiting for you to rotate");
    let mut rotate = trustline();
    rotate.args(["rotate", "--put", "--yes", "--operator-profile", "secrets-admin", "--wait", "0"]);
    rotate.args(["--profile-file", &profile, "--ca-file", &ca]).write_stdin(VALUE);
    rotate.env("AWS_SHARED_CREDENTIALS_FILE", lab.file("secrets-admin-credentials"));
    let output = rotate.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    screen.send("s");
    screen.wait("propagated · ");
    screen.wait("runtime ●");

    screen.send("e");
    screen.wait("trustline-evidence-");
    let written = std::fs::read_dir(screen.folder()).unwrap().map(|entry| entry.unwrap().path());
    let evidence = written.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let evidence: Vec<_> = evidence.collect();
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    let verified = trustline().args(["rotate", "verify-evidence"]).arg(&evidence[0]).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success() && said.contains("1 record"), "{said}");
    assert!(!std::fs::read_to_string(&evidence[0]).unwrap().contains(VALUE));
    leave(screen);
}

#[test]
fn the_chain_ends_in_what_a_rotation_proved() {
    for (scenario, link) in [("healthy", "runtime ●"), ("rotation-read-at-import", "runtime ✗")] {
        let text = verdict_of(scenario, By::Chance);
        let chain = text.lines().nth(1).unwrap_or_default();
        assert!(chain.contains(link), "{scenario}: {chain}");
    }
}

/// Whoever writes from this console is the lab's operator.
fn sign_in(screen: &Screen, lab: &RunningLab) {
    let credentials = std::fs::read_to_string(lab.file("secrets-admin-credentials")).unwrap();
    std::fs::create_dir(screen.folder().join(".aws")).unwrap();
    let credentials = credentials.replace("[secrets-admin]", "[default]");
    std::fs::write(screen.folder().join(".aws/credentials"), credentials).unwrap();
}

#[test]
fn a_program_of_the_users_rotates() {
    let lab = RunningLab::start("healthy");
    let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let arguments = ["--profile-file", &profile, "--ca-file", &ca, "--no-animation"];
    let mut screen = on_rotation(Screen::trustline(&arguments, SIZE));
    sign_in(&screen, &lab);
    let program = assert_cmd::cargo::cargo_bin!("trustline").display();
    let script = format!(
        "printf %s {VALUE} | {program} rotate --put --yes --wait 0 --profile-file {profile} --ca-file {ca}\n\
         echo noise >&2\nexit 0\n"
    );
    std::fs::write(screen.folder().join("rotate.sh"), script).unwrap();
    begin(&mut screen, "jjj\r");
    screen.wait("No shell");
    screen.send("/bin/sh rotate.sh\r");
    screen.wait("[/bin/sh] [rotate.sh]");
    screen.send("\r");
    screen.wait("propagated · ");
    screen.wait(trustline::domain::fingerprint::Fingerprint::of(VALUE.as_bytes()).as_str());
    let screen = leave(screen);
    assert!(!screen.raw().contains("noise") && !screen.raw().contains(VALUE));
}
