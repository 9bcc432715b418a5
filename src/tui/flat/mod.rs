//! The console as lines: for a screen reader, and wherever a terminal should only scroll. Nothing is drawn over, no escape sequence
//! is written, and what is typed is a line: a number, a command's name, or the text that is asked for.
//!
//! It is the same console: the same model, update and effects. `page` says what is on top as numbered lines, `prompt` what is
//! asked for, `entry` what a typed line means, and `changes` what is worth a line when something has happened.

mod changes;
mod entry;
mod lines;
mod page;
mod prompt;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use self::changes::Seen;
use self::entry::Meaning;
use self::lines::{EchoOff, TypedLines};
use self::page::Place;
use self::prompt::Ask;
use super::clipboard::{self, ClipboardMode};
use super::command::CommandId;
use super::inputs::{Animation, Appearance};
use super::message::{Effect, Msg};
use super::model::{Layer, Model, PickerKind};
use super::performer::Performer;
use super::services::Services;
use super::shell::{Console, ConsoleError, Ended};
use super::summary;
use super::terminal::{Signal, Signals, pause};
use super::update::{clamp_selection_and_scroll, open, update};
use crate::domain::text::visible;
use crate::report::glyphs::GlyphSet;

/// The columns and rows that the model is told of: so many that nothing is cut.
const SIZE: (u16, u16) = (200, 100);

/// Runs the console as lines until it is left; the last run comes in a few lines at the end.
///
/// # Errors
/// Signals cannot be listened to, or standard output cannot be written to.
pub async fn run(console: Console, services: Arc<dyn Services>) -> Result<Ended, ConsoleError> {
    let mut signals = Signals::listen()?;
    let mut flat = Flat::new(console, services)?;
    let signal = flat.run(&mut signals).await?;
    let Flat { model, performer, .. } = flat;
    drop(performer);
    print(summary::lines(&model).lines())?;
    Ok(Ended { verdict: model.runs.verdict(), signal })
}

struct Flat {
    model: Model,
    performer: Performer,
    receiver: mpsc::Receiver<Msg>,
    clipboard: ClipboardMode,
    /// What has been told of the model.
    seen: Seen,
    /// What the numbers that were printed last stand for.
    places: Vec<Place>,
    /// How many rows of a long list were printed before.
    first: usize,
    entry: entry::Entry,
    leaving: bool,
}

impl Flat {
    fn new(console: Console, services: Arc<dyn Services>) -> io::Result<Self> {
        let look = Appearance { glyphs: GlyphSet::Words, animation: Animation::Still, ..console.appearance };
        let (performer, receiver) = Performer::new(services);
        let (model, effects) = open(console.inputs, look, console.opening, crate::run::now_ms(), SIZE);
        let mut flat = Flat {
            seen: Seen::of(&model),
            model,
            performer,
            receiver,
            clipboard: console.clipboard,
            places: Vec::new(),
            first: 0,
            entry: entry::Entry::default(),
            leaving: false,
        };
        print(["trustline. Type a number, the name of a command, or help; quit leaves."])?;
        for notice in &console.notices {
            print(notice.lines())?;
        }
        let before = flat.seen.clone();
        flat.perform(effects)?;
        // What was asked for may have led on already, and was told then.
        if !flat.seen.is_elsewhere(&before) {
            flat.print_page()?;
        }
        Ok(flat)
    }

    /// Runs until it is left; the number of the signal that ended it, where one did.
    async fn run(&mut self, signals: &mut Signals) -> Result<Option<i32>, ConsoleError> {
        let mut typed = TypedLines::read();
        let mut echo = None;
        while !self.leaving {
            let is_hidden = matches!(self.asked(), Some(Ask { hidden: true, .. }));
            if is_hidden != echo.is_some() {
                echo = if is_hidden { EchoOff::begin() } else { None };
            }
            let again = self.until_next_run();
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::End(2) if self.is_busy() => self.take(Msg::Do(CommandId::Interrupt))?,
                    Signal::End(number) => return Ok(Some(number)),
                    Signal::Pause => {
                        // The shell's lines are to be seen.
                        drop(echo.take());
                        pause()?;
                    }
                    Signal::GoOn | Signal::Resized => {}
                },
                Some(message) = self.receiver.recv() => self.take(message)?,
                line = typed.next(), if !self.is_reading_scenarios() => match line {
                    Some(line) => self.enter(&line)?,
                    None => return Ok(None),
                },
                () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {
                    self.take(Msg::Now(crate::run::now_ms()))?;
                }
            }
        }
        Ok(None)
    }

    fn asked(&self) -> Option<Ask> {
        Ask::of(&self.model, self.entry.is_filling())
    }

    fn is_busy(&self) -> bool {
        self.model.runs.live().is_some() || self.model.rotation.live().is_some()
    }

    /// Whether the list that was asked for is still being read: what is typed next is about its rows.
    fn is_reading_scenarios(&self) -> bool {
        let is_open = self.model.layers.last().is_some_and(|layer| match layer {
            Layer::Picker(picker) => picker.kind == PickerKind::Scenarios,
            _ => false,
        });
        is_open && self.model.inputs.scenarios.is_none()
    }

    /// How long until a run that is watched begins again.
    fn until_next_run(&self) -> Option<Duration> {
        let next_ms = self.model.runs.watch.as_ref()?.next_ms?;
        Some(Duration::from_millis(u64::try_from(next_ms - crate::run::now_ms()).unwrap_or_default()))
    }

    /// Does what a typed line means.
    fn enter(&mut self, line: &Zeroizing<String>) -> io::Result<()> {
        match self.entry.meaning(&self.model, line, &self.places) {
            Meaning::Messages(messages) => {
                for message in messages {
                    // Before the next field is asked for.
                    if matches!(message, Msg::Do(CommandId::FieldNext)) {
                        print(prompt::problem(&self.model))?;
                    }
                    self.take(message)?;
                }
                if self.entry.is_through(&self.model) { self.take(Msg::Do(CommandId::LeaveField)) } else { Ok(()) }
            }
            Meaning::Details(at) => {
                self.apply(Msg::Choose(at))?;
                self.seen = Seen::of(&self.model);
                print(page::details(&self.model))?;
                self.print_commands()
            }
            Meaning::Fill(at) => {
                self.apply(Msg::Choose(at))?;
                self.print_prompt()
            }
            Meaning::Filled(messages) => {
                messages.into_iter().try_for_each(|message| self.take(message))?;
                print(prompt::problem(&self.model))?;
                self.print_commands()
            }
            Meaning::Again => {
                self.first = 0;
                self.print_page()
            }
            Meaning::More => {
                self.first += page::AT_ONCE;
                self.print_page()
            }
            Meaning::Unknown(why) => print([why]),
            Meaning::Gathered => Ok(()),
        }
    }

    fn take(&mut self, message: Msg) -> io::Result<()> {
        self.apply(message)?;
        self.tell()
    }

    fn apply(&mut self, message: Msg) -> io::Result<()> {
        self.performer.note(&message);
        let mut effects = match message {
            Msg::Now(_) => Vec::new(),
            _ => update(&mut self.model, Msg::Now(crate::run::now_ms())),
        };
        effects.extend(update(&mut self.model, message));
        clamp_selection_and_scroll(&mut self.model);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.leaving = true,
                Effect::Copy { text } => self.copy(text)?,
                outside => {
                    if let Some(message) = self.performer.perform(outside) {
                        self.take(message)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Prints what is to be copied, and gives it to the desktop's tool where there is one.
    fn copy(&self, text: String) -> io::Result<()> {
        print([format!("To copy, {}:", page::counted(text.lines().count(), "line", "lines"))])?;
        print(text.lines().map(visible))?;
        if matches!(self.clipboard, ClipboardMode::Auto | ClipboardMode::Native) && clipboard::has_tool() {
            self.performer.spawn(async move { Msg::Copied(clipboard::copy(ClipboardMode::Native, text).await) });
        }
        Ok(())
    }

    /// Prints what has changed: a line a change, and all of what is new on top.
    fn tell(&mut self) -> io::Result<()> {
        let now = Seen::of(&self.model);
        let before = std::mem::replace(&mut self.seen, now);
        print(self.seen.news(&before))?;
        if self.seen.is_elsewhere(&before) && !self.leaving {
            self.entry.stop_filling();
            self.first = 0;
            return self.print_page();
        }
        // What can be done is another matter once a run has ended.
        if self.seen.has_other_run(&before) && !self.is_busy() { self.print_commands() } else { Ok(()) }
    }

    fn print_page(&mut self) -> io::Result<()> {
        if self.asked().is_none() {
            print(page::lines(&self.model, self.first))?;
        }
        self.print_commands()
    }

    /// Prints what can be done, or what is asked for; the numbers stand for that from now on.
    fn print_commands(&mut self) -> io::Result<()> {
        self.places = page::places(&self.model);
        if self.asked().is_some() {
            return self.print_prompt();
        }
        print(page::commands(&self.model))
    }

    fn print_prompt(&self) -> io::Result<()> {
        print(self.asked().map(|ask| ask.lines).unwrap_or_default())
    }
}

/// Prints lines. A reader that went away has seen what it wanted.
fn print<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{}", line.as_ref())?;
    }
    stdout.flush()
}
