//! `trust --endpoint-policy` and `--client`: the way to STS, and who asks.

use serde_json::{Value, json};

use super::{Files, HOST, allow, ask, claims};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

/// The answer of `aws iam get-role` for a role that lets the token in.
fn role(condition: &Value) -> Value {
    json!({ "Role": { "Arn": ROLE, "AssumeRolePolicyDocument": allow(condition) } })
}

/// The answer of `aws ec2 describe-vpc-endpoints` with this one statement.
fn endpoint(statement: &Value) -> Value {
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    json!({ "VpcEndpoints": [{ "VpcEndpointId": "vpce-0a1b", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.sts",
        "PolicyDocument": document.to_string() }] })
}

#[test]
fn an_exchange_has_to_get_through_the_endpoint_too() {
    let trust = role(&json!({ "StringEquals": { format!("{HOST}:sub"): "organization:a1" } }));
    let everybody = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*" });
    let own_account = json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
        "Action": "sts:*", "Resource": "*" });
    let of_another = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity",
        "Resource": "arn:aws:iam::999999999999:role/*" });
    let denying = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
    for (statement, decision, cause) in [
        (&everybody, "allow", None),
        (&own_account, "deny", Some("vpc-endpoint-policy")),
        (&of_another, "deny", Some("vpc-endpoint-policy")),
        (&denying, "deny", Some("explicit-deny")),
    ] {
        let files = Files::new();
        let path = files.write("endpoint.json", &endpoint(statement).to_string());
        let (answer, code) = ask(&trust, &claims(&json!({})), &["--endpoint-policy", path.to_str().unwrap()]);
        assert_eq!((answer["decision"].as_str(), code), (Some(decision), i32::from(decision == "deny")), "{answer:#}");
        assert_eq!(answer["findings"][0]["cause"].as_str(), cause, "{answer:#}");
    }
}

#[test]
fn a_client_that_asks_the_global_sts_passes_the_endpoint_by() {
    let trust = role(&json!({ "StringLike": { "sts:RoleSessionName": "*-session-*" } }));
    let everybody = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*" });
    let files = Files::new();
    let path = files.write("endpoint.json", &endpoint(&everybody).to_string());
    for (client, decision, cause) in [
        ("boto3", "allow", None),
        ("js-v3", "allow", None),
        ("s3cmd", "allow", Some("sts-unreachable")),
        ("opendal", "deny", Some("sts-unreachable")),
    ] {
        let flags = ["--client", client, "--endpoint-policy", path.to_str().unwrap()];
        let (answer, _) = ask(&trust, &claims(&json!({})), &flags);
        assert_eq!(answer["decision"], decision, "{client}: {answer:#}");
        assert_eq!(answer["findings"][0]["cause"].as_str(), cause, "{client}: {answer:#}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_input_error() {
    let files = Files::new();
    let everybody = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*" });
    let fitting = files.write("endpoint.json", &endpoint(&everybody).to_string());
    let none = files.write("none.json", r#"{"VpcEndpoints": []}"#);
    let (alone, whole) = (allow(&json!({})).to_string(), role(&json!({})).to_string());
    let given = files.write("claims.json", &claims(&json!({})).to_string());
    for (trust, path, said) in [(&alone, &fitting, "which is asked for"), (&whole, &none, "no endpoint of STS")] {
        let policy = files.write("policy.json", trust);
        let mut command = crate::support::trustline();
        command.args(["trust", "--policy"]).arg(policy).arg("--claims").arg(&given).arg("--endpoint-policy").arg(path);
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
