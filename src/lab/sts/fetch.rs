//! The clouds' own client: fetches the discovery document and the keys from the issuer that the token names.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use rustls::pki_types::CertificateDer;
use serde_json::Value;

use crate::lab::client;

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

/// A client that trusts the lab's authority and nobody else.
pub(in crate::lab) struct Fetcher {
    authority: CertificateDer<'static>,
    user_agent: Arc<str>,
    client: OnceLock<Option<reqwest::Client>>,
}

impl Fetcher {
    pub(in crate::lab) fn new(authority: CertificateDer<'static>, user_agent: Arc<str>) -> Self {
        Fetcher { authority, user_agent, client: OnceLock::new() }
    }

    /// The bytes of the issuer's key set; nothing where any step fails, as STS says no more than that.
    pub(in crate::lab) async fn key_set(&self, issuer: &str) -> Option<Vec<u8>> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let document = self.get(&format!("{base}/.well-known/openid-configuration")).await?;
        let document: Value = serde_json::from_slice(&document).ok()?;
        if REQUIRED.iter().any(|name| document.get(name).is_none()) {
            return None;
        }
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return None;
        }
        self.get(document.get("jwks_uri")?.as_str()?).await
    }

    /// Whether anything answers at the issuer's address, whatever it says.
    pub(in crate::lab) async fn reaches(&self, issuer: &str) -> bool {
        let Some(client) = self.client() else { return false };
        tokio::time::timeout(LIMIT, client.get(issuer).send()).await.is_ok_and(|answer| answer.is_ok())
    }

    fn client(&self) -> Option<&reqwest::Client> {
        self.client.get_or_init(|| client::trusting(&self.authority, &self.user_agent)).as_ref()
    }

    async fn get(&self, url: &str) -> Option<Vec<u8>> {
        let client = self.client()?;
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
