//! The description of a world: every key of the format, with its default, and what each kind of value may be.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::WorldError;
use super::aws::{AwsWorld, Policy};
use super::azure::{AzureProfile, AzureWorld};
use super::deployment::{DeploymentProfile, DeploymentWorld};
use super::issuer::IssuerWorld;
use crate::lab::keys;

/// A whole world.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Description {
    pub name: String,
    /// What the scenario teaches, in a line.
    pub title: String,
    /// The setup guide that the profile follows.
    pub guide: String,
    /// The cause that a check must name first; none in a world without a fault.
    pub expects: Option<String>,
    /// The verdict that a rotation and a kickoff lead to.
    pub rotation: Option<String>,
    /// Seconds that every clock of this world is ahead of this machine's: as if this machine's were behind.
    pub clock_offset_s: i64,
    pub issuer: IssuerWorld,
    pub token: TokenWorld,
    pub aws: AwsWorld,
    /// A second AWS account, whose roles the first one's may assume.
    pub sub_account: Option<AwsWorld>,
    pub azure: AzureWorld,
    pub deployment: DeploymentWorld,
    pub profile: ProfileWorld,
}

/// The token that the platform hands to the workload.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenWorld {
    /// Which of the lab's keys signs.
    pub key: String,
    /// Members of the header, beside or in place of `alg`, `kid`, `typ`.
    pub header: Map<String, Value>,
    /// The claims; `iat` and `exp` come from the two ages unless they stand here.
    pub claims: Map<String, Value>,
    /// Claims left out, the two times included.
    pub without: Vec<String>,
    /// Seconds since the token was issued, by the platform's clock.
    pub age_s: i64,
    /// Seconds from `iat` to `exp`.
    pub lifetime_s: i64,
    /// Seconds from `iat` to `nbf`; no `nbf` where absent.
    pub not_before_s: Option<i64>,
    /// Given instead of a token.
    pub text: Option<String>,
}

/// What the user's profile holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProfileWorld {
    pub issuer_url: String,
    pub organization: String,
    pub role_arn: String,
    /// The role of the second hop.
    pub target_role_arn: Option<String>,
    pub external_id: Option<String>,
    /// The access key that the static guides' user has at hand.
    pub access_key: AccessKeyWorld,
    pub region: String,
    /// A secret's name, `name#key`, or ARN.
    pub secret: String,
    /// The length of the session that is asked for, seconds.
    pub session_duration_s: Option<u32>,
    /// The trust policy the user has at hand; the role's own where absent, none where empty.
    pub trust_policy: Option<Policy>,
    /// The permissions policy the user has at hand; the role's own where absent, none where empty.
    pub identity_policy: Option<Policy>,
    pub azure: AzureProfile,
    pub deployment: DeploymentProfile,
}

/// An access key as the console hands it over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AccessKeyWorld {
    /// Empty where there is none.
    pub id: String,
    #[serde(deserialize_with = "secret_text")]
    pub secret: SecretString,
}

impl Description {
    /// Refuses what no world can be made of.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        check_seconds("clock-offset-s", self.clock_offset_s)?;
        self.issuer.check()?;
        check_key("token.key", &self.token.key)?;
        check_seconds("token.age-s", self.token.age_s)?;
        check_seconds("token.lifetime-s", self.token.lifetime_s)?;
        self.aws.check()?;
        self.sub_account.as_ref().map_or(Ok(()), AwsWorld::check).map_err(|error| error.within("sub-account"))?;
        self.azure.check()?;
        self.deployment.check()
    }
}

const DECADE_S: i64 = 10 * 366 * 86_400;
const MAX_DELAY_MS: u64 = 600_000;

/// What is wrong with the value at `at`.
pub(super) fn wrong(at: impl Into<String>, problem: impl Into<String>) -> WorldError {
    WorldError::Value { at: at.into(), problem: problem.into() }
}

/// One of the lab's signing keys.
pub(super) fn check_key(at: &str, name: &str) -> Result<(), WorldError> {
    match keys::NAMES.contains(&name) {
        true => Ok(()),
        false => Err(wrong(at, format!("is not one of the lab's keys; write one of {}", keys::NAMES.join(", ")))),
    }
}

/// An HTTP status.
pub(super) fn check_status(at: &str, status: u16) -> Result<(), WorldError> {
    match status {
        200..600 => Ok(()),
        _ => Err(wrong(at, "is no HTTP status; write a number from 200 to 599")),
    }
}

/// A time that is near enough to be added to any other.
pub(super) fn check_seconds(at: &str, seconds: i64) -> Result<(), WorldError> {
    match seconds {
        _ if (-DECADE_S..=DECADE_S).contains(&seconds) => Ok(()),
        _ => Err(wrong(at, "is more than ten years; write fewer seconds")),
    }
}

/// How long an answer is held back.
pub(super) fn check_delay(at: &str, milliseconds: u64) -> Result<(), WorldError> {
    match milliseconds {
        0..=MAX_DELAY_MS => Ok(()),
        _ => Err(wrong(at, "is more than ten minutes; write 600000 or less")),
    }
}

pub(super) fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

pub(super) fn optional_secret_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}
