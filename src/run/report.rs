//! The report: what a stream of run events adds up to, at any moment of it.

use super::event::{EventKind, FinishedCheck, RunEvent, RunVerdict};
use crate::cause::{Finding, Undecided};
use crate::check::{CheckId, Outcome};
use crate::guide::CheckResult;

/// A run as far as its events tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The profile's name.
    pub profile: String,
    /// The guide's id.
    pub guide: String,
    /// When the run started, RFC 3339 UTC.
    pub started: String,
    /// The checks in the order of the chain of trust.
    pub checks: Vec<CheckState>,
    /// Ranked findings: those of the finished checks while it runs, the run's own ranking at its end.
    pub findings: Vec<Finding>,
    /// What a refusal leaves open, where it does.
    pub undecided: Option<Undecided>,
    /// Set when the run has ended.
    pub end: Option<RunEnd>,
}

/// One check's state within a report.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckState {
    /// Its id.
    pub id: CheckId,
    /// Its assertion.
    pub title: String,
    /// Where it stands.
    pub progress: Progress,
}

/// Where a check stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Not begun.
    Waiting,
    /// Begun at this millisecond of the run.
    Running {
        /// Milliseconds since the run started.
        since_ms: u64,
        /// Attempts already made without success, and why the last one failed.
        retries: Option<(u32, String)>,
    },
    /// Ended.
    Finished(Box<FinishedCheck>),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The run's verdict.
    pub verdict: RunVerdict,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Why the run ended before its plan, where it did.
    pub cut_short: Option<String>,
}

/// How many checks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub warned: usize,
    pub failed: usize,
    pub skipped: usize,
    pub inconclusive: usize,
}

/// The ranked finding that a check's own became: of the same check and values where there is one, else of the same cause.
fn same<'r>(ranked: &'r [Finding], own: &Finding) -> Option<&'r Finding> {
    let of_cause = || ranked.iter().filter(|found| found.cause == own.cause);
    let is_own =
        |found: &&Finding| found.check == own.check && (&found.expected, &found.actual) == (&own.expected, &own.actual);
    of_cause().find(is_own).or_else(|| of_cause().next())
}

impl FinishedCheck {
    /// The check's end as a guide's step judges it; `at` is when the run began, RFC 3339 UTC.
    pub fn judged(&self, at: &str) -> CheckResult {
        // A prediction shows nothing of what was set up.
        let predicted = self.facts.get("predicted") == Some(&true.into()) && self.outcome != Outcome::Fail;
        CheckResult {
            check: self.id,
            outcome: if predicted { Outcome::Skipped } else { self.outcome },
            reason: self.reason.clone(),
            findings: self.findings.clone(),
            blocked_by: self.blocked_by,
            code: self.facts.get("code").and_then(serde_json::Value::as_str).map(str::to_owned),
            at: at.to_owned(),
        }
    }
}

impl Report {
    /// Folds one event in.
    pub fn apply(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::Planned { profile, guide, started, checks } => {
                *self = Report {
                    profile: profile.clone(),
                    guide: guide.clone(),
                    started: started.clone(),
                    checks: checks
                        .iter()
                        .map(|c| CheckState { id: c.id, title: c.title.clone(), progress: Progress::Waiting })
                        .collect(),
                    ..Report::default()
                };
            }
            EventKind::Started { check } => {
                self.set(*check, Progress::Running { since_ms: event.at_ms, retries: None });
            }
            EventKind::Retrying { check, attempt, reason, .. } => {
                let since_ms = match self.check(*check) {
                    Some(CheckState { progress: Progress::Running { since_ms, .. }, .. }) => *since_ms,
                    _ => event.at_ms,
                };
                self.set(*check, Progress::Running { since_ms, retries: Some((*attempt, reason.clone())) });
            }
            EventKind::Finished(finished) => {
                self.findings.extend(finished.findings.iter().cloned());
                self.set(finished.id, Progress::Finished(finished.clone()));
            }
            EventKind::Done { verdict, duration_ms, findings, undecided, cut_short } => {
                self.findings = findings.clone();
                self.undecided = undecided.clone();
                self.add_fixes();
                self.end = Some(RunEnd { verdict: *verdict, duration_ms: *duration_ms, cut_short: cut_short.clone() });
            }
        }
    }

    /// Gives what each check found the fixes that the run's end brought: they are made from all that was seen.
    fn add_fixes(&mut self) {
        for check in &mut self.checks {
            let Progress::Finished(finished) = &mut check.progress else { continue };
            for own in &mut finished.findings {
                if let Some(ranked) = same(&self.findings, own) {
                    own.fixes.clone_from(&ranked.fixes);
                    own.see.clone_from(&ranked.see);
                    own.follows_from = ranked.follows_from;
                }
            }
        }
    }

    /// What there is to tell of a check once the run has ended: of what it found, that which the ranking left, and where
    /// another finding explains all of it, that one.
    pub fn told(&self, check: &FinishedCheck) -> Vec<Finding> {
        if self.end.is_none() {
            return check.findings.clone();
        }
        let left: Vec<Finding> = check.findings.iter().filter_map(|own| same(&self.findings, own)).cloned().collect();
        let is_explained = left.is_empty() && !check.findings.is_empty();
        let root = self.roots().next().filter(|_| is_explained).cloned();
        left.into_iter().chain(root).collect()
    }

    /// Folds a whole stream.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Self {
        let mut report = Report::default();
        for event in events {
            report.apply(event);
        }
        report
    }

    /// The findings that follow from no other.
    pub fn roots(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.follows_from.is_none())
    }

    /// The state of one check.
    pub fn check(&self, id: CheckId) -> Option<&CheckState> {
        self.checks.iter().find(|c| c.id == id)
    }

    /// The checks that have ended, in the order of the chain.
    pub fn finished(&self) -> impl Iterator<Item = &FinishedCheck> {
        self.checks.iter().filter_map(|c| match &c.progress {
            Progress::Finished(finished) => Some(finished.as_ref()),
            _ => None,
        })
    }

    /// How many checks ended in which way.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finished in self.finished() {
            match finished.outcome {
                Outcome::Pass => counts.passed += 1,
                Outcome::Warn => counts.warned += 1,
                Outcome::Fail => counts.failed += 1,
                Outcome::Skipped => counts.skipped += 1,
                Outcome::Inconclusive => counts.inconclusive += 1,
            }
        }
        counts
    }

    fn set(&mut self, id: CheckId, progress: Progress) {
        if let Some(check) = self.checks.iter_mut().find(|c| c.id == id) {
            check.progress = progress;
        }
    }
}
