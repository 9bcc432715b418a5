//! After a check the process's memory holds no copy of what the cloud gave out: read from outside, of the real program.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trustline::domain::rotation::Verdict;

use super::super::pty::screen::Screen;
use super::planted::{ACCESS_TOKEN, CLIENT_SECRET, Cloud, Manner, NEW_VALUE, SECRET_KEY, SESSION_TOKEN, VALUE, found};

/// What a pipe takes before its writer waits (pipe(7)).
const PIPE: usize = 65536;
/// What is left of it for a report, which is longer: a page, since a pipe is made of these.
const ROOM: usize = 4096;

/// The program after its work, held in the middle of writing its report: nobody reads it.
struct Held {
    process: Child,
    _unread: std::io::PipeReader,
}

impl Held {
    fn after_check(cloud: &Cloud) -> Held {
        let (unread, mut report) = std::io::pipe().unwrap();
        report.write_all(&vec![b' '; PIPE - ROOM]).unwrap();
        let process = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .arg("check")
            .args(cloud.arguments())
            .args(["--output", "json"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(report)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while rustix::io::ioctl_fionread(&unread).unwrap() < PIPE as u64 {
            assert!(Instant::now() < deadline, "the report never came");
            std::thread::yield_now();
        }
        Held { process, _unread: unread }
    }

    /// Once it has told the verdict on a value that it was given and wrote. That report fills no page of a pipe.
    fn after_rotation(cloud: &Cloud, state: &Path) -> Held {
        let (unread, mut report) = std::io::pipe().unwrap();
        report.write_all(&vec![b' '; PIPE]).unwrap();
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .arg("rotate")
            .args(cloud.arguments())
            .args(cloud.operator())
            .args(["--put", "--yes", "--wait", "0", "--output", "json"])
            .env_clear()
            .envs(cloud.environment())
            .env("TRUSTLINE_STATE_DIR", state)
            .stdin(Stdio::piped())
            .stdout(report)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(NEW_VALUE.as_bytes()).unwrap();
        let stderr = process.stderr.take().unwrap();
        let held = Held { process, _unread: unread };
        let mut told = String::new();
        for line in BufReader::new(stderr).lines() {
            told.push_str(&(line.unwrap() + "\n"));
            if Verdict::ALL.iter().any(|verdict| told.contains(&format!("crewai-test-keyword: {}", verdict.id()))) {
                return held;
            }
        }
        panic!("there is no verdict: {told}")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls `look` with every piece of a process's readable memory.
///
/// # Errors
/// The system does not let this user read it.
fn read_memory(pid: u32, mut look: impl FnMut(&str, &[u8])) -> std::io::Result<()> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
        // What cannot be written never held a secret.
        if !rights.starts_with("rw") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from))?;
        // A guard page inside ends the piece.
        if memory.read_exact(&mut bytes).is_ok() {
            look(line, &bytes);
        }
    }
    Ok(())
}

/// Which of the secrets a process holds, and where. The program lets nobody but root read its memory.
fn held(pid: u32, secrets: &[(&'static str, String)]) -> Vec<String> {
    let mut hits = Vec::new();
    let read = read_memory(pid, |place, bytes| {
        hits.extend(found(bytes, secrets).into_iter().map(|hit| format!("{hit} in {place}")));
    });
    read.unwrap_or_else(|error| panic!("its memory cannot be read: {error}"));
    hits
}

/// As [`held`], once what is wiped shortly has been: the last connection's task wipes what it read when it is next run.
fn soon_held(pid: u32, secrets: &[(&'static str, String)]) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let hits = held(pid, secrets);
        if hits.is_empty() || Instant::now() > deadline {
            return hits;
        }
        std::thread::yield_now();
    }
}

fn given_out() -> Vec<(&'static str, String)> {
    [
        ("the secret's value", VALUE),
        ("the secret access key", SECRET_KEY),
        ("the session token", SESSION_TOKEN),
        ("the access token", ACCESS_TOKEN),
        ("the client secret", CLIENT_SECRET),
    ]
    .map(|(name, secret)| (name, secret.to_owned()))
    .to_vec()
}

#[test]
#[ignore = "needs root, who may read the memory of any process"]
fn after_a_check_no_copy_is_left() {
    for cloud in [Cloud::aws(Manner::Well), Cloud::azure(Manner::Well)] {
        let process = Held::after_check(&cloud);
        let hits = held(process.process.id(), &given_out());
        assert!(hits.is_empty(), "{}", hits.join("\n"));
        // The same search finds what is there: the profile's path in the arguments, the value in the lab.
        let path = vec![("the profile", cloud.lab.file("profile.toml"))];
        assert!(!held(process.process.id(), &path).is_empty(), "the search finds nothing at all");
        let value = vec![("the secret's value", VALUE.to_owned())];
        assert!(!held(cloud.lab.pid(), &value).is_empty(), "the search does not find a secret that is held");
    }
}

#[test]
#[ignore = "needs root, who may read the memory of any process"]
fn after_a_rotation_no_copy_is_left() {
    for cloud in [Cloud::aws(Manner::Well), Cloud::azure(Manner::Well)] {
        let state = tempfile::tempdir().unwrap();
        let process = Held::after_rotation(&cloud, state.path());
        let mut secrets = given_out();
        secrets.push(("the secret's new value", NEW_VALUE.to_owned()));
        secrets.extend(cloud.secrets().into_iter().filter(|(name, _)| name.ends_with("of who rotates")));
        let hits = soon_held(process.process.id(), &secrets);
        assert!(hits.is_empty(), "{}", hits.join("\n"));
    }
}

#[test]
#[ignore = "needs root, who may read the memory of any process"]
fn a_console_that_stays_open_keeps_no_copy() {
    for cloud in [Cloud::aws(Manner::Well), Cloud::azure(Manner::Well)] {
        let arguments = cloud.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut screen = Screen::trustline(&arguments, (140, 45));
        screen.wait_for("the run has ended", |text| text.contains("passed"));
        let pid = screen.pid().as_raw().cast_unsigned();
        let hits = soon_held(pid, &given_out());
        assert!(hits.is_empty(), "{}", hits.join("\n"));
        screen.send("q");
        assert_eq!(screen.ended(), 0);
    }
}

#[test]
#[ignore = "needs root, who may read the memory of any process"]
fn a_pasted_token_that_was_dropped_leaves_no_copy() {
    let encoded = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let signature = "cGxhbnRlZC1zaWduYXR1cmU".repeat(20);
    let claims = encoded(r#"{"iss":"https://planted.example","sub":"planted"}"#);
    let token = format!("{}.{claims}.{signature}", encoded(r#"{"alg":"RS256","kid":"k"}"#));
    let parts = vec![("the claims", claims), ("the signature", signature)];
    let mut screen = Screen::trustline(&[], (140, 45));
    let pid = screen.pid().as_raw().cast_unsigned();
    screen.wait("Try it in the lab");
    screen.send("3");
    screen.wait("There is no token yet");
    screen.send(&format!("\x1b[200~{token}\x1b[201~"));
    screen.wait("https://planted.example");
    assert!(!held(pid, &parts).is_empty(), "the search does not find a token that is shown");
    screen.send("\x7f");
    screen.wait("There is no token yet");
    let hits = soon_held(pid, &parts);
    assert!(hits.is_empty(), "{}", hits.join("\n"));
    // Into a line that is given up, pasted and typed.
    let pasted = format!("\x1b[200~{token}\x1b[201~");
    // What was typed goes before the line does.
    for (sent, shown, leave) in [(pasted, "that looks like", "\x1b"), (token, "nothing matches", "\x1b\x1b")] {
        screen.send(":");
        screen.wait("copy");
        screen.send(&sent);
        screen.wait(shown);
        screen.send(leave);
        screen.wait("There is no token yet");
        let hits = soon_held(pid, &parts);
        assert!(hits.is_empty(), "{}", hits.join("\n"));
    }
    screen.send("q");
    screen.ended();
}

#[test]
fn core_files_are_off() {
    let cloud = Cloud::aws(Manner::Well);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", cloud.lab.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_ascii_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
}
