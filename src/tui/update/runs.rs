//! Runs: starting, following, cancelling, watching, replaying.

use super::{guide, reset_lists, show};
use crate::check::Outcome;
use crate::domain::ids::FoundBy;
use crate::domain::profile::{Profile, TokenSource};
use crate::run::event::{EventKind, RunEvent, RunVerdict};
use crate::tui::command::Screen;
use crate::tui::content::guide::selected_step;
use crate::tui::inputs::{Replay, RunChoice};
use crate::tui::message::{Effect, RunNumber};
use crate::tui::model::{Follow, Lifecycle, Model, ReplayState, Watch};

/// How many rows are kept above a check that is selected by the run itself.
const CONTEXT: usize = 3;

/// Starts a run and shows it. One that is going on is told to stop.
pub(super) fn start(model: &mut Model, choice: RunChoice) -> Vec<Effect> {
    let mut effects = stop_live(model);
    effects.extend(guide::follow(model, &choice.target));
    let again =
        model.runs.shown().and_then(|run| run.choice.as_ref()).is_some_and(|shown| shown.target == choice.target);
    let run = model.runs.open(choice.target.label(), Some(choice.clone()), model.clock.now_ms());
    if again {
        model.unfolded.clear();
    } else {
        reset_lists(model);
        model.token.pasted = None;
    }
    model.token.reread = None;
    model.token.read_error = None;
    model.follow = Follow::Run;
    if model.screen == Screen::Start {
        show(model, Screen::Handshake);
    }
    if let Some(watch) = &mut model.runs.watch {
        watch.next_ms = None;
    }
    effects.push(Effect::StartRun { run, choice });
    effects
}

/// Runs the checks of the guide's selected step with what they need.
pub(super) fn check_step(model: &mut Model) -> Vec<Effect> {
    let Some((followed, step)) = selected_step(model) else { return Vec::new() };
    let Some(target) = followed.target.clone() else { return Vec::new() };
    let only = step.checks.iter().chain(&step.supporting).copied().collect();
    start(model, RunChoice { target, only })
}

/// Shows a recording.
pub(super) fn replay(model: &mut Model, replay: Replay) {
    let started = replay.events.first().and_then(|event| match &event.kind {
        EventKind::Planned { started, .. } => crate::domain::timestamp::parse_rfc3339(started),
        _ => None,
    });
    let number = model.runs.open(replay.name.clone(), None, started.unwrap_or_default().saturating_mul(1000));
    model.replay = Some(ReplayState { name: replay.name, truncated: replay.truncated });
    model.screen = Screen::Handshake;
    if let Some(run) = model.runs.get_mut(number) {
        for event in &replay.events {
            run.apply(event);
        }
        run.state = Lifecycle::Ended;
    }
    replay.events.iter().for_each(|event| guide::event(model, number, event));
    select_root(model);
}

/// The profile of a run is known. Its token's file is read at once, before the run has come to it.
pub(super) fn opened(model: &mut Model, run: RunNumber, profile: Box<Profile>) -> Vec<Effect> {
    let path = match &profile.token {
        Some(TokenSource::File(path)) => Some(path.clone()),
        _ => None,
    };
    let Some(opened) = model.runs.get_mut(run) else {
        return Vec::new();
    };
    opened.profile = Some(profile);
    path.map(|path| Effect::ReadToken { run, path }).into_iter().collect()
}

/// A run could not start.
pub(super) fn refused(model: &mut Model, run: RunNumber, message: String, hints: Vec<String>) -> Vec<Effect> {
    model.runs.watch = None;
    if let Some(refused) = model.runs.get_mut(run) {
        refused.state = Lifecycle::Refused { message: message.clone(), hints: hints.clone() };
        // A screen of the run says it in its own place.
        if matches!(model.screen, Screen::Start | Screen::Token) || model.runs.shown != Some(run) {
            return super::error(model, "The run could not start", message, hints);
        }
    }
    Vec::new()
}

/// An event of a run. Those of runs that are no longer kept are dropped.
pub(super) fn event(model: &mut Model, number: RunNumber, event: &RunEvent) -> Vec<Effect> {
    let at_end = follows_log(model);
    let Some(run) = model.runs.get_mut(number).filter(|run| run.is_live()) else {
        return Vec::new();
    };
    run.apply(event);
    let last = run.log.len().saturating_sub(1);
    let ended = run.state == Lifecycle::Ended;
    if model.runs.shown == Some(number) {
        if at_end {
            model.screens[Screen::Log as usize].list.selected = last;
        }
        if model.follow == Follow::Run {
            match &event.kind {
                EventKind::Done { .. } => select_root(model),
                EventKind::Started { check } => select_check(model, (*check).into()),
                _ => {}
            }
        }
    }
    if ended {
        round_ended(model, number);
    }
    Vec::new()
}

/// Whether the log's selection is at its end and should stay there as it grows.
fn follows_log(model: &Model) -> bool {
    let list = &model.screens[Screen::Log as usize].list;
    let length = model.runs.shown().map_or(0, |run| run.log.len());
    list.filter.is_empty() && list.selected + 1 >= length
}

/// A run's stream is over. Without a last event it was cut off.
pub(super) fn closed(model: &mut Model, number: RunNumber) -> Vec<Effect> {
    if let Some(run) = model.runs.get_mut(number)
        && run.is_live()
    {
        run.state = Lifecycle::Ended;
        round_ended(model, number);
    }
    Vec::new()
}

/// Stops the run that is going on, and watching.
pub(super) fn cancel(model: &mut Model) -> Vec<Effect> {
    model.runs.watch = None;
    stop_live(model)
}

fn stop_live(model: &mut Model) -> Vec<Effect> {
    let Some(number) = model.runs.live().map(|run| run.number) else {
        return Vec::new();
    };
    if let Some(run) = model.runs.get_mut(number) {
        run.state = Lifecycle::Cancelling;
    }
    vec![Effect::CancelRun { run: number }]
}

/// Starts or stops watching.
pub(super) fn watch(model: &mut Model, every_s: Option<u64>) -> Vec<Effect> {
    model.runs.watch = every_s.map(|every_s| Watch {
        every_s,
        next_ms: model.runs.live().is_none().then_some(model.clock.now_ms()),
        works_since_ms: None,
        began_ms: model.clock.now_ms(),
        rounds: 0,
    });
    due(model)
}

/// Starts the next round of watching when its time has come.
pub(super) fn due(model: &mut Model) -> Vec<Effect> {
    let due =
        model.runs.watch.as_ref().and_then(|watch| watch.next_ms).is_some_and(|next| next <= model.clock.now_ms());
    let choice = model.runs.newest().and_then(|run| run.choice.clone());
    match choice {
        Some(choice) if due => {
            let (follow, scroll) = (model.follow, model.here().scroll);
            let effects = start(model, choice);
            // A round must not take a person away from what they look at.
            model.follow = follow;
            model.here_mut().scroll = scroll;
            effects
        }
        _ => Vec::new(),
    }
}

fn round_ended(model: &mut Model, number: RunNumber) {
    let Some(verdict) = model.runs.get(number).map(|run| run.verdict()) else { return };
    let now = model.clock.now_ms();
    if let Some(watch) = &mut model.runs.watch {
        watch.rounds += 1;
        watch.next_ms = Some(now + i64::try_from(watch.every_s).unwrap_or(60) * 1000);
        watch.works_since_ms = match verdict {
            Some(RunVerdict::Pass) => watch.works_since_ms.or(Some(now)),
            _ => None,
        };
    }
}

/// Selects what is wrong: the root cause among the findings, and its check on the handshake; without a cause the first
/// check that keeps the run from a verdict.
pub(super) fn select_root(model: &mut Model) {
    model.screens[Screen::Findings as usize].list.selected = 0;
    let Some(report) = model.runs.shown().map(|run| &run.report) else { return };
    let undecided = report.end.as_ref().is_some_and(|end| end.verdict == RunVerdict::Inconclusive);
    let first = |outcome| report.finished().find(|check| check.outcome == outcome && check.blocked_by.is_none());
    let open = || first(Outcome::Inconclusive).or_else(|| first(Outcome::Skipped)).filter(|_| undecided);
    let root = report.findings.first().map(|found| found.check);
    if let Some(check) = root.or_else(|| open().map(|check| check.id.into())) {
        select_check(model, check);
    }
}

fn select_check(model: &mut Model, found: FoundBy) {
    let list = &model.screens[Screen::Handshake as usize].list;
    if !list.filter.is_empty() {
        return;
    }
    let place = model.runs.shown().and_then(|run| run.report.checks.iter().position(|check| found == check.id));
    if let Some(place) = place {
        let state = &mut model.screens[Screen::Handshake as usize];
        (state.list.selected, state.scroll) = (place, 0);
        // A few rows before it say how far the chain holds.
        state.list.offset = place.saturating_sub(CONTEXT);
    }
}
