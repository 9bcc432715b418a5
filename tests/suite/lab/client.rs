//! A plain HTTPS client that trusts a lab and knows nothing else of it.

use std::collections::BTreeMap;
use std::sync::Arc;

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

impl Site {
    pub fn scenario(name: &str) -> Site {
        Site::start(&World::scenario(name).unwrap())
    }

    pub fn world(text: &str) -> Site {
        Site::start(&World::parse(text).unwrap())
    }

    fn start(world: &World) -> Site {
        let lab = Lab::start(world, LabOptions::default()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(lab.ca_pem.as_bytes()).unwrap()).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let redirect = reqwest::redirect::Policy::none();
        let http =
            reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(redirect).build().unwrap();
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
