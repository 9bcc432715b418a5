//! The lab's token endpoint and vault over the wire: through the SDKs, and by hand where the SDKs hide something.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use trustline::check::facts::azure::{DeletedSecret, ExchangeFact, VaultFact};
use trustline::check::facts::secret::Answer;
use trustline::domain::fingerprint::Fingerprint;
use trustline::domain::keyvault::ChallengeFit;
use trustline::domain::profile::AzureSettings;
use trustline::domain::secret_ref::SecretRef;
use trustline::domain::token::RawToken;
use trustline::lab::{Lab, LabOptions, World};
use trustline::probe::azure::{AzureSession, AzureTarget, Proof};
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};

const ADMIN: &str = "55555555-aaaa-4bbb-8ccc-666666666666";
const ADMIN_SECRET: &str = "lab8Q~only.client.secret.of.the.admin-00";

struct Site {
    lab: Lab,
    http: HttpStack,
}

impl Site {
    fn world(differences: &str) -> Site {
        let text = format!("name = \"t\"\ntitle = \"t\"\nguide = \"azure-workload-identity\"\n{differences}");
        let lab = Lab::start(&World::parse(&text).unwrap(), LabOptions::default()).unwrap();
        let settings = HttpSettings {
            ca_pem: Some(lab.ca_pem.clone().into_bytes()),
            ca_of_clients: Vec::new(),
            timeout: Duration::from_secs(20),
            proxy: ProxyUse::None,
        };
        Site { http: HttpStack::new(&settings).unwrap(), lab }
    }

    fn settings(&self) -> AzureSettings {
        let held = &self.lab.profile.azure;
        AzureSettings {
            tenant_id: Some(held.tenant_id.clone()),
            client_id: Some(held.client_id.clone()),
            vault_url: held.vault_url.clone(),
            authority_host: Some(held.authority_host.clone()),
            scope: held.scope.clone(),
            ..AzureSettings::default()
        }
    }

    fn target(&self) -> AzureTarget {
        AzureTarget::new(self.http.clone(), &self.settings()).unwrap()
    }

    fn token(&self) -> RawToken {
        RawToken::clean(self.lab.workload_token().unwrap().expose_secret()).0
    }

    async fn exchange(&self) -> (ExchangeFact, Option<AzureSession>) {
        self.target().exchange(Proof::Assertion(&self.token())).await
    }

    async fn session(&self) -> AzureSession {
        let (fact, session) = self.exchange().await;
        session.unwrap_or_else(|| panic!("{fact:?}"))
    }

    /// A request by hand: status and JSON.
    async fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = reqwest::Request::try_from(request.body(body.to_owned()).unwrap()).unwrap();
        let answer = self.http.client().send(request, 1 << 20).await.answer.unwrap();
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// A token of the administrator, by hand.
    async fn admin(&self) -> String {
        let url =
            format!("{}/{}/oauth2/v2.0/token", self.lab.profile.azure.authority_host, self.lab.profile.azure.tenant_id);
        let form = format!(
            "grant_type=client_credentials&client_id={ADMIN}&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret={ADMIN_SECRET}"
        );
        let (status, answer) =
            self.send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], &form).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

fn secret(name: &str) -> SecretRef {
    SecretRef::parse(name).unwrap()
}

fn code<T>(fact: &VaultFact<T>) -> String {
    match &fact.call.answer {
        Answer::Granted(_) => "granted".into(),
        Answer::Refused(refusal) => format!("{} {}", refusal.http_status, refusal.code),
        Answer::NotSent { .. } => "not sent".into(),
        Answer::Network { failure } => format!("{:?}", failure.kind),
        Answer::Unreadable { .. } => "unreadable".into(),
    }
}

#[tokio::test]
async fn a_token_becomes_an_access_token_and_a_secret_is_read() {
    let site = Site::world("");
    let (fact, session) = site.exchange().await;
    let access = fact.call.granted().unwrap();
    let held = &site.lab.profile.azure;
    assert_eq!(access.audience.as_deref(), Some("https://vault.azure.net"));
    assert_eq!((access.tenant_id.as_ref(), access.app_id.as_ref()), (Some(&held.tenant_id), Some(&held.client_id)));
    assert_eq!(access.object_id.as_deref(), Some("33333333-dddd-4eee-8fff-444444444444"));
    assert!(!fact.call.exchange.as_ref().unwrap().hops.is_empty());

    let (target, session) = (site.target(), session.unwrap());
    let list = target.list_secrets(&session, Some(&secret("crewai-test-keyword"))).await.unwrap();
    let seen = list.call.granted().unwrap();
    assert_eq!((seen.seen, seen.more, seen.holds_secret), (3, false, Some(true)));
    assert_eq!(list.challenge_fit, Some(ChallengeFit::Loopback));
    assert_eq!(list.challenge.unwrap().tenant, Some(held.tenant_id.clone()));

    let read = target.get_secret(&session, &secret("crewai-test-keyword"), None).await.unwrap();
    let read = read.call.granted().unwrap();
    assert_eq!(read.read.fingerprint, Fingerprint::of(b"hello from azure"));
    assert_eq!(read.versions.len(), 1);
    let version = read.read.version_id.clone().unwrap();
    let again = target.get_secret(&session, &secret("CREWAI-test-keyword"), Some(&version)).await.unwrap();
    assert_eq!(again.call.granted().unwrap().read.fingerprint, read.read.fingerprint);
    let unknown = target.get_secret(&session, &secret("crewai-test-keyword"), Some(&"0".repeat(32))).await.unwrap();
    assert_eq!(code(&unknown), "404 SecretNotFound");

    let changed = target.get_secret(&session, &secret("db_password"), None).await.unwrap();
    let changed = changed.call.granted().unwrap();
    assert_eq!((changed.read.name.as_str(), changed.written_name.as_deref()), ("db-password", Some("db_password")));
    let field = target.get_secret(&session, &secret("crewai-database#username"), None).await.unwrap();
    assert_eq!(field.call.granted().unwrap().read.fingerprint, Fingerprint::of(b"crew"));
}

/// An issuer whose document has this member with nothing in it.
fn with_empty(member: &str, value: &str) -> String {
    let known = r#""issuer": "${issuer}", "jwks_uri": "${issuer}/oauth2/jwks", "response_types_supported": ["id_token"],
        "id_token_signing_alg_values_supported": ["RS256"]"#;
    let rest = if member == "subject_types_supported" { "" } else { r#", "subject_types_supported": ["public"]"# };
    format!("[issuer]\ndiscovery-body = '''{{{known}{rest}, \"{member}\": {value}}}'''")
}

#[tokio::test]
async fn entra_refuses_each_fault_with_its_code() {
    const CREDENTIAL: &str = "[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\n";
    for (world, code, status) in [
        (format!("{CREDENTIAL}issuer = \"${{issuer}}/\""), 700_211, 401),
        (format!("{CREDENTIAL}subject = \"organization:x\""), 700_213, 401),
        (format!("{CREDENTIAL}subject = \"ORGANIZATION:${{organization}}\""), 7_002_138, 401),
        (format!("{CREDENTIAL}audience = \"api://x\""), 700_212, 401),
        (format!("{CREDENTIAL}audience = \"api://x\"\n[azure.entra]\nold-codes = true"), 70_021, 401),
        (format!("{CREDENTIAL}present = false"), 70_025, 401),
        (format!("{CREDENTIAL}effective-after-s = 3600"), 700_213, 401),
        (format!("{CREDENTIAL}expression = \"claims['sub'] matches 'organization:y*'\""), 700_213, 401),
        ("[profile.azure]\ntenant-id = \"9b2f4c1e-6a7d-4e8b-8c3f-1d5e7a9b0c2d\"".into(), 90_002, 400),
        ("[profile.azure]\ntenant-id = \"common\"".into(), 9_001_023, 400),
        ("[profile.azure]\ntenant-id = \"mine\"".into(), 900_023, 400),
        ("[profile.azure]\nclient-id = \"msi\"".into(), 700_016, 400),
        ("[azure.apps.crewai-secrets-reader]\nservice-principal = false".into(), 7_000_229, 401),
        ("[token]\nage-s = 7200".into(), 700_024, 401),
        ("[issuer]\nclock-offset-s = 3600\n[token]\nnot-before-s = 0".into(), 700_024, 401),
        ("[token]\nlifetime-s = 100000".into(), 70_023, 400),
        ("[token]\ntext = \"undefined\"".into(), 50_027, 400),
        ("[token.header]\ntyp = \"at+jwt\"".into(), 5_002_727, 400),
        ("[token]\nkey = \"ES256\"".into(), 50_027, 400),
        ("[token]\nkey = \"spare\"".into(), 7_000_272, 401),
        ("[token]\nkey = \"spare\"\n[token.header]\nkid = \"lab-rs256\"".into(), 700_027, 401),
        ("[issuer]\njwks-status = 503".into(), 50_166, 400),
        ("[issuer]\ndiscovery-body = \"<html>\"".into(), 50_166, 400),
        (with_empty("authorization_endpoint", "\"\""), 501_661, 400),
        (with_empty("subject_types_supported", "[]"), 501_661, 400),
        ("[azure.entra]\npolicy = \"conditional-access\"".into(), 53_003, 400),
        ("[azure.entra]\npolicy = \"issuers\"".into(), 700_238, 401),
        ("[azure.entra]\nthrottled = true".into(), 90_024, 429),
        ("[profile.azure]\nscope = \"https://vault.azure.net\"".into(), 1_002_012, 400),
        ("[profile.azure]\nscope = \"https://vault.microsoftazure.us/.default\"".into(), 500_011, 400),
    ] {
        let (fact, session) = Site::world(&world).exchange().await;
        let error = fact.error.unwrap_or_else(|| panic!("{world}: {:?}", fact.call.answer));
        assert!(session.is_none());
        assert_eq!(error.codes, [code], "{world}");
        assert!(error.trace_id.is_some() && error.correlation_id.is_some() && error.server_time.is_some(), "{world}");
        let Answer::Refused(refusal) = &fact.call.answer else { panic!("{world}") };
        assert_eq!((refusal.http_status, &refusal.code), (status, &format!("AADSTS{code}")), "{world}");
    }
}

#[tokio::test]
async fn a_client_secret_is_another_proof() {
    let site = Site::world("");
    for (secret, code) in [
        ("lab8Q~only.client.secret.of.the.reader-0", None),
        ("planted", Some(7_000_215)),
        ("0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f", Some(7_000_215)),
    ] {
        let (fact, session) = site.target().exchange(Proof::ClientSecret(&SecretString::from(secret))).await;
        assert_eq!(session.is_some(), code.is_none());
        assert_eq!(fact.error.as_ref().and_then(|e| e.code()), code);
        assert!(!format!("{fact:?}").contains(secret));
    }
}

#[tokio::test]
async fn the_error_body_is_entras() {
    let site = Site::world("");
    let held = &site.lab.profile.azure;
    let url = format!("{}/{}/oauth2/v2.0/token", held.authority_host, held.tenant_id);
    let form = "grant_type=client_credentials&client_id=x&scope=y";
    let (status, body) = site.send("POST", &url, &[], form).await;
    assert_eq!((status, &body["error"]), (400, &Value::from("unauthorized_client")));
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS700016: Application with identifier 'x' was not found"), "{description}");
    for (label, field) in
        [("Trace ID: ", "trace_id"), ("Correlation ID: ", "correlation_id"), ("Timestamp: ", "timestamp")]
    {
        assert!(description.contains(&format!("{label}{}", body[field].as_str().unwrap())), "{description}");
    }
    assert_eq!(body["error_uri"], "https://login.microsoftonline.com/error?code=700016");
}

#[tokio::test]
async fn the_vault_refuses_each_fault_with_its_code() {
    const READER: &str = "[azure.vault.roles.reader]\n";
    const POLICY: &str = "[azure.vault]\nmodel = \"access-policy\"\n[azure.vault.policies.reader]\nprincipal = \"33333333-dddd-4eee-8fff-444444444444\"\n";
    let same = |code: &'static str| (code, code);
    for (world, (list, get)) in [
        (format!("{READER}present = false"), same("403 ForbiddenByRbac")),
        (format!("{READER}role = \"Reader\""), same("403 ForbiddenByRbac")),
        (format!("{READER}role = \"Key Vault Reader\""), ("granted", "403 ForbiddenByRbac")),
        (format!("{READER}secret = \"crewai-test-keyword\""), ("403 ForbiddenByRbac", "granted")),
        (format!("{READER}secret = \"crewai-database\""), same("403 ForbiddenByRbac")),
        (format!("{READER}effective-after-s = 3600"), same("403 ForbiddenByRbac")),
        ("[azure.vault]\nmodel = \"access-policy\"".into(), same("403 AccessDenied")),
        (format!("{POLICY}secrets = [\"get\"]"), ("403 AccessDenied", "granted")),
        (format!("{POLICY}secrets = [\"get\", \"list\"]"), same("granted")),
        (format!("{POLICY}secrets = [\"get\", \"list\"]\napplication-id = \"x\""), same("403 ForbiddenByPolicy")),
        ("[azure.vault]\nnetwork = \"firewall\"".into(), same("403 ForbiddenByFirewall")),
        ("[azure.vault]\nnetwork = \"private-only\"".into(), same("403 ForbiddenByConnection")),
        ("[azure.vault]\nthrottled = true".into(), same("429 Throttled")),
        ("[azure.vault]\ntenant-id = \"9b2f4c1e-6a7d-4e8b-8c3f-1d5e7a9b0c2d\"".into(), same("401 Unauthorized")),
        ("[profile.azure]\nscope = \"https://management.azure.com/.default\"".into(), same("401 Unauthorized")),
        ("[azure.vault]\nchallenge-resource = \"https://vault.example.com\"".into(), same("not sent")),
        ("[azure.vault]\nchallenge-resource = \"https://vault.azure.cn\"".into(), same("not sent")),
        ("[azure.vault.secrets.crewai-test-keyword]\npresent = false".into(), ("granted", "404 SecretNotFound")),
        ("[azure.vault.secrets.crewai-test-keyword]\ndeleted = true".into(), ("granted", "404 SecretNotFound")),
        (
            "[azure.vault.secrets.crewai-test-keyword]\nversions = [{ value = \"x\", enabled = false }]".into(),
            ("granted", "403 SecretDisabled"),
        ),
    ] {
        let site = Site::world(&world);
        let (target, session) = (site.target(), site.session().await);
        let name = secret("crewai-test-keyword");
        let listed = target.list_secrets(&session, Some(&name)).await.unwrap();
        let read = target.get_secret(&session, &name, None).await.unwrap();
        assert_eq!((code(&listed).as_str(), code(&read).as_str()), (list, get), "{world}");
        if get == "403 ForbiddenByRbac" {
            let error = read.error.unwrap();
            assert_eq!(error.action.as_deref(), Some("Microsoft.KeyVault/vaults/secrets/getSecret/action"));
            assert_eq!(error.caller.unwrap().object_id.as_deref(), Some("33333333-dddd-4eee-8fff-444444444444"));
        }
        if get == "404 SecretNotFound" {
            let recoverable = matches!(read.deleted, Some(DeletedSecret::Recoverable { .. }));
            assert_eq!(recoverable, world.contains("deleted"), "{world}");
        }
    }
}

#[tokio::test]
async fn no_token_goes_where_the_challenge_does_not_fit() {
    let site = Site::world("[azure.vault]\nchallenge-resource = \"https://vault.example.com\"");
    let (target, session) = (site.target(), site.session().await);
    let listed = target.list_secrets(&session, None).await.unwrap();
    assert_eq!(listed.challenge_fit, Some(ChallengeFit::Differs));
    // Only the request without a token was answered.
    assert_eq!(listed.call.exchange.unwrap().status, Some(401));
    assert_eq!(listed.error.unwrap().akv, Some(10_000));
}

#[tokio::test]
async fn secrets_are_set_deleted_and_recovered() {
    let site = Site::world("");
    let (target, session, admin) = (site.target(), site.session().await, site.admin().await);
    let vault = site.lab.profile.azure.vault_url.clone().unwrap();
    let bearer = format!("Bearer {admin}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let name = secret("crewai-test-keyword");
    let before = target.get_secret(&session, &name, None).await.unwrap();
    let url = format!("{vault}/secrets/crewai-test-keyword?api-version=2025-07-01");
    let (status, set) = site.send("PUT", &url, &headers, r#"{"value": "rotated value"}"#).await;
    assert_eq!(status, 200, "{set}");
    let after = target.get_secret(&session, &name, None).await.unwrap();
    let (before, after) = (before.call.granted().unwrap(), after.call.granted().unwrap());
    assert_eq!(after.read.fingerprint, Fingerprint::of(b"rotated value"));
    assert_ne!(after.read.version_id, before.read.version_id);
    assert_eq!(after.versions.len(), 2);
    assert_eq!(after.versions[0].id, *after.read.version_id.as_ref().unwrap(), "the newest first");

    assert_eq!(site.send("DELETE", &url, &headers, "").await.0, 200);
    assert_eq!(site.send("PUT", &url, &headers, r#"{"value": "x"}"#).await.0, 409);
    let gone = target.get_secret(&session, &name, None).await.unwrap();
    assert!(matches!(gone.deleted, Some(DeletedSecret::Recoverable { purged_at: Some(_), .. })), "{gone:?}");
    let recover = format!("{vault}/deletedsecrets/crewai-test-keyword/recover?api-version=2025-07-01");
    assert_eq!(site.send("POST", &recover, &headers, "").await.0, 200);
    assert_eq!(code(&target.get_secret(&session, &name, None).await.unwrap()), "granted");

    let bad = format!("{vault}/secrets/a_b?api-version=2025-07-01");
    let (status, body) = site.send("GET", &bad, &headers, "").await;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("BadParameter")));
    let unversioned = format!("{vault}/secrets/crewai-test-keyword");
    assert_eq!(site.send("GET", &unversioned, &headers, "").await.0, 400);
    let forged = [("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")];
    assert_eq!(site.send("GET", &url, &forged, "").await.0, 401);
}

#[tokio::test]
async fn lists_have_pages() {
    let secrets: String =
        (0..30).map(|n| format!("[azure.vault.secrets.s-{n}]\nversions = [{{ value = \"x\" }}]\n")).collect();
    let site = Site::world(&secrets);
    let session = site.session().await;
    let listed = site.target().list_secrets(&session, Some(&secret("crewai-test-keywrod"))).await.unwrap();
    let seen = listed.call.granted().unwrap();
    assert_eq!((seen.seen, seen.more, seen.holds_secret), (25, true, Some(false)));
    assert_eq!(seen.nearest.as_deref(), Some("crewai-test-keyword"));
}

#[tokio::test]
async fn what_does_not_answer_is_no_refusal() {
    let site = Site::world("");
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    let settings = AzureSettings { authority_host: Some(closed.clone()), ..site.settings() };
    let target = AzureTarget::new(site.http.clone(), &settings).unwrap();
    let (fact, session) = target.exchange(Proof::Assertion(&site.token())).await;
    assert!(session.is_none() && matches!(fact.call.answer, Answer::Network { .. }), "{fact:?}");

    let plain = AzureSettings { authority_host: Some("http://127.0.0.1:1".into()), ..site.settings() };
    let target = AzureTarget::new(site.http.clone(), &plain).unwrap();
    let (fact, _) = target.exchange(Proof::Assertion(&site.token())).await;
    assert!(matches!(fact.call.answer, Answer::NotSent { .. }), "{fact:?}");

    let settings = AzureSettings { vault_url: Some(closed), ..site.settings() };
    let target = AzureTarget::new(site.http.clone(), &settings).unwrap();
    let listed = target.list_secrets(&site.session().await, None).await.unwrap();
    assert!(matches!(listed.call.answer, Answer::Network { .. }), "{listed:?}");
}
