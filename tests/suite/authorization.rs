//! Authorization ids of denials: what denied is looked up in IAM with an operator's credentials, and read out of texts.

use std::process::Command;

use serde_json::{Value, json};

use super::operator::{check, checked, with_operator_policy};
use super::support::{RunningLab, outside, trustline};

/// An operator who may look up denials, and read nothing of IAM's own.
fn looks_up_only() -> String {
    let actions = ["iam:GetRequestAuthorizationDetails", "iam:GetRequestAuthorizationPolicy"];
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] })
        .to_string()
}

/// A world whose role denies its reads by a condition on what a policy at hand cannot tell: the caller's address.
fn denied_by_address(settings: &str, operator: &str) -> RunningLab {
    let deny = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "OfficeOnly", "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
        "Condition": { "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } },
    }]});
    RunningLab::world(&format!(
        "name = \"denied\"\ntitle = \"an address is denied\"\n[aws]\n{settings}\n[aws.roles.crewai-secrets-reader.policies]\n\
         OfficeOnly = '{deny}'\n[aws.users.operator.policies]\nAdministratorAccess = '{operator}'\n"
    ))
}

fn evidence(report: &Value) -> String {
    report["findings"][0]["evidence"].to_string()
}

#[test]
fn what_an_operator_may_not_read_in_iam_is_proven_by_the_denials_id() {
    let report = checked(&with_operator_policy("explicit-deny-read", &looks_up_only()), &["--operator"]);
    let first = &report["findings"][0];
    assert_eq!((&first["cause"], &first["certainty"]), (&json!("explicit-deny"), &json!("proven")), "{report:#}");
    assert!(first["summary"].as_str().unwrap().contains("NoProduction"), "{report:#}");
    let told = &check(&report, "aws.get-secret")["facts"]["authorization"];
    let id = told["id"].as_str().unwrap();
    assert!(evidence(&report).contains(&format!("authorization id {id}")), "{report:#}");
    assert_eq!(told["evaluations"][0]["denials"][0]["check"], "PRINCIPAL", "{told:#}");
}

#[test]
fn the_value_that_met_the_denials_condition_is_told_once_iam_knows_the_denial() {
    let late = denied_by_address("authorization-details-after-s = 3", &looks_up_only());
    let report = checked(&late, &["--operator"]);
    let first = &report["findings"][0];
    assert_eq!((&first["cause"], &first["certainty"]), (&json!("explicit-deny"), &json!("proven")), "{report:#}");
    assert!(first["summary"].as_str().unwrap().contains("OfficeOnly"), "{report:#}");
    assert!(evidence(&report).contains("`aws:SourceIp` is 127.0.0.1"), "{report:#}");
}

#[test]
fn without_the_permission_the_denial_stands_as_it_was_told_and_the_permission_is_named() {
    let nothing = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let report = checked(&denied_by_address("authorization-details-after-s = 0", &nothing), &["--operator"]);
    assert_eq!(check(&report, "aws.get-secret")["outcome"], "fail", "{report:#}");
    assert!(evidence(&report).contains("the operator lacks iam:GetRequestAuthorizationDetails"), "{report:#}");
}

#[test]
fn an_id_that_iam_does_not_know_is_waited_for_within_the_time_that_there_is() {
    let never = denied_by_address("authorization-details-after-s = 86400", &looks_up_only());
    let report = checked(&never, &["--operator", "--timeout", "24"]);
    assert_eq!(check(&report, "aws.get-secret")["outcome"], "fail", "{report:#}");
    assert!(evidence(&report).contains("IAM does not know the authorization id"), "{report:#}");
}

#[test]
fn both_forms_of_an_id_are_read_out_of_a_text() {
    let denied = "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: db with an explicit deny in an identity-based policy.";
    let explained = |rest: &str, output: &str| {
        let output =
            trustline().args(["explain", "--output", output]).write_stdin(format!("{denied} {rest}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let current = "Go to https://eu-west-1.console.aws.amazon.com/iam/home?region=eu-west-1#/authorization-details/8k2m1q for complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: 8k2m1q";
    let parsed: Value = serde_json::from_str(&explained(current, "json")).unwrap();
    assert_eq!(parsed["parsed"]["authorization_id"], "8k2m1q");
    assert_eq!(parsed["parsed"]["region"], "eu-west-1");
    let command = "aws iam-toolbox get-request-authorization-details --authorization-id 8k2m1q --region eu-west-1";
    assert!(explained(current, "text").split_whitespace().collect::<Vec<_>>().join(" ").contains(command));
    let draft = "Go to https://console.aws.amazon.com/iam/home#/access-troubleshooter for complete details, or call the iam:GetAuthorizationDetails API with the following authorization id: 0a1b2c3d-1111-2222-3333-444455556666";
    let text = explained(draft, "text");
    assert!(text.contains("0a1b2c3d-1111-2222-3333-444455556666") && !text.contains("iam-toolbox"), "{text}");
}

/// Both reads of `iam-toolbox`, by botocore's model of it; the AWS command line of the same folder does not have it yet.
const READ: &str = "import boto3, json, sys
toolbox = boto3.client('iam-toolbox')
details = toolbox.get_request_authorization_details(authorizationId=sys.argv[1])
checks = details['evaluations'][0]['checks']
uri = next(c for c in checks if c['evaluatedEffect'] == 'EXPLICIT_DENY')['matchedPolicies'][0]['uri']
policy = toolbox.get_request_authorization_policy(authorizationId=sys.argv[1], policyUri=uri)
print(json.dumps({'checks': checks, 'policy': policy['policyDocument']}))";

#[test]
#[ignore = "needs boto3 (python3 beside TRUSTLINE_TEST_MOTO)"]
fn boto3_reads_the_same_of_the_lab() {
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python3");
    let lab = RunningLab::start("explicit-deny-read");
    let report = checked(&lab, &["--operator"]);
    let id = check(&report, "aws.get-secret")["facts"]["authorization"]["id"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", ". \"$0\"; exec \"$1\" -c \"$2\" \"$3\"", &lab.file("operator.env")])
        .arg(&python)
        .args([READ, &id])
        .env("HOME", home.path())
        .output()
        .unwrap();
    let read: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let denying = read["checks"].as_array().unwrap().iter().find(|check| check["evaluatedEffect"] == "EXPLICIT_DENY");
    assert_eq!(denying.unwrap()["matchedPolicies"][0]["matchedStatements"][0]["sid"], "NoProduction", "{read:#}");
    assert_eq!(read["policy"]["Statement"][0]["Effect"], "Deny", "{read:#}");
}
