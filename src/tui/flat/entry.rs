//! What a typed line means, by what is on top.

use zeroize::{Zeroize as _, Zeroizing};

use super::page::Place;
use super::prompt::{Ask, AskKind};
use crate::domain::profile::key::Key as ProfileKey;
use crate::tui::available::scopes;
use crate::tui::command::{COMMANDS, CommandId, Scope, Screen};
use crate::tui::key::{Code, Key};
use crate::tui::message::{Msg, Pasted};
use crate::tui::model::{Layer, Model};

/// From so many words on, a line that is no command is an error text to explain.
const WORDS_OF_PROSE: usize = 4;
/// Empties what is typed into.
const CLEAR: Key = Key { code: Code::Char('u'), ctrl: true, alt: false };

/// What a line means.
#[derive(Debug)]
pub(super) enum Meaning {
    Messages(Vec<Msg>),
    /// The details of the row at this place.
    Details(usize),
    /// The field of the form at this place is asked for.
    Fill(usize),
    /// The field of the form has got this.
    Filled(Vec<Msg>),
    /// The page once more.
    Again,
    /// The next rows of a long list.
    More,
    /// It belongs to a text that has not ended.
    Gathered,
    Unknown(String),
}

/// What of the typed lines is not in the model.
#[derive(Default)]
pub(super) struct Entry {
    /// The lines of a text that has not ended.
    gathered: Zeroizing<String>,
    /// A field of the form is asked for.
    filling: bool,
    /// The fields of the step that were asked for.
    asked: Vec<ProfileKey>,
}

impl Entry {
    pub fn is_filling(&self) -> bool {
        self.filling
    }

    pub fn stop_filling(&mut self) {
        self.filling = false;
    }

    /// What a line means.
    pub fn meaning(&mut self, model: &Model, line: &str, places: &[Place]) -> Meaning {
        match Ask::of(model, self.filling) {
            Some(ask) => self.answer(model, ask.kind, line),
            None => self.choice(model, line.trim(), places),
        }
    }

    /// The answer to what is asked for.
    fn answer(&mut self, model: &Model, kind: AskKind, line: &str) -> Meaning {
        let is_dot = line.trim() == ".";
        match kind {
            AskKind::Yes if line.trim().eq_ignore_ascii_case("yes") => {
                let id = if matches!(model.layers.last(), Some(Layer::Confirm(_))) {
                    CommandId::Yes
                } else {
                    CommandId::GoOn
                };
                Meaning::Messages(vec![Msg::Do(id)])
            }
            AskKind::Yes => Meaning::Messages(vec![Msg::Do(CommandId::Close)]),
            AskKind::Lines if !is_dot => {
                let mut longer = Zeroizing::new(String::with_capacity(self.gathered.len() + line.len() + 1));
                longer.push_str(&self.gathered);
                longer.push_str(line);
                longer.push('\n');
                self.gathered = longer;
                Meaning::Gathered
            }
            AskKind::Lines if self.gathered.trim().is_empty() => {
                self.gathered.zeroize();
                Meaning::Messages(vec![Msg::Do(CommandId::Close)])
            }
            AskKind::Lines => {
                let text = std::mem::take(&mut self.gathered);
                Meaning::Messages(vec![Msg::Paste(Pasted(text)), Msg::Do(CommandId::GoOn)])
            }
            AskKind::Nothing if is_dot => Meaning::Messages(vec![Msg::Do(CommandId::Close)]),
            AskKind::Nothing => Meaning::Unknown("nothing can be typed here now; a dot alone leaves".to_owned()),
            AskKind::Line => self.line(model, line, is_dot),
        }
    }

    fn line(&mut self, model: &Model, line: &str, is_dot: bool) -> Meaning {
        if let Some(editing) = model.editing() {
            return self.field(editing.key, line, is_dot);
        }
        if self.filling {
            self.filling = false;
            return Meaning::Filled(if is_dot { Vec::new() } else { typed(line) });
        }
        if is_dot {
            return Meaning::Messages(vec![Msg::Do(CommandId::Close)]);
        }
        let mut messages = typed(line);
        let is_path = matches!(model.layers.last(), Some(Layer::Picker(_)));
        messages.push(Msg::Do(if is_path { CommandId::TypingEnd } else { CommandId::GoOn }));
        Meaning::Messages(messages)
    }

    /// The value of a step's field; then the next one is asked for, until each was.
    fn field(&mut self, key: ProfileKey, line: &str, is_dot: bool) -> Meaning {
        if is_dot {
            self.asked.clear();
            return Meaning::Messages(vec![Msg::Do(CommandId::LeaveField)]);
        }
        self.asked.push(key);
        let mut messages = typed(line);
        messages.push(Msg::Do(CommandId::FieldNext));
        Meaning::Messages(messages)
    }

    /// Whether the field that is asked for was asked for before: the step's fields are through.
    pub fn is_through(&mut self, model: &Model) -> bool {
        let through = model.editing().is_some_and(|editing| self.asked.contains(&editing.key));
        if through || model.editing().is_none() {
            self.asked.clear();
        }
        through
    }

    /// What is chosen: a number, a command by its name or key, rows with some words.
    fn choice(&mut self, model: &Model, line: &str, places: &[Place]) -> Meaning {
        if line.is_empty() {
            return Meaning::Again;
        }
        if let Ok(number) = line.parse::<usize>() {
            return match number.checked_sub(1).and_then(|at| places.get(at)) {
                Some(Place::Command(id)) => Meaning::Messages(vec![Msg::Do(*id)]),
                Some(Place::Row(at)) => self.row(model, *at),
                None => Meaning::Unknown(format!("there is no {number} here")),
            };
        }
        if line == "more" {
            return Meaning::More;
        }
        if let Some(words) = line.strip_prefix('/') {
            return Meaning::Messages(filtered(model, words.trim()));
        }
        if let Some(id) = named(model, line) {
            return Meaning::Messages(vec![Msg::Do(id)]);
        }
        if matches!(model.layers.last(), Some(Layer::Picker(_))) {
            return Meaning::Messages(filtered(model, line));
        }
        if line.split_whitespace().nth(WORDS_OF_PROSE - 1).is_some() {
            return Meaning::Messages(vec![Msg::Paste(Pasted(Zeroizing::new(line.to_owned())))]);
        }
        Meaning::Unknown("that is no number of this page and no command; help lists what can be done".to_owned())
    }

    fn row(&mut self, model: &Model, at: usize) -> Meaning {
        let opens = match model.screen {
            Screen::Start => true,
            Screen::Guide => model.guide.followed.is_none(),
            _ => false,
        };
        match model.layers.last() {
            Some(Layer::Picker(_)) => Meaning::Messages(vec![Msg::Choose(at), Msg::Do(CommandId::Accept)]),
            Some(Layer::Form(_)) => {
                self.filling = true;
                Meaning::Fill(at)
            }
            None if opens => Meaning::Messages(vec![Msg::Choose(at), Msg::Do(CommandId::Open)]),
            _ => Meaning::Details(at),
        }
    }
}

/// A line in the place of what stands in a field: nothing where it is empty, and nothing in the field where it is `-`.
fn typed(line: &str) -> Vec<Msg> {
    match line {
        "" => Vec::new(),
        "-" => vec![Msg::Key(CLEAR)],
        line => vec![Msg::Key(CLEAR), Msg::Paste(Pasted(Zeroizing::new(line.to_owned())))],
    }
}

/// Only rows with these words; all where there are none.
fn filtered(model: &Model, words: &str) -> Vec<Msg> {
    let mut messages = vec![Msg::Do(CommandId::Filter), Msg::Key(CLEAR)];
    if !words.is_empty() {
        messages.push(Msg::Paste(Pasted(Zeroizing::new(words.to_owned()))));
    }
    // In a list on top, ending the words would choose.
    if model.layers.is_empty() {
        messages.push(Msg::Do(CommandId::TypingEnd));
    }
    messages
}

/// The command of this name, or of this key; those of what is on top come first, then those of the screen below and of others.
fn named(model: &Model, line: &str) -> Option<CommandId> {
    let here = scopes(model);
    let is_named = |name: &str, title: &str| name.eq_ignore_ascii_case(line) || title.eq_ignore_ascii_case(line);
    let is_here = |scopes: &[_]| scopes.iter().any(|scope| here.contains(scope));
    let all = || COMMANDS.iter().filter(|command| is_named(command.name, command.title));
    // In a list on top, words are looked for in it.
    let is_list = matches!(model.layers.last(), Some(Layer::Picker(_)));
    let is_of_screen = |scope: &Scope| matches!(scope, Scope::Main | Scope::On(_));
    let elsewhere = || {
        let found = all().find(|command| command.scopes.iter().any(is_of_screen));
        found.filter(|command| !is_list || command.id == CommandId::Quit)
    };
    let own = all().find(|command| is_here(command.scopes)).or_else(elsewhere);
    let by_key = || model.appearance.keymap.resolve(&here, line.parse().ok()?);
    own.map(|command| command.id).or_else(by_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Appearance, Inputs};
    use crate::tui::model::PickerKind;
    use crate::tui::model::layer::{PasteBox, PasteKind};

    fn model() -> Model {
        Model::new(Inputs::default(), Appearance::default(), 0, (200, 100))
    }

    #[test]
    fn every_command_of_every_screen_is_reached_by_its_name() {
        let on_screens = |scope: &Scope| matches!(scope, Scope::Main | Scope::On(_));
        for command in COMMANDS.iter().filter(|command| command.scopes.iter().any(on_screens)) {
            assert_eq!(named(&model(), command.name), Some(command.id), "{}", command.name);
        }
        assert_eq!(named(&model(), "r"), Some(CommandId::RunAgain), "by its key");
        assert_eq!(named(&model(), "nonsense"), None);
    }

    #[test]
    fn in_a_list_words_are_looked_for_and_elsewhere_many_words_are_an_error_text() {
        let mut model = model();
        let mut entry = Entry::default();
        let error = "AccessDenied when calling AssumeRoleWithWebIdentity here";
        let meaning = entry.meaning(&model, error, &[]);
        assert!(matches!(&meaning, Meaning::Messages(m) if matches!(&m[..], [Msg::Paste(_)])), "{meaning:?}");
        assert!(matches!(entry.meaning(&model, "no", &[]), Meaning::Unknown(_)));
        assert!(matches!(entry.meaning(&model, "7", &[Place::Row(0)]), Meaning::Unknown(_)));
        model.layers.push(Layer::picker(PickerKind::Scenarios));
        let meaning = entry.meaning(&model, "token", &[]);
        let filters = |m: &[Msg]| matches!(m, [Msg::Do(CommandId::Filter), Msg::Key(CLEAR), Msg::Paste(_)]);
        assert!(matches!(&meaning, Meaning::Messages(m) if filters(m)), "{meaning:?}");
    }

    #[test]
    fn a_text_of_several_lines_ends_with_a_dot() {
        let mut model = model();
        model.layers.push(Layer::Paste(PasteBox { kind: PasteKind::ErrorText, ..PasteBox::default() }));
        let mut entry = Entry::default();
        for line in ["one", "  two"] {
            assert!(matches!(entry.meaning(&model, line, &[]), Meaning::Gathered));
        }
        let Meaning::Messages(messages) = entry.meaning(&model, ".", &[]) else { panic!("it ends") };
        assert!(matches!(&messages[0], Msg::Paste(text) if *text.0 == "one\n  two\n"), "{messages:?}");
        assert!(matches!(messages[1], Msg::Do(CommandId::GoOn)));
        let Meaning::Messages(messages) = entry.meaning(&model, ".", &[]) else { panic!("it leaves") };
        assert!(matches!(messages[..], [Msg::Do(CommandId::Close)]), "nothing was typed");
    }
}
