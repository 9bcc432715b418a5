//! A report for people: the checks in the order of the chain, the findings, and a last line that says it all.

use unicode_width::UnicodeWidthStr as _;

use super::paint::{Paint, Role, milliseconds};
use super::{finding_text, undecided};
use crate::check::Outcome;
use crate::domain::text::visible;
use crate::run::event::NOT_ASKED_FOR;
use crate::run::event::{FinishedCheck, RunVerdict};
use crate::run::report::{CheckState, Counts, Progress, Report};

/// Columns before a check's reason beside its title: the sign, the time and the gaps.
const REASON: usize = 16;

/// The whole report, ending in a line feed.
pub fn report(report: &Report, paint: Paint) -> String {
    let mut text = format!(
        "{} {} {}\n\n",
        paint.paint(Role::Strong, &visible(&report.profile)),
        paint.dot(),
        visible(&report.guide),
    );
    let asked: Vec<&CheckState> = report.checks.iter().filter(|check| !is_not_asked_for(check)).collect();
    let width = asked.iter().map(|c| visible(&c.title).width()).max().unwrap_or(0);
    for check in asked {
        match &check.progress {
            Progress::Finished(finished) => text.push_str(&check_line(finished, width, paint)),
            _ => text.push_str(&format!(
                "  {} {:width$}  not finished\n",
                paint.outcome(Outcome::Skipped),
                visible(&check.title)
            )),
        }
    }
    for finding in &report.findings {
        text.push('\n');
        for line in finding_text::lines(finding, paint) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    if let Some(undecided) = &report.undecided {
        text.push('\n');
        for line in undecided::lines(undecided, paint) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text.push('\n');
    text.push_str(&last_line(report, paint));
    text.push('\n');
    text
}

/// Left out by `--only` or `--skip`.
fn is_not_asked_for(check: &CheckState) -> bool {
    matches!(&check.progress, Progress::Finished(finished) if finished.reason.as_deref() == Some(NOT_ASKED_FOR))
}

fn check_line(check: &FinishedCheck, width: usize, paint: Paint) -> String {
    let time = match check.outcome {
        Outcome::Skipped => String::new(),
        _ if check.duration_ms == 0 => String::new(),
        _ => milliseconds(check.duration_ms),
    };
    let reason = check.reason.as_deref().map(visible).unwrap_or_default();
    let line = format!(
        "  {} {:width$}  {}  {}",
        paint.outcome(check.outcome),
        visible(&check.title),
        paint.paint(Role::Muted, &format!("{time:>8}")),
        if check.outcome == Outcome::Skipped { paint.paint(Role::Muted, &reason) } else { reason.into_owned() },
    );
    format!("{}\n", paint.fold(line.trim_end(), width + REASON))
}

fn last_line(report: &Report, paint: Paint) -> String {
    let Some(end) = &report.end else {
        return paint.paint(Role::Warning, "UNFINISHED: the recording ends before the run does");
    };
    let (word, role) = match end.verdict {
        RunVerdict::Pass => ("PASS", Role::Good),
        RunVerdict::Fail => ("FAIL", Role::Bad),
        RunVerdict::Inconclusive => ("INCONCLUSIVE", Role::Warning),
    };
    let mut line = format!(
        "{}  {} {} {}",
        paint.paint(role, word),
        counts(&report.counts()),
        paint.dot(),
        milliseconds(end.duration_ms)
    );
    if let Some(why) = &end.cut_short {
        line.push_str(&format!(" {} {}", paint.dot(), visible(why)));
    }
    line
}

/// The counts in words, without those that are zero: `9 passed, 1 warning, 2 failed`.
pub fn counts(counts: &Counts) -> String {
    [
        (counts.passed, "passed"),
        (counts.warned, if counts.warned == 1 { "warning" } else { "warnings" }),
        (counts.failed, "failed"),
        (counts.inconclusive, "could not be checked"),
        (counts.skipped, "skipped"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}
