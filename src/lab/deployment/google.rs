//! How the worker reads a secret of Google's: by an exchanged token, itself or as the service account that it acts as.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::lab::google::GoogleUrls;
use crate::lab::world::GoogleProfile;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What the platform was told of Google, and the way there.
pub(super) struct GoogleReader<'w> {
    pub http: &'w reqwest::Client,
    pub places: &'w GoogleUrls,
    pub held: &'w GoogleProfile,
    /// The version that is read, where that is not the newest.
    pub version: Option<&'w str>,
}

/// Reads a secret's value by a workload token; an error as an SDK words it.
pub(super) async fn read_google_secret(
    reader: &GoogleReader<'_>,
    secret: &str,
    token: Option<&SecretString>,
) -> Result<SecretString, String> {
    let token = token.ok_or("no credential found: the platform has no static credential of Google's")?;
    let held = reader.held;
    let federated = exchanged(reader, &held.provider, token).await?;
    let access = match &held.service_account {
        Some(address) => impersonated(reader, address, &federated).await?,
        None => federated,
    };
    let host = &reader.places.secretmanager;
    let parent = match &held.location {
        Some(location) => format!("projects/{}/locations/{location}", held.project_id),
        None => format!("projects/{}", held.project_id),
    };
    let version = reader.version.unwrap_or("latest");
    let url = format!("{host}/v1/{parent}/secrets/{secret}/versions/{version}:access");
    let request = reader.http.get(url).bearer_auth(access.expose_secret());
    let answer = read(request.send().await)?;
    let answer = answer.text().await.map_err(|error| error.to_string())?;
    let body = granted(&answer)?;
    let data = body["payload"]["data"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(data).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(SecretString::from).map_err(|_| "the secret holds bytes, not text".to_owned())
}

async fn exchanged(reader: &GoogleReader<'_>, provider: &str, token: &SecretString) -> Result<SecretString, String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
        .append_pair("audience", &format!("//iam.googleapis.com/{provider}"))
        .append_pair("scope", SCOPE)
        .append_pair("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
        .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
        .append_pair("subject_token", token.expose_secret())
        .finish();
    let request = reader.http.post(format!("{}/v1/token", reader.places.sts));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = read(request.send().await)?.text().await.map_err(|error| error.to_string())?;
    let body = granted(&answer)?;
    let access = body["access_token"].as_str().ok_or("the answer of the exchange holds no token")?;
    Ok(SecretString::from(access))
}

async fn impersonated(reader: &GoogleReader<'_>, address: &str, token: &SecretString) -> Result<SecretString, String> {
    let host = &reader.places.iamcredentials;
    let request = reader.http.post(format!("{host}/v1/projects/-/serviceAccounts/{address}:generateAccessToken"));
    let body = json!({ "lifetime": "600s", "scope": [SCOPE] }).to_string();
    let request = request.bearer_auth(token.expose_secret()).header("content-type", "application/json").body(body);
    let answer = read(request.send().await)?.text().await.map_err(|error| error.to_string())?;
    let body = granted(&answer)?;
    let access = body["accessToken"].as_str().ok_or("the answer of the impersonation holds no token")?;
    Ok(SecretString::from(access))
}

fn read(sent: Result<reqwest::Response, reqwest::Error>) -> Result<reqwest::Response, String> {
    sent.map_err(|error| error.to_string())
}

/// The answer, or its refusal as Google's libraries print it.
fn granted(answer: &str) -> Result<Value, String> {
    let body: Value = serde_json::from_str(answer).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &body["error"] {
        Value::Null => Ok(body),
        Value::String(code) => Err(format!("Error code {code}: {}", text(&body["error_description"]))),
        error => Err(format!("{} {}", error["code"], text(&error["message"]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_as_googles_libraries_tell_it() {
        for (answer, told) in [
            (r#"{"access_token":"t"}"#, Ok(())),
            (
                r#"{"error":"invalid_grant","error_description":"Unable to parse the ID Token."}"#,
                Err("Error code invalid_grant: Unable to parse the ID Token."),
            ),
            (r#"{"error":{"code":403,"message":"Permission denied","status":"X"}}"#, Err("403 Permission denied")),
        ] {
            assert_eq!(granted(answer).map(|_| ()), told.map_err(str::to_owned));
        }
        assert!(granted("<html>").is_err());
    }
}
