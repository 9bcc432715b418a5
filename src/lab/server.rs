//! One TLS listener on loopback per service: HTTP/1.1, a delay on every answer, a `Date` header, an orderly stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::LabError;
use crate::panic_guard::{catch_panic, guard_task};

/// Requests above this are refused; the largest real one is a secret of 64 KiB.
const MAX_BODY: usize = 1024 * 1024;
/// What is told of a panic in the lab: it is nothing that the user did, nor anything that the world of the lab breaks.
pub(super) const MISTAKE: &str = "an internal error of trustline's lab; please report it";
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How long the rest of a body that is too large is waited for.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// A request, read to its end.
pub(super) struct Request {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// A header as text; empty where it is absent or not text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A parameter of the query, whose name may be percent-encoded as well as its value.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.query, name)
    }
}

/// A parameter of a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// An answer to send.
pub(super) struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(HeaderName, String)>,
    pub body: String,
    /// A wait of this answer's own, beside the lab's general delay.
    pub delay: Duration,
}

impl Response {
    pub(super) fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Response { status, content_type, headers: Vec::new(), body, delay: Duration::ZERO }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A service behind a listener.
pub(super) trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// What all answers of a listener share.
#[derive(Clone)]
pub(super) struct ServerOptions {
    /// How long a connection may stay without a request.
    pub idle_limit: Option<Duration>,
    /// The wait before every answer; not applied to requests that carry `inside` as their `User-Agent`.
    pub delay: Duration,
    /// The name under which the lab's own clouds fetch from the lab's issuer. `--delay-ms` stands for the way between
    /// a client and the clouds, which they do not travel.
    pub inside: Arc<str>,
    /// Seconds the world's clocks are ahead of the real one.
    pub ahead_s: i64,
    /// Seconds this server's clock is ahead of the world's others.
    pub own_ahead_s: i64,
}

/// A port that is bound and not served yet, so that its number can be known before the world that names it is built.
pub(super) struct Port {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Binds a port of the system's choice on 127.0.0.1.
    pub(super) fn bind() -> Result<Self, LabError> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LabError::Bind)?;
        listener.set_nonblocking(true).map_err(LabError::Bind)?;
        let address = listener.local_addr().map_err(LabError::Bind)?;
        Ok(Port { listener, address })
    }

    /// The address as a URL without a path.
    pub(super) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Serves until `stop` closes, then lets requests under way finish.
    pub(super) fn serve<S: Service>(
        self,
        tls: Arc<ServerConfig>,
        service: Arc<S>,
        manner: ServerOptions,
        stop: watch::Receiver<()>,
    ) -> Result<JoinHandle<()>, LabError> {
        let listener = TcpListener::from_std(self.listener).map_err(LabError::Bind)?;
        Ok(tokio::spawn(accept(listener, TlsAcceptor::from(tls), service, manner, stop)))
    }
}

async fn accept<S: Service>(
    listener: TcpListener,
    tls: TlsAcceptor,
    service: Arc<S>,
    manner: ServerOptions,
    mut stop: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                // A failed accept is the peer's loss (reset before accepted, out of descriptors); the listener stays.
                if let Ok((stream, _)) = accepted {
                    let connection = connection(stream, tls.clone(), service.clone(), manner.clone(), stop.clone());
                    connections.spawn(guard_task(ahead_by(manner.ahead_s, connection)));
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection<S: Service>(
    stream: TcpStream,
    tls: TlsAcceptor,
    service: Arc<S>,
    manner: ServerOptions,
    mut stop: watch::Receiver<()>,
) {
    let _ = stream.set_nodelay(true);
    let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream));
    let stream = tokio::select! {
        _ = stop.changed() => return,
        result = handshake => match result {
            Ok(Ok(stream)) => stream,
            _ => return,
        },
    };
    let idle_limit = manner.idle_limit;
    let handler = service_fn(move |request| {
        let (service, manner) = (service.clone(), manner.clone());
        async move { Ok::<_, Infallible>(respond(&*service, &manner, request).await) }
    });
    let mut builder = http1::Builder::new();
    // Its own limit would be half a minute.
    builder.timer(TokioTimer::new()).header_read_timeout(idle_limit);
    let connection = builder.serve_connection(TokioIo::new(stream), handler);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        _ = connection.as_mut() => {}
    }
}

async fn respond<S: Service>(
    service: &S,
    manner: &ServerOptions,
    request: http::Request<Incoming>,
) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Some(body) = read(body).await else {
        let answer = Response::new(413, "text/plain", "the request is larger than 1 MiB\n".to_owned());
        return response(answer.with_header(CONNECTION, "close".to_owned()), manner);
    };
    let received = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let from_inside = received.header("user-agent") == &*manner.inside;
    let answer = catch_panic(service.answer(received)).await.unwrap_or_else(mistake);
    let delay = if from_inside { answer.delay } else { manner.delay + answer.delay };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    response(answer, manner)
}

/// A request's body; `None` of one that is too large. What is left of that one is read and thrown away, for a while: a
/// connection that ends under a sender takes the answer with it.
async fn read(mut body: Incoming) -> Option<Bytes> {
    if let Ok(body) = Limited::new(&mut body, MAX_BODY).collect().await {
        return Some(body.to_bytes());
    }
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(DRAIN_LIMIT, rest).await;
    None
}

/// The answer to a request that no answer could be made for.
fn mistake() -> Response {
    Response::new(500, "text/plain", format!("{MISTAKE}\n"))
}

fn response(answer: Response, manner: &ServerOptions) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(date) = http_date(manner.own_ahead_s) {
        headers.insert(DATE, date);
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The server's time as an IMF-fixdate (RFC 9110 section 5.6.7).
fn http_date(offset: i64) -> Option<HeaderValue> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let text = (OffsetDateTime::from(time()) + time::Duration::seconds(offset)).format(format).ok()?;
    HeaderValue::from_str(&text).ok()
}

tokio::task_local! {
    /// Seconds that the world's clocks are ahead of this machine's.
    static AHEAD: i64;
}

/// Work in a world whose clocks are this many seconds ahead of the machine's, behind where it is below zero.
pub(super) fn ahead_by<F: Future>(seconds: i64, work: F) -> impl Future<Output = F::Output> {
    AHEAD.scope(seconds, work)
}

/// How far the clocks of the world that this runs in are ahead, in seconds.
pub(super) fn ahead() -> i64 {
    AHEAD.try_with(|seconds| *seconds).unwrap_or(0)
}

/// What time it is in the world that this runs in.
pub(super) fn time() -> SystemTime {
    let (real, ahead) = (SystemTime::now(), ahead());
    let by = Duration::from_secs(ahead.unsigned_abs());
    if ahead < 0 { real.checked_sub(by) } else { real.checked_add(by) }.unwrap_or(real)
}

/// The same in seconds since the epoch.
pub(super) fn now() -> i64 {
    let since = time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::authority::Authority;
    use crate::lab::authority::client_trusting;
    use crate::lab::world::Certificate;
    use crate::panic_guard::is_guarded;

    /// A service with a mistake on one path.
    struct Mistaken;

    impl Service for Mistaken {
        async fn answer(&self, request: Request) -> Response {
            assert!(is_guarded(), "a hook that ends the program must know");
            assert_ne!(request.path, "/mistake", "planted in a panic");
            Response::new(200, "text/plain", "served".to_owned())
        }
    }

    #[tokio::test]
    async fn a_panic_in_one_answer_is_told_there_and_the_next_is_served() {
        let (authority, port) = (Authority::new().unwrap(), Port::bind().unwrap());
        let manner = ServerOptions {
            idle_limit: None,
            delay: Duration::ZERO,
            inside: "inside".into(),
            ahead_s: 0,
            own_ahead_s: 0,
        };
        let (url, (stop, stopped)) = (port.url(), watch::channel(()));
        let tls = authority.server(Certificate::Valid).unwrap();
        let serving = port.serve(tls, Arc::new(Mistaken), manner, stopped).unwrap();
        let client = client_trusting(&authority.der(), "outside").unwrap();
        for (path, status, told) in [("/", 200, "served"), ("/mistake", 500, MISTAKE), ("/", 200, "served")] {
            let answer = client.get(format!("{url}{path}")).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.text().await.unwrap().trim_end(), told);
        }
        drop(stop);
        serving.await.unwrap();
    }
}
