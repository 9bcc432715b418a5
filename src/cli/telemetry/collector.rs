//! Where a trace goes, by the variables that OpenTelemetry's specification of its OTLP exporter names.

use std::time::Duration;

use opentelemetry_otlp::Protocol;
use url::Url;

use crate::domain::discovery::is_loopback;
use crate::domain::text::visible;
use crate::probe::http::ProxyUse;

/// What it may cost where nothing is said, and at most. The specification has the first.
const USUAL: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(60);

/// A collector of traces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collector {
    pub endpoint: Url,
    /// The variable that names it.
    pub named_by: &'static str,
    pub protocol: Protocol,
    /// The most that sending may take.
    pub timeout: Duration,
}

impl Collector {
    /// The one that the variables name, if they do.
    ///
    /// # Errors
    /// A variable has a value that cannot be used, in a sentence that repeats no header.
    pub fn named(value_of: &dyn Fn(&str) -> Option<String>) -> Result<Option<Collector>, String> {
        let set = |name: &str| value_of(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let is = |name: &str, word: &str| set(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let Some((named_by, endpoint)) = endpoint(&set) else { return Ok(None) };
        let unusable = |why: &str| Err(format!("{named_by} {why}"));
        let Some(endpoint) = endpoint else {
            return unusable("is no address; write one such as https://collector.example:4318");
        };
        if !matches!(endpoint.scheme(), "http" | "https") || endpoint.host_str().is_none() {
            return unusable("is not an address with http:// or https://");
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return unusable(
                "has a user name or a password in it; put an authorization into OTEL_EXPORTER_OTLP_HEADERS",
            );
        }
        let of_traces = |general: &'static str, own: &'static str| {
            [own, general].into_iter().find_map(|name| Some((name, set(name)?)))
        };
        let headers = of_traces("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS");
        if let Some((headers, _)) = headers.filter(|_| endpoint.scheme() == "http" && !is_loopback(&endpoint)) {
            return Err(format!(
                "{headers} would cross the network unencrypted; write https:// in {named_by}, or unset the headers"
            ));
        }
        let protocol =
            protocol(of_traces("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").as_ref())?;
        let timeout = timeout(of_traces("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").as_ref())?;
        Ok(Some(Collector { endpoint, named_by, protocol, timeout }))
    }

    /// Its address without a query, which may hold a key.
    pub fn shown(&self) -> String {
        let mut shown = self.endpoint.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        visible(shown.as_str()).into_owned()
    }

    /// No proxy stands before what is on this machine.
    pub fn proxy(&self) -> ProxyUse {
        if is_loopback(&self.endpoint) { ProxyUse::None } else { ProxyUse::Environment }
    }
}

/// The variable that names the address, and the address as it is dialled, where it is one.
fn endpoint(set: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, Option<Url>)> {
    let (own, general) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
    if let Some(address) = set(own) {
        return Some((own, Url::parse(&address).ok()));
    }
    // The general one is the address that every signal has a path below.
    let below = |mut base: Url| {
        base.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "traces"]);
        Some(base)
    };
    set(general).map(|base| (general, Url::parse(&base).ok().and_then(below)))
}

fn protocol(named: Option<&(&'static str, String)>) -> Result<Protocol, String> {
    match named.map(|(name, value)| (name, value.as_str())) {
        None | Some((_, "http/protobuf")) => Ok(Protocol::HttpBinary),
        Some((_, "http/json")) => Ok(Protocol::HttpJson),
        Some((name, other)) => {
            Err(format!("{name} is `{}`, which is not supported; write http/protobuf or http/json", visible(other)))
        }
    }
}

fn timeout(named: Option<&(&'static str, String)>) -> Result<Duration, String> {
    let Some((name, value)) = named else { return Ok(USUAL) };
    let given = value.parse().ok().map(Duration::from_millis).filter(|given| !given.is_zero() && *given <= LONGEST);
    given.ok_or_else(|| format!("{name} is not between 1 and {} milliseconds", LONGEST.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example:4318");

    fn named(set: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        Collector::named(&|name| set.iter().rfind(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_variables_say_where_traces_go_and_how() {
        let of = |set: &[(&str, &str)]| {
            let found = named(set).unwrap()?;
            Some((found.endpoint.to_string(), found.protocol, found.timeout.as_millis()))
        };
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://own.example/traces");
        let all = "https://collector.example:4318/v1/traces".to_owned();
        for (set, expected) in [
            (&[][..], None),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
            (&[BASE, ("OTEL_SDK_DISABLED", "True")], None),
            (&[BASE, ("OTEL_TRACES_EXPORTER", "none")], None),
            (&[BASE], Some((all.clone(), Protocol::HttpBinary, 10_000))),
            (&[BASE, ("OTEL_SDK_DISABLED", "false")], Some((all.clone(), Protocol::HttpBinary, 10_000))),
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/base/")],
                Some(("http://localhost:4318/base/v1/traces".to_owned(), Protocol::HttpBinary, 10_000)),
            ),
            (&[BASE, own], Some((own.1.to_owned(), Protocol::HttpBinary, 10_000))),
            (
                &[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "250")],
                Some((all.clone(), Protocol::HttpJson, 250)),
            ),
            (
                &[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")],
                Some((all, Protocol::HttpJson, 10_000)),
            ),
        ] {
            assert_eq!(of(set), expected, "{set:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_no_header_shown() {
        let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=planted");
        let at = |address| ("OTEL_EXPORTER_OTLP_ENDPOINT", address);
        for (set, words) in [
            (&[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")][..], "http/protobuf or http/json"),
            (&[BASE, ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")], "OTEL_EXPORTER_OTLP_TIMEOUT is not between"),
            (&[BASE, ("OTEL_EXPORTER_OTLP_TIMEOUT", "0")], "between 1 and 60000"),
            (&[BASE, ("OTEL_EXPORTER_OTLP_TIMEOUT", "60001")], "between 1 and 60000"),
            (&[at("collector")], "is no address"),
            (&[at("ftp://collector.example")], "http:// or https://"),
            (&[at("https://me:planted@collector.example")], "has a user name"),
            (&[at("http://collector.example:4318"), headers], "unencrypted"),
        ] {
            let said = named(set).unwrap_err();
            assert!(said.contains(words) && !said.contains("planted"), "{said}");
        }
        for allowed in [&[at("http://collector.example:4318")][..], &[at("http://127.0.0.1:4318"), headers]] {
            assert!(named(allowed).unwrap().is_some(), "{allowed:?}");
        }
    }
}
