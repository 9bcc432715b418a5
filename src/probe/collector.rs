//! Hands spans to a collector of OpenTelemetry over the one HTTP stack, so that no other client and no other TLS comes in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use url::Url;

use super::http::{ANSWER_LIMIT, HttpStack};

/// Where spans go, and of whom they are.
#[derive(Debug)]
pub struct Export<'e> {
    pub endpoint: &'e Url,
    pub protocol: Protocol,
    /// The most that it may take.
    pub timeout: Duration,
    pub resource: Resource,
}

impl Export<'_> {
    /// Sends spans in one request, with the headers that the exporter's own variables name. Needs a runtime.
    ///
    /// # Errors
    /// The collector did not take them: why, in a few words that repeat neither what was sent nor what was answered.
    pub async fn send(self, spans: Vec<SpanData>, stack: HttpStack) -> Result<(), String> {
        let transport = Transport { stack, failure: Arc::default() };
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(transport.clone())
            .with_endpoint(self.endpoint.as_str())
            .with_protocol(self.protocol)
            .with_timeout(self.timeout)
            // Its pauses would block the thread, and the next run brings a trace of its own.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| error.to_string())?;
        exporter.set_resource(&self.resource);
        match tokio::time::timeout(self.timeout, exporter.export(spans)).await {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(sent) => sent.map_err(|error| transport.failure().map_or_else(|| error.to_string(), str::to_owned)),
        }
    }
}

/// Sends, and remembers why it could not: the exporter's own error does not say.
#[derive(Clone, Debug)]
struct Transport {
    stack: HttpStack,
    failure: Arc<Mutex<Option<&'static str>>>,
}

impl Transport {
    fn failure(&self) -> Option<&'static str> {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let observed = self.stack.client().send(request, ANSWER_LIMIT).await;
        let failure = observed.exchange.failure.as_ref().map(|failure| failure.kind.words());
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        let Some(answer) = observed.answer else { return Err(failure.unwrap_or("no answer").into()) };
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
