//! The running deployment: the inputs it expects, a kickoff, and a run's status. One attempt a call.

mod answer;

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::http::{HttpStack, ObservedClient};
use super::new_value::secret_source;
use super::{documents, http as stack};
use crate::check::facts::deployment::{
    DeclaredInputs, DeploymentFact, Kickoff, KickoffFact, RunFact, RunState, RunStatus, SettingProblem,
};
use crate::check::facts::secret;
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::discovery::is_loopback;
use crate::domain::profile::DeploymentSettings;
use crate::domain::redaction::cut_from_text;

/// The most of a status that is read, in bytes: it holds the outputs of every task.
const STATUS_LIMIT: u64 = 8 * 1024 * 1024;
/// The most that is kept of a refusal's words, in characters.
const LONGEST_COMPLAINT: usize = 300;

/// A deployment and the token it knows us by.
#[derive(Clone, Debug)]
pub struct DeploymentTarget {
    http: HttpStack,
    base: Url,
    token: Option<SecretString>,
}

/// Why a deployment cannot be called at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeploymentError {
    #[error("`{0}` is no address of a deployment; write one such as https://my-crew.example.com")]
    Address(String),
    /// Whoever sits in between could read the token.
    #[error("`{0}` does not begin with https://, and the bearer token is not sent in the clear")]
    Clear(String),
}

impl DeploymentTarget {
    /// The deployment at `url`; plain http only on this machine.
    ///
    /// # Errors
    /// The address is unfit.
    pub fn new(http: HttpStack, url: &str, token: Option<SecretString>) -> Result<Self, DeploymentError> {
        let base = Url::parse(url).ok().filter(|base| base.has_host() && !base.cannot_be_a_base());
        let mut base = base.ok_or_else(|| DeploymentError::Address(url.to_owned()))?;
        base.set_query(None);
        base.set_fragment(None);
        match base.scheme() {
            "https" => {}
            "http" if is_loopback(&base) => {}
            _ => return Err(DeploymentError::Clear(url.to_owned())),
        }
        Ok(DeploymentTarget { http, base, token })
    }

    /// `GET /inputs`: the inputs that the automation expects. Starts nothing, and shows every hop.
    pub async fn inputs(&self) -> Call<DeclaredInputs> {
        let client = self.http.fresh_client();
        self.call(&client, self.request(Method::GET, &["inputs"]), stack::ANSWER_LIMIT, answer::inputs).await
    }

    /// `POST /kickoff`: runs the automation once. After a 422 the missing inputs are looked up.
    pub async fn kickoff(&self, inputs: &Map<String, Value>) -> KickoffFact {
        let mut request = self.request(Method::POST, &["kickoff"]);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(json!({ "inputs": inputs }).to_string().into());
        let call = self.call(&self.http.client(), request, stack::ANSWER_LIMIT, answer::kickoff).await;
        let lacks_inputs = call.refusal().is_some_and(|refusal| refusal.http_status == 422);
        let missing = if lacks_inputs { missing(self.inputs().await.granted(), inputs) } else { Vec::new() };
        KickoffFact { call, missing }
    }

    /// `GET /status/<id>`: how far a run is, and what its outputs tell.
    pub async fn status(&self, kickoff: &Kickoff) -> Call<RunStatus> {
        let request = self.request(Method::GET, &["status", &kickoff.kickoff_id]);
        self.call(&self.http.client(), request, STATUS_LIMIT, answer::status).await
    }

    fn request(&self, method: Method, path: &[&str]) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = Request::new(method, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token
            && let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        request
    }

    async fn call<T>(
        &self,
        client: &ObservedClient,
        request: Request,
        limit: u64,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Call<T> {
        let observed = client.send(request, limit).await;
        let failure = observed.exchange.failure.clone();
        let answer = match (observed.answer, failure) {
            (Some(answer), _) => judged(&answer, read),
            (None, Some(failure)) => secret::Answer::Network { failure },
            (None, None) => {
                secret::Answer::Unreadable { http_status: observed.exchange.status, detail: "no answer".into() }
            }
        };
        Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: Some(observed.exchange) }
    }
}

/// An answer of any status, read as what was asked for or as a refusal.
fn judged<T>(answer: &stack::Answer, read: impl Fn(&Value) -> Result<T, String>) -> secret::Answer<T> {
    let http_status = answer.status.as_u16();
    let unreadable = |detail: String| secret::Answer::Unreadable { http_status: Some(http_status), detail };
    let body = serde_json::from_slice::<Value>(&answer.body);
    if answer.status.is_client_error() || answer.status.is_server_error() {
        let said = body.as_ref().ok().and_then(answer::complaint).unwrap_or_default();
        return secret::Answer::Refused(Refusal {
            code: answer.status.canonical_reason().unwrap_or("refused").to_owned(),
            message: said.chars().take(LONGEST_COMPLAINT).collect(),
            http_status,
            request_id: answer.headers.get("x-request-id").and_then(|v| v.to_str().ok()).map(str::to_owned),
        });
    }
    if answer.status.is_redirection() {
        let to = answer.headers.get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or("nowhere");
        return unreadable(format!("a redirect to {}, which is not followed with a token", cut_from_text(to)));
    }
    match body {
        Ok(body) => read(&body).map_or_else(unreadable, secret::Answer::Granted),
        // The parser's own words quote the answer.
        Err(_) => unreadable("the answer is not JSON".to_owned()),
    }
}

/// The declared inputs that are not among `given`.
pub fn missing(declared: Option<&DeclaredInputs>, given: &Map<String, Value>) -> Vec<String> {
    let declared = declared.map_or(&[][..], |declared| &declared.inputs);
    declared.iter().filter(|name| !given.contains_key(name.as_str())).cloned().collect()
}

/// How many answers of "no such run" are put down to a run that is not known everywhere yet.
const UNKNOWN_AT_FIRST: u32 = 3;

/// How often to ask, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The first pause; each is twice the one before it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// For how long to ask; an answer under way is still waited for, within the stack's own timeout.
    pub total: Duration,
}

impl Default for Pace {
    /// Half a second, up to four, for five minutes.
    fn default() -> Self {
        Pace { first: Duration::from_millis(500), longest: Duration::from_secs(4), total: Duration::from_secs(300) }
    }
}

impl DeploymentTarget {
    /// Asks for the status of a run until it has ended or `pace` allows no more. `told` hears every answer.
    ///
    /// A passing fault (no answer, a 5xx, 429, and "no such run" at first) does not end it; any other refusal does.
    pub async fn follow(&self, kickoff: &Kickoff, pace: Pace, mut told: impl FnMut(&Call<RunStatus>)) -> RunFact {
        let began = Instant::now();
        let mut pause = pace.first;
        let mut polls = 0;
        loop {
            let call = self.status(kickoff).await;
            polls += 1;
            told(&call);
            let elapsed = began.elapsed();
            if is_end(&call, polls) || elapsed + pause > pace.total {
                let followed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                return RunFact { kickoff_id: kickoff.kickoff_id.clone(), polls, followed_ms, call };
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(pace.longest);
        }
    }
}

fn is_end(call: &Call<RunStatus>, polls: u32) -> bool {
    match &call.answer {
        Answer::Granted(status) => status.state != RunState::Running,
        Answer::Refused(refusal) => match refusal.http_status {
            404 => polls >= UNKNOWN_AT_FIRST,
            429 | 500.. => false,
            _ => true,
        },
        Answer::Network { .. } => false,
        Answer::Unreadable { .. } | Answer::NotSent { .. } => true,
    }
}

/// What the token is called where it cannot be read.
const BEARER_TOKEN: &str = "the deployment's bearer token";

impl DeploymentTarget {
    /// The deployment of a profile, with its token; `None` where the profile names no deployment.
    ///
    /// # Errors
    /// The token cannot be read, or the address is unfit; in words.
    pub async fn of(http: &HttpStack, settings: &DeploymentSettings) -> Result<Option<Self>, SettingProblem> {
        let Some(url) = &settings.url else { return Ok(None) };
        let token = match &settings.token {
            None => None,
            Some(source) => Some(
                secret_source(source, BEARER_TOKEN).await.map_err(|error| SettingProblem::Token(error.to_string()))?,
            ),
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
pub async fn observe_deployment(http: &HttpStack, settings: &DeploymentSettings) -> Option<DeploymentFact> {
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
