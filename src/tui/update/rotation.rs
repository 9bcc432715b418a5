//! Rotation sessions: asking how to rotate, beginning, following, telling, ending.

use super::{error, guide, show, toast};
use crate::domain::profile::Profile;
use crate::domain::redaction::looks_secret;
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::token::looks_like_jwt;
use crate::run::rotation::event::{RotationEvent, RotationKind};
use crate::run::rotation::session::RuntimeFrom;
use crate::tui::available::again;
use crate::tui::command::Screen;
use crate::tui::inputs::{Agreed, OperatorSeen, Patience, RotationChoice, RotationWay, Target};
use crate::tui::message::SessionNumber;
use crate::tui::message::{Effect, Pasted, RotationInput};
use crate::tui::model::layer::{Agreement, Confirm, Operator, ProgramBox, ValueBox};
use crate::tui::model::list::{Edit, Field};
use crate::tui::model::rotation::{Session, rotated};
use crate::tui::model::{Layer, Lifecycle, Model, PickerKind, Tone};
use crate::tui::typed_value::TypedValue;

/// Asks who is going to rotate.
pub(super) fn ask_way(model: &mut Model) -> Vec<Effect> {
    show(model, Screen::Rotation);
    model.layers.push(Layer::picker(PickerKind::RotationWay));
    Vec::new()
}

/// The way was chosen; asks where the running automation is seen.
pub(super) fn chose_way(model: &mut Model, way: RotationWay) -> Vec<Effect> {
    model.layers.push(Layer::picker(PickerKind::RotationRuntime(way)));
    Vec::new()
}

/// All but the value is chosen: asks for it and for an agreement where something is written, else begins.
pub(super) fn chose_runtime(model: &mut Model, way: RotationWay, runtime: (RuntimeFrom, Patience)) -> Vec<Effect> {
    match way {
        RotationWay::Typed => {
            model.layers.push(Layer::Value(ValueBox { runtime, value: TypedValue::default(), note: None }));
            Vec::new()
        }
        RotationWay::Command => {
            let program = ProgramBox { runtime, typed: Field::default(), shown: None, note: None };
            model.layers.push(Layer::Program(program));
            Vec::new()
        }
        RotationWay::Generated => agree(model, way, runtime, None),
        RotationWay::ByHand | RotationWay::Already | RotationWay::Watch => {
            begin(model, way, runtime, Writing::default())
        }
    }
}

/// The program was typed: shows how it would run, then begins.
pub(super) fn typed_program(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Program(program)) = model.layers.last_mut() else { return Vec::new() };
    let runtime = program.runtime;
    if let Some(command) = program.shown.take() {
        model.layers.pop();
        return begin(model, RotationWay::Command, runtime, Writing { command, ..Writing::default() });
    }
    // As a profile's commands: a word ends at a blank, and no shell reads it.
    let words: Vec<String> = program.typed.text().split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        program.note = Some("nothing was typed yet");
    } else if words.iter().any(|word| looks_like_jwt(word)) {
        program.note = Some("that has a token in it, and arguments show in the list of processes");
    } else {
        program.shown = Some(words);
    }
    Vec::new()
}

/// The value was typed; asks for an agreement.
pub(super) fn typed_value(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Value(typed)) = model.layers.last_mut() else { return Vec::new() };
    if typed.value.is_empty() {
        typed.note = Some("nothing was typed yet");
        return Vec::new();
    }
    let (runtime, value) = (typed.runtime, std::mem::take(&mut typed.value));
    model.layers.pop();
    agree(model, RotationWay::Typed, runtime, Some(value))
}

fn agree(
    model: &mut Model,
    way: RotationWay,
    runtime: (RuntimeFrom, Patience),
    value: Option<TypedValue>,
) -> Vec<Effect> {
    let secret = rotated(model).and_then(|rotated| rotated.secret);
    let Some((secret, target)) = secret.zip(again(model).map(|choice| choice.target)) else {
        return toast(model, "the profile names no secret".to_owned(), Tone::Bad);
    };
    let operator = Operator::Asking;
    let agreement = Agreement { way, runtime, value, secret, operator, typed: Field::default(), is_wrong: false };
    model.layers.push(Layer::Agreement(Box::new(agreement)));
    vec![Effect::AskOperator { target }]
}

/// It is known as whom the secret would be written, or that it cannot be.
pub(super) fn operator(model: &mut Model, target: &Target, result: Result<OperatorSeen, String>) -> Vec<Effect> {
    let is_asked = again(model).is_some_and(|choice| choice.target == *target);
    if let Some(Layer::Agreement(agreement)) = model.layers.last_mut().filter(|_| is_asked) {
        agreement.operator = match result {
            Ok(seen) => Operator::Known(seen),
            Err(why) => Operator::Unknown(why),
        };
    }
    Vec::new()
}

/// It was typed what is written and whose it is; begins where it is that.
pub(super) fn agreed(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Agreement(agreement)) = model.layers.last_mut() else { return Vec::new() };
    let Operator::Known(seen) = &agreement.operator else { return Vec::new() };
    if agreement.wanted().as_deref() != Some(agreement.typed.text().trim()) {
        agreement.is_wrong = true;
        return Vec::new();
    }
    let place = seen.place.clone();
    match model.layers.pop() {
        Some(Layer::Agreement(agreed)) => {
            let writing = Writing {
                agreed: Some(Agreed { secret: agreed.secret, place }),
                value: agreed.value,
                command: Vec::new(),
            };
            begin(model, agreed.way, agreed.runtime, writing)
        }
        _ => Vec::new(),
    }
}

/// What a session needs that writes, or has a program write.
#[derive(Default)]
struct Writing {
    agreed: Option<Agreed>,
    value: Option<TypedValue>,
    command: Vec<String>,
}

fn begin(model: &mut Model, way: RotationWay, runtime: (RuntimeFrom, Patience), writing: Writing) -> Vec<Effect> {
    let Writing { agreed, value, command } = writing;
    let Some(target) = again(model).map(|choice| choice.target) else {
        return Vec::new();
    };
    let mut effects = cancel(model);
    let (runtime, patience) = runtime;
    let choice = RotationChoice { target, way, command, runtime, patience, agreed };
    let session = model.rotation.begin(choice.clone(), model.clock.now_ms());
    show(model, Screen::Rotation);
    model.here_mut().reset();
    effects.push(Effect::StartRotation { session, choice, value });
    effects
}

/// A session has begun with this profile.
pub(super) fn opened(
    model: &mut Model,
    number: SessionNumber,
    profile: Box<Profile>,
    resumes: Option<String>,
) -> Vec<Effect> {
    if let Some(session) = model.rotation.get_mut(number) {
        session.profile = Some(profile);
        session.resumes = resumes;
    }
    Vec::new()
}

/// A session could not begin.
pub(super) fn refused(model: &mut Model, number: SessionNumber, message: String, hints: Vec<String>) -> Vec<Effect> {
    let Some(session) = model.rotation.get_mut(number) else { return Vec::new() };
    session.state = Lifecycle::Refused { message: message.clone(), hints: hints.clone() };
    error(model, "The rotation could not begin", message, hints)
}

/// An event of a session. Those of earlier ones are dropped.
pub(super) fn event(model: &mut Model, number: SessionNumber, event: &RotationEvent) -> Vec<Effect> {
    let now_ms = model.clock.now_ms();
    let Some(session) = model.rotation.get_mut(number).filter(|session| session.is_live()) else { return Vec::new() };
    session.apply(event, now_ms);
    let ended = session.state == Lifecycle::Ended;
    let (target, report) = (session.choice.target.clone(), session.report.clone());
    if matches!(event.kind, RotationKind::Judged(_) | RotationKind::RolledBack { .. }) {
        // It stands at the top, wherever one reads.
        model.screens[Screen::Rotation as usize].to_top();
    }
    if ended { guide::rotated(model, &target, &report) } else { Vec::new() }
}

/// A session's stream is over.
pub(super) fn closed(model: &mut Model, number: SessionNumber) -> Vec<Effect> {
    if let Some(session) = model.rotation.get_mut(number)
        && session.is_live()
    {
        session.state = Lifecycle::Ended;
    }
    Vec::new()
}

/// Stops the session that is going on.
pub(super) fn cancel(model: &mut Model) -> Vec<Effect> {
    match &mut model.rotation.session {
        Some(session) if session.state == Lifecycle::Running => {
            session.state = Lifecycle::Cancelling;
            vec![Effect::CancelRotation { session: session.number }]
        }
        _ => Vec::new(),
    }
}

/// Tells the session that is going on something.
pub(super) fn tell(model: &Model, told: RotationInput) -> Vec<Effect> {
    let session = model.rotation.live().map(|session| session.number);
    session.map(|session| Effect::TellRotation { session, told }).into_iter().collect()
}

/// Asks for what the session found to be written down as evidence.
pub(super) fn evidence(model: &Model) -> Vec<Effect> {
    let session = model.rotation.session.as_ref();
    let file = |session: &Session| Effect::FileEvidence {
        target: session.choice.target.clone(),
        report: Box::new(session.report.clone()),
    };
    session.map(file).into_iter().collect()
}

/// Asks whether the version before is to be made current again.
pub(super) fn ask_roll_back(model: &mut Model) -> Vec<Effect> {
    let Some((number, secret)) = model.rotation.live().and_then(|s| Some((s.number, s.offering()?))) else {
        return Vec::new();
    };
    let version = secret.roll_back_offered.as_deref().unwrap_or_default();
    let question = format!("Make version {version} of {} current again?", secret.secret);
    let then = Effect::TellRotation { session: number, told: RotationInput::RollBack };
    model.layers.push(Layer::Confirm(Confirm { question, then }));
    Vec::new()
}

/// Takes what the running automation printed.
pub(super) fn output(model: &mut Model, pasted: &Pasted) -> Vec<Effect> {
    let Some(session) = model.rotation.live() else {
        return toast(model, "no session is going on that this could be shown to".to_owned(), Tone::Bad);
    };
    if !session.takes_output() {
        return toast(model, "this session looks at the automation by itself".to_owned(), Tone::Bad);
    }
    let found = RuntimeOutput::of(&pasted.0);
    if found.is_empty() {
        let words = "there is no fingerprint in it, such as sha256:5d8269a65fdc, and no line of the worker";
        return toast(model, words.to_owned(), Tone::Bad);
    }
    let words = match found.fingerprints.as_slice() {
        [] => "taken; it has no fingerprint".to_owned(),
        [one] => format!("taken: {one}"),
        more => format!("taken: {} fingerprints", more.len()),
    };
    toast(model, words, Tone::Good);
    tell(model, RotationInput::Output(pasted.clone()))
}

/// Types into what takes the value or the agreement. Says whether it took the key.
pub(super) fn type_in(layer: &mut Layer, edit: Edit) -> bool {
    match layer {
        Layer::Value(typed) => {
            typed.note = None;
            match edit {
                Edit::Insert(c) => typed.value.push(c.encode_utf8(&mut [0; 4])),
                Edit::Backspace => typed.value.pop(),
                Edit::Clear | Edit::WordBack => typed.value.clear(),
                _ => {}
            }
            true
        }
        Layer::Program(program) => {
            program.typed.edit(edit);
            (program.shown, program.note) = (None, None);
            true
        }
        Layer::Agreement(agreement) => {
            agreement.typed.edit(edit);
            agreement.is_wrong = false;
            true
        }
        _ => false,
    }
}

/// Takes pasted text where the value or the agreement is typed. Says whether it was taken.
pub(super) fn paste_in(layer: &mut Layer, text: &str) -> bool {
    match layer {
        Layer::Value(typed) => {
            let cut = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
            typed.value.push(cut.unwrap_or(text));
            typed.note = cut.map(|_| "the line break at its end was left out");
            true
        }
        Layer::Program(program) => {
            (program.shown, program.note) = (None, None);
            if looks_secret(text).is_some() {
                program.note = Some("that looks like a secret, and arguments show in the list of processes");
            } else {
                program.typed.paste(text);
            }
            true
        }
        Layer::Agreement(agreement) => {
            agreement.typed.paste(text);
            agreement.is_wrong = false;
            true
        }
        _ => false,
    }
}
