//! Gathers findings by weight and turns them into a verdict.

use crate::cause::Finding;
use crate::check::Verdict;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The check fails.
    Fails,
    /// The check holds, with a warning.
    Warns,
}

/// The findings of one check.
#[derive(Debug, Default)]
pub(super) struct Tally {
    fails: Vec<Finding>,
    warns: Vec<Finding>,
}

impl Tally {
    pub(super) fn add(&mut self, weight: Weight, finding: Finding) {
        match weight {
            Weight::Fails => self.fails.push(finding),
            Weight::Warns => self.warns.push(finding),
        }
    }

    pub(super) fn fails(&mut self, finding: Finding) {
        self.add(Weight::Fails, finding);
    }

    pub(super) fn warns(&mut self, finding: Finding) {
        self.add(Weight::Warns, finding);
    }

    /// Fails on any failing finding, else warns on any other, else passes; the surest finding gives the reason.
    pub(super) fn verdict(mut self) -> Verdict {
        self.fails.sort_by_key(|finding| finding.certainty);
        self.warns.sort_by_key(|finding| finding.certainty);
        let failed = !self.fails.is_empty();
        let findings: Vec<Finding> = self.fails.into_iter().chain(self.warns).collect();
        match findings.first().map(|finding| finding.summary.clone()) {
            None => Verdict::pass(),
            Some(reason) if failed => Verdict::fail(reason, findings),
            Some(reason) => Verdict::warn(reason, findings),
        }
    }
}
