//! Google's own clients at the lab, with nothing but the credential file that it names and the settings that lead a client to
//! a server of one's own. Which way each went, the lab's own log says.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{Row, Stage, play, set, with};
use crate::lab::client::trusting;
use crate::support::outside;

/// A part of the error where the token's audience is not the provider's.
const REFUSED: &str = "invalid_grant";

fn google(stage: &Stage, row: &Row) -> Vec<(String, String)> {
    let own = [
        ("HOME", stage.home.path().display().to_string()),
        ("GOOGLE_APPLICATION_CREDENTIALS", stage.ready("google_credentials_file")),
        ("GOOGLE_CLOUD_PROJECT", "crewai-lab".to_owned()),
        ("REQUESTS_CA_BUNDLE", stage.ready("ca_file")),
        // Nothing leaves the machine: neither the metadata server is asked, nor anybody else.
        ("NO_GCE_CHECK", "true".to_owned()),
        ("METADATA_SERVER_DETECTION", "none".to_owned()),
        ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
        ("ENDPOINT", stage.ready("google_secretmanager")),
        ("SECRET", stage.ready("secret")),
    ];
    with(&own, &row.set)
}

/// The credential file with the token in another form.
fn credentials_with(stage: &Stage, token: &str) -> String {
    let text = fs::read_to_string(stage.ready("google_credentials_file")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    file["credential_source"]["file"] = stage.token(token).into();
    let path = stage.home.path().join(format!("credentials-{token}.json"));
    fs::write(&path, file.to_string()).unwrap();
    path.display().to_string()
}

/// What the lab has on record of one method: for each call, whose it was and whether it was refused.
fn on_record(stage: &Stage, method: &str) -> Vec<(String, bool)> {
    let ca = fs::read(stage.ready("ca_file")).unwrap();
    let token = fs::read_to_string(stage.lab.file("operator-google-token")).unwrap();
    let filter = format!("protoPayload.methodName=\"{method}\"");
    let body = json!({ "resourceNames": ["projects/crewai-lab"], "filter": filter }).to_string();
    let url = format!("{}/v2/entries:list", stage.ready("google_logging"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listed = runtime.block_on(async {
        let request = trusting(&ca).post(url).bearer_auth(token.trim()).header("content-type", "application/json");
        request.body(body).send().await.unwrap().text().await.unwrap()
    });
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let entries = listed["entries"].as_array().unwrap_or_else(|| panic!("{listed}"));
    let call = |entry: &Value| {
        let payload = &entry["protoPayload"];
        let who = payload["authenticationInfo"]["principalSubject"].as_str().unwrap_or_default().to_owned();
        (who, payload.get("status").is_some())
    };
    entries.iter().map(call).collect()
}

const EXCHANGE: &str = "google.identity.sts.v1.SecurityTokenService.ExchangeToken";
const ACCESS: &str = "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion";

/// Each row ends as it says, and the lab saw as many exchanges and reads as went well.
fn hold(right: &Stage, rows: &[(&Row, Vec<(String, String)>)], answers: &[Result<String, String>]) {
    for ((row, _), answer) in rows.iter().zip(answers) {
        match (answer, row.error) {
            (Ok(done), None) => assert_eq!(done, "hello from google", "{} {}", row.client, row.name),
            (Err(error), Some(part)) => assert!(error.contains(part), "{} {}: {error}", row.client, row.name),
            _ => panic!("another end than the row's: {} {}: {answer:?}", row.client, row.name),
        }
    }
    let well = |ask: &str| rows.iter().filter(|(row, _)| row.error.is_none() && row.ask.ends_with(ask)).count();
    let exchanges = on_record(right, EXCHANGE);
    let granted = exchanges.iter().filter(|(_, is_refused)| !is_refused).count();
    assert!(granted >= well(""), "{exchanges:?}");
    let reads = on_record(right, ACCESS);
    assert!(reads.len() >= well("_secret") && well("_secret") > 0, "{reads:?}");
    let federated = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/";
    assert!(reads.iter().all(|(who, is_refused)| who.starts_with(federated) && !is_refused), "{reads:?}");
}

fn rows_of(right: &Stage, wrong: &Stage, clients: &[(&'static str, &'static str)]) -> Vec<(Row, bool)> {
    let line_feed = credentials_with(right, "line-feed");
    let row = |name, client, ask, set, error| Row { name, client, ask, set, token: "bare", error };
    let mut rows = Vec::new();
    for (client, ask) in clients {
        rows.push((row("healthy", *client, *ask, set(&[]), None), true));
        let credentials = vec![("GOOGLE_APPLICATION_CREDENTIALS", line_feed.clone())];
        rows.push((row("a line feed", client, ask, credentials, Some(REFUSED)), true));
        rows.push((row("another audience", client, ask, set(&[]), Some(REFUSED)), false));
        let nothing = vec![("GOOGLE_APPLICATION_CREDENTIALS", wrong.token("nothing"))];
        rows.push((row("no credential file", client, ask, nothing, Some("nothing")), true));
    }
    rows
}

fn played(program: Command, clients: &[(&'static str, &'static str)], authorities: Option<&str>) {
    let (right, wrong) = (Stage::at("gcp"), Stage::at("gcp-aud-mismatch"));
    let mut program = program;
    if let Some(variable) = authorities {
        let both = [&right, &wrong].map(|stage| fs::read_to_string(stage.ready("ca_file")).unwrap()).concat();
        let path = right.home.path().join("authorities.pem");
        fs::write(&path, both).unwrap();
        program.env(variable, path);
    }
    let rows = rows_of(&right, &wrong, clients);
    let rows: Vec<(&Row, Vec<(String, String)>)> =
        rows.iter().map(|(row, is_right)| (row, google(if *is_right { &right } else { &wrong }, row))).collect();
    let answers = play(program, &rows);
    hold(&right, &rows, &answers);
    assert!(on_record(&wrong, ACCESS).is_empty(), "what is refused reads nothing");
}

#[test]
#[ignore = "needs google-auth and Secret Manager's library (TRUSTLINE_TEST_MOTO)"]
fn python_clients_of_google_exchange_and_read() {
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python");
    let mut program = Command::new(python);
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/real_clients/of_google.py"));
    played(program, &[("google-auth", "google_auth"), ("google-secret-manager", "google_secret")], None);
}

#[test]
#[ignore = "needs google-auth-library and Secret Manager's library from npm (TRUSTLINE_TEST_NODE_MODULES)"]
fn javascript_clients_of_google_exchange_and_read() {
    let mut program = Command::new("node");
    program
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/real_clients/of_google.mjs"))
        .env("MODULES", outside("TRUSTLINE_TEST_NODE_MODULES"));
    let clients = [("google-auth-library", "google_auth"), ("google-secret-manager-js", "google_secret")];
    played(program, &clients, Some("NODE_EXTRA_CA_CERTS"));
}
