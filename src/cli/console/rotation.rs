//! Rotation sessions of the console: the same session and the same world as `trustline rotate`'s.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::Opened;
use crate::cli::exit::CliError;
use crate::cli::flags::ProfileSelector;
use crate::cli::rotation_files::{Place, RotationFiles};
use crate::cli::{profile_file, rotate, settings};
use crate::domain::profile::key::Key;
use crate::domain::profile::{document, resolve};
use crate::guide::{Change, confirmations, rotate_command, shown};
use crate::probe::new_value::{Alphabet, LineBreak, NewValue};
use crate::run::rotation::event::{RotationEvent, RotationMethod, SessionCheckpoint};
use crate::run::rotation::live::{CloudBackend, LiveSettings, RuntimeSource};
use crate::run::rotation::report::RotationReport;
use crate::run::rotation::session;
use crate::run::rotation::session::{Pace, RollBack, RotationRequest, RuntimeFrom};
use crate::tui::inputs::{Agreed, GuideFile, Keeps, OperatorSeen, Patience, RotationChoice, RotationWay, Target};
use crate::tui::services::RotationStarted;
use crate::tui::typed_value::TypedValue;

/// How many things a session can be told before it takes the first.
const COMMANDS_AHEAD: usize = 16;
/// How many events may wait for the screen.
const EVENTS_AHEAD: usize = 64;
/// How many characters are made up.
const GENERATED: usize = 32;
/// The first and the longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long a person is waited for who rotates, or pastes what the automation printed.
const PERSON: Duration = Duration::from_secs(3600);
/// How long the automation is looked at again and again.
const AUTOMATION: Duration = Duration::from_secs(300);

/// As whom a secret would be written.
pub(super) async fn operator(opened: Opened, timeout: Duration) -> Result<OperatorSeen, String> {
    let profile = opened.loaded.profile.clone();
    let (world, keep) = world(opened, timeout, RuntimeSource::Nowhere, Vec::new(), Vec::new());
    let identity = world.operator_identity().await.map_err(|refused| refused.reason)?;
    drop(keep);
    Ok(OperatorSeen { place: rotate::place(&profile, &identity), identity })
}

/// Begins a session.
pub(super) async fn begin(
    opened: Opened,
    choice: RotationChoice,
    value: Option<TypedValue>,
    timeout: Duration,
    cancel: CancellationToken,
) -> Result<RotationStarted, CliError> {
    let profile = opened.loaded.profile.clone();
    let secret = profile
        .secret
        .clone()
        .ok_or_else(|| CliError::new("no secret is named").with_hint("set secret.name in the profile"))?;
    let values = values(choice.way, value)?;
    let mut files = RotationFiles::open(place(&opened)?.as_ref(), None)?;
    let kept = take_up(choice.way, &files)?;
    let resumes = kept.as_ref().map(|kept| kept.started.clone());
    let earlier = kept.as_ref().map(SessionCheckpoint::earlier).unwrap_or_default();
    if let Some(kept) = kept {
        files.go_on(kept);
    }
    let runtime = match choice.runtime {
        RuntimeFrom::World => RuntimeSource::Kickoff,
        RuntimeFrom::Nowhere | RuntimeFrom::Pasted => RuntimeSource::Nowhere,
    };
    let (world, keep) = world(opened, timeout, runtime, values, choice.command.clone());
    let world = Arc::new(world);
    if choice.way.writes() {
        // What was agreed to is held against what is there now: a profile may have changed since.
        let identity = world.operator_identity().await.map_err(|refused| CliError::new(refused.reason))?;
        let now = Agreed { secret: secret.to_string(), place: rotate::place(&profile, &identity) };
        if choice.agreed.as_ref() != Some(&now) {
            return Err(CliError::new(format!(
                "nothing was written: it would go to {} in {} now, which is not what was agreed to",
                now.secret, now.place
            )));
        }
    }
    let (commands, receiver) = mpsc::channel(COMMANDS_AHEAD);
    let request = RotationRequest {
        asks: vec![rotate_command(&profile, &secret)],
        secrets: vec![secret],
        way: way(choice.way),
        runtime: choice.runtime,
        roll_back: if choice.way.writes() { RollBack::Ask } else { RollBack::Never },
        pace: pace(&choice),
        earlier,
        profile: profile.clone(),
    };
    let files = Arc::new(Mutex::new(files));
    let noted = files.clone();
    let journal = Box::new(move |event: &_| locked(&noted).note(event));
    let events = published(session::start(request, world, receiver, journal, cancel), files);
    Ok(RotationStarted { profile, resumes, events, commands, keep: Box::new(keep) })
}

fn locked(files: &Mutex<RotationFiles>) -> MutexGuard<'_, RotationFiles> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The events in the form for all eyes: a screen is shared, recorded and copied from.
fn published(
    mut events: mpsc::Receiver<RotationEvent>,
    files: Arc<Mutex<RotationFiles>>,
) -> mpsc::Receiver<RotationEvent> {
    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let event = locked(&files).publish(event);
            if sender.send(event).await.is_err() {
                break;
            }
        }
    });
    receiver
}

/// Where the session is kept until it is judged; nowhere for a lab, whose secrets end with it.
fn place(opened: &Opened) -> Result<Option<Place>, CliError> {
    let Some(path) = opened.loaded.path.as_deref().filter(|_| opened.lab_administrator.is_none()) else {
        return Ok(None);
    };
    let secrets: Vec<_> = opened.loaded.profile.secret.clone().into_iter().collect();
    Place::of(&opened.loaded.profile, Some(path), &secrets).map(Some)
}

/// The session that was interrupted, where this one goes on with it. Only one that writes nothing does so unasked.
fn take_up(way: RotationWay, files: &RotationFiles) -> Result<Option<SessionCheckpoint>, CliError> {
    match files.interrupted()? {
        Some(kept) if way == RotationWay::ByHand => Ok(Some(kept)),
        Some(kept) if kept.begun && (way.writes() || way == RotationWay::Command) => Err(CliError::new(format!(
            "a rotation of {} that began {} was interrupted, and the new value may have been written",
            kept.secrets.join(", "),
            kept.started
        ))
        .with_hint("begin with `I do, in another terminal`: it goes on with what was seen before")
        .with_hint("`trustline rotate --start-anew` forgets it")),
        _ => Ok(None),
    }
}

/// Adds what a session found to its evidence, beside where the program was started.
pub(super) fn evidence(opened: &Opened, report: RotationReport) -> Result<PathBuf, CliError> {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = report.profile.chars().take(40).map(safe).collect();
    let path = PathBuf::from(format!("trustline-evidence-{name}.json"));
    RotationFiles::open(place(opened)?.as_ref(), Some(&path))?.file_all(report)?;
    Ok(path)
}

fn world(
    opened: Opened,
    timeout: Duration,
    runtime: RuntimeSource,
    values: Vec<NewValue>,
    command: Vec<String>,
) -> (CloudBackend, Arc<dyn Any + Send + Sync>) {
    let Opened { loaded, http, operator, keep, .. } = opened;
    let profile = loaded.profile;
    // What a program says would be written over the screen.
    let command_stderr = Stdio::null;
    let settings = LiveSettings { http, profile, timeout, operator, command, command_stderr, runtime, values };
    (CloudBackend::new(settings), keep)
}

/// The value to write, where the way writes one.
fn values(way: RotationWay, value: Option<TypedValue>) -> Result<Vec<NewValue>, CliError> {
    let told = |error: crate::probe::new_value::NewValueError| CliError::new(error.to_string());
    match (way, value) {
        (RotationWay::Generated, _) => Ok(vec![NewValue::generate(GENERATED, Alphabet::Alphanumeric).map_err(told)?]),
        (RotationWay::Typed, Some(typed)) => {
            // A line break that was pasted at the end was told of and left out when it was pasted.
            let bytes = Zeroizing::new(typed.expose().as_bytes().to_vec());
            Ok(vec![NewValue::read(bytes, LineBreak::Keep).map_err(told)?])
        }
        _ => Ok(Vec::new()),
    }
}

fn way(way: RotationWay) -> RotationMethod {
    match way {
        RotationWay::ByHand => RotationMethod::ByHand,
        RotationWay::Command => RotationMethod::Command,
        RotationWay::Typed | RotationWay::Generated => RotationMethod::Trustline,
        RotationWay::Already => RotationMethod::Already,
        RotationWay::Watch => RotationMethod::Watch,
    }
}

fn pace(choice: &RotationChoice) -> Pace {
    let runtime = match (choice.runtime, choice.patience) {
        (RuntimeFrom::Pasted, _) => PERSON,
        (_, Patience::Again) => AUTOMATION,
        (_, Patience::Once) => Duration::ZERO,
    };
    let store = if choice.way.writes() || choice.way == RotationWay::Command { AUTOMATION } else { PERSON };
    Pace { first: PAUSES.0, longest: PAUSES.1, store, runtime }
}

const NO_FILE: &str = "there is no profile's file to write to; make a profile first";

/// An error in a sentence, its hints behind it.
fn told(error: CliError) -> String {
    std::iter::once(error.message).chain(error.hints).collect::<Vec<_>>().join("; ")
}

fn selector(target: &Target, set: &[String]) -> Result<ProfileSelector, String> {
    let (profile, profile_file) = match target {
        Target::Named(name) => (Some(name.clone()), None),
        Target::File(path) => (None, Some(path.clone())),
        Target::Environment => (None, None),
        Target::Lab(_) => return Err(NO_FILE.to_owned()),
    };
    Ok(ProfileSelector { profile, profile_file, set: set.to_vec(), ..ProfileSelector::default() })
}

/// What is kept of a profile. One with mistakes is told with them, and can be mended field by field.
pub(super) fn read(target: &Target, set: &[String]) -> Result<GuideFile, String> {
    let selector = selector(target, set)?;
    let path = settings::path(&selector).map_err(told)?;
    let text = path.as_deref().map(settings::read).transpose().map_err(told)?.unwrap_or_default();
    let (guide, settings, problem) = match settings::load_to_read(&selector) {
        Ok(loaded) => (loaded.profile.guide, loaded.provenance, None),
        Err(error) => {
            let (file, _) = document::parse(&text, path.as_deref().unwrap_or(Path::new("")));
            let why = told(error);
            (resolve::guide_of(&file).ok_or_else(|| why.clone())?, file, Some(why))
        }
    };
    Ok(GuideFile {
        guide,
        settings,
        confirmations: confirmations(&text, guide),
        shown: shown(&text, guide),
        drafts: path.as_deref().map(profile_file::drafts).unwrap_or_default(),
        keeps: if path.is_some() { Keeps::File } else { Keeps::Nothing(NO_FILE) },
        problem,
    })
}

/// Changes a profile, and says what is kept then.
pub(super) fn change(target: &Target, set: &[String], change: &Change) -> Result<GuideFile, String> {
    let path = settings::path(&selector(target, set)?).map_err(told)?.ok_or(NO_FILE)?;
    profile_file::change(&path, change).map_err(told)?;
    read(target, set)
}

/// Keeps what was typed for a key and is no value yet, or forgets it.
pub(super) fn keep_draft(target: &Target, key: Key, text: Option<&str>) -> Result<(), String> {
    match settings::path(&selector(target, &[])?).map_err(told)? {
        Some(path) => profile_file::keep_draft(&path, key, text).map_err(told),
        None => Ok(()),
    }
}
