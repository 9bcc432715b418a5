//! The deployment part of a world: an automation that reads one secret into one variable, and how it goes wrong.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::WorldError;
use super::description::{check_delay, check_status};

/// One deployed automation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeploymentWorld {
    /// The bearer token that it takes.
    #[serde(deserialize_with = "super::description::secret_text")]
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
    #[serde(deserialize_with = "super::description::optional_secret_text")]
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
