//! `check` inside a CI job: no profile, no terminal, only what the CI system and the job's settings put there.

use std::fs;

use super::support::{RunningLab, trustline};

/// Runs a check with these variables over a clean environment; status and what it printed.
fn job(lab: &RunningLab, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let ready = |key: &str| lab.ready[key].as_str().unwrap();
    let output = trustline()
        .env("AWS_REGION", ready("region"))
        .env("AWS_ENDPOINT_URL_STS", ready("sts"))
        .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", ready("secretsmanager"))
        .env("AWS_ROLE_ARN", ready("role_arn"))
        .envs(variables.iter().copied())
        .args(["check", "--ca-file", &lab.file("ca.pem"), "--set", "secret.name=crewai-test-keyword"])
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), said)
}

fn assert_fit_for_a_log(said: &str, token: &str) {
    assert!(!said.contains(token) && !said.contains("eyJ"), "the log holds the token");
    assert!(!said.contains("hello from aws"), "the log holds the secret");
    assert!(!said.contains('\u{1b}'), "the log holds escape sequences");
}

#[test]
fn in_gitlab() {
    let lab = RunningLab::start("gitlab");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let instance = lab.ready["issuer"].as_str().unwrap();
    // The variable is the one that the guide's job names under `id_tokens`.
    let variables = [("GITLAB_CI", "true"), ("CI_SERVER_URL", instance), ("GITLAB_OIDC_TOKEN", token.trim())];
    let (status, said) = job(&lab, &variables, &[]);
    assert_eq!(status, Some(0), "{said}");
    for part in ["gitlab-aws", "a token was obtained", "secret can be read", "sha256:", "PASS"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert_fit_for_a_log(&said, token.trim());
    // Where the job has no `id_tokens`, that is said.
    let (status, said) = job(&lab, &variables[..2], &[]);
    assert!(status == Some(1) && said.contains("env-not-set") && said.contains("id_tokens"), "{said}");
}

#[test]
fn in_circleci_with_a_second_hop() {
    let lab = RunningLab::start("circleci");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let organization = "6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";
    let issuer = format!("issuer.url={}", lab.ready["issuer"].as_str().unwrap());
    let target = "aws.target-role-arn=arn:aws:iam::123456789012:role/crewai-secrets-reader";
    for variable in ["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"] {
        let variables = [("CIRCLECI", "true"), ("CIRCLE_ORGANIZATION_ID", organization), (variable, token.trim())];
        let (status, said) = job(&lab, &variables, &["--set", &issuer, "--set", target]);
        assert_eq!(status, Some(0), "{said}");
        for part in ["circleci-aws", "STS lets the caller assume the role", "secret can be read", "PASS"] {
            assert!(said.contains(part), "{part} is not in\n{said}");
        }
        assert_fit_for_a_log(&said, token.trim());
        // The first role alone may read nothing.
        let (status, said) = job(&lab, &variables, &["--set", &issuer]);
        assert!(status == Some(1) && said.contains("missing-list"), "{said}");
        assert_fit_for_a_log(&said, token.trim());
    }
}

/// The second role is in another account, with a secret of the same name: that account's is read.
#[test]
fn in_circleci_into_a_sub_account() {
    let lab = RunningLab::start("circleci-sub-account");
    let arguments = ["check", "--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")];
    let output = trustline().args(arguments).args(["--output", "json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "pass", "{report:#}");
    let told = report["checks"].to_string();
    for part in ["arn:aws:sts::210987654321:assumed-role/crewai-secrets-reader/", "secret:crewai-test-keyword-s9U8b7"] {
        assert!(told.contains(part), "{part} is not in {report:#}");
    }
}
