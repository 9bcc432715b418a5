//! A plain HTTPS client that trusts a lab and knows nothing else of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use trustline::lab::{Lab, LabOptions, World};

/// A running lab and a client for it.
pub struct Site {
    pub lab: Lab,
    pub http: reqwest::Client,
}

/// STS's answer: status, and the text of every leaf element.
#[derive(Debug)]
pub struct StsAnswer {
    pub status: u16,
    pub fields: BTreeMap<String, String>,
}

impl StsAnswer {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Code and message of a refusal, `ok` for an answer.
    pub fn verdict(&self) -> (u16, String) {
        match self.field("Code") {
            "" => (self.status, "ok".to_owned()),
            code => (self.status, format!("{code}: {}", self.field("Message"))),
        }
    }
}

/// A client that trusts one authority.
pub fn trusting(ca_pem: &[u8]) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem).unwrap()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let redirect = reqwest::redirect::Policy::none();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(redirect).build().unwrap()
}

impl Site {
    pub fn scenario(name: &str) -> Site {
        Site::start(&World::scenario(name).unwrap())
    }

    pub fn world(text: &str) -> Site {
        Site::start(&World::parse(text).unwrap())
    }

    fn start(world: &World) -> Site {
        let lab = Lab::start(world, LabOptions::default()).unwrap();
        let http = trusting(lab.ca_pem.as_bytes());
        Site { lab, http }
    }

    /// The token that the platform hands out.
    pub fn workload_token(&self) -> String {
        self.lab.workload_token().unwrap().expose_secret().to_owned()
    }

    /// The claims that a healthy token has, with changes; `null` takes a claim out.
    pub fn claims(&self, change: Value) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": self.lab.endpoints.issuer,
            "sub": format!("organization:{}", self.lab.profile.organization),
            "aud": "sts.amazonaws.com",
            "iat": now - 10,
            "exp": now + 900,
        });
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().shift_remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    /// Mints a token over the wire.
    pub async fn mint(&self, header: Option<Value>, payload: &str) -> String {
        let mut request = json!({ "payload": payload });
        if let Some(header) = header {
            request["header"] = header;
        }
        let url = format!("{}/lab/mint", self.lab.endpoints.issuer);
        let response = self.http.post(url).body(request.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Exchanges a token for the profile's role, with further parameters.
    pub async fn exchange(&self, token: &str, more: &[(&str, &str)]) -> StsAnswer {
        let mut parameters: BTreeMap<&str, &str> = BTreeMap::from([
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", self.lab.role_arn.as_str()),
            ("RoleSessionName", "probe"),
            ("WebIdentityToken", token),
        ]);
        parameters.extend(more.iter().copied());
        self.sts(&parameters).await
    }

    pub async fn sts(&self, parameters: &BTreeMap<&str, &str>) -> StsAnswer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let response = self
            .http
            .post(format!("{}/", self.lab.endpoints.sts))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        StsAnswer { status, fields: leaves(&text) }
    }
}

/// The text of every element that holds only text, by name.
pub fn leaves(xml: &str) -> BTreeMap<String, String> {
    let element = regex_lite::Regex::new(r"<(\w+)>([^<]*)</(\w+)>").unwrap();
    let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    element.captures_iter(xml).map(|found| (found[1].to_owned(), plain(&found[2]))).collect()
}

/// Access key id, secret key, session token (empty for a user's key).
#[derive(Clone)]
pub struct Credentials {
    pub key_id: String,
    pub secret: String,
    pub token: String,
}

impl Credentials {
    pub fn of(answer: &StsAnswer) -> Credentials {
        let field = |name: &str| answer.field(name).to_owned();
        Credentials { key_id: field("AccessKeyId"), secret: field("SecretAccessKey"), token: field("SessionToken") }
    }

    /// The user that the healthy world has.
    pub fn admin() -> Credentials {
        Credentials {
            key_id: "AKIALABSECRETSADMIN0".into(),
            secret: "lab/only/secret/access/key/of/the/admin0".into(),
            token: String::new(),
        }
    }
}

/// A request to sign: what is sent, to which service and region, at which time.
pub struct Signing<'a> {
    pub service: &'a str,
    pub region: &'a str,
    pub time: SystemTime,
}

impl Site {
    /// The credentials that the healthy token buys, with further parameters.
    pub async fn session(&self, more: &[(&str, &str)]) -> Credentials {
        let answer = self.exchange(&self.workload_token(), more).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Credentials::of(&answer)
    }

    /// Calls Secrets Manager in a region and yields status and JSON.
    pub async fn secrets_in(&self, region: &str, who: &Credentials, action: &str, input: Value) -> (u16, Value) {
        let signing = Signing { service: "secretsmanager", region, time: SystemTime::now() };
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("secretsmanager.{action}")),
        ];
        let url = &self.lab.endpoints.secretsmanager;
        let (status, text) = self.signed(url, who, &signing, &headers, &input.to_string()).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
    }

    /// Calls Secrets Manager in the profile's region.
    pub async fn secrets(&self, who: &Credentials, action: &str, input: Value) -> (u16, Value) {
        self.secrets_in(&self.lab.region.clone(), who, action, input).await
    }

    /// Calls STS with a signed form.
    pub async fn signed_sts(&self, who: &Credentials, signing: &Signing<'_>, form: &[(&str, &str)]) -> StsAnswer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let (status, text) = self.signed(&self.lab.endpoints.sts, who, signing, &headers, &body).await;
        StsAnswer { status, fields: leaves(&text) }
    }

    pub async fn signed(
        &self,
        url: &str,
        who: &Credentials,
        signing: &Signing<'_>,
        headers: &[(&str, String)],
        body: &str,
    ) -> (u16, String) {
        let token = (!who.token.is_empty()).then(|| who.token.clone());
        let identity =
            aws_credential_types::Credentials::new(who.key_id.clone(), who.secret.clone(), token, None, "test").into();
        let parameters = aws_sigv4::sign::v4::SigningParams::builder()
            .identity(&identity)
            .region(signing.region)
            .name(signing.service)
            .time(signing.time)
            .settings(aws_sigv4::http_request::SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("{url}/");
        let plain = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = aws_sigv4::http_request::SignableRequest::new(
            "POST",
            url.as_str(),
            plain,
            aws_sigv4::http_request::SignableBody::Bytes(body.as_bytes()),
        )
        .unwrap();
        let (instructions, _) = aws_sigv4::http_request::sign(signable, &parameters).unwrap().into_parts();
        let mut request = self.http.post(&url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}
