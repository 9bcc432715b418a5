//! Every row of the Azure guide's troubleshooting table: a scenario of the lab that shows it, or a text that explains
//! it, and the cause that is named first.

use serde_json::Value;

use crate::support::trustline;

enum Shown {
    /// By this scenario of the lab.
    Scenario(&'static str),
    /// By this text.
    Text(&'static str),
}
use Shown::{Scenario, Text};

/// Row, what shows it, and the causes of which the first that is named must be one.
const ROWS: &[(&str, &[Shown], &[&str])] = &[
    (
        "Test Connection fails with a handshake error",
        &[
            Scenario("azure-iss-mismatch"),
            Scenario("azure-sub-mismatch"),
            Scenario("azure-aud-mismatch"),
            Scenario("azure-issuer-not-configured"),
        ],
        &["iss-mismatch", "sub-mismatch", "aud-mismatch", "issuer-not-configured"],
    ),
    (
        "AADSTS70021: No matching federated identity record found",
        &[
            Scenario("azure-old-code"),
            Text("AADSTS70021: No matching federated identity record found for presented assertion"),
        ],
        &["sub-mismatch"],
    ),
    ("AADSTS700024: not within its valid time range", &[Scenario("azure-clock-ahead")], &["clock-skew"]),
    (
        "AADSTS50013: Assertion failed signature validation",
        &[
            Scenario("azure-signature-invalid"),
            Scenario("azure-jwks-unreachable"),
            Text("AADSTS50013: Assertion failed signature validation."),
        ],
        &["signature-invalid", "jwks-unreachable"],
    ),
    (
        "the list of secrets is Forbidden",
        &[
            Scenario("azure-rbac-single-secret"),
            Text(
                "Forbidden — does not have permission to perform action 'Microsoft.KeyVault/vaults/secrets/openai-api-key/list'",
            ),
        ],
        &["rbac-scope-single-secret"],
    ),
    (
        "kickoff fails though Test Connection passes",
        &[Scenario("azure-rbac-missing"), Scenario("azure-rbac-other-secret")],
        &["rbac-missing"],
    ),
    (
        "Forbidden — request was not authorized, on a vault with access policies",
        &[
            Scenario("azure-access-policy-model"),
            Text("Forbidden — request was not authorized (vault using legacy access policies)"),
        ],
        &["access-policy-model"],
    ),
    (
        "azure_vault_url is required",
        &[
            Scenario("azure-vault-url-missing"),
            Text("ERROR worker: azure_vault_url is required for Azure secret resolution"),
        ],
        &["vault-url-missing"],
    ),
    (
        "the rotated value is not picked up",
        &[Text("Rotated value isn't picked up on the next kickoff")],
        &["static-baked"],
    ),
];

#[test]
fn every_row_leads_to_its_cause() {
    assert_eq!(ROWS.len(), 9);
    let mut wrong = Vec::new();
    for (row, shown, causes) in ROWS {
        for shown in *shown {
            let (how, output) = match shown {
                Scenario(name) => {
                    (*name, trustline().args(["check", "--output", "json", "--lab", name]).output().unwrap())
                }
                Text(text) => {
                    (*text, trustline().args(["explain", "--output", "json"]).write_stdin(*text).output().unwrap())
                }
            };
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            let findings = answer.get("findings").or(answer.get("causes")).and_then(Value::as_array).unwrap();
            let first = findings.first().and_then(|f| f["cause"].as_str()).unwrap_or("nothing");
            if !causes.contains(&first) {
                wrong.push(format!("{row}, by {how}: {first}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
