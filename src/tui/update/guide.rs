//! The guide: following a profile, entering values, importing them, checking and confirming steps.

use ratatui::layout::Rect;

use super::{error, explain, open_form, show, toast};
use crate::domain::profile::edit::value_of;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Setting, Value};
use crate::domain::profile::{Guide, Profile};
use crate::domain::redaction::looks_secret;
use crate::domain::text::visible;
use crate::domain::timestamp::rfc3339;
use crate::domain::token::looks_like_jwt;
use crate::guide::{Change, ExternalProof, Proof, import, next_open};
use crate::report::guide::{self as report, GuideContext};
use crate::report::markdown;
use crate::run::event::{EventKind, FinishedCheck, RunEvent};
use crate::run::rotation::report::RotationReport;
use crate::tui::command::Screen;
use crate::tui::content::guide::{Row, keeps_nothing, selected, selected_step};
use crate::tui::inputs::{GuideFile, Keeps, Target};
use crate::tui::message::{Effect, RunNumber};
use crate::tui::model::guide::{Editing, Entered, Followed, Standing, fields};
use crate::tui::model::list::{Edit, Move};
use crate::tui::model::{Field, Focus, GuideState, Layer, Model, Page, Tone};

const OF_LAB: &str = "the lab's values are its own; make a profile to enter yours";
const OF_RECORDING: &str = "a recording is read-only";

/// A run of a target starts: its profile is followed.
pub(super) fn follow(model: &mut Model, target: &Target) -> Vec<Effect> {
    let known = model.guide.followed.as_ref().and_then(|followed| followed.target.as_ref());
    if known == Some(target) {
        return Vec::new();
    }
    model.guide = GuideState::default();
    match target {
        // The lab's profile exists once the lab runs.
        Target::Lab(_) => Vec::new(),
        target => vec![Effect::ReadGuide { target: target.clone() }],
    }
}

/// What is kept of a profile was read, or it was changed; or neither could be.
pub(super) fn read(model: &mut Model, target: Target, result: Result<Box<GuideFile>, String>) -> Vec<Effect> {
    let file = match result {
        // A profile that cannot be read is told by the run that was started with it.
        Err(_) if model.guide.followed.is_none() => return Vec::new(),
        Err(problem) => return error(model, "The profile was not changed", problem, Vec::new()),
        Ok(file) => *file,
    };
    match model.guide.followed.as_mut().filter(|followed| followed.target.as_ref() == Some(&target)) {
        Some(followed) => followed.file = file,
        None => {
            let guide = file.guide;
            let followed = Followed { file, ..Followed::bare(Some(target), guide, Keeps::File) };
            let unfinished = followed.is_unfinished() && followed.file.keeps == Keeps::File;
            model.guide.followed = Some(Box::new(followed));
            // A profile that is not finished is best gone on with where it is made.
            if unfinished && model.screen == Screen::Handshake {
                show(model, Screen::Guide);
            }
            select_next(model);
        }
    }
    Vec::new()
}

/// The profile of a run is known; that of the lab for the first time.
pub(super) fn opened(model: &mut Model, run: RunNumber, profile: &Profile, settings: Vec<Setting>) {
    let target = model.runs.get(run).and_then(|run| run.choice.as_ref()).map(|choice| choice.target.clone());
    let selector = Some(profile.selector.clone()).filter(|selector| !selector.is_empty());
    let Some(target @ Target::Lab(_)) = target else {
        if let Some(followed) = model.guide.followed.as_mut().filter(|followed| followed.target == target) {
            followed.selector = selector;
        }
        return;
    };
    let mut followed = Followed::bare(Some(target), profile.guide, Keeps::Nothing(OF_LAB));
    (followed.selector, followed.file.settings) = (selector, settings);
    model.guide.followed = Some(Box::new(followed));
    select_next(model);
}

/// An event of a run: what a check found is evidence for steps.
pub(super) fn event(model: &mut Model, number: RunNumber, event: &RunEvent) {
    let Some(run) = model.runs.get(number) else { return };
    let target = run.choice.as_ref().map(|choice| choice.target.clone());
    let only = run.choice.as_ref().map(|choice| choice.only.clone()).unwrap_or_default();
    let at = run.report.started.clone();
    match &event.kind {
        EventKind::Planned { guide, .. } => {
            let known = model.guide.followed.as_ref().is_some_and(|followed| followed.target == target);
            if let (false, Some(guide)) = (known, Guide::ALL.iter().find(|known| known.id() == guide)) {
                let why = if target.is_some() { OF_LAB } else { OF_RECORDING };
                let followed = Followed::bare(target, *guide, Keeps::Nothing(why));
                model.guide.followed = Some(Box::new(followed));
            }
        }
        EventKind::Finished(finished) => {
            if let Some(followed) = model.guide.followed.as_mut().filter(|followed| followed.target == target) {
                followed.judge(finished, &at, &only);
                followed.checked = Some(at);
            }
        }
        EventKind::Done { .. } => {
            // The run as a whole knows the roots, and what fixes them.
            let settled: Vec<FinishedCheck> = run.report.finished().cloned().collect();
            if let Some(followed) = model.guide.followed.as_mut().filter(|followed| followed.target == target) {
                settled.iter().for_each(|finished| followed.judge(finished, &at, &only));
            }
            if model.screen != Screen::Guide {
                select_next(model);
            }
        }
        _ => {}
    }
}

/// Selects the next step that is not done, without going to the screen.
pub(super) fn select_next(model: &mut Model) {
    let Some(followed) = model.guide.followed.as_deref() else { return };
    let states = followed.states();
    let next = next_open(&states);
    let place = followed.text().steps.iter().position(|step| Some(step.number) == next).unwrap_or(states.len());
    let state = &mut model.screens[Screen::Guide as usize];
    if state.list.filter.is_empty() {
        state.select(place);
    }
}

/// To the step that the list calls the next one; to the summary where every step is done.
pub(super) fn next(model: &mut Model) -> Vec<Effect> {
    let Some(followed) = model.guide.followed.as_deref() else { return Vec::new() };
    let states = followed.states();
    let here = selected_step(model).map(|(_, step)| step.number);
    let next = next_open(&states);
    let words = match next {
        None => Some("every step is done".to_owned()),
        Some(number) if next == here => Some(format!("step {number} is the next one")),
        Some(_) => None,
    };
    let place = followed.text().steps.iter().position(|step| Some(step.number) == next).unwrap_or(states.len());
    let state = model.here_mut();
    state.list.filter = Field::default();
    state.select(place);
    state.focus = Focus::List;
    words.map(|words| toast(model, words, Tone::Good)).unwrap_or_default()
}

/// Begins to enter the step's values, at the first that is not right yet.
pub(super) fn edit(model: &mut Model) -> Vec<Effect> {
    let Some((followed, step)) = selected_step(model) else { return Vec::new() };
    let open = |(key, need): &(Key, _)| {
        let standing = followed.standing(*key, *need, &followed.field_text(*key));
        matches!(standing, Standing::Missing | Standing::Wrong(_))
    };
    let key = fields(step).find(open).or_else(|| fields(step).next()).map(|(key, _)| key);
    key.map(|key| begin(model, key)).unwrap_or_default()
}

/// Begins to type into a field.
pub(super) fn begin(model: &mut Model, key: Key) -> Vec<Effect> {
    let effects = leave(model);
    let Some(followed) = model.guide.followed.as_deref() else { return effects };
    if let Some(why) = keeps_nothing(followed) {
        return toast(model, why.to_owned(), Tone::Bad);
    }
    model.guide.editing = Some(Editing { key, input: Field::of(followed.field_text(key)) });
    model.here_mut().focus = Focus::Detail;
    effects
}

/// To the next or previous field of the step, past the last one to the first: what is typed next is never a command.
pub(super) fn field(model: &mut Model, to: Move) -> Vec<Effect> {
    let (Some((_, step)), Some(editing)) = (selected_step(model), &model.guide.editing) else { return Vec::new() };
    let keys: Vec<Key> = fields(step).map(|(key, _)| key).collect();
    let Some(at) = keys.iter().position(|key| *key == editing.key) else { return leave(model) };
    let next = if to == Move::Up { at + keys.len() - 1 } else { at + 1 } % keys.len();
    if next == at {
        // The only field keeps what is typed, which may not be read back from the profile yet.
        let editing = model.guide.editing.clone();
        let effects = leave(model);
        model.guide.editing = editing;
        return effects;
    }
    let mut effects = leave(model);
    effects.extend(begin(model, keys[next]));
    effects
}

/// Leaves the field: a value is saved, and what is none is kept as it was typed.
pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    let Some(editing) = model.guide.editing.take() else { return Vec::new() };
    let Some(followed) = model.guide.followed.as_deref_mut() else { return Vec::new() };
    let (Some(target), key) = (followed.target.clone(), editing.key) else { return Vec::new() };
    let text = editing.input.text().trim();
    let saved = followed.setting(key).map(|setting| setting.value.clone());
    let value = match text {
        "" => None,
        text => match value_of(key, text) {
            Ok(value) => Some(value),
            Err(_) => return Vec::new(),
        },
    };
    let drafted = followed.file.drafts.remove(&key).is_some();
    if value == saved {
        return if drafted { vec![Effect::KeepDraft { target, key, text: None }] } else { Vec::new() };
    }
    set(model, vec![(key, value)]).into_iter().collect()
}

/// Changes values of the profile, and remembers what they were.
fn set(model: &mut Model, values: Entered) -> Option<Effect> {
    let followed = model.guide.followed.as_deref()?;
    let before = values.iter().map(|(key, _)| (*key, followed.entered(*key))).collect();
    model.guide.before.push(before);
    change(model, values)
}

/// Takes back the last change of values.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(values) = model.guide.before.pop() else { return Vec::new() };
    let words = match values.as_slice() {
        [(key, Some(_))] => format!("{} is as it was", key.path()),
        [(key, None)] => format!("{} is not set any more", key.path()),
        more => format!("{} values are as they were", more.len()),
    };
    if let Some(followed) = model.guide.followed.as_deref_mut() {
        values.iter().for_each(|(key, _)| drop(followed.file.drafts.remove(key)));
    }
    let effect = change(model, values);
    toast(model, words, Tone::Good);
    effect.into_iter().collect()
}

fn change(model: &mut Model, values: Entered) -> Option<Effect> {
    let followed = model.guide.followed.as_deref_mut()?;
    for (key, _) in &values {
        followed.forget(*key);
    }
    Some(Effect::Change { target: followed.target.clone()?, change: Change::Set(values) })
}

/// Types into the field. What is typed is kept at once, whatever happens next, unless it looks like a secret.
pub(super) fn type_in(model: &mut Model, edit: Edit) -> Vec<Effect> {
    if let Some(editing) = &mut model.guide.editing {
        editing.input.edit(edit);
    }
    keep(model)
}

fn keep(model: &mut Model) -> Vec<Effect> {
    let (Some(editing), Some(followed)) = (&model.guide.editing, model.guide.followed.as_deref_mut()) else {
        return Vec::new();
    };
    let (key, typed) = (editing.key, editing.input.text().to_owned());
    let saved = followed.setting(key).map_or_else(String::new, |setting| setting.value.to_string());
    let text = (typed != saved && looks_secret(&typed).is_none()).then_some(typed);
    match &text {
        Some(text) => followed.file.drafts.insert(key, text.clone()),
        None => followed.file.drafts.remove(&key),
    };
    followed.target.clone().map(|target| Effect::KeepDraft { target, key, text }).into_iter().collect()
}

/// Pasted text goes into the field that is typed into; what is more than a value fills fields by itself.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let trimmed = text.trim();
    let is_value = !trimmed.contains('\n') && !trimmed.starts_with(['{', '[']) && !looks_like_jwt(trimmed);
    match &mut model.guide.editing {
        Some(editing) if is_value => {
            editing.input.paste(text);
            keep(model)
        }
        _ => {
            let mut effects = leave(model);
            let of_use = |followed: &Followed| !import(text, followed.file.guide).taken.is_empty();
            let fills = looks_like_jwt(trimmed) || model.guide.followed.as_deref().is_some_and(of_use);
            effects.extend(if fills { import_text(model, text) } else { explain::open(model, text) });
            effects
        }
    }
}

/// Fills fields from a text, and says what was taken from where.
pub(super) fn import_text(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(followed) = model.guide.followed.as_deref() else { return Vec::new() };
    if let Some(why) = keeps_nothing(followed) {
        return toast(model, why.to_owned(), Tone::Bad);
    }
    let import = import(text, followed.file.guide);
    let before = |key: Key| followed.setting(key).map(|setting| setting.value.clone());
    let news: Vec<(Key, Option<Value>)> = import
        .taken
        .iter()
        .filter(|taken| before(taken.key).as_ref() != Some(&taken.value))
        .map(|taken| (taken.key, Some(taken.value.clone())))
        .collect();
    let earlier = import.taken.iter().map(|taken| before(taken.key)).collect();
    let effect = if news.is_empty() { None } else { set(model, news) };
    model.layers.push(Layer::reader(Page::Imported { import, earlier }));
    effect.into_iter().collect()
}

/// A rotation of the profile's secret reached the running automation.
pub(super) fn rotated(model: &mut Model, target: &Target, report: &RotationReport) -> Vec<Effect> {
    let at = rfc3339(model.clock.now_ms().div_euclid(1000)).unwrap_or_default();
    let Some(followed) = model.guide.followed.as_deref_mut() else { return Vec::new() };
    let guide = followed.file.guide;
    let secret = followed.setting(Key::SecretName).map(|setting| setting.value.to_string());
    // What was entered since is another setup than the one that was rotated in.
    let is_same = followed.target.as_ref() == Some(target);
    if !is_same || !secret.is_some_and(|secret| report.shows(guide, &secret)) {
        return Vec::new();
    }
    let shown = ExternalProof { proof: Proof::Rotation, at };
    followed.file.shown = vec![shown.clone()];
    match followed.file.keeps {
        Keeps::File => vec![Effect::Change { target: target.clone(), change: Change::Show { guide, shown } }],
        Keeps::Nothing(_) => Vec::new(),
    }
}

/// Says that the step is done, or takes it back.
pub(super) fn confirm(model: &mut Model) -> Vec<Effect> {
    let Some((followed, step)) = selected_step(model) else { return Vec::new() };
    let Some(target) = followed.target.clone() else { return Vec::new() };
    let (guide, number) = (followed.file.guide, step.number);
    let said = followed.file.confirmations.iter().any(|confirmed| confirmed.step == number);
    let (change, words) = if said {
        (Change::TakeBack { guide, step: number }, format!("step {number} is not confirmed any more"))
    } else {
        let at = rfc3339(model.clock.now_ms().div_euclid(1000)).unwrap_or_default();
        (Change::Confirm { guide, step: number, at }, format!("step {number} is confirmed by you"))
    };
    let _ = toast(model, words, Tone::Good);
    vec![Effect::Change { target, change }]
}

/// Shows the next way to do the step.
pub(super) fn other_way(model: &mut Model) -> Vec<Effect> {
    if let Some((_, step)) = selected_step(model) {
        *model.guide.ways.entry(step.number).or_insert(0) += 1;
    }
    Vec::new()
}

/// Writes the guide to a file beside where the program was started.
pub(super) fn export(model: &Model, extension: &str) -> Vec<Effect> {
    let Some(followed) = model.guide.followed.as_deref() else { return Vec::new() };
    let told = followed.report();
    let text = match extension {
        "json" => format!("{:#}\n", report::document(&[told], None)),
        _ => {
            let shown = GuideContext { ctx: markdown::CONTEXT, time: &|at| visible(at).into_owned() };
            markdown::render(&report::summary(&told, shown))
        }
    };
    vec![Effect::Export { name: format!("trustline-{}.{extension}", followed.file.guide.id()), text }]
}

/// What the selected row leads to: a guide to begin with, or the step's middle.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    match selected(model) {
        Some(Row::Guide(guide)) => {
            open_form(model, guide);
            Vec::new()
        }
        _ => {
            model.here_mut().focus = Focus::Detail;
            Vec::new()
        }
    }
}

/// A field whose step is no longer shown is left.
pub(super) fn leave_if_gone(model: &mut Model) -> Vec<Effect> {
    let Some(editing) = &model.guide.editing else { return Vec::new() };
    let shown = selected_step(model).is_some_and(|(_, step)| fields(step).any(|(key, _)| key == editing.key));
    if shown && model.here().focus == Focus::Detail { Vec::new() } else { leave(model) }
}

/// Scrolls so that the field that is typed into is seen with what is wrong with it.
pub(super) fn keep_field_in_view(model: &mut Model, detail: Rect) {
    let height = usize::from(detail.height);
    if let Some((first, end)) = crate::tui::content::guide::place(model, usize::from(detail.width)) {
        let here = model.here_mut();
        here.scroll = here.scroll.max(end.saturating_sub(height)).min(first);
    }
}
