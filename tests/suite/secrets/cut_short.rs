//! A check that does not come to its end: killed at any moment, cut off in the middle of an answer, or with a mistake of
//! the program's own in a probe. What it leaves behind holds no secret.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::CancellationToken;
use trustline::check::step::Step;
use trustline::domain::profile::{Guide, Profile};
use trustline::report::ansi::TextFormat;
use trustline::report::run::page;
use trustline::report::{json, junit, markdown};
use trustline::run::plan::{Limits, Selection};
use trustline::run::probes::{Probes, StepInput, StepOutput};
use trustline::run::record::{Recorder, SCHEMA};
use trustline::run::report::Report;
use trustline::run::runner::{self, RunRequest};

use super::planted::{ACCESS_TOKEN, Cloud, Manner, NEW_VALUE, SECRET_KEY, TALKATIVE, VALUE, found};

/// Where a check is killed: at so many lines of its recording, from none to the answer that never ends; and by what.
const POINTS: [(usize, Signal); 7] = [
    (0, Signal::SIGKILL),
    (2, Signal::SIGKILL),
    (7, Signal::SIGKILL),
    (usize::MAX, Signal::SIGKILL),
    (usize::MAX, Signal::SIGQUIT),
    (usize::MAX, Signal::SIGABRT),
    (usize::MAX, Signal::SIGSEGV),
];

/// A check under way that records.
fn begin(cloud: &Cloud, out: &Path) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
        .arg("check")
        .args(cloud.arguments())
        .args(["--record", "run.ndjson", "--output", "json"])
        .env_clear()
        .envs(TALKATIVE)
        .env("TMPDIR", out)
        .env("TRUSTLINE_STATE_DIR", out.join("state"))
        .current_dir(out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the recording has this many lines, or no more come because the answer with the value is held.
fn wait_for_lines(recording: &Path, lines: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let held = |text: &str| text.contains(".get-secret");
    loop {
        let text = fs::read_to_string(recording).unwrap_or_default();
        if text.lines().count() >= lines || (lines == usize::MAX && held(&text)) {
            return;
        }
        assert!(Instant::now() < deadline, "the recording stays at\n{text}");
        std::thread::yield_now();
    }
}

#[test]
fn killed_at_any_moment_it_leaves_no_secret_behind() {
    for cloud in [Cloud::aws(Manner::Stalls), Cloud::azure(Manner::Stalls)] {
        std::thread::scope(|scope| {
            for (lines, signal) in POINTS {
                let cloud = &cloud;
                scope.spawn(move || kill_at(cloud, lines, signal));
            }
        });
    }
}

fn kill_at(cloud: &Cloud, lines: usize, signal: Signal) {
    let folder = tempfile::tempdir().unwrap();
    let mut check = begin(cloud, folder.path());
    wait_for_lines(&folder.path().join("run.ndjson"), lines);
    kill(Pid::from_raw(check.id().cast_signed()), signal).unwrap();
    let mut left = Vec::new();
    check.stdout.take().unwrap().read_to_end(&mut left).unwrap();
    check.stderr.take().unwrap().read_to_end(&mut left).unwrap();
    assert!(!check.wait().unwrap().success());
    for path in super::files(folder.path()) {
        // No core file among them.
        assert!(path.ends_with("run.ndjson"), "{signal} at {lines}: {}", path.display());
        let text = fs::read_to_string(&path).unwrap();
        // Whole lines; the last one perhaps not.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{signal} at {lines}: {line}");
        }
        left.extend(text.into_bytes());
    }
    let leaks = found(&left, &cloud.secrets());
    assert!(leaks.is_empty(), "{signal} at {lines}: {}", leaks.join("\n"));
}

#[test]
fn cut_off_in_the_middle_of_an_answer_nothing_of_it_is_kept() {
    for manner in [Manner::CutOff, Manner::Garbled] {
        for cloud in [Cloud::aws(manner), Cloud::azure(manner)] {
            let folder = tempfile::tempdir().unwrap();
            let output = begin(&cloud, folder.path()).wait_with_output().unwrap();
            let mut left = [output.stdout, output.stderr].concat();
            assert_ne!(output.status.code(), Some(0), "{manner:?}: {}", String::from_utf8_lossy(&left));
            for path in super::files(folder.path()) {
                left.extend(fs::read(&path).unwrap());
            }
            assert!(String::from_utf8_lossy(&left).contains("trustline.recording/1"));
            let leaks = found(&left, &cloud.secrets());
            assert!(leaks.is_empty(), "{manner:?}: {}", leaks.join("\n"));
        }
    }
}

/// Probes that end in a panic which names what they hold.
struct Panicking;

impl Probes for Panicking {
    async fn perform(&self, step: Step, _: StepInput) -> StepOutput {
        panic!("{step:?} with {VALUE} {NEW_VALUE} {SECRET_KEY} {ACCESS_TOKEN}")
    }
}

#[test]
fn what_a_panic_in_a_probe_says_is_in_no_report_and_no_recording() {
    let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
    profile.issuer_url = Some("https://i.example".into());
    let request = RunRequest {
        profile,
        selection: Selection { only: vec![], skip: vec![] },
        limits: Limits { total: Duration::from_secs(30), wait: Duration::ZERO },
        now: 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut recording = Vec::new();
    let mut recorder = Recorder::begin(&mut recording, SCHEMA).unwrap();
    let report = runtime.block_on(async {
        let mut events = runner::start(request, Arc::new(Panicking), CancellationToken::new());
        let mut report = Report::default();
        while let Some(event) = events.recv().await {
            recorder.write(&event).unwrap();
            report.apply(&event);
        }
        report
    });
    let printed = [
        TextFormat::PLAIN.render(&page(&report, markdown::CONTEXT)),
        json::report(&report).to_string(),
        junit::report(&report),
        markdown::render(&page(&report, markdown::CONTEXT)),
        String::from_utf8(recording).unwrap(),
    ];
    assert!(report.end.is_some());
    let secrets = [VALUE, NEW_VALUE, SECRET_KEY, ACCESS_TOKEN].map(|secret| ("what a panic said", secret.to_owned()));
    let leaks = found(printed.concat().as_bytes(), &secrets);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
