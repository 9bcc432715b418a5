//! What AWS answered, call by call.

use serde::Serialize;

use super::access_key::AccessKeyFact;
use super::cloud::Call;
use super::permissions::PermissionsFact;
use super::secret::{SecretList, SecretRead};
use crate::domain::iam::{Condition, Effect, Policy};
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
    /// What that role's trust policy at hand says of external ids.
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

    /// Whether the caller assumed the role that reads.
    pub fn has_assumed(&self) -> bool {
        self.assumed.as_ref().is_some_and(|call| call.granted().is_some())
    }
}

/// A role's trust policy at hand, as far as external ids go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleTrust {
    /// The file, as the profile names it.
    pub source: String,
    pub external_id: ExternalIdRule,
}

/// What a trust policy's statements for `sts:AssumeRole` ask of the external id that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExternalIdRule {
    /// None of them looks at it.
    NotAsked,
    /// One that is sent is taken.
    Met,
    /// One is asked for and none is sent.
    Missing,
    /// Another is asked for than is sent.
    Differs,
    /// The policy cannot be read.
    Unreadable,
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
    /// Reads what a trust policy asks of the external id, given the one that is sent.
    pub fn read(source: &str, text: &str, sent: Option<&str>) -> Self {
        let external_id = match Policy::parse(text) {
            Err(_) => ExternalIdRule::Unreadable,
            Ok(policy) => rule(&policy, sent),
        };
        RoleTrust { source: source.to_owned(), external_id }
    }
}

fn rule(policy: &Policy, sent: Option<&str>) -> ExternalIdRule {
    let is_about = |condition: &&Condition| condition.key.eq_ignore_ascii_case("sts:ExternalId");
    let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let asked: Vec<&Condition> = allows.flat_map(|s| s.conditions.iter().filter(is_about)).collect();
    match (asked.as_slice(), sent) {
        ([], _) => ExternalIdRule::NotAsked,
        (_, None) => ExternalIdRule::Missing,
        (asked, Some(sent)) if asked.iter().any(|c| c.expected.iter().any(|e| e.text == sent)) => ExternalIdRule::Met,
        // A pattern may well take what is sent.
        (asked, _) if asked.iter().any(|c| c.expected.iter().any(|e| e.text.contains(['*', '?']))) => {
            ExternalIdRule::Met
        }
        _ => ExternalIdRule::Differs,
    }
}
