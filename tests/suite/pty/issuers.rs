//! The guides for jobs and pods, walked in the console from an empty profile to the end: a repository's job at AWS, and a
//! cluster's pod at Azure. The clouds are another process's, and change as the commands of the guide would change them.

use reqwest::Method;
use serde_json::json;

use super::walk::Walk;
use crate::lab::aws_operations::{operator, permissions};
use crate::lab::azure_operations::{ROLES, SECRETS_USER, VAULT};
use crate::lab::client::Site;

const SECRET: &str = "crewai-test-keyword";

#[tokio::test(flavor = "multi_thread")]
async fn the_github_guide_leads_from_an_empty_profile_to_the_end_at_aws() {
    let site = Site::scenario("github-aws-blank");
    let who = operator();
    let (endpoints, held) = (site.lab.endpoints.clone(), site.lab.profile.clone());
    // The lab's issuer stands for GitHub's, as an enterprise's own would.
    let profile = format!(
        "guide = \"github-aws\"\n[issuer]\nurl = \"{}\"\n[aws]\nsts-endpoint-url = \"{}\"\nsecretsmanager-endpoint-url = \"{}\"\n",
        held.issuer_url, endpoints.sts, endpoints.secretsmanager
    );
    let mut walk = Walk::begin(&site, &profile, 3);
    walk.enter(&["octo-org/octo-repo", "", "refs/heads/main", &held.region]);
    walk.check("verified by issuer.reachable");
    walk.next(1);
    walk.enter(&[&held.role_arn, ""]);
    walk.next(2);
    walk.enter(&[SECRET]);
    walk.next(3);
    walk.enter(&["", "", "token.jwt"]);
    // Nothing is made yet, and the first thing that is missing is named at its step.
    walk.check("waits for step 1");
    walk.next(1);
    walk.screen.wait("provider-missing");
    let provider = [
        ("Action", "CreateOpenIDConnectProvider"),
        ("Url", held.issuer_url.as_str()),
        ("ClientIDList.member.1", "sts.amazonaws.com"),
    ];
    assert_eq!(site.iam(&who, &provider).await.status, 200);
    walk.screen.send("v");
    walk.screen
        .wait_for("step 1 fails no more", |text| !text.contains("provider-missing") && !text.contains("running"));
    walk.next(2);
    let role = ("RoleName", "crewai-secrets-reader");
    let trust = site.trust_policy_for("repo:octo-org/octo-repo:ref:refs/heads/main");
    let made = site.iam(&who, &[("Action", "CreateRole"), role, ("AssumeRolePolicyDocument", &trust)]).await;
    assert_eq!(made.status, 200, "{made:?}");
    let policy = ("PolicyName", "SecretsManagerRead");
    let put = [("Action", "PutRolePolicy"), role, policy, ("PolicyDocument", &permissions())];
    assert_eq!(site.iam(&who, &put).await.status, 200);
    let secret =
        json!({ "Name": SECRET, "SecretString": "x", "ClientRequestToken": "0123456789abcdef0123456789abcdef" });
    assert_eq!(site.secrets(&who, "CreateSecret", secret).await.0, 200);
    walk.check("verified by");
    walk.next(3);
    walk.check("verified by token.present");
    walk.end(&["octo-org/octo-repo", "refs/heads/main", &held.region, &held.role_arn, "token.jwt", SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubernetes_guide_leads_from_an_empty_profile_to_the_end_at_azure() {
    let site = Site::scenario("kubernetes-azure-blank");
    let (endpoints, held) = (site.lab.endpoints.clone(), site.lab.profile.clone());
    let (entra, vault) = (endpoints.entra.unwrap(), endpoints.vault.unwrap());
    let profile = format!("guide = \"kubernetes-azure\"\n[azure]\nauthority-host = \"{entra}\"\n");
    let graph_token = site.operator_token("https://graph.microsoft.com").await;
    let graph = format!("{}/v1.0", endpoints.graph);
    let mut walk = Walk::begin(&site, &profile, 6);
    walk.enter(&["team", "reader", &vault, "", ""]);
    walk.next(1);
    walk.enter(&[&held.issuer_url]);
    walk.check("verified by issuer.reachable");
    walk.next(2);
    let app = json!({ "displayName": "kubernetes-secrets-reader", "signInAudience": "AzureADMyOrg" });
    let (status, app) = site.call(Method::POST, &format!("{graph}/applications"), &graph_token, Some(app)).await;
    assert_eq!(status, 201, "{app}");
    let (id, app_id) = (app["id"].as_str().unwrap(), app["appId"].as_str().unwrap());
    walk.enter(&[&held.azure.tenant_id, app_id]);
    walk.next(3);
    let credential = json!({
        "name": "kubernetes",
        "issuer": held.issuer_url,
        "subject": "system:serviceaccount:team:reader",
        "audiences": ["api://AzureADTokenExchange"],
    });
    let credentials = format!("{graph}/applications/{id}/federatedIdentityCredentials");
    assert_eq!(site.call(Method::POST, &credentials, &graph_token, Some(credential)).await.0, 201);
    let principals = format!("{graph}/servicePrincipals");
    let (status, principal) =
        site.call(Method::POST, &principals, &graph_token, Some(json!({ "appId": app_id }))).await;
    assert_eq!(status, 201, "{principal}");
    walk.next(4);
    walk.enter(&[SECRET]);
    walk.next(6);
    walk.enter(&["", "", "", "", "token.jwt"]);
    walk.check("verified by token.present");
    // The vault has no secret yet, nor may the application read one.
    walk.next(4);
    let arm_token = site.operator_token("https://management.azure.com").await;
    let assignment =
        format!("{}{VAULT}/{ROLES}/00000000-0000-4000-8000-000000000001?api-version=2022-04-01", endpoints.arm);
    let properties = json!({ "properties": {
        "roleDefinitionId": SECRETS_USER, "principalId": principal["id"], "principalType": "ServicePrincipal",
    } });
    assert_eq!(site.call(Method::PUT, &assignment, &arm_token, Some(properties)).await.0, 201);
    walk.check("failing");
    let own = site.operator_token("https://vault.azure.net").await;
    let secret = format!("{vault}/secrets/{SECRET}?api-version=2025-07-01");
    assert_eq!(site.call(Method::PUT, &secret, &own, Some(json!({ "value": "x" }))).await.0, 200);
    walk.check("verified by azure.list-secrets");
    walk.end(&["team", "reader", &vault, &held.azure.tenant_id, app_id, "token.jwt", SECRET]);
}
