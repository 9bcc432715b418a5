//! A client that observes: it sends one request, reads the answer within a size and a time, and says what it saw.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Method, Request, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::HttpStack;
use super::echo_redaction::Withheld;
use super::failure;
use super::trace::NotingVerifier;
use super::trace::{Connection, EXCHANGE, ExchangeTrace};
use crate::check::facts::network::{Address, Exchange, FailureKind, Hop, HopName, NetworkFailure, Tls};
use crate::domain::certificate::Chain;
use crate::domain::discovery::is_loopback;
use crate::domain::timestamp::parse_http_date;

/// The most of an answer that is read, in bytes, where nothing else is said.
pub const ANSWER_LIMIT: u64 = 1024 * 1024;

/// A client with a journal of what it saw. Clones share the journal.
#[derive(Clone, Debug)]
pub struct ObservedClient {
    http: reqwest::Client,
    timeout: Duration,
    verifier: Arc<NotingVerifier>,
    proxies: Option<Arc<Matcher>>,
    journal: Arc<Mutex<Vec<Exchange>>>,
}

/// A whole answer.
#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// May hold a secret, so an answer has no `Debug`.
    pub body: Bytes,
}

/// What an exchange showed, and its answer, where a whole one came.
#[derive(Clone)]
pub struct Observed {
    /// Its `failure` is set exactly where `answer` is `None`.
    pub exchange: Exchange,
    pub answer: Option<Answer>,
}

impl ObservedClient {
    pub(super) fn new(stack: &HttpStack, http: reqwest::Client) -> ObservedClient {
        ObservedClient {
            http,
            timeout: stack.timeout,
            verifier: stack.verifier.clone(),
            proxies: stack.proxies.clone(),
            journal: Arc::default(),
        }
    }

    /// Takes the exchanges of this client so far out of its journal, in the order they ended.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gets `url`, with `headers` beside the usual ones, and reads up to `limit` bytes of the answer.
    pub async fn get(&self, url: Url, headers: &[(HeaderName, HeaderValue)], limit: u64) -> Observed {
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().extend(headers.iter().cloned());
        self.send(request, limit).await
    }

    /// Sends `request` and reads up to `limit` bytes of the answer. An answer of any status is an answer.
    ///
    /// Ends within the stack's timeout, whatever the other side does. Follows no redirect, repeats nothing. Asks for the
    /// answer as it is: nothing here inflates, so no small answer becomes a large one.
    pub async fn send(&self, mut request: Request, limit: u64) -> Observed {
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if request.url().scheme() == "https" {
            self.verifier.prepare();
        }
        let mut watch = Watch::start(&request, self.proxies.as_deref());
        let fetched = match unsendable(&request, watch.exchange.proxy.is_some()) {
            Some(failed) => Err(failed),
            None => self.fetch(request, limit, &mut watch).await,
        };
        let (answer, failed) = match fetched {
            Ok(answer) => (Some(answer), None),
            Err(failed) => (None, Some(failed)),
        };
        let observed = Observed { exchange: watch.finish(failed, &self.verifier), answer };
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).push(observed.exchange.clone());
        observed
    }

    async fn fetch(&self, request: Request, limit: u64, watch: &mut Watch) -> Result<Answer, (FailureKind, String)> {
        let deadline = watch.started + self.timeout;
        let withheld = Withheld::of(&request);
        let too_late = |_| (FailureKind::Timeout, format!("gave up after {:?}", self.timeout));
        let sending = EXCHANGE.scope(watch.trace.clone(), self.http.execute(request));
        let response = match timeout_at(deadline, sending).await.map_err(too_late)? {
            Ok(response) => response,
            Err(error) => return Err(failure::classify(&error, watch.hop(), &watch.host, watch.connection().as_ref())),
        };
        if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED && watch.exchange.proxy.is_some() {
            return Err((FailureKind::ProxyAuth, format!("HTTP status {}", response.status())));
        }
        let (status, mut headers) = (response.status(), response.headers().clone());
        withheld.take_out_of_headers(&mut headers);
        watch.note_headers(&response, &headers);
        let mut body = timeout_at(deadline, read(response, limit, watch)).await.map_err(too_late)??;
        body = if status.is_success() { withheld.taken_out_of_granted(body) } else { withheld.taken_out(body) };
        Ok(Answer { status, headers, body })
    }
}

/// Why a request cannot be sent at all.
fn unsendable(request: &Request, is_proxied: bool) -> Option<(FailureKind, String)> {
    let impossible = request.url().domain().and_then(name_fault).map(|why| (FailureKind::Dns, why.to_owned()));
    impossible.or_else(|| would_show_credential(request, is_proxied).map(|why| (FailureKind::Address, why)))
}

/// Why no host can have a name (RFC 1035, section 2.3.4).
fn name_fault(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let longest = name.split('.').map(str::len).max().unwrap_or_default();
    match () {
        () if name.split('.').any(str::is_empty) => Some("a name has no empty part between its dots"),
        () if longest > 63 => Some("no part of a name has more than 63 characters"),
        () if name.len() > 253 => Some("a name has at most 253 characters"),
        () => None,
    }
}

/// Why a request is not sent: whoever is on the way could read what it carries. Wherever the address came from.
fn would_show_credential(request: &Request, is_proxied: bool) -> Option<String> {
    let url = request.url();
    let stays_here = is_loopback(url) && !is_proxied;
    let is_shown = url.scheme() != "https" && !stays_here && Withheld::of(request).is_any();
    is_shown.then(|| "no token or key is sent over plain http, except to this machine itself".to_owned())
}

async fn read(mut response: Response, limit: u64, watch: &mut Watch) -> Result<Bytes, (FailureKind, String)> {
    let announced = response.headers().get(http::header::CONTENT_LENGTH);
    let announced = announced.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let too_large = || {
        let size = announced.map_or_else(|| format!("more than {limit} bytes"), |n| format!("{n} bytes"));
        (FailureKind::TooLarge { limit, announced }, format!("the answer has {size}; at most {limit} are read"))
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                body.extend_from_slice(&chunk);
                watch.body_bytes = Some(body.len() as u64);
                if body.len() as u64 > limit {
                    return Err(too_large());
                }
            }
            Ok(None) => {
                watch.body_bytes = Some(body.len() as u64);
                return Ok(body.freeze());
            }
            Err(error) => {
                return Err(failure::classify(&error, HopName::Body, &watch.host, watch.connection().as_ref()));
            }
        }
    }
}

/// The notes of an exchange under way.
struct Watch {
    started: Instant,
    /// When the answer's headers had arrived.
    answered: Option<Instant>,
    trace: Arc<ExchangeTrace>,
    host: String,
    port: u16,
    body_bytes: Option<u64>,
    exchange: Exchange,
}

impl Watch {
    fn start(request: &Request, proxies: Option<&Matcher>) -> Watch {
        let url = request.url();
        let exchange = Exchange {
            method: request.method().to_string(),
            url: shown(url),
            started_unix_ms: local_clock().and_then(|since| i64::try_from(since.as_millis()).ok()),
            proxy: proxies.and_then(|p| proxy_for(url, p)),
            ..Exchange::default()
        };
        Watch {
            started: Instant::now(),
            answered: None,
            trace: Arc::default(),
            host: host_of(url),
            port: url.port_or_known_default().unwrap_or_default(),
            body_bytes: None,
            exchange,
        }
    }

    fn connection(&self) -> Option<Connection> {
        self.trace.connection()
    }

    fn note_headers(&mut self, response: &Response, headers: &HeaderMap) {
        self.answered = Some(Instant::now());
        let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        self.exchange.status = Some(response.status().as_u16());
        self.exchange.http_version = Some(format!("{:?}", response.version()));
        self.exchange.content_type = text(CONTENT_TYPE).map(str::to_owned);
        let answered_by = response.remote_addr().filter(|_| self.exchange.proxy.is_none());
        self.exchange.connected = answered_by.map(|address| address.ip().to_canonical());
        let encoding = text(CONTENT_ENCODING).filter(|name| !name.trim().is_empty());
        self.exchange.content_encoding =
            encoding.filter(|name| !name.eq_ignore_ascii_case("identity")).map(str::to_owned);
        self.exchange.server_date = text(DATE).and_then(parse_http_date);
        let local = local_clock().and_then(|since| i64::try_from(since.as_secs()).ok());
        self.exchange.clock_skew_s = self.exchange.server_date.zip(local).map(|(server, local)| server - local);
    }

    /// The hop that is under way: the first that has not ended.
    fn hop(&self) -> HopName {
        if self.answered.is_some() {
            return HopName::Body;
        }
        match self.connection() {
            None => HopName::Request,
            Some(c) if c.finished.is_some() => HopName::Request,
            Some(c) if c.handshake_with(&self.host).is_some() => HopName::Tls,
            Some(c) if c.resolve.as_ref().is_some_and(|r| r.finished.is_none()) => HopName::Resolve,
            Some(_) => HopName::Connect,
        }
    }

    fn finish(self, failed: Option<(FailureKind, String)>, verifier: &NotingVerifier) -> Exchange {
        let now = Instant::now();
        let connection = self.connection();
        let hop = self.hop();
        let hops = self.hops(connection.as_ref(), now);
        let mut exchange = self.exchange;
        exchange.hops = hops;
        exchange.body_bytes = self.body_bytes;
        exchange.duration_ms = milliseconds(now - self.started);
        if let Some(connection) = &connection {
            let look_up = connection.resolve.iter().flat_map(|r| r.addresses.iter());
            exchange.addresses = look_up.map(|ip| Address::from(*ip)).collect();
            exchange.tls = connection.handshake_with(&self.host).map(|handshake| {
                let chain = Chain::read(&handshake.chain);
                let top = chain.certificates.last();
                Tls {
                    server_name: handshake.server_name.clone(),
                    version: handshake.version.map(str::to_owned),
                    accepted: handshake.verdict == Some(Ok(())),
                    named_authority: top.is_some_and(|c| verifier.is_named(&c.issuer)),
                    chain,
                }
            });
        }
        // An address in the URL needs no look-up, and still has a scope to know.
        if exchange.addresses.is_empty()
            && exchange.proxy.is_none()
            && let Ok(ip) = self.host.parse::<std::net::IpAddr>()
        {
            exchange.addresses.push(Address::from(ip));
        }
        // Each of several addresses may be another machine, with a certificate of its own.
        let several = (exchange.addresses.len() > 1 && matches!(hop, HopName::Connect | HopName::Tls)).then(|| {
            let listed: Vec<String> = exchange.addresses.iter().map(|address| address.ip.to_string()).collect();
            format!("; the name leads to {}", listed.join(", "))
        });
        exchange.failure = failed.map(|(kind, detail)| NetworkFailure {
            hop,
            kind: failure::behind_proxy(kind, hop, exchange.proxy.is_some()),
            host: self.host,
            port: self.port,
            url: exchange.url.clone(),
            proxy: exchange.proxy.clone(),
            elapsed_ms: u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX),
            detail: detail + several.as_deref().unwrap_or_default(),
        });
        exchange
    }

    fn hops(&self, connection: Option<&Connection>, now: Instant) -> Vec<Hop> {
        let mut hops = Vec::new();
        let mut leg = |name, from: Instant, to: Instant| {
            hops.push(Hop { name, start_ms: milliseconds(from - self.started), duration_ms: milliseconds(to - from) });
        };
        let mut request_from = Some(self.started);
        if let Some(connection) = connection {
            let mut connect_from = Some(connection.started);
            if let Some(look_up) = &connection.resolve {
                leg(HopName::Resolve, look_up.started, look_up.finished.unwrap_or(now));
                connect_from = look_up.finished;
            }
            let tls_from = connection.handshake_with(&self.host).map(|h| h.started);
            if let Some(from) = connect_from {
                leg(HopName::Connect, from, tls_from.or(connection.finished).unwrap_or(now));
            }
            if let Some(from) = tls_from {
                leg(HopName::Tls, from, connection.finished.unwrap_or(now));
            }
            request_from = connection.finished;
        }
        if let Some(from) = request_from {
            leg(HopName::Request, from, self.answered.unwrap_or(now));
        }
        if let Some(from) = self.answered {
            leg(HopName::Body, from, now);
        }
        hops
    }
}

/// The time since 1970, where the clock is not before it.
fn local_clock() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The host without the brackets of an IPv6 address.
fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

/// The URL without what may be secret: query, fragment, user name and password.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn proxy_for(url: &Url, proxies: &Matcher) -> Option<String> {
    let uri = url.as_str().parse::<http::Uri>().ok()?;
    Some(proxies.intercept(&uri)?.uri().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_host_can_be_called_is_not_asked_for() {
        let long = [&"a".repeat(63); 4].map(String::as_str).join(".");
        for (name, is_possible) in [
            ("app.example.com", true),
            ("app.example.com.", true),
            ("_x.a-b.example", true),
            ("a..example", false),
            (".example", false),
            (&format!("{}.example", "a".repeat(63)), true),
            (&format!("{}.example", "a".repeat(64)), false),
            (&long, false),
        ] {
            assert_eq!(name_fault(name).is_none(), is_possible, "{name}");
        }
    }

    #[test]
    fn a_credential_is_sent_over_tls_or_stays_here() {
        let request = |url: &str, form: &'static str| {
            let mut request = Request::new(Method::POST, Url::parse(url).unwrap());
            *request.body_mut() = Some(form.into());
            request
        };
        let form = "Action=AssumeRoleWithWebIdentity&WebIdentityToken=a.b.c";
        for (url, form, is_proxied, is_sent) in [
            ("https://sts.amazonaws.com/", form, true, true),
            ("http://127.0.0.1:4566/", form, false, true),
            ("http://localhost:4566/", form, false, true),
            ("http://127.0.0.1:4566/", form, true, false),
            ("http://sts.amazonaws.com/", form, false, false),
            ("http://localhost.example/", form, false, false),
            ("http://sts.amazonaws.com/", "Action=GetCallerIdentity", false, true),
        ] {
            assert_eq!(would_show_credential(&request(url, form), is_proxied).is_none(), is_sent, "{url} {is_proxied}");
        }
    }
}
