//! What the commands know of the terminal: where to print, and whether to colour.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{CliError, Exit};
use super::flags::{ColorChoice, OutputArgs, OutputFormat};
use crate::domain::text;
use crate::report::ansi::{Ink, TextFormat};
use crate::report::context::RenderContext;
use crate::report::glyphs::GlyphSet;
use crate::report::markdown;
use crate::report::page::Page;

/// Prints an error and its hints to standard error.
pub(super) fn report_error(error: &CliError) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "trustline: {}", text::visible_lines(&error.message));
    for hint in &error.hints {
        let _ = writeln!(stderr, "  {}", text::visible_lines(hint));
    }
}

/// Tells of a fault of the program itself by its place alone: a panic's own words could quote what must not be shown.
pub(super) fn report_panic(place: Option<&std::panic::Location<'_>>) {
    let place = place.map(|p| format!(" at {}:{}", p.file(), p.line())).unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "trustline: internal error{place}; please report it");
}

/// Prints a line of guidance to standard error.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A line on standard error that says how far something has come; nothing where nobody looks.
#[derive(Debug)]
pub(super) struct Progress {
    is_shown: bool,
    last: Option<Instant>,
}

/// A line that changes faster cannot be read.
const SHOWN_FOR: Duration = Duration::from_millis(100);

impl Progress {
    pub(super) fn new() -> Self {
        Progress { is_shown: std::io::stderr().is_terminal(), last: None }
    }

    /// Shows the line in place of the one before.
    pub(super) fn show(&mut self, line: &str) {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= SHOWN_FOR);
        if self.is_shown && is_due {
            self.last = Some(Instant::now());
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if self.is_shown && self.last.take().is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// Prints to standard output. A reader that went away has seen what it wanted.
///
/// # Errors
/// The text did not arrive whole, as on a full disk: whoever reads it must not take it for all there is.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// A JSON document as it is printed: characters that steer or deceive a terminal are escaped.
pub(super) fn json_text(document: &serde_json::Value) -> String {
    text::visible_json(&format!("{document:#}\n"))
}

/// What became of a write to standard output.
///
/// # Errors
/// As [`print`].
pub(super) fn written(result: std::io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::new(format!(
            "standard output cannot be written to, and what was printed is not whole: {error}"
        ))),
        _ => Ok(()),
    }
}

/// A page as it was asked for: Markdown for a ticket, else text for where standard output goes.
pub(super) fn rendered(output: &OutputArgs, page: impl Fn(RenderContext) -> Page) -> String {
    if output.output == OutputFormat::Markdown {
        return markdown::render(&page(markdown::CONTEXT));
    }
    let format = text_format(output.color);
    format.render(&page(format.context()))
}

/// How text looks where standard output goes.
pub(super) fn text_format(color: ColorChoice) -> TextFormat {
    let ink = if wants_color(color) { Ink::Colour } else { Ink::Plain };
    let glyphs = if is_utf8() { GlyphSet::Unicode } else { GlyphSet::Ascii };
    TextFormat { ink, glyphs, width: width() }
}

/// The columns of the terminal that standard output goes to.
fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let columns = usize::from(crossterm::terminal::window_size().ok()?.columns);
    (columns > 0).then_some(columns)
}

/// Whether the locale's encoding is UTF-8. Without any locale set, as in many containers, it is taken to be.
pub(super) fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    set.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Whether standard output gets colours: as chosen, else on a terminal that may have them
/// (<https://no-color.org>).
fn wants_color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
                && std::io::stdout().is_terminal()
        }
    }
}

/// The signals that end a command early.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on; needs a runtime.
    pub(super) fn listen() -> Result<Self, CliError> {
        let listen = |kind| signal(kind).map_err(|e| CliError::new(format!("signals cannot be listened to: {e}")));
        Ok(Signals { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for one of them, and yields the exit status it stands for.
    pub(super) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

/// The descriptors of the program itself: its streams, its runtime, what libraries open for a moment.
const OWN_DESCRIPTORS: u64 = 24;
/// The descriptors of one run at its busiest: a connection to each service, a file.
const RUN_DESCRIPTORS: u64 = 5;

/// Turns core files off, for the programs that this one starts too. On Linux, another process of the same user can no
/// longer read this one's memory either (prctl(2), `PR_SET_DUMPABLE`).
///
/// A system that refuses leaves things as they were: diagnosis works as well without.
pub(super) fn keep_memory_private() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Has a write past the limit of a file's size (`ulimit -f`) fail, as on a full disk, instead of ending the program.
///
/// A system that refuses leaves things as they were.
pub(super) fn outlive_file_limit() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// As many runs at once as are wanted, or as the descriptors allow that the system gives: without one, a service that is there
/// would seem not to be. More are asked for where they are needed.
pub(super) fn runs_at_once(wanted: NonZeroUsize) -> NonZeroUsize {
    let needed = (wanted.get() as u64).saturating_mul(RUN_DESCRIPTORS).saturating_add(OWN_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let possible = limit.maximum.unwrap_or(u64::MAX).min(needed);
    let mut given = limit.current.unwrap_or(u64::MAX);
    if given < possible && setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).is_ok() {
        given = possible;
    }
    at_once(wanted, given)
}

fn at_once(wanted: NonZeroUsize, descriptors: u64) -> NonZeroUsize {
    let runs = descriptors.saturating_sub(OWN_DESCRIPTORS) / RUN_DESCRIPTORS;
    let runs = usize::try_from(runs).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    wanted.min(runs)
}

#[cfg(test)]
mod process_tests {
    use super::*;

    #[test]
    fn no_more_run_at_once_than_can_have_files_open() {
        for (wanted, descriptors, runs) in
            [(8, 64, 8), (8, 1024, 8), (100, 256, 46), (500, 1024, 200), (8, 30, 1), (8, 3, 1)]
        {
            let wanted = NonZeroUsize::new(wanted).unwrap();
            assert_eq!(at_once(wanted, descriptors).get(), runs, "{wanted} with {descriptors}");
        }
    }
}
