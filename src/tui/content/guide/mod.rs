//! The guide: the steps that are left with their states, the step in the middle, and what shows that it is done.

mod field;
mod step;
mod summary;

use unicode_width::UnicodeWidthStr as _;

use super::log::moment;
use super::start::guide_title;
use super::{Rows, finding_lines, heading, pane_lines};
use crate::check::CheckId;
use crate::domain::profile::Guide;
use crate::domain::timestamp::parse_rfc3339;
use crate::guide::{CheckResult, Step, StepState, next_open};
use crate::report::context::{RenderContext, outcome_word};
use crate::report::guide as report;
use crate::report::guide::CheckStanding;
use crate::report::guide::{GuideContext, sign, state_word, state_words};
use crate::report::line::{Line, Role, Span, Wrap, cut, fit};
use crate::report::page::{Block, Page};
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::inputs::Keeps;
use crate::tui::model::Model;
use crate::tui::model::guide::Followed;
pub use field::{StepLayout, cursor, field_at, place};
pub(in crate::tui) use step::offered;

/// Columns of a row before the step's title: the sign and the number.
const NUMBER: usize = 5;

/// What a row of the screen's list stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A guide to begin with.
    Guide(Guide),
    /// A step of the guide that is followed, by its number.
    Step(u8),
    Summary,
}

/// The row that is selected.
pub fn selected(model: &Model) -> Option<Row> {
    if model.screen != Screen::Guide {
        return None;
    }
    row_at(model, model.selected_row()?)
}

fn row_at(model: &Model, at: usize) -> Option<Row> {
    match &model.guide.followed {
        None => Guide::ALL.get(at).copied().map(Row::Guide),
        Some(followed) => {
            let steps = &followed.text().steps;
            steps.get(at).map(|step| Row::Step(step.number)).or_else(|| (at == steps.len()).then_some(Row::Summary))
        }
    }
}

/// The profile that is followed, and its step that is selected.
pub fn selected_step(model: &Model) -> Option<(&Followed, &'static Step)> {
    let Some(Row::Step(number)) = selected(model) else { return None };
    let followed = model.guide.followed.as_deref()?;
    Some((followed, followed.text().step(number)?))
}

/// The steps and the summary; without a profile the guides.
pub fn rows(model: &Model) -> Rows<'_> {
    let Some(followed) = model.guide.followed.as_deref() else {
        return Rows {
            count: Guide::ALL.len(),
            line: Box::new(|at, _| {
                Guide::ALL.get(at).map_or_else(Line::empty, |guide| Line::of(Role::Plain, guide_title(*guide)))
            }),
        };
    };
    let states = followed.states();
    let next = next_open(&states);
    let show = model.render_context();
    Rows {
        count: states.len() + 1,
        line: Box::new(move |at, width| match (followed.text().steps.get(at), states.get(at)) {
            (Some(step), Some((_, state))) => row(step, state, next == Some(step.number), width, show),
            _ => summary::row(&states, width, show),
        }),
    }
}

fn row(step: &Step, state: &StepState, is_next: bool, width: usize, show: RenderContext) -> Line {
    let Span { role, text: mark } = sign(state, show);
    let (title, note_role, note) = match state {
        StepState::Failing { .. } => (Role::Bad, Role::Bad, "failing".to_owned()),
        _ if is_next => (Role::Strong, Role::Accent, "next".to_owned()),
        StepState::Verified { .. } | StepState::Answered { .. } => (Role::Muted, Role::Muted, String::new()),
        StepState::Confirmed { .. } => (Role::Muted, Role::Muted, "by hand".to_owned()),
        StepState::Blocked { by } => (Role::Muted, Role::Muted, format!("after {by}")),
        StepState::ToDo(_) => (Role::Plain, Role::Muted, String::new()),
    };
    // A filter looks at the whole row, so a row of no bounded width says all it knows.
    if width == usize::MAX {
        return Line::of(Role::Plain, format!("{} {} {} {note}", step.number, step.title, state_word(state)));
    }
    let mut line = Line::of(role, mark).with(Role::Muted, format!(" {:>2} ", step.number));
    line.push(title, cut(&step.title, width.saturating_sub(NUMBER), show.glyphs.ellipsis));
    // The name goes before the word for its state, which the sign tells too.
    if !note.is_empty() && line.width() + 1 + note.len() <= width {
        line.push(Role::Plain, " ".repeat(width - line.width() - note.len()));
        line.push(note_role, note);
    }
    line
}

/// The heading of the middle.
pub fn detail_title(model: &Model) -> String {
    match (selected(model), selected_step(model)) {
        (_, Some((_, step))) if step.number == 0 => step.title.clone(),
        (_, Some((followed, step))) => format!("{} of {}: {}", step.number, followed.text().count(), step.title),
        (Some(Row::Guide(guide)), _) => crate::guide::setup_guide(guide).title.clone(),
        (Some(Row::Summary), _) => "Summary".to_owned(),
        _ => "Nothing matches".to_owned(),
    }
}

/// The middle: the step, the summary, or what a guide leads to.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    layout(model, width).lines
}

/// The middle with where its fields are.
pub fn layout(model: &Model, width: usize) -> StepLayout {
    match (selected(model), model.guide.followed.as_deref(), selected_step(model)) {
        (_, _, Some((followed, step))) => step::layout_step(model, followed, step, width),
        (Some(Row::Summary), Some(followed), _) => StepLayout::of(summary::lines(model, followed, width)),
        (Some(Row::Guide(guide)), ..) => StepLayout::of(offer(guide)),
        _ => StepLayout::of(vec![Line::of(Role::Muted, "nothing matches the filter; esc clears it")]),
    }
}

/// What stands beside the step where there is room: what shows that it is done, or what is wrong.
pub fn aside(model: &Model, width: usize) -> Vec<Line> {
    match (selected_step(model), model.guide.followed.as_deref()) {
        (Some((followed, step)), _) => lines(model, followed, step, width),
        (None, Some(followed)) if selected(model) == Some(Row::Summary) => summary::values(model, followed, width),
        _ => Vec::new(),
    }
}

/// The same as it fits its pane. Its lines are always broken: it is read, and nothing in it is copied by hand.
pub fn aside_fitted(model: &Model, width: usize) -> Vec<Line> {
    fit(&aside(model, width), width, Wrap::Words, "")
}

/// The least rows, with borders, of the pane for evidence below the steps.
const LEAST_EVIDENCE: u16 = 10;

/// Whether evidence has a pane of its own.
pub fn has_aside(model: &Model) -> bool {
    let Some(followed) = &model.guide.followed else { return false };
    // The steps and the summary, in a pane that shares a border with the one below.
    let needed = followed.text().steps.len() + 3 + usize::from(LEAST_EVIDENCE);
    model.has_two_columns() && usize::from(model.body_rows()) + 1 >= needed
}

/// The columns that the longest row takes without the word for its state, which its sign tells too.
pub fn widest_row(model: &Model) -> usize {
    let widest = match &model.guide.followed {
        Some(followed) => followed.text().steps.iter().map(|step| NUMBER + step.title.width()).max(),
        None => Guide::ALL.iter().map(|guide| guide_title(*guide).width()).max(),
    };
    widest.unwrap_or_default()
}

fn offer(guide: Guide) -> Vec<Line> {
    let text = crate::guide::setup_guide(guide);
    let mut lines = vec![
        Line::of(Role::Plain, text.summary.clone()),
        Line::empty(),
        Line::of(Role::Accent, "enter").with(Role::Plain, " makes a profile and leads through it, step by step."),
        Line::empty(),
        heading(format!("{} steps", text.count())),
    ];
    let steps = text.steps.iter().filter(|step| step.number > 0);
    lines.extend(steps.map(|step| {
        Line::of(Role::Muted, format!("{:>2} ", step.number)).with(Role::Plain, step.title.clone()).hanging(3)
    }));
    lines
}

/// Why what is entered cannot be kept, where it cannot.
pub fn keeps_nothing(followed: &Followed) -> Option<&'static str> {
    match followed.file.keeps {
        Keeps::File => None,
        Keeps::Nothing(why) => Some(why),
    }
}

/// A time as the console tells it.
fn time(model: &Model, at: &str) -> String {
    parse_rfc3339(at).map_or_else(String::new, |seconds| moment(model, seconds))
}

/// Where a step stands, in a line.
fn headline(model: &Model, state: &StepState) -> Line {
    let shown = GuideContext { ctx: model.render_context(), time: &|at| time(model, at) };
    Line::from(sign(state, shown.ctx)).with(Role::Plain, " ").followed_by(&state_words(state, shown)).hanging(2)
}

/// All that is known of a step, for a pane of its own.
fn lines(model: &Model, followed: &Followed, step: &Step, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let states = followed.states();
    let mut lines = Vec::new();
    if let Some((_, StepState::Failing { findings, .. })) = states.iter().find(|(number, _)| *number == step.number) {
        for found in findings {
            lines.extend(finding_lines(found, width, show));
            lines.push(Line::empty());
        }
    }
    let mut page = Page::default();
    push_done_when(model, followed, step, &mut page);
    lines.extend(pane_lines(&page, width, show));
    lines
}

/// What the step is done by, how far that is, and the keys that take it further.
fn push_done_when(model: &Model, followed: &Followed, step: &Step, page: &mut Page) {
    let show = model.render_context();
    let key =
        |id| model.appearance.keymap.key(Scope::On(Screen::Guide), id).map(|key| key.to_string()).unwrap_or_default();
    let mut title = heading("Done when");
    if !step.checks.is_empty() {
        title =
            title.with(Role::Plain, "  ").with(Role::Accent, key(CommandId::CheckStep)).with(Role::Muted, " checks it");
    }
    page.push(Block::Heading(title));
    report::push_done_when(page, step, &|check| standing(model, followed, check), show);
    let Some(confirm) = &step.confirm else { return };
    let confirmation = followed.file.confirmations.iter().rfind(|confirmed| confirmed.step == step.number);
    let (mark, below) = match confirmation {
        Some(said) => {
            let words = format!("you said so, {}", time(model, &said.at));
            (Span::of(Role::Good, show.glyphs.pass), Line::of(Role::Muted, words))
        }
        None => {
            let key = Line::of(Role::Accent, key(CommandId::ConfirmStep));
            (Span::of(Role::Plain, show.glyphs.waiting), key.with(Role::Muted, " says that it is done"))
        }
    };
    page.item(mark, Line::of(Role::Plain, show.prose(confirm)));
    page.item(Span::of(Role::Plain, " "), below);
}

fn standing(model: &Model, followed: &Followed, check: CheckId) -> Option<CheckStanding> {
    let CheckResult { outcome, blocked_by, at, .. } = followed.judged.iter().find(|judged| judged.check == check)?;
    let blocked = blocked_by.map(|by| format!(", blocked by {by}")).unwrap_or_default();
    let words = format!("{}{blocked}, {}", outcome_word(*outcome), time(model, at));
    Some(CheckStanding { sign: model.render_context().sign(*outcome), words })
}
