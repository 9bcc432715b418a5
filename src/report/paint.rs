//! Ink for text on a terminal: colours only where wanted, glyphs that the locale can show, state never told by colour alone.

use super::wrap::fold;
use crate::cause::Certainty;
use crate::check::Outcome;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Colour,
}

/// Which glyphs to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    Unicode,
    Ascii,
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    pub ink: Ink,
    pub glyphs: Glyphs,
    /// The columns of the terminal that it goes to; `None` for a file or a pipe, where a line stays one.
    pub width: Option<usize>,
}

/// What a piece of text is, which decides its look. The terminal's own 16 colours only, so that
/// any background works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Good,
    Warning,
    Bad,
    Muted,
    Strong,
    /// A command or policy to copy.
    Command,
    /// The one character that differs.
    Difference,
}

impl Paint {
    /// Plain text with Unicode glyphs, as for a file.
    pub const PLAIN: Paint = Paint { ink: Ink::Plain, glyphs: Glyphs::Unicode, width: None };

    /// `text` in the look of `role`.
    pub fn paint(self, role: Role, text: &str) -> String {
        if self.ink == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        let code = match role {
            Role::Good => "32",
            Role::Warning => "33",
            Role::Bad => "31",
            Role::Muted => "2",
            Role::Strong => "1",
            Role::Command => "36",
            Role::Difference => "1;31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The glyph of an outcome, painted.
    pub fn outcome(self, outcome: Outcome) -> String {
        let (unicode, ascii, role) = match outcome {
            Outcome::Pass => ("✓", "+", Role::Good),
            Outcome::Warn => ("‼", "!", Role::Warning),
            Outcome::Fail => ("✗", "x", Role::Bad),
            Outcome::Skipped => ("–", "-", Role::Muted),
            Outcome::Inconclusive => ("?", "?", Role::Warning),
        };
        self.paint(role, if self.glyphs == Glyphs::Unicode { unicode } else { ascii })
    }

    /// A line as it fits the terminal, what does not fit it indented to column `hang`. Never for what is copied.
    pub fn fold(self, line: &str, hang: usize) -> String {
        self.width.map_or_else(|| line.to_owned(), |width| fold(line, width, hang))
    }

    /// What separates facts on one line.
    pub fn dot(self) -> &'static str {
        match self.glyphs {
            Glyphs::Unicode => "·",
            Glyphs::Ascii => "-",
        }
    }
}

/// A certainty in the words of a report.
pub fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    }
}

/// A time in milliseconds, as people read it: `38 ms`, `1.24 s`.
pub fn milliseconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{:02} s", ms / 1000, ms % 1000 / 10) }
}
