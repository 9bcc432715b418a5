//! A wrong value in a field shows at the step where it is set right, with what is wrong.

use serde_json::Value;

use crate::support::trustline;

/// The steps that fail in a lab where everything is right but these values, each with its first cause.
fn failing(guide: &str, scenario: &str, set: &str) -> Vec<(u64, String)> {
    let output = trustline()
        .args(["guide", guide, "--lab", scenario, "--check", "--output", "json", "--set", set])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = document["guides"][0]["steps"].as_array().unwrap();
    let failing = steps.iter().filter(|step| step["state"]["is"] == "failing");
    failing
        .map(|step| {
            let cause = step["state"]["findings"][0]["cause"].as_str().unwrap_or_default().to_owned();
            (step["number"].as_u64().unwrap(), cause)
        })
        .collect()
}

/// Every field that a check can tell of leads to a step that holds it.
#[test]
fn each_wrong_value_leads_to_its_step() {
    let aws = "aws-workload-identity";
    let azure = "azure-workload-identity";
    let other = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";
    let mut wrong = Vec::new();
    for (guide, scenario, set, step) in [
        (aws, "healthy", "issuer.url=https://127.0.0.1:9".to_owned(), 1),
        (aws, "healthy", "aws.audience=other".to_owned(), 2),
        (aws, "healthy", "aws.role-arn=arn:aws:iam::123456789012:role/nobody".to_owned(), 3),
        (aws, "healthy", "aws.role-arn=arn:aws:iam::210987654321:role/crewai-secrets-reader".to_owned(), 2),
        (aws, "healthy", format!("platform.organization={other}"), 3),
        (aws, "healthy", "aws.region=us-east-2".to_owned(), 4),
        (aws, "healthy", "secret.name=crewai-not-there".to_owned(), 5),
        (aws, "healthy", "secret.name=crewai-test-keyword#none".to_owned(), 5),
        (aws, "healthy", "token.file=/nonexistent.jwt".to_owned(), 8),
        (aws, "healthy", "deployment.url=https://127.0.0.1:9".to_owned(), 10),
        (azure, "azure", "issuer.url=https://127.0.0.1:9".to_owned(), 1),
        (azure, "azure", format!("azure.client-id={other}"), 2),
        (azure, "azure", format!("azure.tenant-id={other}"), 2),
        (azure, "azure", format!("platform.organization={other}"), 3),
        (azure, "azure", "secret.name=crewai-not-there".to_owned(), 5),
        (azure, "azure", "token.file=/nonexistent.jwt".to_owned(), 8),
        (azure, "azure", "deployment.url=https://127.0.0.1:9".to_owned(), 10),
    ] {
        let failing = failing(guide, scenario, &set);
        let key = set.split_once('=').map_or("", |(key, _)| key);
        let holds = fields(guide, step).iter().any(|field| field == key);
        if !holds || !failing.iter().any(|(number, cause)| *number == step && !cause.is_empty()) {
            wrong.push(format!("{set}: {failing:?} is not {step}, or that has no such field"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The keys of a step's fields.
fn fields(guide: &str, step: u64) -> Vec<String> {
    let output = trustline().args(["guide", guide, &step.to_string(), "--output", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fields = document["guides"][0]["steps"][0]["fields"].as_array().unwrap();
    fields.iter().map(|field| field["key"].as_str().unwrap().to_owned()).collect()
}

/// What can be told to be wrong from the text alone is refused with what to write instead, for every field of the guides.
#[test]
fn each_field_refuses_what_is_no_value() {
    for (key, text) in [
        ("platform.organization", "acme"),
        ("issuer.url", "http://app.example.com"),
        ("aws.region", "Ireland"),
        ("aws.role-arn", "crewai-secrets-reader"),
        ("aws.kms-key-arn", "my-key"),
        ("secret.name", "a secret"),
        ("deployment.url", "my-crew"),
        ("deployment.variable", "0-x"),
        ("deployment.token-env", "0-x"),
        ("azure.tenant-id", "acme"),
        ("azure.client-id", "reader"),
        ("azure.vault-url", "my-vault"),
        ("azure.subscription-id", "pay-as-you-go"),
        ("azure.resource-group", "a/b"),
    ] {
        let guide = if key.starts_with("azure") { "azure-workload-identity" } else { "aws-workload-identity" };
        let output = trustline().args(["guide", guide, "--set", &format!("{key}={text}")]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{key}={text}: {said}");
        assert!(said.contains(key) && said.lines().count() > 1, "{key}={text}: {said}");
    }
}

/// A file that cannot be read is no proof of anything: its step stays open, and nobody else's fails.
#[test]
fn a_copy_that_is_not_there_leaves_its_step_open() {
    let set = "aws.trust-policy=/nonexistent.json";
    assert_eq!(failing("aws-workload-identity", "healthy", set), []);
    let output = trustline()
        .args(["guide", "aws-workload-identity", "3", "--lab", "healthy", "--check", "--output", "json", "--set", set])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["guides"][0]["steps"][0]["state"]["is"], "to-do");
}
