//! What each command of the table does.

use super::layers::Accepted;
use super::{audit, events, go, guide, issuer, layers, operator, rotation, runs, scroll, show, toast, token};
use crate::domain::client::Client;
use crate::report::context::Privacy;
use crate::report::finding::{Answer, answer};
use crate::report::line::Wrap;
use crate::tui::available::again;
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::content::findings::{self, Row};
use crate::tui::content::start::{StartChoice, selected as selected_way};
use crate::tui::copy;
use crate::tui::inputs::{Clock, Mouse, RunChoice, Target};
use crate::tui::layout;
use crate::tui::message::{Effect, RotationInput};
use crate::tui::model::Lifecycle;
use crate::tui::model::layer::{PasteBox, PasteKind};
use crate::tui::model::list::Move;
use crate::tui::model::{Focus, HandshakeView, Layer, ListState, Model, Page, PickerKind, Tone, Typing};

/// How many columns one step along cut lines moves.
const SIDEWAYS: usize = 8;

/// Does what a command says.
pub(super) fn run(model: &mut Model, id: CommandId) -> Vec<Effect> {
    if let Some(to) = movement(id) {
        if model.layers.is_empty() {
            go(model, to);
        } else {
            layers::go(model, to);
        }
        return Vec::new();
    }
    match id {
        CommandId::Interrupt => interrupt(model),
        CommandId::Suspend => vec![Effect::Suspend],
        CommandId::Repaint => vec![Effect::Repaint],
        CommandId::Quit => vec![Effect::Quit],
        CommandId::Open => open(model),
        CommandId::Back => back(model),
        CommandId::FocusNext => other_pane(model, Towards::Next),
        CommandId::FocusPrevious => other_pane(model, Towards::Before),
        CommandId::FocusLeft => set_focus(model, Focus::List),
        CommandId::FocusRight => set_focus(model, Focus::Detail),
        CommandId::ScrollUp => {
            scroll(model, Move::Up);
            Vec::new()
        }
        CommandId::ScrollDown => {
            scroll(model, Move::Down);
            Vec::new()
        }
        CommandId::ScrollLeft => sideways(model, |from| from.saturating_sub(SIDEWAYS)),
        CommandId::ScrollRight => sideways(model, |from| from.saturating_add(SIDEWAYS)),
        CommandId::Show(Screen::Events) => events::open(model),
        CommandId::Show(Screen::Audit) => audit::open(model),
        CommandId::Show(screen) => {
            show(model, screen);
            Vec::new()
        }
        CommandId::NextScreen => neighbour(model, 1),
        CommandId::PreviousScreen => neighbour(model, Screen::TABS.len() - 1),
        CommandId::Filter => {
            let list = model.list_mut();
            if list.filter.is_empty() {
                list.before = list.selected;
            }
            list.typing = Typing::On;
            Vec::new()
        }
        CommandId::NextStep => guide::next(model),
        CommandId::EditField => guide::edit(model),
        CommandId::CheckStep => runs::check_step(model),
        CommandId::ConfirmStep => guide::confirm(model),
        CommandId::OtherWay => guide::other_way(model),
        CommandId::Undo => guide::undo(model),
        CommandId::LeaveField => guide::leave(model),
        CommandId::Import => paste_box(model, PasteKind::Values),
        CommandId::Explain => paste_box(model, PasteKind::ErrorText),
        CommandId::Issuer => issuer::ask(model),
        CommandId::Clients => {
            let named =
                model.runs.shown().and_then(|run| run.profile.as_deref()).map(|profile| profile.clients.clone());
            let clients = named.filter(|named| !named.is_empty()).unwrap_or_else(|| Client::all().collect());
            model.layers.push(Layer::reader(Page::Clients(clients)));
            Vec::new()
        }
        CommandId::NextMatch => match_step(model, Move::Down),
        CommandId::PreviousMatch => match_step(model, Move::Up),
        CommandId::RunAgain => {
            again(model).map(|choice| runs::start(model, RunChoice { only: Vec::new(), ..choice })).unwrap_or_default()
        }
        CommandId::ReadCloud if operator::is_agreed(model) => run(model, CommandId::RunAgain),
        CommandId::ReadCloud => operator::ask(model),
        CommandId::RunOne => match (again(model), model.selected_check()) {
            (Some(choice), Some(check)) => runs::start(model, RunChoice { only: vec![check], ..choice }),
            _ => Vec::new(),
        },
        CommandId::Cancel => {
            // What the screen shows goes first.
            let is_rotation = model.screen == Screen::Rotation || model.runs.live().is_none();
            if is_rotation && model.rotation.live().is_some() { rotation::cancel(model) } else { runs::cancel(model) }
        }
        CommandId::Rotate => rotation::ask_way(model),
        CommandId::LookNow => rotation::tell(model, RotationInput::LookNow),
        CommandId::Conclude => rotation::tell(model, RotationInput::Conclude),
        CommandId::Evidence => rotation::evidence(model),
        CommandId::RollBack => rotation::ask_roll_back(model),
        CommandId::KeepAsIs => rotation::tell(model, RotationInput::KeepAsIs),
        CommandId::PasteOutput => paste_box(model, PasteKind::Output),
        CommandId::Watch => push(model, PickerKind::Watch),
        CommandId::History => push(model, PickerKind::History),
        CommandId::Compare => push(model, PickerKind::CompareWith),
        CommandId::CopyValue => match copy::offers(model).into_iter().next() {
            Some(offer) => vec![Effect::Copy { text: offer.text }],
            None => Vec::new(),
        },
        CommandId::CopyMenu => push(model, PickerKind::Copy),
        CommandId::Export => push(model, PickerKind::Export),
        CommandId::Lab => push(model, PickerKind::Scenarios),
        CommandId::Profiles => push(model, PickerKind::Profiles),
        CommandId::NewProfile => push(model, PickerKind::Guides),
        CommandId::Palette => push(model, PickerKind::Palette),
        CommandId::Help => push(model, PickerKind::Help),
        CommandId::Paste => paste_box(model, PasteKind::Token),
        CommandId::DropPasted => {
            model.token.pasted = None;
            model.here_mut().list = ListState::default();
            Vec::new()
        }
        CommandId::Verify => token::fetch_keys(model),
        CommandId::ReadAgain => token::read_again(model),
        CommandId::Waterfall => {
            model.handshake = match model.handshake {
                HandshakeView::Checks => HandshakeView::Waterfall,
                HandshakeView::Waterfall => HandshakeView::Checks,
            };
            model.here_mut().scroll = 0;
            Vec::new()
        }
        CommandId::Fold => fold(model),
        CommandId::ShowFix => show_fix(model),
        CommandId::Wrap => {
            model.wrap = if model.wrap == Wrap::Words { Wrap::Off { from: 0 } } else { Wrap::Words };
            let key = |id| key_of(model, id);
            let words = match model.wrap {
                Wrap::Words => "long lines break".to_owned(),
                Wrap::Off { .. } => format!(
                    "long lines are cut; {} and {} move along them",
                    key(CommandId::ScrollLeft),
                    key(CommandId::ScrollRight)
                ),
            };
            toast(model, words, Tone::Good)
        }
        CommandId::Privacy => {
            model.appearance.privacy = match model.appearance.privacy {
                Privacy::Open => Privacy::Masked,
                Privacy::Masked => Privacy::Open,
            };
            let words = match model.appearance.privacy {
                Privacy::Masked => "account ids, subjects and hosts are hidden; copies are not",
                Privacy::Open => "everything is shown",
            };
            toast(model, words.to_owned(), Tone::Good)
        }
        CommandId::Clock => {
            model.appearance.clock = if model.appearance.clock == Clock::Utc { Clock::Local } else { Clock::Utc };
            toast(
                model,
                if model.appearance.clock == Clock::Utc { "times in UTC" } else { "local times" }.to_owned(),
                Tone::Good,
            )
        }
        CommandId::Theme => {
            model.appearance.theme = model.appearance.theme.next();
            let name = model.appearance.theme.id();
            toast(model, format!("theme {name}"), Tone::Good)
        }
        CommandId::Mouse => {
            model.appearance.mouse = model.appearance.mouse.toggled();
            let words = match model.appearance.mouse {
                Mouse::Captured => "the console has the mouse: dragging copies from a pane",
                Mouse::Free => "the terminal has the mouse: drag selects text",
            };
            toast(model, words.to_owned(), Tone::Good);
            vec![Effect::SetMouse(model.appearance.mouse)]
        }
        CommandId::Close => layers::close(model),
        CommandId::Accept | CommandId::GoOn | CommandId::Yes => accept(model),
        CommandId::No => layers::close(model),
        CommandId::FieldNext if model.editing().is_some() => guide::field(model, Move::Down),
        CommandId::FieldPrevious if model.editing().is_some() => guide::field(model, Move::Up),
        CommandId::FieldNext => layers::field(model, Move::Down),
        CommandId::FieldPrevious => layers::field(model, Move::Up),
        CommandId::Save => layers::save(model),
        CommandId::TypingEnd => {
            // In the palette, ending the words means choosing.
            let list = model.list_mut();
            list.typing = Typing::Off;
            if matches!(model.layers.last(), Some(Layer::Picker(_))) { accept(model) } else { Vec::new() }
        }
        CommandId::TypingClear => {
            let had_words = !model.list().filter.is_empty();
            let list = model.list_mut();
            (list.filter, list.typing, list.selected) = (Default::default(), Typing::Off, list.before);
            if !had_words && matches!(model.layers.last(), Some(Layer::Picker(_))) {
                return layers::close(model);
            }
            Vec::new()
        }
        // These move, and moving was done above.
        CommandId::Up
        | CommandId::Down
        | CommandId::PageUp
        | CommandId::PageDown
        | CommandId::Top
        | CommandId::Bottom => Vec::new(),
    }
}

fn push(model: &mut Model, kind: PickerKind) -> Vec<Effect> {
    let mut layer = Layer::picker(kind);
    if let (Layer::Picker(picker), PickerKind::Scenarios) = (&mut layer, kind) {
        picker.list.selected = layers::first_fault(model);
    }
    model.layers.push(layer);
    Vec::new()
}

fn paste_box(model: &mut Model, kind: PasteKind) -> Vec<Effect> {
    model.layers.push(Layer::Paste(PasteBox { kind, ..PasteBox::default() }));
    Vec::new()
}

/// Moves along lines that are cut; `clamp_selection_and_scroll` stops at their end.
fn sideways(model: &mut Model, to: fn(usize) -> usize) -> Vec<Effect> {
    if let Wrap::Off { from } = &mut model.wrap {
        *from = to(*from);
    }
    Vec::new()
}

/// The key of a command that works on every screen, as it is shown.
fn key_of(model: &Model, id: CommandId) -> String {
    model.appearance.keymap.key(Scope::Main, id).map_or_else(String::new, |key| key.to_string())
}

/// Which of two neighbours in a ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Next,
    Before,
}

/// To another pane of the screen; from the last one to the first.
fn other_pane(model: &mut Model, towards: Towards) -> Vec<Effect> {
    let has_aside = !layout::compute(model).aside.is_empty();
    let focus = match (model.here().focus, towards) {
        (Focus::List, Towards::Next) | (Focus::Aside, Towards::Before) => Focus::Detail,
        (Focus::Detail, Towards::Next) | (Focus::List, Towards::Before) if has_aside => Focus::Aside,
        (Focus::List, Towards::Before) => Focus::Detail,
        (Focus::Detail | Focus::Aside, _) => Focus::List,
    };
    set_focus(model, focus)
}

fn set_focus(model: &mut Model, focus: Focus) -> Vec<Effect> {
    model.here_mut().focus = focus;
    Vec::new()
}

fn interrupt(model: &mut Model) -> Vec<Effect> {
    if model.runs.live().is_some_and(|run| run.state == crate::tui::model::Lifecycle::Running) {
        runs::cancel(model)
    } else if model.rotation.live().is_some_and(|session| session.state == Lifecycle::Running) {
        rotation::cancel(model)
    } else {
        vec![Effect::Quit]
    }
}

/// One step back: the filter, the details, the screen.
fn back(model: &mut Model) -> Vec<Effect> {
    if !model.here().list.filter.is_empty() {
        // What was found stays selected among all.
        let found = model.selected_row();
        let list = &mut model.here_mut().list;
        list.selected = found.unwrap_or(list.before);
        list.filter = Default::default();
    } else if model.here().focus != Focus::List {
        model.here_mut().focus = Focus::List;
    } else if model.screen == Screen::Handshake && model.handshake == HandshakeView::Waterfall {
        model.handshake = HandshakeView::Checks;
    } else if model.replay.is_none() {
        show(model, Screen::Start);
    }
    Vec::new()
}

fn neighbour(model: &mut Model, step: usize) -> Vec<Effect> {
    let tabs = Screen::TABS;
    let next = match tabs.iter().position(|screen| *screen == model.screen) {
        Some(place) => tabs[(place + step) % tabs.len()],
        None => tabs[if step == 1 { 0 } else { tabs.len() - 1 }],
    };
    show(model, next);
    Vec::new()
}

/// To the next row that the filter shows; past the last one to the first.
fn match_step(model: &mut Model, to: Move) -> Vec<Effect> {
    let count = super::count(model);
    let at = model.here().list.selected;
    let to = match to {
        Move::Down if at + 1 >= count => Move::Top,
        Move::Up if at == 0 => Move::Bottom,
        to => to,
    };
    model.here_mut().focus = Focus::List;
    go(model, to);
    Vec::new()
}

fn open(model: &mut Model) -> Vec<Effect> {
    match model.screen {
        Screen::Start => match selected_way(model) {
            Some(StartChoice::Lab) if model.inputs.scenarios.as_ref().is_some_and(Vec::is_empty) => {
                toast(model, "this build has no lab scenarios".to_owned(), Tone::Bad)
            }
            Some(StartChoice::Lab) => push(model, PickerKind::Scenarios),
            Some(StartChoice::New) => push(model, PickerKind::Guides),
            Some(StartChoice::Existing) if model.inputs.profiles.is_empty() => push(model, PickerKind::Guides),
            Some(StartChoice::Existing) => push(model, PickerKind::Profiles),
            Some(StartChoice::Issuer) => issuer::ask(model),
            Some(StartChoice::Token) => paste_box(model, PasteKind::Token),
            Some(StartChoice::Explain) => paste_box(model, PasteKind::ErrorText),
            Some(StartChoice::Audit) => audit::ask(model),
            Some(StartChoice::Environment) => {
                runs::start(model, RunChoice { target: Target::Environment, only: Vec::new() })
            }
            None => Vec::new(),
        },
        Screen::Guide => guide::open(model),
        Screen::Audit if model.selected_row().is_none() => audit::ask(model),
        Screen::Findings if matches!(findings::selected(model), Some(Row::Finding(_))) => {
            set_focus(model, Focus::Detail)
        }
        _ => set_focus(model, Focus::Detail),
    }
}

fn fold(model: &mut Model) -> Vec<Effect> {
    if let Some(Row::Finding(place) | Row::Blocked(place, _)) = findings::selected(model)
        && !model.unfolded.remove(&place)
    {
        model.unfolded.insert(place);
    }
    Vec::new()
}

/// Shows the root cause's fix. Running it is left to the person.
fn show_fix(model: &mut Model) -> Vec<Effect> {
    let Some(Answer::Script(_, fix)) = model.runs.shown().map(|run| answer(&run.report)) else { return Vec::new() };
    let page = Page::Fix(Box::new(fix.clone()));
    model.layers.push(Layer::reader(page));
    Vec::new()
}

/// The way a command moves, where it does.
fn movement(id: CommandId) -> Option<Move> {
    match id {
        CommandId::Up => Some(Move::Up),
        CommandId::Down => Some(Move::Down),
        CommandId::PageUp => Some(Move::PageUp),
        CommandId::PageDown => Some(Move::PageDown),
        CommandId::Top => Some(Move::Top),
        CommandId::Bottom => Some(Move::Bottom),
        _ => None,
    }
}

/// Takes what is selected on top, and does the command that it stands for.
fn accept(model: &mut Model) -> Vec<Effect> {
    match layers::accept(model) {
        Accepted::Done(effects) => effects,
        Accepted::Command(id) => run(model, id),
    }
}
