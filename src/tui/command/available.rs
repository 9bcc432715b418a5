//! When each command can be used, and in a few words why not.

use super::Availability::{self, No, Ready};
use crate::domain::profile::TokenSource;
use crate::report::finding::{Answer, answer};
use crate::report::line::Wrap;
use crate::tui::content::guide;
use crate::tui::copy;
use crate::tui::inputs::RotationWay;
use crate::tui::model::rotation::{Doing, rotated};
use crate::tui::model::{Model, Screen};

pub(super) fn always(_: &Model) -> Availability {
    Ready
}

pub(super) fn has_list(model: &Model) -> Availability {
    if !model.layers.is_empty() || model.row_count() > 0 { Ready } else { No("there is nothing to filter here") }
}

pub(super) fn has_filter(model: &Model) -> Availability {
    if model.list().filter.is_empty() { No("no filter is set; / sets one") } else { Ready }
}

pub(super) fn can_run_again(model: &Model) -> Availability {
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

pub(super) fn can_run_one(model: &Model) -> Availability {
    match can_run_again(model) {
        Ready if model.selected_check().is_none() => No("no check is selected"),
        answer => answer,
    }
}

pub(super) fn can_cancel(model: &Model) -> Availability {
    let is_going_on = model.runs.live().is_some() || model.runs.watch.is_some() || model.rotation.live().is_some();
    if is_going_on { Ready } else { No("nothing is going on") }
}

pub(super) fn can_watch(model: &Model) -> Availability {
    if model.replay.is_some() {
        No("a recording is read-only")
    } else if model.runs.newest().is_none_or(|run| run.choice.is_none()) {
        No("nothing has run yet")
    } else {
        Ready
    }
}

pub(super) fn has_run(model: &Model) -> Availability {
    if model.runs.shown().is_some() { Ready } else { No("nothing has run yet") }
}

pub(super) fn has_report(model: &Model) -> Availability {
    match model.runs.shown() {
        _ if model.screen == Screen::Guide && model.guide.followed.is_some() => Ready,
        Some(run) if !run.report.checks.is_empty() => Ready,
        _ => No("there is no report yet"),
    }
}

pub(super) fn has_fix(model: &Model) -> Availability {
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

pub(super) fn has_two_runs(model: &Model) -> Availability {
    if model.runs.list.len() > 1 { Ready } else { No("there is only one run so far; r runs again") }
}

pub(super) fn has_copy(model: &Model) -> Availability {
    if copy::offers(model).is_empty() { No("there is nothing to copy here") } else { Ready }
}

pub(super) fn not_replay(model: &Model) -> Availability {
    if model.replay.is_some() { No("a recording is read-only") } else { Ready }
}

pub(super) fn can_use_lab(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.scenarios.as_ref().is_some_and(Vec::is_empty) => No("this build has no lab scenarios"),
        answer => answer,
    }
}

pub(super) fn has_profiles(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.profiles.is_empty() => No("there are no profiles yet"),
        answer => answer,
    }
}

pub(super) fn can_verify(model: &Model) -> Availability {
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

pub(super) fn has_pasted(model: &Model) -> Availability {
    if model.token.pasted.is_some() { Ready } else { No("no token was pasted") }
}

pub(super) fn has_offset(model: &Model) -> Availability {
    if model.inputs.utc_offset_s.is_some() { Ready } else { No("the local time zone is not known") }
}

pub(super) fn has_cut_lines(model: &Model) -> Availability {
    if matches!(model.wrap, Wrap::Off { .. }) { Ready } else { No("long lines are broken; z cuts them instead") }
}

pub(super) fn can_read_again(model: &Model) -> Availability {
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

pub(super) fn can_rotate(model: &Model) -> Availability {
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

pub(super) fn is_waiting(model: &Model) -> Availability {
    match model.rotation.live().map(|session| &session.doing) {
        Some(Doing::Waiting { .. }) => Ready,
        Some(_) => No("the session is not waiting"),
        None => No("no session is going on; R begins one"),
    }
}

pub(super) fn can_conclude(model: &Model) -> Availability {
    match model.rotation.live() {
        None => No("no session is going on; R begins one"),
        Some(session) if session.choice.way == RotationWay::Watch => No("watching ends with c"),
        Some(session) if session.asks_for_output() => Ready,
        Some(_) => is_waiting(model),
    }
}

pub(super) fn has_verdict(model: &Model) -> Availability {
    match &model.rotation.session {
        Some(session) if session.is_live() => No("the session has not ended yet"),
        Some(session) if session.report.secrets.iter().any(|secret| secret.verdict().is_some()) => Ready,
        _ => No("there is no verdict yet"),
    }
}

pub(super) fn takes_output(model: &Model) -> Availability {
    match model.rotation.live() {
        None => No("no session is going on; R begins one"),
        Some(session) if session.takes_output() => Ready,
        Some(_) => No("this session looks at the automation by itself"),
    }
}

pub(super) fn can_roll_back(model: &Model) -> Availability {
    match model.rotation.live().and_then(|session| session.offering()) {
        Some(_) => Ready,
        None => No("nothing is offered to be rolled back"),
    }
}

pub(super) fn has_guide(model: &Model) -> Availability {
    if model.guide.followed.is_some() { Ready } else { No("no profile is open; + makes one") }
}

/// Whether what is entered can be kept.
pub(super) fn can_edit_any(model: &Model) -> Availability {
    match model.guide.followed.as_deref() {
        None => No("no profile is open; + makes one"),
        Some(followed) => guide::keeps_nothing(followed).map_or(Ready, No),
    }
}

pub(super) fn can_edit(model: &Model) -> Availability {
    match (can_edit_any(model), guide::selected_step(model)) {
        (Ready, Some((_, step))) if step.fields.is_empty() => No("this step has no values"),
        (Ready, None) => No("no step is selected"),
        (answer, _) => answer,
    }
}

pub(super) fn can_undo(model: &Model) -> Availability {
    match can_edit_any(model) {
        Ready if model.guide.before.is_empty() => No("no value was changed here"),
        answer => answer,
    }
}

pub(super) fn can_check_step(model: &Model) -> Availability {
    match guide::selected_step(model) {
        None => No("no step is selected"),
        Some(_) if model.replay.is_some() => No("a recording is read-only"),
        Some((_, step)) if step.checks.is_empty() => No("nothing can be asked about this step"),
        Some(_) if model.runs.live().is_some() => No("a run is going on; c cancels it"),
        Some(_) => Ready,
    }
}

pub(super) fn can_confirm(model: &Model) -> Availability {
    match (can_edit_any(model), guide::selected_step(model)) {
        (Ready, Some((_, step))) if step.confirm.is_none() => No("this step is no matter of a word: v checks it"),
        (Ready, None) => No("no step is selected"),
        (answer, _) => answer,
    }
}

pub(super) fn has_ways(model: &Model) -> Availability {
    match guide::selected_step(model) {
        Some((_, step)) if step.tabs.len() > 1 => Ready,
        _ => No("there is one way to do this"),
    }
}
