//! What is on top as lines: a title, what it says, its rows with their numbers, and what can be done.

use crate::report::context::outcome_word;
use crate::report::line::{Line, Role};
use crate::run::report::{CheckState, Progress};
use crate::tui::available::hints;
use crate::tui::command::{CommandId, Screen, command};
use crate::tui::content;
use crate::tui::model::{Layer, Model, Picker};
use crate::tui::picker::{self, Choice, Entry};

/// How many rows of a long list come at once.
pub(super) const AT_ONCE: usize = 30;
/// The columns that pages are laid out for: far more than a line has.
const WIDTH: usize = 400;

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The row at this place of the list on top, or the field of the form.
    Row(usize),
    Command(CommandId),
}

/// A title, what is said, and the rows from one on.
pub(super) fn lines(model: &Model, first: usize) -> Vec<String> {
    let mut lines = vec![String::new(), title(model)];
    if let Some(Layer::Reader(reader)) = model.layers.last() {
        lines.extend(flat(&content::page::lines(model, &reader.page, WIDTH)));
        return lines;
    }
    let rows = listed(model);
    let from = if first < rows.len() { first } else { 0 };
    let shown = rows.iter().skip(from).take(AT_ONCE);
    lines.extend(shown.map(|(number, text)| number.map_or_else(|| text.clone(), |n| format!("{n}. {text}"))));
    if let Some(Layer::Form(form)) = model.layers.last() {
        lines.extend(form.problems.iter().map(|problem| model.render_context().prose(problem)));
    }
    let left = rows.len().saturating_sub(from + AT_ONCE);
    if left > 0 {
        let way = match model.layers.last() {
            Some(Layer::Picker(_)) => "words of one find it",
            _ => "/ and words find one",
        };
        lines.push(format!("{left} more: more goes on, {way}"));
    }
    if model.layers.is_empty() && (rows.is_empty() || model.screen == Screen::Rotation) {
        lines.extend(details(model));
    }
    lines
}

fn title(model: &Model) -> String {
    let filter = model.list().filter.text();
    let filtered = if filter.is_empty() { String::new() } else { format!(", only rows with: {filter}") };
    match model.layers.last() {
        Some(Layer::Picker(picker)) => format!("{}{filtered}", picker.kind.title()),
        Some(Layer::Reader(reader)) => content::page::title(&reader.page),
        Some(Layer::Form(form)) => format!("A new profile, {}. A number fills a field.", form.guide.id()),
        Some(_) => String::new(),
        None => format!("{}{filtered}", model.screen.title()),
    }
}

/// The rows of what is on top, each with its number; a heading has none.
fn listed(model: &Model) -> Vec<(Option<usize>, String)> {
    match model.layers.last() {
        Some(Layer::Picker(picker)) => {
            let mut number = 0;
            let entries = matching(model, picker);
            let row = |entry: &Entry| {
                let is_row = entry.choice != Choice::Heading;
                number += usize::from(is_row);
                (is_row.then_some(number), entry_text(entry))
            };
            entries.iter().map(row).collect()
        }
        Some(Layer::Form(form)) => {
            let field = |(at, field)| {
                let label = flat_line(&content::form::label(field, model.render_context()));
                let text = model.render_context().prose(field.input.text());
                (Some(at + 1), if text.is_empty() { label } else { format!("{label}: {text}") })
            };
            form.fields.iter().enumerate().map(field).collect()
        }
        Some(_) => Vec::new(),
        None => rows(model).into_iter().enumerate().map(|(at, text)| (Some(at + 1), text)).collect(),
    }
}

fn matching(model: &Model, picker: &Picker) -> Vec<Entry> {
    let rows = picker::matching(model, picker.kind, picker.list.filter.text());
    rows.iter().map(|row| row.entry(model, picker.kind).into_owned()).collect()
}

fn entry_text(entry: &Entry) -> String {
    let sign = entry.sign.map_or("", |(sign, _)| sign);
    let note = if entry.note.is_empty() { String::new() } else { format!(" ({})", entry.note) };
    let why = match entry.choice {
        Choice::NotNow(_, why) | Choice::Unavailable(why) => format!(", not now: {why}"),
        _ => String::new(),
    };
    squeezed(&format!("{sign} {}{note}{why}", entry.title))
}

/// The rows of the screen that its filter lets through.
pub(super) fn rows(model: &Model) -> Vec<String> {
    let rows = content::rows(model);
    let matching = model.matching(&rows);
    let checks = model.runs.shown().filter(|_| is_checks(model)).map(|run| &run.report.checks);
    let text = |at: usize| match checks.and_then(|checks| checks.get(at)) {
        Some(check) => check_text(model, check),
        None => flat_line(&(rows.line)(at, usize::MAX)),
    };
    (0..matching.len()).filter_map(|at| matching.get(at)).map(text).collect()
}

fn is_checks(model: &Model) -> bool {
    model.screen == Screen::Handshake && model.handshake == crate::tui::model::HandshakeView::Checks
}

fn check_text(model: &Model, check: &CheckState) -> String {
    let show = model.render_context();
    let title = show.prose(&check.title);
    match &check.progress {
        Progress::Waiting => format!("not begun: {title}"),
        Progress::Running { retries: None, .. } => format!("running: {title}"),
        Progress::Running { retries: Some((attempt, reason)), .. } => {
            format!("running, attempt {}: {title}, {}", attempt + 1, show.prose(reason))
        }
        Progress::Finished(finished) => {
            let reason = finished.reason.as_deref().map(|reason| format!(", {}", show.prose(reason)));
            format!("{}: {title}{}", outcome_word(finished.outcome), reason.unwrap_or_default())
        }
    }
}

/// The checks that have ended, or are tried again.
pub(super) fn ended_checks(model: &Model) -> Vec<String> {
    let checks = model.runs.shown().map_or(&[][..], |run| &run.report.checks);
    let is_news = |check: &&CheckState| match &check.progress {
        Progress::Waiting => false,
        Progress::Running { retries, .. } => retries.is_some(),
        Progress::Finished(_) => true,
    };
    checks.iter().filter(is_news).map(|check| check_text(model, check)).collect()
}

/// The details of the selected row, with what stands beside them in the guide.
pub(super) fn details(model: &Model) -> Vec<String> {
    let mut lines = vec![content::detail_title(model)];
    lines.extend(flat(&content::detail(model, WIDTH)));
    if model.screen == Screen::Guide {
        lines.extend(flat(&content::guide::aside(model, WIDTH)));
    }
    lines
}

/// What the numbers stand for: the rows, then the commands.
pub(super) fn places(model: &Model) -> Vec<Place> {
    let rows: Vec<Place> = match model.layers.last() {
        Some(Layer::Picker(picker)) => {
            let entries = matching(model, picker);
            let is_row = |(at, entry): (usize, &Entry)| (entry.choice != Choice::Heading).then_some(Place::Row(at));
            entries.iter().enumerate().filter_map(is_row).collect()
        }
        _ => (0..listed(model).len()).map(Place::Row).collect(),
    };
    rows.into_iter().chain(offered(model).into_iter().map(Place::Command)).collect()
}

/// What can be done, each with its number behind those of the rows.
pub(super) fn commands(model: &Model) -> Vec<String> {
    let rows = places(model).iter().filter(|place| matches!(place, Place::Row(_))).count();
    let told = |(at, id): (usize, CommandId)| {
        let command = command(id)?;
        Some(format!("{}. {}: {}", rows + at + 1, command.name, command.doc))
    };
    offered(model).into_iter().enumerate().filter_map(told).collect()
}

/// The commands that are wanted most here. Those of typing and moving have no use where lines are typed.
fn offered(model: &Model) -> Vec<CommandId> {
    let is_of_use = |id: &CommandId| {
        !matches!(
            id,
            CommandId::Accept
                | CommandId::Filter
                | CommandId::Palette
                | CommandId::FieldNext
                | CommandId::TypingEnd
                | CommandId::TypingClear
                | CommandId::Help
                | CommandId::Quit
        )
    };
    let has_causes = model.runs.shown().is_some_and(|run| !run.report.findings.is_empty());
    let causes = Some(CommandId::Show(Screen::Findings)).filter(|_| has_causes && model.screen != Screen::Findings);
    let below = causes.into_iter().chain([CommandId::Help, CommandId::Quit]).filter(|_| model.layers.is_empty());
    hints(model).into_iter().map(|hint| hint.id).filter(is_of_use).chain(below).collect()
}

/// Lines as a voice reads them: no columns, no signs that stand between things, and what is copied as it is.
fn flat(lines: &[Line]) -> Vec<String> {
    lines.iter().map(flat_line).filter(|line| !line.trim().is_empty()).collect()
}

fn flat_line(line: &Line) -> String {
    let is_copied = line.spans.iter().any(|span| span.role == Role::Command);
    if is_copied { line.plain().trim_end().to_owned() } else { squeezed(&line.plain()) }
}

fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(" ,", ",").trim_start_matches(", ").to_owned()
}

/// A number of things.
pub(super) fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_signs_between_things_are_not_read() {
        let line = Line::of(Role::Muted, "because    , ").with(Role::Plain, "the token  has");
        assert_eq!(flat_line(&line), "because, the token has");
        assert_eq!(flat_line(&Line::of(Role::Plain, ", one of them")), "one of them");
        let code = Line::of(Role::Plain, "  ").with(Role::Command, "aws  iam");
        assert_eq!(flat_line(&code), "  aws  iam");
    }
}
