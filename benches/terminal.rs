//! The console in a real terminal: how soon its first frame stands, how quiet it is while nothing happens, how soon it
//! answers a key while a run is busy. `cargo bench --bench terminal` prints a table; nothing is asserted. Linux only:
//! wake-ups and CPU time are read from `/proc`.

use std::collections::HashMap;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc;
use trustline::check::CheckId;
use trustline::domain::profile::{Guide, Profile};
use trustline::run::event::{EventKind, PlannedCheck, RunEvent};
use trustline::tui::services::Started;

#[path = "../tests/suite/pty/services.rs"]
mod services;

/// Runs counted for each figure of time, after one that is not.
const RUNS: usize = 15;
/// Key presses counted.
const KEYS: usize = 60;
/// How long quiet is listened to.
const QUIET: Duration = Duration::from_secs(5);
/// How long CPU time is counted.
const LONG: Duration = Duration::from_secs(20);
/// How long anything may take before the bench gives up.
const DEADLINE: Duration = Duration::from_secs(60);
/// Events a second of the busy run.
const EVENTS_A_SECOND: u32 = 500;

/// The argument with which this program runs itself as a console whose run is busy.
const BUSY: &str = "--busy-console";

type Any<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let done = if std::env::args().any(|argument| argument == BUSY) { busy_console() } else { report() };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("terminal: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Any<()> {
    let trustline = Path::new(env!("CARGO_BIN_EXE_trustline"));
    let folder = tempfile::tempdir()?;
    let profile = profile_with_token(folder.path())?;
    let profile = profile.to_str().ok_or("a path is not UTF-8")?;

    let mut frames: [Vec<Duration>; 3] = Default::default();
    for run in 0..=RUNS {
        let first = first_frame(trustline, &[])?;
        let with_lab = first_frame(trustline, &["--lab"])?;
        let held = Screen::open(trustline, &["--profile-file", profile], "3")?;
        held.until(|seen| seen.text().contains("organization:7f3e81c4"))?;
        let token = held.last_bytes()?;
        if run > 0 {
            frames[0].push(first);
            frames[1].push(token);
            frames[2].push(with_lab);
        }
    }
    row("exec to the first full frame", &median(&mut frames[0]));
    row("the same with a lab in the process", &median(&mut frames[2]));
    row("exec to the frame with the decoded token", &median(&mut frames[1]));

    let mut screen = Screen::open(trustline, &[], "")?;
    screen.until(|seen| seen.text().contains("q quit"))?;
    quiet("idle at the start, no countdown", &screen)?;
    screen.send("L")?;
    screen.until(|seen| seen.text().contains("leads to"))?;
    screen.send("\r")?;
    screen.until(|seen| seen.text().contains("proven by") && seen.text().contains("left"))?;
    // Until the threads that the run used have ended: the runtime keeps them for ten seconds.
    screen.bytes_within(Duration::from_secs(12));
    quiet("idle after a run in the lab, with a countdown", &screen)?;

    let mut busy = Screen::open(&std::env::current_exe()?, &[BUSY], "")?;
    busy.until(|seen| seen.text().contains("running"))?;
    let mut answers = Vec::new();
    for key in 0..KEYS {
        let (key, shown) = if key % 2 == 0 { ("3", "There is no token yet") } else { ("6", "started") };
        let asked = Instant::now();
        busy.send(key)?;
        busy.until(|seen| seen.text().contains(shown))?;
        answers.push(busy.last_bytes_at()?.saturating_duration_since(asked));
        std::thread::sleep(Duration::from_millis(37));
    }
    row(&format!("key to screen while {EVENTS_A_SECOND} events a second arrive"), &median(&mut answers));
    Ok(())
}

fn first_frame(trustline: &Path, arguments: &[&str]) -> Any<Duration> {
    let screen = Screen::open(trustline, arguments, "")?;
    screen.until(|seen| seen.first_frame.is_some())?;
    screen.first_frame()
}

fn row(what: &str, times: &[Duration; 2]) {
    println!("{what:<60} {:>7.2} ms (slowest {:.2} ms)", milliseconds(times[0]), milliseconds(times[1]));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The middle and the longest.
fn median(times: &mut [Duration]) -> [Duration; 2] {
    times.sort_unstable();
    [times[times.len() / 2], times[times.len() - 1]]
}

/// What a console does while nobody does anything.
fn quiet(what: &str, screen: &Screen) -> Any<()> {
    let before = screen.use_of_process()?;
    let bytes = screen.bytes_within(QUIET);
    let after = screen.use_of_process()?;
    let began = Instant::now();
    screen.bytes_within(LONG);
    let (_, cpu) = screen.use_of_process()?.since(&after);
    let share = cpu as f64 / began.elapsed().as_nanos() as f64 * 100.0;
    println!(
        "{what:<60} {bytes} bytes and {} wake-ups in {} s, {:.3} ms of CPU a second ({share:.4} %), {:.1} MiB",
        after.since(&before).0,
        QUIET.as_secs(),
        share * 10.0,
        after.memory_kib as f64 / 1024.0
    );
    Ok(())
}

/// A profile whose token is a file: an unsigned one, since no network is asked before it shows.
fn profile_with_token(folder: &Path) -> Any<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = serde_json::json!({
        "iss": "https://issuer.invalid", "sub": "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1c",
        "aud": "sts.amazonaws.com", "iat": now, "nbf": now, "exp": now + 3600,
    });
    let encoded = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = serde_json::json!({"alg": "RS256", "kid": "1", "typ": "JWT"});
    let token = format!("{}.{}.{}", encoded(&header), encoded(&claims), URL_SAFE_NO_PAD.encode([7; 256]));
    std::fs::write(folder.join("token.jwt"), token)?;
    let profile = folder.join("profile.toml");
    std::fs::write(
        &profile,
        "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"https://issuer.invalid\"\n[token]\nfile = \"token.jwt\"\n\
         [aws]\nrole-arn = \"arn:aws:iam::123456789012:role/reader\"\nregion = \"us-east-1\"\n",
    )?;
    Ok(profile)
}

/// A program in a pseudo-terminal of 80x24.
struct Screen {
    began: Instant,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
    _folder: tempfile::TempDir,
}

struct Seen {
    parser: vt100::Parser,
    bytes: usize,
    first_frame: Option<Instant>,
    last: Option<Instant>,
    closed: bool,
}

impl Seen {
    fn text(&self) -> String {
        self.parser.screen().contents()
    }
}

/// What a process has used.
struct Use {
    /// For each thread how often it was woken, and its CPU time in nanoseconds.
    threads: HashMap<PathBuf, (u64, u64)>,
    memory_kib: u64,
}

impl Use {
    /// Wake-ups and CPU time in nanoseconds since an earlier look.
    fn since(&self, before: &Use) -> (u64, u64) {
        self.threads.iter().fold((0, 0), |(wakeups, cpu_ns), (thread, now)| {
            let then = before.threads.get(thread).copied().unwrap_or_default();
            (wakeups + now.0.saturating_sub(then.0), cpu_ns + now.1.saturating_sub(then.1))
        })
    }
}

impl Screen {
    /// Starts a program that finds these keys typed already.
    fn open(program: &Path, arguments: &[&str], keys: &str) -> Any<Self> {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let folder = tempfile::tempdir()?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        command.env("TRUSTLINE_CONFIG_DIR", folder.path());
        command.env("HOME", folder.path());
        command.cwd(folder.path());
        let mut reader = pair.master.try_clone_reader()?;
        let mut writer = pair.master.take_writer()?;
        writer.write_all(keys.as_bytes())?;
        let parser = vt100::Parser::new(size.rows, size.cols, 0);
        let seen = Seen { parser, bytes: 0, first_frame: None, last: None, closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let sink = seen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 64 * 1024];
            loop {
                let count = reader.read(&mut bytes).unwrap_or(0);
                let now = Instant::now();
                let Ok(mut seen) = sink.0.lock() else { return };
                seen.parser.process(&bytes[..count]);
                seen.bytes += count;
                seen.closed = count == 0;
                if count > 0 {
                    seen.last = Some(now);
                }
                // The bottom line is the last to be drawn.
                if seen.first_frame.is_none() && seen.text().contains("q quit") {
                    seen.first_frame = Some(now);
                }
                sink.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let began = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        Ok(Screen { began, writer, child, seen, _master: pair.master, _folder: folder })
    }

    fn send(&mut self, keys: &str) -> Any<()> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    fn until(&self, holds: impl Fn(&Seen) -> bool) -> Any<()> {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().map_err(|_| "the reader is gone")?;
        let (seen, _) = changed
            .wait_timeout_while(seen, DEADLINE, |seen| !holds(seen) && !seen.closed)
            .map_err(|_| "the reader is gone")?;
        if holds(&seen) { Ok(()) } else { Err(format!("this is not what was waited for:\n{}", seen.text()).into()) }
    }

    fn first_frame(&self) -> Any<Duration> {
        let seen = self.seen.0.lock().map_err(|_| "the reader is gone")?;
        Ok(seen.first_frame.ok_or("no frame")?.duration_since(self.began))
    }

    /// From the start to the bytes that came last.
    fn last_bytes(&self) -> Any<Duration> {
        Ok(self.last_bytes_at()?.duration_since(self.began))
    }

    fn last_bytes_at(&self) -> Any<Instant> {
        let seen = self.seen.0.lock().map_err(|_| "the reader is gone")?;
        Ok(seen.last.ok_or("nothing was written")?)
    }

    /// How many bytes come within a time.
    fn bytes_within(&self, time: Duration) -> usize {
        let count = || self.seen.0.lock().map_or(0, |seen| seen.bytes);
        let before = count();
        std::thread::sleep(time);
        count() - before
    }

    fn use_of_process(&self) -> Any<Use> {
        let process = PathBuf::from(format!("/proc/{}", self.child.process_id().ok_or("it has ended")?));
        let number = |text: &str, name: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
        };
        let memory_kib = number(&std::fs::read_to_string(process.join("status"))?, "VmRSS:");
        let mut used = Use { threads: HashMap::new(), memory_kib };
        for task in std::fs::read_dir(process.join("task"))? {
            let task = task?.path();
            let wakeups = number(&std::fs::read_to_string(task.join("status"))?, "voluntary_ctxt_switches:");
            let cpu_ns = number(&std::fs::read_to_string(task.join("schedstat"))?, "");
            used.threads.insert(task, (wakeups, cpu_ns));
        }
        Ok(used)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A console whose run never ends and tells of something all the time.
fn busy_console() -> Any<()> {
    services::run_console(|_| {
        let (sender, events) = mpsc::channel(64);
        std::thread::spawn(move || {
            let checks = CheckId::ALL.iter().map(|id| PlannedCheck { id: *id, title: id.title().into() }).collect();
            let (profile, guide) = ("busy".into(), Guide::AwsWorkloadIdentity.id().into());
            let mut kind = EventKind::Planned { profile, guide, started: "2026-01-01T00:00:00Z".into(), checks };
            let began = Instant::now();
            for seq in 0.. {
                let event = RunEvent { seq, at_ms: began.elapsed().as_millis() as u64, kind };
                if sender.blocking_send(event).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_secs(1) / EVENTS_A_SECOND);
                kind = EventKind::Started { check: CheckId::ALL[seq as usize % CheckId::ALL.len()] };
            }
        });
        let profile = Profile::bare("busy", Guide::AwsWorkloadIdentity);
        Box::pin(async move { Ok(Started { profile, settings: Vec::new(), events, keep: Box::new(()) }) })
    })
}
