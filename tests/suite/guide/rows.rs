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
        "gcp-workload-identity",
        "Could not refresh access token: invalid_target",
        &["wrong-provider-name", "provider-disabled"],
        3,
    ),
    ("gcp-workload-identity", "Failed to fetch JWKS from issuer", &["jwks-unreachable"], 1),
    ("gcp-workload-identity", "Attribute condition rejected token", &["attribute-condition"], 3),
    ("gcp-workload-identity", "PERMISSION_DENIED: secretmanager.secrets.list", &["missing-list"], 4),
    (
        "gcp-workload-identity",
        "Permission 'secretmanager.versions.access' denied for resource 'projects/123/secrets/db/versions/latest' (or it \
         may not exist).",
        &["secret-iam-missing"],
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
    (
        "azure-static",
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
         not the client secret ID, for a secret added to app '11111111-aaaa-4bbb-8ccc-222222222222'.",
        &["client-secret-wrong"],
        2,
    ),
    (
        "azure-static",
        "AADSTS700016: Application with identifier '11111111-aaaa-4bbb-8ccc-222222222222' was not found in the directory 'x'.",
        &["client-wrong", "tenant-wrong"],
        1,
    ),
    (
        "azure-static",
        "Forbidden: Caller is not authorized to perform action on resource. Action: \
         'Microsoft.KeyVault/vaults/secrets/getSecret/action' Assignment: (not found) (ForbiddenByRbac)",
        &["rbac-missing", "rbac-wrong-role", "rbac-scope-single-secret", "rbac-wrong-principal"],
        3,
    ),
    ("gcp-static", "invalid_grant: Invalid grant: account not found", &["service-account-missing"], 1),
    (
        "gcp-static",
        "google.auth.exceptions.RefreshError: ('invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and \
         in a reasonable timeframe. Check your iat and exp values in the JWT claim.')",
        &["clock-skew"],
        6,
    ),
    (
        "gcp-static",
        "403 Permission 'secretmanager.versions.access' denied for resource 'projects/my-project/secrets/db/versions/latest' \
         (or it may not exist).",
        &["secret-iam-missing"],
        3,
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
    (
        "github-aws",
        "Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        &["sub-mismatch", "immutable-sub", "sub-case-mismatch"],
        2,
    ),
    ("github-aws", "Could not assume role with OIDC: Incorrect token audience", &["aud-not-registered"], 1),
    (
        "github-aws",
        "Error: Credentials could not be loaded: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable",
        &["id-token-permission-missing"],
        3,
    ),
    (
        "github-azure",
        "AADSTS700213: No matching federated identity record found for presented assertion subject \
         'repo:octo-org/octo-repo:pull_request'.",
        &["sub-mismatch", "immutable-sub"],
        3,
    ),
    (
        "github-azure",
        "Error: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable",
        &["id-token-permission-missing"],
        6,
    ),
    (
        "github-gcp",
        "failed to generate Google Cloud federated token: The given credential is rejected by the attribute condition.",
        &["attribute-condition"],
        3,
    ),
    (
        "github-gcp",
        "GitHub Actions did not inject $ACTIONS_ID_TOKEN_REQUEST_TOKEN or $ACTIONS_ID_TOKEN_REQUEST_URL into this job.",
        &["id-token-permission-missing"],
        6,
    ),
    (
        "kubernetes-aws",
        "WebIdentityErr: failed to retrieve credentials\ncaused by: InvalidIdentityToken: No OpenIDConnect provider found \
         in your account for https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
        &["provider-missing"],
        1,
    ),
    (
        "kubernetes-azure",
        "AADSTS700211: No matching federated identity record found for presented assertion issuer \
         'https://oidc.prod-aks.azure.com/0f1e2d3c-0000-4000-8000-000000000001/'.",
        &["iss-mismatch"],
        3,
    ),
    (
        "kubernetes-azure",
        "WorkloadIdentityCredential: no client ID specified. Check pod configuration or set ClientID in the options",
        &["env-not-set"],
        6,
    ),
    (
        "kubernetes-azure",
        "AADSTS70023: External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token issued \
         at 1767225600. Token expires on 1798761600.",
        &["token-lifetime-too-long", "wrong-token-kind"],
        6,
    ),
    (
        "kubernetes-gcp",
        "unauthorized_client: The given credential is rejected by the attribute condition.",
        &["attribute-condition"],
        3,
    ),
];

// The rows that quote no message: guide, step and cause, and a lab with that cause, with what is set in it.
test_each! { is_a_known_failure_of_its_step:
    // The connection's test fails with a handshake error.
    principal_arn_wrong: ("aws-workload-identity", 3, "principal-arn-wrong", "principal-arn-wrong", &[]);
    aud_mismatch: ("aws-workload-identity", 3, "aud-mismatch", "aud-mismatch", &[]);
    aud_not_registered: ("aws-workload-identity", 2, "aud-not-registered", "aud-not-registered", &[]);
    sub_mismatch: ("aws-workload-identity", 3, "sub-mismatch", "sub-mismatch", &[]);
    provider_missing: ("aws-workload-identity", 2, "provider-missing", "provider-missing", &[]);
    issuer_not_configured: ("aws-workload-identity", 1, "issuer-not-configured", "issuer-not-configured", &[]);
    jwks_unreachable: ("aws-workload-identity", 1, "jwks-unreachable", "jwks-unreachable", &[]);
    azure_iss_mismatch: ("azure-workload-identity", 3, "iss-mismatch", "azure-iss-mismatch", &[]);
    azure_sub_mismatch: ("azure-workload-identity", 3, "sub-mismatch", "azure-sub-mismatch", &[]);
    azure_aud_mismatch: ("azure-workload-identity", 3, "aud-mismatch", "azure-aud-mismatch", &[]);
    azure_issuer_not_configured: ("azure-workload-identity", 1, "issuer-not-configured", "azure-issuer-not-configured", &[]);
    azure_jwks_unreachable: ("azure-workload-identity", 1, "jwks-unreachable", "azure-jwks-unreachable", &[]);
    // The test passes, and a kickoff resolves no secret.
    missing_get: ("aws-workload-identity", 4, "missing-get", "missing-get", &[]);
    secret_arn_suffix: ("aws-workload-identity", 4, "secret-arn-suffix", "secret-arn-suffix", &[]);
    versionstage_condition: ("aws-workload-identity", 4, "versionstage-condition", "versionstage-condition", &[]);
    missing_kms: ("aws-workload-identity", 4, "missing-kms", "missing-kms", &[]);
    azure_rbac_missing: ("azure-workload-identity", 4, "rbac-missing", "azure-rbac-missing", &[]);
    azure_rbac_wrong_role: ("azure-workload-identity", 4, "rbac-wrong-role", "azure-rbac-wrong-role", &[]);
    // No secrets are found.
    secret_wrong_region: ("aws-workload-identity", 6, "secret-wrong-region", "secret-wrong-region", &[]);
    static_in_another_region: ("aws-static", 5, "secret-wrong-region", "static", &["aws.region=us-east-2"]);
    // The key of the cloud's own that a static credential is.
    azure_secret_id: ("azure-static", 2, "client-secret-wrong", "azure-static-secret-id", &[]);
    azure_secret_expired: ("azure-static", 2, "client-secret-expired", "azure-static-secret-expired", &[]);
    azure_static_tenant: ("azure-static", 1, "tenant-wrong", "azure-static-tenant-wrong", &[]);
    azure_static_contributor: ("azure-static", 3, "rbac-missing", "azure-static-contributor", &[]);
    azure_static_private: ("azure-static", 5, "private-endpoint", "azure-static-private-endpoint", &[]);
    gcp_key_deleted: ("gcp-static", 2, "static-key-wrong", "gcp-static-key-deleted", &[]);
    gcp_account_deleted: ("gcp-static", 1, "service-account-missing", "gcp-static-account-deleted", &[]);
    gcp_clock: ("gcp-static", 6, "clock-skew", "gcp-static-clock", &[]);
    gcp_federation_file: ("gcp-static", 2, "credential-file-kind", "gcp-static-federation-file", &[]);
    // The vault has the older permission model.
    azure_access_policy_model: ("azure-workload-identity", 4, "access-policy-model", "azure-access-policy-model", &[]);
    azure_access_policy_compound: ("azure-workload-identity", 4, "access-policy-compound", "azure-access-policy-compound", &[]);
    // The role is for another branch or tag; nothing is set up for tokens at all.
    gitlab_for_another_branch: ("gitlab-aws", 2, "sub-mismatch", "gitlab", &["gitlab.ref=develop"]);
    gitlab_for_a_tag: ("gitlab-aws", 2, "sub-mismatch", "gitlab", &["gitlab.ref-type=tag"]);
    gitlab_without_a_token: ("gitlab-aws", 3, "env-not-set", "gitlab", &["token.env=NOT_SET_ANYWHERE"]);
    // A job without the permission, and pods that their webhook did not see.
    github_without_the_permission: ("github-aws", 3, "id-token-permission-missing", "github-aws-id-token-missing", &[]);
    github_at_azure_without_the_permission: ("github-azure", 6, "id-token-permission-missing", "github-azure-id-token-missing", &[]);
    github_for_another_environment: ("github-aws", 2, "sub-mismatch", "github-aws-environment", &[]);
    kubernetes_without_its_webhook: ("kubernetes-azure", 6, "env-not-set", "kubernetes-azure-webhook-missing", &[]);
    kubernetes_with_the_clusters_token: ("kubernetes-azure", 3, "aud-mismatch", "kubernetes-azure-cluster-audience", &[]);
    gitlab_in_another_account: ("gitlab-aws", 1, "provider-missing", "gitlab", &["aws.role-arn=arn:aws:iam::210987654321:role/r"]);
}

fn is_a_known_failure_of_its_step(guide: &str, step: u64, cause: &str, scenario: &str, sets: &[&str]) {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let found = failing(guide, scenario, &sets, &[]);
    assert!(found.iter().any(|(number, named, _)| (*number, named.as_str()) == (step, cause)), "{found:#?}");
    assert!(known_failures(guide, step).iter().any(|known| known == cause), "{guide} {step} does not list {cause}");
}

// A rotated value is not picked up by the next kickoff: the lab, the cause and its step.
test_each! { leads_to_the_step_of_its_cause:
    baked_in: ("rotation-static-baked", "static-baked", 9);
    cached: ("rotation-cached", "cached", 10);
    azure_baked_in: ("azure-rotation-static-baked", "static-baked", 9);
    azure_read_at_import: ("azure-rotation-read-at-import", "read-at-import", 10);
}

fn leads_to_the_step_of_its_cause(scenario: &str, cause: &str, step: u64) {
    let found = rotated(scenario, &[]);
    let finding = found.iter().find(|finding| finding["cause"] == cause).unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(finding["step"], step, "{finding:#}");
    let guide = finding["guide"].as_str().unwrap();
    assert!(known_failures(guide, step).iter().any(|known| known == cause), "{guide} {step} {cause}");
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
