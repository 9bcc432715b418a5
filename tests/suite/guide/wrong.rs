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

/// Where the platform's form holds the same value, the step of the form is the one that is named.
#[test]
fn each_wrong_value_leads_to_its_step() {
    let aws = "aws-workload-identity";
    let azure = "azure-workload-identity";
    let other = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";
    let mut wrong = Vec::new();
    for (guide, scenario, set, step) in [
        (aws, "healthy", "issuer.url=https://127.0.0.1:9".to_owned(), 1),
        (aws, "healthy", "aws.role-arn=arn:aws:iam::123456789012:role/nobody".to_owned(), 6),
        (aws, "healthy", format!("platform.organization={other}"), 3),
        (aws, "healthy", "secret.name=crewai-not-there".to_owned(), 9),
        (aws, "healthy", "secret.name=crewai-test-keyword#none".to_owned(), 9),
        (azure, "azure", "issuer.url=https://127.0.0.1:9".to_owned(), 1),
        (azure, "azure", format!("azure.client-id={other}"), 6),
        (azure, "azure", format!("azure.tenant-id={other}"), 6),
        (azure, "azure", "secret.name=crewai-not-there".to_owned(), 9),
    ] {
        let failing = failing(guide, scenario, &set);
        if !failing.iter().any(|(number, cause)| *number == step && !cause.is_empty()) {
            wrong.push(format!("{set}: {failing:?} is not {step}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
