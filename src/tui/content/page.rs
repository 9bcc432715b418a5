//! Texts on top of a screen, and what an empty pane says.

use super::{command_line, compare, heading, pane_lines};
use crate::cause::Fix;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Value;
use crate::guide::Import;
use crate::report::clients;
use crate::report::context::RenderContext;
use crate::report::explanation;
use crate::report::finding::diff;
use crate::report::issuer;
use crate::report::line::{Line, Role};
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::model::{Model, Page};

/// The heading of a text on top.
pub fn title(page: &Page) -> String {
    match page {
        Page::Error { title, .. } => title.clone(),
        Page::Fix(_) => "The fix: nothing of it is run from here".to_owned(),
        Page::Compare { .. } => "Compared".to_owned(),
        Page::Explained(_) => "What causes this error".to_owned(),
        Page::Clients(_) => "What clients do with a web identity".to_owned(),
        Page::AskingIssuer(_) | Page::Issuer(_) => "The issuer, and what each cloud says of it".to_owned(),
        Page::Imported { import, .. } => format!("Read as {}", import.kind),
    }
}

/// A text on top, for a width in columns.
pub fn lines(model: &Model, page: &Page, width: usize) -> Vec<Line> {
    let show = model.render_context();
    match page {
        Page::Error { message, hints, .. } => {
            let mut lines: Vec<Line> = show.lines(message).into_iter().map(|text| Line::of(Role::Bad, text)).collect();
            if !hints.is_empty() {
                lines.push(Line::empty());
            }
            lines.extend(
                hints.iter().flat_map(|hint| show.lines(hint)).map(|text| Line::of(Role::Plain, text).hanging(2)),
            );
            lines
        }
        Page::Explained(explained) => {
            pane_lines(&explanation::page(&explained.explanation, explained.undecided.as_ref(), show), width, show)
        }
        Page::Clients(of) => {
            let page = match of.as_slice() {
                [client] => clients::one(client, show),
                several => clients::list(several, show),
            };
            pane_lines(&page, width, show)
        }
        Page::Fix(fix) => fix_lines(fix, show),
        Page::AskingIssuer(url) => vec![
            Line::of(Role::Plain, "Fetching what ")
                .with(Role::Strong, show.value(url))
                .with(Role::Plain, " publishes."),
            Line::of(Role::Muted, "Closing this stops it."),
        ],
        Page::Issuer(seen) => pane_lines(&issuer::page(seen, show), width, show),
        Page::Imported { import, earlier } => {
            let mut lines = imported(import, earlier, show);
            let changed = import.taken.iter().zip(earlier).any(|(taken, before)| before.as_ref() != Some(&taken.value));
            let key = model.appearance.keymap.key(Scope::On(Screen::Guide), CommandId::Undo);
            if let Some(key) = key.filter(|_| changed) {
                lines.push(Line::empty());
                let line = Line::of(Role::Muted, "It is in the profile now; ").with(Role::Accent, key.to_string());
                lines.push(line.with(Role::Muted, " takes it back once this is closed."));
            }
            lines
        }
        Page::Compare { before, after } => match (model.runs.get(*before), model.runs.get(*after)) {
            (Some(before), Some(after)) => compare::lines(model, before, after),
            _ => vec![Line::of(Role::Muted, "one of the runs is no longer kept")],
        },
    }
}

/// A fix: what it changes line by line, the script as it runs, what shows that it worked, and the way back.
fn fix_lines(fix: &Fix, show: RenderContext) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Strong, show.prose(&fix.text)).hanging(2)];
    let changes = diff(fix);
    if changes.starts_with("--- ") {
        lines.extend([Line::empty(), heading("What it changes")]);
        lines.extend(show.lines(changes.trim_end()).into_iter().map(|line| {
            let role = match line.chars().next() {
                Some('+') => Role::Good,
                Some('-') => Role::Bad,
                _ => Role::Muted,
            };
            Line::of(role, line)
        }));
    }
    let script = |lines: &mut Vec<Line>, title: &str, text: &str| {
        lines.extend([Line::empty(), heading(title)]);
        lines.extend(show.lines(text.trim_end()).into_iter().map(|line| command_line(0, &line)));
    };
    for (title, text) in [("Script", &fix.command), ("Then", &fix.verify), ("The way back", &fix.undo)] {
        if let Some(text) = text {
            script(&mut lines, title, text);
        }
    }
    lines
}

/// What was taken from a pasted text, from where, and what was left and why.
fn imported(import: &Import, earlier: &[Option<Value>], show: RenderContext) -> Vec<Line> {
    let mut lines = Vec::new();
    for (taken, before) in import.taken.iter().zip(earlier) {
        let hidden = taken.key == Key::ExternalId;
        let value = if hidden { "(not shown)".to_owned() } else { show.value(&taken.value.to_string()) };
        let line = Line::of(Role::Good, show.glyphs.pass).with(Role::Plain, " ").with(Role::Strong, taken.key.path());
        lines.push(line.with(Role::Plain, format!("  {value}")).hanging(4));
        let was = match before {
            Some(before) if *before == taken.value => ", as it was".to_owned(),
            Some(before) if !hidden => format!(", instead of {}", show.value(&before.to_string())),
            _ => String::new(),
        };
        lines.push(Line::of(Role::Muted, format!("    from {}{was}", show.prose(&taken.from))).hanging(4));
    }
    if !import.taken.is_empty() && !import.left.is_empty() {
        lines.push(Line::empty());
    }
    for left in &import.left {
        let line = Line::of(Role::Muted, format!("{} ", show.glyphs.skipped)).with(Role::Plain, show.prose(&left.what));
        lines.push(line.with(Role::Muted, format!(": {}", show.prose(&left.why))).hanging(4));
    }
    lines
}
