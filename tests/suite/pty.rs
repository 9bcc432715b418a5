//! The console in a real terminal: its bytes parsed by an emulator, its modes and the line's settings asserted.

mod audit;
mod flat;
mod google;
mod issuers;
mod live;
mod operator;
mod rotation;
pub mod screen;
mod services;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use trustline::check::step::Step;
use trustline::domain::profile::{Guide, Profile};
use trustline::run::plan::{Limits, Selection};
use trustline::run::probes::{Probes, StepInput, StepOutput};
use trustline::run::runner::{self, RunRequest};
use trustline::tui::services::Started;

use self::screen::Screen;
use self::services::run_console;
use crate::support::RunningLab;

/// Header `{"alg":"RS256","kid":"k"}`, claims with an escape sequence, a right-to-left override and a zero-width space.
const HEAD: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ";
const CLAIMS: &str = "eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6ImFcdTAwMWJbMkpcdTIwMmVcdTIwMGJiIn0";
const SIGNATURE: &str = "cGxhbnRlZC1zaWduYXR1cmU";

#[test]
fn from_start_to_a_named_cause_and_what_to_take_away() {
    let mut screen = Screen::trustline(&["--clipboard", "osc52"], (80, 24));
    screen.wait("Try it in the lab");
    assert!(screen.alternate() && screen.bracketed_paste() && screen.mouse(), "taken over");
    // Two keys lead from the start to a scenario, and its cause shows by itself.
    screen.send("L");
    screen.wait("leads to sub-mismatch");
    screen.send("\r");
    screen.wait("proven by trust.policy");
    screen.wait("failed");

    screen.send("/no such check");
    screen.wait("nothing matches");
    screen.send("\x1b");
    screen.wait("proven by trust.policy");
    screen.send("4");
    screen.wait("Findings 1");
    screen.send("Y");
    screen.wait("the finding as text");
    screen.send("\r");
    screen.wait("sent to the terminal to copy");
    assert!(screen.raw().contains("\x1b]52;c;"));

    screen.resize((140, 45));
    screen.wait_for("the panes stand side by side", |text| {
        text.lines().any(|line| line.starts_with('┌') && line.contains('┬'))
    });
    screen.resize((30, 5));
    screen.wait("30x5 is too small");
    screen.resize((80, 24));
    screen.wait("Findings 1");

    screen.send("q");
    assert_eq!(screen.ended(), 1);
    screen.assert_given_back();
    assert!(screen.text().contains("FAIL"), "a summary stays: {}", screen.text());
    assert!(!screen.raw().contains("eyJ"), "no part of the lab's token was ever written");
}

#[test]
fn what_is_copied_and_shown_beside_a_lab_reaches_that_lab_from_another_shell() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch", "--clipboard", "osc52"], (200, 60));
    screen.wait("2 failed");
    screen.send("4");
    screen.wait("Findings 1");
    screen.send("Y");
    screen.wait("trustline's command for this check");
    screen.send("G\r");
    screen.wait("sent to the terminal to copy");
    let command = String::from_utf8(screen.copied().pop().unwrap()).unwrap();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_trustline")).parent().unwrap();
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", &command])
        .env_clear()
        .env("PATH", folder)
        .env("HOME", screen.folder())
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("sub-mismatch"), "{command}: {report}");
    screen.send("1");
    screen.wait_for("the guide's commands name the lab's files", |text| {
        text.contains("--profile-file") && text.contains("--ca-file")
    });
    for (place, text) in [("copied", command), ("on the screen", screen.text())] {
        assert!(!text.contains("--lab"), "{place}: {text}");
    }
    screen.send("q");
    assert_eq!(screen.ended(), 1);
}

#[test]
fn a_labs_own_log_says_whom_the_role_refused() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch", "--no-animation"], (140, 45));
    screen.wait("2 failed");
    screen.send("7");
    screen.wait("refused once");
    screen.wait("sub-mismatch, proven by events");
}

#[test]
fn a_fleet_is_opened_by_its_path_filtered_and_its_fix_copied() {
    let trust = |subject: &str, operator: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
            "Condition": {{"StringEquals": {{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
            "{operator}": {{"token.actions.githubusercontent.com:sub": "{subject}"}}}}}}]}}"#
        )
    };
    let role = |name: &str, trust: String| {
        format!(
            r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::111122223333:role/{name}", "AssumeRolePolicyDocument": {trust}}}"#
        )
    };
    let roles = [
        role("release", trust("repo:acme/*", "StringLike")),
        role("nightly", trust("repo:acme@1/crew@2:ref:refs/heads/main", "ForAllValues:StringLike")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.json");
    std::fs::write(&path, format!(r#"{{"RoleDetailList": [{}]}}"#, roles.join(", "))).unwrap();
    std::fs::write(folder.path().join("bad.json"), r#"{"RoleDetailList": [{"#).unwrap();
    let mut screen = Screen::trustline(&["--clipboard", "osc52"], (140, 45));
    screen.wait("Try it in the lab");
    screen.send("8");
    screen.wait("type the path of a file or a folder");
    screen.send(&format!("{}\r", path.display()));
    screen.wait("another repository of the same owner");
    screen.send("/nightly\r");
    screen.wait("1/1 of 2");
    screen.send("y");
    screen.wait("sent to the terminal to copy");
    let script = String::from_utf8(screen.copied().pop().unwrap()).unwrap();
    assert!(script.contains("ROLE_NAME=nightly") && script.contains("update-assume-role-policy"), "{script}");
    screen.send("\x1b");
    screen.wait("release");
    screen.send("8");
    screen.wait("type the path of a file or a folder");
    screen.send(&format!("{}\r", folder.path().join("bad.json").display()));
    screen.wait("The audit could not be made");
    screen.wait("the text ends here");
    screen.send("q");
    screen.ended();
    screen.assert_given_back();
}

#[test]
fn a_pasted_token_is_cleaned_shown_and_never_written_out() {
    let mut screen = Screen::trustline(&[], (100, 30));
    screen.wait("Try it in the lab");
    screen.send("3");
    screen.wait("There is no token yet");
    screen.send(&format!("\x1b[200~Bearer {HEAD}.\n{CLAIMS}.\r\n{SIGNATURE}\n\x1b[201~"));
    screen.wait("https://i.example");
    screen.wait("not checked");
    screen.wait("a\\u{1b}[2J\\u{202e}\\u{200b}b");
    screen.send("q");
    screen.ended();
    screen.assert_given_back();
    for planted in [HEAD, CLAIMS, SIGNATURE, "\u{202e}", "\u{200b}"] {
        assert!(!screen.raw().contains(planted), "{planted:?}");
    }
}

#[test]
fn suspended_it_gives_the_terminal_back_and_takes_it_again() {
    let mut screen = Screen::trustline(&[], (80, 24));
    screen.wait("Try it in the lab");
    screen.send("\x1a");
    screen.wait_stopped();
    screen.assert_modes_given_back();
    screen.signal(Signal::SIGCONT);
    screen.wait("Try it in the lab");
    assert!(screen.alternate() && screen.bracketed_paste() && screen.mouse());
    screen.send("j");
    screen.wait("the likeliest first");
    screen.send("q");
    assert_eq!(screen.ended(), 0);
    screen.assert_modes_given_back();
}

#[test]
fn signals_end_it_with_the_terminal_given_back_once() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut screen = Screen::trustline(&[], (80, 24));
        screen.wait("Try it in the lab");
        screen.signal(signal);
        assert_eq!(screen.ended(), 143, "{signal}");
        screen.assert_given_back();
    }
}

#[test]
fn a_run_is_recorded_and_the_recording_opens_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.ndjson");
    let file = file.to_str().unwrap();
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch", "--record", file], (100, 30));
    screen.wait("2 failed");
    screen.send("q");
    assert_eq!(screen.ended(), 1);

    let mut screen = Screen::trustline(&["replay", file], (100, 30));
    screen.wait("recording, read-only");
    screen.wait("proven by");
    screen.send("r");
    screen.wait("a recording is read-only");
    screen.send("3");
    screen.wait("key `lab-rs256`");
    screen.send("q");
    assert_eq!(screen.ended(), 1);
    screen.assert_given_back();
}

#[test]
fn the_mouse_is_left_to_the_terminal_by_a_flag_and_by_a_key() {
    let mut screen = Screen::trustline(&["--no-mouse"], (80, 24));
    screen.wait("Try it in the lab");
    assert!(!screen.mouse());
    screen.send("m");
    screen.wait("the console has the mouse");
    assert!(screen.mouse());
    screen.send("m");
    screen.wait("the terminal has the mouse");
    assert!(!screen.mouse());
    screen.send("q");
    screen.ended();
    screen.assert_given_back();
}

#[test]
fn privacy_holds_for_the_title_and_for_what_stays_on_the_screen() {
    let mut screen = Screen::trustline(&["--privacy", "--lab", "sub-mismatch"], (100, 30));
    screen.wait("2 failed");
    for key in ["1", "3", "4", "6", "Y", "q", "2", "w"] {
        screen.send(key);
    }
    screen.wait("Waterfall");
    screen.send("q");
    assert_eq!(screen.ended(), 1);
    screen.wait("FAIL");
    for hidden in ["127.0.0.1", "localhost", "arn:aws", "organization:"] {
        assert!(!screen.raw().contains(hidden), "{hidden} in\n{}", screen.text());
    }
}

#[test]
fn idle_it_writes_nothing() {
    let mut screen = Screen::trustline(&[], (80, 24));
    screen.wait("Try it in the lab");
    screen.wait(" scenarios");
    let before = screen.context_switches();
    assert_eq!(screen.bytes_within(Duration::from_secs(3)), 0);
    let woken = screen.context_switches() - before;
    assert!(woken <= 2, "woke {woken} times");
    screen.send("q");
    screen.ended();
}

#[test]
fn with_a_countdown_it_wakes_once_a_second_and_writes_what_changed() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch"], (80, 24));
    screen.wait("proven by");
    screen.wait(" left ");
    // The run's last drawing is over with the first second that is counted down.
    let begun = left(&screen.text());
    screen.wait_for("a second is counted down", |text| left(text) < begun);
    let (first, before, bytes) = (left(&screen.text()), screen.context_switches(), screen.raw().len());
    screen.wait_for("five more seconds are counted down", |text| left(text) + 5 <= first);
    let (seconds, bytes) = (first - left(&screen.text()), screen.raw().len() - bytes);
    let woken = screen.context_switches() - before;
    assert!(woken <= seconds + 2, "woke {woken} times in {seconds} s");
    assert!(bytes <= 100 * seconds as usize, "{bytes} bytes in {seconds} s");
    screen.send("q");
    screen.ended();
}

/// The seconds that a token has left, of what the first line shows: `token 41:07 left`.
fn left(text: &str) -> u64 {
    let shown = text.split_once("token ").unwrap().1.split_once(" left").unwrap().0;
    shown.split(':').fold(0, |seconds, part| 60 * seconds + part.parse::<u64>().unwrap())
}

#[test]
fn a_mistake_in_the_configuration_is_told_and_the_console_opens() {
    let mut screen = Screen::with_config("theme = \"pink\"\n", &[], (100, 30));
    screen.wait("console.toml:1: write one of");
    screen.send("q");
    screen.wait_for("the notice is gone", |text| !text.contains("Warning"));
    screen.send("q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let output = crate::support::trustline().args(["--lab", "sub-mismatch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("needs a terminal") && told.contains("trustline check --lab sub-mismatch"), "{told}");
}

#[test]
fn a_panic_in_any_task_gives_the_terminal_back_once() {
    let mut screen = Screen::this_test("pty::part_console_that_panics", (80, 24));
    assert_ne!(screen.ended(), 0);
    screen.assert_given_back();
    assert!(screen.raw().contains("a forced mistake"), "the message is readable: {}", screen.text());
}

#[test]
fn a_panic_in_a_probe_leaves_a_check_undecided_and_the_console_goes_on() {
    let mut screen = Screen::this_test("pty::part_console_whose_probe_panics", (100, 30));
    screen.wait("inconclusive");
    screen.wait("could not be checked");
    assert!(screen.alternate() && screen.mouse(), "still taken over: {}", screen.text());
    screen.send("6");
    screen.wait("inconclusive, ");
    screen.send("q");
    assert_eq!(screen.ended(), 0, "{}", screen.text());
    screen.assert_given_back();
    assert!(!screen.raw().contains("planted in a panic"), "what a panic says is never written");
}

/// Probes that end in a panic whose message must stay where it is.
struct PanickingProbes;

impl Probes for PanickingProbes {
    async fn perform(&self, step: Step, _: StepInput) -> StepOutput {
        panic!("planted in a panic: {step:?}")
    }
}

/// Run by the test above in a terminal of its own.
#[test]
#[ignore = "a part of a_panic_in_a_probe_leaves_a_check_undecided_and_the_console_goes_on"]
fn part_console_whose_probe_panics() {
    run_console(|cancel| {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.issuer_url = Some("https://i.example".into());
        let request = RunRequest {
            profile: profile.clone(),
            selection: Selection { only: vec![], skip: vec![] },
            limits: Limits { total: Duration::from_secs(30), wait: Duration::ZERO },
            now: 0,
        };
        let events = runner::start(request, Arc::new(PanickingProbes), cancel);
        Box::pin(async move { Ok(Started { profile, settings: vec![], events, keep: Box::new(()) }) })
    })
    .unwrap();
}

/// Run by the test above in a terminal of its own.
#[test]
#[ignore = "a part of a_panic_in_any_task_gives_the_terminal_back_once"]
fn part_console_that_panics() {
    run_console(|_| Box::pin(async { panic!("a forced mistake") })).unwrap();
}

const CHECK: &str = "check --lab sub-mismatch --only trust.policy,aws.get-secret";

#[test]
fn a_report_fits_the_terminal_with_no_word_broken_and_stays_one_line_a_fact_in_a_pipe() {
    let program = env!("CARGO_BIN_EXE_trustline");
    let screen = Screen::script(&format!("{program} {CHECK}; echo ended"), (72, 60));
    screen.wait("ended");
    let shown = screen.text();
    for word in ["aws.assume-role-with-web-identity", "organization:6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1`"] {
        assert!(shown.lines().any(|line| line.contains(word)), "{word}: {shown}");
    }
    let because: Vec<&str> = shown.lines().skip_while(|line| !line.contains("because")).take(2).collect();
    assert!(because[1].starts_with("              ") && !because[1].trim().is_empty(), "{shown}");
    let piped = Screen::script(&format!("{program} {CHECK} | awk 'length > 72' | wc -l; echo ended"), (72, 60));
    piped.wait("ended");
    let long: usize = piped.text().lines().next().unwrap_or_default().trim().parse().unwrap();
    assert!(long > 2, "{}", piped.text());
}

#[test]
fn an_error_text_that_is_pasted_is_explained() {
    let mut screen = Screen::trustline(&[], (80, 24));
    screen.wait("Explain an error text");
    let error = "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: \
                 No OpenIDConnect provider found in your account for https://app.example.com";
    screen.send(&format!("\x1b[200~{error}\x1b[201~"));
    screen.wait("What causes this error");
    screen.wait("InvalidIdentityToken");
    screen.send("G");
    screen.wait_for("its end shows what would decide, or its last cause", |text| text.contains("docs"));
    screen.send("q");
    screen.wait("Where to begin");
    screen.send("q");
    screen.ended();
}

#[test]
fn an_issuer_is_looked_at_and_each_cloud_says_whether_it_takes_its_tokens() {
    let lab = RunningLab::start("healthy");
    let url = lab.ready["issuer"].as_str().unwrap().to_owned();
    let mut screen = Screen::trustline(&["--ca-file", &lab.file("ca.pem")], (100, 30));
    screen.wait("Where to begin");
    screen.send("I");
    screen.wait("Look at an issuer");
    screen.send(&format!("{url}\r"));
    screen.wait("The issuer, and what each cloud says of it");
    screen.wait("discovery document");
    screen.send("G");
    for cloud in ["AWS", "Entra", "Google"] {
        screen.wait(cloud);
    }
    screen.send("q");
    screen.wait("Where to begin");
    screen.send("q");
    screen.ended();
}
