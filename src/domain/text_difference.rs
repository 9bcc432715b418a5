//! Two texts that would be equal but for one thing that people overlook.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::text::{as_ascii, is_unsafe};

/// The one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextDifference {
    /// Letter case.
    LetterCase,
    /// Invisible characters.
    Invisible,
    /// Blanks or line breaks, around or inside.
    Blanks,
    /// A slash at the end.
    TrailingSlash,
    /// `http://`, `https://` or none.
    Scheme,
    /// A doubled slash inside.
    DoubledSlash,
    /// One of the two is percent-encoded (RFC 3986).
    PercentEncoding,
    /// Characters that look alike.
    Homoglyph,
}

impl TextDifference {
    /// In the order in which they are tried.
    const ALL: [TextDifference; 8] = [
        TextDifference::LetterCase,
        TextDifference::Invisible,
        TextDifference::Blanks,
        TextDifference::TrailingSlash,
        TextDifference::Scheme,
        TextDifference::DoubledSlash,
        TextDifference::PercentEncoding,
        TextDifference::Homoglyph,
    ];

    /// Its name in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            TextDifference::LetterCase => "letter-case",
            TextDifference::Invisible => "invisible",
            TextDifference::Blanks => "blanks",
            TextDifference::TrailingSlash => "trailing-slash",
            TextDifference::Scheme => "scheme",
            TextDifference::DoubledSlash => "doubled-slash",
            TextDifference::PercentEncoding => "percent-encoding",
            TextDifference::Homoglyph => "homoglyph",
        }
    }

    /// `text` without what may differ.
    pub fn removed_from(self, text: &str) -> Cow<'_, str> {
        match self {
            TextDifference::LetterCase => Cow::Owned(text.to_lowercase()),
            TextDifference::Invisible => without(text, is_unsafe),
            TextDifference::Blanks => without(text, char::is_whitespace),
            TextDifference::TrailingSlash => Cow::Borrowed(text.trim_end_matches('/')),
            TextDifference::Scheme => without_scheme(text),
            TextDifference::DoubledSlash => Cow::Owned(singled(text)),
            TextDifference::PercentEncoding => percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text)),
            TextDifference::Homoglyph => as_ascii(text).map_or(Cow::Borrowed(text), Cow::Owned),
        }
    }
}

impl fmt::Display for TextDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TextDifference::LetterCase => "only letter case differs, and case counts",
            TextDifference::Invisible => "only a character that cannot be seen differs",
            TextDifference::Blanks => "only blanks or line breaks differ, and they count",
            TextDifference::TrailingSlash => "only a slash at the end differs, and it counts",
            TextDifference::Scheme => "only `https://` differs",
            TextDifference::DoubledSlash => "only a doubled slash differs, and it counts",
            TextDifference::PercentEncoding => "only percent-encoding differs",
            TextDifference::Homoglyph => "only a character that looks like another differs",
        })
    }
}

/// What alone makes `actual` differ from `expected`; `None` where they are equal, or differ in more than one thing.
pub fn text_difference(expected: &str, actual: &str) -> Option<TextDifference> {
    if expected == actual {
        return None;
    }
    text_difference_under(expected, actual, |expected, actual| expected == actual)
}

/// The one thing without which `fits`, which refuses the two texts as they are, accepts them.
pub fn text_difference_under(
    expected: &str,
    actual: &str,
    fits: impl Fn(&str, &str) -> bool,
) -> Option<TextDifference> {
    TextDifference::ALL.into_iter().find(|difference| {
        let (e, a) = (difference.removed_from(expected), difference.removed_from(actual));
        (e != expected || a != actual) && fits(&e, &a)
    })
}

/// `text` without its scheme, wherever in it the scheme stands: an ARN may hold an address.
pub fn without_scheme(text: &str) -> Cow<'_, str> {
    for scheme in ["https://", "http://"] {
        if let Some((head, rest)) = text.split_once(scheme) {
            return Cow::Owned(format!("{head}{rest}"));
        }
    }
    Cow::Borrowed(text)
}

fn without(text: &str, dropped: fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().any(dropped) {
        Cow::Owned(text.chars().filter(|c| !dropped(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `text` with single slashes, except behind its scheme.
fn singled(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{}", rest.replace("//", "/"))
}

/// Where `expected` and `actual` first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many characters they share at the start.
    pub at: usize,
    /// The expected character there, `None` where `expected` ended.
    pub expected: Option<char>,
    /// The actual character there, `None` where `actual` ended.
    pub actual: Option<char>,
}

/// The first difference between two texts, or `None` where they are equal.
pub fn first_difference(expected: &str, actual: &str) -> Option<Difference> {
    let (mut e, mut a) = (expected.chars(), actual.chars());
    let mut at = 0;
    loop {
        match (e.next(), a.next()) {
            (None, None) => return None,
            (x, y) if x == y => at += 1,
            (expected, actual) => return Some(Difference { at, expected, actual }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_overlooked() {
        use TextDifference::*;
        for (expected, actual, difference) in [
            ("https://a.example", "https://a.example", None),
            ("https://a.example", "https://a.example/", Some(TrailingSlash)),
            ("https://a.example/", "https://a.example", Some(TrailingSlash)),
            ("https://a.example", "https://A.example", Some(LetterCase)),
            ("https://a.example", "http://a.example", Some(Scheme)),
            ("https://a.example", "a.example", Some(Scheme)),
            ("https://a.example", "https://a.example ", Some(Blanks)),
            ("https://a.example", "https://a\u{200b}.example", Some(Invisible)),
            ("https://a.example/x", "https://a.example//x", Some(DoubledSlash)),
            ("repo:o/r:environment:a:b", "repo:o/r:environment:a%3Ab", Some(PercentEncoding)),
            ("organization:1", "оrganization:1", Some(Homoglyph)),
            ("https://a.example", "https://b.example", None),
            ("https://a.example", "http://A.example/", None),
        ] {
            assert_eq!(text_difference(expected, actual), difference, "{expected} {actual}");
        }
    }
}

/// Names longer than this are not compared: nothing known is that long.
const LONGEST: usize = 64;

/// The candidate closest to `name`, where one is close enough to be what was meant:
/// at most a third of its characters changed, inserted, left out or swapped with a neighbour.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded: Vec<char> = name.trim().to_lowercase().replace('_', "-").chars().take(LONGEST + 1).collect();
    if folded.is_empty() || folded.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be changed, inserted, removed or swapped with their neighbour to turn `a` into `b`
/// (the restricted Damerau-Levenshtein distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            let mut best = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod diff_tests {
    use super::*;

    #[test]
    fn finds_the_first_difference() {
        assert_eq!(first_difference("abc", "abc"), None);
        assert_eq!(first_difference("abc", "abd"), Some(Difference { at: 2, expected: Some('c'), actual: Some('d') }));
        assert_eq!(first_difference("ab", "abd"), Some(Difference { at: 2, expected: None, actual: Some('d') }));
        assert_eq!(first_difference("é1", "é"), Some(Difference { at: 1, expected: Some('1'), actual: None }));
    }
}

#[cfg(test)]
mod nearest_tests {
    use super::*;

    #[test]
    fn names_what_was_meant() {
        let names = ["aws.role-arn", "aws.region", "issuer.url"];
        for (typed, meant) in [
            ("aws.role_arn", Some("aws.role-arn")),
            ("aws.regoin", Some("aws.region")),
            ("AWS.Region", Some("aws.region")),
            ("isuer.url", Some("issuer.url")),
            ("something else", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), names), None);
    }

    #[test]
    fn counts_edits() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, edits) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("", "ab", 2), ("abc", "xyz", 3)]
        {
            assert_eq!(count(a, b), edits, "{a} {b}");
            assert_eq!(count(b, a), edits, "{b} {a}");
        }
    }
}
