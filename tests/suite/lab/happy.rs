//! The way that works.

use super::client::Site;

#[tokio::test]
async fn a_workload_token_becomes_a_session() {
    let site = Site::scenario("healthy");
    let answer = site.exchange(&site.workload_token(), &[]).await;
    assert_eq!(answer.verdict(), (200, "ok".to_owned()), "{answer:?}");
    assert!(answer.field("AccessKeyId").starts_with("ASIA"));
    assert_eq!(answer.field("Audience"), "sts.amazonaws.com");
    assert_eq!(answer.field("SubjectFromWebIdentityToken"), format!("organization:{}", site.lab.profile.organization));
    let host = site.lab.endpoints.issuer.strip_prefix("https://").unwrap();
    assert_eq!(answer.field("Provider"), format!("arn:aws:iam::123456789012:oidc-provider/{host}"));
    assert_eq!(answer.field("Arn"), "arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/probe");
    site.lab.shutdown().await;
}
