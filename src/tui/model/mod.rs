//! The console's state, changed only by [`crate::tui::update`], and what follows from it alone: what is selected, what a
//! filter lets through, when to wake.

pub mod form;
pub mod guide;
pub mod layer;
pub mod list;
pub mod rotation;
pub mod runs;
pub mod token;

use std::collections::BTreeSet;

use self::guide::Editing;
use super::content::Rows;
use super::inputs::{Animation, Appearance, Inputs, Target};
use super::{content, layout};
use crate::check::CheckId;
use crate::report::context::RenderContext;
use crate::report::events::EventsReport;
use crate::report::line::Wrap;
pub use guide::GuideState;
pub use layer::{Explained, Layer, Page, Picker, PickerKind};
pub use list::{Field, ListState, Typing};
pub use runs::{Run, Runs, Watch};
pub use token::TokenState;

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
}

impl Screen {
    /// The screens that have a tab, in their order.
    pub const TABS: &[Screen] =
        &[Screen::Guide, Screen::Handshake, Screen::Token, Screen::Findings, Screen::Rotation, Screen::Log];
    const ALL: &[Screen] = &[
        Screen::Start,
        Screen::Guide,
        Screen::Handshake,
        Screen::Token,
        Screen::Findings,
        Screen::Rotation,
        Screen::Log,
        Screen::Events,
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
        }
    }
}

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

/// The console's state.
#[derive(Clone, Debug)]
pub struct Model {
    pub inputs: Inputs,
    pub appearance: Appearance,
    /// Milliseconds since 1970.
    pub now_ms: i64,
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
    /// Whether selections and scroll positions are within what there is (see [`crate::tui::update::settle`]).
    pub is_settled: bool,
}

impl Model {
    /// How texts from outside are shown.
    pub fn render_context(&self) -> RenderContext {
        RenderContext::new(self.appearance.glyphs, self.appearance.privacy)
    }

    /// The console as it opens, before anything has happened.
    pub fn new(inputs: Inputs, appearance: Appearance, now_ms: i64, size: (u16, u16)) -> Self {
        Model {
            inputs,
            appearance,
            now_ms,
            size,
            screen: Screen::Start,
            screens: Default::default(),
            layers: Vec::new(),
            runs: Runs::default(),
            token: TokenState::default(),
            rotation: rotation::Rotation::default(),
            events: EventsState::default(),
            read_as_operator: None,
            guide: GuideState::default(),
            replay: None,
            toast: None,
            handshake: HandshakeView::default(),
            follow: Follow::default(),
            unfolded: BTreeSet::new(),
            wrap: Wrap::Words,
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

    /// How many rows the screen's list has, before the filter.
    pub fn row_count(&self) -> usize {
        content::rows(self).count
    }

    /// The rows of the screen's list that the filter lets through, as their places among all.
    pub fn matching(&self, rows: &Rows<'_>) -> Matching {
        let filter = self.here().list.filter.text().to_lowercase();
        if filter.is_empty() {
            return Matching::All(rows.count);
        }
        let matches = |at: &usize| (rows.line)(*at, usize::MAX).plain().to_lowercase().contains(&filter);
        Matching::Some((0..rows.count).filter(matches).collect())
    }

    /// The place, among all rows, of the selected one.
    pub fn selected_row(&self) -> Option<usize> {
        let rows = content::rows(self);
        self.matching(&rows).get(self.here().list.selected)
    }

    /// The check that is selected on the handshake.
    pub fn selected_check(&self) -> Option<CheckId> {
        if self.screen != Screen::Handshake {
            return None;
        }
        let run = self.runs.shown()?;
        run.report.checks.get(self.selected_row()?).map(|check| check.id)
    }

    /// The screen's title for the terminal.
    pub fn title(&self) -> String {
        match self.runs.shown() {
            Some(run) => format!("trustline {}", self.render_context().prose(&run.label)),
            None => "trustline".to_owned(),
        }
    }

    /// When time must enter next, in milliseconds since 1970, because something that shows would change by itself.
    pub fn next_wake(&self) -> Option<i64> {
        let toast = self.toast.as_ref().map(|toast| toast.until_ms);
        let watch =
            self.runs.watch.as_ref().and_then(|watch| watch.next_ms).map(|next| next.min(next_second(self.now_ms)));
        let spinner = (self.runs.live().is_some() && self.appearance.animation == Animation::Moving)
            .then(|| next_frame(self.now_ms));
        let countdown = content::token::remaining(self).map(|_| next_second(self.now_ms));
        let countdown = countdown.filter(|_| !layout::compute(self).is_too_small());
        [toast, watch, spinner, countdown, self.rotation_wake()].into_iter().flatten().min()
    }

    /// When what a rotation session does would look different.
    fn rotation_wake(&self) -> Option<i64> {
        let session = self.rotation.live().filter(|_| self.screen == Screen::Rotation)?;
        match session.doing {
            rotation::Doing::Waiting { next_ms, .. } => (next_ms > self.now_ms).then(|| next_second(self.now_ms)),
            rotation::Doing::Offering(_) => None,
            _ => (self.appearance.animation == Animation::Moving).then(|| next_frame(self.now_ms)),
        }
    }
}

/// How long a spinner's picture stays, in milliseconds.
pub const SPINNER_MS: i64 = 120;

fn next_frame(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(SPINNER_MS) + SPINNER_MS
}

fn next_second(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(1000) + 1000
}

/// Rows that a filter lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// All of so many.
    All(usize),
    /// These.
    Some(Vec<usize>),
}

impl Matching {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Matching::All(count) => *count,
            Matching::Some(places) => places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place, among all rows, of the one at `index`.
    pub fn get(&self, index: usize) -> Option<usize> {
        match self {
            Matching::All(count) => (index < *count).then_some(index),
            Matching::Some(places) => places.get(index).copied(),
        }
    }
}

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
