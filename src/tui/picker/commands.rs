//! The commands as lists: the help with what can be done here, by topic, and the palette.

use super::{Choice, Entry, heading};
use crate::report::glyphs::Glyphs;
use crate::report::line::Role;
use crate::tui::command::{Availability, COMMANDS, Command, CommandId, Scope, Topic, command};
use crate::tui::model::{Model, Screen};

/// What can be done here: what the screen has alone first, then the rest, each topic under its heading.
pub(super) fn help(model: &Model) -> Vec<Entry> {
    let own = Scope::On(model.screen);
    let mut entries = group(model.screen.title(), of_scope(model, own));
    for topic in Topic::ALL {
        let of_topic = [Scope::Main, Scope::Always].into_iter().flat_map(|scope| {
            let commands = in_scope(scope).filter(|command| command.topic == *topic);
            commands.map(move |command| entry(model, scope, command))
        });
        entries.extend(group(topic.title(), of_topic.collect()));
    }
    let legend = legend(model.render_context().glyphs);
    for entry in entries.iter_mut().filter(|entry| entry.detail.is_empty()) {
        entry.detail = vec![legend.clone()];
    }
    entries
}

/// Every command; those of other screens last, with the key of their screen before their own.
pub(super) fn palette(model: &Model) -> Vec<Entry> {
    let here = [Scope::On(model.screen), Scope::Main, Scope::Always];
    let mut entries: Vec<Entry> = here.into_iter().flat_map(|scope| of_scope(model, scope)).collect();
    let others = Screen::TABS.iter().filter(|screen| **screen != model.screen);
    entries.extend(others.flat_map(|screen| elsewhere(model, *screen)));
    entries.retain(|entry| entry.choice != Choice::Command(CommandId::Palette));
    entries
}

/// The name of the command that an entry stands for.
pub(super) fn name(entry: &Entry) -> &'static str {
    match entry.choice {
        Choice::Command(id) | Choice::CommandOn(_, id) | Choice::NotNow(id, _) => {
            command(id).map_or("", |command| command.title)
        }
        _ => "",
    }
}

fn group(title: &str, entries: Vec<Entry>) -> Vec<Entry> {
    if entries.is_empty() { entries } else { std::iter::once(heading(title)).chain(entries).collect() }
}

fn in_scope(scope: Scope) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.scopes.contains(&scope))
}

fn of_scope(model: &Model, scope: Scope) -> Vec<Entry> {
    in_scope(scope).map(|command| entry(model, scope, command)).collect()
}

fn elsewhere(model: &Model, screen: Screen) -> impl Iterator<Item = Entry> {
    // A command of several screens is at hand on this one already.
    let is_here = |command: &&Command| command.scopes.contains(&Scope::On(model.screen));
    let way = model.appearance.keymap.key(Scope::Main, CommandId::Show(screen)).map(|key| key.to_string());
    in_scope(Scope::On(screen)).filter(move |command| !is_here(command)).map(move |command| {
        let keys = keys(model, Scope::On(screen), command);
        Entry {
            sign: None,
            title: command.doc.to_owned(),
            note: way.iter().cloned().chain(keys.into_iter().take(1)).collect::<Vec<_>>().join(" "),
            detail: vec![format!("on the screen {}", screen.title())],
            choice: Choice::CommandOn(screen, command.id),
        }
    })
}

fn keys(model: &Model, scope: Scope, command: &Command) -> Vec<String> {
    model.appearance.keymap.keys(scope, command.id).iter().map(ToString::to_string).collect()
}

fn entry(model: &Model, scope: Scope, command: &Command) -> Entry {
    let (choice, detail) = match (command.enabled)(model) {
        Availability::Ready => (Choice::Command(command.id), Vec::new()),
        Availability::No(why) => (Choice::NotNow(command.id, why), vec![format!("not now: {why}")]),
    };
    let dim = matches!(choice, Choice::NotNow(..));
    Entry {
        sign: dim.then_some((model.render_context().glyphs.skipped, Role::Muted)),
        title: command.doc.to_owned(),
        note: keys(model, scope, command).join(" "),
        detail,
        choice,
    }
}

/// What the signs of checks and steps mean.
fn legend(glyphs: &Glyphs) -> String {
    let Glyphs { pass, warn, fail, inconclusive, skipped, waiting, .. } = glyphs;
    format!("{pass} holds  {warn} warning  {fail} fails  {inconclusive} unknown  {skipped} skipped  {waiting} open")
}
