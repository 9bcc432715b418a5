//! A setup guide with a profile's values and the state of each step: the list of guides and a guide as pages, a step in its
//! own file, and all of it as JSON for programs.

mod json;

use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role, Span};
use super::page::{Block, Code, Page};
use crate::cause::{Cause, catalogue};
use crate::check::CheckId;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Need;
use crate::guide::{
    Artifact, FailedElsewhere, Form, Missing, Open, Reading, Rendered, SetupGuide, Step, StepState, TemplateContext,
    TokenOrigin, Values, fill, next_open, render, token_origin,
};
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
    push_reading(&mut page, &guide.text.reading);
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
        StepState::ToDo(open) if !open.failed.is_empty() => Span::of(Role::Warning, ctx.glyphs.warn),
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
        StepState::ToDo(Open { failed, .. }) if !failed.is_empty() => {
            let told = |failed: &FailedElsewhere| {
                let reason = failed.reason.as_deref().map(|reason| format!(" failed: {}", shown.ctx.prose(reason)));
                format!(
                    "{}{} (fixed in step {})",
                    failed.check,
                    reason.as_deref().unwrap_or(" failed"),
                    failed.fixed_in
                )
            };
            format!(": {}", failed.iter().map(told).collect::<Vec<_>>().join("; "))
        }
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

/// So many of the causes that show in a step are told in a line each; the rest by their ids.
const MOST_FAILURES: usize = 8;

/// How one check of a step stands.
pub struct CheckStanding {
    pub sign: Span,
    /// How it ended, and when.
    pub words: String,
}

/// The whole step.
pub fn page(guide: &GuideReport, step: &Step, shown: GuideContext<'_>) -> Page {
    let ctx = shown.ctx;
    let mut filling = TemplateContext::new(&guide.values);
    let place = format!("{} {} of {}: ", guide.guide.id(), step.number, guide.text.count());
    let title = Line::of(Role::Muted, place).with(Role::Strong, step.title.as_str());
    let mut page = Page::titled(title.hanging(2));
    page.text(Role::Plain, ctx.prose(&fill(&step.purpose, &mut filling)));
    if let Some(state) = guide.state(step) {
        page.item(sign(state, ctx), state_words(state, shown));
    }
    push_places(&mut page, step, &mut filling, ctx);
    push_fields(&mut page, guide, step, ctx);
    if !step.instructions.is_empty() {
        page.gap();
        page.heading("Do");
        push_numbered(&mut page, &step.instructions, &mut filling, ctx);
    }
    push_origin(&mut page, step, &guide.values, ctx);
    let (in_tabs, beside): (Vec<Artifact>, Vec<Artifact>) =
        artifacts(step).into_iter().partition(|artifact| step.tabs.iter().any(|tab| tab.artifacts.contains(artifact)));
    for tab in &step.tabs {
        page.gap();
        page.heading(tab.title.as_str());
        push_numbered(&mut page, &tab.instructions, &mut filling, ctx);
        push_artifacts(&mut page, &tab.artifacts, &in_tabs, &guide.values, ctx);
    }
    if step.tabs.is_empty() {
        push_artifacts(&mut page, &beside, &beside, &guide.values, ctx);
    } else if !beside.is_empty() {
        page.gap();
        page.heading(if in_tabs.is_empty() { "Artifacts" } else { "More artifacts" });
        beside.iter().for_each(|which| push_named(&mut page, *which, &guide.values, ctx));
    }
    push_caveats(&mut page, step, &mut filling, ctx);
    page.gap();
    page.heading("Done when");
    push_done_when(&mut page, step, &|_| None, ctx);
    if let Some(confirm) = &step.confirm {
        page.dotted(Line::of(Role::Plain, format!("{} (--confirm)", ctx.prose(confirm))), ctx);
    }
    push_failures(&mut page, &step.failures(guide.guide), &guide.values, ctx);
    push_reading_apart(&mut page, &step.reading);
    page
}

/// Where the step is done.
pub fn push_places(page: &mut Page, step: &Step, filling: &mut TemplateContext<'_>, ctx: RenderContext) {
    if step.places.is_empty() {
        return;
    }
    page.gap();
    page.heading("Where");
    for place in &step.places {
        let mut lines = vec![Line::of(Role::Plain, ctx.prose(&fill(&place.path, filling)))];
        lines.extend(place.address.iter().map(|address| Line::of(Role::Accent, ctx.prose(&fill(address, filling)))));
        page.push(Block::Field { label: place.on.id().to_owned(), lines });
    }
}

/// The profile's values that the step needs or yields.
fn push_fields(page: &mut Page, guide: &GuideReport, step: &Step, ctx: RenderContext) {
    if step.fields.is_empty() {
        return;
    }
    page.gap();
    page.heading("Values");
    for field in &step.fields {
        let line = match value(guide, field.key, ctx) {
            Some(value) => Line::of(Role::Plain, value),
            None if field.need == Need::Required => Line::of(Role::Warning, "missing; needed"),
            None => Line::of(Role::Muted, "not set"),
        };
        let about = field.note.as_deref().unwrap_or(field.key.about());
        page.field(field.key.path(), line.with(Role::Muted, format!("  ({about})")));
    }
}

pub fn push_numbered(page: &mut Page, lines: &[String], filling: &mut TemplateContext<'_>, ctx: RenderContext) {
    for (at, line) in lines.iter().enumerate() {
        let mark = Span::of(Role::Muted, format!("{}.", at + 1));
        page.item(mark, Line::of(Role::Plain, ctx.prose(&fill(line, filling))));
    }
}

/// How a token is had at this step, where it yields one.
pub fn push_origin(page: &mut Page, step: &Step, values: &Values, ctx: RenderContext) {
    let Some(TokenOrigin { how, script, missing }) = token_origin(step, values) else { return };
    page.gap();
    page.heading("Where a token comes from");
    how.iter().for_each(|line| page.dotted(Line::of(Role::Plain, ctx.prose(line)), ctx));
    if let Some(script) = &script {
        page.push(Block::Code(Code { lines: copied(script, &missing, ctx), printed_by: None }));
    }
    push_note(page, missing_words(&missing), ctx);
}

fn push_artifacts(page: &mut Page, shown: &[Artifact], beside: &[Artifact], values: &Values, ctx: RenderContext) {
    for which in shown {
        // Whole configurations would bury the step, and so would what a script beside it holds already.
        if which.form() == Form::Terraform || is_held_by_another(*which, beside, values) {
            push_named(page, *which, values, ctx);
        } else {
            page.gap();
            let title = Line::of(Role::Strong, which.title()).with(Role::Muted, format!("  ({which})"));
            page.push(Block::Heading(title));
            push_artifact(page, &render(*which, values), ctx);
        }
    }
}

/// An artifact by the command that prints it.
pub fn push_named(page: &mut Page, which: Artifact, values: &Values, ctx: RenderContext) {
    let title = Line::of(Role::Command, ctx.prose(&values.command(&format!("trustline render {which}"))));
    page.push(Block::Text(title.with(Role::Plain, format!("  {}", which.title())).hanging(2)));
}

/// An artifact to copy, from the first column on, and what is missing in it.
pub fn push_artifact(page: &mut Page, rendered: &Rendered, ctx: RenderContext) {
    page.push(Block::Code(Code { lines: copied(&rendered.text, &rendered.missing, ctx), printed_by: None }));
    let notes = rendered.notes.iter().cloned().chain(missing_words(&rendered.missing));
    notes.for_each(|note| push_note(page, Some(note), ctx));
}

fn push_note(page: &mut Page, note: Option<String>, ctx: RenderContext) {
    if let Some(note) = note {
        page.text(Role::Muted, format!("Note: {}", ctx.prose(&note)));
    }
}

/// Lines to copy, with the placeholders in them marked.
fn copied(text: &str, missing: &[Missing], ctx: RenderContext) -> Vec<Line> {
    let marked = |text: String| {
        let (mut line, mut rest) = (Line::empty(), text.as_str());
        let next = |rest: &str| {
            let places = missing.iter().filter_map(|m| Some((rest.find(&m.placeholder)?, m.placeholder.as_str())));
            places.min()
        };
        while let Some((at, placeholder)) = next(rest) {
            line.push(Role::Command, rest.get(..at).unwrap_or_default());
            line.push(Role::Warning, placeholder);
            rest = rest.get(at + placeholder.len()..).unwrap_or_default();
        }
        line.with(Role::Command, rest)
    };
    ctx.code(text.trim_end()).into_iter().map(marked).collect()
}

/// What to set so that the placeholders go.
fn missing_words(missing: &[Missing]) -> Option<String> {
    let words: Vec<String> = missing.iter().map(|m| format!("{} is {}", m.placeholder, m.key.path())).collect();
    (!words.is_empty()).then(|| format!("{} (set with --set KEY=VALUE or in the profile)", words.join(", ")))
}

/// Whether a script among `artifacts` holds the whole text of a document, so that it need not stand there twice.
fn is_held_by_another(which: Artifact, artifacts: &[Artifact], values: &Values) -> bool {
    let document = render(which, values).text;
    let mut scripts = artifacts.iter().filter(|other| other.form() == Form::Shell);
    which.form() == Form::Json && scripts.any(|other| render(*other, values).text.contains(document.trim_end()))
}

/// Where common instructions differ from what holds.
pub fn push_caveats(page: &mut Page, step: &Step, filling: &mut TemplateContext<'_>, ctx: RenderContext) {
    if step.corrections.is_empty() {
        return;
    }
    page.gap();
    page.heading("Caveats");
    for correction in &step.corrections {
        page.dotted(Line::of(Role::Plain, ctx.prose(&fill(correction, filling))), ctx);
    }
}

/// What the step is done by, with how each check stands where that is known.
pub fn push_done_when(
    page: &mut Page,
    step: &Step,
    standing: &dyn Fn(CheckId) -> Option<CheckStanding>,
    ctx: RenderContext,
) {
    let mut told = |check: CheckId, standing: Option<CheckStanding>| {
        let (sign, words) = match standing {
            Some(standing) => (standing.sign, format!("{check}, {}", standing.words)),
            None => (Span::of(Role::Muted, ctx.glyphs.waiting), check.to_string()),
        };
        page.item(sign, Line::of(Role::Plain, check.title()));
        page.item(Span::of(Role::Plain, " "), Line::of(Role::Muted, words));
    };
    step.checks.iter().for_each(|check| told(*check, standing(*check)));
    let known = step.seen_by.iter().chain(&step.supporting).filter_map(|check| Some((*check, standing(*check)?)));
    known.for_each(|(check, standing)| told(check, Some(standing)));
    for answer in &step.shown_by_answers {
        let refused = format!("or {} is refused with {}: {}", answer.check, answer.codes.join(", "), answer.says);
        page.dotted(Line::of(Role::Muted, refused), ctx);
    }
    for proof in &step.shown_by {
        page.dotted(Line::of(Role::Muted, format!("or {} shows it", proof.id())), ctx);
    }
}

/// The causes that show in the step.
pub fn push_failures(page: &mut Page, failures: &[Cause], values: &Values, ctx: RenderContext) {
    if failures.is_empty() {
        return;
    }
    page.gap();
    page.heading("What goes wrong here");
    let (told, named) = failures.split_at(failures.len().min(MOST_FAILURES));
    for cause in told {
        let title = catalogue::entry(*cause).title.as_str();
        page.push(Block::Text(Line::of(Role::Muted, format!("{cause}  ")).with(Role::Plain, title).hanging(2)));
    }
    if !named.is_empty() {
        let names: Vec<&str> = named.iter().map(|cause| cause.id()).collect();
        page.push(Block::Text(Line::of(Role::Muted, format!("or {}", names.join(", "))).hanging(2)));
    }
    let check = ctx.prose(&values.command("trustline check"));
    page.text(Role::Plain, format!("`{check}` says which it is, and `trustline explain` reads an error text."));
}

/// Where to read on, behind what stands before.
pub fn push_reading_apart(page: &mut Page, reading: &[Reading]) {
    if !reading.is_empty() {
        page.gap();
        push_reading(page, reading);
    }
}

fn push_reading(page: &mut Page, reading: &[Reading]) {
    page.heading("To read");
    for Reading { title, url } in reading {
        // A vendor's page tells nothing of a person, so privacy leaves it.
        page.push(Block::Text(Line::of(Role::Plain, format!("{title}: ")).with(Role::Accent, url.as_str()).hanging(2)));
    }
}
