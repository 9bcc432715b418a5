//! The one table of commands. Key dispatch, hints, help, the palette and the documented keys all derive from it.

mod table;

pub use self::table::COMMANDS;

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// The ways to begin.
    Start,
    Guide,
    Handshake,
    Token,
    Findings,
    Rotation,
    Log,
    /// Exchanges in the cloud's own log; without a tab.
    Events,
    /// The findings of a fleet; without a tab.
    Audit,
}

impl Screen {
    /// The screens that have a tab, in their order.
    pub const TABS: &[Screen] =
        &[Screen::Guide, Screen::Handshake, Screen::Token, Screen::Findings, Screen::Rotation, Screen::Log];
    /// All of them.
    pub const ALL: &[Screen] = &[
        Screen::Start,
        Screen::Guide,
        Screen::Handshake,
        Screen::Token,
        Screen::Findings,
        Screen::Rotation,
        Screen::Log,
        Screen::Events,
        Screen::Audit,
    ];

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Screen::Start => "Start",
            Screen::Guide => "Guide",
            Screen::Handshake => "Handshake",
            Screen::Token => "Token",
            Screen::Findings => "Findings",
            Screen::Rotation => "Rotation",
            Screen::Log => "Log",
            Screen::Events => "Events",
            Screen::Audit => "Audit",
        }
    }
}

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
    Issuer,
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

/// What must be so for a command to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    Nothing,
    HasList,
    HasFilter,
    CanRunAgain,
    CanRunOne,
    CanCancel,
    CanWatch,
    HasRun,
    HasReport,
    HasFix,
    HasTwoRuns,
    HasCopy,
    NotReplay,
    CanUseLab,
    HasProfiles,
    CanVerify,
    HasPasted,
    HasOffset,
    HasCutLines,
    CanReadAgain,
    CanRotate,
    IsWaiting,
    CanConclude,
    HasVerdict,
    TakesOutput,
    CanRollBack,
    HasGuide,
    CanEditAny,
    CanEdit,
    CanUndo,
    CanCheckStep,
    CanConfirm,
    HasWays,
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
    pub requires: Requirement,
    /// Its rank among the hints at the bottom, the most wanted first; `None` where it is none.
    pub hint: Option<u8>,
}

/// A command by its id.
pub fn command(id: CommandId) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.id == id)
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
