//! A deployment as a profile names it: its token and inputs read from their places, and the one harmless request made.

use serde_json::{Map, Value};

use super::{DeploymentTarget, missing};
use crate::check::facts::cloud::{Answer, Call};
use crate::check::facts::deployment::{DeploymentFact, SettingProblem};
use crate::domain::profile::DeploymentSettings;
use crate::probe::documents;
use crate::probe::held_secret::held_secret;
use crate::probe::http::HttpStack;

/// What the token is called where it cannot be read.
const TOKEN: &str = "the deployment's bearer token";

impl DeploymentTarget {
    /// The deployment of a profile, with its token; `None` where the profile names no deployment.
    ///
    /// # Errors
    /// The token cannot be read, or the address is unfit; in words.
    pub async fn of(http: &HttpStack, settings: &DeploymentSettings) -> Result<Option<Self>, SettingProblem> {
        let Some(url) = &settings.url else { return Ok(None) };
        let token = match &settings.token {
            None => None,
            Some(source) => {
                Some(held_secret(source, TOKEN).await.map_err(|error| SettingProblem::Token(error.to_string()))?)
            }
        };
        let target = DeploymentTarget::new(http.clone(), url, token);
        target.map(Some).map_err(|error| SettingProblem::Address(error.to_string()))
    }
}

/// The inputs of a kickoff, out of the profile's file; none where it names no file.
///
/// # Errors
/// The file cannot be read or holds no JSON object; in words, without its content.
pub async fn kickoff_inputs(settings: &DeploymentSettings) -> Result<Map<String, Value>, SettingProblem> {
    let Some(path) = &settings.inputs else { return Ok(Map::new()) };
    let text = documents::read(path).await.map_err(|unread| SettingProblem::Inputs(unread.why))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(inputs)) => Ok(inputs),
        _ => Err(SettingProblem::Inputs(format!(
            "{} holds no JSON object; write one such as {{\"topic\": \"rotation\"}}",
            path.display()
        ))),
    }
}

/// Asks the profile's deployment for its inputs; `None` where it names no deployment.
pub async fn observe(http: &HttpStack, settings: &DeploymentSettings) -> Option<DeploymentFact> {
    let url = settings.url.clone()?;
    let (call, problem) = match DeploymentTarget::of(http, settings).await {
        Ok(target) => (target?.inputs().await, None),
        Err(problem) => {
            let answer = Answer::NotSent { detail: problem.words().to_owned() };
            (Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None }, Some(problem))
        }
    };
    let (missing, problem) = match (kickoff_inputs(settings).await, problem) {
        (Ok(inputs), problem) => (missing(call.granted(), &inputs), problem),
        (Err(unread), problem) => (Vec::new(), problem.or(Some(unread))),
    };
    let token = settings.token.as_ref().map(ToString::to_string);
    Some(DeploymentFact { deployment: url, token, call, missing, problem })
}
