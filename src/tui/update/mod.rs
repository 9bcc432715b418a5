//! What happens on a message: the one place where the model changes. Pure: no clock, no input or output.

mod audit;
mod commands;
mod events;
mod explain;
mod guide;
mod input;
mod issuer;
mod layers;
mod operator;
mod rotation;
mod runs;
mod select;
mod settle;
mod token;

use super::command::{CommandId, Screen};
use super::content;
use super::inputs::{Appearance, Inputs, Opening};
use super::layout;
use super::message::{Effect, Msg};
use super::model::list::Move;
use super::model::{Clock, Focus, Layer, Model, Page, Toast, Tone};
pub use settle::{clamp_selection_and_scroll, settle};

/// The console as it opens, and what it asks for first.
pub fn open(
    inputs: Inputs,
    appearance: Appearance,
    opening: Opening,
    now_ms: i64,
    size: (u16, u16),
) -> (Model, Vec<Effect>) {
    let mut model = Model::new(inputs, appearance, now_ms, size);
    let mut effects = match opening {
        Opening::Start => Vec::new(),
        Opening::Run(choice) => runs::start(&mut model, choice),
        Opening::Events => events::open(&mut model),
        Opening::Replay(replay) => {
            runs::replay(&mut model, replay);
            Vec::new()
        }
    };
    if model.replay.is_none() && model.inputs.scenarios.is_none() {
        effects.push(Effect::ListScenarios);
    }
    effects.push(Effect::SetTitle(model.title()));
    (model, effects)
}

/// Changes the model by a message, and says what to do outside. What it leaves to lay out is done once a frame, by
/// [`settle`].
pub fn update(model: &mut Model, message: Msg) -> Vec<Effect> {
    // A person acts on what a frame would show by now, drawn or not.
    if matches!(message, Msg::Key(_) | Msg::Do(_) | Msg::Choose(_) | Msg::Pointer(_) | Msg::Paste(_)) {
        clamp_selection_and_scroll(model);
    }
    if matches!(message, Msg::Key(_) | Msg::Paste(_) | Msg::Resize(..)) {
        model.selection = None;
    }
    let is_tick = matches!(message, Msg::Now(_));
    let before = model.title();
    let mut effects = match message {
        Msg::Now(now_ms) => tick(model, now_ms),
        Msg::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Msg::Key(key) => input::press(model, key),
        Msg::Do(id) => input::named(model, id),
        Msg::Choose(at) => input::choose(model, at),
        Msg::Pointer(pointer) => input::act(model, pointer),
        Msg::Paste(pasted) => input::paste(model, &pasted),
        Msg::RunOpened { run, profile, settings } => {
            guide::opened(model, run, &profile, settings);
            runs::opened(model, run, profile)
        }
        Msg::RunRefused { run, message, hints } => runs::refused(model, run, message, hints),
        Msg::RunEvent { run, event } => {
            let effects = runs::event(model, run, &event);
            guide::event(model, run, &event);
            effects
        }
        Msg::RunClosed { run } => runs::closed(model, run),
        Msg::ReaderSeen { target, result } => operator::seen(model, target, result),
        Msg::ReadAgreed { target } => {
            model.read_as_operator = Some(target);
            if operator::is_agreed(model) { commands::run(model, CommandId::RunAgain) } else { Vec::new() }
        }
        Msg::OperatorSeen { target, result } => rotation::operator(model, &target, result),
        Msg::RotationOpened { session, profile, resumes } => rotation::opened(model, session, profile, resumes),
        Msg::RotationRefused { session, message, hints } => rotation::refused(model, session, message, hints),
        Msg::RotationEvent { session, event } => rotation::event(model, session, &event),
        Msg::RotationClosed { session } => rotation::closed(model, session),
        Msg::TokenRead { run, source, raw, cleaned } => token::read(model, run, source, raw, cleaned),
        Msg::TokenReadAgain { run, result } => token::was_read_again(model, run, result),
        Msg::EventsRead(result) => events::read(model, result),
        Msg::IssuerSeen { url, result } => issuer::seen(model, &url, result),
        Msg::Audited { path, result } => audit::read(model, path, result),
        Msg::KeysRead { issuer, keys } => token::keys(model, issuer, keys),
        Msg::Scenarios(scenarios) => layers::scenarios(model, scenarios),
        Msg::Copied(Ok(words)) => toast(model, words, Tone::Good),
        Msg::Copied(Err(problem)) => error(model, "Not copied", problem, Vec::new()),
        Msg::Exported(Ok(path)) => toast(model, format!("written to {}", path.display()), Tone::Good),
        Msg::Exported(Err(problem)) => error(model, "Not written", problem, Vec::new()),
        Msg::ProfileSaved { name, result, profiles } => layers::saved(model, name, result, profiles),
        Msg::GuideRead { target, result } => guide::read(model, target, result),
        Msg::Resumed => vec![Effect::Repaint],
        Msg::Notice(text) => error(model, "Warning", text, Vec::new()),
    };
    // The time alone moves nothing, unless it begins something. What shows it is laid out anew by whoever draws.
    if !is_tick || effects.iter().any(|effect| !matches!(effect, Effect::ReadToken { .. })) {
        model.is_settled = false;
    }
    effects.extend(guide::leave_if_gone(model));
    let after = model.title();
    if after != before {
        effects.push(Effect::SetTitle(after));
    }
    effects
}

fn tick(model: &mut Model, now_ms: i64) -> Vec<Effect> {
    let is_new_second = model.clock.now_ms().div_euclid(1000) != now_ms.div_euclid(1000);
    model.clock = Clock::at(now_ms);
    if model.toast.as_ref().is_some_and(|toast| toast.until_ms <= now_ms) {
        model.toast = None;
    }
    let mut effects = runs::due(model);
    if is_new_second {
        effects.extend(token::reread(model));
        effects.extend(token::at_end(model));
    }
    effects
}

/// How many rows the screen's filter lets through.
fn count(model: &Model) -> usize {
    let rows = content::rows(model);
    model.matching(&rows).len()
}

/// Moves in what has the focus on the screen: the list, or the details.
fn go(model: &mut Model, to: Move) {
    let geometry = layout::compute(model);
    match model.here().focus {
        Focus::List => {
            let (count, page) = (count(model), usize::from(geometry.list_inner().height));
            let here = model.here_mut();
            let before = here.list.selected;
            here.list.go(to, count, page);
            if here.list.selected != before {
                here.to_top();
            }
            model.follow = super::model::Follow::Person;
        }
        Focus::Detail => scroll(model, to),
        Focus::Aside => scroll_aside(model, to),
    }
}

/// Scrolls the details; `clamp_selection_and_scroll` stops at their end.
fn scroll(model: &mut Model, to: Move) {
    let page = usize::from(layout::compute(model).detail_inner().height).saturating_sub(1).max(1);
    let here = model.here_mut();
    here.scroll = scrolled(here.scroll, to, page);
}

/// Scrolls what stands beside the details; `clamp_selection_and_scroll` stops at its end.
fn scroll_aside(model: &mut Model, to: Move) {
    let page = usize::from(layout::compute(model).aside_inner().height).saturating_sub(1).max(1);
    let here = model.here_mut();
    here.aside_scroll = scrolled(here.aside_scroll, to, page);
}

/// A scroll position after a move; the end is found by the one who knows the length.
fn scrolled(from: usize, to: Move, page: usize) -> usize {
    match to {
        Move::Up => from.saturating_sub(1),
        Move::Down => from.saturating_add(1),
        Move::PageUp => from.saturating_sub(page),
        Move::PageDown => from.saturating_add(page),
        Move::Top => 0,
        Move::Bottom => usize::MAX / 2,
    }
}

/// Forgets where the person was in the lists of a run.
fn reset_lists(model: &mut Model) {
    for screen in Screen::TABS {
        model.screens[*screen as usize].reset();
    }
    model.unfolded.clear();
}

fn show(model: &mut Model, screen: Screen) {
    model.screen = screen;
}

/// How long a toast stays, in milliseconds.
const TOAST_MS: i64 = 4_000;

fn toast(model: &mut Model, text: String, tone: Tone) -> Vec<Effect> {
    model.toast = Some(Toast { text, tone, until_ms: model.clock.now_ms() + TOAST_MS });
    Vec::new()
}

/// Something went wrong: it is told on top and stays until it is dismissed.
fn error(model: &mut Model, title: &str, message: String, hints: Vec<String>) -> Vec<Effect> {
    model.layers.push(Layer::reader(Page::Error { title: title.to_owned(), message, hints }));
    Vec::new()
}

/// The form of a guide, on top.
fn open_form(model: &mut Model, guide: crate::domain::profile::Guide) {
    let offers = model.inputs.offers.iter().find(|(of, _)| *of == guide).map(|(_, settings)| settings.clone());
    let taken: Vec<&str> = model.inputs.profiles.iter().map(|profile| profile.name.as_str()).collect();
    let form = Layer::form(guide, &offers.unwrap_or_default(), &taken);
    model.layers.push(form);
}
