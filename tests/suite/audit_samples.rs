//! `trustline audit` over policies that others wrote: the samples that vendors publish, written anew with the published structure,
//! and the trusts that other auditors are wrong about.

use std::fs;

use serde_json::{Value, json};

use crate::support::trustline;

const ACCOUNT: &str = "111122223333";
const GITHUB: &str = "token.actions.githubusercontent.com";

/// The worst that the audit says of a document; nothing where it says nothing.
fn worst(document: &str, name: &str) -> (Option<String>, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), document).unwrap();
    let output = trustline().args(["audit", name, "--output", "json"]).current_dir(folder.path()).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(found["read"]["not_judged"].as_array().map_or(0, Vec::len), 0, "{found:#}");
    let severity = found["findings"][0]["severity"].as_str().map(str::to_owned);
    (severity, found)
}

/// A statement that takes tokens of `url` under these conditions.
fn statement(url: &str, conditions: &Value) -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions,
        "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{url}")}})
}

fn policy(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Samples with where they are published, and the worst that is to be said: nothing, hygiene, or what is known to be bad in them.
fn samples() -> Vec<(&'static str, &'static str, String, Option<&'static str>)> {
    let of = |url: &str, conditions: Value| policy(json!([statement(url, &conditions)]));
    let aud = |url: &str| json!({format!("{url}:aud"): "sts.amazonaws.com"});
    let github = |operator: &str, subject: &str| {
        let mut conditions = json!({"StringEquals": aud(GITHUB)});
        conditions[operator][format!("{GITHUB}:sub")] = subject.into();
        of(GITHUB, conditions)
    };
    let org = "7f3e81c4-1111-4222-8333-9d20c1a09a1c";
    let circle = format!("oidc.circleci.com/org/{org}");
    let eks = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E";
    let buildkite = "agent.buildkite.com";
    let credential = |issuer: &str, subject: &str| {
        json!({"name": "deploy", "issuer": issuer, "subject": subject, "description": "x", "audiences": ["api://AzureADTokenExchange"]}).to_string()
    };
    let flexible = json!({"name": "deploy", "issuer": format!("https://{GITHUB}"), "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": {"value": "claims['sub'] matches 'repo:contoso/shop:ref:refs/heads/*'", "languageVersion": 1}});
    vec![
        // Names without ids can be taken over: hygiene.
        (
            "a branch",
            "https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
            github("StringEquals", "repo:octo-org/octo-repo:ref:refs/heads/octo-branch"),
            Some("low"),
        ),
        (
            "an environment",
            "https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
            github("StringEquals", "repo:octo-org/octo-repo:environment:prod"),
            Some("low"),
        ),
        // Known: a pull request of anybody gets in.
        (
            "any ref",
            "https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
            github("StringLike", "repo:octo-org/octo-repo:*"),
            Some("medium"),
        ),
        (
            "a project's branch",
            "https://docs.gitlab.com/ci/cloud_services/aws/",
            of(
                "gitlab.com",
                json!({"StringEquals": {"gitlab.com:sub": "project_path:mygroup/myproject:ref_type:branch:ref:main"}}),
            ),
            None,
        ),
        (
            "a project",
            "https://circleci.com/docs/openid-connect-tokens/",
            of(
                &circle,
                json!({"StringLike": {format!("{circle}:sub"): format!("org/{org}/project/11111111-2222-4333-8444-555555555555/user/*")}}),
            ),
            None,
        ),
        (
            "a service account",
            "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html",
            of(
                eks,
                json!({"StringEquals": {format!("{eks}:aud"): "sts.amazonaws.com", format!("{eks}:sub"): "system:serviceaccount:default:my-service-account"}}),
            ),
            None,
        ),
        (
            "a workspace",
            "https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration",
            of(
                "app.terraform.io",
                json!({"StringEquals": {"app.terraform.io:aud": "aws.workload.identity"}, "StringLike": {"app.terraform.io:sub": "organization:my-org:project:my-project:workspace:my-workspace:run_phase:*"}}),
            ),
            None,
        ),
        (
            "a pipeline's branch",
            "https://buildkite.com/docs/pipelines/security/oidc/aws",
            of(
                buildkite,
                json!({"StringEquals": aud(buildkite), "StringLike": {format!("{buildkite}:sub"): "organization:acme:pipeline:shop:ref:refs/heads/main:commit:*:step:*"}}),
            ),
            None,
        ),
        (
            "a pipeline's tags",
            "https://buildkite.com/docs/pipelines/security/oidc/aws",
            of(
                buildkite,
                json!({"StringEquals": {format!("{buildkite}:aud"): "sts.amazonaws.com", "aws:RequestTag/organization_id": org, "aws:RequestTag/pipeline_slug": "shop"}}),
            ),
            None,
        ),
        (
            "a project's production",
            "https://vercel.com/docs/oidc/aws",
            of(
                "oidc.vercel.com/acme",
                json!({"StringEquals": {"oidc.vercel.com/acme:aud": "https://vercel.com/acme", "oidc.vercel.com/acme:sub": "owner:acme:project:shop:environment:production"}}),
            ),
            None,
        ),
        (
            "a workspace's prefix",
            "https://docs.scalr.io/docs/aws",
            of(
                "scalr.io",
                json!({"StringEquals": aud("scalr.io"), "StringLike": {"scalr.io:sub": "account:acme:environment:prod:workspace:shop"}}),
            ),
            None,
        ),
        // Known: whoever has a pipeline in the account gets in.
        (
            "no subject",
            "https://developer.harness.io/docs/cloud-cost-management/oidc-auth",
            of(
                "app.harness.io/ng/api/oidc/account/abc",
                json!({"StringEquals": aud("app.harness.io/ng/api/oidc/account/abc")}),
            ),
            Some("critical"),
        ),
        (
            "an application's environment",
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust",
            credential(&format!("https://{GITHUB}"), "repo:octo-org/octo-repo:environment:Production"),
            None,
        ),
        (
            "an application's service account",
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust",
            credential("https://oidc.prod-aks.azure.com/7f3e81c4/", "system:serviceaccount:erp8asle:pod-identity-sa"),
            None,
        ),
        // Known: Graph asks for an id beside the subject since 2026.
        (
            "a flexible credential",
            "https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials",
            flexible.to_string(),
            Some("medium"),
        ),
    ]
}

#[test]
fn samples_that_vendors_publish_raise_no_alarm_but_for_what_is_known_to_be_bad() {
    for (name, source, document, expected) in samples() {
        let (severity, found) = worst(&document, "policy.json");
        assert_eq!(severity.as_deref(), expected, "{name} of {source}: {found:#}");
    }
}

#[test]
fn what_other_auditors_are_wrong_about_is_right() {
    let aud = json!({format!("{GITHUB}:aud"): "sts.amazonaws.com"});
    let exact = "repo:octo@1/app@2:ref:refs/heads/main";
    let of = |conditions: Value| policy(json!([statement(GITHUB, &conditions)]));
    let enterprise = format!("{GITHUB}/acme");
    let mut any_assume = statement(GITHUB, &json!({"StringEquals": aud}));
    any_assume["Action"] = "sts:Assume*".into();
    let mut lower = statement(GITHUB, &json!({"StringEquals": aud}));
    lower["Action"] = "STS:assumerolewithwebidentity".into();
    let mut deny = statement(GITHUB, &json!({"StringNotEquals": {format!("{GITHUB}:sub"): exact}}));
    deny["Effect"] = "Deny".into();
    let wide =
        statement(GITHUB, &json!({"StringEquals": aud, "StringLike": {format!("{GITHUB}:sub"): "repo:octo@1/*"}}));
    for (name, document, expected) in [
        // Prowler, 2026-09-20.
        (
            "a negated operator",
            of(
                json!({"StringEquals": aud, "StringNotEquals": {format!("{GITHUB}:sub"): "repo:evil/x:ref:refs/heads/main"}}),
            ),
            Some("critical"),
        ),
        (
            "keys in other letter case",
            of(
                json!({"StringEquals": {"Token.Actions.GithubUserContent.com:AUD": "sts.amazonaws.com", "TOKEN.actions.githubusercontent.com:Sub": exact}}),
            ),
            None,
        ),
        (
            "a customised subject",
            of(
                json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:sub"): "repository_owner_id:42:repository_id:7"}}),
            ),
            None,
        ),
        (
            "an enterprise's issuer",
            policy(json!([statement(
                &enterprise,
                &json!({"StringEquals": {format!("{enterprise}:aud"): "sts.amazonaws.com"}, "StringLike": {format!("{enterprise}:sub"): "repo:*"}})
            )])),
            Some("critical"),
        ),
        (
            "keys of January 2026",
            of(
                json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:repository_id"): "7", format!("{GITHUB}:ref"): "refs/heads/main", format!("{GITHUB}:environment"): "prod"}}),
            ),
            None,
        ),
        ("a wildcard in the action", policy(json!([any_assume])), Some("critical")),
        ("an action in other letter case", policy(json!([lower])), Some("critical")),
        ("a Deny that keeps strangers out", policy(json!([wide, deny])), None),
        (
            "another issuer",
            policy(json!([statement("gitlab.com", &json!({"StringLike": {"gitlab.com:sub": "project_path:*"}}))])),
            Some("critical"),
        ),
        (
            "an owner's repositories",
            of(json!({"StringEquals": aud, "StringLike": {format!("{GITHUB}:sub"): "repo:octo/*"}})),
            Some("high"),
        ),
    ] {
        let (severity, found) = worst(&document, "policy.json");
        assert_eq!(severity.as_deref(), expected, "{name}: {found:#}");
    }
    // Checkov, CKV_AWS_358: a variable hides the name.
    let hidden = format!(
        r#"variable "owner" {{}}
        variable "repository" {{}}
        data "aws_iam_policy_document" "trust" {{
          statement {{
            actions = ["sts:AssumeRoleWithWebIdentity"]
            principals {{
              type        = "Federated"
              identifiers = ["arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"]
            }}
            condition {{
              test     = "StringEquals"
              variable = "{GITHUB}:aud"
              values   = ["sts.amazonaws.com"]
            }}
            condition {{
              test     = "StringEquals"
              variable = "{GITHUB}:sub"
              values   = ["repo:${{var.owner}}@1/${{var.repository}}@2:environment:prod"]
            }}
          }}
        }}
        resource "aws_iam_role" "ci" {{ assume_role_policy = data.aws_iam_policy_document.trust.json }}"#
    );
    let (severity, found) = worst(&hidden, "main.tf");
    assert_eq!(severity, None, "{found:#}");
}

#[test]
fn credentials_that_graph_refuses_are_named() {
    let flexible = |issuer: &str, expression: Value| {
        json!({"name": "ci", "issuer": issuer, "audiences": ["api://AzureADTokenExchange"], "claimsMatchingExpression": expression}).to_string()
    };
    let github = format!("https://{GITHUB}");
    let written = |value: &str| json!({"value": value, "languageVersion": 1});
    let sound = "claims['sub'] matches 'repo:octo/app:ref:refs/heads/*' and claims['repository_id'] eq '7'";
    for (name, document, cause) in [
        ("another issuer", flexible("https://oidc.circleci.com/org/x", written(sound)), Some("fic-expression-issuer")),
        ("no id", flexible(&github, written("claims['sub'] eq 'repo:octo/app:ref:refs/heads/main'")), Some("fic-expression-required-claim")),
        ("typographic quotes", flexible(&github, written("claims[\u{2018}sub\u{2019}] eq \u{2018}x\u{2019}")), Some("fic-expression-invalid")),
        ("a bare text", flexible(&github, json!(sound)), Some("fic-expression-invalid")),
        ("two audiences", json!({"name": "ci", "issuer": github, "subject": "repo:octo/app:environment:prod", "audiences": ["a", "b"]}).to_string(), Some("fic-shape")),
        ("sound", json!({"name": "ci", "issuer": github, "subject": "repo:octo/app:environment:prod", "audiences": ["api://AzureADTokenExchange"]}).to_string(), None),
    ] {
        let (_, found) = worst(&document, "credential.json");
        let causes: Vec<&str> =
            found["findings"].as_array().unwrap().iter().map(|finding| finding["cause"].as_str().unwrap()).collect();
        assert_eq!(causes.iter().find(|found| found.starts_with("fic-")).copied(), cause, "{name}: {found:#}");
    }
}
