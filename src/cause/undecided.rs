//! A refusal that several causes would explain, and what decides between them.

use serde::{Deserialize, Serialize};

use super::{Cause, Look};

/// What is refused, why it may be, and the one command that decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The check that met the refusal, or the command where no check ran.
    pub check: String,
    /// The refusal in its own words.
    pub refused: String,
    /// The likeliest first.
    pub candidates: Vec<Suspect>,
    /// What decides.
    pub decide: Look,
}

/// One cause that would explain a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    pub cause: Cause,
    /// One sentence: what would be wrong.
    pub summary: String,
}

/// So many candidates are told in a line each; the rest by their names alone.
pub const UNFOLDED: usize = 4;
