//! The Azure SDK's transport over our client. It keeps each refusal as it arrived, because the SDK loses status and
//! body of some: its error type borrows from the body, and a JSON escape in the text defeats that.

use std::sync::{Arc, Mutex, PoisonError};

use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request, RetryOptions, Transport};

use crate::check::facts::network::Exchange;
use crate::probe::http::{ANSWER_LIMIT, HttpStack, ObservedClient};

/// The most of a refusal's body that is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// A client that remembers what it was refused.
#[derive(Debug)]
pub(super) struct Recorder {
    client: ObservedClient,
    refusals: Mutex<Vec<Refused>>,
}

/// An answer with a status from 400 on. Answers that grant something hold secrets and are not kept.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub status: u16,
    pub body: String,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// `x-ms-request-id`.
    pub request_id: Option<String>,
}

impl Recorder {
    pub(super) fn new(http: &HttpStack) -> Arc<Self> {
        Arc::new(Recorder { client: http.client(), refusals: Mutex::default() })
    }

    /// The options of an SDK client that goes through this recorder, and tries once.
    pub(super) fn options(self: &Arc<Self>) -> ClientOptions {
        ClientOptions {
            transport: Some(Transport::new(self.clone())),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        }
    }

    /// Takes the refusals so far, in their order.
    pub(super) fn take_refusals(&self) -> Vec<Refused> {
        std::mem::take(&mut *self.refusals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the last exchange, and forgets the ones before it.
    pub(super) fn take_last_exchange(&self) -> Option<Exchange> {
        self.client.take_exchanges().pop()
    }
}

#[async_trait::async_trait]
impl HttpClient for Recorder {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let observed = self.client.send(to_ours(request)?, ANSWER_LIMIT).await;
        let Some(answer) = observed.answer else {
            return Err(match observed.exchange.failure {
                Some(failure) => Error::new(ErrorKind::Io, failure),
                None => Error::with_message(ErrorKind::Io, "no answer"),
            });
        };
        let header = |name: &str| answer.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let status = answer.status.as_u16();
        if status >= 400 {
            let refused = Refused {
                status,
                body: String::from_utf8_lossy(&answer.body[..answer.body.len().min(KEPT)]).into_owned(),
                challenge: header("www-authenticate"),
                request_id: header("x-ms-request-id"),
            };
            self.refusals.lock().unwrap_or_else(PoisonError::into_inner).push(refused);
        }
        let mut headers = Headers::new();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
            }
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, answer.body))
    }
}

fn to_ours(request: &Request) -> azure_core::Result<reqwest::Request> {
    let method = match request.method() {
        Method::Delete => reqwest::Method::DELETE,
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Patch => reqwest::Method::PATCH,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        other => {
            let message = format!("the request has the method {other}");
            return Err(Error::with_message(ErrorKind::DataConversion, message));
        }
    };
    let unfit = |error: http::Error| Error::new(ErrorKind::DataConversion, error);
    let mut ours = http::Request::builder().method(method).uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        ours = ours.header(name.as_str(), value.as_str());
    }
    let body = match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        Body::SeekableStream(_) => {
            return Err(Error::with_message(ErrorKind::DataConversion, "a request's body is a stream"));
        }
    };
    let ours = ours.body(body).map_err(unfit)?;
    reqwest::Request::try_from(ours).map_err(|error| Error::new(ErrorKind::DataConversion, error))
}
