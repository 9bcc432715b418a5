//! `check` inside a job or a pod: without a profile it finds token, variables and guide by itself, and says what is missing,
//! without asking a cluster or a platform.

use std::fs;

use serde_json::{Value, json};

use super::support::{RunningLab, trustline};

const POD: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
const JOB: (&str, &str) = ("GITHUB_ACTIONS", "true");

/// The report of a check with these variables over a clean environment.
fn check(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = trustline()
        .envs(variables.iter().copied())
        .args(["check", "--output", "json"])
        .args(arguments)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The guide that the report is about, and what is found first, in short.
fn found_first(report: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = &report["findings"][0];
    (text(&report["guide"]), text(&finding["cause"]), text(&finding["summary"]))
}

/// What a cloud's webhook or a job's settings say of a lab, beside the token.
fn at_azure<'a>(lab: &'a RunningLab, token: &'a str) -> Vec<(&'a str, &'a str)> {
    let ready = |key: &str| lab.ready[key].as_str().unwrap();
    vec![
        POD,
        ("AZURE_TENANT_ID", ready("tenant_id")),
        ("AZURE_CLIENT_ID", ready("client_id")),
        ("AZURE_AUTHORITY_HOST", ready("entra")),
        ("AZURE_FEDERATED_TOKEN_FILE", token),
        ("AZURE_KEYVAULT_URL", ready("vault")),
    ]
}

#[test]
fn a_pod_that_its_webhook_saw_needs_no_profile() {
    let lab = RunningLab::start("kubernetes-azure");
    let (ca_file, token) = (lab.file("ca.pem"), lab.file("token.jwt"));
    let arguments = ["--ca-file", &ca_file, "--set", "secret.name=crewai-test-keyword"];
    let report = check(&at_azure(&lab, &token), &arguments);
    assert_eq!(found_first(&report).0, "kubernetes-azure", "{report:#}");
    assert_eq!(report["verdict"], "pass", "{report:#}");

    let lab = RunningLab::start("kubernetes-aws");
    let ready = |key: &str| lab.ready[key].as_str().unwrap();
    let (ca_file, token) = (lab.file("ca.pem"), lab.file("token.jwt"));
    let variables = [
        POD,
        ("AWS_ROLE_ARN", ready("role_arn")),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
        ("AWS_REGION", ready("region")),
        ("AWS_ENDPOINT_URL_STS", ready("sts")),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", ready("secretsmanager")),
    ];
    let report = check(&variables, &["--ca-file", &ca_file, "--set", "secret.name=crewai-test-keyword"]);
    assert_eq!(found_first(&report).0, "kubernetes-aws", "{report:#}");
    assert_eq!(report["verdict"], "pass", "{report:#}");
}

#[test]
fn a_pod_with_the_clusters_own_token_is_told_of_its_audience() {
    let lab = RunningLab::start("kubernetes-azure-cluster-audience");
    let (ca_file, token) = (lab.file("ca.pem"), lab.file("token.jwt"));
    let report = check(&at_azure(&lab, &token), &["--ca-file", &ca_file]);
    let (guide, cause, _) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("kubernetes-azure", "aud-mismatch"), "{report:#}");
}

#[test]
fn a_pod_without_a_token_is_told_what_it_was_not_given() {
    let application = ["--set", "azure.tenant-id=4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708"];
    let report = check(&[POD], &application);
    let (guide, cause, summary) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("kubernetes-azure", "env-not-set"), "{report:#}");
    assert!(summary.contains("no volume projects one"), "{summary}");
    // The webhook ran, and the token is not where it says.
    let injected = ("AZURE_FEDERATED_TOKEN_FILE", "/nonexistent/azure-identity-token");
    let report = check(&[POD, injected], &application);
    let (guide, cause, summary) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("kubernetes-azure", "env-not-set"), "{report:#}");
    assert!(summary.contains("not mounted"), "{summary}");
    // Nothing at all was given, not even a cloud's name.
    let report = check(&[POD], &[]);
    let (guide, cause, _) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("kubernetes-aws", "env-not-set"), "{report:#}");
}

#[test]
fn a_job_without_the_permission_is_told_so_and_a_forks_that_it_gets_none() {
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader");
    let report = check(&[JOB, role, ("AWS_REGION", "eu-west-1")], &[]);
    let (guide, cause, summary) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("github-aws", "id-token-permission-missing"), "{report:#}");
    assert!(summary.contains("id-token: write"), "{summary}");

    let folder = tempfile::tempdir().unwrap();
    let event = folder.path().join("event.json");
    let side = |name: &str| json!({ "repo": { "full_name": name } });
    let request = json!({ "pull_request": { "head": side("somebody/octo-repo"), "base": side("octo-org/octo-repo") } });
    fs::write(&event, request.to_string()).unwrap();
    let report = check(
        &[
            JOB,
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("AZURE_CLIENT_ID", "0f1e2d3c-0000-4000-8000-000000000002"),
        ],
        &[],
    );
    let (guide, cause, summary) = found_first(&report);
    assert_eq!((guide.as_str(), cause.as_str()), ("github-azure", "id-token-permission-missing"), "{report:#}");
    assert!(summary.contains("fork"), "{summary}");
}
