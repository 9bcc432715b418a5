//! The impure ring: owns the terminal, the clock and the runs; sleeps until something happens; does what effects say.

use std::any::Any;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::clipboard;
use super::clipboard::ClipboardMode;
use super::inputs::{Appearance, Inputs, Opening, RotationChoice, RunChoice};
use super::message::{Effect, Msg, RotationInput, RunNumber, SessionNumber};
use super::model::Model;
use super::services::{RotationStarted, Services, Started};
use super::terminal::Screen;
use super::terminal::{self, Guard, PANICKED};
use super::terminal::{Signal, Signals, pause};
use super::terminal_reader::terminal_events;
use super::theme::Theme;
use super::typed_value::TypedValue;
use super::update::{clamp_selection_and_scroll, open, update};
use super::{input, summary, view, writer};
use crate::domain::token::RawToken;
use crate::private_file;
use crate::probe::regular_file;
use crate::run::event::RunVerdict;
use crate::run::rotation::session::SessionCommand;

/// The most messages that are taken in before the screen is drawn.
const BATCH: usize = 256;
/// How many things a rotation session can be told before it takes the first.
const TOLD_AHEAD: usize = 16;
/// The largest file that is read as a token, in bytes.
const LARGEST_TOKEN: u64 = 1024 * 1024;

/// What the console is started with.
pub struct Console {
    pub inputs: Inputs,
    pub appearance: Appearance,
    pub clipboard: ClipboardMode,
    pub opening: Opening,
    /// Told on top of the first screen: what is wrong with a configuration file.
    pub notices: Vec<String>,
}

/// How the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The verdict of what was shown last (see [`Runs::verdict`](super::model::Runs::verdict)).
    pub verdict: Option<RunVerdict>,
    /// The number of the signal that ended it, where one did.
    pub signal: Option<i32>,
}

/// Why the console could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal is gone, or refuses.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// A part of the program panicked; its message is on standard error.
    #[error("the program stopped at a mistake of its own; the message above says where")]
    Panicked,
}

/// Runs the console until it is left. The terminal is given back before this returns, with the last run in a few lines
/// on it.
///
/// # Errors
/// The terminal cannot be taken over or written to, or the program panicked.
pub async fn run(console: Console, services: Arc<dyn Services>) -> Result<Ended, ConsoleError> {
    // Before the terminal is taken: a signal must never find it taken and nobody listening.
    let mut signals = Signals::listen()?;
    let guard = Guard::enter(console.appearance.mouse)?;
    let mut shell = Shell::new(console, services)?;
    let ended = shell.run(&mut signals).await;
    for cancel in shell.live.values().chain(shell.rotations.values().map(|rotating| &rotating.cancel)) {
        cancel.cancel();
    }
    drop(guard);
    let signal = ended?;
    terminal::leave_behind(summary::lines(&shell.model).as_bytes());
    Ok(Ended { verdict: shell.model.runs.verdict(), signal })
}

struct Shell {
    model: Model,
    screen: Screen,
    services: Arc<dyn Services>,
    clipboard: ClipboardMode,
    sender: mpsc::Sender<Msg>,
    receiver: mpsc::Receiver<Msg>,
    /// How to stop the runs that are going on.
    live: HashMap<RunNumber, CancellationToken>,
    /// How to stop the rotation sessions that are going on, and how to tell them something.
    rotations: HashMap<SessionNumber, Rotating>,
    /// What the run that ended last brought along, such as its lab: it stays up for the commands that were copied.
    kept: Arc<Mutex<Option<Box<dyn Any + Send>>>>,
    /// The token's file as it was read last: for which run, and when and how long it was.
    token: Option<(RunNumber, PathBuf, SystemTime, u64)>,
    /// The issuer's documents being fetched.
    looking: Option<AbortHandle>,
    leaving: bool,
}

/// A rotation session that is going on.
struct Rotating {
    cancel: CancellationToken,
    told: mpsc::Sender<RotationInput>,
}

/// What a person says, as the session takes it.
fn command(told: RotationInput) -> SessionCommand {
    match told {
        RotationInput::LookNow => SessionCommand::LookNow,
        RotationInput::Conclude => SessionCommand::Conclude,
        RotationInput::Output(text) => SessionCommand::Text(text.0.to_string()),
        RotationInput::RollBack => SessionCommand::RollBack,
        RotationInput::KeepAsIs => SessionCommand::KeepAsIs,
    }
}

impl Shell {
    fn new(console: Console, services: Arc<dyn Services>) -> io::Result<Self> {
        let size = terminal::size()?;
        let (sender, receiver) = mpsc::channel(1024);
        let (model, effects) = open(console.inputs, console.appearance, console.opening, crate::run::now_ms(), size);
        let mut shell = Shell {
            model,
            screen: Screen::new(size),
            services,
            clipboard: console.clipboard,
            sender,
            receiver,
            live: HashMap::new(),
            rotations: HashMap::new(),
            kept: Arc::default(),
            token: None,
            looking: None,
            leaving: false,
        };
        for notice in console.notices {
            update(&mut shell.model, Msg::Notice(notice));
        }
        shell.perform(effects)?;
        Ok(shell)
    }

    /// Runs until it is left; the number of the signal that ended it, where one did.
    async fn run(&mut self, signals: &mut Signals) -> Result<Option<i32>, ConsoleError> {
        let mut events = terminal_events(BATCH);
        // Of a resize before that, nobody tells.
        let (width, height) = terminal::size()?;
        self.take(Msg::Resize(width, height))?;
        // The first frame stands before anything is waited for.
        self.draw()?;
        let mut alarm = Alarm::new()?;
        while !self.leaving {
            let wake = self.model.next_wake();
            tokio::select! {
                biased;
                () = PANICKED.notified() => return Err(ConsoleError::Panicked),
                signal = signals.next() => match signal {
                    Signal::End(number) => return Ok(Some(number)),
                    Signal::Pause => self.suspend()?,
                    Signal::GoOn => self.resume()?,
                    Signal::Resized => {
                        let (width, height) = terminal::size()?;
                        self.take(Msg::Resize(width, height))?;
                    }
                },
                event = events.recv() => {
                    match event {
                        Some(event) => self.take_event(event?)?,
                        None => return Ok(None),
                    }
                    // Whatever is there already is taken before drawing: a paste without brackets, a held key.
                    for _ in 0..BATCH {
                        match events.try_recv() {
                            Ok(event) => self.take_event(event?)?,
                            Err(_) => break,
                        }
                    }
                }
                Some(message) = self.receiver.recv() => {
                    self.take(message)?;
                    for _ in 0..BATCH {
                        match self.receiver.try_recv() {
                            Ok(message) => self.take(message)?,
                            Err(_) => break,
                        }
                    }
                }
                // The terminal has taken the last frame, and what was left out since can be drawn.
                () = writer::ROOM.notified() => {}
                rung = alarm.at(wake) => {
                    rung?;
                    self.take(Msg::Now(crate::run::now_ms()))?;
                }
            }
            if !self.leaving {
                self.draw()?;
            }
        }
        Ok(None)
    }

    fn take_event(&mut self, event: crossterm::event::Event) -> io::Result<()> {
        match input::message(event) {
            Some(message) => self.take(message),
            None => Ok(()),
        }
    }

    fn take(&mut self, message: Msg) -> io::Result<()> {
        let resized = match &message {
            Msg::Resize(width, height) => (*width, *height) != self.model.size,
            _ => false,
        };
        if let Msg::RotationClosed { session } | Msg::RotationRefused { session, .. } = &message {
            self.rotations.remove(session);
        }
        if let Msg::RunClosed { run } | Msg::RunRefused { run, .. } = &message {
            self.live.remove(run);
        }
        let mut effects = match message {
            Msg::Now(_) => Vec::new(),
            _ => update(&mut self.model, Msg::Now(crate::run::now_ms())),
        };
        effects.extend(update(&mut self.model, message));
        if resized {
            self.screen.repaint(self.model.size);
        }
        self.perform(effects)
    }

    fn draw(&mut self) -> io::Result<()> {
        clamp_selection_and_scroll(&mut self.model);
        let model = &self.model;
        let theme = Theme::new(model.appearance.theme, &model.appearance.patch);
        self.screen.draw(|buffer| view::draw(model, &theme, buffer))
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::ListScenarios => {
                    let (services, sender) = (self.services.clone(), self.sender.clone());
                    // A thread of its own is gone when it has read; one of the runtime's would wake once more to end.
                    std::thread::spawn(move || {
                        let _ = sender.blocking_send(Msg::Scenarios(services.scenarios()));
                    });
                }
                Effect::StartRun { run, choice } => self.start(run, choice),
                Effect::CancelRun { run } => {
                    if let Some(cancel) = self.live.remove(&run) {
                        cancel.cancel();
                    }
                }
                Effect::AskOperator { target } => {
                    let asked = self.services.operator(target.clone());
                    self.spawn(async move { Msg::OperatorSeen { target, result: asked.await } });
                }
                Effect::AskReader { target } => {
                    let asked = self.services.reader(target.clone());
                    self.spawn(async move { Msg::ReaderSeen { target, result: asked.await } });
                }
                Effect::AgreeToRead { target } => {
                    self.services.agree_to_read(target.clone());
                    self.take(Msg::ReadAgreed { target })?;
                }
                Effect::StartRotation { session, choice, value } => self.rotate(session, choice, value),
                Effect::FileEvidence { target, report } => {
                    let result = self.services.evidence(target, *report);
                    self.take(Msg::Exported(result))?;
                }
                Effect::TellRotation { session, told } => {
                    if let Some(rotating) = self.rotations.get(&session) {
                        // A session that has ended takes nothing more; one that is behind has enough to do.
                        let _ = rotating.told.try_send(told);
                    }
                }
                Effect::CancelRotation { session } => {
                    if let Some(rotating) = self.rotations.get(&session) {
                        rotating.cancel.cancel();
                    }
                }
                Effect::ReadToken { run, path } => self.read_token(run, path)?,
                Effect::ReadTokenAgain { run, profile } => {
                    let token = self.services.token(*profile);
                    self.spawn(async move { Msg::TokenReadAgain { run, result: token.await } });
                }
                Effect::ReadEvents => {
                    let events = self.services.events();
                    self.spawn(async move { Msg::EventsRead(events.await.map(Box::new)) });
                }
                Effect::Audit { path } => {
                    let audited = self.services.audit(path.clone());
                    self.spawn(async move { Msg::Audited { path, result: audited.await.map(Box::new) } });
                }
                Effect::FetchKeys { issuer } => {
                    let keys = self.services.keys(issuer.clone());
                    self.spawn(async move { Msg::KeysRead { issuer, keys: keys.await.map(Box::new) } });
                }
                Effect::LookAtIssuer { url } => {
                    let (seen, sender) = (self.services.issuer(url.clone()), self.sender.clone());
                    let looking = tokio::spawn(async move {
                        let _ = sender.send(Msg::IssuerSeen { url, result: seen.await.map(Box::new) }).await;
                    });
                    self.stop_looking();
                    self.looking = Some(looking.abort_handle());
                }
                Effect::LeaveIssuer => self.stop_looking(),
                Effect::Copy { text } => {
                    let mode = self.clipboard;
                    self.spawn(async move { Msg::Copied(clipboard::copy(mode, text).await) });
                }
                Effect::Export { name, text } => {
                    let result = export(&name, &text);
                    self.take(Msg::Exported(result))?;
                }
                Effect::SaveProfile { name, document } => {
                    let result = self.services.save_profile(&name, &document);
                    let profiles = self.services.profiles();
                    self.take(Msg::ProfileSaved { name, result, profiles })?;
                }
                Effect::ReadGuide { target } => {
                    let result = self.services.guide(&target).map(Box::new);
                    self.take(Msg::GuideRead { target, result })?;
                }
                Effect::Change { target, change } => {
                    let result = self.services.change(&target, &change).map(Box::new);
                    self.take(Msg::GuideRead { target, result })?;
                }
                Effect::KeepDraft { target, key, text } => {
                    if let Err(problem) = self.services.keep_draft(&target, key, text.as_deref()) {
                        self.take(Msg::Notice(problem))?;
                    }
                }
                Effect::SetMouse(mouse) => terminal::set_mouse(mouse)?,
                Effect::SetTitle(title) => terminal::set_title(&title)?,
                Effect::Repaint => self.screen.repaint(self.model.size),
                Effect::Suspend => self.suspend()?,
                Effect::Quit => self.leaving = true,
            }
        }
        Ok(())
    }

    fn stop_looking(&mut self) {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
    }

    fn spawn(&self, work: impl Future<Output = Msg> + Send + 'static) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            // A closed channel means that the console is gone; nobody is left to tell.
            let _ = sender.send(work.await).await;
        });
    }

    fn start(&mut self, run: RunNumber, choice: RunChoice) {
        let cancel = CancellationToken::new();
        self.live.insert(run, cancel.clone());
        let (sender, starting) = (self.sender.clone(), self.services.start(choice, cancel));
        let kept = self.kept.clone();
        tokio::spawn(async move {
            let last = match starting.await {
                Err(refusal) => Msg::RunRefused { run, message: refusal.message, hints: refusal.hints },
                Ok(Started { profile, settings, mut events, keep }) => {
                    let _ = sender.send(Msg::RunOpened { run, profile: Box::new(profile), settings }).await;
                    while let Some(event) = events.recv().await {
                        if sender.send(Msg::RunEvent { run, event: Box::new(event) }).await.is_err() {
                            break;
                        }
                    }
                    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(keep);
                    Msg::RunClosed { run }
                }
            };
            let _ = sender.send(last).await;
        });
    }

    fn rotate(&mut self, session: SessionNumber, choice: RotationChoice, value: Option<TypedValue>) {
        let cancel = CancellationToken::new();
        let (told, mut tells) = mpsc::channel(TOLD_AHEAD);
        self.rotations.insert(session, Rotating { cancel: cancel.clone(), told });
        let (sender, starting) = (self.sender.clone(), self.services.rotate(choice, value, cancel));
        tokio::spawn(async move {
            let last = match starting.await {
                Err(refusal) => Msg::RotationRefused { session, message: refusal.message, hints: refusal.hints },
                Ok(RotationStarted { profile, resumes, mut events, commands, keep }) => {
                    let opened = Msg::RotationOpened { session, profile: Box::new(profile), resumes };
                    let _ = sender.send(opened).await;
                    let passing_on = async {
                        while let Some(told) = tells.recv().await {
                            let _ = commands.send(command(told)).await;
                        }
                        std::future::pending::<()>().await;
                    };
                    let listening = async {
                        while let Some(event) = events.recv().await {
                            if sender.send(Msg::RotationEvent { session, event: Box::new(event) }).await.is_err() {
                                break;
                            }
                        }
                    };
                    tokio::select! {
                        () = listening => {}
                        () = passing_on => {}
                    }
                    drop(keep);
                    Msg::RotationClosed { session }
                }
            };
            let _ = sender.send(last).await;
        });
    }

    /// Reads the token's file, if it is not what was read last.
    fn read_token(&mut self, run: RunNumber, path: PathBuf) -> io::Result<()> {
        let Ok(about) = fs::metadata(&path) else { return Ok(()) };
        // A pipe would keep us waiting, and none can be read twice.
        if !about.is_file() || about.len() > LARGEST_TOKEN {
            return Ok(());
        }
        let stamp = (run, path.clone(), about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len());
        if self.token.as_ref() == Some(&stamp) {
            return Ok(());
        }
        let Ok(bytes) = regular_file::read(&path, LARGEST_TOKEN) else { return Ok(()) };
        self.token = Some(stamp);
        match RawToken::clean_bytes(&bytes) {
            Ok((raw, cleaned)) if !raw.is_empty() => {
                let source = format!("file {}", path.display());
                self.take(Msg::TokenRead { run, source, raw, cleaned })
            }
            _ => Ok(()),
        }
    }

    fn suspend(&mut self) -> io::Result<()> {
        terminal::give_back();
        pause()?;
        self.resume()
    }

    /// Takes the terminal over again after a pause. What stands on it is not known, nor is its size.
    fn resume(&mut self) -> io::Result<()> {
        terminal::give_back();
        terminal::take(self.model.appearance.mouse)?;
        terminal::set_title(&self.model.title())?;
        let (width, height) = terminal::size()?;
        self.take(Msg::Resize(width, height))?;
        self.take(Msg::Resumed)
    }
}

/// Writes a report beside where the program was started. No file is written over.
fn export(name: &str, text: &str) -> Result<PathBuf, String> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for attempt in 1..100 {
        let name = if attempt == 1 { name.to_owned() } else { format!("{stem}-{attempt}.{extension}") };
        match private_file::create(Path::new(&name)) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
                return Ok(PathBuf::from(name));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    Err(format!("{name}: a hundred files of this name exist already"))
}
