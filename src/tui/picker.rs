//! What the lists on top of a screen offer, and what choosing an entry does.

use super::command::{Availability, COMMANDS, Command, CommandId, Scope};
use super::content::Show;
use super::content::clock::moment;
use super::content::handshake::passed_words;
use super::content::start::guide_title;
use super::copy;
use super::glyphs::Glyphs;
use super::inputs::{Patience, RotationWay, Target};
use super::message::RunNumber;
use super::model::rotation::rotated;
use super::model::{Model, PickerKind, Screen};
use super::text::Ink;
use crate::domain::profile::Guide;
use crate::run::event::RunVerdict;
use crate::run::rotation::session::RuntimeFrom;

/// An entry of a list on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A sign before it, where it has a state.
    pub sign: Option<(&'static str, Ink)>,
    pub title: String,
    /// At the right edge: a key, a cause, a time.
    pub note: String,
    /// Told below while it is selected.
    pub detail: Vec<String>,
    pub choice: Choice,
}

/// What choosing an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Command(CommandId),
    /// A command that cannot be used now, and why.
    NotNow(CommandId, &'static str),
    /// Nothing, and why.
    Unavailable(&'static str),
    Run(Target),
    Form(Guide),
    ShowRun(RunNumber),
    CompareWith(RunNumber),
    Copy(String),
    ExportMarkdown,
    ExportJson,
    /// Seconds between two runs; `None` stops.
    Watch(Option<u64>),
    RotationWay(RotationWay),
    RotationRuntime(RotationWay, RuntimeFrom, Patience),
}

/// The entries of a list.
pub fn entries(model: &Model, kind: PickerKind) -> Vec<Entry> {
    let show = Show::of(model);
    match kind {
        PickerKind::Palette => {
            let mut entries = commands(model, &[Scope::On(model.screen), Scope::Main, Scope::Always]);
            entries.retain(|entry| !matches!(entry.choice, Choice::Command(CommandId::Palette)));
            entries
        }
        PickerKind::Help => {
            let mut entries = commands(model, &[Scope::On(model.screen), Scope::Main, Scope::Always]);
            for entry in entries.iter_mut().filter(|entry| entry.detail.is_empty()) {
                entry.detail = vec![legend(show.glyphs)];
            }
            entries
        }
        PickerKind::Scenarios => scenarios(model, show),
        PickerKind::Profiles => model
            .inputs
            .profiles
            .iter()
            .map(|profile| Entry {
                sign: Some(match &profile.summary {
                    Ok(_) => (" ", Ink::Plain),
                    Err(_) => (show.glyphs.fail, Ink::Bad),
                }),
                title: show.prose(&profile.name),
                note: profile.summary.as_ref().map(|guide| show.prose(guide)).unwrap_or_default(),
                detail: match &profile.summary {
                    Ok(_) => vec![show.prose(&profile.path.display().to_string())],
                    Err(problem) => vec![show.prose(problem)],
                },
                choice: Choice::Run(Target::Named(profile.name.clone())),
            })
            .collect(),
        PickerKind::Guides => Guide::ALL.iter().map(|guide| guide_entry(model, *guide)).collect(),
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
                sign: None,
                title: show.prose(&offer.title),
                note: format!("{} bytes", offer.text.len()),
                detail: show.lines(&offer.text).into_iter().take(6).collect(),
                choice: Choice::Copy(offer.text),
            })
            .collect(),
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
    Entry { sign: None, title: title.to_owned(), note: note.to_owned(), detail: Vec::new(), choice }
}

fn rotation_ways() -> Vec<Entry> {
    let entry = |title: &str, detail: &str, way: RotationWay| Entry {
        sign: None,
        title: title.to_owned(),
        note: String::new(),
        detail: vec![detail.to_owned()],
        choice: Choice::RotationWay(way),
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
        sign: None,
        title: title.to_owned(),
        note: String::new(),
        detail: vec![detail.to_owned()],
        choice: Choice::RotationRuntime(way, runtime, patience),
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
        sign: Some((Show::of(model).glyphs.skipped, Ink::Muted)),
        detail: vec!["Not now: the profile names no deployment; it needs `deployment.url`.".to_owned()],
        ..entry
    });
    others.into_iter().chain(unavailable).collect()
}

fn commands(model: &Model, scopes: &[Scope]) -> Vec<Entry> {
    scopes
        .iter()
        .flat_map(|scope| {
            COMMANDS.iter().filter(move |c| c.scopes.contains(scope)).map(move |c| command_entry(model, *scope, c))
        })
        .collect()
}

fn command_entry(model: &Model, scope: Scope, command: &Command) -> Entry {
    let keys: Vec<String> = model.look.keymap.keys(scope, command.id).iter().map(ToString::to_string).collect();
    let (choice, detail) = match (command.enabled)(model) {
        Availability::Ready => (Choice::Command(command.id), Vec::new()),
        Availability::No(why) => (Choice::NotNow(command.id, why), vec![format!("not now: {why}")]),
    };
    let dim = matches!(choice, Choice::NotNow(..));
    Entry {
        sign: dim.then_some((Show::of(model).glyphs.skipped, Ink::Muted)),
        title: command.doc.to_owned(),
        note: keys.join(" "),
        detail,
        choice,
    }
}

/// What the signs of checks and steps mean.
fn legend(glyphs: &Glyphs) -> String {
    let Glyphs { pass, warn, fail, inconclusive, skipped, waiting, .. } = glyphs;
    format!(
        "{pass} holds  {warn} warning  {fail} fails  {inconclusive} cannot be told  {skipped} skipped  {waiting} open"
    )
}

fn scenarios(model: &Model, show: Show) -> Vec<Entry> {
    let sign = |glyphs: &Glyphs, expects: &Option<String>| match expects {
        Some(_) => (glyphs.fail, Ink::Bad),
        None => (glyphs.pass, Ink::Good),
    };
    model
        .inputs
        .scenarios
        .iter()
        .flatten()
        .map(|scenario| Entry {
            sign: Some(sign(show.glyphs, &scenario.expects)),
            title: show.prose(&scenario.title),
            note: scenario.name.clone(),
            detail: vec![
                show.prose(&scenario.title),
                show.prose(&scenario.teaches),
                format!(
                    "{} {} {}",
                    show.prose(&scenario.guide),
                    show.glyphs.dot,
                    scenario
                        .expects
                        .as_deref()
                        .map_or("nothing is broken".to_owned(), |cause| format!("leads to {cause}"))
                ),
            ],
            choice: Choice::Run(Target::Lab(scenario.name.clone())),
        })
        .collect()
}

fn guide_entry(model: &Model, guide: Guide) -> Entry {
    let offered = model.inputs.offers.iter().find(|(g, _)| *g == guide).map_or(0, |(_, settings)| settings.len());
    let note = if offered > 0 { format!("{offered} filled in") } else { String::new() };
    Entry { sign: None, title: guide_title(guide).to_owned(), note, detail: Vec::new(), choice: Choice::Form(guide) }
}

fn runs(model: &Model, show: Show, choice: fn(RunNumber) -> Choice) -> Vec<Entry> {
    model
        .runs
        .list
        .iter()
        .rev()
        .map(|run| {
            let sign = match run.verdict() {
                Some(RunVerdict::Pass) => (show.glyphs.pass, Ink::Good),
                Some(RunVerdict::Fail) => (show.glyphs.fail, Ink::Bad),
                Some(RunVerdict::Inconclusive) => (show.glyphs.inconclusive, Ink::Warning),
                None => (show.glyphs.waiting, Ink::Muted),
            };
            let cause = match run.verdict() {
                Some(RunVerdict::Pass) => passed_words(&run.report),
                Some(_) => run.report.findings.first().map_or("no cause named", |found| found.cause.id()).to_owned(),
                None => "unfinished".to_owned(),
            };
            Entry {
                sign: Some(sign),
                title: format!("{} {} {}", show.prose(&run.label), show.glyphs.dot, cause),
                note: moment(model, run.started_ms.div_euclid(1000)),
                detail: Vec::new(),
                choice: choice(run.number),
            }
        })
        .collect()
}

/// The entries that the list's filter lets through. Every word must be in the entry; an entry whose title has the
/// words' letters in order comes after those that hold them whole, and a command whose name begins with them before.
pub fn matching(model: &Model, kind: PickerKind, filter: &str) -> Vec<Entry> {
    let mut entries = entries(model, kind);
    let filter = filter.trim().to_lowercase();
    if filter.is_empty() {
        return entries;
    }
    let rank = |entry: &Entry| {
        let text = format!("{} {} {}", entry.title, entry.note, command_words(entry)).to_lowercase();
        if command_words(entry).starts_with(&filter) {
            Some(-1)
        } else if filter.split_whitespace().all(|word| text.contains(word)) {
            Some(0)
        } else {
            is_subsequence(&filter, &entry.title.to_lowercase()).then_some(1)
        }
    };
    let mut ranked: Vec<(i32, Entry)> = entries.drain(..).filter_map(|entry| Some((rank(&entry)?, entry))).collect();
    // What can be done now comes before what cannot.
    ranked.sort_by_key(|(rank, entry)| (*rank, matches!(entry.choice, Choice::NotNow(..))));
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

fn command_words(entry: &Entry) -> &'static str {
    match entry.choice {
        Choice::Command(id) | Choice::NotNow(id, _) => super::command::command(id).map_or("", |command| command.title),
        _ => "",
    }
}

fn is_subsequence(letters: &str, text: &str) -> bool {
    let mut text = text.chars();
    letters.chars().filter(|c| !c.is_whitespace()).all(|letter| text.any(|c| c == letter))
}
