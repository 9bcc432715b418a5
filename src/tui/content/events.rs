//! The events: exchanges in the cloud's own log, equal ones as one, and for each whose token it was and why it was refused.

use super::{Rows, heading, pane_lines};
use crate::report::context::outcome_role;
use crate::report::events::{cause, entry_page, outcome, short};
use crate::report::line::{Line, Role, cut};
use crate::tui::model::{EventsState, Model};

/// The entries, a row each.
pub fn rows(model: &Model) -> Rows<'_> {
    let EventsState::Read(report) = &model.events else {
        return Rows { count: 0, line: Box::new(|_, _| Line::empty()) };
    };
    let show = model.render_context();
    let line = move |at: usize, width: usize| {
        let Some(entry) = report.entries.get(at) else { return Line::empty() };
        let outcome = outcome(entry);
        let mut line = Line::of(outcome_role(outcome), show.glyphs.outcome(outcome)).with(Role::Plain, " ");
        let (who, what) = (entry.subject.as_deref().unwrap_or("unknown"), entry.resource.as_deref().map_or("", short));
        if width == usize::MAX {
            return line.with(Role::Plain, format!("{} {who} {what}", cause(entry)));
        }
        let count = format!("{:>5} ", entry.count);
        let cause = format!("  {}", cause(entry));
        let room = width.saturating_sub(line.width() + count.len() + cause.len());
        line.push(Role::Muted, count);
        line.push(Role::Strong, cut(&show.value(who), room, show.glyphs.ellipsis));
        line.pad_to(width.saturating_sub(cause.len()));
        line.with(Role::Muted, cause).cut(width, show.glyphs.ellipsis)
    };
    Rows { count: report.entries.len(), line: Box::new(line) }
}

/// The selected entry.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let EventsState::Read(report) = &model.events else { return nothing(model) };
    let entry = model.selected_row().and_then(|at| report.entries.get(at));
    entry.map_or_else(
        || nothing(model),
        |entry| pane_lines(&entry_page(entry, model.render_context()), width, model.render_context()),
    )
}

/// The heading of the selected entry.
pub fn detail_title(model: &Model) -> String {
    let EventsState::Read(report) = &model.events else { return "Events".to_owned() };
    let show = model.render_context();
    let entry = model.selected_row().and_then(|at| report.entries.get(at));
    entry.map_or_else(|| "Events".to_owned(), |entry| show.value(entry.resource.as_deref().map_or("", short)))
}

/// What stands where there is no entry to show.
pub fn nothing(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    let muted = |text: &str| Line::of(Role::Muted, text);
    match &model.events {
        EventsState::Unread => vec![muted("the cloud's log has not been read")],
        EventsState::Reading => vec![muted("reading the cloud's log")],
        EventsState::Failed(why) => {
            let why = show.lines(why).into_iter().map(|line| Line::of(Role::Bad, line));
            [heading("The log could not be read")].into_iter().chain(why).collect()
        }
        EventsState::Read(_) if !model.here().list.filter.is_empty() => {
            vec![muted("nothing matches the filter; esc clears it")]
        }
        EventsState::Read(report) => vec![
            Line::of(Role::Plain, format!("No exchange among {} events.", report.events)),
            muted("CloudTrail shows an exchange about five minutes after it was made."),
        ],
    }
}
