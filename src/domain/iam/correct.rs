//! Corrections: a trust policy with its wrong part changed and everything else kept, offered only where it is proven.
//!
//! What is proven is that whoever is meant gets in, that nobody gets in who was kept out before, and that nobody who
//! got in before is kept out, but for the values that were replaced.

mod assume;
mod document;
mod edit;
mod proof;
mod tighten;
mod trust;

use serde_json::Value;

use super::context::TrustRequest;
use super::policy::PolicyError;

pub use assume::{WantedCaller, correct_assume};
pub use edit::{TrustChange, TrustEdit, edit_trust};
pub use tighten::tighten_trust;
pub use trust::correct_trust;

/// A policy document before and after, as JSON with its own order of members.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    pub before: Value,
    pub after: Value,
    /// What to change, each as one says it: `in Statement[0] require KEY = VALUE`.
    pub changes: Vec<String>,
    /// Values of conditions that are there no more: whoever had one of them loses the role.
    pub replaced: Vec<String>,
    /// Subjects that the policy names in full beside the one that is meant, and that could not get in before either.
    pub also_admits: Vec<String>,
}

/// The subjects that a policy is meant to accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This one, character by character.
    Exact(String),
    /// Those that fit, with `*` and `?` as wildcards: the jobs of a project, say.
    Pattern(String),
}

impl Subject {
    pub fn text(&self) -> &str {
        match self {
            Subject::Exact(text) | Subject::Pattern(text) => text,
        }
    }

    /// The operator that compares with it.
    const fn operator(&self) -> &'static str {
        match self {
            Subject::Exact(_) => "StringEquals",
            Subject::Pattern(_) => "StringLike",
        }
    }

    /// The operator that holds for everybody else.
    const fn negated_operator(&self) -> &'static str {
        match self {
            Subject::Exact(_) => "StringNotEquals",
            Subject::Pattern(_) => "StringNotLike",
        }
    }
}

/// Who is to get in.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// A token of theirs, its provider and the role.
    pub request: TrustRequest<'a>,
    /// Their subjects, of which the token has one.
    pub subject: Subject,
    pub known_from: SubjectKnownFrom,
}

/// What says who is to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKnownFrom {
    /// The profile names the issuer and the subject: another value that stands alone in the policy is wrong.
    Profile,
    /// Nothing but the token at hand: what the policy has stays beside it, and no issuer is added.
    Token,
}

/// Why there is no correction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCorrection {
    #[error("the policy cannot be read: {0}")]
    Unreadable(String),
    /// Readers of JSON keep one of the two, and IAM takes no such document.
    #[error("the document has `{0}` twice in one object; a role's policy cannot")]
    Repeated(String),
    #[error("the policy lets them in as it is")]
    Allowed,
    /// Two statements that say different things about one caller, or a refusal that no policy changes.
    #[error("{0}")]
    Undecidable(String),
    /// A change was found, and it would let in more than it should, or fewer than before.
    #[error("no change of the policy lets only the subject in that is meant")]
    Unproven,
}

impl From<PolicyError> for NoCorrection {
    fn from(error: PolicyError) -> Self {
        NoCorrection::Unreadable(error.to_string())
    }
}

/// No policy within IAM's quotas needs more changes than this.
const MOST_STEPS: usize = 24;

#[cfg(test)]
mod tests;
