//! What a guide's Azure commands do, done in the lab: a blank directory becomes one in which the exchange and the read
//! work.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Site;

const OPERATOR: (&str, &str) = ("99999999-aaaa-4bbb-8ccc-000000000000", "lab8Q~only.client.secret.of.the.operator");
pub const VAULT: &str = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/lab/providers/Microsoft.KeyVault/vaults/crewai-lab";
pub const ROLES: &str = "providers/Microsoft.Authorization/roleAssignments";
pub const SECRETS_USER: &str =
    "/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6";

impl Site {
    pub async fn token_request(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let tenant = &self.lab.profile.azure.tenant_id;
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.lab.endpoints.entra.as_ref().unwrap());
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .extend_pairs(form)
            .finish();
        let answer = self.http.post(url).body(body).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    pub async fn operator_token(&self, resource: &str) -> String {
        let scope = format!("{resource}/.default");
        let form = [("client_id", OPERATOR.0), ("client_secret", OPERATOR.1), ("scope", scope.as_str())];
        let (status, answer) = self.token_request(&form).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The exchange of the workload's token for the application.
    pub async fn federated(&self, client_id: &str) -> (u16, Value) {
        let token = self.workload_token();
        self.token_request(&[
            ("client_id", client_id),
            ("client_assertion", &token),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("scope", "https://vault.azure.net/.default"),
        ])
        .await
    }

    pub async fn call(&self, method: Method, url: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_blank_directory_is_set_up_by_its_operations() {
    let site = Site::scenario("azure-blank");
    let graph_token = site.operator_token("https://graph.microsoft.com").await;
    let arm_token = site.operator_token("https://management.azure.com").await;
    let (graph, arm) = (format!("{}/v1.0", site.lab.endpoints.graph), &site.lab.endpoints.arm);
    let error_code = |answer: &(u16, Value)| answer.1["error_codes"][0].as_u64().unwrap_or_default();

    let app = json!({ "displayName": "crewai-secrets-reader", "signInAudience": "AzureADMyOrg" });
    let (status, app) = site.call(Method::POST, &format!("{graph}/applications"), &graph_token, Some(app)).await;
    assert_eq!(status, 201, "{app}");
    let (id, app_id) = (app["id"].as_str().unwrap(), app["appId"].as_str().unwrap());
    assert_eq!(error_code(&site.federated(app_id).await), 70_025);

    let credentials = format!("{graph}/applications/{id}/federatedIdentityCredentials");
    let credential = json!({
        "name": "crewai-organization",
        "issuer": site.lab.endpoints.issuer,
        "subject": "organization:other",
        "audiences": ["api://AzureADTokenExchange"],
    });
    let (status, made) = site.call(Method::POST, &credentials, &graph_token, Some(credential.clone())).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(error_code(&site.federated(app_id).await), 700_213);
    let again = site.call(Method::POST, &credentials, &graph_token, Some(credential)).await;
    assert_eq!(code(&again), (409, "Request_MultipleObjectsWithSameKeyValue"));
    let right = json!({ "subject": format!("organization:{}", site.lab.profile.organization) });
    let one = format!("{graph}/applications(appId='{app_id}')/federatedIdentityCredentials/crewai-organization");
    assert_eq!(site.call(Method::PATCH, &one, &graph_token, Some(right)).await.0, 204);
    // What `az ad app create` does not make.
    assert_eq!(error_code(&site.federated(app_id).await), 7_000_229);

    let principals = format!("{graph}/servicePrincipals");
    let (status, principal) =
        site.call(Method::POST, &principals, &graph_token, Some(json!({ "appId": app_id }))).await;
    assert_eq!(status, 201, "{principal}");
    let (_, found) =
        site.call(Method::GET, &format!("{principals}?$filter=appId%20eq%20'{app_id}'"), &graph_token, None).await;
    assert_eq!(found["value"], json!([principal]));
    let (status, access) = site.federated(app_id).await;
    assert_eq!(status, 200, "{access}");
    let access = access["access_token"].as_str().unwrap();

    let vault = site.lab.endpoints.vault.clone().unwrap();
    let secret = format!("{vault}/secrets/crewai-new?api-version=2025-07-01");
    let own = site.operator_token("https://vault.azure.net").await;
    assert_eq!(site.call(Method::PUT, &secret, &own, Some(json!({ "value": "x" }))).await.0, 200);
    assert_eq!(code(&site.call(Method::GET, &secret, access, None).await), (403, "Forbidden"));

    let assignment = |scope: &str, name: u8| {
        format!("{arm}{scope}/{ROLES}/00000000-0000-4000-8000-0000000000{name:02}?api-version=2022-04-01")
    };
    let asked = |principal: &Value, kind: &str| {
        Some(
            json!({ "properties": { "roleDefinitionId": SECRETS_USER, "principalId": principal, "principalType": kind } }),
        )
    };
    // The registration's own object id is taken, and matches nobody.
    let of_app = asked(&app["id"], "ServicePrincipal");
    assert_eq!(site.call(Method::PUT, &assignment(VAULT, 1), &arm_token, of_app).await.0, 201);
    assert_eq!(code(&site.call(Method::GET, &secret, access, None).await), (403, "Forbidden"));
    let on_secret = format!("{VAULT}/secrets/crewai-new");
    let of_principal = || asked(&principal["id"], "ServicePrincipal");
    assert_eq!(site.call(Method::PUT, &assignment(&on_secret, 2), &arm_token, of_principal()).await.0, 201);
    assert_eq!(site.call(Method::GET, &secret, access, None).await.1["value"], "x");
    let list = format!("{vault}/secrets?api-version=2025-07-01");
    assert_eq!(code(&site.call(Method::GET, &list, access, None).await), (403, "Forbidden"));
    assert_eq!(site.call(Method::PUT, &assignment(VAULT, 3), &arm_token, of_principal()).await.0, 201);
    assert_eq!(site.call(Method::GET, &list, access, None).await.0, 200);
    let again = site.call(Method::PUT, &assignment(VAULT, 4), &arm_token, of_principal()).await;
    assert_eq!(code(&again), (409, "RoleAssignmentExists"));
}

#[tokio::test]
async fn refusals_are_worded_as_the_services_word_them() {
    let site = Site::scenario("azure");
    let graph_token = site.operator_token("https://graph.microsoft.com").await;
    let arm_token = site.operator_token("https://management.azure.com").await;
    let (graph, arm) = (&site.lab.endpoints.graph, &site.lab.endpoints.arm);
    let apps = format!("{graph}/v1.0/applications");
    let reader = format!("{apps}(appId='11111111-aaaa-4bbb-8ccc-222222222222')/federatedIdentityCredentials");
    let two = json!({ "name": "two", "issuer": "https://x", "subject": "s", "audiences": ["a", "b"] });
    let assignment =
        |scope: &str| format!("{arm}{scope}/{ROLES}/00000000-0000-4000-8000-000000000001?api-version=2022-04-01");
    let data_plane = assignment("/https://crewai-lab.vault.azure.net/secrets/db-password");
    let stranger = json!({ "properties": {
        "roleDefinitionId": SECRETS_USER, "principalId": "00000000-0000-4000-8000-00000000000f"
    } });
    for (method, url, token, body, expected) in [
        (Method::GET, apps.clone(), arm_token.as_str(), None, (401, "InvalidAuthenticationToken")),
        (Method::POST, apps.clone(), &graph_token, Some(json!({})), (400, "Request_BadRequest")),
        (Method::GET, format!("{apps}/nobody"), &graph_token, None, (404, "Request_ResourceNotFound")),
        (Method::GET, format!("{apps}?$filter=size%20gt%201"), &graph_token, None, (400, "Request_UnsupportedQuery")),
        (Method::GET, format!("{graph}/v1.0/users"), &graph_token, None, (400, "BadRequest")),
        (Method::POST, reader, &graph_token, Some(two), (400, "Request_BadRequest")),
        (Method::PUT, data_plane, &arm_token, Some(stranger.clone()), (404, "MissingSubscription")),
        (Method::PUT, assignment(VAULT), &arm_token, Some(stranger), (400, "PrincipalNotFound")),
        (Method::GET, format!("{arm}{VAULT}"), &arm_token, None, (400, "MissingApiVersionParameter")),
        (Method::GET, assignment(VAULT), &graph_token, None, (401, "InvalidAuthenticationTokenAudience")),
    ] {
        let answer = site.call(method, &url, token, body).await;
        assert_eq!(code(&answer), expected, "{url}: {answer:?}");
    }
    // The reader has no rights here.
    let access = |scope: &'static str| {
        let secret = "lab8Q~only.client.secret.of.the.reader-0";
        [("client_id", "11111111-aaaa-4bbb-8ccc-222222222222"), ("client_secret", secret), ("scope", scope)]
    };
    let (_, answer) = site.token_request(&access("https://graph.microsoft.com/.default")).await;
    let answer = site.call(Method::GET, &apps, answer["access_token"].as_str().unwrap(), None).await;
    assert_eq!(code(&answer), (403, "Authorization_RequestDenied"));
    let (_, answer) = site.token_request(&access("https://management.azure.com/.default")).await;
    let url = format!("{arm}{VAULT}?api-version=2024-11-01");
    let answer = site.call(Method::GET, &url, answer["access_token"].as_str().unwrap(), None).await;
    assert_eq!(code(&answer), (403, "AuthorizationFailed"));
    let (status, vault) = site.call(Method::GET, &url, &arm_token, None).await;
    assert_eq!((status, &vault["properties"]["enableRbacAuthorization"]), (200, &json!(true)));
}

/// What a command line asks before it can do anything: where the cloud's services are, how to sign in, what may be seen.
#[tokio::test]
async fn a_command_line_finds_its_way() {
    let site = Site::scenario("azure-blank");
    let (arm, graph) = (&site.lab.endpoints.arm, &site.lab.endpoints.graph);
    let get = async |url: String| {
        let answer = site.http.get(url).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let (status, cloud) = get(format!("{arm}/metadata/endpoints?api-version=2022-09-01")).await;
    assert_eq!((status, &cloud["microsoftGraphResourceId"]), (200, &json!(graph)), "{cloud}");
    let entra = cloud["authentication"]["loginEndpoint"].as_str().unwrap();
    let port = site.lab.endpoints.vault.as_deref().unwrap().rsplit_once(':').unwrap().1;
    assert_eq!(cloud["suffixes"]["keyVaultDns"], format!("vault.localhost:{port}"));

    let tenant = &site.lab.profile.azure.tenant_id;
    let (status, document) = get(format!("{entra}/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!((status, &document["token_endpoint"]), (200, &json!(format!("{entra}/{tenant}/oauth2/v2.0/token"))));
    let other = "00000000-0000-4000-8000-000000000009";
    let (status, refusal) = get(format!("{entra}/{other}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!((status, &refusal["error_codes"]), (400, &json!([90_002])), "{refusal}");

    // The audience of old, with the slash at its end that it has.
    let token = site.operator_token("https://management.core.windows.net/").await;
    let ids = async |token: &str| {
        let url = format!("{arm}/subscriptions?api-version=2022-12-01");
        let (_, listed) = site.call(Method::GET, &url, token, None).await;
        listed["value"].as_array().unwrap().iter().map(|one| one["subscriptionId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&token).await, [json!("00000000-1111-2222-3333-444444444444")]);
    let vault = format!("{arm}{VAULT}?api-version=2024-11-01");
    let (_, mut whole) = site.call(Method::GET, &vault, &token, None).await;
    whole["properties"]["enableRbacAuthorization"] = json!(false);
    let (status, changed) = site.call(Method::PUT, &vault, &token, Some(whole)).await;
    assert_eq!((status, &changed["properties"]["enableRbacAuthorization"]), (200, &json!(false)), "{changed}");
    assert_eq!(site.operator_token(graph).await.matches('.').count(), 2);
}

/// What a fix changes on an application and on the vault, the token endpoint and the vault go by at once.
#[tokio::test]
async fn what_is_changed_counts_at_once() {
    const READER: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
    let site = Site::scenario("azure");
    let graph_token = site.operator_token("https://graph.microsoft.com").await;
    let arm_token = site.operator_token("https://management.azure.com").await;
    let app = format!("{}/v1.0/applications(appId='{READER}')", site.lab.endpoints.graph);
    let vault = format!("{}{VAULT}?api-version=2024-11-01", site.lab.endpoints.arm);

    let asked = json!({ "passwordCredential": { "displayName": "new" } });
    let (_, made) = site.call(Method::POST, &format!("{app}/addPassword"), &graph_token, Some(asked)).await;
    let secret = made["secretText"].as_str().unwrap();
    let form = [("client_id", READER), ("client_secret", secret), ("scope", "https://vault.azure.net/.default")];
    assert_eq!(site.token_request(&form).await.0, 200);
    let (_, listed) = site.call(Method::GET, &app, &graph_token, None).await;
    assert_eq!(listed["passwordCredentials"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(secret), "a value is shown once");
    let id = || Some(json!({ "keyId": made["keyId"] }));
    let remove = format!("{app}/removePassword");
    assert_eq!(site.call(Method::POST, &remove, &graph_token, id()).await.0, 204);
    assert_eq!(code(&site.call(Method::POST, &remove, &graph_token, id()).await), (400, "Request_BadRequest"));
    assert_eq!(site.token_request(&form).await.1["error_codes"], json!([7_000_215]));

    let audience = |name: &str| Some(json!({ "signInAudience": name }));
    let answer = site.call(Method::PATCH, &app, &graph_token, audience("everybody")).await;
    assert_eq!(code(&answer), (400, "Request_BadRequest"));
    assert_eq!(site.call(Method::PATCH, &app, &graph_token, audience("AzureADMultipleOrgs")).await.0, 204);
    assert_eq!(site.federated(READER).await.1["error_codes"], json!([70_052]));
    assert_eq!(site.call(Method::PATCH, &app, &graph_token, audience("AzureADMyOrg")).await.0, 204);
    let access = site.federated(READER).await.1["access_token"].as_str().unwrap().to_owned();

    let read = async |encoded: &str| {
        let url = format!("{}/secrets/crewai-test-keyword?{encoded}", site.lab.endpoints.vault.as_deref().unwrap());
        site.call(Method::GET, &url, &access, None).await
    };
    // An official client encodes the hyphen too.
    assert_eq!(read("api%2Dversion=2025-07-01").await.0, 200);
    assert_eq!(code(&read("version=2025-07-01").await), (400, "BadParameter"));
    let set = async |properties: Value| {
        let asked = Some(json!({ "properties": properties }));
        let (status, answer) = site.call(Method::PUT, &vault, &arm_token, asked).await;
        assert_eq!(status, 200, "{answer}");
        answer["properties"].clone()
    };
    let rules = |addresses: &[&str]| {
        let rules: Vec<Value> = addresses.iter().map(|address| json!({ "value": address })).collect();
        json!({ "networkAcls": { "defaultAction": "Deny", "ipRules": rules } })
    };
    set(rules(&["203.0.113.7"])).await;
    assert_eq!(read("api-version=7.4").await.1["error"]["innererror"]["code"], "ForbiddenByFirewall");
    let seen = set(rules(&["203.0.113.7", "127.0.0.1"])).await;
    assert_eq!(seen["networkAcls"]["ipRules"][0]["value"], "127.0.0.1/32");
    assert_eq!(read("api-version=7.4").await.0, 200);
    let policy = |secrets: &[&str]| {
        json!({
            "enableRbacAuthorization": false,
            "accessPolicies": [{
                "objectId": "33333333-dddd-4eee-8fff-444444444444",
                "permissions": { "secrets": secrets },
            }],
        })
    };
    set(policy(&["list"])).await;
    assert_eq!(read("api-version=7.4").await.1["error"]["innererror"]["code"], "AccessDenied");
    let seen = set(policy(&["Get", "list"])).await;
    assert_eq!(seen["accessPolicies"][0]["permissions"]["secrets"], json!(["get", "list"]));
    assert_eq!(read("api-version=7.4").await.0, 200);
}
