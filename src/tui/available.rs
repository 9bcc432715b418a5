//! What can be done now: the keys that work, the hints for them, and in a few words why a command cannot be used.

use self::Availability::{No, Ready};
use super::command::{COMMANDS, Command, CommandId, Requirement, Scope, Screen};
use super::content::guide;
use super::copy;
use super::inputs::{RotationWay, RunChoice};
use super::model::rotation::{Doing, rotated};
use super::model::{Layer, Model};
use crate::domain::profile::TokenSource;
use crate::report::finding::{Answer, answer};
use crate::report::line::Wrap;

/// Whether a command can be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Not now, and why.
    No(&'static str),
}

/// The scopes in which keys are looked up now, the innermost first.
pub fn scopes(model: &Model) -> Vec<Scope> {
    let innermost = match model.layers.last() {
        _ if model.is_typing() => vec![Scope::Typing],
        None if model.editing().is_some() => vec![Scope::Field],
        Some(Layer::Picker(_)) => vec![Scope::Picker],
        Some(Layer::Reader(_)) => vec![Scope::Reader],
        Some(Layer::Form(_)) => vec![Scope::Form],
        Some(Layer::Paste(_)) => vec![Scope::Paste],
        Some(Layer::Value(_) | Layer::Program(_) | Layer::Agreement(_)) => vec![Scope::Secret],
        Some(Layer::Confirm(_)) => vec![Scope::Confirm],
        None => vec![Scope::On(model.screen), Scope::Main],
    };
    innermost.into_iter().chain([Scope::Always]).collect()
}

/// What a run can be repeated with.
pub fn again(model: &Model) -> Option<RunChoice> {
    model.runs.shown().or(model.runs.newest()).and_then(|run| run.choice.clone())
}

/// A hint for the bottom line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub id: CommandId,
    pub key: String,
    pub title: &'static str,
}

/// The hints for the bottom line, the most wanted first.
pub fn hints(model: &Model) -> Vec<Hint> {
    let scopes = scopes(model);
    let mut wanted: Vec<(&Command, u8)> = COMMANDS
        .iter()
        .filter_map(|command| Some((command, command.hint?)))
        .filter(|(command, _)| command.scopes.iter().any(|scope| scopes.contains(scope)))
        .filter(|(command, _)| availability(model, command) == Ready)
        .collect();
    wanted.sort_by_key(|(_, rank)| *rank);
    wanted
        .iter()
        .filter_map(|(command, _)| {
            let key = command
                .scopes
                .iter()
                .filter(|s| scopes.contains(s))
                .find_map(|s| model.appearance.keymap.key(*s, command.id));
            Some(Hint { id: command.id, key: key?.to_string(), title: command.title })
        })
        .collect()
}

/// Whether a command can be used now.
pub fn availability(model: &Model, command: &Command) -> Availability {
    match command.requires {
        Requirement::Nothing => Ready,
        Requirement::HasList => has_list(model),
        Requirement::HasFilter => has_filter(model),
        Requirement::CanRunAgain => can_run_again(model),
        Requirement::CanRunOne => can_run_one(model),
        Requirement::CanCancel => can_cancel(model),
        Requirement::CanWatch => can_watch(model),
        Requirement::HasRun => has_run(model),
        Requirement::HasReport => has_report(model),
        Requirement::HasFix => has_fix(model),
        Requirement::HasTwoRuns => has_two_runs(model),
        Requirement::HasCopy => has_copy(model),
        Requirement::NotReplay => not_replay(model),
        Requirement::CanUseLab => can_use_lab(model),
        Requirement::HasProfiles => has_profiles(model),
        Requirement::CanVerify => can_verify(model),
        Requirement::HasPasted => has_pasted(model),
        Requirement::HasOffset => has_offset(model),
        Requirement::HasCutLines => has_cut_lines(model),
        Requirement::CanReadAgain => can_read_again(model),
        Requirement::CanRotate => can_rotate(model),
        Requirement::IsWaiting => is_waiting(model),
        Requirement::CanConclude => can_conclude(model),
        Requirement::HasVerdict => has_verdict(model),
        Requirement::TakesOutput => takes_output(model),
        Requirement::CanRollBack => can_roll_back(model),
        Requirement::HasGuide => has_guide(model),
        Requirement::CanEditAny => can_edit_any(model),
        Requirement::CanEdit => can_edit(model),
        Requirement::CanUndo => can_undo(model),
        Requirement::CanCheckStep => can_check_step(model),
        Requirement::CanConfirm => can_confirm(model),
        Requirement::HasWays => has_ways(model),
    }
}

fn has_list(model: &Model) -> Availability {
    if !model.layers.is_empty() || model.row_count() > 0 { Ready } else { No("there is nothing to filter here") }
}

fn has_filter(model: &Model) -> Availability {
    if model.list().filter.is_empty() { No("no filter is set; / sets one") } else { Ready }
}

fn can_run_again(model: &Model) -> Availability {
    if model.replay.is_some() {
        No("a recording is read-only")
    } else if model.runs.live().is_some() {
        No("a run is going on; c cancels it")
    } else if model.runs.newest().is_none_or(|run| run.choice.is_none()) {
        No("nothing has run yet")
    } else {
        Ready
    }
}

fn can_run_one(model: &Model) -> Availability {
    match can_run_again(model) {
        Ready if model.selected_check().is_none() => No("no check is selected"),
        answer => answer,
    }
}

fn can_cancel(model: &Model) -> Availability {
    let is_going_on = model.runs.live().is_some() || model.runs.watch.is_some() || model.rotation.live().is_some();
    if is_going_on { Ready } else { No("nothing is going on") }
}

fn can_watch(model: &Model) -> Availability {
    if model.replay.is_some() {
        No("a recording is read-only")
    } else if model.runs.newest().is_none_or(|run| run.choice.is_none()) {
        No("nothing has run yet")
    } else {
        Ready
    }
}

fn has_run(model: &Model) -> Availability {
    if model.runs.shown().is_some() { Ready } else { No("nothing has run yet") }
}

fn has_report(model: &Model) -> Availability {
    match model.runs.shown() {
        _ if model.screen == Screen::Guide && model.guide.followed.is_some() => Ready,
        Some(run) if !run.report.checks.is_empty() => Ready,
        _ => No("there is no report yet"),
    }
}

fn has_fix(model: &Model) -> Availability {
    match model.runs.shown() {
        None => No("nothing has run yet"),
        Some(run) if run.report.end.is_none() => No("the run is still going on"),
        Some(run) => match answer(&run.report) {
            Answer::Script(..) => Ready,
            Answer::Words(_) => No("the root cause has no script; its finding says what to do"),
            Answer::Undecided(_) => No("no cause is proven; the finding says what decides"),
            Answer::Nothing => No("nothing was found"),
        },
    }
}

fn has_two_runs(model: &Model) -> Availability {
    if model.runs.list.len() > 1 { Ready } else { No("there is only one run so far; r runs again") }
}

fn has_copy(model: &Model) -> Availability {
    if copy::offers(model).is_empty() { No("there is nothing to copy here") } else { Ready }
}

fn not_replay(model: &Model) -> Availability {
    if model.replay.is_some() { No("a recording is read-only") } else { Ready }
}

fn can_use_lab(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.scenarios.as_ref().is_some_and(Vec::is_empty) => No("this build has no lab scenarios"),
        answer => answer,
    }
}

fn has_profiles(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.profiles.is_empty() => No("there are no profiles yet"),
        answer => answer,
    }
}

fn can_verify(model: &Model) -> Availability {
    match model.token.pasted.as_ref().or(model.token.reread.as_ref().map(|(_, held)| held)) {
        _ if model.replay.is_some() => No("a recording is read-only"),
        None => No("only a token that was pasted or read from a file can be checked here; a run checks its own"),
        Some(_) if model.token.fetching.is_some() => No("the keys are being fetched"),
        Some(held) => match held.decoded.issuer() {
            Some(issuer) if issuer.starts_with("https://") => Ready,
            _ => No("the token names no https issuer"),
        },
    }
}

fn has_pasted(model: &Model) -> Availability {
    if model.token.pasted.is_some() { Ready } else { No("no token was pasted") }
}

fn has_offset(model: &Model) -> Availability {
    if model.inputs.utc_offset_s.is_some() { Ready } else { No("the local time zone is not known") }
}

fn has_cut_lines(model: &Model) -> Availability {
    if matches!(model.wrap, Wrap::Off { .. }) { Ready } else { No("long lines are broken; z cuts them instead") }
}

fn can_read_again(model: &Model) -> Availability {
    let profile = model.runs.shown().and_then(|run| run.profile.as_deref());
    match profile.and_then(|profile| profile.token.as_ref()) {
        _ if model.replay.is_some() => No("a recording is read-only"),
        _ if model.token.pasted.is_some() => No("a pasted token is shown; drop it to see the profile's"),
        _ if model.token.reading.is_some() => No("it is being read"),
        None => No("no profile that names a token has run"),
        Some(TokenSource::Stdin) => No("standard input can be read only once"),
        Some(TokenSource::Env(_)) => No("a running program's variables do not change; start again to see a new value"),
        Some(_) => Ready,
    }
}

fn can_rotate(model: &Model) -> Availability {
    let run = model.runs.shown().or(model.runs.newest());
    match not_replay(model) {
        Ready if model.rotation.live().is_some() => No("a session is going on; c ends it"),
        Ready if run.is_none_or(|run| run.choice.is_none()) => No("pick a profile or a scenario of the lab first"),
        Ready => match rotated(model) {
            None => No("the profile is not read yet, or cannot be"),
            Some(rotated) if rotated.secret.is_none() => No("the profile names no secret; it needs `secret.name`"),
            Some(_) => Ready,
        },
        answer => answer,
    }
}

fn is_waiting(model: &Model) -> Availability {
    match model.rotation.live().map(|session| &session.doing) {
        Some(Doing::Waiting { .. }) => Ready,
        Some(_) => No("the session is not waiting"),
        None => No("no session is going on; R begins one"),
    }
}

fn can_conclude(model: &Model) -> Availability {
    match model.rotation.live() {
        None => No("no session is going on; R begins one"),
        Some(session) if session.choice.way == RotationWay::Watch => No("watching ends with c"),
        Some(session) if session.asks_for_output() => Ready,
        Some(_) => is_waiting(model),
    }
}

fn has_verdict(model: &Model) -> Availability {
    match &model.rotation.session {
        Some(session) if session.is_live() => No("the session has not ended yet"),
        Some(session) if session.report.secrets.iter().any(|secret| secret.verdict().is_some()) => Ready,
        _ => No("there is no verdict yet"),
    }
}

fn takes_output(model: &Model) -> Availability {
    match model.rotation.live() {
        None => No("no session is going on; R begins one"),
        Some(session) if session.takes_output() => Ready,
        Some(_) => No("this session looks at the automation by itself"),
    }
}

fn can_roll_back(model: &Model) -> Availability {
    match model.rotation.live().and_then(|session| session.offering()) {
        Some(_) => Ready,
        None => No("nothing is offered to be rolled back"),
    }
}

fn has_guide(model: &Model) -> Availability {
    if model.guide.followed.is_some() { Ready } else { No("no profile is open; + makes one") }
}

/// Whether what is entered can be kept.
fn can_edit_any(model: &Model) -> Availability {
    match model.guide.followed.as_deref() {
        None => No("no profile is open; + makes one"),
        Some(followed) => guide::keeps_nothing(followed).map_or(Ready, No),
    }
}

fn can_edit(model: &Model) -> Availability {
    match (can_edit_any(model), guide::selected_step(model)) {
        (Ready, Some((_, step))) if step.fields.is_empty() => No("this step has no values"),
        (Ready, None) => No("no step is selected"),
        (answer, _) => answer,
    }
}

fn can_undo(model: &Model) -> Availability {
    match can_edit_any(model) {
        Ready if model.guide.before.is_empty() => No("no value was changed here"),
        answer => answer,
    }
}

fn can_check_step(model: &Model) -> Availability {
    match guide::selected_step(model) {
        None => No("no step is selected"),
        Some(_) if model.replay.is_some() => No("a recording is read-only"),
        Some((_, step)) if step.checks.is_empty() => No("nothing can be asked about this step"),
        Some(_) if model.runs.live().is_some() => No("a run is going on; c cancels it"),
        Some(_) => Ready,
    }
}

fn can_confirm(model: &Model) -> Availability {
    match (can_edit_any(model), guide::selected_step(model)) {
        (Ready, Some((_, step))) if step.confirm.is_none() => No("this step is no matter of a word: v checks it"),
        (Ready, None) => No("no step is selected"),
        (answer, _) => answer,
    }
}

fn has_ways(model: &Model) -> Availability {
    match guide::selected_step(model) {
        Some((_, step)) if step.tabs.len() > 1 => Ready,
        _ => No("there is one way to do this"),
    }
}
