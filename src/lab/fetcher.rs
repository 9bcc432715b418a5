//! Fetches an issuer's documents as the clouds do.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use url::Url;

use super::authority::Clients;
use crate::domain::discovery::is_loopback;

/// AWS gives up on an issuer after about this long
/// (<https://repost.aws/knowledge-center/iam-sts-invalididentitytoken>).
const LIMIT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT: usize = 1024 * 1024;

/// The members that AWS requires of the discovery document
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).
const REQUIRED: [&str; 5] = [
    "issuer",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];

/// A client that trusts the lab's authority, and those that the lab was told to trust.
#[derive(Clone)]
pub(super) struct Fetcher {
    authorities: Arc<[CertificateDer<'static>]>,
    user_agent: Arc<str>,
    clients: Arc<OnceLock<Option<Clients>>>,
}

impl Fetcher {
    pub(super) fn new(authorities: Arc<[CertificateDer<'static>]>, user_agent: Arc<str>) -> Self {
        Fetcher { authorities, user_agent, clients: Arc::default() }
    }

    /// The bytes of the issuer's key set; nothing where any step fails, as STS says no more than that.
    pub(super) async fn key_set(&self, issuer: &str) -> Option<Vec<u8>> {
        self.key_set_of(issuer, &REQUIRED).await
    }

    /// The same for a cloud that requires these members of the discovery document.
    pub(super) async fn key_set_of(&self, issuer: &str, required: &[&str]) -> Option<Vec<u8>> {
        let document = self.document_with(issuer, required).await?;
        self.keys_of(&document).await
    }

    /// The key set that a discovery document names.
    pub(super) async fn keys_of(&self, document: &Value) -> Option<Vec<u8>> {
        self.get(document.get("jwks_uri")?.as_str()?).await
    }

    /// The issuer's discovery document, with all that a cloud asks of one.
    pub(super) async fn document(&self, issuer: &str) -> Option<Value> {
        self.document_with(issuer, &REQUIRED).await
    }

    async fn document_with(&self, issuer: &str, required: &[&str]) -> Option<Value> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let document = self.get(&format!("{base}/.well-known/openid-configuration")).await?;
        let document: Value = serde_json::from_slice(&document).ok()?;
        if required.iter().any(|name| document.get(name).is_none()) {
            return None;
        }
        (document.get("issuer").and_then(Value::as_str) == Some(issuer)).then_some(document)
    }

    /// Whether anything answers at the issuer's address, whatever it says.
    pub(super) async fn reaches(&self, issuer: &str) -> bool {
        let Some(client) = self.client(issuer) else { return false };
        tokio::time::timeout(LIMIT, client.get(issuer).send()).await.is_ok_and(|answer| answer.is_ok())
    }

    fn client(&self, url: &str) -> Option<&reqwest::Client> {
        let made = || Clients::trusting(&self.authorities, &self.user_agent);
        let clients = self.clients.get_or_init(made).as_ref()?;
        let is_here = Url::parse(url).is_ok_and(|url| is_loopback(&url));
        Some(if is_here { &clients.here } else { &clients.elsewhere })
    }

    async fn get(&self, url: &str) -> Option<Vec<u8>> {
        let client = self.client(url)?;
        tokio::time::timeout(LIMIT, async {
            let response = client.get(url).send().await.ok()?;
            if response.status() != 200 {
                return None;
            }
            let mut body = Vec::new();
            let mut chunks = std::pin::pin!(response.bytes_stream());
            while let Some(chunk) = chunks.next().await {
                body.extend_from_slice(&chunk.ok()?);
                if body.len() > MAX_DOCUMENT {
                    return None;
                }
            }
            Some(body)
        })
        .await
        .ok()?
    }
}
