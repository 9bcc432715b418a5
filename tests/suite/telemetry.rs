//! A check as an OpenTelemetry trace: what a collector on this machine gets, and what becomes of the check without one.

use std::collections::HashMap;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::secrets::planted::{Cloud, Manner, found};
use super::servers::{Authority, Server, Stream, VALID, authority, raw, tls_raw};
use super::support::{RunningLab, trustline};

const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const BROKEN: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 7\r\nconnection: close\r\n\r\nplanted";

/// Heads and bodies, in order of arrival.
type Log = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that keeps what it gets.
struct Collector {
    server: Server,
    received: Log,
}

impl Collector {
    fn answering(answer: &'static str) -> Collector {
        let received: Log = Arc::default();
        let log = received.clone();
        let server = raw(move |stream| take(stream, log.clone(), answer));
        Collector { server, received }
    }

    /// One that speaks TLS, with a certificate of this authority.
    fn over_tls(authority: &Authority) -> Collector {
        let received: Log = Arc::default();
        let log = received.clone();
        let server = tls_raw(authority.identity("localhost", VALID), move |stream| take(stream, log.clone(), OK));
        Collector { server, received }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    /// The spans of the one request that it got.
    fn spans(&self) -> Spans {
        let bodies = self.bodies();
        assert_eq!(bodies.len(), 1, "requests");
        let document: Value = serde_json::from_slice(&bodies[0]).unwrap();
        let scopes = document["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
        let spans = scopes.iter().flat_map(|scope| scope["spans"].as_array().unwrap().clone()).collect();
        Spans { all: spans, resource: attributes(&document["resourceSpans"][0]["resource"]) }
    }
}

/// Reads one request, keeps it, and answers; nothing where the answer is empty.
async fn take(mut stream: Box<dyn Stream>, log: Log, answer: &'static str) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    log.lock().unwrap().push((head, body));
    if answer.is_empty() {
        return std::future::pending().await;
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

struct Spans {
    all: Vec<Value>,
    resource: HashMap<String, Value>,
}

impl Spans {
    fn named(&self, name: &str) -> &Value {
        self.all.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no span {name}: {:#?}", self.all))
    }

    fn below<'s>(&'s self, parent: &Value) -> Vec<&'s Value> {
        self.all.iter().filter(|span| span["parentSpanId"] == parent["spanId"]).collect()
    }
}

/// Attributes by name, without their types.
fn attributes(of: &Value) -> HashMap<String, Value> {
    let plain = |value: &Value| value.as_object().unwrap().values().next().cloned().unwrap();
    let all = of["attributes"].as_array().unwrap().iter();
    all.map(|one| (one["key"].as_str().unwrap().to_owned(), plain(&one["value"]))).collect()
}

/// 0 nothing said, 1 all right, 2 an error.
fn status(span: &Value) -> u64 {
    span["status"]["code"].as_u64().unwrap_or_default()
}

fn nanoseconds(span: &Value, name: &str) -> u64 {
    span[name].as_str().unwrap().parse().unwrap()
}

/// A check of a scenario that sends JSON to an address.
fn check(scenario: &str, address: &str) -> Command {
    let mut command = trustline();
    command.args(["check", "--lab", scenario]).env("OTEL_EXPORTER_OTLP_ENDPOINT", address);
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    command
}

#[test]
fn a_check_is_one_trace_with_a_span_a_check_and_an_exchange_and_the_finding_on_its_root() {
    let collector = Collector::answering(OK);
    let before = u64::try_from(trustline::run::now_ms()).unwrap() * 1_000_000;
    let output = check("sub-mismatch", &collector.address()).args(["--output", "json"]).output().unwrap();
    let after = u64::try_from(trustline::run::now_ms() + 1).unwrap() * 1_000_000;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let spans = collector.spans();
    assert_eq!(spans.resource["service.name"], "trustline");
    assert_eq!(spans.resource["service.version"], env!("CARGO_PKG_VERSION"));

    let root = spans.named("trustline check");
    assert_eq!(root["parentSpanId"], "");
    assert!(spans.all.iter().all(|span| span["traceId"] == root["traceId"]), "one trace");
    assert_eq!((status(root), &attributes(root)["trustline.verdict"]), (2, &"fail".into()));
    let event = attributes(&root["events"][0]);
    assert_eq!(root["events"][0]["name"], "trustline.finding");
    for (name, value) in [
        ("trustline.cause", "sub-mismatch"),
        ("trustline.certainty", "proven"),
        ("trustline.check.id", "trust.policy"),
        ("trustline.guide", "aws-workload-identity"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }

    let checks = spans.below(root);
    let reported = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), reported.len(), "a span a check");
    let mut seen = HashMap::new();
    for of_report in reported {
        let span = spans.named(of_report["id"].as_str().unwrap());
        let outcome = of_report["status"].as_str().or(of_report["outcome"].as_str()).unwrap();
        assert_eq!(attributes(span)["trustline.check.outcome"], outcome);
        let expected = match outcome {
            "pass" | "warn" => 1,
            "fail" => 2,
            _ => 0,
        };
        assert_eq!(status(span), expected, "{outcome}: {span:#}");
        *seen.entry(outcome).or_insert(0) += 1;
    }
    assert!(seen.contains_key("pass") && seen.contains_key("fail") && seen.contains_key("skipped"), "{seen:?}");

    let exchanges: Vec<&Value> = checks.iter().flat_map(|check| spans.below(check)).collect();
    assert_eq!(spans.all.len(), 1 + checks.len() + exchanges.len(), "no span stands elsewhere");
    let get = |path: &str| {
        let of_path = |span: &&&Value| attributes(span)["url.path"].as_str().unwrap().ends_with(path);
        let found: Vec<&&Value> = exchanges.iter().filter(of_path).collect();
        assert_eq!(found.len(), 1, "{path}: {exchanges:#?}");
        (attributes(found[0]), *found[0])
    };
    let (discovery, span) = get("/.well-known/openid-configuration");
    assert_eq!((span["name"].as_str(), span["kind"].as_u64(), status(span)), (Some("GET"), Some(3), 0));
    assert_eq!(discovery["http.request.method"], "GET");
    assert_eq!(discovery["server.address"], "127.0.0.1");
    assert_eq!(discovery["url.scheme"], "https");
    assert_eq!(discovery["http.response.status_code"].to_string().trim_matches('"'), "200");
    assert_eq!(discovery["tls.protocol.version"], "1.3");
    assert!(discovery["trustline.tls.ms"].as_f64().unwrap() > 0.0, "{discovery:?}");

    let (start, end) = ("startTimeUnixNano", "endTimeUnixNano");
    for span in &spans.all {
        let (started, ended) = (nanoseconds(span, start), nanoseconds(span, end));
        assert!(before <= started + 1_000_000 && started <= ended && ended <= after, "{span:#}");
    }
    let last = checks.iter().map(|check| nanoseconds(check, end)).max().unwrap();
    assert!(nanoseconds(root, end) + 1_000_000 >= last, "the root lasts as long as its checks");
    assert!(exchanges.iter().any(|span| nanoseconds(span, end) > nanoseconds(span, start)));
}

#[test]
fn what_could_not_be_checked_is_no_error() {
    let collector = Collector::answering(OK);
    let lab = RunningLab::start("healthy");
    let output = trustline()
        .args(["check", "--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")])
        .args(["--set", "aws.secretsmanager-endpoint-url=https://localhost:1"])
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/own", collector.address()))
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(1 | 3)), "{output:?}");
    let spans = collector.spans();
    assert!(collector.received.lock().unwrap()[0].0.starts_with("POST /own HTTP/1.1"));
    let failed: Vec<&Value> = spans.all.iter().filter(|span| attributes(span).contains_key("error.type")).collect();
    assert!(failed.iter().any(|span| attributes(span)["error.type"] == "refused" && status(span) == 2), "{failed:#?}");
    let undecided = spans.all.iter().filter(|span| {
        attributes(span).get("trustline.check.outcome").is_some_and(|o| o == "inconclusive" || o == "skipped")
    });
    assert!(undecided.map(status).all(|code| code == 0));
}

#[test]
fn the_span_of_whoever_started_it_is_its_parent_and_the_resource_is_as_the_variables_say() {
    let collector = Collector::answering(OK);
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let output = check("healthy", &collector.address())
        .env("TRACEPARENT", format!("00-{trace}-{parent}-01"))
        .env("OTEL_SERVICE_NAME", "nightly")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,service.name=other")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary-header,x-scope=7")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let spans = collector.spans();
    let root = spans.named("trustline check");
    assert_eq!((root["traceId"].as_str(), root["parentSpanId"].as_str()), (Some(trace), Some(parent)));
    assert_eq!(status(root), 1);
    assert_eq!(spans.resource["service.name"], "nightly");
    assert_eq!(spans.resource["deployment.environment.name"], "staging");
    let head = collector.received.lock().unwrap()[0].0.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer canary-header") && head.contains("x-scope: 7"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let printed = [output.stdout, output.stderr, collector.bodies().remove(0)].concat();
    assert!(!String::from_utf8_lossy(&printed).contains("canary-header"));
}

#[test]
fn a_trace_that_its_parent_did_not_sample_and_a_switched_off_one_are_not_sent() {
    for (name, value) in [
        ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let collector = Collector::answering(OK);
        let output = check("healthy", &collector.address()).env(name, value).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{name}");
        assert_eq!(collector.bodies().len(), 0, "{name}");
    }
}

#[test]
fn nothing_secret_is_sent() {
    for (manner, protocol) in
        [(Manner::Well, "http/json"), (Manner::Quotes, "http/json"), (Manner::QuotesLater, "http/protobuf")]
    {
        for cloud in [Cloud::aws(manner), Cloud::azure(manner)] {
            let collector = Collector::answering(OK);
            let output = trustline()
                .arg("check")
                .args(cloud.arguments())
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .output()
                .unwrap();
            let bodies = collector.bodies();
            assert_eq!(bodies.len(), 1, "{}", String::from_utf8_lossy(&output.stderr));
            assert!(bodies[0].windows(5).any(|text| text == b"token"), "the checks are in it");
            assert_eq!(found(&bodies[0], &cloud.secrets()), Vec::<String>::new(), "{manner:?}");
        }
    }
}

#[test]
fn protobuf_is_what_is_sent_unless_something_else_is_asked_for() {
    let collector = Collector::answering(OK);
    let mut command = check("healthy", &collector.address());
    assert_eq!(command.env_remove("OTEL_EXPORTER_OTLP_PROTOCOL").output().unwrap().status.code(), Some(0));
    let (head, body) = collector.received.lock().unwrap().remove(0);
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-protobuf"), "{head}");
    for name in ["trustline check", "issuer.discovery", "http.request.method", "service.name"] {
        // A text stands behind its length.
        let text = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        assert!(memchr::memmem::find(&body, &text).is_some(), "{name}");
    }
}

#[test]
fn what_is_compressed_is_the_same_trace() {
    let collector = Collector::answering(OK);
    let output = check("healthy", &collector.address()).env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip").output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let (head, body) = collector.received.lock().unwrap().remove(0);
    assert!(head.to_ascii_lowercase().contains("content-encoding: gzip"), "{head}");
    let document: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&body[..])).unwrap();
    assert!(document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len() > 5);
}

#[test]
fn a_collector_is_believed_on_the_word_of_the_authorities_that_everything_else_is() {
    let authority = authority("Telemetry");
    let collector = Collector::over_tls(&authority);
    let address = format!("https://localhost:{}", collector.server.port);
    let output = check("healthy", &address).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), collector.bodies().len()), (Some(0), 0), "{said}");
    assert!(said.contains("the certificate is from an unknown authority"), "{said}");
    let file = authority.file.path().to_str().unwrap();
    let output = check("healthy", &address).args(["--ca-file", file]).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    assert_eq!(collector.bodies().len(), 1);
}

#[test]
fn a_signal_ends_the_wait_for_a_collector_and_not_the_verdict() {
    let collector = Collector::answering("");
    let mut process = std::process::Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
        .args(["check", "--lab", "healthy"])
        .env_clear()
        .env("TRUSTLINE_CONFIG_DIR", "/nonexistent/trustline")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while collector.bodies().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(50), "nothing came");
        std::thread::yield_now();
    }
    kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGINT).unwrap();
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert!(said.starts_with("trustline: the trace was not sent: ") && said.contains("interrupted"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(60), "it waited on");
}

#[test]
fn no_collector_changes_how_a_check_ends_and_one_line_says_so() {
    let (slow, broken) = (Collector::answering(""), Collector::answering(BROKEN));
    for (scenario, code) in [("healthy", 0), ("sub-mismatch", 1)] {
        for (address, words) in [
            ("http://127.0.0.1:1".to_owned(), "the connection was refused"),
            (slow.address(), "no answer in time"),
            (broken.address(), "503"),
            ("nowhere".to_owned(), "OTEL_EXPORTER_OTLP_ENDPOINT is no address"),
        ] {
            let began = Instant::now();
            let output = check(scenario, &address).env("OTEL_EXPORTER_OTLP_TIMEOUT", "300").output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(began.elapsed() < Duration::from_secs(60), "bounded");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with("trustline: the trace was not sent: ") && said.contains(words), "{said}");
            assert!(!said.contains("planted"), "{said}");
            assert!(!output.stdout.is_empty());
        }
    }
    let output = check("healthy", &slow.address()).env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`, which is not supported"), "{said}");
}

#[test]
fn every_profile_of_all_has_a_trace_of_its_own_in_one_request() {
    let collector = Collector::answering(OK);
    let lab = RunningLab::start("healthy");
    let config = tempfile::tempdir().unwrap();
    std::fs::create_dir(config.path().join("profiles")).unwrap();
    let mut profile = std::fs::read_to_string(lab.file("profile.toml")).unwrap();
    for entry in std::fs::read_dir(&lab.folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        profile = profile.replace(&format!("{name:?}"), &format!("{:?}", lab.file(&name)));
    }
    for name in ["one", "two"] {
        std::fs::write(config.path().join("profiles").join(format!("{name}.toml")), &profile).unwrap();
    }
    let output = trustline()
        .args(["check", "--all", "--ca-file", &lab.file("ca.pem")])
        .env("TRUSTLINE_CONFIG_DIR", config.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let spans = collector.spans();
    let roots: Vec<&Value> = spans.all.iter().filter(|span| span["parentSpanId"] == "").collect();
    let mut names: Vec<Value> = roots.iter().map(|root| attributes(root)["trustline.profile"].clone()).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["one", "two"]);
    assert_ne!(roots[0]["traceId"], roots[1]["traceId"]);
}

#[test]
fn the_help_of_check_names_the_variable_and_that_of_others_does_not() {
    for (command, is_named) in [("check", true), ("explain", false)] {
        let help = trustline().args([command, "--help"]).output().unwrap().stdout;
        assert_eq!(String::from_utf8(help).unwrap().contains("OTEL_EXPORTER_OTLP_ENDPOINT"), is_named, "{command}");
    }
}

#[test]
fn config_show_says_where_traces_go() {
    let show = |address: Option<&str>| {
        let mut command = trustline();
        command.args(["config", "show", "--output", "json"]);
        command.envs(address.map(|address| ("OTEL_EXPORTER_OTLP_ENDPOINT", address)));
        let document: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let all = document["settings"].as_array().unwrap();
        let found = all.iter().find(|of| of["name"] == "telemetry").unwrap();
        (found["value"].as_str().unwrap().to_owned(), found["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(show(None), ("off".to_owned(), "built in".to_owned()));
    let (value, from) = show(Some("https://collector.example:4318?key=planted"));
    assert!(value.starts_with("https://collector.example:4318/") && !value.contains("planted"), "{value}");
    assert_eq!(from, "OTEL_EXPORTER_OTLP_ENDPOINT");
}
