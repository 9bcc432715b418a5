//! The three ways to begin: the lab, a new profile, a profile that exists.

use super::{Rows, heading};
use crate::domain::profile::Guide;
use crate::guide::setup_guide;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role};
use crate::tui::command::{CommandId, Scope};
use crate::tui::inputs::ScenarioEntry;
use crate::tui::model::Model;

/// A way to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartChoice {
    Lab,
    New,
    Existing,
    Explain,
    Audit,
    Environment,
}

/// The ways that are open.
pub fn ways(model: &Model) -> Vec<StartChoice> {
    let mut ways =
        vec![StartChoice::Lab, StartChoice::New, StartChoice::Existing, StartChoice::Explain, StartChoice::Audit];
    if model.inputs.offers.iter().any(|(_, settings)| settings.len() > 1) {
        ways.push(StartChoice::Environment);
    }
    ways
}

/// The ways as rows.
pub fn rows(model: &Model) -> Rows<'_> {
    let ways = ways(model);
    Rows {
        count: ways.len(),
        line: Box::new(move |at, width| ways.get(at).map_or_else(Line::empty, |w| row(model, *w, width))),
    }
}

fn row(model: &Model, way: StartChoice, width: usize) -> Line {
    let (name, note) = match way {
        StartChoice::Lab => {
            let scenarios = model.inputs.scenarios.as_ref();
            ("Try it in the lab", scenarios.map_or_else(String::new, |all| count(all.len(), "scenario", "scenarios")))
        }
        StartChoice::New => ("Make a new profile", count(Guide::ALL.len(), "setup", "setups")),
        StartChoice::Existing => ("Open a profile", count(model.inputs.profiles.len(), "profile", "profiles")),
        StartChoice::Explain => ("Explain an error text", String::new()),
        StartChoice::Audit => ("Audit a fleet's trusts", String::new()),
        StartChoice::Environment => ("Check what the environment says", String::new()),
    };
    let width = if width == usize::MAX { 0 } else { width };
    let mut line = Line::of(Role::Strong, name);
    if line.width() + 2 + note.len() <= width {
        line.push(Role::Plain, " ".repeat(width - line.width() - note.len()));
        line.push(Role::Muted, note);
    }
    line
}

fn count(n: usize, one: &str, more: &str) -> String {
    match n {
        0 => format!("no {more}"),
        1 => format!("1 {one}"),
        n => format!("{n} {more}"),
    }
}

/// The selected way.
pub fn selected(model: &Model) -> Option<StartChoice> {
    ways(model).get(model.selected_row()?).copied()
}

/// The heading of the selected way's details.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some(StartChoice::Lab) => "The lab".to_owned(),
        Some(StartChoice::New) => "A new profile".to_owned(),
        Some(StartChoice::Existing) => "Your profiles".to_owned(),
        Some(StartChoice::Explain) => "An error text".to_owned(),
        Some(StartChoice::Audit) => "A fleet".to_owned(),
        Some(StartChoice::Environment) => "The environment".to_owned(),
        None => "Nothing matches".to_owned(),
    }
}

/// What the selected way leads to.
pub fn detail(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    match selected(model) {
        Some(StartChoice::Lab) => lab(model, show),
        Some(StartChoice::New) => {
            let mut lines = vec![
                Line::of(
                    Role::Plain,
                    "Says what is wired to what, in a file that holds no secret. Each field is checked while you type.",
                ),
                act(model, "picks one of these"),
                Line::empty(),
            ];
            for guide in Guide::ALL {
                lines.push(Line::of(Role::Plain, format!("{} {}", show.glyphs.dot, guide_title(*guide))).hanging(2));
            }
            lines
        }
        Some(StartChoice::Existing) => existing(model, show),
        Some(StartChoice::Explain) => vec![
            Line::of(
                Role::Plain,
                "Paste what a cloud, a CI job or the platform answered, and see which causes give it, the likeliest first, each with its fix. The text stays on this machine.",
            ),
            act(model, "opens a box to paste it into; on any screen it can be pasted without one"),
        ],
        Some(StartChoice::Audit) => vec![
            Line::of(
                Role::Plain,
                "Judges every trust of a file or a folder: what accounts, directories and projects answer, and what Terraform declares. Who gets in, with a subject that proves it, what they reach, what is dead. Nothing is sent.",
            ),
            act(model, "asks for the path"),
        ],
        Some(StartChoice::Environment) => environment(model, show),
        None => vec![Line::of(Role::Muted, "esc clears the filter")],
    }
}

/// The key that goes on from here, and where to.
fn act(model: &Model, words: &str) -> Line {
    let key = model.appearance.keymap.key(Scope::Main, CommandId::Open).map_or_else(String::new, |key| key.to_string());
    Line::of(Role::Accent, key).with(Role::Plain, format!(" {words}"))
}

fn lab(model: &Model, show: RenderContext) -> Vec<Line> {
    let mut lines = vec![
        Line::of(
            Role::Plain,
            "A cloud of its own on this machine: an issuer, STS, a secret store. Break it in one way, and see how that looks from outside. Nothing leaves this machine, and no account is needed.",
        ),
        act(model, "picks what is broken"),
        Line::empty(),
    ];
    let scenarios = model.inputs.scenarios.as_deref();
    if scenarios.is_some_and(<[_]>::is_empty) {
        lines.push(Line::of(Role::Warning, "this build has no lab scenarios"));
    }
    for (guide, scenarios) in by_guide(scenarios.unwrap_or_default()) {
        let ways = scenarios.iter().filter(|scenario| scenario.expects.is_some()).count();
        let title = Line::of(Role::Muted, format!("{} ", show.glyphs.dot)).with(Role::Plain, guide_title_of(guide));
        lines.push(title.with(Role::Muted, format!("  {}", count(ways, "fault", "faults"))).hanging(2));
    }
    lines
}

fn existing(model: &Model, show: RenderContext) -> Vec<Line> {
    if model.inputs.profiles.is_empty() {
        return vec![
            Line::of(Role::Plain, "There is no profile yet."),
            Line::empty(),
            Line::of(Role::Muted, "Make one with the form, or with `trustline profile new NAME`."),
        ];
    }
    let mut lines = vec![act(model, "picks the one to check"), Line::empty()];
    for profile in &model.inputs.profiles {
        let mut line = Line::of(Role::Strong, show.prose(&profile.name)).hanging(2);
        match &profile.summary {
            Ok(guide) => line.push(Role::Muted, format!(" {} {}", show.glyphs.dot, show.prose(guide))),
            Err(problem) => line.push(Role::Bad, format!(" {} {}", show.glyphs.fail, show.prose(problem))),
        }
        lines.push(line);
    }
    lines
}

fn environment(model: &Model, show: RenderContext) -> Vec<Line> {
    let mut lines = vec![
        Line::of(Role::Plain, "Variables around this process that say what is wired to what:"),
        act(model, "checks them"),
        Line::empty(),
    ];
    let Some((guide, settings)) = model.inputs.offers.iter().max_by_key(|(_, settings)| settings.len()) else {
        return lines;
    };
    for setting in settings {
        let mut line = Line::of(Role::Muted, setting.origin.to_string()).hanging(4);
        line.push(Role::Plain, format!("  {}", show.prose(&setting.value.to_string())));
        lines.push(line);
    }
    lines.push(Line::empty());
    lines.push(heading(guide_title(*guide)));
    lines
}

/// A guide in the words of a person who has to choose.
pub fn guide_title(guide: Guide) -> &'static str {
    &setup_guide(guide).choice
}

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
pub fn guide_title_of(id: &str) -> &str {
    Guide::ALL.iter().find(|guide| guide.id() == id).map_or(id, |guide| guide_title(*guide))
}
