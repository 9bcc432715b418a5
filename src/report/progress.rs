//! What goes on, as rows that are drawn again and again in one place: a check a row while a profile is checked, a profile a row
//! while many are. Pure: whoever draws brings the time.

use super::context::RenderContext;
use super::context::outcome_role;
use super::line::{Line, Role};
use super::rotation::outcome;
use super::run::{counts, is_not_asked_for, milliseconds};
use crate::check::{CheckId, Outcome};
use crate::run::event::{EventKind, RunEvent, RunVerdict};
use crate::run::report::{CheckState, Progress, Report};
use crate::run::rotation::report::RotationReport;

/// How long a spinner's picture stays, in milliseconds.
const SPINNER_MS: u64 = 120;
/// Wider rows are harder to read, and break where a terminal gets narrower.
const WIDEST: usize = 100;

/// Where the rows are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub columns: usize,
    pub rows: usize,
}

/// A run as far as it has come, and when each check is tried again that is waited for.
#[derive(Clone, Debug, Default)]
pub struct RunProgress {
    pub report: Report,
    /// In milliseconds since the run started.
    due_ms: Vec<(CheckId, u64)>,
}

impl RunProgress {
    /// Folds one event in.
    pub fn apply(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::Retrying { check, delay_ms, .. } => {
                self.due_ms.retain(|(of, _)| of != check);
                self.due_ms.push((*check, event.at_ms + delay_ms));
            }
            EventKind::Finished(finished) => self.due_ms.retain(|(of, _)| *of != finished.id),
            _ => {}
        }
        self.report.apply(event);
    }

    /// A check a row, and below them how far it has come after so many milliseconds. None before it is known what is checked.
    pub fn rows(&self, elapsed_ms: u64, room: Room, ctx: RenderContext) -> Vec<Line> {
        if self.report.checks.is_empty() {
            return Vec::new();
        }
        let checks: Vec<&CheckState> = self.report.checks.iter().filter(|check| !is_not_asked_for(check)).collect();
        let widest = checks.iter().map(|check| check.title.chars().count()).max().unwrap_or_default();
        let ended = checks.iter().filter(|check| matches!(check.progress, Progress::Finished(_))).count();
        let first_open = checks.iter().position(|check| !matches!(check.progress, Progress::Finished(_)));
        let rows = checks.iter().map(|check| self.row(check, widest, elapsed_ms, ctx)).collect();
        let mut last = Line::of(Role::Strong, ctx.prose(&self.report.profile));
        let tally = format!("{ended} of {} checks", checks.len());
        last.push(Role::Muted, format!(" {dot} {tally} {dot} {}", seconds(elapsed_ms), dot = ctx.glyphs.dot));
        framed(rows, first_open, last, room, ctx)
    }

    fn row(&self, check: &CheckState, widest: usize, elapsed_ms: u64, ctx: RenderContext) -> Line {
        let title = ctx.prose(&check.title);
        let (sign, role, title_role, note) = match &check.progress {
            Progress::Waiting => (ctx.glyphs.waiting, Role::Muted, Role::Muted, String::new()),
            Progress::Running { since_ms, retries } => {
                let took = seconds(elapsed_ms.saturating_sub(*since_ms));
                let note = match retries {
                    None => took,
                    Some((attempt, reason)) => {
                        format!("{took}, {}: {}", self.next_attempt(check.id, *attempt, elapsed_ms), ctx.prose(reason))
                    }
                };
                (spinner(elapsed_ms, ctx), Role::Accent, Role::Plain, note)
            }
            Progress::Finished(finished) => {
                let role = outcome_role(finished.outcome);
                let title_role = if finished.outcome == Outcome::Skipped { Role::Muted } else { Role::Plain };
                let took = if finished.duration_ms == 0 { String::new() } else { milliseconds(finished.duration_ms) };
                let note = match (&finished.reason, finished.outcome) {
                    (Some(reason), Outcome::Skipped | Outcome::Inconclusive) => ctx.prose(reason),
                    _ => took,
                };
                (ctx.glyphs.outcome(finished.outcome), role, title_role, note)
            }
        };
        let mut line = Line::of(role, sign).with(Role::Plain, " ").with(title_role, title);
        line.pad_to(widest + 4);
        line.with(Role::Muted, note)
    }

    fn next_attempt(&self, check: CheckId, attempt: u32, elapsed_ms: u64) -> String {
        let due = self.due_ms.iter().find(|(of, _)| *of == check).map_or(0, |(_, due)| *due);
        match due.saturating_sub(elapsed_ms) {
            0 => format!("attempt {}", attempt + 1),
            left => format!("attempt {} in {}", attempt + 1, seconds(left)),
        }
    }
}

/// A profile a row, and below them how many have ended; a name without a run is one that cannot be checked.
pub fn fleet_rows(
    profiles: &[(&str, Option<&RunProgress>)],
    elapsed_ms: u64,
    room: Room,
    ctx: RenderContext,
) -> Vec<Line> {
    let widest = profiles.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let is_ended = |run: &Option<&RunProgress>| run.is_none_or(|run| run.report.end.is_some());
    let rows = profiles.iter().map(|(name, run)| {
        let name = ctx.prose(name);
        let (sign, role, note) = match run {
            None => (ctx.glyphs.skipped, Role::Muted, "cannot be checked".to_owned()),
            Some(run) => profile_note(&run.report, elapsed_ms, ctx),
        };
        let mut line = Line::of(role, sign).with(Role::Plain, format!(" {name}"));
        line.pad_to(widest + 4);
        line.with(Role::Muted, note)
    });
    let ended = profiles.iter().filter(|(_, run)| is_ended(run)).count();
    let words = format!("{ended} of {} profiles {} {}", profiles.len(), ctx.glyphs.dot, seconds(elapsed_ms));
    let first_open = profiles.iter().position(|(_, run)| !is_ended(run));
    framed(rows.collect(), first_open, Line::of(Role::Muted, words), room, ctx)
}

fn profile_note(report: &Report, elapsed_ms: u64, ctx: RenderContext) -> (&'static str, Role, String) {
    if let Some(end) = &report.end {
        let outcome = match end.verdict {
            RunVerdict::Pass => Outcome::Pass,
            RunVerdict::Fail => Outcome::Fail,
            RunVerdict::Inconclusive => Outcome::Inconclusive,
        };
        return (ctx.glyphs.outcome(outcome), outcome_role(outcome), counts(&report.counts()));
    }
    if report.checks.is_empty() {
        return (ctx.glyphs.waiting, Role::Muted, String::new());
    }
    let running = report.checks.iter().find(|check| matches!(check.progress, Progress::Running { .. }));
    let doing = running.map_or_else(String::new, |check| format!(": {}", ctx.prose(&check.title)));
    let note = format!("{} of {}{doing}", report.finished().count(), report.checks.len());
    (spinner(elapsed_ms, ctx), Role::Accent, note)
}

/// The sign of what goes on.
pub fn spinner(elapsed_ms: u64, ctx: RenderContext) -> &'static str {
    let pictures = ctx.glyphs.spinner;
    let at = usize::try_from(elapsed_ms / SPINNER_MS).unwrap_or_default() % pictures.len().max(1);
    pictures.get(at).copied().unwrap_or(ctx.glyphs.running)
}

/// A time that runs: `0.4 s`, `12 s`, `2:05`.
pub fn seconds(ms: u64) -> String {
    match ms / 1000 {
        0..10 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        s @ 10..60 => format!("{s} s"),
        s => format!("{}:{:02}", s / 60, s % 60),
    }
}

/// The rows that there is room for, from the first one that has not ended on, and the last line below them.
fn framed(rows: Vec<Line>, first_open: Option<usize>, last: Line, room: Room, ctx: RenderContext) -> Vec<Line> {
    // One column stays empty, so that no terminal breaks a row; one line for the last, one for where the cursor came from.
    let width = room.columns.saturating_sub(1).min(WIDEST);
    let page = room.rows.saturating_sub(2);
    let first = first_open.unwrap_or(rows.len()).min(rows.len().saturating_sub(page));
    let shown = rows.into_iter().skip(first).take(page).chain([last]);
    shown.map(|line| line.cut(width, ctx.glyphs.ellipsis)).collect()
}

/// A rotated secret a row, and below them what is being done, since so many milliseconds.
pub fn rotation_rows(
    report: &RotationReport,
    (doing, doing_ms): (&str, u64),
    elapsed_ms: u64,
    room: Room,
    ctx: RenderContext,
) -> Vec<Line> {
    let rows = report.secrets.iter().map(|secret| {
        let (sign, role, note) = match (secret.verdict(), &secret.written) {
            (Some(judged), _) => {
                let outcome = outcome(judged.judgement.verdict);
                (ctx.glyphs.outcome(outcome), outcome_role(outcome), judged.judgement.verdict.to_string())
            }
            (None, Some(_)) => {
                (spinner(elapsed_ms, ctx), Role::Accent, "written, not seen to have arrived yet".to_owned())
            }
            (None, None) => (ctx.glyphs.waiting, Role::Muted, "not written yet".to_owned()),
        };
        let name = ctx.prose(&secret.secret);
        Line::of(role, sign).with(Role::Plain, format!(" {name}  ")).with(Role::Muted, note)
    });
    let first_open = report.secrets.iter().position(|secret| secret.verdict().is_none());
    framed(rows.collect(), first_open, waiting_line(doing, doing_ms, room, ctx), room, ctx)
}

/// A line that tells what is waited for, and for how long already.
fn waiting_line(words: &str, elapsed_ms: u64, room: Room, ctx: RenderContext) -> Line {
    let line = Line::of(Role::Accent, spinner(elapsed_ms, ctx)).with(Role::Plain, format!(" {}", ctx.prose(words)));
    let took = format!(" {} {}", ctx.glyphs.dot, seconds(elapsed_ms));
    let width = room.columns.saturating_sub(1 + took.chars().count());
    line.cut(width, ctx.glyphs.ellipsis).with(Role::Muted, took)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ansi::TextFormat;
    use crate::run::event::PlannedCheck;

    const WIDE: Room = Room { columns: 80, rows: 24 };

    fn planned() -> RunProgress {
        let ids = [CheckId::IssuerReachable, CheckId::TrustPolicy, CheckId::AwsGetSecret];
        let checks = ids.map(|id| PlannedCheck { id, title: id.check().title.to_owned() }).to_vec();
        let mut progress = RunProgress::default();
        let (profile, started) = ("prod\u{1b}[2J".to_owned(), String::new());
        progress.apply(&event(0, EventKind::Planned { profile, guide: "g".to_owned(), started, checks }));
        progress
    }

    fn event(at_ms: u64, kind: EventKind) -> RunEvent {
        RunEvent { seq: 0, at_ms, kind }
    }

    fn text(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| line.plain().trim_end().to_owned()).collect()
    }

    fn ended(id: CheckId, outcome: Outcome, reason: Option<&str>, duration_ms: u64) -> EventKind {
        let told = serde_json::json!({ "id": id.id(), "title": id.check().title, "outcome": outcome, "reason": reason,
            "started_ms": 0, "duration_ms": duration_ms, "facts": {}, "docs": "" });
        EventKind::Finished(Box::new(serde_json::from_value(told).unwrap()))
    }

    #[test]
    fn a_check_a_row_with_what_it_waits_for_and_for_how_long() {
        let ctx = TextFormat::PLAIN.context();
        let mut progress = planned();
        progress.apply(&event(5, ended(CheckId::IssuerReachable, Outcome::Pass, None, 38)));
        progress.apply(&event(10, EventKind::Started { check: CheckId::TrustPolicy }));
        let rows = text(&progress.rows(1_250, WIDE, ctx));
        assert_eq!(rows.len(), 4, "{rows:#?}");
        assert!(rows[0].starts_with("✓ issuer answers") && rows[0].ends_with("38 ms"), "{}", rows[0]);
        assert!(rows[1].ends_with("1.2 s"), "{}", rows[1]);
        assert!(rows[2].starts_with("○ "), "{}", rows[2]);
        assert_eq!(rows[3], "prod\\u{1b}[2J · 1 of 3 checks · 1.2 s");
        let retrying = EventKind::Retrying {
            check: CheckId::TrustPolicy,
            attempt: 1,
            delay_ms: 4_000,
            reason: "no provider yet".to_owned(),
        };
        progress.apply(&event(1_500, retrying));
        let rows = text(&progress.rows(2_500, WIDE, ctx));
        assert!(rows[1].ends_with("2.4 s, attempt 2 in 3.0 s: no provider yet"), "{}", rows[1]);
        let rows = text(&progress.rows(65_500, WIDE, ctx));
        assert!(rows[1].ends_with("1:05, attempt 2: no provider yet"), "{}", rows[1]);
    }

    #[test]
    fn no_row_is_wider_than_its_room_and_what_goes_on_is_among_those_that_fit() {
        let mut progress = planned();
        for id in [CheckId::IssuerReachable, CheckId::TrustPolicy] {
            progress.apply(&event(5, ended(id, Outcome::Fail, Some("no"), 1)));
        }
        progress.apply(&event(10, EventKind::Started { check: CheckId::AwsGetSecret }));
        for columns in [1, 20, 40] {
            let rows = progress.rows(900, Room { columns, rows: 3 }, TextFormat::PLAIN.context());
            assert_eq!(rows.len(), 2);
            assert!(rows.iter().all(|row| row.width() < columns.max(2)), "{columns}: {rows:?}");
        }
        let rows = text(&progress.rows(900, Room { columns: 40, rows: 3 }, TextFormat::PLAIN.context()));
        assert!(rows[0].contains("secret"), "{rows:?}");
    }

    #[test]
    fn a_profile_a_row() {
        let mut ended_run = planned();
        ended_run.apply(&event(5, ended(CheckId::TrustPolicy, Outcome::Fail, Some("no"), 1)));
        let mut running = planned();
        running.apply(&event(1, EventKind::Started { check: CheckId::TrustPolicy }));
        ended_run.apply(&event(
            9,
            EventKind::Done {
                verdict: RunVerdict::Fail,
                duration_ms: 9,
                findings: Vec::new(),
                undecided: None,
                cut_short: None,
            },
        ));
        let waiting = RunProgress::default();
        let profiles = [("a", Some(&ended_run)), ("b", Some(&running)), ("c", Some(&waiting)), ("broken", None)];
        let rows = text(&fleet_rows(&profiles, 2_000, WIDE, TextFormat::PLAIN.context()));
        assert!(rows[0].starts_with("✗ a ") && rows[0].contains("1 failed"), "{rows:#?}");
        assert!(rows[1].contains("0 of 3: "), "{rows:#?}");
        assert!(rows[2].starts_with("○ c"), "{rows:#?}");
        assert!(rows[3].ends_with("cannot be checked"), "{rows:#?}");
        assert_eq!(rows[4], "2 of 4 profiles · 2.0 s");
    }
}
