//! Two texts that differ, and would be equal but for one thing that people overlook.

use std::fmt;

use super::text::is_unsafe;

/// The one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NearMiss {
    /// Letter case.
    Case,
    /// A slash at the end, of the actual text only.
    ExtraSlash,
    /// A slash at the end, of the expected text only.
    MissingSlash,
    /// `http://`, `https://` or none in front.
    Scheme,
    /// Blanks around or inside.
    Blanks,
    /// Invisible characters.
    Invisible,
    /// A doubled slash inside.
    DoubledSlash,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NearMiss::Case => "they differ in letter case only, which counts",
            NearMiss::ExtraSlash => "they differ only in the slash at the end of the actual one, which counts",
            NearMiss::MissingSlash => "they differ only in the slash at the end of the expected one, which counts",
            NearMiss::Scheme => "they differ only in what stands before `://`",
            NearMiss::Blanks => "they differ in blanks only, which count",
            NearMiss::Invisible => "they differ in invisible characters only, which count",
            NearMiss::DoubledSlash => "they differ in a doubled slash only, which counts",
        })
    }
}

/// What alone makes `actual` differ from `expected`; `None` where they are equal, or differ in more than one thing.
pub fn near_miss(expected: &str, actual: &str) -> Option<NearMiss> {
    if expected == actual {
        return None;
    }
    if actual.strip_suffix('/') == Some(expected) {
        return Some(NearMiss::ExtraSlash);
    }
    if expected.strip_suffix('/') == Some(actual) {
        return Some(NearMiss::MissingSlash);
    }
    let same = |reduce: fn(&str) -> String| reduce(expected) == reduce(actual);
    [
        (NearMiss::Case, str::to_lowercase as fn(&str) -> String),
        (NearMiss::Blanks, |text| text.split_whitespace().collect()),
        (NearMiss::Invisible, |text| text.chars().filter(|c| !is_unsafe(*c)).collect()),
        (NearMiss::Scheme, |text| without_scheme(text).to_owned()),
        (NearMiss::DoubledSlash, |text| without_scheme(text).replace("//", "/")),
    ]
    .into_iter()
    .find_map(|(miss, reduce)| same(reduce).then_some(miss))
}

fn without_scheme(text: &str) -> &str {
    text.split_once("://").map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_overlooked() {
        for (expected, actual, miss) in [
            ("https://a.example", "https://a.example", None),
            ("https://a.example", "https://a.example/", Some(NearMiss::ExtraSlash)),
            ("https://a.example/", "https://a.example", Some(NearMiss::MissingSlash)),
            ("https://a.example", "https://A.example", Some(NearMiss::Case)),
            ("https://a.example", "http://a.example", Some(NearMiss::Scheme)),
            ("https://a.example", "a.example", Some(NearMiss::Scheme)),
            ("https://a.example", "https://a.example ", Some(NearMiss::Blanks)),
            ("https://a.example", "https://a\u{200b}.example", Some(NearMiss::Invisible)),
            ("https://a.example/x", "https://a.example//x", Some(NearMiss::DoubledSlash)),
            ("https://a.example", "https://b.example", None),
            ("https://a.example", "http://A.example/", None),
        ] {
            assert_eq!(near_miss(expected, actual), miss, "{expected} {actual}");
        }
    }
}
