//! The signs that pages are drawn with, as Unicode or ASCII. State has a sign of its own each, so colour is never needed.

use crate::check::Outcome;

/// Which signs to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlyphSet {
    Unicode,
    Ascii,
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

impl GlyphSet {
    /// The signs of this set.
    pub const fn glyphs(self) -> &'static Glyphs {
        match self {
            GlyphSet::Unicode => &UNICODE,
            GlyphSet::Ascii => &ASCII,
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
