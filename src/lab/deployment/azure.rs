//! The worker as a client of Entra and Key Vault, over the wire.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::worker::Worker;
use crate::domain::keyvault::SecretName;

const API: &str = "api-version=2025-07-01";

/// Reads a secret's value, by a workload token or with the client secret; an error as an SDK words it.
pub(super) async fn read_vault_secret(
    worker: &Worker,
    secret: &str,
    token: Option<&SecretString>,
) -> Result<SecretString, String> {
    // A vault's names have no underscore; the platform writes a hyphen instead.
    let name = SecretName::of(secret).map_err(|error| error.to_string())?.name;
    let access = access_token(worker, token).await?;
    let vault = &worker.clouds.vault;
    let version = worker.own().source.version.as_deref().unwrap_or_default();
    let answer = get_from_vault(worker, &access, &format!("{vault}/secrets/{name}/{version}?{API}")).await?;
    let value = answer.get("value").and_then(Value::as_str);
    value.map(SecretString::from).ok_or_else(|| "the vault's answer holds no value".to_owned())
}

async fn access_token(worker: &Worker, token: Option<&SecretString>) -> Result<SecretString, String> {
    let tenant = &worker.world.profile.azure.tenant_id;
    let request = worker.clouds.http.post(format!("{}/{tenant}/oauth2/v2.0/token", worker.clouds.entra));
    let form = grant(worker, token)?;
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let text = answer.text().await.map_err(|error| error.to_string())?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match body.get("access_token").and_then(Value::as_str) {
        Some(token) => Ok(SecretString::from(token)),
        None => Err(body.get("error_description").and_then(Value::as_str).unwrap_or("no access token").to_owned()),
    }
}

/// The form of a client-credentials grant, by the workload's token or the client secret.
fn grant(worker: &Worker, token: Option<&SecretString>) -> Result<String, String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("scope", &format!("{}/.default", worker.world.azure.vault.resource));
    let Some(token) = token else {
        let name = &worker.own().source.credential;
        let app = worker.world.azure.apps.get(name).filter(|app| app.present);
        let held = app.and_then(|app| Some((app, app.client_secrets.first()?)));
        let (app, secret) = held.ok_or_else(|| format!("no credential found: {name} has no client secret"))?;
        form.append_pair("client_id", &app.client_id).append_pair("client_secret", secret.value.expose_secret());
        return Ok(form.finish());
    };
    form.append_pair("client_id", worker.client_id())
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", token.expose_secret());
    Ok(form.finish())
}

async fn get_from_vault(worker: &Worker, access: &SecretString, url: &str) -> Result<Value, String> {
    let request = worker.clouds.http.get(url).bearer_auth(access.expose_secret());
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if status == 200 {
        return Ok(body);
    }
    let error = body.get("error");
    let member = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str).unwrap_or_default();
    Err(format!("({}) {}", member("code"), member("message")))
}
