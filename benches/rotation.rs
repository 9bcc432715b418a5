//! How late a rotation is seen: from the store's answer to a write, to the session's sight of the new version and to its
//! verdict, in the lab. `cargo bench --bench rotation` prints figures; nothing is asserted.
//!
//! A session polls; what it adds to the poll interval is one request, and for the verdict a run of the automation.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Writes that are counted for each figure.
const WRITES: u32 = 12;

type Any<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match report() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rotation: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Any<()> {
    println!("median (worst) of {WRITES} writes, after the store took the value");
    println!("{:<26} {:>22} {:>22} {:>20}", "", "new version seen", "verdict", "beyond the interval");
    for (scenario, poll_ms) in [("healthy", 100), ("healthy", 500), ("healthy", 2000), ("azure", 500)] {
        let lab = Lab::start(scenario)?;
        let poll = Duration::from_millis(poll_ms);
        let mut watching = Watching::start(&lab, poll)?;
        let (mut seen, mut judged) = (Vec::new(), Vec::new());
        for number in 0..WRITES {
            // The writes fall at every place of the interval.
            std::thread::sleep(poll.mul_f64(2.0 + f64::from(number) / f64::from(WRITES)));
            let written = lab.write(&format!("value {number} of the bench"))?;
            seen.push(watching.until("is written")?.saturating_duration_since(written));
            judged.push(watching.until(": propagated")?.saturating_duration_since(written));
        }
        let (seen, judged) = (Spread::of(seen), Spread::of(judged));
        println!(
            "{:<26} {:>22} {:>22} {:>17.0} ms",
            format!("{scenario}, every {poll_ms} ms"),
            seen.words(),
            judged.words(),
            millis(seen.worst.saturating_sub(poll)),
        );
    }
    Ok(())
}

/// The middle and the worst of some times.
struct Spread {
    median: Duration,
    worst: Duration,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Spread {
        times.sort_unstable();
        let at = |place: usize| times.get(place).copied().unwrap_or_default();
        Spread { median: at(times.len() / 2), worst: at(times.len().saturating_sub(1)) }
    }

    fn words(&self) -> String {
        format!("{:.0} ({:.0}) ms", millis(self.median), millis(self.worst))
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A lab in a process of its own; ended when dropped.
struct Lab {
    process: Child,
    folder: PathBuf,
    is_azure: bool,
}

impl Lab {
    fn start(scenario: &str) -> Any<Lab> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_trustline"))
            .args(["lab", scenario, "--output", "json"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("the lab has no output")?).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let ca_file = Path::new(ready["ca_file"].as_str().ok_or("the lab names no ca_file")?);
        let folder = ca_file.parent().ok_or("the lab names no folder")?.to_owned();
        Ok(Lab { process, folder, is_azure: scenario.starts_with("azure") })
    }

    /// `rotate`, as whoever may write secrets in the lab.
    fn rotate(&self) -> Command {
        let file = |name: &str| self.folder.join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_trustline"));
        command
            .env("AWS_SHARED_CREDENTIALS_FILE", file("secrets-admin-credentials"))
            .env("AWS_PROFILE", "secrets-admin")
            .env("TRUSTLINE_CONFIG_DIR", file("config"))
            .env("XDG_STATE_HOME", file("state"))
            .args(["rotate", "--profile-file"])
            .arg(file("profile.toml"))
            .arg("--ca-file")
            .arg(file("ca.pem"));
        if self.is_azure {
            command
                .args(["--operator-client-id", "55555555-aaaa-4bbb-8ccc-666666666666", "--operator-secret-file"])
                .arg(file("secrets-admin-client-secret"));
        }
        command
    }

    /// Writes a value; yields when the store had taken it.
    fn write(&self, value: &str) -> Any<Instant> {
        let file = self.folder.join("bench-value");
        std::fs::write(&file, value)?;
        let mut writing = self.rotate();
        writing.args(["--yes", "--wait", "0", "--value-file"]).arg(&file).stdout(Stdio::null());
        let mut writer = writing.stderr(Stdio::piped()).spawn()?;
        let (mut written, mut told) = (None, String::new());
        for line in BufReader::new(writer.stderr.take().ok_or("the writer tells nothing")?).lines() {
            let line = line?;
            if line.contains("is written") {
                written = Some(Instant::now());
            }
            told.push_str(&line);
        }
        writer.wait()?;
        Ok(written.ok_or_else(|| format!("the value was not written: {told}"))?)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// A session that watches, and what it tells with the time at which it did.
struct Watching {
    process: Child,
    told: std::sync::mpsc::Receiver<(Instant, String)>,
}

impl Watching {
    fn start(lab: &Lab, poll: Duration) -> Any<Watching> {
        let mut process = lab
            .rotate()
            .args(["--watch", "--kickoff", "--poll", &poll.as_secs_f64().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let notes = BufReader::new(process.stderr.take().ok_or("the session tells nothing")?);
        let (sender, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in notes.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        let mut watching = Watching { process, told };
        watching.until("waiting for a new version")?;
        Ok(watching)
    }

    /// When it tells this.
    fn until(&mut self, wanted: &str) -> Any<Instant> {
        loop {
            let (at, line) = self.told.recv_timeout(Duration::from_secs(60)).map_err(|_| format!("no `{wanted}`"))?;
            if line.contains(wanted) {
                return Ok(at);
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
