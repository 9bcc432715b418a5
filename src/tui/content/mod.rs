//! What the panes say, as lines in role: pure functions of the model, used to draw and to know how far one can scroll.

pub mod agreement;
pub mod audit;
pub mod chain;
pub mod compare;
pub mod events;
pub mod findings;
pub mod form;
pub mod guide;
pub mod handshake;
pub mod log;
pub mod page;
pub mod rotation;
pub mod selection;
pub mod start;
pub mod token;
pub mod waterfall;

use super::command::Screen;
use super::model::{HandshakeView, Model};
use crate::cause::Finding;
use crate::report;
use crate::report::context::RenderContext;
use crate::report::layout::Layout;
use crate::report::line::{Line, Role};
use crate::tui::command::{CommandId, Scope, command};
use crate::tui::model::Lifecycle;

/// The rows of a screen's list.
pub struct Rows<'m> {
    pub count: usize,
    /// The row at a place, laid out for a width in columns.
    pub line: Box<dyn Fn(usize, usize) -> Line + 'm>,
}

/// The rows of the list of the screen that is shown.
pub fn rows(model: &Model) -> Rows<'_> {
    match model.screen {
        Screen::Start => start::rows(model),
        Screen::Guide => guide::rows(model),
        Screen::Handshake if model.handshake == HandshakeView::Waterfall => waterfall::rows(model),
        Screen::Handshake => handshake::rows(model),
        Screen::Token => token::rows(model),
        Screen::Findings => findings::rows(model),
        Screen::Rotation => rotation::rows(model),
        Screen::Log => log::rows(model),
        Screen::Events => events::rows(model),
        Screen::Audit => audit::rows(model),
    }
}

/// The details of the selected row of the screen that is shown, not yet fitted to a width.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    match model.screen {
        Screen::Start => start::detail(model),
        Screen::Guide => guide::detail(model, width),
        Screen::Handshake if model.handshake == HandshakeView::Waterfall => waterfall::detail(model, width),
        Screen::Handshake => handshake::detail(model, width),
        Screen::Token => token::detail(model, width),
        Screen::Findings => findings::detail(model, width),
        Screen::Rotation => rotation::detail(model, width),
        Screen::Log => log::detail(model),
        Screen::Events => events::detail(model, width),
        Screen::Audit => audit::detail(model, width),
    }
}

/// The heading of the details.
pub fn detail_title(model: &Model) -> String {
    match model.screen {
        Screen::Start => start::detail_title(model),
        Screen::Guide => guide::detail_title(model),
        Screen::Handshake if model.handshake == HandshakeView::Waterfall => "Hops".to_owned(),
        Screen::Handshake => handshake::detail_title(model),
        Screen::Token => token::detail_title(model),
        Screen::Findings => findings::detail_title(model),
        Screen::Rotation => rotation::detail_title(model),
        Screen::Log => "Entry".to_owned(),
        Screen::Events => events::detail_title(model),
        Screen::Audit => audit::detail_title(model),
    }
}

/// A page as it stands in a pane.
pub fn pane_lines(page: &report::page::Page, width: usize, show: RenderContext) -> Vec<Line> {
    Layout::pane(width, show).lines(page)
}

/// A finding as it stands in a pane.
pub fn finding_lines(found: &Finding, width: usize, show: RenderContext) -> Vec<Line> {
    pane_lines(&report::finding::whole(found, show), width, show)
}

/// Width of the labels before a detail's lines.
pub const LABEL: usize = 11;

/// A labelled line whose continuation is indented under its text.
pub fn labelled(label: &str, role: Role, text: impl Into<String>) -> Line {
    let mut line = Line::of(Role::Muted, label).hanging(LABEL);
    line.pad_to(LABEL);
    line.with(role, text)
}

/// A line to copy that begins in a column; what does not fit is indented further than the line itself.
pub fn command_line(column: usize, text: &str) -> Line {
    let indent = text.len() - text.trim_start_matches(' ').len();
    Line::of(Role::Plain, " ".repeat(column)).with(Role::Command, text).hanging(column + indent + 2)
}

/// A line between parts of a pane.
pub fn heading(text: impl Into<String>) -> Line {
    Line::of(Role::Strong, text)
}

/// What a pane says where no row is selected.
pub fn no_rows(model: &Model) -> Vec<Line> {
    match model.screen {
        Screen::Events => return events::nothing(model),
        Screen::Audit => return audit::nothing(model),
        _ => {}
    }
    let show = model.render_context();
    let key = |id: CommandId| {
        command(id)
            .and_then(|c| model.appearance.keymap.key(Scope::Main, c.id))
            .map_or_else(String::new, |key| key.to_string())
    };
    match model.runs.shown() {
        None => vec![
            Line::of(Role::Plain, "Nothing has run yet."),
            Line::empty(),
            Line::of(Role::Accent, key(CommandId::Lab)).with(Role::Plain, "  pick a scenario of the lab"),
            Line::of(Role::Accent, key(CommandId::Profiles)).with(Role::Plain, "  open a profile"),
            Line::of(Role::Accent, key(CommandId::NewProfile)).with(Role::Plain, "  make a profile"),
        ],
        Some(run) => match &run.state {
            Lifecycle::Refused { message, hints } => {
                let mut lines = vec![heading("The run could not start"), Line::of(Role::Bad, show.prose(message))];
                lines.extend(hints.iter().map(|hint| Line::of(Role::Plain, show.prose(hint))));
                lines
            }
            _ if !model.here().list.filter.is_empty() => {
                vec![Line::of(Role::Muted, "nothing matches the filter; esc clears it")]
            }
            Lifecycle::Running | Lifecycle::Cancelling if run.report.checks.is_empty() => {
                vec![Line::of(Role::Accent, format!("{} starting", chain::running(model)))]
            }
            Lifecycle::Running | Lifecycle::Cancelling if model.screen == Screen::Findings => {
                vec![Line::of(Role::Muted, "nothing found so far")]
            }
            _ => vec![Line::of(Role::Muted, "there is nothing here")],
        },
    }
}
