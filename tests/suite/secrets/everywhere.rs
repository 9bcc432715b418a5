//! Every scenario of the lab, with what the lab holds and hands out as the secrets that must not show: in every form of
//! the report, and in a recording.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use trustline::domain::profile::document;
use trustline::domain::profile::resolve::resolve;
use trustline::lab::World;
use trustline::lab::world::ServiceUrls;
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};
use trustline::report::ansi::TextFormat;
use trustline::report::run::page;
use trustline::report::{json, junit, markdown};
use trustline::run::plan::{Limits, Selection};
use trustline::run::probes::NetworkProbes;
use trustline::run::record::{Recorder, SCHEMA};
use trustline::run::report::Report;
use trustline::run::runner::{self, RunRequest};

use super::planted::found;
use crate::support::RunningLab;

/// How many scenarios run at once; they wait more than they work.
const AT_ONCE: usize = 6;
/// Anything shorter could stand anywhere by chance.
const SHORTEST: usize = 8;
/// What stands without a break is a session's token if it is as long as this; nothing else in a report is.
const LONGEST_RUN: usize = 200;

/// What the lab's clouds hold in a world, of whichever service.
fn held(scenario: &str) -> Vec<String> {
    let world = World::scenario(scenario).unwrap().describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap();
    let exposed = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
    let mut values: Vec<String> = Vec::new();
    for secret in world.aws.secrets.values() {
        values.extend(secret.versions.iter().filter_map(|version| version.value.as_ref()).map(exposed));
    }
    for secret in world.azure.vault.secrets.values().chain(world.azure.second_vault.values()) {
        values.extend(secret.versions.iter().map(|version| exposed(&version.value)));
    }
    let fields: Vec<String> = values
        .iter()
        .filter_map(|value| serde_json::from_str::<Value>(value).ok())
        .flat_map(|value| value.as_object().into_iter().flat_map(|fields| fields.values()).cloned().collect::<Vec<_>>())
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    values.extend(fields);
    values.extend(world.aws.users.values().map(|user| user.secret_access_key.clone()));
    values.extend(world.azure.apps.values().flat_map(|app| &app.client_secrets).map(|secret| exposed(&secret.value)));
    values.push(exposed(&world.deployment.token));
    values
}

/// The secrets of a scenario: what its clouds hold, and what its user has on disk.
fn secrets(scenario: &str, lab: &RunningLab) -> Vec<(&'static str, String)> {
    let mut secrets: Vec<(&'static str, String)> =
        held(scenario).into_iter().map(|value| ("what a cloud holds", value)).collect();
    for (name, file) in
        [("the client secret", "client-secret"), ("the bearer token", "deployment-token"), ("the token", "token.jwt")]
    {
        let text = fs::read_to_string(lab.file(file)).unwrap_or_default();
        secrets
            .extend(text.split('.').filter(|_| file == "token.jwt").map(|s| ("a segment of the token", s.to_owned())));
        secrets.push((name, text));
    }
    let key_file = fs::read_to_string(lab.file("service-account-key.json")).unwrap_or_default();
    secrets.extend(key_file.split("\\n").map(|line| ("a line of the private key", line.to_owned())));
    let keys = fs::read_to_string(lab.file("accessKeys.csv")).unwrap_or_default();
    secrets.extend(keys.lines().filter_map(|l| l.rsplit(',').next()).map(|key| ("the access key", key.to_owned())));
    secrets.retain(|(_, secret)| secret.trim().len() >= SHORTEST && *secret != "Secret access key");
    secrets
}

/// Runs a scenario's checks, and says what of its secrets the outputs hold.
async fn leaks(scenario: &str) -> Vec<String> {
    let lab = RunningLab::start(scenario);
    let path = lab.file("profile.toml");
    let (file, problems) = document::parse(&fs::read_to_string(&path).unwrap(), Path::new(&path));
    assert!(problems.is_empty(), "{scenario}: {problems:?}");
    let settings = HttpSettings {
        ca_pem: Some(fs::read(lab.file("ca.pem")).unwrap()),
        ca_of_clients: Vec::new(),
        timeout: Duration::from_secs(6),
        proxy: ProxyUse::None,
    };
    let probes = NetworkProbes { http: HttpStack::new(&settings).unwrap(), timeout: settings.timeout };
    let request = RunRequest {
        profile: resolve("p", &[], &file, &|_| None).unwrap().profile,
        selection: Selection { only: Vec::new(), skip: Vec::new() },
        limits: Limits { total: Duration::from_secs(20), wait: Duration::ZERO },
        now: time::OffsetDateTime::now_utc().unix_timestamp(),
    };
    let mut events = runner::start(request, Arc::new(probes), CancellationToken::new());
    let (mut report, mut recording) = (Report::default(), Vec::new());
    let mut recorder = Recorder::begin(&mut recording, SCHEMA).unwrap();
    while let Some(event) = events.recv().await {
        recorder.write(&event).unwrap();
        report.apply(&event);
    }
    assert!(report.end.is_some(), "{scenario}");
    let outputs = [
        ("text", TextFormat::PLAIN.render(&page(&report, markdown::CONTEXT))),
        ("json", format!("{:#}", json::report(&report))),
        ("junit", junit::report(&report)),
        ("markdown", markdown::render(&page(&report, markdown::CONTEXT))),
        ("the recording", String::from_utf8(recording).unwrap()),
    ];
    let secrets = secrets(scenario, &lab);
    assert!(secrets.len() > 6, "{scenario}: {}", secrets.len());
    let mut leaks = Vec::new();
    for (form, output) in &outputs {
        leaks.extend(found(output.as_bytes(), &secrets));
        // What the clouds handed out is known by its looks alone.
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
        // A folder's name of chance may have three such letters, and has no eleven.
        let is_token = |at: usize| output[at..].chars().take_while(|c| is_part(*c)).count() > 10;
        if output.match_indices("eyJ").any(|(at, _)| is_token(at)) {
            leaks.push("a token".to_owned());
        }
        if let Some(run) = output.split(|c| !is_part(c)).find(|run| run.len() >= LONGEST_RUN) {
            leaks.push(format!("what may be a session's token: {run}"));
        }
        for leak in leaks.iter_mut().filter(|leak| !leak.starts_with(scenario)) {
            *leak = format!("{scenario}: {form} holds {leak}");
        }
    }
    leaks
}

#[test]
fn no_scenario_shows_what_the_lab_holds() {
    let scenarios = World::list().unwrap();
    assert!(scenarios.len() >= 100, "{}", scenarios.len());
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let leaks = runtime.block_on(leaks(&scenario.name));
                    all.lock().unwrap().extend(leaks);
                }
                runtime.shutdown_background();
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert!(all.is_empty(), "{}", all.join("\n"));
}
