//! Policies, credentials and providers as their makers publish them: each lets its own subject in, unchanged, and no other.

use std::fs;

use serde_json::{Value, json};

use crate::support::trustline;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const EKS: &str = "https://oidc.eks.region-code.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
const AKS: &str = "https://aksoicwesteurope.blob.core.windows.net/9d80a3e1-2a87-46ea-ab16-e629589c541c/";
const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci";

/// One document, with whose tokens it is for.
struct Sample {
    /// Where it is published.
    source: &'static str,
    /// The option of `trust` that takes it.
    flag: &'static str,
    document: Value,
    issuer: &'static str,
    audience: String,
    own: &'static str,
    foreign: &'static str,
}

fn role(issuer: &str, condition: &Value) -> Value {
    let host = issuer.trim_start_matches("https://");
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}") },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }] })
}

fn key(issuer: &str, claim: &str) -> String {
    format!("{}:{claim}", issuer.trim_start_matches("https://"))
}

fn provider(issuer: &str, mapping: &Value, condition: &str) -> Value {
    json!({
        "name": format!("{POOL}/providers/sample"),
        "oidc": { "issuerUri": issuer },
        "attributeMapping": mapping,
        "attributeCondition": condition,
        "state": "ACTIVE",
    })
}

fn samples() -> Vec<Sample> {
    let aws = || "sts.amazonaws.com".to_owned();
    let entra = || "api://AzureADTokenExchange".to_owned();
    let google = || format!("https://iam.googleapis.com/{POOL}/providers/sample");
    vec![
        Sample {
            source: "https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
            flag: "--policy",
            document: role(
                GITHUB,
                &json!({ "StringEquals": {
                    key(GITHUB, "aud"): "sts.amazonaws.com",
                    key(GITHUB, "sub"): "repo:octo-org/octo-repo:ref:refs/heads/octo-branch",
                } }),
            ),
            issuer: GITHUB,
            audience: aws(),
            own: "repo:octo-org/octo-repo:ref:refs/heads/octo-branch",
            foreign: "repo:octo-org/octo-repo:pull_request",
        },
        Sample {
            source: "the same page, with a wildcard",
            flag: "--policy",
            document: role(
                GITHUB,
                &json!({
                    "StringLike": { key(GITHUB, "sub"): "repo:octo-org/octo-repo:*" },
                    "StringEquals": { key(GITHUB, "aud"): "sts.amazonaws.com" },
                }),
            ),
            issuer: GITHUB,
            audience: aws(),
            own: "repo:octo-org/octo-repo:environment:prod",
            foreign: "repo:octo-org/octo-repo-2:environment:prod",
        },
        Sample {
            source: "the same page, with an environment",
            flag: "--policy",
            document: role(
                GITHUB,
                &json!({ "StringEquals": {
                    key(GITHUB, "aud"): "sts.amazonaws.com",
                    key(GITHUB, "sub"): "repo:octo-org/octo-repo:environment:prod",
                } }),
            ),
            issuer: GITHUB,
            audience: aws(),
            own: "repo:octo-org/octo-repo:environment:prod",
            foreign: "repo:octo-org/octo-repo:ref:refs/heads/main",
        },
        Sample {
            source: "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html",
            flag: "--policy",
            document: role(
                EKS,
                &json!({ "StringEquals": {
                    key(EKS, "aud"): "sts.amazonaws.com",
                    key(EKS, "sub"): "system:serviceaccount:default:my-service-account",
                } }),
            ),
            issuer: EKS,
            audience: aws(),
            own: "system:serviceaccount:default:my-service-account",
            foreign: "system:serviceaccount:kube-system:my-service-account",
        },
        Sample {
            source: "the same page, for every service account of a namespace",
            flag: "--policy",
            document: role(
                EKS,
                &json!({
                    "StringEquals": { key(EKS, "aud"): "sts.amazonaws.com" },
                    "StringLike": { key(EKS, "sub"): "system:serviceaccount:default:*" },
                }),
            ),
            issuer: EKS,
            audience: aws(),
            own: "system:serviceaccount:default:other-service-account",
            foreign: "system:serviceaccount:default2:my-service-account",
        },
        Sample {
            source: "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust#kubernetes",
            flag: "--credential",
            document: json!({
                "name": "Kubernetes-federated-credential",
                "issuer": AKS,
                "subject": "system:serviceaccount:erp8asle:pod-identity-sa",
                "description": "Kubernetes service account federated credential",
                "audiences": ["api://AzureADTokenExchange"],
            }),
            issuer: AKS,
            audience: entra(),
            own: "system:serviceaccount:erp8asle:pod-identity-sa",
            foreign: "system:serviceaccount:pod-identity-sa:erp8asle",
        },
        Sample {
            source: "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust#github-actions",
            flag: "--credential",
            document: json!({
                "name": "Testing",
                "issuer": "https://token.actions.githubusercontent.com",
                "subject": "repo:octo-org/octo-repo:environment:Production",
                "description": "Testing",
                "audiences": ["api://AzureADTokenExchange"],
            }),
            issuer: GITHUB,
            audience: entra(),
            own: "repo:octo-org/octo-repo:environment:Production",
            foreign: "repo:octo-org/octo-repo:environment:production",
        },
        Sample {
            source: "https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes",
            flag: "--provider",
            document: provider(
                EKS,
                &json!({
                    "google.subject": "assertion.sub",
                    "attribute.namespace": "assertion['kubernetes.io']['namespace']",
                }),
                "assertion['kubernetes.io']['namespace'] in ['backend', 'monitoring']",
            ),
            issuer: EKS,
            audience: google(),
            own: "system:serviceaccount:backend:reader",
            foreign: "system:serviceaccount:frontend:reader",
        },
        Sample {
            source: "https://github.com/google-github-actions/auth",
            flag: "--provider",
            document: provider(
                GITHUB,
                &json!({
                    "google.subject": "assertion.sub",
                    "attribute.actor": "assertion.actor",
                    "attribute.repository": "assertion.repository",
                    "attribute.repository_owner": "assertion.repository_owner",
                }),
                "assertion.repository_owner == 'octo-org'",
            ),
            issuer: GITHUB,
            audience: google(),
            own: "repo:octo-org/octo-repo:ref:refs/heads/main",
            foreign: "repo:somebody/octo-repo:ref:refs/heads/main",
        },
    ]
}

/// A token's claims, with those that a subject brings along at its issuer.
fn claims(sample: &Sample, subject: &str) -> Value {
    let mut claims = json!({ "iss": sample.issuer, "sub": subject, "aud": sample.audience });
    if let Some(repository) = subject.strip_prefix("repo:").and_then(|rest| rest.split(':').next()) {
        claims["repository"] = repository.into();
        claims["repository_owner"] = repository.split('/').next().into();
        claims["actor"] = "octocat".into();
    }
    if let Some((namespace, name)) =
        subject.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'))
    {
        claims["kubernetes.io"] = json!({ "namespace": namespace, "serviceaccount": { "name": name } });
    }
    claims
}

#[test]
fn a_published_sample_lets_its_own_subject_in_and_no_foreign_one() {
    let folder = tempfile::tempdir().unwrap();
    let (document, token) = (folder.path().join("document.json"), folder.path().join("claims.json"));
    for sample in samples() {
        fs::write(&document, sample.document.to_string()).unwrap();
        for (subject, decision, status) in [(sample.own, "allow", 0), (sample.foreign, "deny", 1)] {
            fs::write(&token, claims(&sample, subject).to_string()).unwrap();
            let output = trustline()
                .args(["trust", "--output", "json", sample.flag])
                .arg(&document)
                .arg("--claims")
                .arg(&token)
                .output()
                .unwrap();
            let what = format!("{}: {subject}", sample.source);
            let answer: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{what}: {error} {}", String::from_utf8_lossy(&output.stderr)));
            assert_eq!(answer["decision"], decision, "{what}: {answer:#}");
            assert_eq!(output.status.code(), Some(status), "{what}: {answer:#}");
        }
    }
}
