//! A terminal for tests: a program in a pseudo-terminal, its bytes parsed as a terminal would. Everything waits on a
//! condition with a deadline, and shows the screen where that passes.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The marks of a synchronized update.
const BEGIN_UPDATE: &[u8] = b"\x1b[?2026h";
const END_UPDATE: &[u8] = b"\x1b[?2026l";

/// How long anything may take. Far more than it does, for machines under load.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Screen {
    /// None once it has hung up.
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    reading: Arc<(Mutex<Reading>, Condvar)>,
    /// The line's settings before the program began.
    before: String,
    folder: tempfile::TempDir,
}

/// What the terminal does with what the program writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    On,
    /// It takes nothing.
    Paused,
    /// It is gone.
    Over,
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// How much of it the parser has taken.
    shown: usize,
    closed: bool,
}

impl Seen {
    /// Shows what came like a terminal that knows synchronized updates: a frame appears whole or not at all.
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.closed = bytes.is_empty();
        let fresh = self.shown.saturating_sub(BEGIN_UPDATE.len());
        let last = |mark: &[u8]| self.raw[fresh..].windows(mark.len()).rposition(|window| window == mark);
        let whole = match (last(BEGIN_UPDATE), last(END_UPDATE)) {
            (Some(begin), end) if !self.closed && end.is_none_or(|end| end < begin) => (fresh + begin).max(self.shown),
            _ => self.raw.len(),
        };
        self.parser.process(&self.raw[self.shown..whole]);
        self.shown = whole;
    }
}

impl Screen {
    /// The program, in a clean environment with an empty folder of profiles.
    pub fn trustline(arguments: &[&str], size: (u16, u16)) -> Self {
        Screen::with_config("", arguments, size)
    }

    /// A shell's script, in the same environment.
    pub fn script(script: &str, size: (u16, u16)) -> Self {
        Screen::spawn(Path::new("/bin/sh"), &["-c", script], tempfile::tempdir().unwrap(), size, &[])
    }

    /// The program with a configuration file of this text.
    pub fn with_config(config: &str, arguments: &[&str], size: (u16, u16)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if !config.is_empty() {
            std::fs::write(folder.path().join("console.toml"), config).unwrap();
        }
        let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("trustline"));
        Screen::spawn(&program, arguments, folder, size, &[])
    }

    /// The program with these variables instead of the usual ones; without those that have no value.
    pub fn with_environment(changed: &[(&str, Option<&str>)], arguments: &[&str], size: (u16, u16)) -> Self {
        let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("trustline"));
        Screen::spawn(&program, arguments, tempfile::tempdir().unwrap(), size, changed)
    }

    /// A line of the shell, to which the program is `$0`.
    pub fn shell(line: &str, size: (u16, u16)) -> Self {
        let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("trustline"));
        let arguments = ["-c", line, program.to_str().unwrap()];
        Screen::spawn(Path::new("/bin/sh"), &arguments, tempfile::tempdir().unwrap(), size, &[])
    }

    /// The program with a profile `walk` of this text, and what is to lie beside it.
    pub fn with_profile(
        profile: &str,
        files: &[(&str, &str)],
        arguments: &[&str],
        changed: &[(&str, Option<&str>)],
        size: (u16, u16),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("profiles")).unwrap();
        std::fs::write(folder.path().join("profiles/walk.toml"), profile).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("trustline"));
        Screen::spawn(&program, arguments, folder, size, changed)
    }

    /// Waits until a file of its folder holds these words.
    pub fn wait_file(&self, name: &str, words: &str) {
        let path = self.folder.path().join(name);
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.contains(words) {
                break;
            }
            assert!(Instant::now() < deadline, "{words} is not in {name}:\n{text}\n{}", self.text());
            std::thread::yield_now();
        }
    }

    /// Kills the program, and starts it again where it was.
    pub fn killed_and_again(mut self, arguments: &[&str], size: (u16, u16)) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Screen::spawn(Path::new(assert_cmd::cargo::cargo_bin!("trustline")), arguments, folder, size, &[])
    }

    /// The profile `walk` as it stands in its file.
    pub fn profile(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("profiles/walk.toml")).unwrap()
    }

    /// An ignored test of this very file, alone.
    pub fn this_test(name: &str, size: (u16, u16)) -> Self {
        let arguments = ["--ignored", "--exact", name, "--nocapture", "--test-threads", "1"];
        Screen::spawn(&std::env::current_exe().unwrap(), &arguments, tempfile::tempdir().unwrap(), size, &[])
    }

    fn spawn(
        program: &Path,
        arguments: &[&str],
        folder: tempfile::TempDir,
        (cols, rows): (u16, u16),
        changed: &[(&str, Option<&str>)],
    ) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let before = settings(pair.master.as_ref());
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TRUSTLINE_CONFIG_DIR", folder.path());
        command.env("HOME", folder.path());
        command.cwd(folder.path());
        for (name, value) in changed {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        // A terminal that does not tell its size has one nevertheless.
        let (rows, cols) = if rows == 0 || cols == 0 { (24, 80) } else { (rows, cols) };
        let seen =
            Seen { parser: vt100::Parser::new(rows.max(2), cols.max(2), 0), raw: Vec::new(), shown: 0, closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let sink = seen.clone();
        let reading = Arc::new((Mutex::new(Reading::On), Condvar::new()));
        let gate = reading.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            loop {
                let mut count = reader.read(&mut bytes).unwrap_or(0);
                let gate = gate.1.wait_while(gate.0.lock().unwrap(), |reading| *reading == Reading::Paused).unwrap();
                if *gate == Reading::Over {
                    count = 0;
                }
                drop(gate);
                let mut seen = sink.0.lock().unwrap();
                seen.take(&bytes[..count]);
                sink.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Screen { master: Some(pair.master), writer: Some(writer), child, seen, reading, before, folder }
    }

    /// Types bytes as a terminal sends them.
    pub fn send(&mut self, text: &str) {
        let writer = self.writer.as_mut().expect("it has not hung up");
        writer.write_all(text.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Takes nothing of what the program writes from now on, but what is read already.
    pub fn pause(&self) {
        *self.reading.0.lock().unwrap() = Reading::Paused;
    }

    /// Takes what the program writes again.
    pub fn go_on(&self) {
        *self.reading.0.lock().unwrap() = Reading::On;
        self.reading.1.notify_all();
    }

    /// Closes the terminal. That takes effect with the next that the program writes.
    pub fn hang_up(&mut self) {
        *self.reading.0.lock().unwrap() = Reading::Over;
        self.reading.1.notify_all();
        (self.master, self.writer) = (None, None);
    }

    /// Waits for the end of the program whatever the terminal takes; its exit status.
    pub fn gone(&mut self) -> u32 {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.text());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// The memory that the program holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits until these words stand on the screen.
    pub fn wait(&self, words: &str) {
        self.wait_for(words, |text| text.contains(words));
    }

    pub fn wait_for(&self, what: &str, holds: impl Fn(&str) -> bool) {
        self.until(what, |seen| holds(&seen.parser.screen().contents()));
    }

    /// Waits until these words were written, whatever stands on the screen by now.
    pub fn wait_written(&self, words: &str) {
        self.wait_written_again(words, 0);
    }

    /// Waits until these words were written more than so many times.
    pub fn wait_written_again(&self, words: &str, times: usize) {
        self.until(words, |seen| String::from_utf8_lossy(&seen.raw).matches(words).count() > times);
    }

    /// Waits until the terminal shows nothing of what is typed.
    pub fn wait_silent(&self) {
        self.until_settings("what is typed still shows", |echoes| !echoes);
    }

    /// Waits until the terminal shows what is typed.
    pub fn wait_echoing(&self) {
        self.until_settings("what is typed does not show", |echoes| echoes);
    }

    fn until_settings(&self, otherwise: &str, holds: impl Fn(bool) -> bool) {
        let master = self.master.as_ref().expect("it has not hung up");
        let deadline = Instant::now() + DEADLINE;
        let echoes =
            || settings(master.as_ref()).split(|c: char| !c.is_ascii_alphanumeric()).any(|flag| flag == "ECHO");
        while !holds(echoes()) {
            assert!(Instant::now() < deadline, "{otherwise}:\n{}", self.text());
            std::thread::yield_now();
        }
    }

    fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().unwrap();
        let (seen, waited) = changed.wait_timeout_while(seen, DEADLINE, |seen| !holds(seen) && !seen.closed).unwrap();
        assert!(!waited.timed_out() && holds(&seen), "waited for {what:?} on\n{}", seen.parser.screen().contents());
    }

    pub fn text(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Where the program works: its configuration, its home, and what it writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that was written, as text.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().unwrap().raw).into_owned()
    }

    /// What it was asked to put on the clipboard (OSC 52), in order.
    pub fn copied(&self) -> Vec<Vec<u8>> {
        let raw = self.raw();
        let texts = raw.split("\x1b]52;c;").skip(1).filter_map(|rest| rest.split(['\x07', '\x1b']).next());
        texts.map(|text| BASE64_STANDARD.decode(text).unwrap()).collect()
    }

    pub fn alternate(&self) -> bool {
        self.seen.0.lock().unwrap().parser.screen().alternate_screen()
    }

    pub fn bracketed_paste(&self) -> bool {
        self.seen.0.lock().unwrap().parser.screen().bracketed_paste()
    }

    pub fn mouse(&self) -> bool {
        self.seen.0.lock().unwrap().parser.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None
    }

    pub fn resize(&mut self, (cols, rows): (u16, u16)) {
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(rows.max(2), cols.max(2));
        let master = self.master.as_ref().expect("it has not hung up");
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().try_into().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits until the process is stopped, as the kernel tells it.
    pub fn wait_stopped(&self) {
        let path = format!("/proc/{}/stat", self.pid());
        let deadline = Instant::now() + DEADLINE;
        loop {
            let stat = std::fs::read_to_string(&path).unwrap();
            let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
            if state == Some('T') {
                break;
            }
            assert!(Instant::now() < deadline, "not stopped: {state:?}\n{}", self.text());
            std::thread::yield_now();
        }
        self.until("the main screen", |seen| !seen.parser.screen().alternate_screen());
    }

    /// How often the process was put to sleep and woken.
    pub fn context_switches(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse().unwrap()
    }

    /// How many bytes come within a time.
    pub fn bytes_within(&self, time: Duration) -> usize {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().unwrap();
        let before = seen.raw.len();
        let (seen, _) = changed.wait_timeout_while(seen, time, |seen| seen.raw.len() == before).unwrap();
        seen.raw.len() - before
    }

    /// Waits for the end of the program; its exit status.
    pub fn ended(&mut self) -> u32 {
        self.until_closed();
        self.child.wait().unwrap().exit_code()
    }

    fn until_closed(&self) {
        let (lock, changed) = &*self.seen;
        let seen = lock.lock().unwrap();
        let (seen, waited) = changed.wait_timeout_while(seen, DEADLINE, |seen| !seen.closed).unwrap();
        assert!(!waited.timed_out(), "it does not end:\n{}", seen.parser.screen().contents());
    }

    /// Every mode is as it was, and so are the line's settings.
    pub fn assert_modes_given_back(&self) {
        {
            let seen = self.seen.0.lock().unwrap();
            let screen = seen.parser.screen();
            assert!(!screen.alternate_screen(), "alternate screen");
            assert!(!screen.bracketed_paste(), "bracketed paste");
            assert!(!screen.hide_cursor(), "cursor");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "mouse");
        }
        let master = self.master.as_ref().expect("it has not hung up");
        assert_eq!(settings(master.as_ref()), self.before, "the line's settings");
        let raw = self.raw();
        assert_eq!(raw.matches("\x1b[22;0t").count(), raw.matches("\x1b[23;0t").count(), "the title");
    }

    /// As above, and it happened once.
    pub fn assert_given_back(&self) {
        self.assert_modes_given_back();
        assert_eq!(self.raw().matches("\x1b[?1049l").count(), 1, "given back once");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line's settings: echo, canonical mode and the rest.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal's settings"))
}
