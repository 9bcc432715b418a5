//! What the lists on top of a screen offer, and what choosing an entry does.

mod row;

use std::path::PathBuf;

pub use row::Row;
use row::{profile_rows, scenario_rows};

use super::available::{Availability, availability};
use super::command::{COMMANDS, Command, CommandId, Scope, Screen, Topic, command};
use super::content::handshake::passed_words;
use super::content::log::moment;
use super::content::start::guide_title;
use super::copy;
use super::inputs::{Patience, RotationWay, Target};
use super::message::RunNumber;
use super::model::rotation::rotated;
use super::model::{Model, PickerKind};
use crate::domain::guide::{Guide, Workload};
use crate::domain::token::looks_like_jwt;
use crate::report::context::RenderContext;
use crate::report::glyphs::Glyphs;
use crate::report::line::Role;
use crate::run::event::RunVerdict;
use crate::run::rotation::session::RuntimeFrom;

/// An entry of a list on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A sign before it, where it has a state.
    pub sign: Option<(&'static str, Role)>,
    pub title: String,
    /// At the right edge: a key, a cause, a time.
    pub note: String,
    /// What stands there instead where the title leaves too little room.
    pub brief: &'static str,
    /// Told below while it is selected.
    pub detail: Vec<String>,
    pub choice: Choice,
}

/// What choosing an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Command(CommandId),
    /// A command of another screen, which it goes to first.
    CommandOn(Screen, CommandId),
    /// A command that cannot be used now, and why.
    NotNow(CommandId, &'static str),
    /// Nothing: it stands above the entries of a group.
    Heading,
    /// Nothing, and why.
    Unavailable(&'static str),
    Run(Target),
    Form(Guide),
    ShowRun(RunNumber),
    CompareWith(RunNumber),
    Copy(String),
    Audit(PathBuf),
    ExportMarkdown,
    ExportJson,
    /// Seconds between two runs; `None` stops.
    Watch(Option<u64>),
    RotationWay(RotationWay),
    RotationRuntime(RotationWay, RuntimeFrom, Patience),
}

/// The rows of a list.
pub fn rows(model: &Model, kind: PickerKind) -> Vec<Row> {
    match kind {
        PickerKind::Palette => palette(model),
        PickerKind::Scenarios => scenario_rows(model),
        PickerKind::Profiles => profile_rows(model).collect(),
        _ => entries(model, kind).into_iter().map(Row::Made).collect(),
    }
}

/// The entries of a list that is never long.
fn entries(model: &Model, kind: PickerKind) -> Vec<Entry> {
    let show = model.render_context();
    match kind {
        PickerKind::Palette | PickerKind::Scenarios | PickerKind::Profiles => Vec::new(),
        PickerKind::Help => help(model),
        PickerKind::Guides => Workload::ALL.iter().flat_map(|workload| guides_for(model, *workload)).collect(),
        PickerKind::History => runs(model, show, Choice::ShowRun),
        PickerKind::CompareWith => {
            let shown = model.runs.shown;
            let mut entries = runs(model, show, Choice::CompareWith);
            entries.retain(|entry| !matches!(entry.choice, Choice::CompareWith(number) if Some(number) == shown));
            entries
        }
        PickerKind::Copy => copy::offers(model)
            .into_iter()
            .map(|offer| Entry {
                brief: "",
                sign: None,
                title: show.prose(&offer.title),
                note: format!("{} bytes", offer.text.len()),
                detail: show.lines(&offer.text).into_iter().take(6).collect(),
                choice: Choice::Copy(offer.text),
            })
            .collect(),
        PickerKind::AuditPath => {
            vec![plain("type the path of a file or a folder", "", Choice::Unavailable("type a path first"))]
        }
        PickerKind::Export => vec![
            plain("as Markdown", "for a ticket", Choice::ExportMarkdown),
            plain(
                "as JSON",
                match model.screen {
                    Screen::Guide => "for a program, schema trustline.guide/1",
                    _ => "for a program, schema trustline.check/1",
                },
                Choice::ExportJson,
            ),
        ],
        PickerKind::Watch => {
            let mut entries: Vec<Entry> = [2, 5, 10, 30, 60]
                .into_iter()
                .map(|s| plain(&format!("every {s} seconds"), "", Choice::Watch(Some(s))))
                .collect();
            if model.runs.watch.is_some() {
                entries.insert(0, plain("stop watching", "", Choice::Watch(None)));
            }
            entries
        }
        PickerKind::RotationWay => rotation_ways(),
        PickerKind::RotationRuntime(way) => rotation_runtimes(model, way),
    }
}

fn plain(title: &str, note: &str, choice: Choice) -> Entry {
    Entry { sign: None, title: title.to_owned(), note: note.to_owned(), brief: "", detail: Vec::new(), choice }
}

fn rotation_ways() -> Vec<Entry> {
    let entry = |title: &str, detail: &str, way: RotationWay| Entry {
        detail: vec![detail.to_owned()],
        ..plain(title, "", Choice::RotationWay(way))
    };
    vec![
        entry(
            "I do, in another terminal",
            "Shows the command to run, and looks at the store until the new version is there.",
            RotationWay::ByHand,
        ),
        entry(
            "trustline, a value that I type",
            "With an operator's credentials, once you agreed by typing whose secret it is. The value never shows.",
            RotationWay::Typed,
        ),
        entry(
            "trustline, a value that it makes up",
            "Random letters and digits, with an operator's credentials, once you agreed by typing whose secret it is.",
            RotationWay::Generated,
        ),
        entry(
            "A program of mine",
            "You type the program with its arguments, see how it would run, and only then it does.",
            RotationWay::Command,
        ),
        entry(
            "It has been written already",
            "Compares the current version with the one before it.",
            RotationWay::Already,
        ),
        entry("Whoever does: watch", "Tells each rotation that it sees, until you end it.", RotationWay::Watch),
    ]
}

fn rotation_runtimes(model: &Model, way: RotationWay) -> Vec<Entry> {
    let entry = |title: &str, detail: &str, runtime: RuntimeFrom, patience: Patience| Entry {
        detail: vec![detail.to_owned()],
        ..plain(title, "", Choice::RotationRuntime(way, runtime, patience))
    };
    let kickoffs = [
        entry(
            "One kickoff before, one after",
            "Starts the profile's deployment and looks for the fingerprint in its answer.",
            RuntimeFrom::World,
            Patience::Once,
        ),
        entry(
            "Kickoffs until it has the new value",
            "For up to five minutes. Each kickoff is a run of the automation, with what it does and costs.",
            RuntimeFrom::World,
            Patience::Again,
        ),
    ];
    let others = [
        entry(
            "I paste what it prints",
            "Its fingerprint line or a part of its log, pasted on this screen.",
            RuntimeFrom::Pasted,
            Patience::Once,
        ),
        entry(
            "Not at all",
            "Only the store is looked at; it cannot prove that a rotation arrived.",
            RuntimeFrom::Nowhere,
            Patience::Once,
        ),
    ];
    if rotated(model).is_some_and(|rotated| rotated.deployment.is_some()) {
        return kickoffs.into_iter().chain(others).collect();
    }
    let unavailable = kickoffs.into_iter().map(|entry| Entry {
        choice: Choice::Unavailable("the profile names no deployment; it needs `deployment.url`"),
        sign: Some((model.render_context().glyphs.skipped, Role::Muted)),
        detail: vec!["Not now: the profile names no deployment; it needs `deployment.url`.".to_owned()],
        ..entry
    });
    others.into_iter().chain(unavailable).collect()
}

impl Entry {
    fn heading(title: &str) -> Self {
        plain(title, "", Choice::Heading)
    }
}

/// The guides for one kind of workload, under its name.
fn guides_for(model: &Model, workload: Workload) -> Vec<Entry> {
    let own = Guide::ALL.iter().filter(|guide| guide.workload() == workload);
    group(workload.name(), own.map(|guide| guide_entry(model, *guide)).collect())
}

fn guide_entry(model: &Model, guide: Guide) -> Entry {
    let offered = model.inputs.offers.iter().find(|(g, _)| *g == guide).map_or(0, |(_, settings)| settings.len());
    let note = if offered > 0 { format!("{offered} filled in") } else { String::new() };
    plain(guide_title(guide), &note, Choice::Form(guide))
}

fn runs(model: &Model, show: RenderContext, choice: fn(RunNumber) -> Choice) -> Vec<Entry> {
    model
        .runs
        .list
        .iter()
        .rev()
        .map(|run| {
            let sign = match run.verdict() {
                Some(RunVerdict::Pass) => (show.glyphs.pass, Role::Good),
                Some(RunVerdict::Fail) => (show.glyphs.fail, Role::Bad),
                Some(RunVerdict::Inconclusive) => (show.glyphs.inconclusive, Role::Warning),
                None => (show.glyphs.waiting, Role::Muted),
            };
            let cause = match run.verdict() {
                Some(RunVerdict::Pass) => passed_words(&run.report),
                Some(_) => run.report.findings.first().map_or("no cause named", |found| found.cause.id()).to_owned(),
                None => "unfinished".to_owned(),
            };
            let title = format!("{} {} {}", show.prose(&run.label), show.glyphs.dot, cause);
            let note = moment(model, run.started_ms.div_euclid(1000));
            Entry { sign: Some(sign), ..plain(&title, &note, choice(run.number)) }
        })
        .collect()
}

/// The rows that the list's filter lets through. Each of its words must be in the entry; entries that have them in
/// this order come first, and before those a command whose name begins with them.
pub fn matching(model: &Model, kind: PickerKind, filter: &str) -> Vec<Row> {
    let mut rows = rows(model, kind);
    let path = filter.trim();
    let filter = path.to_lowercase();
    if filter.is_empty() {
        return rows;
    }
    if kind == PickerKind::AuditPath && looks_like_jwt(path) {
        return Vec::new();
    }
    if kind == PickerKind::AuditPath {
        return vec![Row::Made(audit_entry(model, path))];
    }
    let rank = |entry: &Entry| {
        let name = name(entry);
        // Of a scenario its cloud is looked for too, and of a command its screen.
        let is_told = match kind {
            PickerKind::Scenarios => true,
            PickerKind::Palette => !matches!(entry.choice, Choice::NotNow(..)),
            _ => false,
        };
        let told = if is_told { entry.detail.join(" ") } else { String::new() };
        let text = format!("{name} {} {} {told}", entry.title, entry.note).to_lowercase();
        if !name.is_empty() && name.starts_with(&filter) {
            Some(0)
        } else if in_order(&filter, &text) {
            Some(1)
        } else {
            filter.split_whitespace().all(|word| text.contains(word)).then_some(2)
        }
    };
    rows.retain(|row| !row.is_heading());
    let commands = rows.len();
    if kind == PickerKind::Palette {
        rows.extend(beyond_commands(model));
    }
    let ranks = rows.into_iter().enumerate().filter_map(|(at, row)| {
        let entry = row.entry(model, kind);
        // What can be done now comes before what cannot.
        let is_later = matches!(entry.choice, Choice::NotNow(..));
        Some(((at >= commands, rank(&entry)?, is_later), row))
    });
    let mut ranked: Vec<((bool, i32, bool), Row)> = ranks.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let ranked = ranked.into_iter().map(|(_, row)| row);
    // No command has such signs in it. A token that went into the filter is no path, and is not repeated.
    let is_path = kind == PickerKind::Palette && path.contains(['/', '.']) && !looks_like_jwt(path);
    ranked.chain(is_path.then(|| Row::Made(audit_entry(model, path)))).collect()
}

/// What audits what is at this path.
fn audit_entry(model: &Model, path: &str) -> Entry {
    let title = model.render_context().prose(&format!("audit {path}"));
    plain(&title, "who gets in by its trusts", Choice::Audit(path.into()))
}

/// Whether a text has all words of a filter, one behind the other.
fn in_order(filter: &str, text: &str) -> bool {
    let mut rest = text;
    filter.split_whitespace().all(|word| match rest.split_once(word) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// What can be done here: what the screen has alone first, then the rest, each topic under its heading.
fn help(model: &Model) -> Vec<Entry> {
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
fn palette(model: &Model) -> Vec<Row> {
    let here = [Scope::On(model.screen), Scope::Main, Scope::Always];
    let mut entries: Vec<Entry> = here.into_iter().flat_map(|scope| of_scope(model, scope)).collect();
    let others = Screen::TABS.iter().filter(|screen| **screen != model.screen);
    entries.extend(others.flat_map(|screen| elsewhere(model, *screen)));
    entries.retain(|entry| entry.choice != Choice::Command(CommandId::Palette));
    let mut rows: Vec<Row> = entries.into_iter().map(Row::Made).collect();
    if model.replay.is_none() {
        rows.extend(profile_rows(model));
    }
    rows
}

/// What is looked for in the palette beside commands: the lab's scenarios and the guides, by what they say of themselves.
fn beyond_commands(model: &Model) -> Vec<Row> {
    if model.replay.is_some() {
        return Vec::new();
    }
    let guides = Guide::ALL.iter().map(|guide| Entry { note: "new".to_owned(), ..guide_entry(model, *guide) });
    let scenarios = scenario_rows(model).into_iter().filter(|row| !row.is_heading());
    guides.map(Row::Made).chain(scenarios).collect()
}

/// The name of the command that an entry stands for.
fn name(entry: &Entry) -> &'static str {
    match entry.choice {
        Choice::Command(id) | Choice::CommandOn(_, id) | Choice::NotNow(id, _) => {
            command(id).map_or("", |command| command.title)
        }
        _ => "",
    }
}

fn group(title: &str, entries: Vec<Entry>) -> Vec<Entry> {
    if entries.is_empty() { entries } else { std::iter::once(Entry::heading(title)).chain(entries).collect() }
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
            brief: "",
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
    let (choice, detail) = match availability(model, command) {
        Availability::Ready => (Choice::Command(command.id), Vec::new()),
        Availability::No(why) => (Choice::NotNow(command.id, why), vec![format!("not now: {why}")]),
    };
    let dim = matches!(choice, Choice::NotNow(..));
    Entry {
        brief: "",
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

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn words_match_whole_and_in_their_order() {
        let text = "paste token: paste or type a token";
        for (filter, matches) in
            [("paste", true), ("paste type", true), ("tok", true), ("pst", false), ("type paste", false)]
        {
            assert_eq!(in_order(filter, text), matches, "{filter}");
        }
    }
}
