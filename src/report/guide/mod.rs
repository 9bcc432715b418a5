//! A setup guide with a profile's values and the state of each step: the list of guides and a guide as pages, a step in its
//! own file, and all of it as JSON for programs.

mod json;
pub mod step;

use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role, Span};
use super::page::Page;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::guide::{Artifact, SetupGuide, Step, StepState, Values, next_open};

pub use json::document;

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

/// How the texts of a guide are shown, and its times.
#[derive(Clone, Copy)]
pub struct GuideContext<'t> {
    pub ctx: RenderContext,
    /// A time, which is RFC 3339 UTC, as whoever reads it wants it.
    pub time: &'t dyn Fn(&str) -> String,
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

/// All guides, a few lines each.
pub fn list(guides: &[GuideReport]) -> Page {
    let mut page = Page::default();
    for guide in guides {
        let own = if guide.own { "  (this profile's)" } else { "" };
        let about = format!("  {}, {} steps{own}", guide.text.title, guide.text.count());
        let mut part = Page::titled(Line::of(Role::Strong, guide.guide.id()).with(Role::Plain, about).hanging(2));
        part.text(Role::Plain, guide.text.summary.as_str());
        page.part(part);
    }
    page.gap();
    page.text(Role::Plain, "`trustline guide GUIDE` prints one of them, `trustline guide GUIDE STEP` a step.");
    page
}

/// A guide: its steps with what shows that each is done, what fails, and its values.
pub fn summary(guide: &GuideReport, shown: GuideContext<'_>) -> Page {
    let mut page = Page::titled(Line::of(Role::Strong, guide.text.title.as_str()));
    page.text(Role::Plain, guide.text.summary.as_str());
    page.gap();
    push_steps(&mut page, guide, shown);
    for step in &guide.text.steps {
        let Some(StepState::Failing { findings, .. }) = guide.state(step) else { continue };
        page.gap();
        let mut part = Page::titled(Line::of(Role::Strong, format!("Step {} fails", step.number)));
        findings.iter().for_each(|found| part.part(finding::page(found, shown.ctx)));
        page.part(part);
    }
    if guide.states.is_some() {
        page.gap();
        push_values(&mut page, guide, shown.ctx);
    }
    if let Some(next) = guide.states.as_deref().and_then(next_open) {
        page.gap();
        let command = guide.values.command(&format!("trustline guide {} {next}", guide.guide.id()));
        page.text(Role::Plain, format!("Next: `{}`", shown.ctx.prose(&command)));
    }
    page.gap();
    step::push_reading(&mut page, &guide.text.reading);
    page.verdict = guide.states.as_deref().map(progress);
    page
}

/// The steps, each with what shows that it is done.
pub fn push_steps(page: &mut Page, guide: &GuideReport, shown: GuideContext<'_>) {
    match (&guide.checked, &guide.states) {
        (Some(at), _) => page.text(Role::Muted, format!("Checked at {}.", (shown.time)(at))),
        (None, Some(_)) => page.text(Role::Muted, "The checks were not run; `--check` judges each step by them."),
        (None, None) => {}
    }
    for step in &guide.text.steps {
        let state = guide.state(step);
        let mark = state.map_or_else(|| shown.ctx.dot(), |state| sign(state, shown.ctx));
        let title = Line::of(Role::Muted, format!("{:>2} ", step.number)).with(Role::Plain, step.title.as_str());
        page.item(mark, title.hanging(3));
        if let Some(state) = state {
            let how = Line::of(Role::Plain, "   ").followed_by(&state_words(state, shown));
            page.item(Span::of(Role::Plain, " "), how.hanging(3));
        }
    }
}

/// The values of the guide's fields, where the profile has them.
pub fn push_values(page: &mut Page, guide: &GuideReport, ctx: RenderContext) {
    page.heading("Values");
    for field in guide.text.fields() {
        if let Some(value) = value(guide, field.key, ctx) {
            page.field(field.key.path(), Line::of(Role::Plain, value));
        }
    }
}

/// A field's value. An external id is no credential, yet people keep it to themselves.
fn value(guide: &GuideReport, key: Key, ctx: RenderContext) -> Option<String> {
    let value = guide.values.text(key)?;
    Some(if key == Key::ExternalId { "(set, not shown)".to_owned() } else { ctx.value(value) })
}

/// How many steps are known in which way, and which is next.
pub fn progress(states: &[(u8, StepState)]) -> Line {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let by_hand = states.iter().filter(|(_, state)| matches!(state, StepState::Confirmed { .. })).count();
    match (next_open(states), by_hand) {
        (Some(next), _) => {
            Line::of(Role::Plain, format!("{done} of {} steps are done; step {next} is next.", states.len()))
        }
        (None, 0) => Line::of(Role::Good, format!("Every step is done: {done} verified.")),
        (None, _) => Line::of(
            Role::Good,
            format!("Every step is done: {} verified, {by_hand} confirmed by hand.", done - by_hand),
        ),
    }
}

/// The sign of a step's state.
pub fn sign(state: &StepState, ctx: RenderContext) -> Span {
    match state {
        StepState::Verified { .. } | StepState::Answered { .. } | StepState::Confirmed { .. } => {
            Span::of(Role::Good, ctx.glyphs.pass)
        }
        StepState::Failing { .. } => Span::of(Role::Bad, ctx.glyphs.fail),
        StepState::Blocked { .. } => Span::of(Role::Muted, ctx.glyphs.skipped),
        StepState::ToDo(_) => Span::of(Role::Plain, ctx.glyphs.waiting),
    }
}

/// A state in a word or three.
pub const fn state_word(state: &StepState) -> &'static str {
    match state {
        StepState::Verified { .. } | StepState::Answered { .. } => "verified",
        StepState::Confirmed { .. } => "confirmed by you",
        StepState::Failing { .. } => "failing",
        StepState::Blocked { .. } => "waits",
        StepState::ToDo(_) => "to do",
    }
}

/// A state in a line, behind its sign.
pub fn state_words(state: &StepState, shown: GuideContext<'_>) -> Line {
    let since = |at: &str| if at.is_empty() { String::new() } else { format!(", {}", (shown.time)(at)) };
    let more = match state {
        StepState::Verified { checks, proofs, at } => {
            let by: Vec<&str> = checks.iter().map(|check| check.id()).chain(proofs.iter().map(|p| p.id())).collect();
            format!(" by {}{}", by.join(", "), since(at))
        }
        StepState::Answered { check, code, says, at } => {
            format!(": {check} was refused with {}{}. {says}", shown.ctx.prose(code), since(at))
        }
        StepState::Confirmed { at } => since(at),
        StepState::Failing { check, .. } => format!(": {check}"),
        StepState::Blocked { by } => format!(" for step {by}, which fails"),
        StepState::ToDo(open) => {
            match (open.untold.first(), open.fields.len(), open.checks.is_empty(), open.confirmable) {
                (Some((check, why)), ..) => format!(": {check} could not be checked: {}", shown.ctx.prose(why)),
                (None, 1, ..) => ": a value is missing".to_owned(),
                (None, 2.., ..) => format!(": {} values are missing", open.fields.len()),
                (None, 0, _, true) => ": do it, then confirm".to_owned(),
                (None, 0, false, false) => ": not checked yet".to_owned(),
                (None, 0, true, false) => String::new(),
            }
        }
    };
    Line::of(sign(state, shown.ctx).role, state_word(state)).with(Role::Muted, more)
}
