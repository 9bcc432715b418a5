//! Why two texts that should be equal are not: what one would have to change.

use serde::{Serialize, Serializer};

use crate::domain::issuer::{GithubSubject, IssuerKind, segments};
use crate::domain::national_cloud;
use crate::domain::text_difference::{TextDifference, text_difference};

/// How a token's value differs from the credential's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The token has no such claim, or not as a text.
    Absent,
    /// One thing that people overlook; the expected text is the credential's.
    Near(TextDifference),
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
    /// Some parts of the subject differ, named as its issuer names them.
    Parts { differing: Vec<String> },
    /// Nothing above.
    Other,
}

impl Difference {
    /// How near the two are: the lower, the likelier that the credential was meant for the token.
    pub const fn distance(&self) -> u32 {
        match self {
            Difference::Near(_) | Difference::ImmutableSubject { .. } | Difference::OtherCloud { .. } => 1,
            Difference::Prefix { .. } | Difference::OneOfSeveral | Difference::Wildcard => 2,
            Difference::Parts { .. } => 3,
            Difference::Other => 5,
            Difference::Absent => 6,
        }
    }

    /// Its name in JSON.
    pub const fn id(&self) -> &'static str {
        match self {
            Difference::Absent => "absent",
            Difference::Near(difference) => difference.id(),
            Difference::ImmutableSubject { .. } => "immutable-subject",
            Difference::OtherCloud { .. } => "other-cloud",
            Difference::OneOfSeveral => "one-of-several",
            Difference::Prefix { .. } => "prefix",
            Difference::Wildcard => "wildcard",
            Difference::Parts { .. } => "parts",
            Difference::Other => "other",
        }
    }

    /// A clause about it.
    pub fn sentence(&self) -> String {
        let side = |in_credential: bool| if in_credential { "the credential" } else { "the token" };
        match self {
            Difference::Absent => "the token has no such claim".into(),
            Difference::Near(difference) => difference.to_string(),
            Difference::ImmutableSubject { in_token } => format!(
                "{} names owner and repository with their numbers (`@`), {} without",
                side(!*in_token),
                side(*in_token)
            ),
            Difference::OtherCloud { credential, token } => format!(
                "the credential has the audience of the {credential} cloud and the token that of the {token} cloud"
            ),
            Difference::OneOfSeveral => "the token has several audiences, and Entra wants one".into(),
            Difference::Prefix { prefix, in_credential } => {
                format!("{} begins with `{prefix}` and {} does not", side(*in_credential), side(!*in_credential))
            }
            Difference::Wildcard => "a `*` is literal in a plain credential".into(),
            Difference::Parts { differing } => {
                let verb = if differing.len() == 1 { "differs" } else { "differ" };
                format!("the {} {verb}", differing.join(" and "))
            }
            Difference::Other => "the two are different texts".into(),
        }
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// How `actual`, of the token, differs from `expected`, of the credential; `None` where they are equal.
pub(super) fn between(expected: &str, actual: &str) -> Option<Difference> {
    if expected == actual {
        return None;
    }
    if let (Some(e), Some(a)) = (national_cloud::of_audience(expected), national_cloud::of_audience(actual))
        && e != a
    {
        return Some(Difference::OtherCloud { credential: e.name, token: a.name });
    }
    if let Some(difference) = text_difference(expected, actual) {
        return Some(Difference::Near(difference));
    }
    if let (Some(e), Some(a)) = (GithubSubject::parse(expected), GithubSubject::parse(actual))
        && e.by_name() == a.by_name()
    {
        return Some(Difference::ImmutableSubject { in_token: a.repository_id.is_some() || a.owner_id.is_some() });
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
    Some(parts(expected, actual).unwrap_or(Difference::Other))
}

/// Names the parts of a well-known subject that differ, where some are equal or all are of one kind.
fn parts(expected: &str, actual: &str) -> Option<Difference> {
    let kind = IssuerKind::of("", Some(actual));
    if kind == IssuerKind::Generic || kind != IssuerKind::of("", Some(expected)) {
        return None;
    }
    let (e, a) = (segments(kind, expected), segments(kind, actual));
    let differing: Vec<String> = a
        .iter()
        .enumerate()
        .filter(|(at, part)| e.get(*at).is_none_or(|other| (other.name, other.value) != (part.name, part.value)))
        .map(|(at, part)| match e.get(at) {
            Some(other) if other.name != part.name => {
                format!("{} (the credential names the {} there)", part.name, other.name)
            }
            _ => part.name.to_owned(),
        })
        .collect();
    (!differing.is_empty()).then_some(Difference::Parts { differing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_least_change() {
        use Difference::*;
        for (credential, token, difference) in [
            ("a", "a", None),
            ("repo:Org/r:x", "repo:org/r:x", Some(Near(TextDifference::LetterCase))),
            ("https://i/", "https://i", Some(Near(TextDifference::TrailingSlash))),
            ("https://i", "https://i/", Some(Near(TextDifference::TrailingSlash))),
            (" https://i", "https://i", Some(Near(TextDifference::Blanks))),
            ("sub", "sub\u{200b}", Some(Near(TextDifference::Invisible))),
            ("i.example.com", "https://i.example.com", Some(Near(TextDifference::Scheme))),
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
            ("https://a", "https://b", Some(Other)),
            ("x", "y", Some(Other)),
        ] {
            assert_eq!(between(credential, token), difference, "{credential} / {token}");
        }
    }

    #[test]
    fn names_the_parts_of_known_subjects() {
        let sentence = |e: &str, a: &str| between(e, a).unwrap().sentence();
        assert_eq!(sentence("repo:o/r:ref:refs/heads/dev", "repo:o/r:ref:refs/heads/main"), "the branch differs",);
        assert_eq!(
            sentence("repo:o/r:environment:prod", "repo:o/r:ref:refs/heads/main"),
            "the branch (the credential names the environment there) differs",
        );
        assert_eq!(
            sentence(
                "organization:11111111-1111-1111-1111-111111111111",
                "organization:22222222-2222-2222-2222-222222222222"
            ),
            "the organization differs",
        );
    }
}
