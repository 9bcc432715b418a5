//! The lab's Google over the wire: the exchange with every refusal, impersonation, Secret Manager, the operator's reads and
//! writes, and the audit log.

use serde_json::{Value, json};

use super::client::Site;

const GUIDE: &str = "guide = \"gcp-workload-identity\"\n";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/crewai-pool";
const READER: &str = "crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com";

/// A world that differs from the one in which all is right.
fn site(differences: &str) -> Site {
    Site::world(&format!("{GUIDE}{differences}"))
}

fn checksum(value: &[u8]) -> String {
    crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(value).to_string()
}

fn audience() -> String {
    format!("//iam.googleapis.com/{POOL}/providers/crewai-provider")
}

impl Site {
    /// What a request is answered: status and JSON.
    async fn ask(&self, method: &str, url: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    /// The exchange, by a form, with changes to what is sent.
    pub async fn google_exchange(&self, token: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let (audience, mut form) = (audience(), url::form_urlencoded::Serializer::new(String::new()));
        for (name, value) in [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", audience.as_str()),
            ("scope", SCOPE),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", token),
        ] {
            let changed = changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
            form.append_pair(name, changed.unwrap_or(value));
        }
        let url = format!("{}/v1/token", self.lab.endpoints.google.sts);
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.finish()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    async fn google_token(&self) -> String {
        let (status, answer) = self.google_exchange(&self.workload_token(), &[]).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn operator(&self) -> String {
        use secrecy::ExposeSecret as _;
        self.lab.operator.google_token.expose_secret().to_owned()
    }

    /// A path below Secret Manager's address.
    async fn google_secrets(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/v1/projects/crewai-lab/{path}", self.lab.endpoints.google.secretmanager);
        self.ask(method, &url, token, body).await
    }

    /// A path of the IAM API.
    async fn google_iam(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.lab.endpoints.google.iam);
        self.ask(method, &url, &self.operator(), body).await
    }
}

/// The exchange's error and what it says.
fn refusal((status, answer): &(u16, Value)) -> (u16, String, String) {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (*status, text("error"), text("error_description"))
}

fn message((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["error"]["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_token_becomes_an_access_token_and_a_secret_is_listed_and_read() {
    let site = site("");
    let answer = site.google_exchange(&site.workload_token(), &[]).await;
    let (status, granted) = &answer;
    assert_eq!((*status, &granted["token_type"]), (200, &json!("Bearer")), "{granted}");
    assert_eq!(granted["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let lives = granted["expires_in"].as_i64().unwrap();
    assert!((3000..=3598).contains(&lives), "{lives}");
    let token = granted["access_token"].as_str().unwrap();

    let (status, listed) = site.google_secrets("GET", "secrets?pageSize=1", token, None).await;
    assert_eq!(status, 200, "{listed}");
    assert_eq!(listed["secrets"][0]["name"], "projects/123456789012/secrets/crewai-database");
    let next = listed["nextPageToken"].as_str().unwrap();
    let (_, listed) = site.google_secrets("GET", &format!("secrets?pageSize=1&pageToken={next}"), token, None).await;
    assert_eq!(listed["secrets"][0]["name"], "projects/123456789012/secrets/crewai-test-keyword");
    assert_eq!(listed.get("nextPageToken"), None);

    let path = "secrets/crewai-test-keyword/versions/latest:access?%24alt=json%3Benum-encoding%3Dint";
    let (status, read) = site.google_secrets("GET", path, token, None).await;
    let version = json!({
        "name": "projects/123456789012/secrets/crewai-test-keyword/versions/1",
        "payload": { "data": "aGVsbG8gZnJvbSBnb29nbGU=", "dataCrc32c": checksum(b"hello from google") },
    });
    assert_eq!((status, read), (200, version));
}

#[tokio::test]
async fn json_is_taken_for_a_form() {
    let site = site("");
    let body = json!({
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": audience(),
        "scope": SCOPE,
        "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
        "subjectTokenType": "urn:ietf:params:oauth:token-type:id_token",
        "subjectToken": site.workload_token(),
    });
    let url = format!("{}/v1/token", site.lab.endpoints.google.sts);
    let (status, answer) = site.ask("POST", &url, "", Some(body)).await;
    assert_eq!(status, 200, "{answer}");
}

const PROVIDER: &str = "[google.pools.crewai-pool.providers.crewai-provider]\n";
const MAPPING: &str = "[google.pools.crewai-pool.providers.crewai-provider.attribute-mapping]\n";
const CONDITION: &str = "The given credential is rejected by the attribute condition.";
const UNCONNECTED: &str = "Error connecting to the given credential's issuer.";
const NO_TARGET: &str = "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.";

#[tokio::test]
async fn each_difference_of_the_world_has_googles_own_answer() {
    let long = format!("[token.claims]\nsub = '{}'\n", "x".repeat(128));
    let fits = format!("[token.claims]\nsub = '{}'\n", "x".repeat(127));
    let on_provider = |text: &str| format!("{PROVIDER}{text}\n");
    let mapped = |text: &str| format!("{MAPPING}{text}\n");
    for (differences, error, description) in [
        (String::new(), "", ""),
        (fits, "", ""),
        (on_provider("uploaded-keys = [{ key = 'RS256' }]\n[issuer]\njwks-status = 503"), "", ""),
        ("[issuer]\ndiscovery-without = ['response_types_supported', 'subject_types_supported']".into(), "", ""),
        ("[token]\nkey = 'ES256'".into(), "", ""),
        ("[token]\ntext = 'secret'".into(), "invalid_grant", "Unable to parse the ID Token."),
        (
            on_provider("issuer-uri = 'https://other.example'"),
            "invalid_grant",
            "The issuer in ID Token ISSUER does not match the expected ones: https://other.example",
        ),
        (
            "[token.claims]\naud = 'other'".into(),
            "invalid_grant",
            "The audience in ID Token [other] does not match the expected audience.",
        ),
        (
            on_provider("allowed-audiences = ['mine']"),
            "invalid_grant",
            "The audience in ID Token [AUDIENCE] does not match the expected audience.",
        ),
        ("[token]\nwithout = ['iat']".into(), "invalid_grant", "ID Token issued at null is stale to sign-in."),
        (
            "[issuer]\njwks = [{ key = 'RS256', corrupt = true }]".into(),
            "invalid_grant",
            "Unable to verify the ID Token signature.",
        ),
        ("[token]\nkey = 'RS384'".into(), "invalid_grant", "Unable to verify the ID Token signature."),
        ("[token]\nkey = 'ES384'".into(), "invalid_grant", UNCONNECTED),
        ("[token]\nkey = 'spare'".into(), "invalid_grant", UNCONNECTED),
        ("[issuer]\njwks-status = 503".into(), "invalid_grant", UNCONNECTED),
        (on_provider("uploaded-keys = [{ key = 'RS384' }]"), "invalid_grant", UNCONNECTED),
        (on_provider("attribute-condition = \"assertion.sub == 'other'\""), "unauthorized_client", CONDITION),
        (on_provider("attribute-condition = \"assertion.other != ''\""), "unauthorized_client", CONDITION),
        (
            mapped("\"google.subject\" = 'assertion.other'"),
            "unauthorized_client",
            "Could not obtain a value for google.subject from the given credential.",
        ),
        (
            mapped("\"google.subject\" = \"assertion.sub == 'x'\""),
            "unauthorized_client",
            "The mapped attribute 'google.subject' must be of type STRING.",
        ),
        (
            long,
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
        ),
        (on_provider("disabled = true"), "invalid_target", NO_TARGET),
        (on_provider("present = false"), "invalid_target", NO_TARGET),
        ("[google.pools.crewai-pool]\ndisabled = true".into(), "invalid_target", NO_TARGET),
        ("[google.pools.crewai-pool]\ndeleted = true".into(), "invalid_target", NO_TARGET),
        (
            "[google]\nthrottled = true".into(),
            "quota_exceeded",
            "The request was throttled due to rate limit: sts.googleapis.com/requests. Please retry after a few seconds.",
        ),
    ] {
        let site = site(&differences);
        let answer = site.google_exchange(&site.workload_token(), &[]).await;
        let expected = description.replace("ISSUER", &site.lab.endpoints.issuer).replace("AUDIENCE", &audience());
        let status = match error {
            "" => 200,
            "quota_exceeded" => 429,
            _ => 400,
        };
        assert_eq!(refusal(&answer), (status, error.to_owned(), expected), "{differences}");
    }
}

#[tokio::test]
async fn the_request_itself_is_looked_at_first() {
    let site = site("");
    let by_id = audience().replace("123456789012", "crewai-lab");
    let pool = format!("//iam.googleapis.com/{POOL}");
    let elsewhere = audience().replace("123456789012", "210987654321");
    for (name, value, error, part) in [
        (
            "audience",
            by_id.as_str(),
            "invalid_request",
            "Invalid value for \"audience\". This value should be the full",
        ),
        ("audience", &pool, "invalid_request", "Invalid value for \"audience\"."),
        ("audience", &elsewhere, "invalid_target", NO_TARGET),
        ("grant_type", "client_credentials", "invalid_request", "\"grant_type\""),
        (
            "subject_token_type",
            "urn:ietf:params:aws:token-type:aws4_request",
            "invalid_request",
            "\"subject_token_type\"",
        ),
        ("requested_token_type", "", "invalid_request", "\"requested_token_type\""),
    ] {
        let (status, found, description) =
            refusal(&site.google_exchange(&site.workload_token(), &[(name, value)]).await);
        assert_eq!((status, found.as_str()), (400, error), "{name} {value}");
        assert!(description.contains(part), "{description}");
    }
    // Python's library asks for no scope where nobody names one.
    assert_eq!(site.google_exchange(&site.workload_token(), &[("scope", "")]).await.0, 200);
}

#[tokio::test]
async fn what_a_grant_does_not_allow_is_refused_by_the_projects_number() {
    let without = |grant: &str| format!("[google.grants.{grant}]\npresent = false\n");
    let denied = |permission: &str, at: &str| {
        format!("Permission '{permission}' denied for resource 'projects/123456789012{at}' (or it may not exist).")
    };
    let access = "secrets/crewai-test-keyword/versions/latest:access";
    let (list, read) = ("secretmanager.secrets.list", "secretmanager.versions.access");
    let at = "/secrets/crewai-test-keyword/versions/latest";
    for (differences, path, status, expected) in [
        (without("viewer"), "secrets", 403, denied(list, "")),
        (without("viewer"), access, 200, String::new()),
        (without("reader"), access, 403, denied(read, at)),
        (without("reader"), "secrets", 200, String::new()),
        // Whether it is there is told to those alone who may read it.
        (
            without("reader"),
            "secrets/other/versions/latest:access",
            403,
            denied(read, "/secrets/other/versions/latest"),
        ),
        (
            String::new(),
            "secrets/other/versions/latest:access",
            404,
            "Secret [projects/123456789012/secrets/other] not found or has no versions.".to_owned(),
        ),
        (
            "[google.secrets.crewai-test-keyword]\nversions = []\n".to_owned(),
            access,
            404,
            "Secret [projects/123456789012/secrets/crewai-test-keyword] not found or has no versions.".to_owned(),
        ),
        (
            String::new(),
            "secrets/crewai-test-keyword/versions/9:access",
            404,
            "Secret Version [projects/123456789012/secrets/crewai-test-keyword/versions/9] not found.".to_owned(),
        ),
        (
            "[google.secrets.crewai-test-keyword]\nversions = [{ value = 'a' }, { value = 'b', state = 'disabled' }]\n"
                .to_owned(),
            access,
            400,
            "Secret Version [projects/123456789012/secrets/crewai-test-keyword/versions/2] is in DISABLED state."
                .to_owned(),
        ),
        // A member whose attribute the mapping does not set is nobody.
        (
            format!(
                "[google.grants.reader]\nmembers = ['principalSet://iam.googleapis.com/{POOL}/attribute.team/a']\n"
            ),
            access,
            403,
            denied(read, at),
        ),
    ] {
        let site = site(&differences);
        let token = site.google_token().await;
        let answer = site.google_secrets("GET", path, &token, None).await;
        assert_eq!(message(&answer), (status, expected.as_str()), "{differences} {path}");
    }
}

#[tokio::test]
async fn a_service_that_is_off_says_so_and_a_token_of_nobody_is_refused() {
    let site = site("[google]\ndisabled-services = ['secretmanager.googleapis.com']\n");
    let token = site.google_token().await;
    let answer = site.google_secrets("GET", "secrets", &token, None).await;
    assert!(message(&answer).1.starts_with("Secret Manager API has not been used in project 123456789012 before"));
    assert_eq!(answer.1["error"]["details"][0]["reason"], "SERVICE_DISABLED");
    let bogus = site.google_secrets("GET", "secrets", "ya29.bogus", None).await;
    assert_eq!((bogus.0, &bogus.1["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
}

#[tokio::test]
async fn a_regional_secret_goes_by_its_regions_name_alone() {
    let site = site("[google.secrets.crewai-test-keyword]\nlocation = 'europe-west3'\n");
    let token = site.google_token().await;
    for (location, status) in [("locations/europe-west3/", 200), ("", 404), ("locations/us-east1/", 404)] {
        let path = format!("{location}secrets/crewai-test-keyword/versions/latest:access");
        assert_eq!(site.google_secrets("GET", &path, &token, None).await.0, status, "{path}");
    }
    let (_, listed) = site.google_secrets("GET", "secrets", &token, None).await;
    assert_eq!(listed["totalSize"], 1, "{listed}");
    let (_, listed) = site.google_secrets("GET", "locations/europe-west3/secrets", &token, None).await;
    assert_eq!(
        listed["secrets"][0]["name"],
        "projects/123456789012/locations/europe-west3/secrets/crewai-test-keyword"
    );
    let (_, regions) = site.google_secrets("GET", "locations", &token, None).await;
    let ids: Vec<&str> =
        regions["locations"].as_array().unwrap().iter().map(|one| one["locationId"].as_str().unwrap()).collect();
    assert!(ids.contains(&"europe-west3"), "{ids:?}");
}

#[tokio::test]
async fn a_service_account_is_impersonated_by_whom_a_grant_on_it_names() {
    let grant = format!(
        "[google.grants.impersonation]\nrole = 'roles/iam.workloadIdentityUser'\nservice-account = 'crewai-secrets-reader'\n\
         members = ['principal://iam.googleapis.com/{POOL}/subject/organization:${{organization}}']\n\
         [google.grants.reader]\nmembers = ['serviceAccount:{READER}']\n"
    );
    let body = |lifetime: &str, scope: &str| Some(json!({ "lifetime": lifetime, "scope": [scope] }));
    for (differences, lifetime, scope, status, part) in [
        (grant.as_str(), "600s", SCOPE, 200, ""),
        (&grant, "0s", SCOPE, 400, "positive"),
        (&grant, "7200s", SCOPE, 400, "constraints/iam.allowServiceAccountCredentialLifetimeExtension"),
        (
            "",
            "600s",
            SCOPE,
            403,
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        ),
    ] {
        let site = site(differences);
        let token = site.google_token().await;
        let host = &site.lab.endpoints.google.iamcredentials;
        let url = format!("{host}/v1/projects/-/serviceAccounts/{READER}:generateAccessToken");
        let answer = site.ask("POST", &url, &token, body(lifetime, scope)).await;
        assert_eq!(answer.0, status, "{}", answer.1);
        assert!(message(&answer).1.contains(part), "{}", answer.1);
        if status != 200 {
            continue;
        }
        let access = "secrets/crewai-test-keyword/versions/latest:access";
        let account = answer.1["accessToken"].as_str().unwrap();
        assert_eq!(site.google_secrets("GET", access, account, None).await.0, 200);
        assert_eq!(site.google_secrets("GET", access, &token, None).await.0, 403);
        // A token for another service is no use here.
        let (_, narrow) =
            site.ask("POST", &url, &token, body("600s", "https://www.googleapis.com/auth/devstorage.read_only")).await;
        let refused = site.google_secrets("GET", access, narrow["accessToken"].as_str().unwrap(), None).await;
        assert_eq!(refused.1["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "{}", refused.1);
    }
}

#[tokio::test]
async fn an_operator_sets_up_what_a_token_then_passes_and_what_is_disabled_stops() {
    let nothing = "[google.pools.crewai-pool]\npresent = false\n[google.grants.reader]\npresent = false\n\
                   [google.grants.viewer]\npresent = false\n[google.secrets.crewai-test-keyword]\npresent = false\n";
    let site = site(nothing);
    let operator = site.operator();
    let pools = "projects/crewai-lab/locations/global/workloadIdentityPools";
    let made = site.google_iam("POST", &format!("{pools}?workloadIdentityPoolId=crewai-pool"), Some(json!({}))).await;
    assert_eq!((made.0, &made.1["done"], &made.1["response"]["name"]), (200, &json!(true), &json!(POOL)), "{}", made.1);
    let providers = format!("{pools}/crewai-pool/providers");
    let provider = json!({
        "oidc": { "issuerUri": site.lab.endpoints.issuer },
        "attributeMapping": { "google.subject": "assertion.sub", "attribute.organization": "assertion.organization_id" },
        "attributeCondition": "assertion.organization_id == 'other'",
    });
    let made = site
        .google_iam("POST", &format!("{providers}?workloadIdentityPoolProviderId=crewai-provider"), Some(provider))
        .await;
    assert_eq!(made.0, 200, "{}", made.1);
    let organization = site.lab.profile.organization.clone();
    let refused = site.google_exchange(&site.workload_token(), &[]).await;
    assert_eq!(refusal(&refused).2, CONDITION);
    let change = json!({ "attributeCondition": format!("assertion.organization_id == '{organization}'") });
    let one = format!("{providers}/crewai-provider");
    let changed = site.google_iam("PATCH", &format!("{one}?updateMask=attribute_condition"), Some(change)).await;
    assert_eq!(changed.0, 200, "{}", changed.1);
    let token = site.google_token().await;

    let secret = json!({ "replication": { "automatic": {} } });
    assert_eq!(
        site.google_secrets("POST", "secrets?secretId=crewai-test-keyword", &operator, Some(secret)).await.0,
        200
    );
    let wrong = json!({ "payload": { "data": "bmV3", "dataCrc32c": "1" } });
    let refused = site.google_secrets("POST", "secrets/crewai-test-keyword:addVersion", &operator, Some(wrong)).await;
    assert_eq!(refused.0, 400, "{}", refused.1);
    let version = json!({ "payload": { "data": "bmV3", "dataCrc32c": checksum(b"new") } });
    let added = site.google_secrets("POST", "secrets/crewai-test-keyword:addVersion", &operator, Some(version)).await;
    assert_eq!(added.1["name"], "projects/123456789012/secrets/crewai-test-keyword/versions/1", "{}", added.1);
    assert_eq!(added.1["clientSpecifiedPayloadChecksum"], true);

    let access = "secrets/crewai-test-keyword/versions/latest:access";
    assert_eq!(site.google_secrets("GET", access, &token, None).await.0, 403);
    let policy = "secrets/crewai-test-keyword";
    let (_, held) = site.google_secrets("GET", &format!("{policy}:getIamPolicy"), &operator, None).await;
    let member = format!("principalSet://iam.googleapis.com/{POOL}/attribute.organization/{organization}");
    let bindings = json!([{ "role": "roles/secretmanager.secretAccessor", "members": [member] }]);
    let wanted = json!({ "policy": { "etag": held["etag"], "bindings": bindings } });
    let set = site.google_secrets("POST", &format!("{policy}:setIamPolicy"), &operator, Some(wanted.clone())).await;
    assert_eq!((set.0, &set.1["bindings"]), (200, &bindings), "{}", set.1);
    let again = site.google_secrets("POST", &format!("{policy}:setIamPolicy"), &operator, Some(wanted)).await;
    assert_eq!((again.0, &again.1["error"]["status"]), (409, &json!("ABORTED")), "its etag is of before");
    let (status, read) = site.google_secrets("GET", access, &token, None).await;
    assert_eq!((status, &read["payload"]["data"]), (200, &json!("bmV3")), "{read}");

    // A disabled provider stops new exchanges, a disabled pool what was exchanged before as well.
    let disabled = Some(json!({ "disabled": true }));
    site.google_iam("PATCH", &format!("{one}?updateMask=disabled"), disabled.clone()).await;
    assert_eq!(refusal(&site.google_exchange(&site.workload_token(), &[]).await).1, "invalid_target");
    assert_eq!(site.google_secrets("GET", access, &token, None).await.0, 200);
    site.google_iam("PATCH", &format!("{pools}/crewai-pool?updateMask=disabled"), disabled).await;
    assert_eq!(site.google_secrets("GET", access, &token, None).await.0, 401);
}

#[tokio::test]
async fn an_operator_reads_what_is_in_force_and_the_workload_does_not() {
    let site = site("");
    let (status, provider) = site.google_iam("GET", &format!("{POOL}/providers/crewai-provider"), None).await;
    assert_eq!(status, 200, "{provider}");
    assert_eq!(provider["oidc"]["issuerUri"], site.lab.endpoints.issuer.as_str());
    assert_eq!(provider["attributeMapping"]["google.subject"], "assertion.sub");
    let (_, listed) = site.google_iam("GET", &format!("{POOL}/providers"), None).await;
    assert_eq!(listed["workloadIdentityPoolProviders"][0]["name"], provider["name"]);
    let places = &site.lab.endpoints.google;
    let policy = format!("{}/v1/projects/crewai-lab:getIamPolicy", places.resource_manager);
    let (_, read) = site.ask("POST", &policy, &site.operator(), Some(json!({}))).await;
    let roles: Vec<&str> =
        read["bindings"].as_array().unwrap().iter().map(|binding| binding["role"].as_str().unwrap()).collect();
    assert!(roles.contains(&"roles/secretmanager.viewer"), "{roles:?}");
    let account = format!("projects/-/serviceAccounts/{READER}:getIamPolicy");
    assert_eq!(site.google_iam("POST", &account, None).await.0, 200);
    let token = site.google_token().await;
    for url in [format!("{}/v1/{POOL}/providers/crewai-provider", places.iam), policy] {
        let method = if url.ends_with("getIamPolicy") { "POST" } else { "GET" };
        let answer = site.ask(method, &url, &token, None).await;
        assert_eq!(answer.0, 403, "{url}");
        assert!(message(&answer).1.contains("denied on resource"), "{}", answer.1);
    }
}

#[tokio::test]
async fn exchanges_and_reads_are_on_record_with_who_and_why() {
    let site = site("[google.grants.reader]\npresent = false\n");
    let token = site.google_token().await;
    site.google_exchange(&site.workload_token(), &[("subject_token", "no token")]).await;
    site.google_secrets("GET", "secrets/crewai-test-keyword/versions/latest:access", &token, None).await;
    let url = format!("{}/v2/entries:list", site.lab.endpoints.google.logging);
    let list = |filter: &str| Some(json!({ "resourceNames": ["projects/crewai-lab"], "filter": filter }));
    let exchanges = "protoPayload.methodName=\"google.identity.sts.v1.SecurityTokenService.ExchangeToken\"";
    let (status, listed) = site.ask("POST", &url, &site.operator(), list(exchanges)).await;
    assert_eq!(status, 200, "{listed}");
    let entries = listed["entries"].as_array().unwrap();
    let subject = format!("organization:{}", site.lab.profile.organization);
    assert_eq!(entries[0]["protoPayload"]["authenticationInfo"]["principalSubject"], subject.as_str());
    assert_eq!(entries[0]["protoPayload"]["resourceName"], format!("{POOL}/providers/crewai-provider"));
    assert_eq!(entries[1]["protoPayload"]["status"]["message"], "Unable to parse the ID Token.");
    let (_, listed) = site
        .ask("POST", &url, &site.operator(), list("protoPayload.serviceName=\"secretmanager.googleapis.com\""))
        .await;
    let entry = &listed["entries"][0]["protoPayload"];
    assert_eq!(entry["status"]["code"], 7, "{listed}");
    assert_eq!(
        entry["authenticationInfo"]["principalSubject"],
        format!("principal://iam.googleapis.com/{POOL}/subject/{subject}")
    );
    assert!(!listed.to_string().contains(&token));
    assert_eq!(site.ask("POST", &url, &token, list("")).await.0, 403, "the log is for those who may read it");
}
