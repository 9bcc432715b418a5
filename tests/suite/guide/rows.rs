//! The rows of the guides' troubleshooting tables: each leads to a cause, the guide and its step.

use std::fs;

use serde_json::Value;

use super::Home;
use super::wrong::failing;
use crate::support::trustline;

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
    (
        "azure-workload-identity",
        "AADSTS50013: Assertion failed signature validation",
        &["signature-invalid", "jwks-kid-missing", "jwks-unreachable", "jwks-invalid"],
        1,
    ),
    (
        "azure-workload-identity",
        "Forbidden: Caller is not authorized to perform action on resource. Action: \
         'Microsoft.KeyVault/vaults/secrets/readMetadata/action' Assignment: (not found) (ForbiddenByRbac)",
        &["rbac-scope-single-secret", "missing-list", "rbac-missing"],
        4,
    ),
    (
        "aws-static",
        "AccessDeniedException: User: arn:aws:iam::111122223333:user/reader is not authorized to perform: \
         secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action",
        &["missing-list"],
        3,
    ),
    ("aws-static", "AccessDeniedException: Access to KMS is not allowed", &["missing-kms"], 2),
    (
        "aws-static",
        "InvalidClientTokenId: The security token included in the request is invalid.",
        &["static-key-wrong"],
        4,
    ),
    (
        "aws-static",
        "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.",
        &["static-key-wrong"],
        4,
    ),
    (
        "aws-static",
        "RegionDisabledException: STS is not activated in this region for account:123456789012.",
        &["region-disabled"],
        5,
    ),
    (
        "aws-assume-role",
        "AccessDenied: User: arn:aws:iam::111122223333:user/reader is not authorized to perform: sts:AssumeRole on \
         resource: arn:aws:iam::123456789012:role/r",
        // The profile sends an external id, which is the one thing of the three that can differ by a blank.
        &["external-id"],
        5,
    ),
    // GitLab's only row, with its two causes.
    (
        "gitlab-aws",
        "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform \
         sts:AssumeRoleWithWebIdentity",
        &["sub-mismatch", "claim-mismatch"],
        2,
    ),
    (
        "gitlab-aws",
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No OpenIDConnect \
         provider found in your account for https://gitlab.example.com",
        &["provider-missing"],
        1,
    ),
];

/// The rows that quote no message: guide, a lab with one of their causes and what is set in it, the cause and its step.
const SYMPTOMS: &[(&str, &str, &str, &str, u64)] = &[
    // The connection's test fails with a handshake error.
    ("aws-workload-identity", "principal-arn-wrong", "", "principal-arn-wrong", 3),
    ("aws-workload-identity", "aud-mismatch", "", "aud-mismatch", 3),
    ("aws-workload-identity", "aud-not-registered", "", "aud-not-registered", 2),
    ("aws-workload-identity", "sub-mismatch", "", "sub-mismatch", 3),
    ("aws-workload-identity", "provider-missing", "", "provider-missing", 2),
    ("aws-workload-identity", "issuer-not-configured", "", "issuer-not-configured", 1),
    ("aws-workload-identity", "jwks-unreachable", "", "jwks-unreachable", 1),
    ("azure-workload-identity", "azure-iss-mismatch", "", "iss-mismatch", 3),
    ("azure-workload-identity", "azure-sub-mismatch", "", "sub-mismatch", 3),
    ("azure-workload-identity", "azure-aud-mismatch", "", "aud-mismatch", 3),
    ("azure-workload-identity", "azure-issuer-not-configured", "", "issuer-not-configured", 1),
    ("azure-workload-identity", "azure-jwks-unreachable", "", "jwks-unreachable", 1),
    // The test passes, and a kickoff resolves no secret.
    ("aws-workload-identity", "missing-get", "", "missing-get", 4),
    ("aws-workload-identity", "secret-arn-suffix", "", "secret-arn-suffix", 4),
    ("aws-workload-identity", "versionstage-condition", "", "versionstage-condition", 4),
    ("aws-workload-identity", "missing-kms", "", "missing-kms", 4),
    ("azure-workload-identity", "azure-rbac-missing", "", "rbac-missing", 4),
    ("azure-workload-identity", "azure-rbac-wrong-role", "", "rbac-wrong-role", 4),
    // No secrets are found.
    ("aws-workload-identity", "secret-wrong-region", "", "secret-wrong-region", 6),
    ("aws-static", "static", "aws.region=us-east-2", "secret-wrong-region", 5),
    // The vault has the older permission model.
    ("azure-workload-identity", "azure-access-policy-model", "", "access-policy-model", 4),
    ("azure-workload-identity", "azure-access-policy-compound", "", "access-policy-compound", 4),
    // The role is for another branch or tag; nothing is set up for tokens at all.
    ("gitlab-aws", "gitlab", "gitlab.ref=develop", "sub-mismatch", 2),
    ("gitlab-aws", "gitlab", "gitlab.ref-type=tag", "sub-mismatch", 2),
    ("gitlab-aws", "gitlab", "token.env=NOT_SET_ANYWHERE", "env-not-set", 3),
    ("gitlab-aws", "gitlab", "aws.role-arn=arn:aws:iam::210987654321:role/r", "provider-missing", 1),
];

/// A rotated value is not picked up by the next kickoff: the lab, the cause and its step.
const NOT_PICKED_UP: &[(&str, &str, u64)] = &[
    ("rotation-static-baked", "static-baked", 9),
    ("rotation-cached", "cached", 10),
    ("azure-rotation-static-baked", "static-baked", 9),
    ("azure-rotation-read-at-import", "read-at-import", 10),
];

#[test]
fn each_row_without_a_message_is_a_known_failure_of_its_step() {
    let mut wrong = Vec::new();
    for (guide, scenario, set, cause, step) in SYMPTOMS {
        let sets: Vec<String> = (!set.is_empty()).then(|| (*set).to_owned()).into_iter().collect();
        let found = failing(guide, scenario, &sets, &[]);
        if !found.iter().any(|(number, named, _)| number == step && named == cause) {
            let seen: Vec<_> = found.iter().map(|(number, cause, _)| (number, cause)).collect();
            wrong.push(format!("{scenario} {set}: {seen:?} is not {step} with {cause}"));
        }
        if !known_failures(guide, *step).iter().any(|known| known == cause) {
            wrong.push(format!("{guide} {step} does not list {cause}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_value_that_is_not_picked_up_leads_to_the_step_of_its_cause() {
    for (scenario, cause, step) in NOT_PICKED_UP {
        let found = rotated(scenario, &[]);
        let finding = found.iter().find(|finding| finding["cause"] == *cause);
        assert!(finding.is_some_and(|finding| finding["step"] == *step), "{scenario}: {found:?}");
        let guide = finding.unwrap()["guide"].as_str().unwrap();
        assert!(known_failures(guide, *step).iter().any(|known| known == cause), "{guide} {step} {cause}");
    }
}

/// What checks cannot tell without starting the automation, a rotation's kickoff does.
#[test]
fn a_variable_of_another_name_leads_to_its_step() {
    let found = rotated("rotation-variable-unset", &["--set", "deployment.variable=ANOTHER_NAME"]);
    let finding = &found[0];
    assert_eq!((&finding["cause"], &finding["step"]), (&"env-not-set".into(), &9.into()), "{finding:#}");
    assert_eq!((&finding["expected"], &finding["actual"]), (&"API_KEY".into(), &"ANOTHER_NAME".into()));
    assert_eq!(finding["setting"], "deployment.variable");
}

/// The findings of a rotation with a kickoff.
fn rotated(scenario: &str, more: &[&str]) -> Vec<Value> {
    let mut command = trustline();
    command.args(["rotate", "--lab", scenario, "--put", "--yes", "--kickoff", "--output", "json"]).args(more);
    let output = command.write_stdin("rotated value").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    report["findings"].as_array().unwrap_or_else(|| panic!("{report:#}")).clone()
}

/// The causes that a step lists as what goes wrong there.
fn known_failures(guide: &str, step: u64) -> Vec<String> {
    let output = trustline().args(["guide", guide, &step.to_string(), "--output", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failures = document["guides"][0]["steps"][0]["failures"].as_array().unwrap().clone();
    failures.iter().map(|failure| failure["cause"].as_str().unwrap().to_owned()).collect()
}

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
