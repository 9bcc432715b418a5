//! The plan of a run: which checks are asked for, and which steps that takes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::check::CheckId;
use crate::check::step::Step;
use crate::domain::profile::{Guide, Profile};

/// Which checks a person asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, where any are named; what they need runs too, without being judged.
    pub only: Vec<CheckId>,
    /// All but these.
    pub skip: Vec<CheckId>,
}

impl Selection {
    /// Whether a check is asked for.
    pub fn holds(&self, check: CheckId) -> bool {
        (self.only.is_empty() || self.only.contains(&check)) && !self.skip.contains(&check)
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole run, without the waiting below.
    pub total: Duration,
    /// How long to try again what may still be propagating; zero for one attempt.
    pub wait: Duration,
}

/// What a run is going to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The checks in the order of the chain of trust.
    pub checks: Vec<CheckId>,
    /// The steps that run.
    pub steps: BTreeSet<Step>,
    /// The checks that are not judged because a person did not ask for them.
    pub deselected: BTreeSet<CheckId>,
}

impl Plan {
    /// The plan for a profile and a selection.
    pub fn new(profile: &Profile, selection: &Selection) -> Self {
        let applicable: BTreeSet<Step> = Step::ALL.iter().copied().filter(|s| s.applies(profile)).collect();
        let checks: Vec<CheckId> = CheckId::ALL
            .iter()
            .copied()
            .filter(|id| step_of(*id, profile).is_some_and(|step| applicable.contains(&step)))
            .collect();
        // A check that is left out sends nothing; what lives by its answer is blocked by it.
        let is_left_out = |step: Step| {
            let informed: Vec<CheckId> =
                checks.iter().copied().filter(|check| step_of(*check, profile) == Some(step)).collect();
            !informed.is_empty() && informed.iter().all(|check| selection.skip.contains(check))
        };
        let open: BTreeSet<Step> = applicable.iter().copied().filter(|step| !is_left_out(*step)).collect();
        let deselected = checks.iter().copied().filter(|c| !selection.holds(*c)).collect();
        let mut steps = BTreeSet::new();
        for check in checks.iter().filter(|c| selection.holds(**c)) {
            if let Some(step) = step_of(*check, profile) {
                add(step, profile.guide, &open, &mut steps);
            }
        }
        Plan { checks, steps, deselected }
    }
}

fn step_of(check: CheckId, profile: &Profile) -> Option<Step> {
    (check.check().step)(profile)
}

/// Adds a step with all that it follows and all that explains its refusal.
fn add(step: Step, guide: Guide, applicable: &BTreeSet<Step>, steps: &mut BTreeSet<Step>) {
    if applicable.contains(&step) && steps.insert(step) {
        for needed in step.after(guide).iter().chain(step.explained_by()) {
            add(*needed, guide, applicable, steps);
        }
    }
}
