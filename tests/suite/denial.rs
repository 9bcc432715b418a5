//! `trustline check --expect-denied`: green only once access is gone, for a session from before too.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::lab::aws_operations::operator;
use super::lab::client::Site;
use super::support::trustline;

/// No wait in a test takes as long.
const LONG: Duration = Duration::from_secs(60);

/// The document and the exit status of a scenario's lab in the process.
fn in_lab(scenario: &str) -> (Value, Option<i32>) {
    let output =
        trustline().args(["check", "--expect-denied", "--output", "json", "--lab", scenario]).output().unwrap();
    let document = serde_json::from_slice(&output.stdout);
    (document.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

fn answers(document: &Value) -> Vec<(&str, &str)> {
    let checks = document["checks"].as_array().unwrap().iter();
    checks.map(|check| (check["id"].as_str().unwrap(), check["facts"]["answer"].as_str().unwrap())).collect()
}

#[test]
fn it_passes_where_the_cloud_refuses_and_nowhere_else() {
    let exchange = "aws.assume-role-with-web-identity";
    for (scenario, status, expected) in [
        ("healthy", 1, [(exchange, "granted"), ("aws.list-secrets", "granted"), ("aws.get-secret", "granted")]),
        ("sub-mismatch", 0, [(exchange, "denied"), ("aws.list-secrets", "not-tried"), ("aws.get-secret", "not-tried")]),
        ("missing-get", 1, [(exchange, "granted"), ("aws.list-secrets", "granted"), ("aws.get-secret", "denied")]),
        (
            "token-expired",
            3,
            [(exchange, "unknown"), ("aws.list-secrets", "not-tried"), ("aws.get-secret", "not-tried")],
        ),
        (
            "secret-not-found",
            1,
            [(exchange, "granted"), ("aws.list-secrets", "granted"), ("aws.get-secret", "unknown")],
        ),
        (
            "azure",
            1,
            [("azure.exchange", "granted"), ("azure.list-secrets", "granted"), ("azure.get-secret", "granted")],
        ),
        (
            "azure-fic-missing",
            0,
            [("azure.exchange", "denied"), ("azure.list-secrets", "not-tried"), ("azure.get-secret", "not-tried")],
        ),
        (
            "azure-rbac-missing",
            1,
            [("azure.exchange", "granted"), ("azure.list-secrets", "denied"), ("azure.get-secret", "denied")],
        ),
        (
            "azure-throttled",
            3,
            [("azure.exchange", "unknown"), ("azure.list-secrets", "not-tried"), ("azure.get-secret", "not-tried")],
        ),
    ] {
        let (document, code) = in_lab(scenario);
        assert_eq!((code, answers(&document)), (Some(status), expected.to_vec()), "{scenario}: {document:#}");
    }
}

#[test]
fn what_is_granted_says_until_when_a_session_can_be_used() {
    for scenario in ["healthy", "azure"] {
        let (document, _) = in_lab(scenario);
        let read = &document["checks"][1];
        let (reason, ends) = (read["reason"].as_str().unwrap(), read["facts"]["session_ends_at"].as_str().unwrap());
        assert!(reason.contains(&format!("which can be used until {ends}, for ")), "{reason}");
    }
    let output =
        trustline().args(["check", "--expect-denied", "--output", "junit", "--lab", "healthy"]).output().unwrap();
    let junit = String::from_utf8(output.stdout).unwrap();
    assert!(
        junit.contains("tests=\"3\" failures=\"3\"") && junit.contains("STS refuses to exchange the token"),
        "{junit}"
    );
}

/// The provider goes, then the role's permissions: each is noticed, the second by the session from before.
#[tokio::test(flavor = "multi_thread")]
async fn it_waits_until_the_cloud_refuses_a_session_from_before() {
    let site = Site::scenario("healthy");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    file("token.jwt", &site.workload_token());
    let (held, places) = (&site.lab.profile, &site.lab.endpoints);
    let profile = format!(
        "guide = \"aws-workload-identity\"\nissuer.url = \"{}\"\nplatform.organization = \"{}\"\ntoken.file = \"token.jwt\"\n\
         secret.name = \"{}\"\n[aws]\nrole-arn = \"{}\"\nregion = \"{}\"\nsts-endpoint-url = \"{}\"\n\
         secretsmanager-endpoint-url = \"{}\"\n",
        held.issuer_url, held.organization, held.secret, held.role_arn, held.region, places.sts, places.secretsmanager
    );
    let (profile, authority) = (file("profile.toml", &profile), file("ca.pem", &site.lab.ca_pem));
    let mut process = tokio::process::Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
        .args(["check", "--expect-denied", "--wait", "60", "--output", "json"])
        .args([std::ffi::OsStr::new("--profile-file"), profile.as_os_str()])
        .args([std::ffi::OsStr::new("--ca-file"), authority.as_os_str()])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut notes = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut noted = async |words: &str| loop {
        let line = tokio::time::timeout(LONG, notes.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before it said {words}"));
        if line.contains(words) {
            return;
        }
    };
    noted("aws.assume-role-with-web-identity: attempt 1: still granted").await;
    let host = places.issuer.strip_prefix("https://").unwrap();
    let provider = format!("arn:aws:iam::123456789012:oidc-provider/{host}");
    let gone = [("Action", "DeleteOpenIDConnectProvider"), ("OpenIDConnectProviderArn", provider.as_str())];
    assert_eq!(site.iam(&operator(), &gone).await.status, 200);
    noted("aws.list-secrets: attempt").await;
    let role = ("RoleName", held.role_arn.rsplit_once('/').unwrap().1);
    let policies = site.iam(&operator(), &[("Action", "ListRolePolicies"), role]).await;
    let policy = [("Action", "DeleteRolePolicy"), role, ("PolicyName", policies.field("member"))];
    assert_eq!(site.iam(&operator(), &policy).await.status, 200, "{policies:?}");
    let mut printed = String::new();
    process.stdout.take().unwrap().read_to_string(&mut printed).await.unwrap();
    assert_eq!(process.wait().await.unwrap().code(), Some(0), "{printed}");
    let document: Value = serde_json::from_str(&printed).unwrap();
    assert!(answers(&document).iter().all(|(_, answer)| *answer == "denied"), "{document:#}");
    let after: Vec<u64> = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["facts"]["denied_after_ms"].as_u64().unwrap())
        .collect();
    assert!(after[0] > 0 && after[0] < after[1], "the exchange was refused first: {after:?}");
    assert!(document["checks"][1]["reason"].as_str().unwrap().contains("with the session from before too"));
}
