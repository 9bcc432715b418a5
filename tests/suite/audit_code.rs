//! `trustline audit` and `trustline trust` over infrastructure code: templates of CloudFormation, SAM and Azure, plans and states of
//! Terraform, whole and in part, sound and broken.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::trustline;

const GITHUB: &str = "token.actions.githubusercontent.com";

fn folder_with(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn audited(folder: &Path, arguments: &[&str]) -> Value {
    let output =
        trustline().arg("audit").args(arguments).args(["--output", "json"]).current_dir(folder).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn list<'d>(document: &'d Value, name: &str) -> &'d [Value] {
    document[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A template with one role whose subject is this.
fn template(subject: &str) -> String {
    format!(
        "Parameters:
  Owner: {{Type: String, Default: octo}}
  Given: {{Type: String}}
Resources:
  Github:
    Type: AWS::IAM::OIDCProvider
    Properties: {{Url: https://{GITHUB}, ClientIdList: [sts.amazonaws.com]}}
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {{Federated: !GetAtt Github.Arn}}
            Condition:
              StringEquals: {{'{GITHUB}:aud': sts.amazonaws.com}}
              StringLike: {{'{GITHUB}:sub': {subject}}}
      ManagedPolicyArns: [!Sub 'arn:${{AWS::Partition}}:iam::aws:policy/AdministratorAccess']
"
    )
}

#[test]
fn a_template_is_judged_where_its_role_stands() {
    for (name, subject, severity) in [
        ("the whole owner", "!Sub 'repo:${Owner}/*'", Some("high")),
        ("joined", "!Join ['', ['repo:', !Ref Owner, '/*']]", Some("high")),
        ("anybody", "'repo:*'", Some("critical")),
        ("by ids", "!Sub 'repo:${Owner}@1/app@2:environment:prod'", None),
        ("an owner without a value", "!Sub 'repo:${Given}/*'", Some("high")),
    ] {
        let folder = folder_with(&[("infra/deploy.yaml", template(subject)), ("infra/other.yaml", "a: b".to_owned())]);
        let document = audited(folder.path(), &["infra"]);
        let findings = list(&document, "findings");
        assert_eq!(findings.first().and_then(|found| found["severity"].as_str()), severity, "{name}: {document:#}");
        assert_eq!(
            (&document["read"]["trusts"], list(&document["read"], "not_judged").len()),
            (&json!(1), 0),
            "{name}"
        );
        let Some(finding) = findings.first() else { continue };
        assert_eq!(finding["location"], json!({"file": "infra/deploy.yaml", "line": 8}), "{name}");
        assert_eq!(finding["resource"], "infra/deploy.yaml Deploy");
        assert_eq!(finding["reaches"], json!(["everything in the account"]), "{name}");
        assert_eq!(finding["evidence"].to_string().contains("Given"), name.ends_with("value"), "{name}: {finding:#}");
    }
    let folder = folder_with(&[("open.yaml", template("!Ref Given"))]);
    let document = audited(folder.path(), &["open.yaml"]);
    assert!(list(&document, "findings").is_empty(), "{document:#}");
    assert!(document["read"]["not_judged"][0]["why"].as_str().unwrap().contains("Given"), "{document:#}");
}

#[test]
fn plans_states_and_azures_templates_are_told_by_their_content() {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{GITHUB}")},
        "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"}, "StringLike": {format!("{GITHUB}:sub"): "repo:octo/*"}}}]});
    let values = json!({"name": "ci", "assume_role_policy": trust.to_string()});
    let resources = json!([{"address": "aws_iam_role.ci", "mode": "managed", "type": "aws_iam_role", "name": "ci", "values": values}]);
    let root = json!({"root_module": {"resources": resources}});
    let credential = json!({"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": "[concat('id/', 'ci')]",
        "properties": {"issuer": format!("https://{GITHUB}"), "audiences": ["api://AzureADTokenExchange"],
            "claimsMatchingExpression": {"value": "[format('claims[''sub''] matches ''{0}'' and claims[''repository_owner_id''] matches ''*''', variables('all'))]", "languageVersion": 1}}});
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    let cloudformation = json!({"Resources": {"Deploy": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust,
        "Policies": []}}, "More": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Deploy"}]}}}});
    for (name, text, resource, severity) in [
        (
            "a plan",
            json!({"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": root}),
            "aws_iam_role.ci",
            "high",
        ),
        (
            "a state",
            json!({"format_version": "1.0", "terraform_version": "1.9.0", "values": root}),
            "aws_iam_role.ci",
            "high",
        ),
        ("CloudFormation's JSON", cloudformation, "in.json Deploy", "high"),
        (
            "Bicep's JSON",
            json!({"$schema": schema, "variables": {"all": "repo:*"}, "resources": [credential]}),
            "in.json id/ci",
            "critical",
        ),
    ] {
        let folder = folder_with(&[("in.json", format!("{text:#}"))]);
        let document = audited(folder.path(), &["in.json"]);
        let [finding, ..] = list(&document, "findings") else { panic!("{name}: {document:#}") };
        assert_eq!((&finding["resource"], &finding["severity"]), (&json!(resource), &json!(severity)), "{name}");
        assert!(finding["location"]["line"].as_u64() >= Some(1), "{name}");
    }
}

/// What `trust` says of a token of octo/app's main branch.
fn decided(policy: &str) -> (Option<i32>, String, String) {
    let claims = json!({"iss": format!("https://{GITHUB}"), "aud": "sts.amazonaws.com", "sub": "repo:octo/app:ref:refs/heads/main"});
    let folder = folder_with(&[("policy", policy.to_owned()), ("claims.json", claims.to_string())]);
    let output = trustline()
        .args(["trust", "--policy", "policy", "--claims", "claims.json", "--output", "json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let decision = document["decision"].as_str().unwrap_or_default().to_owned();
    (output.status.code(), decision, format!("{document:#}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_token_is_decided_on_by_a_template_and_by_parts_of_one() {
    let part = |subject: &str, provider: &str| {
        format!(
            "      AssumeRolePolicyDocument:\n        Version: 2012-10-17\n        Statement:\n          - Effect: Allow\n            Principal:\n              Federated: {provider}\n            Action: sts:AssumeRoleWithWebIdentity\n            Condition:\n              StringLike:\n                {GITHUB}:sub: {subject}\n"
        )
    };
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}");
    for (name, policy, status, decision, says) in [
        ("a template", template("!Sub 'repo:${Owner}/app:*'"), 0, "allow", ""),
        ("another owner's", template("'repo:other/*'"), 1, "deny", ""),
        ("a part", part("repo:octo/app:*", &arn), 0, "allow", ""),
        ("an open subject", part("!Sub 'repo:${Owner}/app:*'", &arn), 3, "unknown", "Owner"),
        ("an open provider", part("repo:octo/app:*", "!Ref GithubArn"), 3, "unknown", "GithubArn"),
        ("an open provider and another's subject", part("repo:other/*", "!Ref GithubArn"), 1, "deny", ""),
        ("broken", "Resources:\n  A: [1\n  B: }\n".to_owned(), 2, "", "line 3"),
    ] {
        let (code, decided, all) = decided(&policy);
        assert_eq!((code, decided.as_str()), (Some(status), decision), "{name}: {all}");
        assert!(all.contains(says), "{name}: {all}");
    }
    let json = json!({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": {"Ref": "Arn"}}, "Condition": {"StringEquals": {format!("{GITHUB}:sub"): {"Fn::Sub": "repo:octo/app:ref:refs/heads/${Branch}"}}}}]}});
    assert_eq!(decided(&json.to_string()).1, "unknown");
}

#[test]
fn what_is_broken_is_named_with_its_line_and_the_rest_goes_on() {
    let wide = template("'repo:*'");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(wide.as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    let laughs = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(", "));
    let bomb = format!("a0: &a0 [x]\n{}# AWS::IAM::Role\n", (1..30).map(laughs).collect::<String>());
    let folder = folder_with(&[
        ("good.yaml", wide.clone()),
        ("broken.yaml", format!("{wide}  Other: [1\n  More: }}\n")),
        ("bomb.yaml", bomb),
        ("deep.yaml", format!("{wide}  Deep: {}\n", "[".repeat(5_000))),
        ("long.template", format!("{wide}# {}\n", "x".repeat(5 << 20))),
        ("deep.json", format!("{{\"Resources\": {}{} , \"x\": \"AWS::\"}}", "[".repeat(9_000), "]".repeat(9_000))),
        ("lists.json", json!({"a": {"Roles": [{"b": 1}]}}).to_string()),
        ("huge.json", json!({"Version": "2012-10-17", "Statement": [{"Sid": "x".repeat(10 << 20)}]}).to_string()),
        ("manifest.yaml", "kind: Role\nmetadata: {name: x}\n".to_owned()),
        ("live/main.tf", "module \"far\" {\n  source = \"terraform-aws-modules/iam/aws\"\n}\nresource {\n".to_owned()),
        ("live/more.tf", "module \"far\" {\n  source = \"terraform-aws-modules/iam/aws\"\n}\n".to_owned()),
    ]);
    let truncated = compressed.get(..compressed.len() / 2).unwrap();
    fs::write(folder.path().join("cut.json.gz"), truncated).unwrap();
    fs::write(folder.path().join("whole.json.gz"), b"\x1f\x8b").unwrap();
    let document = audited(folder.path(), &["."]);
    let resources: Vec<&str> =
        list(&document, "findings").iter().map(|finding| finding["location"]["file"].as_str().unwrap()).collect();
    assert_eq!(resources, ["./good.yaml"], "{document:#}");
    let not_judged = list(&document["read"], "not_judged");
    let why = |name: &str| {
        let of = |not: &&Value| not["resource"].as_str().unwrap().contains(name);
        let found = not_judged.iter().find(of).unwrap_or_else(|| panic!("{name} is not named: {document:#}"));
        (found["why"].as_str().unwrap().to_owned(), found["location"]["line"].as_u64())
    };
    assert_eq!(why("broken.yaml").1, Some(22));
    assert!(why("bomb.yaml").0.contains("aliases"), "{:?}", why("bomb.yaml"));
    assert!(why("long.template").0.contains("4 MiB"));
    assert!(why("huge.json").0.contains("10 240 characters"), "{:?}", why("huge.json").0);
    for name in ["deep.yaml", "deep.json", "lists.json", "cut.json.gz", "whole.json.gz", "live/main.tf"] {
        assert!(!why(name).0.is_empty(), "{name}");
    }
    assert_eq!(why("module.far").1, Some(1));
    assert!(!document["read"]["not_judged"].to_string().contains("manifest"));
}

#[test]
fn a_file_that_may_not_be_read_does_not_stop_the_others() {
    let folder = folder_with(&[
        ("good.yaml", template("'repo:*'")),
        ("secret.json", "{}".to_owned()),
        ("locked/a.json", "{}".to_owned()),
    ]);
    for name in ["secret.json", "locked"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Whoever may read everything sees two files that hold nothing instead.
    let document = audited(folder.path(), &["."]);
    fs::set_permissions(folder.path().join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(list(&document, "findings").len(), 1);
    let named = document["read"]["not_judged"].to_string();
    assert!(named.contains("secret.json") && named.contains("locked"), "{named}");
}

#[test]
fn thousands_of_small_files_are_read_and_counted() {
    let wide = |at: usize| {
        json!({"Role": {"RoleName": format!("r{at}"), "Arn": format!("arn:aws:iam::111122223333:role/r{at}"),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{GITHUB}")},
                "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:sub"): "repo:octo@1/app@2:ref:refs/heads/main"}}}]}}})
    };
    let folder = tempfile::tempdir().unwrap();
    for at in 0..3000 {
        fs::write(folder.path().join(format!("{at}.json")), wide(at).to_string()).unwrap();
    }
    let document = audited(folder.path(), &["."]);
    let read = &document["read"];
    assert_eq!((&read["trusts"], &read["files"], list(&document, "findings").len()), (&json!(3000), &json!(3000), 0));
}

#[test]
fn a_template_of_the_cdk_is_read_with_the_provider_that_its_own_function_registers() {
    let role = |subject: &str| {
        json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": {"Ref": "Provider4C4A"}},
            "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"},
                "StringLike": {format!("{GITHUB}:sub"): subject}}}]}}})
    };
    let provider = json!({"Type": "Custom::AWSCDKOpenIdConnectProvider", "Properties": {"Url": format!("https://{GITHUB}"),
        "ClientIDList": ["other"], "CodeHash": "1", "ServiceToken": {"Fn::GetAtt": ["Handler", "Arn"]}}});
    let template = json!({"Resources": {"Deploy1A2B": role("repo:octo/*"), "Provider4C4A": provider}});
    let folder = folder_with(&[("stack.template.json", template.to_string())]);
    let document = audited(folder.path(), &["stack.template.json"]);
    let causes: Vec<&Value> = list(&document, "findings").iter().map(|finding| &finding["cause"]).collect();
    assert_eq!(causes, ["trust-too-wide", "aud-not-registered"], "{document:#}");
    assert_eq!(document["read"]["trusts"], 1);
}

#[test]
fn a_federated_credential_is_found_in_the_form_of_the_provider_azapi() {
    let body = "properties = { issuer = \"https://token.actions.githubusercontent.com\", audiences = [\"api://AzureADTokenExchange\"], subject = \"repo:octo/app:*\" }";
    for written in [format!("{{ {body} }}"), format!("jsonencode({{ {body} }})")] {
        let code = format!(
            "resource \"azapi_resource\" \"ci\" {{\n  type = \"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31\"\n  name = \"ci-main\"\n  body = {written}\n}}\n"
        );
        let document = audited(folder_with(&[("main.tf", code)]).path(), &["main.tf"]);
        let [finding] = list(&document, "findings") else { panic!("{document:#}") };
        assert_eq!((&finding["cause"], &finding["severity"]), (&json!("sub-mismatch"), &json!("low")), "{document:#}");
    }
}
