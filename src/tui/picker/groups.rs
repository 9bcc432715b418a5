//! The lab's scenarios by the guide that they follow.

use crate::domain::profile::Guide;
use crate::tui::content::start::guide_title;
use crate::tui::inputs::ScenarioEntry;

/// The guides in the order in which their first scenario comes, each with its scenarios.
pub fn by_guide(scenarios: &[ScenarioEntry]) -> Vec<(&str, Vec<&ScenarioEntry>)> {
    let mut groups: Vec<(&str, Vec<&ScenarioEntry>)> = Vec::new();
    for scenario in scenarios {
        match groups.iter_mut().find(|(guide, _)| *guide == scenario.guide) {
            Some((_, group)) => group.push(scenario),
            None => groups.push((&scenario.guide, vec![scenario])),
        }
    }
    groups
}

/// A guide's id in the words of a person who has to choose.
pub fn title(id: &str) -> &str {
    Guide::ALL.iter().find(|guide| guide.id() == id).map_or(id, |guide| guide_title(*guide))
}
