//! Google: exchange the token at the STS, impersonate a service account, list a project's secrets, read and write one. One
//! attempt a call, over the one HTTP stack, with each answer as it arrived.

mod exchange;
mod inventory;
mod key;
mod operator;
mod secrets;
mod side;
mod versions;

pub use operator::operator_session;
pub use side::OperatorReader;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::Request;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::http::{Answer as HttpAnswer, HttpStack};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::google_error::GoogleError;
use crate::domain::profile::GcpSettings;
use crate::domain::timestamp::UnixSeconds;

/// The most of an answer that is read, in bytes: above a full page of secrets, and 64 KiB of a value in base64.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;
/// What access tokens are asked for; STS wants a scope, and this one leaves the limit to IAM.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where to call.
#[derive(Clone, Debug)]
pub struct GoogleTarget {
    http: HttpStack,
    settings: GcpSettings,
}

/// An access token. Lives as long as one run; its `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct GoogleSession {
    token: SecretString,
    pub expires_at: Option<UnixSeconds>,
}

/// What a request sends.
enum Body {
    Form(String),
    Json(String),
    None,
}

impl GoogleTarget {
    pub fn new(http: HttpStack, settings: &GcpSettings) -> Self {
        GoogleTarget { http, settings: settings.clone() }
    }

    /// Sends one request and reads what came: `read` makes something of what was granted, `None` where it is not the
    /// service's answer.
    async fn call<T>(
        &self,
        method: Method,
        url: &str,
        session: Option<&GoogleSession>,
        body: Body,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> GoogleCall<T> {
        let endpoint = endpoint_of(url);
        let request = match request(method, url, session, body) {
            Ok(request) => request,
            Err(detail) => return not_sent(endpoint, detail),
        };
        let observed = self.http.client().send(request, ANSWER_LIMIT).await;
        let failure = observed.exchange.failure.clone();
        let (answer, error) = match (&observed.answer, failure) {
            (Some(answer), _) if answer.status.is_success() => match read(&answer.body) {
                Ok(granted) => (Answer::Granted(granted), None),
                // The answer may hold a token or a value, so nothing of it is quoted.
                Err(detail) => (Answer::Unreadable { http_status: Some(answer.status.as_u16()), detail }, None),
            },
            (Some(answer), _) => refused(answer),
            (None, Some(failure)) => (Answer::Network { failure }, None),
            (None, None) => (Answer::Unreadable { http_status: None, detail: "no answer".into() }, None),
        };
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: Some(observed.exchange) };
        GoogleCall { endpoint, call, error }
    }
}

/// The fact of a call that was not made, and why.
fn not_sent<T>(endpoint: String, detail: String) -> GoogleCall<T> {
    let answer = Answer::NotSent { detail };
    GoogleCall { endpoint, call: Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None }, error: None }
}

fn endpoint_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

fn request(method: Method, url: &str, session: Option<&GoogleSession>, body: Body) -> Result<Request, String> {
    let mut request = Request::new(method, Url::parse(url).map_err(|error| format!("{url}: {error}"))?);
    let (content, text) = match body {
        Body::Form(text) => ("application/x-www-form-urlencoded", text),
        Body::Json(text) => ("application/json", text),
        Body::None => ("", String::new()),
    };
    if !content.is_empty() {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
        *request.body_mut() = Some(text.into());
    }
    if let Some(session) = session {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", session.token.expose_secret()))
            .map_err(|_| "the access token has characters that no header holds".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn refused<T>(answer: &HttpAnswer) -> (Answer<T>, Option<GoogleError>) {
    let http_status = answer.status.as_u16();
    match GoogleError::parse(&answer.body) {
        Some(error) => {
            let refusal =
                Refusal { code: error.code.clone(), message: error.message.clone(), http_status, request_id: None };
            (Answer::Refused(refusal), Some(error))
        }
        None => {
            let detail = "no error of Google's".to_owned();
            (Answer::Unreadable { http_status: Some(http_status), detail }, None)
        }
    }
}
