//! `trustline explain`: texts in, causes out, as people and programs see it.

mod clients;
mod documented;
mod narrower;
mod wild;

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;
use trustline::cause::explain::{ExplainContext, explain};

use crate::support::trustline;

fn explained(text: &str, arguments: &[&str]) -> Output {
    trustline().arg("explain").args(arguments).write_stdin(text).output().unwrap()
}

fn json(text: &str) -> Value {
    let output = explained(text, &["--output", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// The causes, without a process for each text.
fn causes_within(text: &str) -> Vec<String> {
    explain(text, &ExplainContext::default()).causes.iter().map(|finding| finding.cause.id().to_owned()).collect()
}

#[test]
fn failures_in_the_wrappings_of_many_tools_get_their_cause() {
    let wrong: Vec<String> = wild::WILD
        .iter()
        .filter_map(|(text, cause, within)| {
            let causes = causes_within(text);
            let rank = causes.iter().position(|known| known == cause);
            (rank.is_none_or(|rank| rank >= *within)).then(|| format!("wanted {cause}, got {causes:?} for {text}"))
        })
        .collect();
    println!("{} of {} texts get their cause in time", wild::WILD.len() - wrong.len(), wild::WILD.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_narrower_cause_comes_before_the_wider_one() {
    let wrong: Vec<String> = narrower::NARROWER
        .iter()
        .filter_map(|(text, cause)| {
            let causes = causes_within(text);
            (causes.first().map(String::as_str) != Some(*cause))
                .then(|| format!("wanted {cause}, got {causes:?} for {text}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documented_messages_get_their_documented_causes_and_nothing_above() {
    let wrong: Vec<String> = documented::AWS
        .iter()
        .chain(documented::AZURE_AND_GCP)
        .filter_map(|(text, documented)| {
            let causes = causes_within(text);
            let first: BTreeSet<&str> = causes.iter().take(documented.len()).map(String::as_str).collect();
            (first != documented.iter().copied().collect())
                .then(|| format!("{text}\n  documented {documented:?}\n  got {causes:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_secret_that_is_not_found_is_no_host_that_is_not_found() {
    let words = "Secrets Manager can't find the specified secret.";
    for text in [
        words.to_owned(),
        format!("An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: {words}"),
        format!("ResourceNotFoundException: {words}"),
    ] {
        let causes = causes_within(&text);
        assert_eq!(causes.first().map(String::as_str), Some("secret-wrong-region"), "{text}");
        assert!(!causes.iter().any(|cause| cause == "dns"), "{text}: {causes:?}");
    }
    assert_eq!(causes_within("Error: getaddrinfo ENOTFOUND sts.amazonaws.com")[0], "dns");
    assert_eq!(causes_within("connect ENOTFOUND: sts.amazonaws.com")[0], "dns");
}

/// A log of a GitHub Actions job: times, colours, groups, and several errors of which the first is the root.
const LOG: &str = "2026-08-13T10:00:00.0000000Z ##[group]Run azure/login@v2\n\
2026-08-13T10:00:00.1000000Z \u{1b}[36;1mwith:\u{1b}[0m\n\
2026-08-13T10:00:01.0000000Z \u{1b}[31mError: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable\u{1b}[0m\n\
2026-08-13T10:00:02.0000000Z ##[error]AADSTS50027: JWT token is invalid or malformed.\n\
2026-08-13T10:00:03.0000000Z ##[error]Login failed with Error: The process '/usr/bin/az' failed with exit code 1.\n\
2026-08-13T10:00:04.0000000Z ##[error](Forbidden) Caller is not authorized to perform action on resource.\n";

#[test]
fn of_several_errors_the_first_broken_link_comes_first() {
    for (log, first, also) in [
        (LOG, "id-token-permission-missing", "rbac-missing"),
        (
            "Error: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: db\n\
             caused by: RegionDisabledException: STS is not activated in this region for account:111122223333.",
            "region-disabled",
            "missing-get",
        ),
        (
            "dial tcp: lookup issuer.example.com on 10.0.0.2:53: no such host\n\
             InvalidIdentityToken: Couldn't retrieve verification key from your identity provider",
            "dns",
            "jwks-unreachable",
        ),
        // The service that timed out answered afterwards: the time-out was passing.
        (
            "warning: Post \"https://sts.eu-west-1.amazonaws.com/\": net/http: TLS handshake timeout, retrying\n\
             AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "sub-mismatch",
            "propagation-delay",
        ),
        (
            "NoCredentialProviders: no valid providers in chain\nInvalidIdentityToken: Incorrect token audience",
            "aud-not-registered",
            "aud-not-registered",
        ),
    ] {
        let causes = causes_within(log);
        assert_eq!(causes.first().map(String::as_str), Some(first), "{log}");
        assert!(causes.iter().any(|cause| cause == also), "{also} is not in {causes:?} for {log}");
    }
}

#[test]
fn reads_the_parts_out_of_a_text() {
    let sts = json(
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::111122223333:user/ci is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/deploy",
    );
    assert_eq!((sts["provider"].as_str(), sts["code"].as_str()), (Some("aws"), Some("AccessDenied")));
    let parsed = &sts["parsed"];
    assert_eq!(parsed["operation"], "AssumeRole");
    assert_eq!(parsed["action"], "sts:AssumeRole");
    assert_eq!(parsed["resource"], "arn:aws:iam::444455556666:role/deploy");
    assert_eq!(parsed["principal"], "arn:aws:iam::111122223333:user/ci");
    assert_eq!(parsed["account"], "444455556666");

    let denied = json(
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1B2c3 because no identity-based policy allows the secretsmanager:GetSecretValue action. Go to https://console.aws.amazon.com/iam/home#/access-troubleshooter for complete details, or call the iam:GetAuthorizationDetails API with the following authorization id: 0a1b2c3d-1111-2222-3333-444455556666",
    );
    assert_eq!(denied["parsed"]["region"], "eu-west-1");
    assert_eq!(denied["parsed"]["reason"], "no identity-based policy");
    assert_eq!(denied["parsed"]["authorization_id"], "0a1b2c3d-1111-2222-3333-444455556666");

    let entra = json(
        r#"{"error":"invalid_client","error_description":"AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i.example.com'. Assertion Subject: 'organization:1'. Assertion Audience: 'api://AzureADTokenExchange'. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation\r\nTrace ID: 11111111-2222-3333-4444-555555555555\r\nCorrelation ID: 66666666-7777-8888-9999-000000000000\r\nTimestamp: 2023-05-05 10:00:00Z","error_codes":[70021]}"#,
    );
    let parsed = &entra["parsed"];
    assert_eq!(entra["code"], "AADSTS70021");
    assert_eq!(parsed["issuer"], "https://i.example.com");
    assert_eq!(parsed["subject"], "organization:1");
    assert_eq!(parsed["audience"], "api://AzureADTokenExchange");
    assert_eq!(parsed["trace_id"], "11111111-2222-3333-4444-555555555555");
    assert_eq!(parsed["correlation_id"], "66666666-7777-8888-9999-000000000000");
    assert_eq!(parsed["aadsts"], serde_json::json!([70021]));
}

#[test]
fn a_token_or_key_in_the_text_is_not_repeated() {
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ";
    let text = format!(
        "aws sts assume-role-with-web-identity --web-identity-token {header}.eyJzdWIiOiJvcmdhbml6YXRpb246MSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ\n\
         aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n\
         An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity {header}.eyJzdWIiOiJvcmdhbml6YXRpb246MSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    );
    for form in ["json", "text"] {
        let output = explained(&text, &["--output", form]);
        let shown = String::from_utf8_lossy(&output.stdout);
        for secret in [header, "eyJzdWIi", "c2lnbmF0", "wJalrXUtnFEMI"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("sub-mismatch"), "{shown}");
    }
}

#[test]
fn hostile_text_reaches_no_terminal_unescaped() {
    let text = "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:a\u{202e}/b\u{7}:ref'.\u{9b}2J\u{1b}[2J";
    let output = explained(text, &[]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{shown:?}");
    let command = json(
        "AADSTS700213: No matching federated identity record found for presented assertion subject '$(touch /tmp/x)'.",
    );
    assert!(!command["causes"].to_string().contains("\"subject\\\\\\\": \\\\\\\"$(touch"), "{command}");
}

#[test]
fn what_is_at_hand_rules_causes_out() {
    let folder = tempfile::tempdir().unwrap();
    let claims = folder.path().join("claims.json");
    std::fs::write(
        &claims,
        r#"{"iss":"https://app.example.com","sub":"organization:1","aud":"sts.amazonaws.com","iat":1,"exp":2}"#,
    )
    .unwrap();
    let output = explained(
        "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        &["--claims", claims.to_str().unwrap(), "--output", "json"],
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ruled_out"][0]["cause"], "immutable-sub");
    assert_eq!(document["causes"][0]["fixes"], serde_json::json!([]), "what is only possible has no fix");
}

#[test]
fn token_and_policy_prove_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let claims = write(
        "claims.json",
        r#"{"iss":"https://app.example.com","sub":"organization:1","aud":"sts.amazonaws.com","iat":1,"exp":2}"#,
    );
    let policy = |subject: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/app.example.com"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"app.example.com:aud":"sts.amazonaws.com","app.example.com:sub":"{subject}"}}}}}}]}}"#
        )
    };
    let causes = |policy: &str| {
        let output = explained(
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            &["--claims", &claims, "--policy", policy, "--output", "json"],
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    };

    let denied = causes(&write("denies.json", &policy("organization:2")));
    assert_eq!(denied["causes"].as_array().unwrap().len(), 1, "{denied:#}");
    assert_eq!(denied["causes"][0]["cause"], "sub-mismatch");
    assert_eq!(denied["causes"][0]["certainty"], "proven");
    assert!(denied["ruled_out"].as_array().unwrap().iter().any(|out| out["cause"] == "propagation-delay"));

    let allowed = causes(&write("allows.json", &policy("organization:1")));
    let left: Vec<&str> = allowed["causes"].as_array().unwrap().iter().filter_map(|c| c["cause"].as_str()).collect();
    assert_eq!(left, ["wrong-account", "propagation-delay", "role-missing"]);

    let alone = explained("x", &["--policy", &write("p.json", &policy("x"))]);
    assert_eq!(alone.status.code(), Some(2));
}

#[test]
fn exit_status_says_what_came_out() {
    assert_eq!(explained("AADSTS53003: blocked", &[]).status.code(), Some(0));
    assert_eq!(explained("the weather is fine", &[]).status.code(), Some(1));
    assert_eq!(explained(" \n", &[]).status.code(), Some(2));
    assert_eq!(explained("AADSTS53003", &["/nonexistent/file"]).status.code(), Some(2));
    assert_eq!(explained("AADSTS53003", &["--output", "junit"]).status.code(), Some(2));
}

#[test]
fn text_that_is_not_utf8_is_read_all_the_same() {
    let output =
        trustline().arg("explain").write_stdin(b"\xff\xfe AADSTS53003: blocked \xff".as_slice()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn token_and_federated_credentials_prove_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let claims = write(
        "claims.json",
        r#"{"iss":"https://app.example.com","sub":"organization:1","aud":"api://AzureADTokenExchange","iat":1,"exp":2}"#,
    );
    let credential = |subject: &str| {
        format!(
            r#"[{{"name":"c","issuer":"https://app.example.com","subject":"{subject}","audiences":["api://AzureADTokenExchange"]}}]"#
        )
    };
    let explained = |credential: &str| {
        let text = "AADSTS70021: No matching federated identity record found for presented assertion.";
        let output = explained(text, &["--claims", &claims, "--credential", credential, "--output", "json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    };
    let denied = explained(&write("denies.json", &credential("organization:2")));
    assert_eq!(denied["causes"][0]["cause"], "sub-mismatch", "{denied:#}");
    assert_eq!(denied["causes"][0]["certainty"], "proven", "{denied:#}");
    assert_eq!(denied["causes"][0]["expected"], "organization:2", "{denied:#}");
    let allowed = explained(&write("allows.json", &credential("organization:1")));
    let causes: Vec<&Value> = allowed["causes"].as_array().unwrap().iter().map(|c| &c["cause"]).collect();
    assert!(!causes.iter().any(|c| **c == "sub-mismatch"), "{causes:?}");
    assert!(!allowed["ruled_out"].as_array().unwrap().is_empty(), "{allowed:#}");
}

const DENIED: &str = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: \
                      Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// A log ends with what stopped it.
#[test]
fn the_end_of_a_long_log_is_read_and_what_was_left_out_is_said() {
    let log = format!("{}{DENIED}\n", "INFO all is well\n".repeat(20 * 1024 * 1024 / 17));
    let output = explained(&log, &["--output", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["code"], "AccessDenied");
    assert!(answer["left_out_bytes"].as_u64().is_some_and(|bytes| bytes > 1024 * 1024), "{}", answer["left_out_bytes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("were left out"));
}

#[test]
fn a_log_of_powershell_is_read_and_noise_has_no_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let utf16: Vec<u8> = format!("\u{feff}{DENIED}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, utf16).unwrap();
    let output = trustline().arg("explain").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("sub-mismatch"));
    let noise: Vec<u8> = (0..256 * 1024u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    std::fs::write(&file, noise).unwrap();
    let output = trustline().arg("explain").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("No cause known"));
}

/// A trust that is another role's decides nothing about the one in the text.
#[test]
fn the_policy_of_another_role_is_not_held_against_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.display().to_string()
    };
    let issuer = "app.example.com";
    let claims = file(
        "claims.json",
        &serde_json::json!({ "iss": format!("https://{issuer}"), "aud": "sts.amazonaws.com", "sub": "organization:1" }),
    );
    let answer = |role: &str| {
        serde_json::json!({ "Role": {
            "Arn": format!("arn:aws:iam::123456789012:role/{role}"), "RoleName": role,
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{issuer}") },
                "Condition": { "StringEquals": { format!("{issuer}:sub"): "organization:2" } } }] } } })
    };
    let text = "role-to-assume: arn:aws:iam::123456789012:role/reader\nNot authorized to perform sts:AssumeRoleWithWebIdentity";
    for (role, certainty) in [("reader", "proven"), ("other", "possible")] {
        let policy = file("role.json", &answer(role));
        let output = explained(text, &["--policy", &policy, "--claims", &claims, "--output", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["causes"][0]["certainty"], certainty, "{document:#}");
        let told = String::from_utf8_lossy(&output.stderr).contains("decides nothing here");
        assert_eq!(told, role == "other", "{output:?}");
    }
}

/// The role that the text names tells the partition that the policy's principal should be of.
#[test]
fn another_partition_in_the_policy_is_proven_by_the_role_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let policy = file(
        "policy.json",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "arn:aws-cn:iam::123456789012:oidc-provider/app.example.com"}}}"#,
    );
    let claims = file("claims.json", r#"{"iss": "https://app.example.com", "sub": "organization:1", "aud": "a"}"#);
    let text = format!("role arn:aws:iam::123456789012:role/reader: {DENIED}");
    let output = explained(&text, &["--policy", &policy, "--claims", &claims, "--output", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["causes"][0]["cause"], "wrong-partition", "{answer}");
    assert_eq!(answer["causes"][0]["certainty"], "proven");
}

#[test]
fn the_labs_profile_sharpens_an_explanation_too() {
    let output = explained(DENIED, &["--lab", "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let unknown = explained(DENIED, &["--lab", "no-such-scenario"]);
    assert_eq!(unknown.status.code(), Some(2));
}

/// What a command cannot print, it does not offer.
#[test]
fn output_offers_what_a_command_can() {
    let page = "text, json, markdown]";
    for (command, forms) in [
        (&["explain"][..], page),
        (&["token"], page),
        (&["issuer", "https://a.example"], page),
        (&["trust", "--policy", "a.json", "--lint"], "text, json, markdown, github, sarif]"),
        (&["rotate"], page),
        (&["render", "trust-policy"], "text, json]"),
    ] {
        let output = trustline().args(command).args(["--output", "junit"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(told.contains(&format!("possible values: {forms}")), "{command:?}: {told}");
    }
}
