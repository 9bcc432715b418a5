//! The impure ring: owns the terminal and the clock; sleeps until something happens; has done what effects say.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::alarm::Alarm;
use super::clipboard;
use super::clipboard::ClipboardMode;
use super::inputs::{Appearance, Inputs, Opening};
use super::message::{Effect, Msg};
use super::model::Model;
use super::panes::Panes;
use super::performer::Performer;
use super::services::Services;
use super::terminal::Screen;
use super::terminal::{self, Guard, PANICKED};
use super::terminal::{Signal, Signals, pause};
use super::terminal_reader::terminal_events;
use super::theme::Theme;
use super::update::{open, settle, update};
use super::{input, summary, view, writer};
use crate::run::event::RunVerdict;

/// The most messages that are taken in before the screen is drawn.
const BATCH: usize = 256;

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
    let Shell { model, performer, .. } = shell;
    drop((performer, guard));
    let signal = ended?;
    terminal::leave_behind(summary::lines(&model).as_bytes());
    Ok(Ended { verdict: model.runs.verdict(), signal })
}

struct Shell {
    model: Model,
    screen: Screen,
    performer: Performer,
    clipboard: ClipboardMode,
    receiver: mpsc::Receiver<Msg>,
    leaving: bool,
    /// As the last frame showed them.
    panes: Option<Panes>,
}

impl Shell {
    fn new(console: Console, services: Arc<dyn Services>) -> io::Result<Self> {
        let size = terminal::size()?;
        let (performer, receiver) = Performer::new(services);
        let (model, effects) = open(console.inputs, console.appearance, console.opening, crate::run::now_ms(), size);
        let mut shell = Shell {
            model,
            screen: Screen::new(size),
            performer,
            clipboard: console.clipboard,
            receiver,
            leaving: false,
            panes: None,
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
        self.performer.note(&message);
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
        let kept = self.panes.take().filter(|panes| self.model.is_settled && !panes.shows_time);
        let is_kept = kept.is_some();
        let panes = kept.unwrap_or_else(|| settle(&mut self.model));
        let model = &self.model;
        let theme = Theme::new(model.appearance.theme, &model.appearance.patch);
        if is_kept && model.selection.is_none() && self.screen.is_current() {
            let around = view::rows_around(&panes);
            self.screen.draw_rows(around, |buffer| view::draw_around(model, &panes, &theme, buffer))?;
        } else {
            self.screen.draw(|buffer| view::draw_panes(model, &panes, &theme, buffer))?;
        }
        self.panes = Some(panes);
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Copy { text } => {
                    let mode = self.clipboard;
                    self.performer.spawn(async move { Msg::Copied(clipboard::copy(mode, text).await) });
                }
                Effect::SetMouse(mouse) => terminal::set_mouse(mouse)?,
                Effect::SetTitle(title) => terminal::set_title(&title)?,
                Effect::Repaint => self.screen.repaint(self.model.size),
                Effect::Suspend => self.suspend()?,
                Effect::Quit => self.leaving = true,
                outside => {
                    if let Some(message) = self.performer.perform(outside) {
                        self.take(message)?;
                    }
                }
            }
        }
        Ok(())
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
