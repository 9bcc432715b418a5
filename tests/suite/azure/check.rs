//! `trustline check` on the Azure line.

use std::fs;

use base64::Engine as _;
use serde_json::Value;

use super::world::World;
use crate::support::trustline;

fn report(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn the_environment_alone_is_enough() {
    let world = World::start("");
    let output = trustline()
        .args(["check", "--output", "json", "--ca-file", &world.file("ca.pem")])
        .env("AZURE_TENANT_ID", world.ready("tenant_id"))
        .env("AZURE_CLIENT_ID", world.ready("client_id"))
        .env("AZURE_FEDERATED_TOKEN_FILE", world.file("token.jwt"))
        .env("AZURE_AUTHORITY_HOST", world.ready("entra"))
        .env("AZURE_KEYVAULT_URL", world.ready("vault"))
        .output()
        .unwrap();
    let report = report(&output);
    assert_eq!((output.status.code(), &report["verdict"]), (Some(0), &Value::from("pass")), "{report:#}");
    let ran: Vec<&str> = report["checks"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert!(ran.contains(&"azure.exchange") && ran.contains(&"azure.list-secrets"), "{ran:?}");
}

#[test]
fn a_new_credential_is_waited_for() {
    let output = trustline()
        .args(["check", "--lab", "azure-fic-propagation", "--wait", "60", "--output", "json"])
        .output()
        .unwrap();
    let report = report(&output);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    let exchange = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "azure.exchange").unwrap();
    assert!(exchange["reason"].as_str().unwrap().contains("worked after"), "{exchange}");
    assert!(exchange["facts"]["waited_ms"].as_u64().unwrap() >= 1000, "{exchange}");
}

#[test]
fn facts_name_what_support_asks_for() {
    let world = World::start("[azure.apps.crewai-secrets-reader]\nservice-principal = false");
    let report = report(&world.check(&["--output", "json"]));
    let exchange = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "azure.exchange").unwrap();
    let error = &exchange["facts"]["error"];
    assert_eq!(error["codes"], serde_json::json!([7_000_229]));
    assert!(error["trace_id"].is_string() && error["correlation_id"].is_string(), "{exchange}");
    assert_eq!(exchange["facts"]["http_status"], 401);
}

/// How the world is changed, and the cause.
type Fault = (&'static str, &'static str);

const TOKEN_EXPIRED: Fault = ("[token]\nage-s = 7200\n", "token-expired");
const SIGNATURE_INVALID: Fault =
    ("[token]\nkey = \"spare\"\n[token.header]\nkid = \"lab-rs256\"\n", "signature-invalid");
const TOKEN_LIFETIME: Fault = ("[token]\nlifetime-s = 108000\n", "token-lifetime-too-long");
const ISS_MISMATCH: Fault = ("issuer = \"${issuer}/\"", "iss-mismatch");
const SUB_MISMATCH: Fault = ("subject = \"organization:x\"", "sub-mismatch");
const AUD_MISMATCH: Fault = ("audience = \"api://x\"", "aud-mismatch");
const FIC_MISSING: Fault = ("present = false", "fic-missing");

// A fault of the token or its keys beside one of the federated credential.
test_each! { both_are_named_the_earlier_first:
    token_expired_and_iss_mismatch: (TOKEN_EXPIRED, ISS_MISMATCH);
    token_expired_and_sub_mismatch: (TOKEN_EXPIRED, SUB_MISMATCH);
    token_expired_and_aud_mismatch: (TOKEN_EXPIRED, AUD_MISMATCH);
    token_expired_and_fic_missing: (TOKEN_EXPIRED, FIC_MISSING);
    signature_invalid_and_iss_mismatch: (SIGNATURE_INVALID, ISS_MISMATCH);
    signature_invalid_and_sub_mismatch: (SIGNATURE_INVALID, SUB_MISMATCH);
    signature_invalid_and_aud_mismatch: (SIGNATURE_INVALID, AUD_MISMATCH);
    signature_invalid_and_fic_missing: (SIGNATURE_INVALID, FIC_MISSING);
    token_lifetime_and_iss_mismatch: (TOKEN_LIFETIME, ISS_MISMATCH);
    token_lifetime_and_sub_mismatch: (TOKEN_LIFETIME, SUB_MISMATCH);
    token_lifetime_and_aud_mismatch: (TOKEN_LIFETIME, AUD_MISMATCH);
    token_lifetime_and_fic_missing: (TOKEN_LIFETIME, FIC_MISSING);
}

fn both_are_named_the_earlier_first((token, first): Fault, (credential, second): Fault) {
    let credentials = "[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\n";
    let causes = World::start(&format!("{token}{credentials}{credential}\n")).causes();
    assert_eq!(causes.first().map(String::as_str), Some(first), "{causes:?}");
    assert!(causes.iter().any(|cause| cause == second), "{causes:?}");
}

#[test]
fn an_expired_secret_is_read_with_a_warning() {
    let world =
        World::start("[azure.vault.secrets.crewai-test-keyword]\nversions = [{ value = \"x\", expires-in-s = -60 }]");
    let report = report(&world.check(&["--output", "json"]));
    let read = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "azure.get-secret").unwrap();
    assert_eq!(read["outcome"], "warn", "{read}");
    assert_eq!(world.check(&["--strict"]).status.code(), Some(4));
}

#[test]
fn planted_secrets_appear_nowhere() {
    const VALUE: &str = "canary+value/7f3e81c4";
    const CLIENT_SECRET: &str = "canary8Q~client.secret-5d0a";
    let vault = format!("[azure.vault.secrets.crewai-test-keyword]\nversions = [{{ value = '{VALUE}' }}]\n");
    let static_path = format!("[profile.azure]\nclient-secret = '{CLIENT_SECRET}'\n");
    let known = format!("[azure.apps.crewai-secrets-reader]\nclient-secrets = [{{ value = '{CLIENT_SECRET}' }}]\n");
    let denied = "[azure.vault.roles.reader]\npresent = false\n";
    for (differences, code) in [
        (vault.clone(), 0),
        (format!("{vault}{denied}"), 1),
        (format!("{vault}{static_path}"), 1),
        (format!("{vault}{static_path}{known}"), 0),
    ] {
        let world = World::start(&differences);
        let token = fs::read_to_string(world.file("token.jwt")).unwrap();
        let signature = token.trim().rsplit('.').next().unwrap().to_owned();
        let encoded = base64::prelude::BASE64_STANDARD.encode(VALUE);
        let out = tempfile::tempdir().unwrap();
        for form in ["text", "json", "junit", "markdown"] {
            let recording = out.path().join(form);
            let output = world.check(&["--output", form, "--record", recording.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
            let recorded = fs::read_to_string(&recording).unwrap();
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            for text in [&*stdout, &*stderr, &recorded] {
                for planted in [VALUE, CLIENT_SECRET, &token, &signature, &encoded] {
                    assert!(!text.contains(planted), "{form} of a run that ended with {code} holds {planted}");
                }
                // The access token's header is always the same: no output may hold its beginning.
                assert!(!text.contains("eyJ"), "{form} holds a token");
            }
        }
    }
}

/// Place 17: Entra is documented to take RS256 alone, and so does the lab's, unless its world says otherwise; what is wrong is the algorithm,
/// not a damaged token.
#[test]
fn another_algorithm_is_refused_unless_the_world_takes_it() {
    for key in ["RS512", "ES256"] {
        let world = World::start(&format!("[token]\nkey = \"{key}\"\n"));
        let causes = world.causes();
        assert_eq!(causes.first().map(String::as_str), Some("alg-unsupported"), "{key}: {causes:?}");
    }
    let world = World::start("[token]\nkey = \"RS512\"\n[azure.entra]\nalgorithms = [\"RS512\"]\n");
    let report = report(&world.check(&["--output", "json"]));
    let exchange = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "azure.exchange").unwrap();
    assert_eq!(exchange["outcome"], "pass", "{exchange}");
}
