//! A report as spans: one for the run, one for each check below it, one for each HTTP exchange below its check. They hold ids,
//! hosts and paths; no token, no claim, no value, no sentence. Names are those of OpenTelemetry's semantic conventions where these
//! have one.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::cause::Finding;
use crate::check::Outcome;
use crate::check::facts::network::Hop;
use crate::domain::timestamp::UnixMillis;
use crate::run::event::{FinishedCheck, RunVerdict};
use crate::run::report::Report;

/// The spans of runs, each with when it began: a trace a run, or below `parent`, where there is one. None where the sampler that
/// the environment names takes none.
pub(super) fn of(runs: &[(UnixMillis, &Report)], parent: &Context) -> Vec<SpanData> {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder().with_span_processor(kept.clone()).build();
    let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION")).build();
    let tracer = provider.tracer_with_scope(scope);
    for (began, report) in runs {
        Run { tracer: &tracer, began: *began, sent: HashSet::new() }.add(report, parent);
    }
    kept.take()
}

/// Keeps the spans that have ended.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl Kept {
    fn take(&self) -> Vec<SpanData> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

struct Run<'t> {
    tracer: &'t SdkTracer,
    began: UnixMillis,
    /// The exchanges that have a span: several checks may rest on one.
    sent: HashSet<(UnixMillis, String, String)>,
}

impl Run<'_> {
    fn add(&mut self, report: &Report, parent: &Context) {
        let Some(end) = &report.end else { return };
        let duration = end.duration_ms as f64;
        let verdict = match end.verdict {
            RunVerdict::Pass => "pass",
            RunVerdict::Fail => "fail",
            RunVerdict::Inconclusive => "inconclusive",
        };
        let ended = self.at(duration);
        let root = SpanBuilder::from_name("trustline check")
            .with_kind(SpanKind::Internal)
            .with_attributes([
                KeyValue::new("trustline.profile", report.profile.clone()),
                KeyValue::new("trustline.guide", report.guide.clone()),
                KeyValue::new("trustline.verdict", verdict),
            ])
            .with_events(report.findings.iter().map(|finding| event(finding, ended)).collect());
        let status = match end.verdict {
            RunVerdict::Fail => Status::error(report.roots().next().map_or("", |root| root.cause.id())),
            RunVerdict::Pass => Status::Ok,
            RunVerdict::Inconclusive => Status::Unset,
        };
        let root = self.span(root, status, (0.0, duration), parent);
        for check in report.finished() {
            self.check(check, &below(root.clone()));
        }
    }

    fn check(&mut self, check: &FinishedCheck, parent: &Context) {
        let outcome = match check.outcome {
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Fail => "fail",
            Outcome::Skipped => "skipped",
            Outcome::Inconclusive => "inconclusive",
        };
        let cause = check.findings.first().map(|finding| finding.cause.id());
        let mut attributes =
            vec![KeyValue::new("trustline.check.id", check.id.id()), KeyValue::new("trustline.check.outcome", outcome)];
        attributes.extend(cause.map(|cause| KeyValue::new("trustline.cause", cause)));
        attributes.extend(check.blocked_by.map(|by| KeyValue::new("trustline.check.blocked_by", by.id())));
        let status = match check.outcome {
            Outcome::Fail => Status::error(cause.unwrap_or_default()),
            Outcome::Pass | Outcome::Warn => Status::Ok,
            Outcome::Skipped | Outcome::Inconclusive => Status::Unset,
        };
        let span = SpanBuilder::from_name(check.id.id()).with_kind(SpanKind::Internal).with_attributes(attributes);
        let time = (check.started_ms as f64, check.duration_ms as f64);
        let span = self.span(span, status, time, parent);
        let mut exchanges = Vec::new();
        collect(&Value::Object(check.facts.clone()), &mut exchanges);
        for exchange in exchanges {
            self.exchange(&exchange, &below(span.clone()));
        }
    }

    fn exchange(&mut self, exchange: &Exchange, parent: &Context) {
        if !self.sent.insert((exchange.started_unix_ms, exchange.method.clone(), exchange.url.clone())) {
            return;
        }
        let error = match (&exchange.failure, exchange.status) {
            (Some(failure), _) => Some(failure.kind.clone()),
            (None, Some(status @ 400..)) => Some(status.to_string()),
            (None, _) => None,
        };
        let mut attributes = exchange.attributes();
        attributes.extend(error.clone().map(|kind| KeyValue::new("error.type", kind)));
        let span =
            SpanBuilder::from_name(exchange.method.clone()).with_kind(SpanKind::Client).with_attributes(attributes);
        let start = (exchange.started_unix_ms - self.began) as f64;
        self.span(span, error.map_or(Status::Unset, Status::error), (start, exchange.duration_ms), parent);
    }

    /// A span from so many milliseconds of the run on, for so many.
    fn span(&self, span: SpanBuilder, status: Status, (start, duration): (f64, f64), parent: &Context) -> SpanContext {
        let mut span = span.with_start_time(self.at(start)).start_with_context(self.tracer, parent);
        span.set_status(status);
        span.end_with_timestamp(self.at(start + duration));
        span.span_context().clone()
    }

    /// The moment so many milliseconds after the run began, which an exchange may precede by a fraction.
    fn at(&self, offset_ms: f64) -> SystemTime {
        let since = (self.began as f64 + offset_ms).max(0.0);
        UNIX_EPOCH + Duration::try_from_secs_f64(since / 1e3).unwrap_or_default()
    }
}

fn below(span: SpanContext) -> Context {
    Context::new().with_remote_span_context(span)
}

fn event(finding: &Finding, at: SystemTime) -> Event {
    let certainty = match finding.certainty {
        crate::cause::Certainty::Proven => "proven",
        crate::cause::Certainty::Likely => "likely",
        crate::cause::Certainty::Possible => "possible",
    };
    let mut attributes = vec![
        KeyValue::new("trustline.cause", finding.cause.id()),
        KeyValue::new("trustline.certainty", certainty),
        KeyValue::new("trustline.check.id", finding.check.id()),
    ];
    attributes.extend(finding.follows_from.map(|root| KeyValue::new("trustline.follows_from", root.id())));
    attributes.extend(finding.guide.clone().map(|guide| KeyValue::new("trustline.guide", guide)));
    attributes.extend(finding.step.map(|step| KeyValue::new("trustline.guide.step", i64::from(step))));
    attributes.extend(finding.setting.clone().map(|key| KeyValue::new("trustline.setting", key)));
    Event::new("trustline.finding", at, attributes, 0)
}

/// An exchange, as it stands among a check's facts.
#[derive(Deserialize)]
struct Exchange {
    method: String,
    url: String,
    started_unix_ms: UnixMillis,
    duration_ms: f64,
    #[serde(default)]
    hops: Vec<Hop>,
    status: Option<u16>,
    http_version: Option<String>,
    connected: Option<IpAddr>,
    tls: Option<Tls>,
    failure: Option<Failure>,
}

#[derive(Deserialize)]
struct Tls {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    kind: String,
}

impl Exchange {
    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = vec![KeyValue::new("http.request.method", self.method.clone())];
        if let Ok(url) = Url::parse(&self.url) {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            attributes.push(KeyValue::new("server.address", host));
            attributes.extend(url.port_or_known_default().map(|port| KeyValue::new("server.port", i64::from(port))));
            attributes.push(KeyValue::new("url.scheme", url.scheme().to_owned()));
            attributes.push(KeyValue::new("url.path", url.path().to_owned()));
        }
        attributes.extend(self.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
        let after = |text: &Option<String>, prefix: &str| text.as_deref()?.strip_prefix(prefix).map(str::to_owned);
        let http = after(&self.http_version, "HTTP/");
        attributes.extend(http.map(|version| KeyValue::new("network.protocol.version", version)));
        attributes.extend(self.connected.map(|ip| KeyValue::new("network.peer.address", ip.to_string())));
        let tls = self.tls.as_ref().and_then(|tls| after(&tls.version, "TLS "));
        attributes.extend(tls.map(|version| KeyValue::new("tls.protocol.version", version)));
        let hops = self.hops.iter();
        attributes.extend(hops.map(|hop| KeyValue::new(format!("trustline.{}.ms", hop.name.id()), hop.duration_ms)));
        attributes
    }
}

/// Every exchange within a check's facts, however deep.
fn collect(value: &Value, found: &mut Vec<Exchange>) {
    match value {
        Value::Object(map) => {
            if map.contains_key("hops") {
                found.extend(Exchange::deserialize(value).ok());
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
