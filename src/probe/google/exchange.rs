//! The exchange at Google's STS, and the impersonation of a service account behind it.

use http::Method;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::{Body, GoogleSession, GoogleTarget, SCOPE};
use crate::check::facts::google::{GoogleCall, TokenGranted};
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};
use crate::domain::token::RawToken;

/// How long a service account's token is asked for.
const LIFETIME: &str = "600s";

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: String,
    expire_time: Option<String>,
}

impl GoogleTarget {
    /// Exchanges the token, once; `now` is the local clock. `None` where the profile names no provider.
    pub async fn exchange(
        &self,
        token: &RawToken,
        now: UnixSeconds,
    ) -> Option<(GoogleCall<TokenGranted>, Option<GoogleSession>)> {
        let audience = self.settings.exchange_audience()?;
        let of = self.settings.provider.as_ref()?.to_string();
        let url = format!("{}/v1/token", self.settings.sts());
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .append_pair("audience", &audience)
            .append_pair("scope", SCOPE)
            .append_pair("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
            .append_pair("subject_token", token.expose())
            .finish();
        let mut session = None;
        let fact = self
            .call(Method::POST, &url, None, Body::Form(form), |body| {
                let (granted, token) = exchanged(body, of, now)?;
                session = Some(token);
                Ok(granted)
            })
            .await;
        Some((fact, session))
    }

    /// Asks for an access token of the profile's service account. `None` where it names none.
    pub async fn impersonate(
        &self,
        session: &GoogleSession,
    ) -> Option<(GoogleCall<TokenGranted>, Option<GoogleSession>)> {
        let account = self.settings.service_account.clone()?;
        let url =
            format!("{}/v1/projects/-/serviceAccounts/{account}:generateAccessToken", self.settings.iamcredentials());
        let body = json!({ "lifetime": LIFETIME, "scope": [SCOPE] }).to_string();
        let mut granted = None;
        let fact = self
            .call(Method::POST, &url, Some(session), Body::Json(body), |body| {
                let (told, token) = impersonated(body, account)?;
                granted = Some(token);
                Ok(told)
            })
            .await;
        Some((fact, granted))
    }
}

pub(super) fn exchanged(body: &[u8], of: String, now: UnixSeconds) -> Result<(TokenGranted, GoogleSession), String> {
    let read: Exchanged = serde_json::from_slice(body).map_err(|_| "the answer grants no access token".to_owned())?;
    let expires_at = read.expires_in.map(|left| now.saturating_add(left));
    Ok((TokenGranted { of, expires_at }, GoogleSession { token: read.access_token.into(), expires_at }))
}

fn impersonated(body: &[u8], of: String) -> Result<(TokenGranted, GoogleSession), String> {
    let read: Impersonated =
        serde_json::from_slice(body).map_err(|_| "the answer grants no access token".to_owned())?;
    let expires_at = read.expire_time.as_deref().and_then(parse_rfc3339);
    Ok((TokenGranted { of, expires_at }, GoogleSession { token: read.access_token.into(), expires_at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_may_come_without_its_end() {
        let (granted, session) =
            exchanged(br#"{"access_token":"ya29.planted","expires_in":598}"#, "p".into(), 1000).unwrap();
        assert_eq!((granted.expires_at, session.expires_at), (Some(1598), Some(1598)));
        assert!(!format!("{session:?}").contains("planted"));
        let (granted, _) = exchanged(br#"{"access_token":"x","token_type":"Bearer"}"#, "p".into(), 1000).unwrap();
        assert_eq!(granted.expires_at, None);
        let refused = exchanged(br#"{"planted":"secret"}"#, "p".into(), 0).err().unwrap();
        assert!(!refused.contains("planted"));
    }

    #[test]
    fn a_service_accounts_token_ends_at_a_time() {
        let answer = br#"{"accessToken":"x","expireTime":"2026-11-30T20:00:00Z"}"#;
        let (granted, _) = impersonated(answer, "r@p.iam.gserviceaccount.com".into()).unwrap();
        assert_eq!(granted.expires_at, Some(1_796_068_800));
        assert_eq!(granted.of, "r@p.iam.gserviceaccount.com");
    }
}
