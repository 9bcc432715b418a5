//! A wrong value in a field shows at the step where it is set right, with what is wrong: for every field of every guide.
//!
//! `cargo test wrong::gitlab::aws_region` runs one.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::trustline;

/// A UUID of something else.
const OTHER: &str = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";
const NOBODY: &str = "arn:aws:iam::123456789012:role/nobody";
const ELSEWHERE: &str = "arn:aws:iam::210987654321:role/crewai-secrets-reader";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/00000000-5f60-4718-92a3-b4c5d6e7f809";
/// Nothing listens there.
const SILENT: &str = "https://127.0.0.1:9";

const STARTS_NOTHING: &str = "only the automation's own output names the variable that it reads, and checks start no automation; a rotation does";

const RESOURCE_GROUP: &str =
    "Resource Manager refuses whoever may not read the subscription alike for a right group and a wrong one";
const FILE_GOES_FIRST: &str =
    "the lab's profile has the secret in a file, which goes before a variable; it has a test of its own below";
const OF_COMMANDS: &str = "the key's file says whose it is; the profile's address fills the commands alone";
const IAM_POLICY: &str =
    "a policy is evaluated beside the provider's file alone, and a file that is missing is told as its problem";

/// A guide, its fields that have a test with the steps where they are wrong, and those that no check can tell to be wrong,
/// with the reason.
struct Table {
    guide: &'static str,
    rows: &'static [(&'static str, u64)],
    untold: &'static [(&'static str, &'static str)],
}

/// A module a guide with a lab in which all of its steps are right; in it a test each of a field, a value that is well formed
/// and wrong, the step that fails with it, and the first cause that is named there.
macro_rules! wrong_values {
    ($($module:ident: $guide:literal in $scenario:literal {
        $($name:ident: $field:literal = $value:expr => $step:literal $cause:literal;)*
    } untold { $($open:literal: $why:expr;)* })*) => {
        const TABLES: &[Table] = &[$(Table {
            guide: $guide,
            rows: &[$(($field, $step)),*],
            untold: &[$(($open, $why)),*],
        }),*];
        $(mod $module {
            use super::*;

            #[test]
            fn nothing_is_wrong() {
                assert_eq!(failing($guide, $scenario, &[], &[]), []);
            }

            $(#[test]
            fn $name() {
                let failing = failing($guide, $scenario, &[format!("{}={}", $field, $value)], &[]);
                assert!(failing.iter().any(|(step, cause, _)| (*step, cause.as_str()) == ($step, $cause)), "{failing:#?}");
            })*
        })*
    };
}

wrong_values! {
    aws_workload_identity: "aws-workload-identity" in "healthy" {
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        platform_organization: "platform.organization" = OTHER => 3 "sub-mismatch";
        aws_role_arn_of_nobody: "aws.role-arn" = NOBODY => 3 "role-missing";
        aws_role_arn_elsewhere: "aws.role-arn" = ELSEWHERE => 2 "provider-missing";
        aws_role_arn_elsewhere_at_step_3: "aws.role-arn" = ELSEWHERE => 3 "wrong-account";
        aws_audience: "aws.audience" = "other" => 2 "aud-not-registered";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 3 "env-not-set";
        token_file: "token.file" = "/nonexistent.jwt" => 8 "env-not-set";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 4 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 4 "missing-kms";
        aws_region: "aws.region" = "us-east-2" => 6 "secret-wrong-region";
        secret_name_not_there: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        secret_name_without_the_key: "secret.name" = "crewai-test-keyword#none" => 5 "json-key-missing";
        deployment_url: "deployment.url" = SILENT => 10 "deployment-unreachable";
        deployment_token_env: "deployment.token-env" = "NOT_SET_ANYWHERE" => 10 "env-not-set";
    } untold {
        "deployment.variable": STARTS_NOTHING;
    }
    azure_workload_identity: "azure-workload-identity" in "azure" {
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        platform_organization: "platform.organization" = OTHER => 3 "sub-mismatch";
        azure_vault_url: "azure.vault-url" = SILENT => 4 "connect-refused";
        azure_subscription_id: "azure.subscription-id" = OTHER => 4 "tenant-wrong";
        azure_tenant_id: "azure.tenant-id" = OTHER => 2 "tenant-wrong";
        azure_client_id: "azure.client-id" = OTHER => 2 "client-wrong";
        azure_federated_credential: "azure.federated-credential" = "/nonexistent.json" => 3 "env-not-set";
        token_file: "token.file" = "/nonexistent.jwt" => 8 "env-not-set";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        deployment_url: "deployment.url" = SILENT => 10 "deployment-unreachable";
        deployment_token_env: "deployment.token-env" = "NOT_SET_ANYWHERE" => 10 "env-not-set";
    } untold {
        "deployment.variable": STARTS_NOTHING;
        "azure.resource-group": RESOURCE_GROUP;
    }
    gcp_workload_identity: "gcp-workload-identity" in "gcp" {
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        platform_organization: "platform.organization" = OTHER => 3 "sub-mismatch";
        gcp_project_id: "gcp.project-id" = "another-project" => 4 "principalset-mismatch";
        gcp_provider: "gcp.provider" = "projects/987654321098/locations/global/workloadIdentityPools/p/providers/p" => 3 "wrong-provider-name";
        gcp_provider_file: "gcp.provider-file" = "/nonexistent.json" => 3 "env-not-set";
        gcp_service_account: "gcp.service-account" = "nobody@another-project.iam.gserviceaccount.com" => 4 "principalset-mismatch";
        gcp_location: "gcp.location" = "europe-west3" => 5 "secret-not-found";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        secret_version: "secret.version" = "99" => 5 "secret-version-state";
        token_file: "token.file" = "/nonexistent.jwt" => 8 "env-not-set";
        deployment_url: "deployment.url" = SILENT => 10 "deployment-unreachable";
        deployment_token_env: "deployment.token-env" = "NOT_SET_ANYWHERE" => 10 "env-not-set";
    } untold {
        "deployment.variable": STARTS_NOTHING;
        "gcp.audience": "the provider at Google alone knows which audiences it lists, and nobody without its rights can ask";
        "gcp.iam-policy": IAM_POLICY;
    }
    aws_static: "aws-static" in "static" {
        aws_region: "aws.region" = "us-east-2" => 5 "secret-wrong-region";
        aws_account_id: "aws.account-id" = "210987654321" => 1 "wrong-account";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 2 "missing-get";
        aws_kms_key_arn_other: "aws.kms-key-arn" = OTHER_KEY => 2 "missing-kms";
        aws_kms_key_arn_of_another_region: "aws.kms-key-arn" = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e" => 2 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 6 "secret-not-found";
        aws_access_keys_csv: "aws.access-keys-csv" = "/nonexistent.csv" => 4 "env-not-set";
        aws_config_profile: "aws.config-profile" = "nobody" => 4 "env-not-set";
    } untold {}
    aws_assume_role: "aws-assume-role" in "assume-role" {
        aws_region: "aws.region" = "us-east-2" => 5 "secret-wrong-region";
        aws_account_id: "aws.account-id" = "210987654321" => 3 "wrong-account";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 2 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 2 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 6 "secret-not-found";
        aws_role_arn: "aws.role-arn" = NOBODY => 3 "assume-role-denied";
        aws_external_id: "aws.external-id" = "another-one" => 5 "external-id";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 3 "env-not-set";
        aws_access_keys_csv: "aws.access-keys-csv" = "/nonexistent.csv" => 4 "env-not-set";
        aws_config_profile: "aws.config-profile" = "nobody" => 4 "env-not-set";
    } untold {}
    gitlab: "gitlab-aws" in "gitlab" {
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        gitlab_project_path: "gitlab.project-path" = "mygroup/another" => 2 "sub-mismatch";
        gitlab_ref_type: "gitlab.ref-type" = "tag" => 2 "sub-mismatch";
        gitlab_ref: "gitlab.ref" = "develop" => 2 "sub-mismatch";
        aws_region: "aws.region" = "us-east-2" => 3 "secret-wrong-region";
        aws_role_arn_of_nobody: "aws.role-arn" = NOBODY => 2 "role-missing";
        aws_role_arn_elsewhere: "aws.role-arn" = ELSEWHERE => 1 "provider-missing";
        aws_audience: "aws.audience" = "other" => 1 "aud-not-registered";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 2 "env-not-set";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 2 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 2 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 3 "secret-not-found";
        token_env: "token.env" = "NOT_SET_ANYWHERE" => 3 "env-not-set";
    } untold {}
    circleci: "circleci-aws" in "circleci" {
        platform_organization: "platform.organization" = OTHER => 1 "aud-not-registered";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        circleci_project: "circleci.project" = OTHER => 2 "sub-mismatch";
        aws_region: "aws.region" = "us-east-2" => 4 "secret-wrong-region";
        aws_role_arn_of_nobody: "aws.role-arn" = NOBODY => 2 "role-missing";
        aws_role_arn_elsewhere: "aws.role-arn" = ELSEWHERE => 1 "provider-missing";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 2 "env-not-set";
        aws_target_role_arn: "aws.target-role-arn" = NOBODY => 3 "assume-role-denied";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 3 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 3 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 4 "secret-not-found";
        token_env: "token.env" = "NOT_SET_ANYWHERE" => 4 "env-not-set";
    } untold {}
    github_aws: "github-aws" in "github-aws" {
        github_repository: "github.repository" = "octo-org/another" => 2 "sub-mismatch";
        github_environment: "github.environment" = "production" => 2 "sub-mismatch";
        github_ref: "github.ref" = "refs/heads/develop" => 2 "sub-mismatch";
        aws_region: "aws.region" = "us-east-2" => 3 "secret-wrong-region";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        aws_role_arn_of_nobody: "aws.role-arn" = NOBODY => 2 "role-missing";
        aws_role_arn_elsewhere: "aws.role-arn" = ELSEWHERE => 1 "provider-missing";
        aws_audience: "aws.audience" = "other" => 1 "aud-not-registered";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 2 "env-not-set";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 2 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 2 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 3 "secret-not-found";
        token_github_actions: "token.github-actions" = "true" => 3 "id-token-permission-missing";
        token_file: "token.file" = "/nonexistent.jwt" => 3 "env-not-set";
    } untold {}
    github_azure: "github-azure" in "github-azure" {
        github_repository: "github.repository" = "octo-org/another" => 3 "sub-mismatch";
        github_environment: "github.environment" = "production" => 3 "sub-mismatch";
        github_ref: "github.ref" = "refs/heads/develop" => 3 "sub-mismatch";
        azure_vault_url: "azure.vault-url" = SILENT => 4 "connect-refused";
        azure_subscription_id: "azure.subscription-id" = OTHER => 4 "tenant-wrong";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        azure_tenant_id: "azure.tenant-id" = OTHER => 2 "tenant-wrong";
        azure_client_id: "azure.client-id" = OTHER => 2 "client-wrong";
        azure_federated_credential: "azure.federated-credential" = "/nonexistent.json" => 3 "env-not-set";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        token_github_actions: "token.github-actions" = "true" => 6 "id-token-permission-missing";
        token_file: "token.file" = "/nonexistent.jwt" => 6 "env-not-set";
    } untold {
        "azure.resource-group": RESOURCE_GROUP;
    }
    github_gcp: "github-gcp" in "github-gcp" {
        github_repository: "github.repository" = "octo-org/another" => 3 "sub-mismatch";
        github_environment: "github.environment" = "production" => 3 "sub-mismatch";
        github_ref: "github.ref" = "refs/heads/develop" => 3 "sub-mismatch";
        gcp_project_id: "gcp.project-id" = "another-project" => 4 "principalset-mismatch";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        gcp_provider: "gcp.provider" = "projects/987654321098/locations/global/workloadIdentityPools/p/providers/p" => 3 "wrong-provider-name";
        gcp_audience: "gcp.audience" = "other" => 3 "aud-mismatch";
        gcp_provider_file: "gcp.provider-file" = "/nonexistent.json" => 3 "env-not-set";
        gcp_service_account: "gcp.service-account" = "nobody@another-project.iam.gserviceaccount.com" => 4 "principalset-mismatch";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        gcp_location: "gcp.location" = "europe-west3" => 5 "secret-not-found";
        token_github_actions: "token.github-actions" = "true" => 6 "id-token-permission-missing";
        token_file: "token.file" = "/nonexistent.jwt" => 6 "env-not-set";
    } untold {
        "gcp.iam-policy": IAM_POLICY;
    }
    kubernetes_aws: "kubernetes-aws" in "kubernetes-aws" {
        kubernetes_namespace: "kubernetes.namespace" = "another" => 2 "sub-mismatch";
        kubernetes_service_account: "kubernetes.service-account" = "another" => 2 "sub-mismatch";
        aws_region: "aws.region" = "us-east-2" => 3 "secret-wrong-region";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        aws_role_arn_of_nobody: "aws.role-arn" = NOBODY => 2 "role-missing";
        aws_role_arn_elsewhere: "aws.role-arn" = ELSEWHERE => 1 "provider-missing";
        aws_audience: "aws.audience" = "other" => 1 "aud-not-registered";
        aws_trust_policy: "aws.trust-policy" = "/nonexistent.json" => 2 "env-not-set";
        aws_secret_prefix: "aws.secret-prefix" = "other-" => 2 "missing-get";
        aws_kms_key_arn: "aws.kms-key-arn" = OTHER_KEY => 2 "missing-kms";
        secret_name: "secret.name" = "crewai-not-there" => 3 "secret-not-found";
        token_file: "token.file" = "/nonexistent.jwt" => 3 "env-not-set";
    } untold {}
    azure_static: "azure-static" in "azure-static" {
        azure_vault_url: "azure.vault-url" = SILENT => 6 "connect-refused";
        azure_subscription_id: "azure.subscription-id" = OTHER => 3 "tenant-wrong";
        azure_tenant_id: "azure.tenant-id" = OTHER => 1 "tenant-wrong";
        azure_client_id: "azure.client-id" = OTHER => 1 "client-wrong";
        azure_client_secret_file: "azure.client-secret-file" = "/nonexistent-secret" => 2 "env-not-set";
        secret_name: "secret.name" = "crewai-not-there" => 4 "secret-not-found";
    } untold {
        "azure.resource-group": RESOURCE_GROUP;
        "azure.client-secret-env": FILE_GOES_FIRST;
    }
    gcp_static: "gcp-static" in "gcp-static" {
        gcp_project_id: "gcp.project-id" = "another-project" => 3 "missing-list";
        gcp_key_file: "gcp.key-file" = "/nonexistent.json" => 2 "env-not-set";
        secret_name: "secret.name" = "crewai-not-there" => 4 "secret-not-found";
        gcp_location: "gcp.location" = "europe-west3" => 4 "secret-not-found";
    } untold {
        "gcp.service-account": OF_COMMANDS;
    }
    kubernetes_azure: "kubernetes-azure" in "kubernetes-azure" {
        kubernetes_namespace: "kubernetes.namespace" = "another" => 3 "sub-mismatch";
        kubernetes_service_account: "kubernetes.service-account" = "another" => 3 "sub-mismatch";
        azure_vault_url: "azure.vault-url" = SILENT => 4 "connect-refused";
        azure_subscription_id: "azure.subscription-id" = OTHER => 4 "tenant-wrong";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        azure_tenant_id: "azure.tenant-id" = OTHER => 2 "tenant-wrong";
        azure_client_id: "azure.client-id" = OTHER => 2 "client-wrong";
        azure_federated_credential: "azure.federated-credential" = "/nonexistent.json" => 3 "env-not-set";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        token_file: "token.file" = "/nonexistent.jwt" => 6 "env-not-set";
    } untold {
        "azure.resource-group": RESOURCE_GROUP;
    }
    kubernetes_gcp: "kubernetes-gcp" in "kubernetes-gcp" {
        kubernetes_namespace: "kubernetes.namespace" = "another" => 3 "sub-mismatch";
        kubernetes_service_account: "kubernetes.service-account" = "another" => 3 "sub-mismatch";
        gcp_project_id: "gcp.project-id" = "another-project" => 4 "principalset-mismatch";
        issuer_url: "issuer.url" = SILENT => 1 "connect-refused";
        gcp_provider: "gcp.provider" = "projects/987654321098/locations/global/workloadIdentityPools/p/providers/p" => 3 "wrong-provider-name";
        gcp_audience: "gcp.audience" = "other" => 3 "aud-mismatch";
        gcp_provider_file: "gcp.provider-file" = "/nonexistent.json" => 3 "env-not-set";
        gcp_service_account: "gcp.service-account" = "nobody@another-project.iam.gserviceaccount.com" => 4 "principalset-mismatch";
        secret_name: "secret.name" = "crewai-not-there" => 5 "secret-not-found";
        gcp_location: "gcp.location" = "europe-west3" => 5 "secret-not-found";
        token_file: "token.file" = "/nonexistent.jwt" => 6 "env-not-set";
    } untold {
        "gcp.iam-policy": IAM_POLICY;
    }
}

/// The steps that fail in a lab where everything is right but these values, each with its first cause and state.
pub(super) fn failing(
    guide: &str,
    scenario: &str,
    sets: &[String],
    variables: &[(&str, &str)],
) -> Vec<(u64, String, Value)> {
    let mut command = trustline();
    command.args(["guide", guide, "--lab", scenario, "--check", "--output", "json"]);
    command.args(sets.iter().flat_map(|set| ["--set", set]));
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{sets:?}: {said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failing: Vec<Value> = steps(&document).into_iter().filter(|step| step["state"]["is"] == "failing").collect();
    assert!(failing.is_empty() || output.status.code() == Some(1), "{sets:?}: a failing step is a failed check");
    failing
        .into_iter()
        .map(|step| {
            let finding = step["state"]["findings"][0].clone();
            let cause = finding["cause"].as_str().unwrap_or_default().to_owned();
            (step["number"].as_u64().unwrap(), cause, finding)
        })
        .collect()
}

/// The steps of the only guide of a document, prerequisites first.
fn steps(document: &Value) -> Vec<Value> {
    let guide = &document["guides"][0];
    std::iter::once(&guide["prerequisites"]).chain(guide["steps"].as_array().unwrap()).cloned().collect()
}

/// The fields of a guide, each with the numbers of the steps that hold it.
fn fields(guide: &str) -> Vec<(String, u64)> {
    let output = trustline().args(["guide", guide, "--output", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_step = |step: Value| {
        let number = step["number"].as_u64().unwrap();
        let fields = step["fields"].as_array().unwrap().clone();
        fields.into_iter().map(move |field| (field["key"].as_str().unwrap().to_owned(), number))
    };
    steps(&document).into_iter().flat_map(of_step).collect()
}

/// A field of a guide has one value, whichever of its steps asks for it: one of these steps shows that it is wrong.
#[test]
fn every_field_of_every_guide_has_a_row() {
    let ids: BTreeSet<&str> = TABLES.iter().map(|table| table.guide).collect();
    let listed = trustline().args(["guide", "--output", "json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let guides = listed["guides"].as_array().unwrap();
    assert_eq!(ids, guides.iter().map(|guide| guide["id"].as_str().unwrap()).collect());
    for table in TABLES {
        let fields = fields(table.guide);
        for (key, _) in &fields {
            let untold = table.untold.iter().any(|(open, why)| open == key && !why.is_empty());
            let has_row = table.rows.iter().any(|(row, ..)| row == key);
            assert!(has_row != untold, "{} {key}: give it a row, or say why no check can tell", table.guide);
        }
        for (key, step) in table.rows {
            let held = fields.iter().any(|(field, number)| field == key && number == step);
            assert!(held, "{} {key}: step {step} has no such field", table.guide);
        }
        for (key, _) in table.untold {
            assert!(fields.iter().any(|(field, _)| field == key), "{} {key}: no such field", table.guide);
        }
    }
}

/// What is right beside what is wrong: these values are the lab's own.
#[test]
fn right_values_fail_no_step() {
    let key = "aws.kms-key-arn=arn:aws:kms:us-east-1:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809";
    for (guide, scenario, sets) in [
        ("aws-workload-identity", "healthy", &[key, "aws.secret-prefix=crewai-"][..]),
        ("aws-workload-identity", "healthy", &["aws.secret-prefix=crewai"]),
        ("aws-static", "static", &[key, "aws.secret-prefix=crewai-test", "aws.account-id=123456789012"]),
        ("aws-assume-role", "assume-role", &[key, "aws.account-id=123456789012"]),
        ("gitlab-aws", "gitlab", &["gitlab.project-path=mygroup/*", "gitlab.ref-type=branch", "gitlab.ref=main"]),
        ("circleci-aws", "circleci", &["circleci.project=5b1f2c9e-0000-4000-8000-0123456789ab", key]),
    ] {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        assert_eq!(failing(guide, scenario, &sets, &[]), [], "{guide} {sets:?}");
    }
}

/// A bearer token that is there and that the deployment does not know.
#[test]
fn a_token_that_the_deployment_refuses_fails_the_step_that_names_it() {
    let sets = ["deployment.token-env=WRONG_TOKEN".to_owned()];
    for (guide, scenario) in [("aws-workload-identity", "healthy"), ("azure-workload-identity", "azure")] {
        let failing = failing(guide, scenario, &sets, &[("WRONG_TOKEN", "not-the-deployments-own")]);
        assert_eq!(failing.len(), 1);
        assert_eq!((failing[0].0, failing[0].1.as_str()), (10, "deployment-token-wrong"));
    }
}

/// The variable alone, where no file holds the client secret: nothing is sent, and the check fails by itself.
#[test]
fn a_variable_without_a_client_secret_fails_the_sign_in() {
    let sets = [
        "guide=azure-static",
        "azure.tenant-id=0f1e2d3c-0000-4000-8000-000000000001",
        "azure.client-id=0f1e2d3c-0000-4000-8000-000000000002",
        "azure.client-secret-env=NO_SECRET_HERE",
    ];
    let mut command = trustline();
    command.args(["check", "--only", "azure.exchange", "--output", "json"]);
    command.args(sets.iter().flat_map(|set| ["--set", set]));
    let output = command.env_remove("NO_SECRET_HERE").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let first = &report["findings"][0];
    assert_eq!((&first["cause"], &first["step"]), (&"env-not-set".into(), &2.into()), "{report:#}");
    assert!(first["summary"].as_str().unwrap().contains("NO_SECRET_HERE"), "{first:#}");
    assert_eq!(output.status.code(), Some(1));
}

/// A profile of AWS's shared files may sign in without any key: it is told as what it is.
#[test]
fn a_profile_without_a_key_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text =
        "[profile portal]\nsso_session = ours\nregion = us-east-1\n[profile program]\ncredential_process = /bin/x\n";
    fs::write(&config, text).unwrap();
    for (profile, way) in [("portal", "single sign-on"), ("program", "a program (credential_process)")] {
        let sets = [format!("aws.config-profile={profile}")];
        let failing = failing("aws-static", "static", &sets, &[("AWS_CONFIG_FILE", config.to_str().unwrap())]);
        assert_eq!((failing[0].0, failing[0].1.as_str()), (4, "env-not-set"));
        let summary = failing[0].2["summary"].as_str().unwrap();
        assert!(summary.contains(way) && summary.contains(profile), "{summary}");
    }
}

/// The policy at hand says which side denies, and which part of it.
#[test]
fn the_trust_policy_at_hand_is_evaluated_for_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trust.json");
    for (principal, condition, cause) in [
        ("arn:aws:iam::123456789012:user/another", "{}", "assume-role-denied"),
        ("arn:aws:iam::210987654321:root", "{}", "assume-role-denied"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"aws:username": "another"}}"#, "claim-mismatch"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"sts:RoleSessionName": "x"}}"#, "claim-mismatch"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"sts:ExternalId": "x"}}"#, "external-id"),
    ] {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}},
               "Action": "sts:AssumeRole", "Condition": {condition}}}]}}"#
        );
        fs::write(&file, text).unwrap();
        let sets = [format!("aws.trust-policy={}", file.display())];
        let failing = failing("aws-assume-role", "assume-role", &sets, &[]);
        assert!(failing.iter().any(|(_, named, _)| named == cause), "{principal} {condition}: {failing:?}");
    }
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

/// A file that is there and cannot be read as a policy is no proof of anything: its step stays open, and nobody else's
/// fails.
#[test]
fn a_copy_that_cannot_be_read_leaves_its_step_open() {
    let folder = tempfile::tempdir().unwrap();
    for set in [
        // A folder opens, and does not read.
        format!("aws.trust-policy={}", folder.path().display()),
        {
            let file = folder.path().join("cut.json");
            fs::write(&file, "{\"Version\": \"2012-10-17\", \"Statem").unwrap();
            format!("aws.trust-policy={}", file.display())
        },
    ] {
        assert_eq!(failing("aws-workload-identity", "healthy", std::slice::from_ref(&set), &[]), []);
        let arguments =
            ["guide", "aws-workload-identity", "3", "--lab", "healthy", "--check", "--output", "json", "--set", &set];
        let output = trustline().args(arguments).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let state = &document["guides"][0]["steps"][0]["state"];
        assert_eq!(state["is"], "to-do", "{set}");
        // The step says why, in words.
        assert_eq!(state["not_told"][0]["check"], "trust.policy", "{state}");
        assert!(state["not_told"][0]["reason"].as_str().unwrap().contains("could not be read"), "{state}");
    }
}
