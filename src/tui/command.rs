//! The one table of commands. Key dispatch, hints, help, the palette and the documented keys all derive from it.

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
    /// Where a token is pasted or typed.
    Paste,
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
            Scope::Paste => "While pasting a token",
            Scope::Confirm => "At a question",
            Scope::Typing => "While typing a filter",
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
    FocusNext,
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
    Waterfall,
    Fold,
    Wrap,
    Privacy,
    Mouse,
    Theme,
    Clock,
    // Layers
    Close,
    Accept,
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

use Availability::{No, Ready};

fn always(_: &Model) -> Availability {
    Ready
}

fn has_list(model: &Model) -> Availability {
    if !model.layers.is_empty() || model.row_count() > 0 { Ready } else { No("there is nothing to filter here") }
}

fn has_filter(model: &Model) -> Availability {
    if model.list().filter.is_empty() { No("no filter is set; / sets one") } else { Ready }
}

fn can_run_again(model: &Model) -> Availability {
    if model.replay.is_some() {
        No("a recording is read-only")
    } else if model.runs.live().is_some() {
        No("a run is going on; c cancels it")
    } else if model.runs.newest().is_none_or(|run| run.choice.is_none()) {
        No("nothing has run yet")
    } else {
        Ready
    }
}

fn can_run_one(model: &Model) -> Availability {
    match can_run_again(model) {
        Ready if model.selected_check().is_none() => No("no check is selected"),
        answer => answer,
    }
}

fn can_cancel(model: &Model) -> Availability {
    if model.runs.live().is_some() || model.runs.watch.is_some() { Ready } else { No("no run is going on") }
}

fn can_watch(model: &Model) -> Availability {
    if model.replay.is_some() {
        No("a recording is read-only")
    } else if model.runs.newest().is_none_or(|run| run.choice.is_none()) {
        No("nothing has run yet")
    } else {
        Ready
    }
}

fn has_run(model: &Model) -> Availability {
    if model.runs.shown().is_some() { Ready } else { No("nothing has run yet") }
}

fn has_report(model: &Model) -> Availability {
    match model.runs.shown() {
        Some(run) if !run.report.checks.is_empty() => Ready,
        _ => No("there is no report yet"),
    }
}

fn has_two_runs(model: &Model) -> Availability {
    if model.runs.list.len() > 1 { Ready } else { No("there is only one run so far; r runs again") }
}

fn has_copy(model: &Model) -> Availability {
    if super::copy::offers(model).is_empty() { No("there is nothing to copy here") } else { Ready }
}

fn not_replay(model: &Model) -> Availability {
    if model.replay.is_some() { No("a recording is read-only") } else { Ready }
}

fn can_use_lab(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.scenarios.as_ref().is_some_and(Vec::is_empty) => No("this build has no lab scenarios"),
        answer => answer,
    }
}

fn has_profiles(model: &Model) -> Availability {
    match not_replay(model) {
        Ready if model.inputs.profiles.is_empty() => No("there are no profiles yet"),
        answer => answer,
    }
}

fn can_verify(model: &Model) -> Availability {
    match model.token.pasted.as_ref().or(model.token.reread.as_ref().map(|(_, held)| held)) {
        _ if model.replay.is_some() => No("a recording is read-only"),
        None => No("only a token that was pasted or read from a file can be checked here; a run checks its own"),
        Some(_) if model.token.fetching.is_some() => No("the keys are being fetched"),
        Some(held) => match held.decoded.issuer() {
            Some(issuer) if issuer.starts_with("https://") => Ready,
            _ => No("the token names no https issuer"),
        },
    }
}

fn has_pasted(model: &Model) -> Availability {
    if model.token.pasted.is_some() { Ready } else { No("no token was pasted") }
}

const MOVING: &[Scope] = &[Scope::Main, Scope::Picker, Scope::Reader, Scope::Typing];

macro_rules! command {
    ($id:expr, $name:literal, $title:literal, $doc:literal, $scopes:expr, $keys:expr, $enabled:expr, $hint:expr) => {
        Command {
            id: $id,
            name: $name,
            title: $title,
            doc: $doc,
            scopes: $scopes,
            keys: &$keys,
            enabled: $enabled,
            hint: $hint,
        }
    };
}

use CommandId as C;

/// Every command, in the order of the help.
pub const COMMANDS: &[Command] = &[
    command!(
        C::Open,
        "open",
        "open",
        "Open what is selected, or go into its details",
        &[Scope::Main],
        ["enter"],
        always,
        None
    ),
    command!(C::Up, "up", "up", "One row up", MOVING, ["up", "k"], always, None),
    command!(C::Down, "down", "down", "One row down", MOVING, ["down", "j"], always, None),
    command!(C::PageUp, "page-up", "page up", "One page up", MOVING, ["pageup", "ctrl-u"], always, None),
    command!(C::PageDown, "page-down", "page down", "One page down", MOVING, ["pagedown", "ctrl-d"], always, None),
    command!(C::Top, "top", "top", "To the first row", MOVING, ["g", "home"], always, None),
    command!(C::Bottom, "bottom", "bottom", "To the last row", MOVING, ["G", "end"], always, None),
    command!(
        C::FocusNext,
        "focus-next",
        "other pane",
        "To the other pane",
        &[Scope::Main],
        ["tab", "backtab"],
        always,
        None
    ),
    command!(C::FocusLeft, "focus-left", "list", "To the list", &[Scope::Main], ["left", "h"], always, None),
    command!(C::FocusRight, "focus-right", "details", "To the details", &[Scope::Main], ["right", "l"], always, None),
    command!(
        C::ScrollUp,
        "scroll-up",
        "details up",
        "Scroll the details up without leaving the list",
        &[Scope::Main],
        ["K"],
        always,
        None
    ),
    command!(
        C::ScrollDown,
        "scroll-down",
        "details down",
        "Scroll the details down without leaving the list",
        &[Scope::Main],
        ["J"],
        always,
        None
    ),
    command!(C::Back, "back", "back", "One step back: filter, details, screen", &[Scope::Main], ["esc"], always, None),
    command!(
        C::Show(Screen::Handshake),
        "handshake",
        "handshake",
        "The checks, one by one, as they run",
        &[Scope::Main],
        ["1"],
        always,
        None
    ),
    command!(
        C::Show(Screen::Token),
        "token",
        "token",
        "The token: claims, meaning, signature, time left",
        &[Scope::Main],
        ["2"],
        always,
        None
    ),
    command!(
        C::Show(Screen::Findings),
        "findings",
        "findings",
        "The named causes, root causes first",
        &[Scope::Main],
        ["3"],
        always,
        None
    ),
    command!(C::Show(Screen::Log), "log", "log", "The run's events in order", &[Scope::Main], ["4"], always, None),
    command!(C::Show(Screen::Start), "start", "start", "The ways to begin", &[Scope::Main], ["0"], not_replay, None),
    command!(C::NextScreen, "next-screen", "next screen", "To the next screen", &[Scope::Main], ["]"], always, None),
    command!(
        C::PreviousScreen,
        "previous-screen",
        "previous screen",
        "To the screen before",
        &[Scope::Main],
        ["["],
        always,
        None
    ),
    command!(
        C::RunAgain,
        "run",
        "run again",
        "Run the same checks again",
        &[Scope::Main],
        ["r"],
        can_run_again,
        Some(1)
    ),
    command!(
        C::RunOne,
        "run-one",
        "run this check",
        "Run the selected check with what it needs",
        &[Scope::On(Screen::Handshake)],
        ["e"],
        can_run_one,
        None
    ),
    command!(C::Cancel, "cancel", "cancel", "Stop the run, or watching", &[Scope::Main], ["c"], can_cancel, Some(0)),
    command!(
        C::Watch,
        "watch",
        "watch",
        "Run every few seconds until it works, and say since when it does",
        &[Scope::Main],
        ["W"],
        can_watch,
        None
    ),
    command!(C::History, "history", "earlier runs", "Go back to an earlier run", &[Scope::Main], ["H"], has_run, None),
    command!(
        C::Compare,
        "compare",
        "compare",
        "Compare this run with another: causes, outcomes, claims, times",
        &[Scope::Main],
        ["D"],
        has_two_runs,
        None
    ),
    command!(
        C::CopyValue,
        "copy",
        "copy",
        "Copy what matters most here: the fix, the value",
        &[Scope::Main],
        ["y"],
        has_copy,
        Some(2)
    ),
    command!(
        C::CopyMenu,
        "copy-menu",
        "copy …",
        "Choose what to copy: value, fix, finding, command that reproduces it",
        &[Scope::Main],
        ["Y"],
        has_copy,
        None
    ),
    command!(
        C::Export,
        "export",
        "export",
        "Write the report as Markdown or JSON",
        &[Scope::Main],
        ["x"],
        has_report,
        None
    ),
    command!(
        C::Waterfall,
        "waterfall",
        "waterfall",
        "Where the time went: every check and its hops on one time axis",
        &[Scope::On(Screen::Handshake)],
        ["w"],
        has_run,
        Some(4)
    ),
    command!(
        C::Fold,
        "fold",
        "fold",
        "Show or hide what this finding blocks",
        &[Scope::On(Screen::Findings)],
        ["space"],
        has_run,
        None
    ),
    command!(
        C::Paste,
        "paste",
        "paste token",
        "Paste or type a token; it is never shown as such",
        &[Scope::On(Screen::Token)],
        ["i"],
        not_replay,
        Some(3)
    ),
    command!(
        C::Verify,
        "verify",
        "verify",
        "Fetch the keys of the token's issuer and check the signature",
        &[Scope::On(Screen::Token)],
        ["v"],
        can_verify,
        Some(3)
    ),
    command!(
        C::DropPasted,
        "drop-token",
        "drop token",
        "Forget the pasted token and show the run's again",
        &[Scope::On(Screen::Token)],
        ["backspace"],
        has_pasted,
        None
    ),
    command!(
        C::Filter,
        "filter",
        "filter",
        "Show only rows with these words",
        &[Scope::Main, Scope::Picker],
        ["/"],
        has_list,
        Some(5)
    ),
    command!(
        C::NextMatch,
        "next-match",
        "next match",
        "To the next row that the filter shows",
        &[Scope::Main],
        ["n"],
        has_filter,
        None
    ),
    command!(
        C::PreviousMatch,
        "previous-match",
        "previous match",
        "To the row before that the filter shows",
        &[Scope::Main],
        ["N"],
        has_filter,
        None
    ),
    command!(C::Lab, "lab", "lab", "Pick a scenario of the embedded cloud", &[Scope::Main], ["L"], can_use_lab, None),
    command!(C::Profiles, "profiles", "profiles", "Pick a profile", &[Scope::Main], ["P"], has_profiles, None),
    command!(C::NewProfile, "new-profile", "new profile", "Make a profile", &[Scope::Main], ["+"], not_replay, None),
    command!(C::Wrap, "wrap", "wrap", "Break long lines, or cut them", &[Scope::Main], ["z"], always, None),
    command!(
        C::Privacy,
        "privacy",
        "privacy",
        "Hide account ids, subjects and hosts",
        &[Scope::Main],
        ["p"],
        always,
        None
    ),
    command!(C::Clock, "clock", "clock", "Tell times in UTC or local time", &[Scope::Main], ["u"], has_offset, None),
    command!(C::Theme, "theme", "theme", "The next theme: dark, light, none", &[Scope::Main], ["t"], always, None),
    command!(
        C::Mouse,
        "mouse",
        "mouse",
        "Leave the mouse to the terminal, to select text, or take it back",
        &[Scope::Main],
        ["m"],
        always,
        None
    ),
    command!(
        C::Palette,
        "palette",
        "commands",
        "Find a command by its name",
        &[Scope::Main],
        [":", "ctrl-p"],
        always,
        Some(6)
    ),
    command!(C::Help, "help", "help", "What can be done here", &[Scope::Main], ["?", "f1"], always, Some(7)),
    command!(C::Quit, "quit", "quit", "Leave; a summary stays on the screen", &[Scope::Main], ["q"], always, Some(8)),
    command!(
        C::Interrupt,
        "interrupt",
        "cancel or quit",
        "Stop the run if one is going on, else leave",
        &[Scope::Always],
        ["ctrl-c"],
        always,
        None
    ),
    command!(
        C::Suspend,
        "suspend",
        "suspend",
        "Back to the shell; fg returns",
        &[Scope::Always],
        ["ctrl-z"],
        always,
        None
    ),
    command!(C::Repaint, "repaint", "repaint", "Draw everything again", &[Scope::Always], ["ctrl-l"], always, None),
    command!(
        C::Accept,
        "accept",
        "choose",
        "Take what is selected",
        &[Scope::Picker, Scope::Confirm, Scope::Paste],
        ["enter"],
        always,
        Some(0)
    ),
    command!(
        C::Close,
        "close",
        "close",
        "Close what is on top",
        &[Scope::Picker, Scope::Reader, Scope::Form, Scope::Paste, Scope::Confirm],
        ["esc", "q"],
        always,
        Some(9)
    ),
    command!(
        C::FieldNext,
        "field-next",
        "next field",
        "To the next field",
        &[Scope::Form],
        ["tab", "down", "enter"],
        always,
        Some(1)
    ),
    command!(
        C::FieldPrevious,
        "field-previous",
        "field before",
        "To the field before",
        &[Scope::Form],
        ["backtab", "up"],
        always,
        None
    ),
    command!(
        C::Save,
        "save",
        "save and run",
        "Write the profile and run it",
        &[Scope::Form],
        ["ctrl-s"],
        always,
        Some(0)
    ),
    command!(
        C::TypingEnd,
        "typing-end",
        "take it",
        "Keep the filter and go back to the rows; in a list on top, choose",
        &[Scope::Typing],
        ["enter"],
        always,
        Some(0)
    ),
    command!(C::TypingClear, "typing-clear", "clear", "Remove the filter", &[Scope::Typing], ["esc"], always, Some(1)),
];

fn has_offset(model: &Model) -> Availability {
    if model.inputs.utc_offset_s.is_some() { Ready } else { No("the local time zone is not known") }
}

/// A command by its id.
pub fn command(id: CommandId) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.id == id)
}

/// The scopes in which keys are looked up now, the innermost first.
pub fn scopes(model: &Model) -> Vec<Scope> {
    let innermost = match model.layers.last() {
        _ if model.is_typing() => vec![Scope::Typing],
        Some(Layer::Picker(_)) => vec![Scope::Picker],
        Some(Layer::Reader(_)) => vec![Scope::Reader],
        Some(Layer::Form(_)) => vec![Scope::Form],
        Some(Layer::Paste(_)) => vec![Scope::Paste],
        Some(Layer::Confirm(_)) => vec![Scope::Confirm],
        None => vec![Scope::On(model.screen), Scope::Main],
    };
    innermost.into_iter().chain([Scope::Always]).collect()
}

/// What a run can be repeated with.
pub fn again(model: &Model) -> Option<RunChoice> {
    model.runs.shown().or(model.runs.newest()).and_then(|run| run.choice.clone())
}

/// The hints for the bottom line, the most wanted first: key and title.
pub fn hints(model: &Model) -> Vec<(String, &'static str)> {
    let scopes = scopes(model);
    let mut wanted: Vec<(&Command, u8)> = COMMANDS
        .iter()
        .filter_map(|command| Some((command, command.hint?)))
        .filter(|(command, _)| command.scopes.iter().any(|scope| scopes.contains(scope)))
        .filter(|(command, _)| (command.enabled)(model) == Ready)
        .collect();
    wanted.sort_by_key(|(_, rank)| *rank);
    wanted
        .iter()
        .filter_map(|(command, _)| {
            let key = command
                .scopes
                .iter()
                .filter(|s| scopes.contains(s))
                .find_map(|s| model.look.keymap.key(*s, command.id));
            Some((key?.to_string(), command.title))
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
        }
    }
}
