//! The one table of commands. Key dispatch, hints, help, the palette and the documented keys all derive from it.

mod available;
mod table;

pub use self::table::COMMANDS;

use super::inputs::{Mouse, RunChoice};
use super::model::{Layer, Model, Screen};

/// Where a command's keys work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere, even while text is being typed.
    Always,
    /// On every screen.
    Main,
    /// On one screen.
    On(Screen),
    /// In a layer with a list.
    Picker,
    /// In a layer with a text.
    Reader,
    /// In the form of a new profile.
    Form,
    /// Where a token, or what an automation printed, is pasted or typed.
    Paste,
    /// Where a new value or an agreement is typed.
    Secret,
    /// In a field of the guide.
    Field,
    /// Where a question is asked.
    Confirm,
    /// While a filter is being typed.
    Typing,
}

impl Scope {
    /// Its heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Scope::Always => "Everywhere",
            Scope::Main => "On every screen",
            Scope::On(screen) => screen.title(),
            Scope::Picker => "In a list on top",
            Scope::Reader => "In a text on top",
            Scope::Form => "In the form",
            Scope::Paste => "While pasting",
            Scope::Secret => "While a new value or its secret's name is typed",
            Scope::Field => "In a field of the guide",
            Scope::Confirm => "At a question",
            Scope::Typing => "While typing a filter",
        }
    }
}

/// What a command is about, for the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Runs,
    /// Copies and files.
    Taking,
    /// What one screen has alone.
    Screen,
    Finding,
    Beginning,
    Screens,
    Looks,
    Help,
    Moving,
    /// What lies on top of a screen.
    Layers,
}

impl Topic {
    /// The topics of what works on every screen, in the order of the help.
    pub const ALL: &[Topic] = &[
        Topic::Runs,
        Topic::Taking,
        Topic::Finding,
        Topic::Beginning,
        Topic::Screens,
        Topic::Looks,
        Topic::Help,
        Topic::Moving,
    ];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Topic::Runs => "Runs",
            Topic::Taking => "Copy and export",
            Topic::Screen => "This screen",
            Topic::Finding => "Find",
            Topic::Beginning => "Begin",
            Topic::Screens => "Screens",
            Topic::Looks => "Looks",
            Topic::Help => "Help and leaving",
            Topic::Moving => "Move",
            Topic::Layers => "On top",
        }
    }
}

/// What a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandId {
    Interrupt,
    Suspend,
    Repaint,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    ScrollUp,
    ScrollDown,
    ScrollLeft,
    ScrollRight,
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusRight,
    Open,
    Back,
    Quit,
    Help,
    Palette,
    Show(Screen),
    NextScreen,
    PreviousScreen,
    Filter,
    NextMatch,
    PreviousMatch,
    RunAgain,
    RunOne,
    ReadCloud,
    Cancel,
    Watch,
    History,
    Compare,
    CopyValue,
    CopyMenu,
    Export,
    Lab,
    Profiles,
    NewProfile,
    Paste,
    DropPasted,
    Verify,
    ReadAgain,
    Waterfall,
    Clients,
    Rotate,
    LookNow,
    Conclude,
    Evidence,
    PasteOutput,
    RollBack,
    KeepAsIs,
    Fold,
    ShowFix,
    NextStep,
    EditField,
    CheckStep,
    ConfirmStep,
    OtherWay,
    Import,
    Undo,
    LeaveField,
    Wrap,
    Privacy,
    Mouse,
    Theme,
    Clock,
    Explain,
    // Layers
    Close,
    Accept,
    GoOn,
    Yes,
    No,
    FieldNext,
    FieldPrevious,
    Save,
    TypingEnd,
    TypingClear,
}

/// Whether a command can be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Not now, and why.
    No(&'static str),
}

/// One command.
pub struct Command {
    pub topic: Topic,
    pub id: CommandId,
    /// The name in a keys file.
    pub name: &'static str,
    /// A few words, for hints and the palette.
    pub title: &'static str,
    /// What it does, in a line.
    pub doc: &'static str,
    pub scopes: &'static [Scope],
    /// Its default keys; the first is the one shown.
    pub keys: &'static [&'static str],
    pub enabled: fn(&Model) -> Availability,
    /// Its rank among the hints at the bottom, the most wanted first; `None` where it is none.
    pub hint: Option<u8>,
}

/// A command by its id.
pub fn command(id: CommandId) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.id == id)
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
        .filter(|(command, _)| (command.enabled)(model) == Availability::Ready)
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

/// The mouse mode that the command switches to.
pub fn other_mouse(mouse: Mouse) -> Mouse {
    match mouse {
        Mouse::Captured => Mouse::Free,
        Mouse::Free => Mouse::Captured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_and_names_are_unique_and_documented() {
        let ids: BTreeSet<_> = COMMANDS.iter().map(|c| c.id).collect();
        let names: BTreeSet<_> = COMMANDS.iter().map(|c| c.name).collect();
        assert_eq!((ids.len(), names.len()), (COMMANDS.len(), COMMANDS.len()));
        for command in COMMANDS {
            assert!(
                !command.keys.is_empty() && !command.doc.is_empty() && !command.scopes.is_empty(),
                "{}",
                command.name
            );
            assert!(!command.doc.ends_with('.') && command.title.chars().count() <= 18, "{}", command.name);
            assert!(command.doc.chars().count() <= 58, "{} is cut on 80 columns", command.name);
        }
    }
}
