//! The issuer: fetches its discovery document and its keys, and says what it saw on the way.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CACHE_CONTROL, HeaderName, HeaderValue, LOCATION};
use reqwest::Url;

use super::http::{ANSWER_LIMIT, Answer, HttpStack};
use crate::check::facts::network::{DocumentFact, KeysFact};
use crate::check::facts::network::{Exchange, FailureKind, HopName, NetworkFailure};
use crate::domain::discovery::{Discovery, IssuerAddress, keys_address};
use crate::domain::jwks::Jwks;
use crate::domain::jwks::history::cache_seconds;
use crate::domain::redaction::cut_from_text;

/// An issuer that is dialled anew: the first answer of each host shows every hop and the host's certificates, and what else
/// that host serves comes over the same connection.
#[derive(Clone, Debug)]
pub struct IssuerProbe {
    stack: HttpStack,
}

impl IssuerProbe {
    /// With no connection yet.
    pub fn new(stack: &HttpStack) -> Self {
        IssuerProbe { stack: stack.disconnected() }
    }

    /// This one with less time for an operation, where less is left of the whole.
    #[must_use]
    pub fn within(&self, left: Duration) -> Self {
        IssuerProbe { stack: self.stack.within(left) }
    }

    /// Fetches the discovery document.
    pub async fn document(&self, address: &IssuerAddress) -> DocumentFact {
        let (exchange, answer) = fetch(&self.stack, address.document.clone()).await;
        let (discovery, unreadable) = read(answer, |body| Discovery::parse(body, &address.issuer));
        DocumentFact { issuer: address.issuer.clone(), exchange, discovery, unreadable }
    }

    /// Fetches the key set from the `jwks_uri` of the discovery document.
    pub async fn keys(&self, jwks_uri: &str, issuer: &str) -> KeysFact {
        let (exchange, answer) = match keys_address(jwks_uri, issuer) {
            Ok(url) => fetch(&self.stack, url).await,
            Err(problem) => (not_dialled(&cut_from_text(jwks_uri), &problem.words()), None),
        };
        keys_fact(exchange, answer)
    }
}

fn keys_fact(exchange: Exchange, answer: Option<Answer>) -> KeysFact {
    let cache = answer.as_ref().and_then(|answer| answer.headers.get(CACHE_CONTROL)?.to_str().ok());
    let cached_s = cache.and_then(cache_seconds);
    let (jwks, unreadable) = read(answer, Jwks::parse);
    KeysFact { exchange, cached_s, jwks, unreadable }
}

async fn fetch(stack: &HttpStack, url: Url) -> (Exchange, Option<Answer>) {
    const JSON: [(HeaderName, HeaderValue); 1] = [(ACCEPT, HeaderValue::from_static("application/json"))];
    let observed = stack.client().get(url.clone(), &JSON, ANSWER_LIMIT).await;
    let mut exchange = observed.exchange;
    if let Some(answer) =
        observed.answer.as_ref().filter(|a| a.status.is_redirection() && a.status != StatusCode::NOT_MODIFIED)
    {
        exchange.failure = Some(redirect(&exchange, &url, answer));
    }
    (exchange, observed.answer.filter(|a| a.status.as_u16() == 200))
}

fn read<T, E>(answer: Option<Answer>, parse: impl Fn(&[u8]) -> Result<T, E>) -> (Option<T>, Option<E>) {
    match answer.map(|a| parse(&a.body)) {
        None => (None, None),
        Some(Ok(document)) => (Some(document), None),
        Some(Err(error)) => (None, Some(error)),
    }
}

fn redirect(exchange: &Exchange, url: &Url, answer: &Answer) -> NetworkFailure {
    let location =
        answer.headers.get(LOCATION).map(|l| cut_from_text(&String::from_utf8_lossy(l.as_bytes())).into_owned());
    NetworkFailure {
        hop: HopName::Request,
        kind: FailureKind::Redirect { status: answer.status.as_u16(), location },
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
        url: exchange.url.clone(),
        proxy: exchange.proxy.clone(),
        elapsed_ms: exchange.duration_ms as u64,
        detail: format!("HTTP status {}", answer.status),
    }
}

fn not_dialled(address: &str, detail: &str) -> Exchange {
    let failure = NetworkFailure {
        hop: HopName::Connect,
        kind: FailureKind::Address,
        host: String::new(),
        port: 0,
        url: address.to_owned(),
        proxy: None,
        elapsed_ms: 0,
        detail: detail.to_owned(),
    };
    Exchange { method: "GET".to_owned(), url: address.to_owned(), failure: Some(failure), ..Exchange::default() }
}
