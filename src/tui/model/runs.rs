//! The runs of this session: the one that is shown, earlier ones to go back to and compare, and watch mode.

use crate::check::CheckId;
use crate::domain::profile::Profile;
use crate::run::event::{EventKind, RunEvent, RunVerdict};
use crate::run::report::Report;
use crate::tui::inputs::RunChoice;
use crate::tui::message::RunNumber;
use crate::tui::model::Lifecycle;

/// How many runs are kept.
const KEPT: usize = 20;
/// How many log entries of a run are kept; the oldest go first.
const LOG_KEPT: usize = 5_000;

/// The runs of this session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// Oldest first.
    pub list: Vec<Run>,
    /// The number of the run that is shown.
    pub shown: Option<RunNumber>,
    pub watch: Option<Watch>,
    next: RunNumber,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub number: RunNumber,
    /// What was run; `None` for a recording.
    pub choice: Option<RunChoice>,
    /// The profile, the scenario or the recording, in a few words.
    pub label: String,
    /// The profile it checks, where it is known.
    pub profile: Option<Box<Profile>>,
    pub report: Report,
    pub log: Vec<LogEntry>,
    pub state: Lifecycle,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// Events that never arrived, seen by gaps in their numbers.
    pub lost: u64,
    next_seq: u64,
}

/// An event as the log shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub at_ms: u64,
    pub level: Level,
    pub check: Option<CheckId>,
    /// Not yet safe for a terminal.
    pub text: String,
    pub kind: EntryKind,
}

/// What a log entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// The run as a whole.
    Run,
    /// A check began. The entry goes when it has ended.
    Started,
    Retrying,
    Finished,
}

/// How much a log entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Detail,
    Good,
    Warning,
    Bad,
}

/// Watch mode: run again and again, for what takes time to propagate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Seconds between the end of a run and the start of the next.
    pub every_s: u64,
    /// When the next run starts, in milliseconds since 1970; `None` while one runs.
    pub next_ms: Option<i64>,
    /// Since when every run passed.
    pub works_since_ms: Option<i64>,
    /// When watching began.
    pub began_ms: i64,
    /// How many runs have ended.
    pub rounds: u32,
}

impl Runs {
    /// Adds a run and shows it.
    pub fn open(&mut self, label: String, choice: Option<RunChoice>, started_ms: i64) -> RunNumber {
        let number = self.next;
        self.next += 1;
        self.list.push(Run {
            number,
            choice,
            label,
            profile: None,
            report: Report::default(),
            log: Vec::new(),
            state: Lifecycle::Running,
            started_ms,
            lost: 0,
            next_seq: 0,
        });
        if self.list.len() > KEPT {
            self.list.remove(0);
        }
        self.shown = Some(number);
        number
    }

    /// The run that is shown.
    pub fn shown(&self) -> Option<&Run> {
        self.get(self.shown?)
    }

    /// A run by its number.
    pub fn get(&self, number: RunNumber) -> Option<&Run> {
        self.list.iter().find(|run| run.number == number)
    }

    /// A run by its number.
    pub fn get_mut(&mut self, number: RunNumber) -> Option<&mut Run> {
        self.list.iter_mut().find(|run| run.number == number)
    }

    /// The run that is still going on.
    pub fn live(&self) -> Option<&Run> {
        self.list.iter().rev().find(|run| run.is_live())
    }

    /// The verdict of what is shown; `None` where nothing ran. A run that was left before its end has that of the newest
    /// of its kind that came to an end, as in a round of watching, and else could not tell.
    pub fn verdict(&self) -> Option<RunVerdict> {
        let shown = self.shown()?;
        let ended = || self.list.iter().rev().filter(|run| run.choice == shown.choice).find_map(Run::verdict);
        Some(shown.verdict().or_else(ended).unwrap_or(RunVerdict::Inconclusive))
    }

    /// The newest run.
    pub fn newest(&self) -> Option<&Run> {
        self.list.last()
    }
}

impl Run {
    /// Whether more events may come.
    pub fn is_live(&self) -> bool {
        matches!(self.state, Lifecycle::Running | Lifecycle::Cancelling)
    }

    /// Folds an event in. One that came already is dropped.
    pub fn apply(&mut self, event: &RunEvent) {
        if event.seq < self.next_seq {
            return;
        }
        self.lost += event.seq - self.next_seq;
        self.next_seq = event.seq.saturating_add(1);
        self.report.apply(event);
        if let EventKind::Finished(finished) = &event.kind {
            self.log.retain(|entry| !(entry.kind == EntryKind::Started && entry.check == Some(finished.id)));
        }
        self.log.push(entry(event));
        if self.log.len() > LOG_KEPT {
            self.log.drain(..LOG_KEPT / 10);
        }
        if matches!(event.kind, EventKind::Done { .. }) {
            self.state = Lifecycle::Ended;
        }
    }

    /// The verdict, where the run has ended.
    pub fn verdict(&self) -> Option<RunVerdict> {
        self.report.end.as_ref().map(|end| end.verdict)
    }
}

fn entry(event: &RunEvent) -> LogEntry {
    use crate::check::Outcome;
    let (level, check, text) = match &event.kind {
        EventKind::Planned { profile, guide, checks, .. } => {
            (Level::Detail, None, format!("planned {} checks of {profile} ({guide})", checks.len()))
        }
        EventKind::Started { check } => (Level::Detail, Some(*check), "started".to_owned()),
        EventKind::Retrying { check, attempt, delay_ms, reason } => {
            (Level::Warning, Some(*check), format!("attempt {attempt} failed, again in {delay_ms} ms: {reason}"))
        }
        EventKind::Finished(finished) => {
            let (level, word) = match finished.outcome {
                Outcome::Pass => (Level::Good, "passed"),
                Outcome::Warn => (Level::Warning, "passed with a warning"),
                Outcome::Fail => (Level::Bad, "failed"),
                Outcome::Skipped => (Level::Detail, "skipped"),
                Outcome::Inconclusive => (Level::Warning, "could not tell"),
            };
            let reason = finished.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
            let text = match finished.outcome {
                Outcome::Skipped => format!("{word}{reason}"),
                _ => format!("{word} after {} ms{reason}", finished.duration_ms),
            };
            (level, Some(finished.id), text)
        }
        EventKind::Done { verdict, duration_ms, findings, cut_short, .. } => {
            let (level, word) = match verdict {
                RunVerdict::Pass => (Level::Good, "pass"),
                RunVerdict::Fail => (Level::Bad, "fail"),
                RunVerdict::Inconclusive => (Level::Warning, "inconclusive"),
            };
            let why = cut_short.as_deref().map(|why| format!(", cut short: {why}")).unwrap_or_default();
            let findings = match findings.len() {
                1 => "1 finding".to_owned(),
                n => format!("{n} findings"),
            };
            (level, None, format!("done after {duration_ms} ms: {word}, {findings}{why}"))
        }
    };
    let kind = match event.kind {
        EventKind::Started { .. } => EntryKind::Started,
        EventKind::Retrying { .. } => EntryKind::Retrying,
        EventKind::Finished(_) => EntryKind::Finished,
        EventKind::Planned { .. } | EventKind::Done { .. } => EntryKind::Run,
    };
    LogEntry { at_ms: event.at_ms, level, check, text, kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::FinishedCheck;

    fn started(seq: u64) -> RunEvent {
        RunEvent { seq, at_ms: 0, kind: EventKind::Started { check: CheckId::TokenPresent } }
    }

    #[test]
    fn gaps_are_counted_and_repeats_dropped() {
        let mut runs = Runs::default();
        let number = runs.open("p".into(), None, 0);
        let run = runs.get_mut(number).unwrap();
        for seq in [0, 1, 1, 4] {
            run.apply(&started(seq));
        }
        assert_eq!((run.lost, run.log.len()), (2, 3));
    }

    #[test]
    fn the_log_keeps_how_a_check_ended_and_not_that_it_began() {
        let mut runs = Runs::default();
        let number = runs.open("p".into(), None, 0);
        let run = runs.get_mut(number).unwrap();
        run.apply(&started(0));
        assert_eq!(run.log.len(), 1);
        let finished = FinishedCheck {
            id: CheckId::TokenPresent,
            title: String::new(),
            outcome: crate::check::Outcome::Pass,
            reason: None,
            started_ms: 0,
            duration_ms: 3,
            facts: serde_json::Map::new(),
            docs: String::new(),
            findings: Vec::new(),
            blocked_by: None,
        };
        run.apply(&RunEvent { seq: 1, at_ms: 3, kind: EventKind::Finished(Box::new(finished)) });
        let texts: Vec<&str> = run.log.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["passed after 3 ms"]);
    }

    #[test]
    fn only_so_many_runs_are_kept() {
        let mut runs = Runs::default();
        for _ in 0..50 {
            runs.open("p".into(), None, 0);
        }
        assert_eq!(runs.list.len(), KEPT);
        assert_eq!(runs.shown, Some(49));
        assert!(runs.shown().is_some());
    }
}
