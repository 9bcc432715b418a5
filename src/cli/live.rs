//! Rows on a terminal that are drawn again and again where they stand while work goes on, and are gone before the report
//! comes. They move the cursor by whole lines only and change no mode of the terminal, so whatever ends the program leaves
//! nothing to be given back.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::flags::{OutputArgs, OutputFormat};
use super::{look, terminal};
use crate::report::ansi::TextFormat;
use crate::report::line::Line;
use crate::report::progress::Room;

/// How often what moves is drawn.
const FRAME: Duration = Duration::from_millis(120);
/// A terminal that does not tell its size.
const USUAL: Room = Room { columns: 80, rows: 24 };

/// The rows. Where they cannot be drawn they are not: nobody looks, or somebody reads what comes.
#[derive(Debug)]
pub(super) struct LiveRows {
    format: Option<TextFormat>,
    began: Instant,
    /// The columns of each row that stands there.
    drawn: Vec<usize>,
    frames: tokio::time::Interval,
}

impl LiveRows {
    /// Needs a runtime. What is over before the first frame shows none.
    pub fn new(output: &OutputArgs) -> Self {
        let mut frames = tokio::time::interval_at(tokio::time::Instant::now() + FRAME, FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        LiveRows { format: format(output), began: Instant::now(), drawn: Vec::new(), frames }
    }

    pub fn are_shown(&self) -> bool {
        self.format.is_some()
    }

    /// Waits until the next frame is due; for ever where none is drawn.
    pub async fn frame(&mut self) {
        match self.format {
            Some(_) => drop(self.frames.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Draws them anew, as they are after so many milliseconds.
    pub fn draw(&mut self, rows: impl FnOnce(u64, Room, TextFormat) -> Vec<Line>) {
        let Some(format) = self.format else { return };
        let room = room();
        let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rows = rows(elapsed_ms, room, format);
        let painted: Vec<String> = rows.iter().map(|row| format.paint(row)).collect();
        let frame = format!("\x1b[?2026h{}{}\x1b[?2026l", to_first(&self.drawn, room.columns), in_place(&painted));
        self.drawn = rows.iter().map(Line::width).collect();
        put(&frame);
    }

    /// Takes them away.
    pub fn clear(&mut self) {
        if !self.drawn.is_empty() {
            put(&format!("{}\x1b[J", to_first(&self.drawn, room().columns)));
            self.drawn.clear();
        }
    }

    /// Prints a line that stays, above them.
    pub fn note(&mut self, line: &str) {
        self.clear();
        terminal::note(line);
    }
}

impl Drop for LiveRows {
    fn drop(&mut self) {
        self.clear();
    }
}

/// How they look; none where they are not drawn: the report goes elsewhere or to a program, nobody may be looking, or the terminal
/// cannot move its cursor.
fn format(output: &OutputArgs) -> Option<TextFormat> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    // What is drawn over again would be read aloud again.
    let is_read_aloud = || look::reads_lines(&look::LookArgs::default(), &look::configuration().0);
    let is_read = output.output != OutputFormat::Text || set("CI") || is_dumb;
    let is_seen = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    (is_seen && !is_read && !is_read_aloud()).then(|| TextFormat { width: None, ..terminal::text_format(output.color) })
}

fn room() -> Room {
    let size = crossterm::terminal::window_size().ok().filter(|size| size.columns > 0 && size.rows > 0);
    size.map_or(USUAL, |size| Room { columns: size.columns.into(), rows: size.rows.into() })
}

/// From the end of the last row that stands there to the beginning of the first. A terminal that got narrower has broken
/// those that do not fit it any more.
fn to_first(drawn: &[usize], columns: usize) -> String {
    let lines: usize = drawn.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
    match lines.saturating_sub(1) {
        0 => "\r".to_owned(),
        up => format!("\r\x1b[{up}A"),
    }
}

/// Rows over those that stand there, each wiped behind its end, and what stood below them.
fn in_place(rows: &[String]) -> String {
    rows.iter().map(|row| format!("{row}\x1b[K")).collect::<Vec<_>>().join("\r\n") + "\x1b[J"
}

/// What becomes of it changes nothing: the report comes in any case.
fn put(bytes: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(bytes.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal of this size shows after these bytes.
    fn shown(columns: u16, bytes: &str) -> Vec<String> {
        let mut parser = vt100::Parser::new(6, columns, 0);
        parser.process(bytes.as_bytes());
        parser.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect()
    }

    fn frame(before: &[usize], columns: usize, rows: &[&str]) -> String {
        let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        to_first(before, columns) + &in_place(&rows)
    }

    #[test]
    fn a_frame_stands_where_the_one_before_stood() {
        let first = frame(&[], 20, &["one", "two", "three"]);
        let second = frame(&[3, 3, 5], 20, &["ONE", "two"]);
        assert_eq!(shown(20, &format!("$ check\r\n{first}{second}")), ["$ check", "ONE", "two"]);
        let cleared = format!("{}\x1b[Jreport", to_first(&[3, 3], 20));
        assert_eq!(shown(20, &format!("$ check\r\n{first}{second}{cleared}")), ["$ check", "report"]);
        // At the lower edge everything moves up by what is new, and still stands once.
        let filled = "a\r\nb\r\nc\r\nd\r\ne\r\n";
        assert_eq!(shown(20, &format!("{filled}{first}{second}")), ["c", "d", "e", "ONE", "two"]);
    }

    #[test]
    fn rows_that_a_narrower_terminal_broke_are_gone_over_whole() {
        // Eighteen columns are two lines of a terminal of ten.
        assert_eq!(to_first(&[18, 4], 10), "\r\x1b[2A");
        assert_eq!(to_first(&[10, 4], 10), "\r\x1b[1A");
        assert_eq!(to_first(&[0], 10), "\r");
    }
}
