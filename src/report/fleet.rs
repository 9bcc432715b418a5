//! Many profiles' reports as one: a summary first, then what each found.

use serde_json::{Value, json};

use super::{json, junit, markdown, run};
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
    pub fn name(&self) -> &str {
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
    pub fn words(&self) -> String {
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
            Member::Checked(report) => markdown::render(&run::page(report, markdown::CONTEXT)),
            Member::Unchecked { profile, reason } => {
                format!("# {}\n\n**not checked**: {}\n", markdown::cell(profile), markdown::cell(reason))
            }
        })
        .collect();
    let summary = format!("**{}** of {} profiles.\n\n", fleet.tally().words(), fleet.members.len());
    summary + &reports.join("\n")
}
