//! The lab's deployment, called by our client: what it refuses, and what each of its automations makes of a rotation.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use trustline::check::facts::deployment::{Kickoff, RunState, RunStatus};
use trustline::check::facts::secret::{Answer, Call};
use trustline::domain::fingerprint::Fingerprint;
use trustline::lab::{Lab, LabOptions, World};
use trustline::probe::deployment::{DeploymentTarget, Pace};
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};

use super::client::{Credentials, Site};

const PACE: Pace =
    Pace { first: Duration::from_millis(10), longest: Duration::from_millis(100), total: Duration::from_secs(30) };
const ROTATED: &str = "rotated value";

fn http(lab: &Lab) -> HttpStack {
    let ca_pem = Some(lab.ca_pem.clone().into_bytes());
    HttpStack::new(&HttpSettings {
        ca_pem,
        ca_of_clients: Vec::new(),
        timeout: Duration::from_secs(20),
        proxy: ProxyUse::None,
    })
    .unwrap()
}

fn target(lab: &Lab) -> DeploymentTarget {
    let own = &lab.profile.deployment;
    DeploymentTarget::new(http(lab), own.url.as_deref().unwrap(), Some(own.token.clone())).unwrap()
}

fn start(text: &str) -> Lab {
    Lab::start(&World::parse(text).unwrap(), LabOptions::default()).unwrap()
}

async fn run(deployment: &DeploymentTarget) -> RunStatus {
    let fact = deployment.kickoff(&Map::new()).await;
    let kickoff = fact.call.granted().unwrap_or_else(|| panic!("{fact:?}"));
    let followed = deployment.follow(kickoff, PACE, |_| {}).await;
    followed.call.granted().unwrap_or_else(|| panic!("{followed:?}")).clone()
}

fn status<T: std::fmt::Debug>(call: &Call<T>) -> u16 {
    call.refusal().unwrap_or_else(|| panic!("{call:?}")).http_status
}

#[tokio::test]
async fn a_run_is_followed_from_kickoff_to_fingerprint() {
    for (world, resolved) in [
        ("[deployment]\ntakes-ms = 60", 1),
        ("[deployment]\nanswers = 'older'\ntakes-ms = 60", 1),
        ("guide = 'azure-workload-identity'\n[token.claims]\naud = 'api://AzureADTokenExchange'", 1),
    ] {
        let lab = start(world);
        let deployment = target(&lab);
        let fact = deployment.kickoff(&Map::new()).await;
        let mut states = Vec::new();
        let told = |call: &Call<RunStatus>| states.extend(call.granted().map(|status| status.state));
        let followed = deployment.follow(fact.call.granted().unwrap(), PACE, told).await;
        assert_eq!((states.first(), states.last()), (Some(&RunState::Running), Some(&RunState::Completed)), "{world}");
        let hello = if world.contains("azure") { "hello from azure" } else { "hello from aws" };
        let output = &followed.call.granted().unwrap().output;
        assert_eq!(output.fingerprints, [Fingerprint::of(hello.as_bytes())], "{world}");
        let shown = serde_json::to_string(&(&fact, &followed)).unwrap();
        assert!(!shown.contains("hello") && !shown.contains("bearer-token"), "{shown}");
        assert!(followed.polls > 1 && followed.call.exchange.is_some());
        let log = log(&lab).await;
        assert_eq!(log.matches("Workload identity config 'wi-lab'").count(), resolved, "{log}");
    }
}

async fn log(lab: &Lab) -> String {
    let own = &lab.profile.deployment;
    let url = format!("{}/lab/log", own.url.as_deref().unwrap()).parse().unwrap();
    let bearer = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&own.token));
    let answer = http(lab).client().get(url, &[(http::header::AUTHORIZATION, bearer.parse().unwrap())], 1 << 20).await;
    String::from_utf8(answer.answer.unwrap().body.to_vec()).unwrap()
}

#[tokio::test]
async fn refusals_have_their_status() {
    let lab = start("[deployment]\ninputs = ['topic', 'audience']");
    let deployment = target(&lab);
    assert_eq!(deployment.inputs().await.granted().unwrap().inputs, ["topic", "audience"]);
    let lacking = deployment.kickoff(json!({ "topic": "x" }).as_object().unwrap()).await;
    assert_eq!((status(&lacking.call), &lacking.missing[..]), (422, &["audience".to_owned()][..]));
    assert!(lacking.call.refusal().unwrap().message.contains("Missing required inputs: audience"));
    let unknown = Kickoff { kickoff_id: "7b0c0000-0000-4000-8000-000000000000".into() };
    assert_eq!(status(&deployment.status(&unknown).await), 404);
    let url = lab.profile.deployment.url.as_deref().unwrap();
    for token in [None, Some("another"), Some("lab-only-deployment-bearer-tokem")] {
        let stranger = DeploymentTarget::new(http(&lab), url, token.map(SecretString::from)).unwrap();
        assert_eq!(status(&stranger.inputs().await), 401, "{token:?}");
        assert_eq!(status(&stranger.kickoff(&Map::new()).await.call), 401, "{token:?}");
        assert_eq!(status(&stranger.status(&unknown).await), 401, "{token:?}");
    }
    let paused = start("[deployment]\nstatus = 503");
    assert_eq!(status(&target(&paused).inputs().await), 503);
}

#[tokio::test]
async fn a_failed_exchange_fails_the_run_with_its_cause() {
    let lab = start("[aws.providers.platform]\nclient-ids = ['other']");
    let failed = run(&target(&lab)).await;
    assert_eq!(failed.state, RunState::Failed);
    assert_eq!(failed.causes.first().map(|cause| cause.id()), Some("aud-not-registered"), "{failed:?}");
    let unset = run(&target(&start("[deployment]\nassigned = false"))).await;
    assert_eq!((unset.state, &unset.output.unset[..]), (RunState::Completed, &["API_KEY".to_owned()][..]));
}

#[tokio::test]
async fn a_run_that_does_not_end_is_given_up() {
    let lab = start("[deployment]\ntakes-ms = 600000");
    let deployment = target(&lab);
    let fact = deployment.kickoff(&Map::new()).await;
    let pace = Pace { total: Duration::from_millis(80), ..PACE };
    let followed = deployment.follow(fact.call.granted().unwrap(), pace, |_| {}).await;
    assert!(matches!(&followed.call.answer, Answer::Granted(status) if status.state == RunState::Running));
}

/// What the runtime shows after a rotation, beside what it showed before.
fn relation(before: &Fingerprint, after: &Fingerprint) -> &'static str {
    let is = |value: &[u8]| *after == Fingerprint::of(value);
    let document = rotated_document();
    let variants: [&[u8]; 5] = [
        b"rotated value\n",
        b"rotated value\r\n",
        b"cm90YXRlZCB2YWx1ZQ==",
        b"\xef\xbb\xbfrotated value",
        document.as_bytes(),
    ];
    if is(ROTATED.as_bytes()) {
        "propagated"
    } else if variants.iter().any(|variant| is(variant)) {
        "near-miss"
    } else if before != after {
        "unknown"
    } else if ["aws", "azure", "google"]
        .iter()
        .any(|cloud| *after == Fingerprint::of(format!("hello from {cloud}").as_bytes()))
    {
        "stale"
    } else {
        "foreign"
    }
}

fn rotated_document() -> String {
    json!({ "username": "crew", "password": ROTATED }).to_string()
}

async fn rotate(site: &Site) {
    let whole = if site.lab.secret.contains('#') { rotated_document() } else { ROTATED.to_owned() };
    let name = site.lab.secret.split('#').next().unwrap();
    if site.lab.profile.guide == "gcp-workload-identity" {
        let (base, project) = (&site.lab.endpoints.google.secretmanager, &site.lab.profile.google.project_id);
        let url = format!("{base}/v1/projects/{project}/secrets/{name}:addVersion");
        let version = json!({ "payload": { "data": STANDARD.encode(whole) } });
        let token = site.lab.secrets_admin.google_token.expose_secret();
        let (status, answer) = site.call(Method::POST, &url, token, Some(version)).await;
        assert_eq!(status, 200, "{answer}");
        return;
    }
    if site.lab.profile.guide != "azure-workload-identity" {
        let input = json!({ "SecretId": name, "SecretString": whole });
        let (status, answer) = site.secrets(&Credentials::admin(), "PutSecretValue", input).await;
        assert_eq!(status, 200, "{answer}");
        return;
    }
    let held = &site.lab.profile.azure;
    let form = "grant_type=client_credentials&client_id=55555555-aaaa-4bbb-8ccc-666666666666\
                &scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=lab8Q~only.client.secret.of.the.admin-00";
    let url = format!("{}/{}/oauth2/v2.0/token", held.authority_host, held.tenant_id);
    let request = site.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let granted: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let url = format!("{}/secrets/{name}?api-version=2025-07-01", held.vault_url.as_deref().unwrap());
    let request = site.http.put(url).bearer_auth(granted["access_token"].as_str().unwrap());
    let answer = request.body(json!({ "value": whole }).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn every_rotation_scenario_leads_to_its_verdict() {
    let mut seen = 0;
    for scenario in World::list().unwrap() {
        let Some(verdict) = scenario.rotation.as_deref() else { continue };
        // What the store or an empty variable decides is not seen in two fingerprints.
        if ["pending-stuck", "inconclusive"].contains(&verdict) {
            continue;
        }
        let site = Site::scenario(&scenario.name);
        let deployment = target(&site.lab);
        let before = run(&deployment).await.output.fingerprints;
        rotate(&site).await;
        let mut after = run(&deployment).await.output.fingerprints;
        let began = Instant::now();
        while scenario.name == "rotation-cached-briefly" && after == before && began.elapsed().as_secs() < 30 {
            after = run(&deployment).await.output.fingerprints;
        }
        assert_eq!((before.len(), after.len()), (1, 1), "{}", scenario.name);
        assert_eq!(relation(&before[0], &after[0]), verdict, "{}", scenario.name);
        seen += 1;
    }
    assert!(seen >= 18, "{seen}");
}
