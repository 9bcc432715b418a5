//! How texts from outside get onto a page: made visible, bounded, and masked where somebody looks over the shoulder.

use super::glyphs::{GlyphSet, Glyphs};
use super::line::{Role, Span};
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
    if text.len() <= LONGEST {
        return text;
    }
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

/// Whether account ids, subjects and hosts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    Open,
    Masked,
}

/// `text` with its letters and digits masked wherever a word names a person's things: it holds `:`, `/`, `.` or `@`
/// between letters or digits (addresses, hosts, ARNs, subjects, files), is a UUID, or has eight digits or more.
pub fn mask_prose(text: &str, mask: char) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| if tells(word.trim()) { mask_value(word, mask) } else { word.to_owned() })
        .collect()
}

/// `text` with every letter and digit masked.
pub fn mask_value(text: &str, mask: char) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { mask } else { c }).collect()
}

fn tells(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    if is_date_or_time(word) || is_decimal(word) {
        return false;
    }
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let joined = word.char_indices().any(|(at, c)| {
        matches!(c, ':' | '/' | '.' | '@')
            && word[at + 1..].starts_with(|next: char| next.is_alphanumeric() || next == '/')
    });
    joined || digits >= 8 || (word.len() >= 32 && word.matches('-').count() >= 4)
}

/// Whether a word is a date, a time of day, or both, as RFC 3339 writes them.
fn is_date_or_time(word: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let is_date = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
    };
    let is_time = |text: &str| {
        let text = text.trim_end_matches('Z');
        let whole = text.split_once('.').filter(|(_, part)| digits(part, part.len())).map_or(text, |(whole, _)| whole);
        let parts: Vec<&str> = whole.split(':').collect();
        (2..=3).contains(&parts.len()) && parts.iter().all(|part| digits(part, 2))
    };
    match word.split_once('T') {
        Some((date, time)) => is_date(date) && is_time(time),
        None => is_date(word) || is_time(word),
    }
}

/// Whether a word is a number with a few decimals, such as 0.031.
fn is_decimal(word: &str) -> bool {
    let is_short = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    word.split_once('.').is_some_and(|(whole, part)| is_short(whole) && is_short(part))
}

#[cfg(test)]
mod privacy_tests {
    use super::*;

    #[test]
    fn masks_what_tells_and_leaves_the_sentence() {
        for (text, masked) in [
            ("role of account 123456789012 is wrong.", "role of account •••••••••••• is wrong."),
            ("https://app.example.com: refused", "•••••://•••.•••••••.•••: refused"),
            ("`organization:7f3e` differs", "`••••••••••••:••••` differs"),
            ("the trust policy does not accept it", "the trust policy does not accept it"),
            ("tenant abcdefab-cdef-abcd-efab-cdefabcdefab", "tenant ••••••••-••••-••••-••••-••••••••••••"),
            ("took 91 ms. Then", "took 91 ms. Then"),
            ("since 2026-11-30 05:53:33, for 0.031 s", "since 2026-11-30 05:53:33, for 0.031 s"),
            ("at 2026-11-30T05:53:33.25Z.", "at 2026-11-30T05:53:33.25Z."),
            ("from 10.0.0.1:80 or 1234-56-789012", "from ••.•.•.•:•• or ••••-••-••••••"),
        ] {
            assert_eq!(mask_prose(text, '•'), masked);
        }
    }
}
