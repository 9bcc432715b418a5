//! Layers: what lies on top of a screen. The topmost has the keys.

use zeroize::Zeroizing;

use super::form::Form;
use super::list::{Field, ListState};
use crate::cause::Fix;
use crate::cause::Undecided;
use crate::cause::explain::Explanation;
use crate::domain::client::Client;
use crate::domain::profile::Guide;
use crate::domain::profile::setting::{Setting, Value};
use crate::guide::Import;
use crate::report::issuer::IssuerReport;
use crate::run::rotation::session::RuntimeFrom;
use crate::tui::inputs::{OperatorSeen, Patience, RotationWay};
use crate::tui::message::{Effect, RunNumber};
use crate::tui::typed_value::TypedValue;

/// What lies on top of a screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    Picker(Picker),
    Reader(Reader),
    Form(Box<Form>),
    Paste(PasteBox),
    Value(ValueBox),
    Program(ProgramBox),
    Agreement(Box<Agreement>),
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
    AuditPath,
    Export,
    Watch,
    RotationWay,
    RotationRuntime(RotationWay),
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
            PickerKind::AuditPath => "Audit: which file or folder?",
            PickerKind::Export => "Export the report",
            PickerKind::Watch => "Watch: run again and again, and tell since when it works",
            PickerKind::RotationWay => "Rotate: who writes the new value?",
            PickerKind::RotationRuntime(_) => "Rotate: how is the running automation seen?",
        }
    }
}

/// A text to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reader {
    pub page: Page,
    pub scroll: usize,
}

/// What an error text comes to, and what would decide between its causes.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    pub explanation: Explanation,
    pub undecided: Option<Undecided>,
}

/// Which text.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    /// Something went wrong; it stays until it is dismissed.
    Error { title: String, message: String, hints: Vec<String> },
    /// A fix: what it changes, its script, and the way back.
    Fix(Box<Fix>),
    /// What differs between two runs.
    Compare { before: RunNumber, after: RunNumber },
    /// What an error text comes to.
    Explained(Box<Explained>),
    /// What these clients do with a web identity.
    Clients(Vec<&'static Client>),
    /// This issuer is being looked at.
    AskingIssuer(String),
    /// What was seen of an issuer, and what each cloud says of it.
    Issuer(Box<IssuerReport>),
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
    /// What the running automation printed.
    Output,
    /// An error text to explain.
    ErrorText,
    /// An issuer's address, which is shown.
    Issuer,
}

impl PasteKind {
    /// Its heading, and what is wanted.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            PasteKind::Token => {
                ("Paste a token", "Paste a token, or type it. It is not shown and never leaves this machine.")
            }
            PasteKind::Values => (
                "Paste values",
                "Paste a role's ARN, a trust policy, an answer of aws or az, or a token; enter fills the fields.",
            ),
            PasteKind::Output => (
                "Paste what the automation printed",
                "Its fingerprint line, or a part of its log. Only fingerprints and worker lines are kept.",
            ),
            PasteKind::ErrorText => (
                "Explain an error text",
                "Paste the error, or the part of the log around it; enter shows what causes it. Nothing is sent.",
            ),
            PasteKind::Issuer => (
                "Look at an issuer",
                "Its URL, as tokens carry it in `iss`; enter fetches what it publishes, ctrl-u begins anew.",
            ),
        }
    }
}

/// A text being pasted or typed, perhaps a token. It is wiped when the layer goes.
#[derive(Clone, PartialEq, Default)]
pub struct PasteBox {
    pub kind: PasteKind,
    pub text: Zeroizing<String>,
}

/// The new value of a secret being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueBox {
    /// What was chosen before.
    pub runtime: (RuntimeFrom, Patience),
    pub value: TypedValue,
    /// What there is to say about it, in a sentence that tells nothing of it.
    pub note: Option<&'static str>,
}

/// The program that rotates being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramBox {
    /// What was chosen before.
    pub runtime: (RuntimeFrom, Patience),
    pub typed: Field,
    /// The program and its arguments as they would run, once they were shown; none while they are typed.
    pub shown: Option<Vec<String>>,
    /// What is wrong with it.
    pub note: Option<&'static str>,
}

/// The agreement to write a secret: its name, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// What was chosen before, and the value where one was typed.
    pub way: RotationWay,
    pub runtime: (RuntimeFrom, Patience),
    pub value: Option<TypedValue>,
    /// What is written.
    pub secret: String,
    pub operator: Operator,
    pub typed: Field,
    /// What was typed is not what was asked for.
    pub is_wrong: bool,
}

/// As whom a secret is going to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The cloud is being asked.
    Asking,
    Known(OperatorSeen),
    /// There is none, or its credentials are not accepted.
    Unknown(String),
}

impl Agreement {
    /// What has to be typed; none until it is known whose secret it is.
    pub fn wanted(&self) -> Option<String> {
        match &self.operator {
            Operator::Known(seen) => Some(format!("{} {}", self.secret, seen.place)),
            Operator::Asking | Operator::Unknown(_) => None,
        }
    }
}

impl std::fmt::Debug for PasteBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasteBox({:?}, {} bytes)", self.kind, self.text.len())
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
        if matches!(kind, PickerKind::Palette | PickerKind::AuditPath) {
            list.typing = super::list::Typing::On;
        }
        Layer::Picker(Picker { kind, list })
    }

    /// A text to read.
    pub fn reader(page: Page) -> Self {
        Layer::Reader(Reader { page, scroll: 0 })
    }

    /// The form of a new profile.
    pub fn form(guide: Guide, offers: &[Setting], taken: &[&str]) -> Self {
        Layer::Form(Box::new(Form::new(guide, offers, taken)))
    }
}
