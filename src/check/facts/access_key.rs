//! The access key of the static guides, as far as it may be told: where it came from and of which kind it is.

use serde::Serialize;

/// What was found where the access key should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum AccessKeyFact {
    Found(FoundKey),
    /// None of these places holds one.
    Absent {
        places: Vec<String>,
    },
    /// The place gets its credentials in another way, and holds no key.
    Elsewhere {
        source: String,
        /// Such as `single sign-on (sso_session)`.
        way: String,
    },
    /// There is something, and it cannot be used.
    Unusable {
        source: String,
        why: String,
    },
}

/// A pair of access key id and secret access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundKey {
    pub source: String,
    /// The id's beginning and end.
    pub id: String,
    pub kind: KeyKind,
    pub has_session_token: bool,
    /// Blanks stood around one of the parts; they were left away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub had_blanks: bool,
    /// How long the secret half is, where it is not as long as AWS makes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odd_length: Option<usize>,
}

/// What an access key id's beginning says
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// `AKIA`: a user's key, which lasts until it is deleted.
    LongTerm,
    /// `ASIA`: a session's key, which goes with a session token.
    Temporary,
    /// `AIDA`, `AROA` and the like: the unique id of something that is no key.
    NoKey,
    /// Anything else, as local stacks take it.
    Unknown,
}

impl KeyKind {
    /// The kind of an id.
    pub fn of(id: &str) -> KeyKind {
        match id.get(..4) {
            Some("AKIA") => KeyKind::LongTerm,
            Some("ASIA") => KeyKind::Temporary,
            Some("AIDA" | "AROA" | "AGPA" | "AIPA" | "ANPA" | "ANVA" | "ASCA" | "APKA" | "ABIA" | "ACCA") => {
                KeyKind::NoKey
            }
            _ => KeyKind::Unknown,
        }
    }
}

impl FoundKey {
    /// Whether it can be signed with at all: a session's key without its token cannot.
    pub fn is_complete(&self) -> bool {
        match self.kind {
            KeyKind::LongTerm | KeyKind::Unknown => true,
            KeyKind::Temporary => self.has_session_token,
            KeyKind::NoKey => false,
        }
    }
}

/// An id as it may be shown: its first four characters and its last four.
pub fn shown_id(id: &str) -> String {
    let count = id.chars().count();
    if count < 12 {
        return "…".to_owned();
    }
    let (start, end): (String, String) = (id.chars().take(4).collect(), id.chars().skip(count - 4).collect());
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_kind() {
        for (id, kind) in [
            ("AKIAIOSFODNN7EXAMPLE", KeyKind::LongTerm),
            ("ASIAIOSFODNN7EXAMPLE", KeyKind::Temporary),
            ("AIDAIOSFODNN7EXAMPLE", KeyKind::NoKey),
            ("testing", KeyKind::Unknown),
            ("", KeyKind::Unknown),
            ("ÄÄ", KeyKind::Unknown),
        ] {
            assert_eq!(KeyKind::of(id), kind, "{id}");
        }
        assert_eq!((shown_id("AKIAIOSFODNN7EXAMPLE"), shown_id("testing")), ("AKIA…MPLE".into(), "…".into()));
    }
}
