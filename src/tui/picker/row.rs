//! The rows of a list on top. Of scenarios and profiles there may be hundreds: they become entries where they are seen.

use std::borrow::Cow;

use super::{Choice, Entry};
use crate::domain::guide::Guide;
use crate::report::context::RenderContext;
use crate::report::line::Role;
use crate::tui::content::start::{by_link, group_title};
use crate::tui::inputs::{ProfileEntry, ScenarioEntry, Target};
use crate::tui::model::{Model, PickerKind};

/// A row of a list on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Made(Entry),
    /// One of the lab's scenarios, by its place.
    Scenario(usize),
    /// One of the profiles, by its place.
    Profile(usize),
}

impl Row {
    /// Whether it only stands above others.
    pub fn is_heading(&self) -> bool {
        matches!(self, Row::Made(Entry { choice: Choice::Heading, .. }))
    }

    /// The entry that it is in a list of this kind.
    pub fn entry(&self, model: &Model, kind: PickerKind) -> Cow<'_, Entry> {
        let show = model.render_context();
        let made = match self {
            Row::Made(entry) => return Cow::Borrowed(entry),
            Row::Scenario(place) => scenarios(model).get(*place).map(|scenario| scenario_entry(scenario, kind, show)),
            Row::Profile(place) => model.inputs.profiles.get(*place).map(|profile| profile_entry(profile, kind, show)),
        };
        Cow::Owned(made.unwrap_or_else(|| Entry::heading("")))
    }
}

fn scenarios(model: &Model) -> &[ScenarioEntry] {
    model.inputs.scenarios.as_deref().unwrap_or_default()
}

/// The lab's scenarios under the link that breaks.
pub(super) fn scenario_rows(model: &Model) -> Vec<Row> {
    let group = |(link, places): (_, Vec<usize>)| {
        let heading = Entry::heading(&format!("{} ({})", group_title(link), places.len()));
        std::iter::once(Row::Made(heading)).chain(places.into_iter().map(Row::Scenario))
    };
    by_link(scenarios(model)).into_iter().flat_map(group).collect()
}

/// The profiles that exist.
pub(super) fn profile_rows(model: &Model) -> impl Iterator<Item = Row> {
    (0..model.inputs.profiles.len()).map(Row::Profile)
}

/// None of the scenarios is the user's own, so a broken one has no sign of failing. The palette says where each leads.
fn scenario_entry(scenario: &ScenarioEntry, kind: PickerKind, show: RenderContext) -> Entry {
    let leads = match (&scenario.expects, scenario.link) {
        (Some(cause), _) => format!("leads to {cause}"),
        (None, Some(_)) => "checks pass; more than a check shows it".to_owned(),
        (None, None) => "nothing is broken".to_owned(),
    };
    let sign = match scenario.link {
        Some(_) => (show.glyphs.dot, Role::Muted),
        None => (show.glyphs.pass, Role::Good),
    };
    let guide = Guide::ALL.iter().find(|guide| guide.id() == scenario.guide);
    let title = show.prose(&scenario.title);
    let detail = vec![
        title.clone(),
        show.prose(&scenario.teaches),
        format!("{} {dot} {} {dot} {leads}", scenario.name, show.prose(&scenario.guide), dot = show.glyphs.dot),
    ];
    let (title, note) = match kind {
        PickerKind::Palette => (format!("{title} ({})", scenario.name), "lab".to_owned()),
        _ => (title, scenario.name.clone()),
    };
    Entry {
        sign: Some(sign),
        title,
        note,
        brief: guide.map_or("", |guide| guide.cloud().name()),
        detail,
        choice: Choice::Run(Target::Lab(scenario.name.clone())),
    }
}

fn profile_entry(profile: &ProfileEntry, kind: PickerKind, show: RenderContext) -> Entry {
    let note = match kind {
        PickerKind::Palette => "check".to_owned(),
        _ => profile.summary.as_ref().map(|guide| show.prose(guide)).unwrap_or_default(),
    };
    Entry {
        brief: "",
        sign: Some(match &profile.summary {
            Ok(_) => (" ", Role::Plain),
            Err(_) => (show.glyphs.fail, Role::Bad),
        }),
        title: show.prose(&profile.name),
        note,
        detail: match &profile.summary {
            Ok(_) => vec![show.prose(&profile.path.display().to_string())],
            Err(problem) => vec![show.prose(problem)],
        },
        choice: Choice::Run(Target::Named(profile.name.clone())),
    }
}
