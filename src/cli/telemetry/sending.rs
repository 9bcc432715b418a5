//! Sends finished runs to the collector, at most for the time that it may take, and says in a line where that did not work.

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector, TelemetryResourceDetector};

use super::collector::Collector;
use super::spans;
use crate::cli::flags::NetworkArgs;
use crate::cli::network;
use crate::cli::settings::variable;
use crate::cli::terminal::{self, Signals};
use crate::domain::text::visible;
use crate::domain::timestamp::UnixMillis;
use crate::probe::collector::Export;
use crate::run::report::Report;

/// Sends runs, each with when it began, where the environment names a collector. Changes nothing about how the program ends.
pub(in crate::cli) fn send(runs: &[(UnixMillis, &Report)], network: &NetworkArgs) {
    let sent = match Collector::named(&variable) {
        Ok(None) => return,
        Ok(Some(collector)) => {
            sent(&collector, runs, network).map_err(|why| format!("{}: {}", collector.shown(), visible(&why)))
        }
        Err(why) => Err(why),
    };
    if let Err(why) = sent {
        terminal::note(&format!("trustline: the trace was not sent: {why}"));
    }
}

/// Where traces go, and what says so.
pub(in crate::cli) fn in_force() -> (String, String) {
    match Collector::named(&variable) {
        Ok(None) => ("off".to_owned(), "built in".to_owned()),
        Ok(Some(collector)) => (collector.shown(), collector.named_by.to_owned()),
        Err(why) => (format!("not sent: {why}"), "the environment".to_owned()),
    }
}

fn sent(collector: &Collector, runs: &[(UnixMillis, &Report)], network: &NetworkArgs) -> Result<(), String> {
    let spans = spans::of(runs, &parent());
    if spans.is_empty() {
        return Ok(());
    }
    let stack = network.collector_stack(collector.timeout, collector.proxy()).map_err(|error| error.message)?;
    let runtime = network::runtime().map_err(|error| error.message)?;
    let export = Export {
        endpoint: &collector.endpoint,
        protocol: collector.protocol,
        timeout: collector.timeout,
        resource: resource(),
    };
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(|error| error.message)?;
        tokio::select! {
            sent = export.send(spans, stack) => sent,
            _ = signals.next() => Err("interrupted".to_owned()),
        }
    });
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

/// The span that this run belongs to, as a CI system hands it on.
fn parent() -> Context {
    let mut headers = http::HeaderMap::new();
    for (name, of) in [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE")] {
        if let Some(value) = variable(of).and_then(|value| http::HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(&headers))
}

/// Who sends: `OTEL_SERVICE_NAME`, else `OTEL_RESOURCE_ATTRIBUTES`, else the program's name.
fn resource() -> Resource {
    let detectors: [Box<dyn ResourceDetector>; 2] =
        [Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())];
    let resource = Resource::builder_empty()
        .with_service_name(env!("CARGO_PKG_NAME"))
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&detectors);
    match variable("OTEL_SERVICE_NAME").filter(|name| !name.is_empty()) {
        Some(name) => resource.with_service_name(name),
        None => resource,
    }
    .build()
}
