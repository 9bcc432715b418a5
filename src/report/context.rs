//! How texts from outside get onto a page: made visible, bounded, and masked where somebody looks over the shoulder.

use super::glyphs::{GlyphSet, Glyphs};
use super::line::{Role, Span};
use super::privacy::{Privacy, mask_prose, mask_value};
use crate::check::Outcome;
use crate::domain::text::{visible, visible_lines};

/// The longest text from outside that is shown as a whole, in characters; of a longer one the start is.
const LONGEST: usize = 4_000;

/// How texts from outside are shown.
#[derive(Clone, Copy, Debug)]
pub struct RenderContext {
    pub glyphs: &'static Glyphs,
    privacy: Privacy,
}

impl RenderContext {
    /// Everything as it is, for a report that is printed.
    pub const fn open(set: GlyphSet) -> Self {
        RenderContext { glyphs: set.glyphs(), privacy: Privacy::Open }
    }

    /// As a screen is shown.
    pub const fn new(set: GlyphSet, privacy: Privacy) -> Self {
        RenderContext { glyphs: set.glyphs(), privacy }
    }

    /// The sign of an outcome.
    pub fn sign(self, outcome: Outcome) -> Span {
        Span::of(outcome_role(outcome), self.glyphs.outcome(outcome))
    }

    /// What stands before one of several things.
    pub fn dot(self) -> Span {
        Span::of(Role::Muted, self.glyphs.dot)
    }

    /// A sentence or name that may quote what came from outside, on one line.
    pub fn prose(self, text: &str) -> String {
        let text = visible(shorten(text)).into_owned();
        match self.privacy {
            Privacy::Open => text,
            Privacy::Masked => mask_prose(&text, self.glyphs.mask),
        }
    }

    /// A value from outside, on one line.
    pub fn value(self, text: &str) -> String {
        let mut shown = visible(shorten(text)).into_owned();
        if shorten(text).len() < text.len() {
            shown.push_str(&format!("{} ({} bytes)", self.glyphs.ellipsis, text.len()));
        }
        match self.privacy {
            Privacy::Open => shown,
            Privacy::Masked => mask_value(&shown, self.glyphs.mask),
        }
    }

    /// A text of several lines.
    pub fn lines(self, text: &str) -> Vec<String> {
        self.code(shorten(text))
    }

    /// What is copied: half of it would be worse than none.
    pub fn code(self, text: &str) -> Vec<String> {
        let masked = |line: &str| match self.privacy {
            Privacy::Open => line.to_owned(),
            Privacy::Masked => mask_prose(line, self.glyphs.mask),
        };
        visible_lines(text).split('\n').map(masked).collect()
    }
}

fn shorten(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// The role of an outcome.
pub const fn outcome_role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Pass => Role::Good,
        Outcome::Warn | Outcome::Inconclusive => Role::Warning,
        Outcome::Fail => Role::Bad,
        Outcome::Skipped => Role::Muted,
    }
}

/// An outcome in a word or three.
pub const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "passed",
        Outcome::Warn => "passed with a warning",
        Outcome::Fail => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Inconclusive => "could not be checked",
    }
}
