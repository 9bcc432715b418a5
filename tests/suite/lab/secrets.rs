//! Secrets Manager and KMS: who may read, what is there to read, and how it is refused.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::client::{Credentials, Signing, Site};

const USER: &str = "User: arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/probe";
const NAME: &str = "crewai-test-keyword";
const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-test-keyword-a1B2c3";

fn refusal(answer: &(u16, Value)) -> (u16, String) {
    let (status, body) = answer;
    let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
    (*status, format!("{}: {}", text("__type"), text("Message")))
}

async fn read(site: &Site, more: &[(&str, &str)]) -> (u16, Value) {
    let session = site.session(more).await;
    site.secrets(&session, "GetSecretValue", json!({ "SecretId": NAME })).await
}

#[tokio::test]
async fn a_session_lists_and_reads() {
    let site = Site::scenario("healthy");
    let session = site.session(&[]).await;
    let (status, list) = site.secrets(&session, "ListSecrets", json!({})).await;
    assert_eq!(status, 200, "{list}");
    let names: Vec<&str> = list["SecretList"].as_array().unwrap().iter().map(|s| s["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["crewai-database", NAME]);
    for id in [NAME, ARN, &ARN[..ARN.len() - 7]] {
        let (status, value) = site.secrets(&session, "GetSecretValue", json!({ "SecretId": id })).await;
        assert_eq!((status, value["SecretString"].as_str()), (200, Some("hello from aws")), "{id}: {value}");
        assert_eq!(value["ARN"], ARN);
        assert_eq!(value["VersionStages"], json!(["AWSCURRENT"]));
    }
    let page = site.secrets(&session, "ListSecrets", json!({ "MaxResults": 1 })).await.1;
    let next = site.secrets(&session, "ListSecrets", json!({ "NextToken": page["NextToken"] })).await.1;
    assert_eq!(next["SecretList"][0]["Name"], NAME);
    let described = site.secrets(&session, "DescribeSecret", json!({ "SecretId": NAME })).await;
    let why = "because no identity-based policy allows the secretsmanager:DescribeSecret action";
    let denied = format!(
        "AccessDeniedException: {USER} is not authorized to perform: secretsmanager:DescribeSecret on resource: {NAME} {why}"
    );
    assert_eq!(refusal(&described), (400, denied));
}

#[tokio::test]
async fn refusals_of_the_scenarios() {
    let denied = |action: &str, on: &str, why: &str| {
        format!("AccessDeniedException: {USER} is not authorized to perform: secretsmanager:{action}{on} {why}")
    };
    let get = |why: &str| denied("GetSecretValue", &format!(" on resource: {NAME}"), why);
    let no_policy = "because no identity-based policy allows the secretsmanager:GetSecretValue action";
    let no_kms = "AccessDeniedException: Access to KMS is not allowed".to_owned();
    let gone = "ResourceNotFoundException: Secrets Manager can't find the specified secret.".to_owned();
    for (scenario, expected) in [
        ("missing-get", get(no_policy)),
        ("secret-arn-suffix", get(no_policy)),
        ("versionstage-condition", get(no_policy)),
        ("explicit-deny-read", get("with an explicit deny in an identity-based policy")),
        ("missing-kms", no_kms.clone()),
        ("kms-key-policy", no_kms),
        ("secret-wrong-region", gone.clone()),
        ("secret-not-found", gone),
        (
            "secret-empty",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: \
             AWSCURRENT"
                .to_owned(),
        ),
        (
            "secret-pending-deletion",
            "InvalidRequestException: You can't perform this operation on the secret because it was marked for \
             deletion."
                .to_owned(),
        ),
    ] {
        let site = Site::scenario(scenario);
        let (status, said) = refusal(&read(&site, &[]).await);
        // Some denials end with an authorization id, which is another one every time.
        let (said, id) = said.split_once(". Go to ").unwrap_or((&said, ""));
        assert_eq!((status, said), (400, expected.as_str()), "{scenario}");
        assert_eq!(id.contains("authorization id: "), scenario == "explicit-deny-read", "{scenario}: {id}");
    }
    for scenario in ["missing-list", "list-resource-scoped"] {
        let site = Site::scenario(scenario);
        let session = site.session(&[]).await;
        let why = "because no identity-based policy allows the secretsmanager:ListSecrets action";
        let answer = site.secrets(&session, "ListSecrets", json!({})).await;
        assert_eq!(refusal(&answer), (400, denied("ListSecrets", "", why)), "{scenario}");
        assert_eq!(read(&site, &[]).await.0, 200, "{scenario}");
    }
    let disabled = Site::scenario("kms-key-state");
    let (status, text) = refusal(&read(&disabled, &[]).await);
    let key = "arn:aws:kms:us-east-1:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809";
    let start = format!(
        "DecryptionFailure: Secrets Manager can't decrypt the secret value: {key} is disabled. (Service: AWSKMS;"
    );
    assert!(status == 400 && text.starts_with(&start), "{text}");
}

#[tokio::test]
async fn the_stage_condition_is_met_by_asking_for_the_stage() {
    let site = Site::scenario("versionstage-condition");
    let session = site.session(&[]).await;
    let input = json!({ "SecretId": NAME, "VersionStage": "AWSCURRENT" });
    assert_eq!(site.secrets(&session, "GetSecretValue", input).await.0, 200);
}

#[tokio::test]
async fn a_region_is_where_the_request_is_signed_for() {
    let site = Site::scenario("healthy");
    let admin = Credentials::admin();
    for id in [NAME, ARN] {
        let answer = site.secrets_in("eu-west-1", &admin, "GetSecretValue", json!({ "SecretId": id })).await;
        let gone = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
        assert_eq!(refusal(&answer), (400, gone.to_owned()));
    }
    let session = site.session(&[]).await;
    let answer = site.secrets_in("eu-west-1", &session, "GetSecretValue", json!({ "SecretId": NAME })).await;
    assert!(refusal(&answer).1.starts_with("AccessDeniedException"), "policies are asked about the called region");
    let wrong = Site::scenario("secret-wrong-region");
    let session = wrong.session(&[]).await;
    let there = wrong.secrets_in("eu-west-1", &session, "GetSecretValue", json!({ "SecretId": NAME })).await;
    assert_eq!(there.0, 200);
}

#[tokio::test]
async fn session_policies_narrow() {
    let site = Site::scenario("healthy");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:ListSecrets","Resource":"*"}]}"#;
    let (status, text) = refusal(&read(&site, &[("Policy", policy)]).await);
    assert_eq!(status, 400);
    assert!(text.ends_with("because no session policy allows the secretsmanager:GetSecretValue action"), "{text}");
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let (_, text) = refusal(&read(&site, &[("Policy", deny)]).await);
    assert!(text.ends_with("with an explicit deny in a session policy"), "{text}");
}

#[tokio::test]
async fn resource_policies() {
    let world = |effect: &str, policies: &str| {
        format!(
            "{policies}\n[aws.secrets.crewai-database]\nresource-policy = '''\n{{\"Statement\": [{{\"Effect\": \"{effect}\", \
             \"Principal\": {{\"AWS\": \"arn:aws:iam::${{account}}:role/crewai-secrets-reader\"}}, \
             \"Action\": \"secretsmanager:GetSecretValue\", \"Resource\": \"*\"}}]}}\n'''\n"
        )
    };
    let input = json!({ "SecretId": "crewai-database" });
    let site = Site::world(&world("Deny", ""));
    let denied = site.secrets(&site.session(&[]).await, "GetSecretValue", input.clone()).await;
    assert!(refusal(&denied).1.ends_with("with an explicit deny in a resource-based policy"), "{denied:?}");
    let none = "[aws.roles.crewai-secrets-reader.policies]\nSecretsManagerRead = ''\n";
    let site = Site::world(&world("Allow", none));
    assert_eq!(site.secrets(&site.session(&[]).await, "GetSecretValue", input).await.0, 200);
}

/// A policy that says this of every read.
fn of_reads(effect: &str, principal: &str) -> String {
    format!(
        "\'{{\"Statement\": [{{\"Effect\": \"{effect}\", \"Principal\": {principal}, \"Action\": \"secretsmanager:GetSecretValue\", \"Resource\": \"*\"}}]}}\'"
    )
}

#[tokio::test]
async fn every_policy_of_a_secret_counts() {
    let (allow, deny) = (of_reads("Allow", "\"*\""), of_reads("Deny", "\"*\""));
    let secret =
        format!("[aws.secrets.crewai-database]\nresource-policy = {allow}\nresource-policies.guard = {deny}\n");
    let site = Site::world(&secret);
    let input = json!({ "SecretId": "crewai-database" });
    let denied = site.secrets(&site.session(&[]).await, "GetSecretValue", input.clone()).await;
    assert!(refusal(&denied).1.ends_with("with an explicit deny in a resource-based policy"), "{denied:?}");
    let admin = Credentials::admin();
    let (_, listed) = site.secrets(&admin, "ListResourcePolicies", input.clone()).await;
    assert_eq!(listed["ResourcePolicies"], json!([{ "PolicyName": "default" }, { "PolicyName": "guard" }]));
    let guard = json!({ "SecretId": "crewai-database", "PolicyName": "guard" });
    let (_, read) = site.secrets(&admin, "GetResourcePolicy", guard.clone()).await;
    assert!(read["ResourcePolicy"].as_str().unwrap().contains("Deny"), "{read}");
    assert_eq!(site.secrets(&admin, "DeleteResourcePolicy", guard).await.0, 200);
    assert_eq!(site.secrets(&site.session(&[]).await, "GetSecretValue", input).await.0, 200);
}

#[tokio::test]
async fn a_replica_has_its_primarys_versions_and_takes_no_others() {
    let primary = "arn:aws:secretsmanager:us-east-1:999999999999:secret:crewai-database-AbCdEf";
    let site = Site::world(&format!(
        "[aws.secrets.crewai-database]\nreplica-of = {{ primary = \"{primary}\", status = \"InProgress\" }}\n"
    ));
    let admin = Credentials::admin();
    let input = json!({ "SecretId": "crewai-database", "SecretString": "new" });
    let (status, text) = refusal(&site.secrets(&admin, "PutSecretValue", input.clone()).await);
    assert!(status == 400 && text.contains("not permitted on a replica secret"), "{text}");
    let (_, described) = site.secrets(&admin, "DescribeSecret", input.clone()).await;
    assert_eq!(
        described["CrossAccountPrimary"],
        json!({ "PrimarySecretARN": primary, "ReplicationStatus": "InProgress" })
    );
    assert_eq!(site.secrets(&admin, "GetSecretValue", input).await.0, 200);
}

#[tokio::test]
async fn versions_move_their_stages() {
    let site = Site::scenario("healthy");
    let admin = Credentials::admin();
    let call = async |action: &str, input: Value| site.secrets(&admin, action, input).await;
    let id = "e2bdcd26-8736-4228-8bb9-3f2dc8f88903";
    let put = |value: &str| json!({ "SecretId": NAME, "ClientRequestToken": id, "SecretString": value });
    let (status, answer) = call("PutSecretValue", put("rotated")).await;
    assert_eq!((status, &answer["VersionId"], &answer["VersionStages"]), (200, &json!(id), &json!(["AWSCURRENT"])));
    assert_eq!(call("PutSecretValue", put("rotated")).await.0, 200, "the same token and value again changes nothing");
    let taken = refusal(&call("PutSecretValue", put("other")).await);
    let text = format!(
        "ResourceExistsException: You can't use ClientRequestToken {id} because that value is already in use for a version of secret {ARN}."
    );
    assert_eq!(taken, (400, text));
    let previous = call("GetSecretValue", json!({ "SecretId": NAME, "VersionStage": "AWSPREVIOUS" })).await.1;
    assert_eq!(previous["SecretString"], "hello from aws");
    let mismatch = json!({ "SecretId": NAME, "VersionId": id, "VersionStage": "AWSPREVIOUS" });
    let text = "InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.";
    assert_eq!(refusal(&call("GetSecretValue", mismatch).await), (400, text.to_owned()));
    let (_, updated) = call("UpdateSecret", json!({ "SecretId": NAME, "SecretString": "again" })).await;
    let described = call("DescribeSecret", json!({ "SecretId": NAME })).await.1;
    assert_eq!(described["VersionIdsToStages"][updated["VersionId"].as_str().unwrap()], json!(["AWSCURRENT"]));
    assert_eq!(described["VersionIdsToStages"][id], json!(["AWSPREVIOUS"]));

    let created = call("CreateSecret", json!({ "Name": "fresh", "SecretString": "x" })).await.1;
    assert!(created["ARN"].as_str().unwrap().contains(":secret:fresh-"));
    let again = refusal(&call("CreateSecret", json!({ "Name": "fresh", "SecretString": "x" })).await);
    assert!(again.1.starts_with("ResourceExistsException"), "{again:?}");
    assert_eq!(call("DeleteSecret", json!({ "SecretId": "fresh", "RecoveryWindowInDays": 7 })).await.0, 200);
    let held = refusal(&call("CreateSecret", json!({ "Name": "fresh" })).await);
    assert!(held.1.ends_with("already scheduled for deletion."), "{held:?}");
    let listed = call("ListSecrets", json!({})).await.1;
    assert!(!listed.to_string().contains("fresh"), "what is marked for deletion is not listed");
    let batch = call("BatchGetSecretValue", json!({ "SecretIdList": [NAME, "fresh", "none"] })).await.1;
    assert_eq!(batch["SecretValues"].as_array().unwrap().len(), 1);
    assert_eq!(batch["Errors"][0]["ErrorCode"], "InvalidRequestException");
    assert_eq!(batch["Errors"][1]["ErrorCode"], "ResourceNotFoundException");
}

#[tokio::test]
async fn signatures_are_verified() {
    let site = Site::scenario("healthy");
    let session = site.session(&[]).await;
    let headers = [("x-amz-target", "secretsmanager.ListSecrets".to_owned())];
    let at = |service, time| Signing { service, region: "us-east-1", time };
    let now = SystemTime::now();
    let wrong_secret = Credentials { secret: "x".into(), ..session.clone() };
    let wrong_token = Credentials { token: "x".into(), ..session.clone() };
    let old = now - Duration::from_secs(6 * 60);
    let url = &site.lab.endpoints.secretsmanager;
    for (who, signing, code) in [
        (&wrong_secret, at("secretsmanager", now), "InvalidSignatureException"),
        (&wrong_token, at("secretsmanager", now), "UnrecognizedClientException"),
        (&session, at("sts", now), "InvalidSignatureException"),
        (&session, at("secretsmanager", old), "InvalidSignatureException"),
    ] {
        let (status, text) = site.signed(url, who, &signing, &headers, "{}").await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, body["__type"].as_str().unwrap()), (400, code), "{text}");
    }
    let unsigned = site.http.post(url).header("x-amz-target", "secretsmanager.ListSecrets").send().await.unwrap();
    assert_eq!(unsigned.status(), 400);
    assert!(unsigned.text().await.unwrap().contains("MissingAuthenticationTokenException"));
}
