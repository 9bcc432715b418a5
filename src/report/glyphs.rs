//! The signs that pages are drawn with, as Unicode, ASCII or words. State has a sign of its own each, so colour is never needed.

use super::line::Role;
use crate::check::Outcome;

/// Which signs to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlyphSet {
    Unicode,
    Ascii,
    /// Words in the place of signs, for a voice that reads.
    Words,
}

/// The signs.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub pass: &'static str,
    pub warn: &'static str,
    pub fail: &'static str,
    pub skipped: &'static str,
    pub inconclusive: &'static str,
    pub waiting: &'static str,
    /// A check that runs, where nothing may move.
    pub running: &'static str,
    /// A check that runs, moving.
    pub spinner: &'static [&'static str],
    /// A link of the chain that holds, and the line that leaves it.
    pub link: &'static str,
    pub line: &'static str,
    pub gap: &'static str,
    pub selected: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    pub dot: &'static str,
    pub ellipsis: &'static str,
    pub arrow: &'static str,
    /// Under the first differing character.
    pub caret: &'static str,
    pub bar: &'static str,
    pub bar_light: &'static str,
    /// What lasts too short for a bar.
    pub sliver: &'static str,
    pub thumb: &'static str,
    pub track: &'static str,
    pub mask: char,
}

const UNICODE: Glyphs = Glyphs {
    pass: "✓",
    warn: "‼",
    fail: "✗",
    skipped: "–",
    inconclusive: "?",
    waiting: "○",
    running: "◌",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    link: "●",
    line: "━",
    gap: "┄",
    selected: "▌",
    folded: "▸",
    unfolded: "▾",
    dot: "·",
    ellipsis: "…",
    arrow: "→",
    caret: "^",
    bar: "█",
    bar_light: "░",
    sliver: "▏",
    thumb: "┃",
    track: "│",
    mask: '•',
};

const ASCII: Glyphs = Glyphs {
    pass: "+",
    warn: "!",
    fail: "x",
    skipped: "-",
    inconclusive: "?",
    waiting: ".",
    running: "*",
    spinner: &["|", "/", "-", "\\"],
    link: "o",
    line: "=",
    gap: "-",
    selected: ">",
    folded: ">",
    unfolded: "v",
    dot: "-",
    ellipsis: "~",
    arrow: "->",
    caret: "^",
    bar: "#",
    bar_light: ".",
    sliver: "|",
    thumb: "#",
    track: "|",
    mask: '*',
};

const WORDS: Glyphs = Glyphs {
    pass: "passed:",
    warn: "warning:",
    fail: "failed:",
    skipped: "skipped:",
    inconclusive: "unknown:",
    waiting: "open:",
    running: "running:",
    spinner: &["running:"],
    link: "",
    line: "",
    gap: "",
    selected: "",
    folded: "",
    unfolded: "",
    dot: ",",
    ellipsis: "...",
    arrow: "to",
    caret: "",
    bar: "",
    bar_light: "",
    sliver: "",
    thumb: "",
    track: "",
    mask: '*',
};

impl GlyphSet {
    /// The signs of this set.
    pub const fn glyphs(self) -> &'static Glyphs {
        match self {
            GlyphSet::Unicode => &UNICODE,
            GlyphSet::Ascii => &ASCII,
            GlyphSet::Words => &WORDS,
        }
    }
}

impl Glyphs {
    /// The sign of an outcome.
    pub const fn outcome(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Pass => self.pass,
            Outcome::Warn => self.warn,
            Outcome::Fail => self.fail,
            Outcome::Skipped => self.skipped,
            Outcome::Inconclusive => self.inconclusive,
        }
    }
}

/// A built-in theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colour at all: bold, dim and underline only (<https://no-color.org>).
    None,
}

impl ThemeName {
    /// Every theme with its name.
    pub const ALL: &[(ThemeName, &'static str)] =
        &[(ThemeName::Dark, "dark"), (ThemeName::Light, "light"), (ThemeName::None, "none")];

    /// The name as it stands in options and files.
    pub const fn id(self) -> &'static str {
        match self {
            ThemeName::Dark => "dark",
            ThemeName::Light => "light",
            ThemeName::None => "none",
        }
    }

    /// The theme after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            ThemeName::Dark => ThemeName::Light,
            ThemeName::Light => ThemeName::None,
            ThemeName::None => ThemeName::Dark,
        }
    }

    /// A role's look as the parameters of SGR, which every terminal and every back end understands.
    pub const fn sgr(self, role: Role) -> &'static [u8] {
        match (self, role) {
            (_, Role::Plain) => &[],
            (_, Role::Strong) => &[BOLD],
            (_, Role::Muted) => &[DIM],
            (ThemeName::None, Role::Good | Role::Command) => &[],
            (ThemeName::None, Role::Warning | Role::Bad | Role::Accent) => &[BOLD],
            (ThemeName::None, Role::Difference) => &[BOLD, UNDERLINED],
            (_, Role::Good) => &[GREEN],
            (ThemeName::Dark, Role::Warning) => &[YELLOW],
            (ThemeName::Dark, Role::Bad) => &[BOLD, LIGHT_RED],
            (ThemeName::Dark, Role::Accent | Role::Command) => &[CYAN],
            (ThemeName::Dark, Role::Difference) => &[BOLD, UNDERLINED, LIGHT_RED],
            (ThemeName::Light, Role::Warning) => &[MAGENTA],
            (ThemeName::Light, Role::Bad) => &[BOLD, RED],
            (ThemeName::Light, Role::Accent | Role::Command) => &[BLUE],
            (ThemeName::Light, Role::Difference) => &[BOLD, UNDERLINED, RED],
        }
    }
}

pub const BOLD: u8 = 1;
pub const DIM: u8 = 2;
pub const UNDERLINED: u8 = 4;
pub const RED: u8 = 31;
pub const GREEN: u8 = 32;
pub const YELLOW: u8 = 33;
pub const BLUE: u8 = 34;
pub const MAGENTA: u8 = 35;
pub const CYAN: u8 = 36;
pub const LIGHT_RED: u8 = 91;

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn signs_are_one_column_and_ascii_where_promised() {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            let g = set.glyphs();
            let signs =
                [g.pass, g.warn, g.fail, g.skipped, g.inconclusive, g.waiting, g.running, g.link, g.line, g.gap];
            let signs = signs.iter().chain(g.spinner).chain([&g.selected, &g.dot, &g.ellipsis, &g.caret, &g.bar]);
            for sign in signs {
                assert_eq!(sign.width(), 1, "{sign}");
                assert!(set == GlyphSet::Unicode || sign.is_ascii(), "{sign}");
            }
        }
    }

    #[test]
    fn every_outcome_has_its_own_sign() {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Skipped, Outcome::Inconclusive];
            let signs: std::collections::BTreeSet<_> = all.iter().map(|o| set.glyphs().outcome(*o)).collect();
            assert_eq!(signs.len(), all.len());
        }
    }
}
