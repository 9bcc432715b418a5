//! `render … --admit … --refuse …`: the least trust of two lists, by the command line, and at the clouds of the lab.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Home;
use crate::lab::client::Site;

const ROLE: &str = "aws.role-arn=arn:aws:iam::123456789012:role/crewai-secrets-reader";
/// Stands for the lab's issuer until that has a port.
const HOST: &str = "issuer.example.com";
const INSIDE: [&str; 2] = ["team:a:deploy", "team:a:it's"];
const OUTSIDE: [&str; 4] = ["team:a:test", "team:b:deploy", "TEAM:A:DEPLOY", "team:a:deploy-x"];

/// What a least trust for these subjects is made of.
fn made(guide: &str, artifact: &str, more: &[&str]) -> String {
    let home = Home::with(guide);
    let issuer = format!("issuer.url=https://{HOST}");
    let mut arguments = vec!["render", artifact, "--set", &issuer];
    arguments.extend(INSIDE.iter().flat_map(|subject| ["--admit", subject]));
    arguments.extend(["--refuse", "team:a:test"]);
    arguments.extend(more);
    let (text, said, status) = home.run(&arguments);
    assert_eq!(status, Some(0), "{said}");
    text.replace(HOST, "${issuer-host}")
}

fn file(home: &Home, name: &str, text: &str) -> String {
    let path = home.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The workload's token with another subject.
async fn token(site: &Site, subject: &str) -> String {
    let own = site.workload_token();
    let payload = URL_SAFE_NO_PAD.decode(own.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["sub"] = subject.into();
    site.mint(None, &claims.to_string()).await
}

#[tokio::test]
async fn aws_exchanges_the_tokens_of_the_one_list_alone() {
    let policy = made("aws-workload-identity", "trust-policy", &["--set", ROLE]);
    let site = Site::world(&format!("[aws.roles.crewai-secrets-reader]\ntrust-policy = '''\n{policy}\n'''\n"));
    for subject in INSIDE {
        assert_eq!(site.exchange(&token(&site, subject).await, &[]).await.status, 200, "{subject}");
    }
    for subject in OUTSIDE {
        assert_eq!(site.exchange(&token(&site, subject).await, &[]).await.field("Code"), "AccessDenied", "{subject}");
    }
}

#[tokio::test]
async fn entra_exchanges_the_tokens_of_the_one_list_alone() {
    let credentials: Vec<Value> =
        serde_json::from_str(&made("azure-workload-identity", "federated-credential", &[])).unwrap();
    // The world's own credential gives way to the first.
    let names = ["crewai-org-prod", "second"];
    let world: String = credentials
        .iter()
        .zip(names)
        .map(|(one, name)| {
            let text = |member: &str| toml::Value::from(one[member].as_str().unwrap()).to_string();
            format!(
                "[azure.apps.crewai-secrets-reader.credentials.{name}]\nsubject = {}\nissuer = {}\naudience = \"{}\"\n",
                text("subject"),
                text("issuer"),
                one["audiences"][0].as_str().unwrap()
            )
        })
        .collect();
    let site = Site::world(&format!("guide = \"azure-workload-identity\"\n{world}"));
    let ask = async |subject: &str| {
        let assertion = token(&site, subject).await;
        site.token_request(&[
            ("client_id", &*site.lab.profile.azure.client_id),
            ("client_assertion", &assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("scope", "https://vault.azure.net/.default"),
        ])
        .await
    };
    for subject in INSIDE {
        assert_eq!(ask(subject).await.0, 200, "{subject}");
    }
    for subject in OUTSIDE {
        let (status, answer) = ask(subject).await;
        assert!(
            status == 401 && answer["error_description"].as_str().unwrap().contains("AADSTS700213"),
            "{subject}: {answer}"
        );
    }
}

#[tokio::test]
async fn google_exchanges_the_tokens_of_the_one_list_alone() {
    let script = made("gcp-workload-identity", "provider-update", &[]);
    let quoted = script.split("--attribute-condition ").nth(1).unwrap().trim();
    let condition = quoted.trim_matches('\'').replace("'\\''", "'");
    let site = Site::world(&format!(
        "guide = \"gcp-workload-identity\"\n[google.pools.crewai-pool.providers.crewai-provider]\nattribute-condition = {}\n",
        toml::Value::from(condition)
    ));
    for subject in INSIDE {
        let (status, answer) = site.google_exchange(&token(&site, subject).await, &[]).await;
        assert_eq!(status, 200, "{subject}: {answer}");
    }
    for subject in OUTSIDE {
        let (status, answer) = site.google_exchange(&token(&site, subject).await, &[]).await;
        let said = answer["error_description"].as_str().unwrap();
        assert!(status != 200 && said.contains("rejected by the attribute condition"), "{subject}: {answer}");
    }
}

#[test]
fn lists_come_from_files_and_from_what_a_log_showed() {
    let home = Home::with("aws-workload-identity");
    let event = |subject: &str, outcome: &str| {
        json!({ "subject": subject, "outcome": outcome, "issuer": "https://app.example.com",
        "resource": "arn:aws:iam::123456789012:role/crewai-secrets-reader" })
    };
    let log = json!({ "schema": "trustline.events/1", "events": [
        event("organization:own", "granted"), event("organization:else", "refused"),
    ]});
    let events = file(&home, "events.json", &log.to_string());
    let lines = file(&home, "more.txt", "# by hand\norganization:second\n");
    let (text, said, status) = home.run(&[
        "render",
        "trust-policy",
        "--output",
        "json",
        "--admit",
        &events,
        "--admit",
        &lines,
        "--refuse",
        &events,
    ]);
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let policy: Value = serde_json::from_str(document["text"].as_str().unwrap()).unwrap();
    let condition = &policy["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(condition["app.example.com:sub"], json!(["organization:own", "organization:second"]));
}

#[test]
fn what_cannot_be_made_is_refused_with_the_reason() {
    let home = Home::with("aws-workload-identity");
    let nothing = file(&home, "nothing.txt", "# nobody\n");
    for (arguments, words) in [
        (&["trust-policy", "--admit", &nothing][..], "no subject is to be admitted"),
        (&["trust-policy", "--admit", "a", "--refuse", "a"], "the lists contradict"),
        (&["trust-policy", "--admit", "organization:*"], "another organization of the platform"),
        (&["trust-policy", "--admit", "missing.txt"], "there is no such file"),
        (&["secrets-policy", "--admit", "a"], "does not say who gets in"),
        (&["trust-policy", "--refuse", "a"], "--admit"),
    ] {
        let (text, said, status) = home.run(&[&["render"], arguments].concat());
        assert_eq!((text.as_str(), status), ("", Some(2)), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
