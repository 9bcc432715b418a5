//! Layers: what lies on top of a screen. The topmost has the keys.

use zeroize::Zeroizing;

use super::form::Form;
use super::list::ListState;
use crate::domain::profile::Guide;
use crate::domain::profile::setting::Value;
use crate::guide::Import;
use crate::tui::message::{Effect, RunNumber};

/// What lies on top of a screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    Picker(Picker),
    Reader(Reader),
    Form(Box<Form>),
    Paste(PasteBox),
    Confirm(Confirm),
}

/// A list to pick from.
#[derive(Clone, Debug, PartialEq)]
pub struct Picker {
    pub kind: PickerKind,
    pub list: ListState,
}

/// What is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickerKind {
    Palette,
    Help,
    Scenarios,
    Profiles,
    Guides,
    History,
    CompareWith,
    Copy,
    Export,
    Watch,
}

impl PickerKind {
    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            PickerKind::Palette => "Commands",
            PickerKind::Help => "Help: what can be done here",
            PickerKind::Scenarios => "Lab: pick what is broken",
            PickerKind::Profiles => "Profiles",
            PickerKind::Guides => "New profile: which setup?",
            PickerKind::History => "Runs of this session",
            PickerKind::CompareWith => "Compare this run with",
            PickerKind::Copy => "Copy",
            PickerKind::Export => "Export the report",
            PickerKind::Watch => "Watch: run again and again, and tell since when it works",
        }
    }
}

/// A text to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reader {
    pub page: Page,
    pub scroll: usize,
}

/// Which text.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    /// Something went wrong; it stays until it is dismissed.
    Error { title: String, message: String, hints: Vec<String> },
    /// What differs between two runs.
    Compare { before: RunNumber, after: RunNumber },
    /// What was taken from a pasted text, each with the value that it replaced, and what was left.
    Imported { import: Import, earlier: Vec<Option<Value>> },
}

/// What is being pasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasteKind {
    #[default]
    Token,
    /// Anything that fills fields of the guide.
    Values,
}

/// A text being pasted or typed, perhaps a token. It is wiped when the layer goes.
#[derive(Clone, PartialEq, Default)]
pub struct PasteBox {
    pub kind: PasteKind,
    pub text: Zeroizing<String>,
}

impl std::fmt::Debug for PasteBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasteBox({} bytes)", self.text.len())
    }
}

/// A question with what happens at yes.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    pub question: String,
    pub then: Effect,
}

impl Layer {
    /// A list to pick from, at its first row.
    pub fn picker(kind: PickerKind) -> Self {
        let mut list = ListState::default();
        if kind == PickerKind::Palette {
            list.typing = super::list::Typing::On;
        }
        Layer::Picker(Picker { kind, list })
    }

    /// A text to read.
    pub fn reader(page: Page) -> Self {
        Layer::Reader(Reader { page, scroll: 0 })
    }

    /// The form of a new profile.
    pub fn form(guide: Guide, offers: &[crate::domain::profile::setting::Setting]) -> Self {
        Layer::Form(Box::new(Form::new(guide, offers)))
    }
}
