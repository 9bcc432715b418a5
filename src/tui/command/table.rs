//! The table: every command with its name, its keys, where they work, what it does and when it can be used.

use super::{Command, CommandId as C, Requirement, Scope, Screen, Topic};

const MAIN: &[Scope] = &[Scope::Main];
const MOVING: &[Scope] = &[Scope::Main, Scope::Picker, Scope::Reader, Scope::Typing];
const TEXTS: &[Scope] = &[Scope::Main, Scope::Reader];
const LISTS: &[Scope] = &[Scope::Main, Scope::Picker];
const HANDSHAKE: &[Scope] = &[Scope::On(Screen::Handshake)];
const TOKEN: &[Scope] = &[Scope::On(Screen::Token)];
const GUIDE: &[Scope] = &[Scope::On(Screen::Guide)];
/// Where rows are searched. In the guide the same keys lead to steps.
const SEARCHED: &[Scope] = &[
    Scope::On(Screen::Start),
    Scope::On(Screen::Handshake),
    Scope::On(Screen::Token),
    Scope::On(Screen::Findings),
    Scope::On(Screen::Log),
    Scope::On(Screen::Events),
    Scope::On(Screen::Audit),
];
/// Where findings are shown, or what they are about.
const FIXING: &[Scope] =
    &[Scope::On(Screen::Guide), Scope::On(Screen::Handshake), Scope::On(Screen::Findings), Scope::On(Screen::Log)];
const FINDINGS: &[Scope] = &[Scope::On(Screen::Findings)];
const ROTATION: &[Scope] = &[Scope::On(Screen::Rotation)];
const ALWAYS: &[Scope] = &[Scope::Always];
const CHOOSING: &[Scope] = &[Scope::Picker];
const ENTERING: &[Scope] = &[Scope::Paste, Scope::Secret];
const ASKED: &[Scope] = &[Scope::Confirm];
const LAYERS: &[Scope] = &[Scope::Picker, Scope::Reader, Scope::Form, Scope::Paste, Scope::Secret, Scope::Confirm];
const FORM: &[Scope] = &[Scope::Form];
const FIELD: &[Scope] = &[Scope::Field];
const FIELDS: &[Scope] = &[Scope::Form, Scope::Field];
const TYPING: &[Scope] = &[Scope::Typing];

/// A row: id, name, title, keys, scopes, what it does; then, where it has them, `when` and the rank of its `hint`. Rows
/// stand below their topic.
macro_rules! commands {
    (@hint) => { None };
    (@hint $hint:literal) => { Some($hint) };
    (@when) => { Requirement::Nothing };
    (@when $requirement:ident) => { Requirement::$requirement };
    ($(@ $topic:ident $($id:expr, $name:literal, $title:literal, $keys:expr, $scopes:expr, $doc:literal
        $(when $requirement:ident)? $(hint $hint:literal)?;)*)*) => {
        &[$($(Command {
            topic: Topic::$topic,
            id: $id,
            name: $name,
            title: $title,
            doc: $doc,
            scopes: $scopes,
            keys: &$keys,
            requires: commands!(@when $($requirement)?),
            hint: commands!(@hint $($hint)?),
        },)*)*]
    };
}

/// Every command, in the order of the help.
pub const COMMANDS: &[Command] = commands! {
    @ Runs
    C::RunAgain, "run", "run again", ["r"], MAIN, "Run the same checks again" when CanRunAgain hint 1;
    C::RunOne, "run-one", "run this check", ["e"], HANDSHAKE, "Run the selected check with what it needs"
        when CanRunOne;
    C::ReadCloud, "operator", "read the cloud", ["O"], MAIN,
        "Read the cloud's own side too, as the operator" when CanRunAgain;
    C::Cancel, "cancel", "cancel", ["c"], MAIN, "Stop the run, or watching" when CanCancel hint 0;
    C::Watch, "watch", "watch", ["W"], MAIN, "Run every few seconds; tell since when it works"
        when CanWatch;
    C::History, "history", "earlier runs", ["H"], MAIN, "Go back to an earlier run" when HasRun;
    C::Compare, "compare", "compare", ["D"], MAIN, "Compare with another run: causes, outcomes, claims, times"
        when HasTwoRuns;
    @ Taking
    C::CopyValue, "copy", "copy", ["y"], TEXTS, "Copy what matters most here: the fix, the value" when HasCopy hint 2;
    C::CopyMenu, "copy-menu", "copy …", ["Y"], TEXTS, "Choose what to copy: value, fix, finding, a command for it"
        when HasCopy;
    C::Export, "export", "export", ["x"], MAIN, "Write the report as Markdown or JSON" when HasReport;
    @ Screen
    C::Waterfall, "waterfall", "waterfall", ["w"], HANDSHAKE, "Where the time went: checks and hops on one time axis"
        when HasReport hint 4;
    C::Clients, "clients", "clients", ["C"], HANDSHAKE, "What the profile's client, or any, does with the token";
    C::Fold, "fold", "fold", ["space"], FINDINGS, "Show or hide what this finding blocks" when HasRun;
    C::Paste, "paste", "paste token", ["i"], TOKEN, "Paste or type a token; it is never shown as such"
        when NotReplay hint 3;
    C::Verify, "verify", "verify", ["v"], TOKEN, "Fetch the issuer's keys and check the signature"
        when CanVerify hint 3;
    C::ReadAgain, "read-token", "read again", ["R"], TOKEN, "Read the token again from where the profile says"
        when CanReadAgain;
    C::DropPasted, "drop-token", "drop token", ["backspace"], TOKEN, "Forget the pasted token and show the run's again"
        when HasPasted;
    C::Rotate, "rotate", "rotate", ["R"], ROTATION, "Rotate a secret, and prove that the new value arrived"
        when CanRotate hint 3;
    C::LookNow, "look-now", "look now", ["s"], ROTATION, "Look now instead of waiting for the next time" when IsWaiting hint 2;
    C::Conclude, "judge", "judge now", ["f"], ROTATION, "Wait no longer: judge what has been seen" when CanConclude hint 4;
    C::Evidence, "evidence", "evidence", ["e"], ROTATION, "Write what was found as evidence, in a chain of hashes"
        when HasVerdict hint 3;
    C::PasteOutput, "paste-output", "paste output", ["i"], ROTATION, "Paste what the automation printed: fingerprint line, log"
        when TakesOutput hint 1;
    C::RollBack, "roll-back", "roll back", ["b"], ROTATION, "Make the version before current again" when CanRollBack hint 0;
    C::KeepAsIs, "keep-as-is", "keep as it is", ["o"], ROTATION, "Leave the new version current" when CanRollBack hint 0;
    C::ShowFix, "show-fix", "fix", ["f"], FIXING, "Show the root cause's fix: diff, script, and the way back"
        when HasFix hint 3;
    C::NextStep, "next-step", "next step", ["n"], GUIDE, "To the step that is next: what fails first"
        when HasGuide hint 2;
    C::EditField, "edit", "enter values", ["e"], GUIDE, "Enter the step's values, checked while they are typed"
        when CanEdit hint 1;
    C::CheckStep, "check-step", "verify", ["v"], GUIDE, "Run the checks of this step with what they need"
        when CanCheckStep hint 0;
    C::ConfirmStep, "confirm-step", "done by hand", ["space"], GUIDE,
        "Say that the step is done, or take it back" when CanConfirm hint 3;
    C::OtherWay, "other-way", "another way", ["a"], GUIDE, "Show another way to do it: CLI, console, Terraform"
        when HasWays hint 5;
    C::Import, "import", "paste values", ["i"], GUIDE,
        "Fill fields from a pasted ARN, policy, answer or token" when CanEditAny hint 6;
    C::Undo, "undo", "take back", ["U"], GUIDE, "Take back the last change of values" when CanUndo hint 4;
    @ Finding
    C::Filter, "filter", "filter", ["/"], LISTS, "Show only rows with these words" when HasList hint 6;
    C::NextMatch, "next-match", "next match", ["n"], SEARCHED, "To the next row that the filter shows" when HasFilter;
    C::PreviousMatch, "previous-match", "previous match", ["N"], SEARCHED, "To the row before that the filter shows"
        when HasFilter;
    @ Beginning
    C::Lab, "lab", "lab", ["L"], MAIN, "Pick a scenario of the embedded cloud" when CanUseLab;
    C::Profiles, "profiles", "profiles", ["P"], MAIN, "Pick a profile" when HasProfiles;
    C::Explain, "explain", "explain error", ["E"], MAIN, "Paste an error text or a log, and see what causes it";
    C::Issuer, "issuer", "look at an issuer", ["I"], MAIN, "See whether each cloud would take an issuer's tokens"
        when NotReplay;
    C::NewProfile, "new-profile", "new profile", ["+"], MAIN, "Make a profile" when NotReplay;
    @ Screens
    C::Show(Screen::Guide), "guide", "guide", ["1"], MAIN, "The setup guide, step by step, with the state of each";
    C::Show(Screen::Handshake), "handshake", "handshake", ["2"], MAIN, "The checks, one by one, as they run";
    C::Show(Screen::Token), "token", "token", ["3"], MAIN, "The token: claims, meaning, signature, time left";
    C::Show(Screen::Findings), "findings", "findings", ["4"], MAIN, "The named causes, root causes first";
    C::Show(Screen::Rotation), "rotation", "rotation", ["5"], MAIN, "A rotation's before and after, in store and automation";
    C::Show(Screen::Log), "log", "log", ["6"], MAIN, "The run's events in order";
    C::Show(Screen::Events), "events", "events", ["7"], MAIN, "Exchanges in the cloud's log: who was refused, and why";
    C::Show(Screen::Audit), "audit", "audit", ["8"], MAIN, "Every trust of a file or folder: who gets in, what is dead";
    C::Show(Screen::Start), "start", "start", ["0"], MAIN, "The ways to begin" when NotReplay;
    C::NextScreen, "next-screen", "next screen", ["]"], MAIN, "To the next screen";
    C::PreviousScreen, "previous-screen", "previous screen", ["["], MAIN, "To the screen before";
    @ Looks
    C::Wrap, "wrap", "wrap", ["z"], TEXTS, "Break long lines, or cut them";
    C::Privacy, "privacy", "privacy", ["p"], MAIN, "Hide account ids, subjects and hosts";
    C::Clock, "clock", "clock", ["u"], MAIN, "Tell times in UTC or local time" when HasOffset;
    C::Theme, "theme", "theme", ["t"], MAIN, "The next theme: dark, light, none";
    C::Mouse, "mouse", "mouse", ["m"], MAIN, "Leave the mouse to the terminal, or take it back";
    @ Help
    C::Palette, "palette", "commands", [":", "ctrl-p"], MAIN, "Find a command by its words" hint 7;
    C::Help, "help", "help", ["?", "f1"], MAIN, "What can be done here" hint 5;
    C::Quit, "quit", "quit", ["q"], MAIN, "Leave; a summary stays on the screen" hint 8;
    C::Interrupt, "interrupt", "cancel or quit", ["ctrl-c"], ALWAYS, "Stop the run if one is going on, else leave";
    C::Suspend, "suspend", "suspend", ["ctrl-z"], ALWAYS, "Back to the shell; fg returns";
    C::Repaint, "repaint", "repaint", ["ctrl-l"], ALWAYS, "Draw everything again";
    @ Moving
    C::Open, "open", "open", ["enter"], MAIN, "Open what is selected, or go into its details";
    C::Up, "up", "up", ["up", "k"], MOVING, "One row up";
    C::Down, "down", "down", ["down", "j"], MOVING, "One row down";
    C::PageUp, "page-up", "page up", ["pageup", "ctrl-u"], MOVING, "One page up";
    C::PageDown, "page-down", "page down", ["pagedown", "ctrl-d"], MOVING, "One page down";
    C::Top, "top", "top", ["g", "home"], MOVING, "To the first row";
    C::Bottom, "bottom", "bottom", ["G", "end"], MOVING, "To the last row";
    C::FocusNext, "focus-next", "next pane", ["tab"], MAIN, "To the next pane";
    C::FocusPrevious, "focus-previous", "pane before", ["backtab"], MAIN, "To the pane before";
    C::FocusLeft, "focus-left", "list", ["left", "h"], MAIN, "To the list";
    C::FocusRight, "focus-right", "details", ["right", "l"], MAIN, "To the details";
    C::ScrollUp, "scroll-up", "details up", ["K"], MAIN, "Scroll the details up without leaving the list";
    C::ScrollDown, "scroll-down", "details down", ["J"], MAIN, "Scroll the details down without leaving the list";
    C::ScrollLeft, "scroll-left", "left", ["<"], TEXTS, "Move along cut lines to the left" when HasCutLines;
    C::ScrollRight, "scroll-right", "right", [">"], TEXTS, "Move along cut lines to the right" when HasCutLines;
    C::Back, "back", "back", ["esc"], MAIN, "One step back: filter, details, screen";
    @ Layers
    C::Accept, "accept", "choose", ["enter"], CHOOSING, "Take what is selected" hint 0;
    C::GoOn, "go-on", "go on", ["enter"], ENTERING, "Go on with what was typed or pasted" hint 0;
    C::Yes, "yes", "yes", ["y"], ASKED, "Answer yes" hint 0;
    C::No, "no", "no", ["n", "enter"], ASKED, "Answer no: nothing is done" hint 1;
    C::Close, "close", "close", ["esc", "q"], LAYERS, "Close what is on top" hint 9;
    C::FieldNext, "field-next", "next field", ["tab", "down", "enter"], FIELDS, "To the next field" hint 1;
    C::FieldPrevious, "field-previous", "field before", ["backtab", "up"], FIELDS, "To the field before";
    C::LeaveField, "leave-field", "back to the step", ["esc"], FIELD, "Keep what is typed and go back to the step" hint 2;
    C::Save, "save", "save and run", ["ctrl-s"], FORM, "Write the profile and run it; the guide asks for more" hint 0;
    C::TypingEnd, "typing-end", "take it", ["enter"], TYPING, "Keep the filter; in a list on top, choose"
        hint 0;
    C::TypingClear, "typing-clear", "clear", ["esc"], TYPING, "Remove the filter" hint 1;
};
