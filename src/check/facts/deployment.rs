//! What the running deployment answered, reduced to what may be shown: its outputs can hold anything and are not kept.

use serde::Serialize;

use super::secret::Call;
use crate::cause::Cause;
use crate::domain::runtime_output::RuntimeOutput;

/// The request for the inputs that the automation expects; it changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeploymentFact {
    /// The address, as the profile has it.
    pub deployment: String,
    /// Where the bearer token was taken from; none where the profile names no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(flatten)]
    pub call: Call<DeclaredInputs>,
    /// Declared inputs that the profile's file of inputs does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why the address, the token or the file of inputs cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<SettingProblem>,
}

/// A setting of the deployment that cannot be used, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "setting", content = "problem")]
pub enum SettingProblem {
    Address(String),
    Token(String),
    Inputs(String),
}

impl SettingProblem {
    /// What is wrong, in a sentence.
    pub fn words(&self) -> &str {
        let (SettingProblem::Address(words) | SettingProblem::Token(words) | SettingProblem::Inputs(words)) = self;
        words
    }
}

/// The inputs that the automation declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeclaredInputs {
    pub inputs: Vec<String>,
}

/// The request to run the automation once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KickoffFact {
    #[serde(flatten)]
    pub call: Call<Kickoff>,
    /// After a 422: the declared inputs that were not sent, as far as the deployment tells them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A run was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kickoff {
    pub kickoff_id: String,
}

/// A run, followed to its end or as long as there was time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunFact {
    pub kickoff_id: String,
    /// How often its status was asked for.
    pub polls: u32,
    /// Milliseconds from the first question to the last answer.
    pub followed_ms: u64,
    /// The last answer. A run that is still under way in it took longer than there was time.
    #[serde(flatten)]
    pub call: Call<RunStatus>,
}

/// A run's status, and what its outputs so far tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    pub state: RunState,
    #[serde(flatten)]
    pub output: RuntimeOutput,
    /// What the error of a failed run points to. Its words may quote a value and are not kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    Running,
    Completed,
    Failed,
}
