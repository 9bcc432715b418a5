//! The description of a world: every key of the format, with its default, and what each kind of value may be.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::WorldError;
use super::aws::{AwsWorld, Policy};
use super::azure::{AzureProfile, AzureWorld};
use super::google::{GoogleProfile, GoogleWorld};
use super::values::{PublishedKey, check_delay, check_key, check_seconds, check_status, wrong};

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
    /// The cause that it must name first with an operator's credentials, where only they show it.
    pub expects_by_operator: Option<String>,
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
    pub google: GoogleWorld,
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
    /// What the profile says of whose tokens are meant, by its own keys, such as `github.repository`.
    pub workload: BTreeMap<String, String>,
    /// Where the workload has its token from.
    pub token: TokenFrom,
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
    pub google: GoogleProfile,
    pub deployment: DeploymentProfile,
}

/// Where a profile has its token from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenFrom {
    /// The file that the lab writes.
    #[default]
    File,
    /// A file that nothing writes: the pod's webhook has not run.
    MissingFile,
    /// The job asks GitHub Actions, which offers it only where the job may ask.
    GithubActions,
}

/// An access key as the console hands it over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AccessKeyWorld {
    /// Empty where there is none.
    pub id: String,
    #[serde(deserialize_with = "super::values::secret_text")]
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
        self.google.check()?;
        self.deployment.check()
    }
}

const MAX_COPIES: u32 = 1000;

/// The platform's host: what it publishes and how it answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerWorld {
    /// The `issuer` of the discovery document.
    pub url: String,
    /// The path of a further issuer of the same host, with the same keys: an enterprise's own, as GitHub has them.
    pub path: String,
    /// The `jwks_uri` of the discovery document.
    pub jwks_uri: String,
    pub discovery_status: u16,
    /// Sent instead of the discovery document.
    pub discovery_body: Option<String>,
    /// Fields left out of the discovery document.
    pub discovery_without: Vec<String>,
    pub jwks_status: u16,
    /// Sent instead of the key set.
    pub jwks_body: Option<String>,
    /// The published keys; the six default ones where the list is absent.
    pub jwks: Option<Vec<PublishedKey>>,
    pub redirect: Redirect,
    pub certificate: Certificate,
    /// Wait before the slow documents are sent, milliseconds.
    pub delay_ms: u64,
    /// Which documents that is.
    pub slow: Slow,
    /// Seconds the platform's clock is ahead of the clouds'.
    pub clock_offset_s: i64,
}

/// Which of the issuer's documents answer with a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    #[default]
    None,
    Discovery,
    Jwks,
}

/// Which of the issuer's documents come late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slow {
    #[default]
    Both,
    Discovery,
    Jwks,
}

/// The kind of certificate that the issuer's host shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    #[default]
    Valid,
    Expired,
    NotYetValid,
    OtherName,
    SelfSigned,
}

impl IssuerWorld {
    pub(super) fn check(&self) -> Result<(), WorldError> {
        for published in self.jwks.iter().flatten() {
            check_key(&format!("issuer.jwks: key `{}`", published.key), &published.key)?;
            if published.copies > MAX_COPIES {
                return Err(wrong("issuer.jwks: copies", "is too many; write 1000 or less"));
            }
        }
        check_status("issuer.discovery-status", self.discovery_status)?;
        check_status("issuer.jwks-status", self.jwks_status)?;
        check_seconds("issuer.clock-offset-s", self.clock_offset_s)?;
        check_delay("issuer.delay-ms", self.delay_ms)
    }
}

/// One deployed automation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeploymentWorld {
    /// The bearer token that it takes.
    #[serde(deserialize_with = "super::values::secret_text")]
    pub token: SecretString,
    /// The HTTP status of every answer; 200 where it works.
    pub status: u16,
    pub answers: Answers,
    /// The inputs that a kickoff must bring.
    pub inputs: Vec<String>,
    /// How long a run takes beyond reading the secret, milliseconds.
    pub takes_ms: u64,
    /// The variable that carries the secret.
    pub variable: String,
    /// Whether the variable is assigned to the automation; only then its secret is resolved.
    pub assigned: bool,
    pub reads: Reads,
    /// How long a layer in between keeps a value, seconds.
    pub cached_s: u64,
    pub form: Form,
    pub source: SourceWorld,
}

/// The field names of the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    #[default]
    Current,
    /// `state`, `SUCCESS`, and the output as a text under `result`.
    Older,
}

/// When the automation reads its secret, and with which credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// By workload identity, at every kickoff.
    #[default]
    Kickoff,
    /// By workload identity, and the code keeps what the first kickoff gave it.
    Import,
    /// With a static credential, when it is deployed.
    Deploy,
}

/// What the automation makes of the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    #[default]
    Exact,
    Newline,
    Crlf,
    Trimmed,
    ByteOrderMark,
    /// The whole document in place of the field.
    Whole,
    Base64,
}

/// Where the automation reads, where that is not what the profile says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceWorld {
    /// A secret's name, or `name#key`.
    pub secret: Option<String>,
    /// Of AWS.
    pub region: Option<String>,
    /// The version of this id, and no newer one.
    pub version: Option<String>,
    /// The second vault in place of the profile's.
    pub second_vault: bool,
    /// The IAM user, or Entra application, whose static credential is used at deployment.
    pub credential: String,
}

/// What the user's profile holds of the deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeploymentProfile {
    /// Empty where the profile names no deployment.
    pub url: String,
    /// The deployment's own where absent.
    #[serde(deserialize_with = "super::values::optional_secret_text")]
    pub token: Option<SecretString>,
    /// The inputs of a kickoff that the user has at hand.
    pub inputs: Option<Map<String, Value>>,
}

impl DeploymentWorld {
    pub(super) fn check(&self) -> Result<(), WorldError> {
        check_status("deployment.status", self.status)?;
        check_delay("deployment.takes-ms", self.takes_ms)
    }
}
