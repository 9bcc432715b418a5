//! The clouds' own records of exchanges: CloudTrail's and Entra's, looked up by any client, and read as `events` reads them.

use std::time::SystemTime;

use reqwest::Method;
use serde_json::{Value, json};
use trustline::domain::exchange::{Exchange, read_log};

use super::aws_operations::operator;
use super::client::{Credentials, Signing, Site};

const BY_NAME: &str = r#"[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]"#;

impl Site {
    /// Calls CloudTrail, again while it is asked too often.
    async fn look_up(&self, who: &Credentials, input: Value) -> (u16, Value) {
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents".to_owned()),
        ];
        loop {
            let signing = Signing { service: "cloudtrail", region: "us-east-1", time: SystemTime::now() };
            let url = &self.lab.endpoints.cloudtrail;
            let (status, text) = self.signed(url, who, &signing, &headers, &input.to_string()).await;
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["__type"] != "ThrottlingException" {
                return (status, answer);
            }
            tokio::task::yield_now().await;
        }
    }
}

fn exchanges(answer: &Value) -> Vec<Exchange> {
    let mut found = Vec::new();
    read_log(answer.to_string().as_bytes(), &mut |exchange| found.push(exchange)).unwrap();
    found
}

fn by_name() -> Value {
    json!({ "LookupAttributes": serde_json::from_str::<Value>(BY_NAME).unwrap() })
}

#[tokio::test]
async fn a_refused_exchange_is_looked_up_with_the_request_id_that_the_client_was_told() {
    let site = Site::scenario("sub-mismatch");
    let told = site.exchange(&site.workload_token(), &[]).await;
    assert_eq!(told.field("Code"), "AccessDenied");
    // What STS cannot verify is in no record.
    let forged = site.mint(None, &site.claims(json!({ "aud": "elsewhere" })).to_string()).await;
    assert_eq!(site.exchange(&forged, &[]).await.field("Code"), "InvalidIdentityToken");

    let (status, answer) = site.look_up(&operator(), by_name()).await;
    assert_eq!(status, 200, "{answer}");
    let found = exchanges(&answer);
    let [refused] = &found[..] else { panic!("{answer:#}") };
    assert_eq!(refused.request_id.as_deref(), Some(told.field("RequestId")));
    assert_eq!(refused.issuer.as_deref(), Some(site.lab.endpoints.issuer.as_str()));
    assert_eq!(refused.subject.as_deref(), Some(format!("organization:{}", site.lab.profile.organization).as_str()));
    assert_eq!(refused.audience.as_deref(), Some("sts.amazonaws.com"));
    assert_eq!(refused.resource.as_deref(), Some(site.lab.role_arn.as_str()));
    assert_eq!(refused.refusal.as_ref().map(|refusal| refusal.code.as_str()), Some("AccessDenied"));
}

#[tokio::test]
async fn the_record_goes_page_by_page_to_whoever_may_read_it() {
    let site = Site::scenario("healthy");
    for _ in 0..3 {
        assert_eq!(site.exchange(&site.workload_token(), &[]).await.status, 200);
    }
    let mut input = by_name();
    input["MaxResults"] = 2.into();
    let (_, first) = site.look_up(&operator(), input.clone()).await;
    input["NextToken"] = first["NextToken"].clone();
    let (_, second) = site.look_up(&operator(), input).await;
    let found: Vec<Exchange> = [&first, &second].into_iter().flat_map(exchanges).collect();
    assert_eq!((found.len(), &second["NextToken"]), (3, &Value::Null));
    assert!(found.iter().all(|exchange| exchange.refusal.is_none()));

    let reader = Credentials {
        key_id: "AKIALABSECRETSREADER".into(),
        secret: "lab/only/secret/access/key/of/the/reader".into(),
        token: String::new(),
    };
    for (who, input, code) in [
        (&reader, by_name(), "AccessDeniedException"),
        (&operator(), json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (&operator(), json!({ "NextToken": "x" }), "InvalidNextTokenException"),
        (&operator(), json!({ "StartTime": 2, "EndTime": 1 }), "InvalidTimeRangeException"),
        (&operator(), json!({ "LookupAttributes": [{}] }), "InvalidLookupAttributesException"),
    ] {
        let (status, answer) = site.look_up(who, input).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(code)), "{answer}");
    }
}

#[tokio::test]
async fn an_event_may_be_long_on_its_way() {
    let site = Site::world("[aws]\nevents-after-s = 3600\n");
    assert_eq!(site.exchange(&site.workload_token(), &[]).await.status, 200);
    let (_, answer) = site.look_up(&operator(), by_name()).await;
    assert_eq!(answer["Events"], json!([]), "{answer}");
}

#[tokio::test]
async fn a_sign_in_tells_which_credential_matched_or_with_which_error_none() {
    for (scenario, code) in [("azure", None), ("azure-sub-mismatch", Some("AADSTS700213"))] {
        let site = Site::scenario(scenario);
        let (status, _) = site.federated(&site.lab.profile.azure.client_id).await;
        assert_eq!(status == 200, code.is_none(), "{scenario}");
        let graph = site.operator_token("https://graph.microsoft.com").await;
        let filter = "signInEventTypes/any(t:%20t%20eq%20'servicePrincipal')";
        let url = format!("{}/beta/auditLogs/signIns?$filter={filter}", site.lab.endpoints.graph);
        let (status, answer) = site.call(Method::GET, &url, &graph, None).await;
        assert_eq!(status, 200, "{answer}");
        // The operator's own sign-in, with a secret, is none of these.
        let found = exchanges(&answer);
        let [seen] = &found[..] else { panic!("{scenario}: {answer:#}") };
        assert_eq!(seen.resource.as_deref(), Some(site.lab.profile.azure.client_id.as_str()));
        assert_eq!(seen.refusal.as_ref().map(|refusal| refusal.code.as_str()), code);
        assert_eq!(seen.credential.is_some(), code.is_none(), "{answer:#}");
    }
}
