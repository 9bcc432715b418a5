//! A setup guide with a profile's values and the state of each step: as JSON for programs, as Markdown for a ticket.

mod json;
mod markdown;

use crate::domain::profile::Guide;
use crate::guide::{Artifact, SetupGuide, Step, StepState, Values};

pub use json::document;
pub use markdown::{step as step_markdown, summary};

/// A guide with what is known of it here.
#[derive(Clone, Debug)]
pub struct GuideReport {
    pub guide: Guide,
    pub text: &'static SetupGuide,
    pub values: Values,
    /// Where each step stands; `None` where no profile is followed.
    pub states: Option<Vec<(u8, StepState)>>,
    /// Whether it is the profile's own guide.
    pub own: bool,
    /// When the checks were run, RFC 3339 UTC, if they were.
    pub checked: Option<String>,
}

impl GuideReport {
    /// Where a step stands.
    pub fn state(&self, step: &Step) -> Option<&StepState> {
        self.states.as_ref()?.iter().find(|(number, _)| *number == step.number).map(|(_, state)| state)
    }
}

/// The artifacts of a step, those of its tabs included, each once.
pub fn artifacts(step: &Step) -> Vec<Artifact> {
    let mut all: Vec<Artifact> = Vec::new();
    for artifact in step.artifacts.iter().chain(step.tabs.iter().flat_map(|tab| &tab.artifacts)) {
        if !all.contains(artifact) {
            all.push(*artifact);
        }
    }
    all
}
