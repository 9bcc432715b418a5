//! Every row of the Azure guide's troubleshooting table: a scenario of the lab that shows it, or a text that explains
//! it, and the cause that is named first.

use std::process::Output;

use serde_json::Value;

use crate::support::trustline;

test_each! { leads_to_its_cause:
    the_connections_test_fails: (
        &["azure-iss-mismatch", "azure-sub-mismatch", "azure-aud-mismatch", "azure-issuer-not-configured"],
        "",
        &["iss-mismatch", "sub-mismatch", "aud-mismatch", "issuer-not-configured"],
    );
    aadsts70021: (
        &["azure-old-code"],
        "AADSTS70021: No matching federated identity record found for presented assertion",
        &["sub-mismatch"],
    );
    aadsts700024: (&["azure-clock-ahead"], "", &["clock-skew"]);
    aadsts50013: (
        &["azure-signature-invalid", "azure-jwks-unreachable"],
        "AADSTS50013: Assertion failed signature validation.",
        &["signature-invalid", "jwks-unreachable"],
    );
    the_list_is_forbidden: (
        &["azure-rbac-single-secret"],
        "Forbidden — does not have permission to perform action 'Microsoft.KeyVault/vaults/secrets/openai-api-key/list'",
        &["rbac-scope-single-secret"],
    );
    a_kickoff_fails_though_the_test_passes: (&["azure-rbac-missing", "azure-rbac-other-secret"], "", &["rbac-missing"]);
    forbidden_on_a_vault_with_access_policies: (
        &["azure-access-policy-model"],
        "Forbidden — request was not authorized (vault using legacy access policies)",
        &["access-policy-model"],
    );
    azure_vault_url_is_required: (
        &["azure-vault-url-missing"],
        "ERROR worker: azure_vault_url is required for Azure secret resolution",
        &["vault-url-missing"],
    );
    the_rotated_value_is_not_picked_up: (&[], "Rotated value isn't picked up on the next kickoff", &["static-baked"]);
}

/// Scenarios of the lab and a text, if any, show a row: the first cause that is named is one of these.
fn leads_to_its_cause(scenarios: &[&str], text: &str, causes: &[&str]) {
    let first = |output: &Output, list: &str| {
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer[list][0]["cause"].as_str().map(str::to_owned)
    };
    for scenario in scenarios {
        let output = trustline().args(["check", "--output", "json", "--lab", scenario]).output().unwrap();
        let cause = first(&output, "findings").unwrap_or_else(|| panic!("{scenario}: {output:?}"));
        assert!(causes.contains(&cause.as_str()), "{scenario}: {cause}");
    }
    if !text.is_empty() {
        let output = trustline().args(["explain", "--output", "json"]).write_stdin(text).output().unwrap();
        let cause = first(&output, "causes").unwrap_or_else(|| panic!("{output:?}"));
        assert!(causes.contains(&cause.as_str()), "{cause}");
    }
}
