//! A lab in the foreground, and sessions beside it: as several people and programs would work on one store.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// The program, by its path.
const PROGRAM: &str = env!("CARGO_BIN_EXE_trustline");

/// A running lab with its folder.
pub struct Place {
    lab: Child,
    folder: PathBuf,
    own: TempDir,
    azure_admin: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.lab.kill();
        let _ = self.lab.wait();
    }
}

impl Place {
    pub fn start(scenario: &str) -> Self {
        Place::with(&[scenario], scenario.starts_with("azure"))
    }

    /// A lab with a world of its own description, on AWS.
    pub fn world(text: &str) -> Self {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Place::with(&["--world", file.path().to_str().unwrap()], false)
    }

    fn with(lab: &[&str], azure_admin: bool) -> Self {
        let own = tempfile::tempdir().unwrap();
        let mut lab = Command::new(PROGRAM)
            .args(["lab", "--output", "json"])
            .args(lab)
            .env_clear()
            .env("TMPDIR", own.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(lab.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let folder = PathBuf::from(ready["ca_file"].as_str().unwrap()).parent().unwrap().to_owned();
        Place { lab, folder, own, azure_admin }
    }

    pub fn profile(&self) -> String {
        self.path("profile.toml")
    }

    pub fn ca_file(&self) -> String {
        self.path("ca.pem")
    }

    /// A file of the test's own beside the lab's.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.own.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a session to its end with a value on its standard input.
    pub fn rotate(&self, arguments: &[&str], value: &str) -> Value {
        let input = self.file("value", value);
        let output = self.command(arguments).stdin(std::fs::File::open(input).unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"))
    }

    /// Begins a session that goes on beside the test.
    pub fn session(&self, arguments: &[&str]) -> Session {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let notes = BufReader::new(child.stderr.take().unwrap());
        Session { child, notes, said: String::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TRUSTLINE", PROGRAM)
            .env("TRUSTLINE_STATE_DIR", self.own.path().join("state"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("secrets-admin-credentials"))
            .env("AWS_PROFILE", "secrets-admin")
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", self.path("secrets-admin-google-token"))
            .args(["rotate", "--output", "json", "--profile-file", &self.profile(), "--ca-file", &self.ca_file()]);
        if self.azure_admin {
            let secret = self.path("secrets-admin-client-secret");
            let admin = "55555555-aaaa-4bbb-8ccc-666666666666";
            command.args(["--operator-client-id", admin, "--operator-secret-file", &secret]);
        }
        command.args(arguments);
        command
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

/// A session that is under way.
pub struct Session {
    child: Child,
    notes: BufReader<ChildStderr>,
    said: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Session {
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Reads what it tells until this stands there.
    pub fn wait_for(&mut self, wanted: &str) {
        self.wait_for_times(wanted, 1);
    }

    pub fn wait_for_times(&mut self, wanted: &str, times: usize) {
        while self.said.matches(wanted).count() < times {
            let read = self.notes.read_line(&mut self.said).unwrap();
            assert_ne!(read, 0, "it ended before {wanted:?}: {}", self.said);
        }
    }

    /// Its report, when it ends by itself.
    pub fn ended(&mut self) -> Value {
        let mut printed = String::new();
        self.notes.read_to_string(&mut self.said).unwrap();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {}", self.said))
    }

    /// Its report, when it is told to stop.
    pub fn interrupted(&mut self) -> Value {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGINT).unwrap();
        let report = self.ended();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
        report
    }
}
