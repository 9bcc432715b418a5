//! What AWS answered, call by call, and what is known of an access key.

use serde::Serialize;

use super::Unread;
use super::secret::Call;
use super::secret::{SecretList, SecretRead};
use super::trust::PermissionsFact;
use crate::domain::iam::{AssumeEvaluation, AssumeRequest, AuthorizationId, Policy, evaluate_assume};
use crate::domain::timestamp::UnixSeconds;

/// What AWS answered. `None` where a call was not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsFacts {
    /// The exchange of the web identity token.
    pub assume_role: Option<Call<AssumedRole>>,
    /// The access key of the static guides.
    pub access_key: Option<AccessKeyFact>,
    /// The role that the caller then assumed.
    pub assumed: Option<Call<AssumedRole>>,
    /// What that role's trust policy at hand says to the caller.
    pub role_trust: Option<RoleTrust>,
    pub caller: Option<Call<Caller>>,
    pub list: Option<Call<SecretList>>,
    pub secret: Option<Call<SecretRead>>,
    /// Where else the secret was looked for, after it could not be read.
    pub located: Option<Located>,
    /// The permissions policy at hand, evaluated for the reads.
    pub permissions: Option<PermissionsFact>,
}

impl AwsFacts {
    /// Whether the token bought a session, or there is an access key to sign with.
    pub fn has_credentials(&self) -> bool {
        self.assume_role.as_ref().is_some_and(|call| call.granted().is_some())
            || matches!(&self.access_key, Some(AccessKeyFact::Found(key)) if key.is_complete())
    }

    /// The ids of denied reads that can be looked up.
    pub fn authorization_ids(&self) -> Vec<AuthorizationId> {
        let refusals = [self.list.as_ref().and_then(Call::refusal), self.secret.as_ref().and_then(Call::refusal)];
        let ids = refusals.into_iter().flatten().filter_map(|refusal| AuthorizationId::find(&refusal.message));
        ids.filter(AuthorizationId::is_current).collect()
    }

    /// Whether the caller assumed the role that reads.
    pub fn has_assumed(&self) -> bool {
        self.assumed.as_ref().is_some_and(|call| call.granted().is_some())
    }
}

/// A role's trust policy at hand, evaluated for a signed caller.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleTrust {
    /// The file, as the profile names it.
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<AssumeEvaluation>,
    /// Why it could not be evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// There is no such file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
    /// What was read, for a fix to be made from; no part of the report.
    #[serde(skip)]
    pub text: Option<String>,
}

/// The search for a secret in the partition's other regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Located {
    /// Regions that list a secret of this name.
    pub found_in: Vec<String>,
    /// How many regions answered.
    pub regions_asked: usize,
}

/// A session was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssumedRole {
    /// The session's ARN.
    pub assumed_role_arn: String,
    /// The provider whose token was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The audience that was matched: `azp` where the token has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The token's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the session ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_expires_at: Option<UnixSeconds>,
}

/// Who the credentials are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Caller {
    pub arn: String,
    pub account: String,
}

impl RoleTrust {
    /// Evaluates a trust policy for a caller, or keeps why it could not be read.
    pub fn evaluate(source: &str, text: Result<String, Unread>, request: &AssumeRequest<'_>) -> Self {
        let mut trust =
            RoleTrust { source: source.to_owned(), evaluation: None, problem: None, is_missing: false, text: None };
        let read = |text: String| match Policy::parse(&text) {
            Ok(policy) => Ok((policy, text)),
            Err(error) => Err(error.to_string().into()),
        };
        match text.and_then(read) {
            Ok((policy, text)) => {
                trust.evaluation = Some(evaluate_assume(&policy, request));
                trust.text = Some(text);
            }
            Err(unread) => (trust.problem, trust.is_missing) = (Some(unread.why), unread.is_missing),
        }
        trust
    }
}

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
mod access_key_tests {
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
