//! Many profiles' reports as one: a summary first, then what each found.

use std::fmt::Write as _;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::paint::{Paint, Role, milliseconds};
use super::{finding_text, json, junit, markdown, text, undecided};
use crate::check::Outcome;
use crate::domain::text::visible;
use crate::run::event::RunVerdict;
use crate::run::report::Report;

/// The schema's name.
pub const SCHEMA: &str = "trustline.check-all/1";

/// What became of the profiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    pub members: Vec<Member>,
    /// RFC 3339 UTC.
    pub started: String,
    pub duration_ms: u64,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    Checked(Box<Report>),
    /// It could not be, or was not: why.
    Unchecked {
        profile: String,
        reason: String,
    },
}

/// How many profiles ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub inconclusive: usize,
    pub unchecked: usize,
}

impl Member {
    fn name(&self) -> &str {
        match self {
            Member::Checked(report) => &report.profile,
            Member::Unchecked { profile, .. } => profile,
        }
    }

    /// The verdict; a run that was cut off before it had one could not tell.
    pub fn verdict(&self) -> RunVerdict {
        match self {
            Member::Checked(report) => report.end.as_ref().map_or(RunVerdict::Inconclusive, |end| end.verdict),
            Member::Unchecked { .. } => RunVerdict::Inconclusive,
        }
    }
}

impl Fleet {
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for member in &self.members {
            *match (member, member.verdict()) {
                (Member::Unchecked { .. }, _) => &mut tally.unchecked,
                (_, RunVerdict::Pass) => &mut tally.passed,
                (_, RunVerdict::Fail) => &mut tally.failed,
                (_, RunVerdict::Inconclusive) => &mut tally.inconclusive,
            } += 1;
        }
        tally
    }

    /// The worst of the verdicts.
    pub fn verdict(&self) -> RunVerdict {
        let tally = self.tally();
        if tally.failed > 0 {
            RunVerdict::Fail
        } else if tally.inconclusive + tally.unchecked > 0 {
            RunVerdict::Inconclusive
        } else {
            RunVerdict::Pass
        }
    }
}

impl Tally {
    /// In words, without those that are zero.
    fn words(&self) -> String {
        let parts = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.inconclusive, "inconclusive"),
            (self.unchecked, "not checked"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if parts.is_empty() { "no profile".to_owned() } else { parts.join(", ") }
    }
}

/// For people: a line a profile, the findings of those that have any, and a last line that says it all.
pub fn text(fleet: &Fleet, paint: Paint) -> String {
    let mut out = String::new();
    let width = fleet.members.iter().map(|member| visible(member.name()).width()).max().unwrap_or(0);
    for member in &fleet.members {
        let (outcome, said) = match member {
            Member::Checked(report) => {
                let outcome = match member.verdict() {
                    RunVerdict::Pass if report.counts().warned > 0 => Outcome::Warn,
                    RunVerdict::Pass => Outcome::Pass,
                    RunVerdict::Fail => Outcome::Fail,
                    RunVerdict::Inconclusive => Outcome::Inconclusive,
                };
                (outcome, summary(report, paint))
            }
            Member::Unchecked { reason, .. } => (Outcome::Skipped, format!("not checked: {}", visible(reason))),
        };
        let _ = writeln!(out, "  {} {:width$}  {said}", paint.outcome(outcome), visible(member.name()));
    }
    for member in &fleet.members {
        let Member::Checked(report) = member else { continue };
        if report.findings.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", paint.paint(Role::Strong, &visible(&report.profile)));
        for line in report.findings.iter().flat_map(|finding| finding_text::lines(finding, paint)) {
            let _ = writeln!(out, "{line}");
        }
        for line in report.undecided.iter().flat_map(|undecided| undecided::lines(undecided, paint)) {
            let _ = writeln!(out, "{line}");
        }
    }
    let (word, role) = match fleet.verdict() {
        RunVerdict::Pass => ("PASS", Role::Good),
        RunVerdict::Fail => ("FAIL", Role::Bad),
        RunVerdict::Inconclusive => ("INCONCLUSIVE", Role::Warning),
    };
    let _ = writeln!(
        out,
        "\n{}  {} of {} {} {}",
        paint.paint(role, word),
        fleet.tally().words(),
        fleet.members.len(),
        paint.dot(),
        milliseconds(fleet.duration_ms),
    );
    out
}

fn summary(report: &Report, paint: Paint) -> String {
    let mut said = text::counts(&report.counts());
    if let Some(end) = &report.end {
        let _ = write!(said, " {} {}", paint.dot(), milliseconds(end.duration_ms));
        if let Some(why) = &end.cut_short {
            let _ = write!(said, " {} {}", paint.dot(), visible(why));
        }
    }
    said
}

/// `trustline.check-all/1`: each profile's own document, as `check` alone would print it.
pub fn json(fleet: &Fleet) -> Value {
    let profiles: Vec<Value> = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => json::report(report),
            Member::Unchecked { profile, reason } => json!({ "profile": profile, "not_checked": reason }),
        })
        .collect();
    let tally = fleet.tally();
    json!({
        "schema": SCHEMA,
        "started": fleet.started,
        "duration_ms": fleet.duration_ms,
        "verdict": fleet.verdict(),
        "counts": {
            "passed": tally.passed,
            "failed": tally.failed,
            "inconclusive": tally.inconclusive,
            "not_checked": tally.unchecked,
        },
        "profiles": profiles,
    })
}

/// JUnit: a suite a profile.
pub fn junit(fleet: &Fleet) -> String {
    let suites: String = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => junit::suite(report),
            Member::Unchecked { profile, reason } => junit::unchecked(profile, reason),
        })
        .collect();
    junit::document(&suites)
}

/// Markdown: the profiles' reports, one after the other.
pub fn markdown(fleet: &Fleet) -> String {
    let reports: Vec<String> = fleet
        .members
        .iter()
        .map(|member| match member {
            Member::Checked(report) => markdown::report(report),
            Member::Unchecked { profile, reason } => {
                format!("# trustline: {}\n\n**not checked**: {}\n", markdown::cell(profile), markdown::cell(reason))
            }
        })
        .collect();
    let summary = format!("**{}** of {} profiles.\n\n", fleet.tally().words(), fleet.members.len());
    summary + &reports.join("\n")
}
