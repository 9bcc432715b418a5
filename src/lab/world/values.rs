//! The values of a world's file: how they are read, and which of them no world can be made of.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::lab::keys;

/// Why a text describes no world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// Not TOML or JSON, or a key or value that the format does not have; says where.
    #[error("{0}")]
    Syntax(String),
    /// A value that cannot be used.
    #[error("{at}: {problem}")]
    Value {
        /// The key, as a dotted path.
        at: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// No scenario of this name.
    #[error("no scenario is called `{name}`{}", nearest_names(nearest))]
    UnknownScenario {
        /// What was asked for.
        name: String,
        /// The names closest to it.
        nearest: Vec<String>,
    },
}

impl WorldError {
    /// The same of a second AWS account, which is described as the first one is.
    pub(super) fn within(self, table: &str) -> Self {
        match self {
            WorldError::Value { at, problem } => {
                WorldError::Value { at: format!("{table}{}", at.strip_prefix("aws").unwrap_or(&at)), problem }
            }
            other => other,
        }
    }
}

fn nearest_names(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; the nearest are {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// A key in the issuer's key set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PublishedKey {
    /// Which of the lab's keys.
    pub key: String,
    /// Members added to the JSON Web Key, or put in place of its own.
    pub set: Map<String, Value>,
    /// Members left out of it.
    pub without: Vec<String>,
    /// How many more times it is published, each under a `kid` of its own.
    pub copies: u32,
    /// Publishes a changed modulus, or point, under this key's name.
    pub corrupt: bool,
}

const DECADE_S: i64 = 10 * 366 * 86_400;
const MAX_DELAY_MS: u64 = 600_000;

/// What is wrong with the value at `at`.
pub(super) fn wrong(at: impl Into<String>, problem: impl Into<String>) -> WorldError {
    WorldError::Value { at: at.into(), problem: problem.into() }
}

/// One of the lab's signing keys.
pub(super) fn check_key(at: &str, name: &str) -> Result<(), WorldError> {
    match keys::NAMES.contains(&name) {
        true => Ok(()),
        false => Err(wrong(at, format!("is not one of the lab's keys; write one of {}", keys::NAMES.join(", ")))),
    }
}

/// An HTTP status.
pub(super) fn check_status(at: &str, status: u16) -> Result<(), WorldError> {
    match status {
        200..600 => Ok(()),
        _ => Err(wrong(at, "is no HTTP status; write a number from 200 to 599")),
    }
}

/// A time that is near enough to be added to any other.
pub(super) fn check_seconds(at: &str, seconds: i64) -> Result<(), WorldError> {
    match seconds {
        _ if (-DECADE_S..=DECADE_S).contains(&seconds) => Ok(()),
        _ => Err(wrong(at, "is more than ten years; write fewer seconds")),
    }
}

/// How long an answer is held back.
pub(super) fn check_delay(at: &str, milliseconds: u64) -> Result<(), WorldError> {
    match milliseconds {
        0..=MAX_DELAY_MS => Ok(()),
        _ => Err(wrong(at, "is more than ten minutes; write 600000 or less")),
    }
}

pub(super) fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

pub(super) fn optional_secret_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}
