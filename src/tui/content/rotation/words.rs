//! A rotation in words: what is going on, what a verdict rests on, and what to do where no finding says it.

use crate::domain::rotation::{RuntimeObservation, StoreSnapshot, Verdict, Why};
use crate::report::rotation::{hint, seen_fingerprint};
use crate::run::rotation::event::{Awaited, Moment, RotationMethod};
use crate::tui::content::chain::running;
use crate::tui::inputs::RotationWay;
use crate::tui::model::rotation::{Doing, Session};
use crate::tui::model::{Lifecycle, Model};

/// The name of a verdict as people read it.
pub fn name(verdict: Verdict) -> String {
    verdict.id().replace('-', " ")
}

/// What a session does at the moment, with its sign.
pub fn doing(model: &Model, session: &Session) -> (&'static str, String) {
    let (moving, dot) = (running(model), model.render_context().glyphs.dot);
    let waiting = model.render_context().glyphs.waiting;
    match (&session.state, &session.doing) {
        (Lifecycle::Cancelling, _) => (moving, "stopping".to_owned()),
        (_, Doing::Reading) => (moving, "reading the store".to_owned()),
        (_, Doing::Looking(Moment::Before)) => {
            (moving, "looking at the running automation before the rotation".to_owned())
        }
        (_, Doing::Looking(Moment::After)) if session.asks_for_output() => {
            (waiting, "paste here what the running automation prints".to_owned())
        }
        (_, Doing::Looking(Moment::After)) => (moving, "looking at the running automation".to_owned()),
        (_, Doing::Writing(_)) if session.choice.way == RotationWay::Command => {
            (moving, "your program runs".to_owned())
        }
        (_, Doing::Writing(_)) => (moving, "writing the new value".to_owned()),
        (_, Doing::Waiting { awaited, attempt, next_ms }) => {
            let what = match (awaited, session.report.way) {
                (Awaited::Store, Some(RotationMethod::ByHand)) => "waiting for you to rotate",
                (Awaited::Store, Some(RotationMethod::Watch)) => "watching for a new version",
                (Awaited::Store, _) => "waiting for the new version in the store",
                (Awaited::Runtime, _) => "waiting for the running automation",
            };
            let left = (next_ms - model.now_ms).max(0);
            let next = format!("{} s", (left + 999) / 1000);
            (waiting, format!("{what} {dot} look {attempt}, the next in {next}"))
        }
        (_, Doing::Offering(_)) => {
            (model.render_context().glyphs.warn, "it went wrong: roll back, or keep it as it is".to_owned())
        }
    }
}

/// What decided a verdict, in a sentence without its full stop; none where the verdict's own says it.
pub fn why(why: &Why) -> Option<String> {
    Some(match why {
        Why::HasCurrent | Why::SameVersion | Why::SameFingerprint => return None,
        Why::HasPrevious { variant: None } => return None,
        Why::HasPrevious { variant: Some(variant) } => format!("it has another form of the old value: {variant}"),
        Why::ValueOf { version } => format!("it is the value of version {version}"),
        Why::PendingVersion { version } => format!("version {version} waits"),
        Why::HasVersion { version } => format!("it has the value of version {version}, which was replaced earlier"),
        Why::MatchesNothing { .. } => return None,
        Why::HasVariant { variant } => format!("it has {variant}"),
        Why::HasSibling { name } => format!("it has the value of `{name}`, another secret of the same store"),
        Why::StoreNotSeen => "the store could not be read".to_owned(),
        Why::ValueNotRead => "the store's values could not be read, so that nothing can be compared".to_owned(),
        Why::RuntimeNotAsked => "the running automation was not looked at".to_owned(),
        Why::NoFingerprint => "the running automation's output has no fingerprint".to_owned(),
        Why::VariableNotSet { variable } => format!("the automation says that its variable {variable} is not set"),
        Why::AutomationFailed => "the automation ended in an error before it printed a fingerprint".to_owned(),
    })
}

/// What to do where no finding says it: what the command line says too, but for its own flags.
pub fn advice(why: &Why) -> Option<&'static str> {
    match why {
        Why::RuntimeNotAsked => Some(
            "Begin again with a kickoff, or paste what the automation prints: the store alone proves nothing of it.",
        ),
        why => hint(why),
    }
}

/// What the running automation's fingerprint is, compared with the store before and after.
pub fn likeness(seen: &RuntimeObservation, before: Option<&StoreSnapshot>, after: Option<&StoreSnapshot>) -> Likeness {
    let Some(print) = seen_fingerprint(seen, [after, before]) else { return Likeness::None };
    let is = |snapshot: Option<&StoreSnapshot>| {
        snapshot.and_then(|s| s.current()).is_some_and(|v| v.fingerprint.as_ref() == Some(print))
    };
    let near = |snapshot: Option<&StoreSnapshot>| {
        snapshot.and_then(|s| s.current()).is_some_and(|v| v.variant(print).is_some())
    };
    if after.is_some() && is(after) {
        Likeness::New
    } else if is(before) {
        Likeness::Old
    } else if near(after) || near(before) {
        Likeness::Near
    } else {
        Likeness::Other
    }
}

/// What a fingerprint is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The current value after the rotation.
    New,
    /// The current value before it.
    Old,
    /// Another form of one of them.
    Near,
    /// None of them.
    Other,
    /// No fingerprint was seen.
    None,
}
