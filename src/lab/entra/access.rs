//! Entra's access tokens. Only the lab's vault can tell a real one: they are opaque to everybody else, as Entra says.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::lab::LabError;
use crate::lab::world::App;

/// How long an access token lives, in seconds.
pub(super) const LIFETIME: i64 = 3600;

/// Makes access tokens, and knows its own.
pub(in crate::lab) struct AccessTokens {
    key: hmac::Key,
}

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Claims {
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub appid: String,
    pub oid: String,
    pub sub: String,
    pub tid: String,
    pub ver: String,
}

impl AccessTokens {
    pub(in crate::lab) fn new() -> Result<Self, LabError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new());
        Ok(AccessTokens { key: key.map_err(|_| LabError::Keys)? })
    }

    /// A token of `app` for `resource`.
    pub(super) fn issue(&self, tenant: &str, app: &App, resource: &str, now: i64) -> String {
        let claims = json!(Claims {
            aud: resource.to_owned(),
            iss: format!("https://sts.windows.net/{tenant}/"),
            iat: now,
            nbf: now,
            exp: now + LIFETIME,
            appid: app.client_id.clone(),
            oid: app.object_id.clone(),
            sub: app.object_id.clone(),
            tid: tenant.to_owned(),
            ver: "1.0".to_owned(),
        });
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "lab-entra" });
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = hmac::sign(&self.key, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The claims of a token that was made here.
    pub(in crate::lab) fn read(&self, token: &str) -> Option<Claims> {
        let (input, tag) = token.rsplit_once('.')?;
        hmac::verify(&self.key, input.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(input.split_once('.')?.1).ok()?).ok()
    }
}
