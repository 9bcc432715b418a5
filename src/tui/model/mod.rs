//! The console's state, changed only by [`crate::tui::update`], and what follows from it alone: what is selected, what a
//! filter lets through, when to wake.

pub mod form;
pub mod guide;
pub mod layer;
pub mod list;
pub mod rotation;
pub mod runs;
pub mod selection;
pub mod token;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use self::guide::Editing;
use super::command::Screen;
use super::inputs::{Appearance, Inputs, Target};
use crate::report::audit::AuditReport;
use crate::report::context::RenderContext;
use crate::report::events::EventsReport;
use crate::report::line::Wrap;
pub use guide::GuideState;
pub use layer::{Explained, Layer, Page, Picker, PickerKind};
pub use list::{Field, ListState, Typing};
pub use runs::{Run, Runs, Watch};
pub use selection::Selection;
pub use token::TokenState;

/// Which pane of a screen has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    List,
    Detail,
    /// What stands beside the details, where there is room for it.
    Aside,
}

/// Where a person is on one screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScreenState {
    pub list: ListState,
    pub focus: Focus,
    /// Lines of the details above the first one shown.
    pub scroll: usize,
    /// Lines beside the details above the first one shown.
    pub aside_scroll: usize,
}

impl ScreenState {
    /// Shows what is said of the selected row from its beginning on.
    pub fn to_top(&mut self) {
        (self.scroll, self.aside_scroll) = (0, 0);
    }

    /// Selects the row at a place among those that the filter lets through.
    pub fn select(&mut self, at: usize) {
        self.list.selected = at;
        self.to_top();
    }

    /// A list that nobody has moved in yet.
    pub fn reset(&mut self) {
        self.list = ListState::default();
        self.to_top();
    }
}

/// What the handshake's panes show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandshakeView {
    /// The checks and what the selected one saw.
    #[default]
    Checks,
    /// All checks on one time axis.
    Waterfall,
}

/// Who moves the selection while a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// It follows the run.
    #[default]
    Run,
    /// A person has moved it.
    Person,
}

/// A line that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    pub tone: Tone,
    /// In milliseconds since 1970.
    pub until_ms: i64,
}

/// Whether a toast tells of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
}

/// What is known of the recording that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayState {
    pub name: String,
    pub truncated: bool,
}

/// What is known of the cloud's own log.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EventsState {
    #[default]
    Unread,
    Reading,
    Read(Box<EventsReport>),
    Failed(String),
}

/// What is known of the fleet that was audited.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AuditState {
    #[default]
    Unread,
    Reading(PathBuf),
    Read(Box<AuditReport>),
    Failed(String),
}

/// The time, which only messages change.
#[derive(Clone, Debug)]
pub struct Clock {
    now_ms: i64,
    was_read: Cell<bool>,
}

impl Clock {
    /// A clock that stands at so many milliseconds since 1970.
    pub const fn at(now_ms: i64) -> Self {
        Clock { now_ms, was_read: Cell::new(false) }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.was_read.set(true);
        self.now_ms
    }

    /// Does some work, and says whether it looked at the time.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> (T, bool) {
        let before = self.was_read.replace(false);
        let done = work();
        let was_read = self.was_read.get();
        self.was_read.set(before || was_read);
        (done, was_read)
    }
}

/// The console's state.
#[derive(Clone, Debug)]
pub struct Model {
    pub inputs: Inputs,
    pub appearance: Appearance,
    pub clock: Clock,
    /// Columns and rows.
    pub size: (u16, u16),
    pub screen: Screen,
    /// One for each screen.
    pub screens: [ScreenState; Screen::ALL.len()],
    /// The topmost last.
    pub layers: Vec<Layer>,
    pub runs: Runs,
    pub token: TokenState,
    pub rotation: rotation::Rotation,
    pub events: EventsState,
    pub audit: AuditState,
    /// Whose cloud's own side is read, as a person agreed.
    pub read_as_operator: Option<Target>,
    pub guide: GuideState,
    pub replay: Option<ReplayState>,
    pub toast: Option<Toast>,
    pub handshake: HandshakeView,
    pub follow: Follow,
    /// Findings whose blocked checks are shown, by their place in the report.
    pub unfolded: BTreeSet<usize>,
    pub wrap: Wrap,
    /// What is selected with the mouse, from the press on.
    pub selection: Option<Selection>,
    /// Whether selections and scroll positions are within what there is, and what was laid out to know that still holds
    /// (see [`crate::tui::update::settle`]).
    pub is_settled: bool,
}

impl Model {
    /// The rows between the top lines and the hints.
    pub const fn body_rows(&self) -> u16 {
        self.size.1.saturating_sub(4)
    }

    /// Whether the guide and the token have two columns of panes.
    pub const fn has_two_columns(&self) -> bool {
        self.size.0 >= 138
    }

    /// How texts from outside are shown.
    pub fn render_context(&self) -> RenderContext {
        RenderContext::new(self.appearance.glyphs, self.appearance.privacy)
    }

    /// The console as it opens, before anything has happened.
    pub fn new(inputs: Inputs, appearance: Appearance, now_ms: i64, size: (u16, u16)) -> Self {
        Model {
            inputs,
            appearance,
            clock: Clock::at(now_ms),
            size,
            screen: Screen::Start,
            screens: Default::default(),
            layers: Vec::new(),
            runs: Runs::default(),
            token: TokenState::default(),
            rotation: rotation::Rotation::default(),
            events: EventsState::default(),
            audit: AuditState::default(),
            read_as_operator: None,
            guide: GuideState::default(),
            replay: None,
            toast: None,
            handshake: HandshakeView::default(),
            follow: Follow::default(),
            unfolded: BTreeSet::new(),
            wrap: Wrap::Words,
            selection: None,
            is_settled: false,
        }
    }

    /// Where the person is on the screen that is shown.
    pub fn here(&self) -> &ScreenState {
        &self.screens[self.screen as usize]
    }

    /// Where the person is on the screen that is shown.
    pub fn here_mut(&mut self) -> &mut ScreenState {
        &mut self.screens[self.screen as usize]
    }

    /// The list that has the keys or would get them: the topmost layer's, else the screen's.
    pub fn list(&self) -> &ListState {
        match self.layers.last() {
            Some(Layer::Picker(picker)) => &picker.list,
            _ => &self.here().list,
        }
    }

    /// The list that has the keys or would get them.
    pub fn list_mut(&mut self) -> &mut ListState {
        let screen = self.screen as usize;
        match self.layers.last_mut() {
            Some(Layer::Picker(picker)) => &mut picker.list,
            _ => &mut self.screens[screen].list,
        }
    }

    /// The field of the guide that has the keys.
    pub fn editing(&self) -> Option<&Editing> {
        let open = self.screen == Screen::Guide && self.layers.is_empty() && !self.is_typing();
        self.guide.editing.as_ref().filter(|_| open)
    }

    /// Whether keys type into a filter.
    pub fn is_typing(&self) -> bool {
        matches!(self.layers.last(), None | Some(Layer::Picker(_))) && self.list().typing == Typing::On
    }

    /// The screen's title for the terminal.
    pub fn title(&self) -> String {
        match self.runs.shown() {
            Some(run) => format!("trustline {}", self.render_context().prose(&run.label)),
            None => "trustline".to_owned(),
        }
    }
}

/// How long a spinner's picture stays, in milliseconds.
pub const SPINNER_MS: i64 = 120;

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    Running,
    /// It was told to stop and has not yet.
    Cancelling,
    Ended,
    /// It never started, and why.
    Refused {
        message: String,
        hints: Vec<String>,
    },
}
