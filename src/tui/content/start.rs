//! The ways to begin, what people come for first: a setup of theirs, an error text, a new setup, a fleet; the lab last.

use super::{Rows, heading};
use crate::check::Link;
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
    Existing,
    Environment,
    Explain,
    New,
    Audit,
    Issuer,
    Token,
    Lab,
}

/// The ways that are open, what people come for first.
pub fn ways(model: &Model) -> Vec<StartChoice> {
    use StartChoice::{Audit, Environment, Existing, Explain, Issuer, Lab, New, Token};
    let has_variables = model.inputs.offers.iter().any(|(_, settings)| settings.len() > 1);
    let ways = [Existing, Environment, Explain, New, Audit, Issuer, Token, Lab];
    ways.into_iter().filter(|way| *way != Environment || has_variables).collect()
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
    let note = match way {
        StartChoice::Lab => {
            model.inputs.scenarios.as_ref().map_or_else(String::new, |all| count(all.len(), "scenario", "scenarios"))
        }
        StartChoice::New => count(Guide::ALL.len(), "setup", "setups"),
        StartChoice::Existing => count(model.inputs.profiles.len(), "profile", "profiles"),
        _ => String::new(),
    };
    let mut line = Line::of(Role::Strong, name(way));
    if width == usize::MAX {
        return line.with(Role::Muted, if note.is_empty() { note } else { format!(": {note}") });
    }
    if line.width() + 2 + note.len() <= width {
        line.push(Role::Plain, " ".repeat(width - line.width() - note.len()));
        line.push(Role::Muted, note);
    }
    line
}

const fn name(way: StartChoice) -> &'static str {
    match way {
        StartChoice::Existing => "Check a setup of yours",
        StartChoice::Environment => "Check what the environment says",
        StartChoice::Explain => "Explain an error text",
        StartChoice::New => "Set one up, step by step",
        StartChoice::Audit => "Audit a fleet's trusts",
        StartChoice::Issuer => "Look at an issuer",
        StartChoice::Token => "Look at a token",
        StartChoice::Lab => "Try it in the lab",
    }
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
    let title = match selected(model) {
        Some(StartChoice::Existing) => "Your profiles",
        Some(StartChoice::Environment) => "The environment",
        Some(StartChoice::Explain) => "An error text",
        Some(StartChoice::New) => "A new profile",
        Some(StartChoice::Audit) => "A fleet",
        Some(StartChoice::Issuer) => "An issuer",
        Some(StartChoice::Token) => "A token",
        Some(StartChoice::Lab) => "The lab",
        None => "Nothing matches",
    };
    title.to_owned()
}

/// What the selected way leads to.
pub fn detail(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    let said = |words: &str, next: &str| vec![Line::of(Role::Plain, words), act(model, next)];
    match selected(model) {
        Some(StartChoice::Existing) => existing(model, show),
        Some(StartChoice::Environment) => environment(model, show),
        Some(StartChoice::Explain) => said(
            "Paste what a cloud, a CI job or the platform answered, and see which causes give it, the likeliest first, each with its fix. The text stays on this machine.",
            "opens a box to paste it into; on any screen it can be pasted without one",
        ),
        Some(StartChoice::New) => {
            let mut lines = said(
                "Says what is wired to what, in a file that holds no secret. Each field is checked while you type.",
                "picks one of these",
            );
            lines.push(Line::empty());
            for guide in Guide::ALL {
                lines.push(Line::of(Role::Plain, format!("{} {}", show.glyphs.dot, guide_title(*guide))).hanging(2));
            }
            lines
        }
        Some(StartChoice::Audit) => said(
            "Judges every trust of a file or a folder: what accounts, directories and projects answer, and what Terraform declares. Who gets in, with a subject that proves it, what they reach, what is dead. Nothing is sent.",
            "asks for the path",
        ),
        Some(StartChoice::Issuer) => said(
            "Fetches what an issuer publishes, as a cloud does: the discovery document, the keys, the certificates. Says whether AWS, Entra and Google would take its tokens.",
            "asks for its address",
        ),
        Some(StartChoice::Token) => said(
            "Shows a token's claims and what they mean, what each side expects of them, and how long it is good for. It is never shown as such, never written, and never sent.",
            "opens a box to paste it into; on any screen it can be pasted without one",
        ),
        Some(StartChoice::Lab) => lab(model, show),
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
    for (link, scenarios) in by_link(scenarios.unwrap_or_default()) {
        let title = Line::of(Role::Muted, format!("{} ", show.glyphs.dot)).with(Role::Plain, group_title(link));
        lines.push(title.with(Role::Muted, format!("  {}", scenarios.len())).hanging(2));
    }
    lines
}

/// So many are told of before one of them is picked.
const MOST_PROFILES: usize = 50;

fn existing(model: &Model, show: RenderContext) -> Vec<Line> {
    if model.inputs.profiles.is_empty() {
        return vec![
            Line::of(
                Role::Plain,
                "There is no profile yet: a file that says what is wired to what, and holds no secret.",
            ),
            act(model, "makes one with a form; `trustline profile new NAME` does the same"),
        ];
    }
    let mut lines = vec![act(model, "picks the one to check"), Line::empty()];
    let profiles = &model.inputs.profiles;
    for profile in profiles.iter().take(MOST_PROFILES) {
        let mut line = Line::of(Role::Strong, show.prose(&profile.name)).hanging(2);
        match &profile.summary {
            Ok(guide) => line.push(Role::Muted, format!(" {} {}", show.glyphs.dot, show.prose(guide))),
            Err(problem) => line.push(Role::Bad, format!(" {} {}", show.glyphs.fail, show.prose(problem))),
        }
        lines.push(line);
    }
    if let Some(more) = profiles.len().checked_sub(MOST_PROFILES).filter(|more| *more > 0) {
        lines.push(Line::of(Role::Muted, format!("and {more} more")));
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

/// The places of the scenarios under the link of the chain that breaks, in the chain's order; those in which nothing does
/// come last.
pub fn by_link(scenarios: &[ScenarioEntry]) -> Vec<(Option<Link>, Vec<usize>)> {
    let places = |link| (0..scenarios.len()).filter(move |at| scenarios.get(*at).is_some_and(|it| it.link == link));
    let of = |link| (link, places(link).collect::<Vec<_>>());
    let groups = Link::ALL.into_iter().map(Some).chain([None]).map(of);
    groups.filter(|(_, group)| !group.is_empty()).collect()
}

/// What the scenarios of a group have in common.
pub const fn group_title(link: Option<Link>) -> &'static str {
    match link {
        Some(Link::Issuer) => "Issuer: reached, trusted, and says who it is",
        Some(Link::Keys) => "Keys: what tokens are verified with",
        Some(Link::Token) => "Token: its claims, its signature, its time",
        Some(Link::Trust) => "Trust: what the cloud accepts",
        Some(Link::Role) => "Role: the exchange, and what comes of it",
        Some(Link::Secret) => "Secret: reading it",
        Some(Link::Runtime) => "Runtime: the running automation",
        None => "Nothing is broken",
    }
}
