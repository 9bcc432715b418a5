//! Why two texts that should be equal are not: what one would have to change.

use serde::Serialize;

use super::cloud;

/// How a token's value differs from the credential's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "kebab-case")]
pub enum Difference {
    /// The token has no such claim, or not as a text.
    Absent,
    /// Only the case of letters.
    LetterCase,
    /// One of the two ends in a slash.
    TrailingSlash { in_credential: bool },
    /// Blanks or invisible characters around the credential's text, or the token's.
    Blanks { in_credential: bool },
    /// One begins with `https://` and the other with `http://` or no scheme.
    Scheme,
    /// GitHub's subjects with and without the numbers of owner and repository.
    ImmutableSubject {
        /// Whether the token has the numbers, and the credential the names alone.
        in_token: bool,
    },
    /// The audience of another national cloud.
    OtherCloud { credential: &'static str, token: &'static str },
    /// The credential's audience is one of several in the token.
    OneOfSeveral,
    /// The bare UUID where `organization:<uuid>` is the subject, or the reverse.
    Prefix { prefix: String, in_credential: bool },
    /// The credential writes a wildcard, which stands for itself.
    Wildcard,
    /// Some segments between colons differ.
    Segments {
        /// Which, counted from 1.
        differing: Vec<usize>,
        of: usize,
    },
    /// Nothing above.
    Other,
}

impl Difference {
    /// How near the two are: the lower, the likelier that the credential was meant for the token.
    pub const fn distance(&self) -> u32 {
        match self {
            Difference::LetterCase
            | Difference::TrailingSlash { .. }
            | Difference::Blanks { .. }
            | Difference::ImmutableSubject { .. }
            | Difference::OtherCloud { .. } => 1,
            Difference::Scheme | Difference::Prefix { .. } | Difference::OneOfSeveral | Difference::Wildcard => 2,
            Difference::Segments { .. } => 3,
            Difference::Other => 5,
            Difference::Absent => 6,
        }
    }

    /// A sentence about it.
    pub fn sentence(&self) -> String {
        let side = |in_credential: bool| if in_credential { "the credential" } else { "the token" };
        match self {
            Difference::Absent => "the token has no such claim".into(),
            Difference::LetterCase => "only the case of letters differs, and Entra compares it".into(),
            Difference::TrailingSlash { in_credential } => {
                format!("{} ends in a slash and {} does not", side(*in_credential), side(!*in_credential))
            }
            Difference::Blanks { in_credential } => {
                format!("{} has blanks or invisible characters around it", side(*in_credential))
            }
            Difference::Scheme => "the scheme before `://` differs".into(),
            Difference::ImmutableSubject { in_token } => format!(
                "{} names owner and repository with their numbers (`@`), {} without",
                side(!*in_token),
                side(*in_token)
            ),
            Difference::OtherCloud { credential, token } => {
                format!(
                    "the credential has the audience of the {credential} cloud and the token that of the {token} cloud"
                )
            }
            Difference::OneOfSeveral => "the token has several audiences, and Entra wants one".into(),
            Difference::Prefix { prefix, in_credential } => {
                format!("{} begins with `{prefix}` and {} does not", side(*in_credential), side(!*in_credential))
            }
            Difference::Wildcard => "a `*` stands for itself in a plain credential".into(),
            Difference::Segments { differing, of } => match differing[..] {
                [one] => format!("of {of} parts between colons the {} differs", ordinal(one)),
                _ => format!("{} of {of} parts between colons differ", differing.len()),
            },
            Difference::Other => "the two are different texts".into(),
        }
    }
}

/// How `actual`, of the token, differs from `expected`, of the credential; `None` where they are equal.
pub(super) fn between(expected: &str, actual: &str) -> Option<Difference> {
    if expected == actual {
        return None;
    }
    if expected.to_lowercase() == actual.to_lowercase() {
        return Some(Difference::LetterCase);
    }
    if expected.strip_suffix('/') == Some(actual) {
        return Some(Difference::TrailingSlash { in_credential: true });
    }
    if actual.strip_suffix('/') == Some(expected) {
        return Some(Difference::TrailingSlash { in_credential: false });
    }
    let (e, a) = (bare(expected), bare(actual));
    if e == a {
        return Some(Difference::Blanks { in_credential: e != expected });
    }
    if let (Some(e), Some(a)) = (cloud::of_audience(expected), cloud::of_audience(actual)) {
        return Some(Difference::OtherCloud { credential: e.name, token: a.name });
    }
    let scheme =
        |text: &str| text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/').to_lowercase();
    if (expected.contains("://") || actual.contains("://")) && scheme(expected) == scheme(actual) {
        return Some(Difference::Scheme);
    }
    if github_names(expected) == github_names(actual) {
        return Some(Difference::ImmutableSubject { in_token: github_names(actual) != actual });
    }
    for (longer, shorter, in_credential) in [(expected, actual, true), (actual, expected, false)] {
        if let Some(prefix) = longer.strip_suffix(shorter)
            && prefix.ends_with(':')
        {
            return Some(Difference::Prefix { prefix: prefix.to_owned(), in_credential });
        }
    }
    if expected.contains('*') {
        return Some(Difference::Wildcard);
    }
    Some(segments(expected, actual))
}

/// Compares subjects such as `repo:o/r:ref:refs/heads/main` part by part; texts with no part in common just differ.
fn segments(expected: &str, actual: &str) -> Difference {
    if expected.contains("://") || actual.contains("://") {
        return Difference::Other;
    }
    let (e, a): (Vec<&str>, Vec<&str>) = (expected.split(':').collect(), actual.split(':').collect());
    let of = e.len().max(a.len());
    let differing: Vec<usize> = (0..of).filter(|i| e.get(*i) != a.get(*i)).map(|i| i + 1).collect();
    if of < 2 || differing.len() == of { Difference::Other } else { Difference::Segments { differing, of } }
}

/// The text without blanks and invisible characters at its ends.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || crate::domain::text::is_unsafe(c))
}

/// A GitHub subject with `@<number>` taken from owner and repository.
fn github_names(subject: &str) -> String {
    let Some(rest) = subject.strip_prefix("repo:") else { return subject.to_owned() };
    let (names, tail) = rest.split_once(':').map_or((rest, None), |(names, tail)| (names, Some(tail)));
    let names: Vec<&str> = names
        .split('/')
        .map(|part| match part.rsplit_once('@') {
            Some((name, id)) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => part,
        })
        .collect();
    let tail = tail.map(|tail| format!(":{tail}")).unwrap_or_default();
    format!("repo:{}{tail}", names.join("/"))
}

fn ordinal(n: usize) -> String {
    match n {
        1 => "first".into(),
        2 => "second".into(),
        3 => "third".into(),
        n => format!("{n}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_least_change() {
        use Difference::*;
        for (credential, token, difference) in [
            ("a", "a", None),
            ("repo:Org/r:x", "repo:org/r:x", Some(LetterCase)),
            ("https://i/", "https://i", Some(TrailingSlash { in_credential: true })),
            ("https://i", "https://i/", Some(TrailingSlash { in_credential: false })),
            (" https://i", "https://i", Some(Blanks { in_credential: true })),
            ("sub", "sub\u{200b}", Some(Blanks { in_credential: false })),
            ("i.example.com", "https://i.example.com", Some(Scheme)),
            ("http://i", "https://i", Some(Scheme)),
            ("repo:o/r:ref:x", "repo:o@1/r@22:ref:x", Some(ImmutableSubject { in_token: true })),
            ("repo:o@1/r@22:ref:x", "repo:o/r:ref:x", Some(ImmutableSubject { in_token: false })),
            (
                "api://AzureADTokenExchange",
                "api://AzureADTokenExchangeChina",
                Some(OtherCloud { credential: "public", token: "China" }),
            ),
            ("organization:1-2", "1-2", Some(Prefix { prefix: "organization:".into(), in_credential: true })),
            ("1-2", "organization:1-2", Some(Prefix { prefix: "organization:".into(), in_credential: false })),
            ("repo:o/r:*", "repo:o/r:ref:x", Some(Wildcard)),
            (
                "repo:o/r:environment:prod",
                "repo:o/r:ref:refs/heads/main",
                Some(Segments { differing: vec![3, 4], of: 4 }),
            ),
            ("organization:1", "organization:2", Some(Segments { differing: vec![2], of: 2 })),
            ("https://a", "https://b", Some(Other)),
            ("x", "y", Some(Other)),
        ] {
            assert_eq!(between(credential, token), difference, "{credential} / {token}");
        }
    }
}
