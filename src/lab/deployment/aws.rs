//! The worker as a client of STS and Secrets Manager, over the wire.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::worker::Worker;
use crate::lab::clock;

/// Reads a secret's value, by a workload token or with the static credential; an error as an SDK words it.
pub(super) async fn read_aws_secret(
    worker: &Worker,
    secret: &str,
    token: Option<&SecretString>,
) -> Result<SecretString, String> {
    let credentials = match token {
        Some(token) => exchanged(worker, token).await?,
        None => of_user(worker)?,
    };
    let mut input = json!({ "SecretId": secret });
    if let Some(version) = &worker.own().source.version {
        input["VersionId"] = version.clone().into();
    }
    let region = worker.own().source.region.as_deref().unwrap_or(&worker.world.profile.region);
    let (status, answer) = call_aws(worker, &credentials, region, &input.to_string()).await?;
    let text = |member: &str| answer.get(member).and_then(Value::as_str).unwrap_or_default();
    if status != 200 {
        return Err(format!(
            "An error occurred ({}) when calling the GetSecretValue operation: {}",
            text("__type"),
            text("Message")
        ));
    }
    match answer.get("SecretString").and_then(Value::as_str) {
        Some(value) => Ok(SecretString::from(value)),
        None => Err("the secret holds bytes, not text".to_owned()),
    }
}

fn of_user(worker: &Worker) -> Result<Credentials, String> {
    let name = &worker.own().source.credential;
    let user = worker.world.aws.users.get(name).filter(|user| user.present);
    let user = user.ok_or_else(|| format!("no credential found: there is no user {name}"))?;
    Ok(Credentials::new(user.access_key_id.clone(), user.secret_access_key.clone(), None, None, "static"))
}

async fn exchanged(worker: &Worker, token: &SecretString) -> Result<Credentials, String> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", &worker.world.profile.role_arn)
        .append_pair("RoleSessionName", "crewai-platform")
        .append_pair("WebIdentityToken", token.expose_secret())
        .finish();
    let request = worker.clouds.http.post(format!("{}/", worker.clouds.sts));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let granted = answer.status() == 200;
    let xml = answer.text().await.map_err(|error| error.to_string())?;
    let field = |name: &str| element(&xml, name).unwrap_or_default().to_owned();
    if !granted {
        return Err(format!(
            "An error occurred ({}) when calling the AssumeRoleWithWebIdentity operation: {}",
            field("Code"),
            field("Message")
        ));
    }
    let session = Some(field("SessionToken"));
    Ok(Credentials::new(field("AccessKeyId"), field("SecretAccessKey"), session, None, "workload-identity"))
}

async fn call_aws(
    worker: &Worker,
    credentials: &Credentials,
    region: &str,
    body: &str,
) -> Result<(u16, Value), String> {
    let url = format!("{}/", worker.clouds.secretsmanager);
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue")];
    let identity = credentials.clone().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("secretsmanager")
        .time(clock::time())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let signable =
        SignableRequest::new("POST", url.as_str(), headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
            .map_err(|error| error.to_string())?;
    let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
    let mut request = worker.clouds.http.post(&url).body(body.to_owned());
    for (name, value) in headers.into_iter().chain(instructions.headers()) {
        request = request.header(name, value);
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

/// The text of the first element of this name.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
