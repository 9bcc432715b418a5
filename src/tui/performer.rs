//! What effects ask of the world outside, whichever front end shows the console: runs, rotation sessions, questions to services,
//! files. What comes of it is messages, at once or later.

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

use super::inputs::{RotationChoice, RunChoice};
use super::message::{Effect, Msg, RotationInput, RunNumber, SessionNumber};
use super::services::{RotationStarted, Services, Started};
use super::typed_value::TypedValue;
use crate::domain::token::RawToken;
use crate::private_file;
use crate::probe::regular_file;
use crate::run::rotation::session::SessionCommand;

/// How many messages may wait for the console.
const MESSAGES_AHEAD: usize = 1024;
/// How many things a rotation session can be told before it takes the first.
const TOLD_AHEAD: usize = 16;
/// The largest file that is read as a token, in bytes.
const LARGEST_TOKEN: u64 = 1024 * 1024;

/// What goes on outside, and how to stop it.
pub(super) struct Performer {
    services: Arc<dyn Services>,
    sender: mpsc::Sender<Msg>,
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

impl Performer {
    /// With where the messages arrive.
    pub fn new(services: Arc<dyn Services>) -> (Self, mpsc::Receiver<Msg>) {
        let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
        let performer = Performer {
            services,
            sender,
            live: HashMap::new(),
            rotations: HashMap::new(),
            kept: Arc::default(),
            token: None,
            looking: None,
        };
        (performer, receiver)
    }

    /// Forgets what a message tells to be over.
    pub fn note(&mut self, message: &Msg) {
        match message {
            Msg::RotationClosed { session } | Msg::RotationRefused { session, .. } => {
                drop(self.rotations.remove(session))
            }
            Msg::RunClosed { run } | Msg::RunRefused { run, .. } => drop(self.live.remove(run)),
            _ => {}
        }
    }

    /// Does what an effect says; yields what comes of it at once. What a front end does itself is none of its business.
    pub fn perform(&mut self, effect: Effect) -> Option<Msg> {
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
                return Some(Msg::ReadAgreed { target });
            }
            Effect::StartRotation { session, choice, value } => self.rotate(session, choice, value),
            Effect::FileEvidence { target, report } => {
                let result = self.services.evidence(target, *report);
                return Some(Msg::Exported(result));
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
            Effect::ReadToken { run, path } => return self.read_token(run, path),
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
            Effect::Export { name, text } => {
                let result = export(&name, &text);
                return Some(Msg::Exported(result));
            }
            Effect::SaveProfile { name, document } => {
                let result = self.services.save_profile(&name, &document);
                let profiles = self.services.profiles();
                return Some(Msg::ProfileSaved { name, result, profiles });
            }
            Effect::ReadGuide { target } => {
                let result = self.services.guide(&target).map(Box::new);
                return Some(Msg::GuideRead { target, result });
            }
            Effect::Change { target, change } => {
                let result = self.services.change(&target, &change).map(Box::new);
                return Some(Msg::GuideRead { target, result });
            }
            Effect::KeepDraft { target, key, text } => {
                return self.services.keep_draft(&target, key, text.as_deref()).err().map(Msg::Notice);
            }
            Effect::Copy { .. }
            | Effect::SetMouse(_)
            | Effect::SetTitle(_)
            | Effect::Repaint
            | Effect::Suspend
            | Effect::Quit => {}
        }
        None
    }

    /// Does something beside the console, which tells what came of it.
    pub fn spawn(&self, work: impl Future<Output = Msg> + Send + 'static) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            // A closed channel means that the console is gone; nobody is left to tell.
            let _ = sender.send(work.await).await;
        });
    }

    fn stop_looking(&mut self) {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
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
    fn read_token(&mut self, run: RunNumber, path: PathBuf) -> Option<Msg> {
        let about = fs::metadata(&path).ok()?;
        // A pipe would keep us waiting, and none can be read twice.
        if !about.is_file() || about.len() > LARGEST_TOKEN {
            return None;
        }
        let stamp = (run, path.clone(), about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len());
        if self.token.as_ref() == Some(&stamp) {
            return None;
        }
        let bytes = regular_file::read(&path, LARGEST_TOKEN).ok()?;
        self.token = Some(stamp);
        match RawToken::clean_bytes(&bytes) {
            Ok((raw, cleaned)) if !raw.is_empty() => {
                let source = format!("file {}", path.display());
                Some(Msg::TokenRead { run, source, raw, cleaned })
            }
            _ => None,
        }
    }
}

impl Drop for Performer {
    fn drop(&mut self) {
        for cancel in self.live.values().chain(self.rotations.values().map(|rotating| &rotating.cancel)) {
            cancel.cancel();
        }
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
