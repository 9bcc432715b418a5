//! The rows of the guides' troubleshooting tables that quote a message: each leads to a cause, the guide and its step.

use std::fs;

use serde_json::Value;

use super::Home;

/// Guide, message, the causes of which one is named first, and its step.
const ROWS: &[(&str, &str, &[&str], u64)] = &[
    (
        "aws-workload-identity",
        "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider",
        &["jwks-unreachable", "jwks-kid-missing"],
        1,
    ),
    (
        "aws-workload-identity",
        "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        &["sub-mismatch", "aud-mismatch", "principal-arn-wrong"],
        3,
    ),
    (
        "aws-workload-identity",
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: \
         secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action",
        &["missing-list"],
        4,
    ),
    (
        "aws-workload-identity",
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: \
         secretsmanager:GetSecretValue on resource: db because no identity-based policy allows the \
         secretsmanager:GetSecretValue action",
        &["missing-get"],
        4,
    ),
    (
        "aws-workload-identity",
        "RegionDisabledException: STS is not activated in this region for account:123456789012.",
        &["region-disabled"],
        6,
    ),
    (
        "azure-workload-identity",
        "AADSTS70021: No matching federated identity record found for presented assertion",
        &["sub-mismatch", "iss-mismatch", "aud-mismatch"],
        3,
    ),
    (
        "azure-workload-identity",
        "AADSTS700024: Client assertion is not within its valid time range",
        // An old token is by far the commoner reason; a clock is the other.
        &["token-expired"],
        8,
    ),
    ("azure-workload-identity", "azure_vault_url is required for Azure secret resolution", &["vault-url-missing"], 7),
];

#[test]
fn each_row_leads_to_its_cause_with_guide_and_step() {
    let mut wrong = Vec::new();
    for (guide, message, causes, step) in ROWS {
        let home = Home::with(guide);
        let file = home.folder.path().join("message.txt");
        fs::write(&file, message).unwrap();
        let (text, said, _) = home.run(&["explain", file.to_str().unwrap(), "--output", "json"]);
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{message}: {said}"));
        let first = &document["causes"][0];
        let cause = first["cause"].as_str().unwrap_or_default();
        if !causes.contains(&cause) || first["guide"] != *guide || first["step"] != *step {
            wrong.push(format!("{message}: {cause}, {} step {}", first["guide"], first["step"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
