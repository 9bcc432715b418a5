//! What AWS answered, call by call.

use serde::Serialize;

use super::cloud::Call;
use super::permissions::PermissionsFact;
use super::secret::{SecretList, SecretRead};
use crate::domain::timestamp::UnixSeconds;

/// What AWS answered. `None` where a call was not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsFacts {
    pub assume_role: Option<Call<AssumedRole>>,
    pub caller: Option<Call<Caller>>,
    pub list: Option<Call<SecretList>>,
    pub secret: Option<Call<SecretRead>>,
    /// Where else the secret was looked for, after it could not be read.
    pub located: Option<Located>,
    /// The permissions policy at hand, evaluated for the reads.
    pub permissions: Option<PermissionsFact>,
}

impl AwsFacts {
    /// Whether a session was granted.
    pub fn has_session(&self) -> bool {
        self.assume_role.as_ref().is_some_and(|call| call.granted().is_some())
    }
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
