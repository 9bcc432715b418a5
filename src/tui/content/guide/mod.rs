//! The guide: the steps that are left with their states, the step in the middle, and what shows that it is done.

mod evidence;
mod field;
mod step;
mod summary;

pub use field::{StepLayout, cursor, field_at, place};
pub(in crate::tui) use step::offered;

use unicode_width::UnicodeWidthStr as _;

use super::start::guide_title;
use super::{Rows, heading};
use crate::domain::profile::Guide;
use crate::guide::{Step, StepState, next_open};
use crate::report::context::RenderContext;
use crate::report::guide::{sign, state_word};
use crate::report::line::{Line, Role, Span, Wrap, cut, fit};
use crate::tui::inputs::Keeps;
use crate::tui::layout;
use crate::tui::model::guide::Followed;
use crate::tui::model::{Model, Screen};

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
        (Some((followed, step)), _) => evidence::lines(model, followed, step, width),
        (None, Some(followed)) if selected(model) == Some(Row::Summary) => summary::values(model, followed, width),
        _ => Vec::new(),
    }
}

/// The same as it fits its pane. Its lines are always broken: it is read, and nothing in it is copied by hand.
pub fn aside_fitted(model: &Model, width: usize) -> Vec<Line> {
    fit(&aside(model, width), width, Wrap::Words, "")
}

/// Whether evidence has a pane of its own.
pub fn has_aside(model: &Model) -> bool {
    model.guide.followed.as_ref().is_some_and(|followed| layout::has_aside(model.size, followed.text().steps.len() + 1))
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
