//! One value of a profile with where it came from, and what can be wrong with it.

use std::fmt;
use std::path::PathBuf;

use super::key::{Key, Kind};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--set`.
    Flag,
    /// The environment variable of this name.
    Variable(String),
    /// A line of the profile's file.
    File {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// Nothing names it; this is what is taken then.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("--set"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value before it is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    Flag(bool),
}

impl Value {
    /// Whether it is of the type that a key takes.
    pub fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Value::Text(_), Kind::Text | Kind::Path) | (Value::List(_), Kind::List) | (Value::Flag(_), Kind::Flag)
        )
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::List(items) => f.write_str(&items.join(" ")),
            Value::Flag(set) => write!(f, "{set}"),
        }
    }
}

/// A key, its value, and where that came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: Key,
    pub value: Value,
    pub origin: Origin,
}

/// What is wrong with a profile, where, and what would be right. Never quotes what may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it is of one place.
    pub origin: Option<Origin>,
    /// The key's path, or what stands in its place.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What to write instead.
    pub instead: String,
}

impl Problem {
    /// A problem of one setting.
    pub fn of(key: Key, origin: &Origin, fault: Fault) -> Self {
        Problem { origin: Some(origin.clone()), key: key.path().to_owned(), wrong: fault.wrong, instead: fault.instead }
    }
}

impl fmt::Display for Problem {
    /// Where and what; [`Problem::instead`] is for a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.wrong)
    }
}

/// What is wrong with a value, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub wrong: String,
    pub instead: String,
}

impl Fault {
    /// A fault of two sentences.
    pub fn new(wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Fault { wrong: wrong.into(), instead: instead.into() }
    }
}

/// `text` between backticks, cut where it is too long to read.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        None => format!("`{text}`"),
        Some((at, _)) => format!("`{}…`", &text[..at]),
    }
}
