//! `trustline audit`, an issuer at a time: for each that is known, a trust that lets strangers in, with the subject that proves it,
//! and one of which there is nothing to say; and the policies that vendors publish as samples.

use std::fs;

use serde_json::{Value, json};

use crate::support::trustline;

const UUID: &str = "7f3e81c4-1111-4222-8333-9d20c1a09a1c";
const OTHER: &str = "0f3e81c4-1111-4222-8333-9d20c1a09a1d";
const AUDIENCE: &str = "sts.amazonaws.com";

/// A trust in tokens of `url` with these conditions beside the one on the audience.
fn trust(url: &str, conditions: &Value) -> Value {
    let mut all = json!({"StringEquals": {format!("{url}:aud"): AUDIENCE}});
    for (operator, keys) in conditions.as_object().unwrap() {
        for (key, value) in keys.as_object().unwrap() {
            all[operator][format!("{url}:{key}")] = value.clone();
        }
    }
    let provider = match url {
        "accounts.google.com" => url.to_owned(),
        _ => format!("arn:aws:iam::111122223333:oidc-provider/{url}"),
    };
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider}, "Condition": all}]})
}

fn like(subject: &str) -> Value {
    json!({"StringLike": {"sub": subject}})
}

fn equals(subject: &str) -> Value {
    json!({"StringEquals": {"sub": subject}})
}

/// What the audit says of policies, by name.
fn findings(policies: &[(String, Value)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let roles: Vec<Value> = policies
        .iter()
        .map(|(name, policy)| {
            json!({"RoleName": name, "Arn": format!("arn:aws:iam::111122223333:role/{name}"), "AssumeRolePolicyDocument": policy})
        })
        .collect();
    fs::write(folder.path().join("roles.json"), json!({"Roles": roles}).to_string()).unwrap();
    let output =
        trustline().args(["audit", "roles.json", "--output", "json"]).current_dir(folder.path()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}"))
}

fn of<'d>(document: &'d Value, name: &str) -> Vec<&'d Value> {
    let all = document["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["resource"].as_str().unwrap().ends_with(&format!("role/{name}"))).collect()
}

/// An issuer: its URL, a trust too wide with how bad it is and a part of the subject that gets in, and one that is sound.
struct Row {
    name: &'static str,
    url: String,
    wide: Value,
    severity: &'static str,
    admits: &'static str,
    sound: Value,
}

fn row(name: &'static str, url: &str, wide: Value, severity: &'static str, admits: &'static str, sound: Value) -> Row {
    Row { name, url: url.to_owned(), wide, severity, admits, sound }
}

fn rows() -> Vec<Row> {
    let github = "token.actions.githubusercontent.com";
    let circle = format!("oidc.circleci.com/org/{UUID}");
    let bitbucket = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
    let eks = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E";
    let vsts = format!("vstoken.dev.azure.com/{UUID}");
    let entra = format!("login.microsoftonline.com/{UUID}/v2.0");
    let harness = "app.harness.io/ng/api/oidc/account/abc123";
    let outbound = format!("{UUID}.tokens.sts.global.api.aws");
    let buildkite = "agent.buildkite.com";
    vec![
        row(
            "github",
            github,
            like("repo:octo/*"),
            "high",
            "repo:octo/someone-elses",
            equals("repo:octo@1/app@2:ref:refs/heads/main"),
        ),
        row(
            "gitlab",
            "gitlab.com",
            like("project_path:*"),
            "critical",
            "project_path:",
            equals("project_path:acme/app:ref_type:branch:ref:main"),
        ),
        row(
            "circleci",
            &circle,
            like(&format!("org/{UUID}/project/*")),
            "high",
            "/project/",
            like(&format!("org/{UUID}/project/{OTHER}/user/*")),
        ),
        row(
            "terraform",
            "app.terraform.io",
            like("organization:acme:project:*:workspace:*:run_phase:*"),
            "high",
            "organization:acme:",
            equals("organization:acme:project:p:workspace:w:run_phase:apply"),
        ),
        row(
            "eks",
            eks,
            like("system:serviceaccount:shop:*"),
            "high",
            "system:serviceaccount:shop:",
            equals("system:serviceaccount:shop:checkout"),
        ),
        row(
            "platform",
            "app.example.com",
            like("organization:*"),
            "critical",
            "organization:",
            equals(&format!("organization:{UUID}")),
        ),
        row(
            "buildkite",
            buildkite,
            like("organization:acme*"),
            "high",
            "organization:acme",
            like("organization:acme:pipeline:app:ref:refs/heads/main:commit:*:step:*"),
        ),
        row(
            "buildkite-ids",
            buildkite,
            like("*"),
            "critical",
            "organization:",
            json!({"StringEquals": {"sub": UUID, "organization_id": OTHER}}),
        ),
        row("bitbucket", bitbucket, like("{*}:*"), "high", "{", like(&format!("{{{UUID}}}:*"))),
        row(
            "vercel",
            "oidc.vercel.com",
            like("owner:*:project:shop:environment:production"),
            "critical",
            "owner:someone-else:project:shop",
            equals("owner:acme:project:shop:environment:production"),
        ),
        row(
            "vercel-team",
            "oidc.vercel.com/acme",
            like("owner:acme:project:*:environment:production"),
            "high",
            "owner:acme:project:someone-elses",
            equals("owner:acme:project:shop:environment:production"),
        ),
        row(
            "vercel-preview",
            "oidc.vercel.com/acme",
            like("owner:acme:project:shop:environment:*"),
            "medium",
            "environment:preview",
            equals("owner:acme:project:shop:environment:production"),
        ),
        row(
            "spacelift",
            "acme.app.spacelift.io",
            like("space:*"),
            "high",
            "space:someone-elses",
            equals("space:prod:stack:shop:run_type:TRACKED:scope:write"),
        ),
        row(
            "spacelift-proposed",
            "acme.app.spacelift.io",
            like("space:prod:stack:shop:run_type:*:scope:*"),
            "medium",
            "run_type:PROPOSED",
            equals("space:prod:stack:shop:run_type:TRACKED:scope:write"),
        ),
        row(
            "scalr",
            "scalr.io",
            like("account:*:environment:prod:workspace:shop"),
            "critical",
            "account:someone-else:",
            equals("account:acme:environment:prod:workspace:shop"),
        ),
        row(
            "scalr-account",
            "scalr.io",
            like("account:acme*"),
            "high",
            "account:acme-someone-else",
            equals("account:acme:environment:prod:workspace:shop"),
        ),
        row(
            "env0",
            "login.app.env0.com/",
            like("*"),
            "critical",
            "someone-else",
            equals("auth0|5f30ebd30312313ae7f17948"),
        ),
        row(
            "codefresh",
            "oidc.codefresh.io",
            like("account:*"),
            "critical",
            "account:someone-else",
            like("account:5f30ebd30312313ae7f17948:pipeline:64de5cd47626b3ca134e7"),
        ),
        row(
            "harness",
            harness,
            like("*"),
            "critical",
            "someone-elses",
            equals("account/abc123:org/default:project/shop"),
        ),
        row(
            "azure-devops",
            &vsts,
            like("sc://acme/*"),
            "high",
            "sc://acme/someone-elses",
            equals("sc://acme/shop/deploy"),
        ),
        row(
            "azure-devops-entra",
            &entra,
            like("/eid1/c/pub/t/a/a/b/sc/*"),
            "critical",
            "/sc/someone-else/",
            equals(&format!("/eid1/c/pub/t/a/a/b/sc/{UUID}/{OTHER}")),
        ),
        row(
            "aws-outbound",
            &outbound,
            like("arn:aws:iam::111122223333:role/*"),
            "high",
            ":role/someone-else",
            equals("arn:aws:iam::111122223333:role/deploy"),
        ),
        row("google", "accounts.google.com", like("*"), "critical", "", equals("104567890123456789012")),
    ]
}

#[test]
fn every_issuer_has_its_strangers_and_a_trust_that_keeps_them_out() {
    let policies: Vec<(String, Value)> = rows()
        .iter()
        .flat_map(|row| {
            [
                (format!("{}-wide", row.name), trust(&row.url, &row.wide)),
                (format!("{}-sound", row.name), trust(&row.url, &row.sound)),
            ]
        })
        .collect();
    let document = findings(&policies);
    for Row { name, severity, admits, .. } in rows() {
        let wide = of(&document, &format!("{name}-wide"));
        let wide = wide
            .iter()
            .find(|finding| finding["cause"] == "trust-too-wide")
            .unwrap_or_else(|| panic!("{name}: {wide:#?}"));
        assert_eq!(wide["severity"], severity, "{name}: {wide:#}");
        let subjects =
            wide["admits"].as_array().into_iter().flatten().map(|admitted| admitted["subject"].as_str().unwrap());
        let subjects: Vec<&str> = subjects.collect();
        assert!(admits.is_empty() || subjects.iter().any(|subject| subject.contains(admits)), "{name}: {subjects:?}");
        // An issuer that ends is said to end, whoever gets in.
        let said = of(&document, &format!("{name}-sound"));
        let said: Vec<&&Value> = said.iter().filter(|finding| finding["cause"] != "issuer-retiring").collect();
        assert!(said.is_empty(), "{name}: {said:#?}");
    }
}
