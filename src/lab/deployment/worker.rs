//! The worker of a deployment: resolves the variable's secret as the world says, and runs the automation, which prints
//! the fingerprint of what it was given.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::RunOutcome;
use super::google::{GoogleReader, read_google_secret};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::keyvault::SecretName;
use crate::domain::secret_ref::SecretRef;
use crate::lab::google::GoogleUrls;
use crate::lab::keys::Keys;
use crate::lab::world::{DeploymentWorld, Description, Form, Reads};
use crate::lab::{issuer, server};

/// The name of the platform's credential, as the worker's log has it.
const CONFIG: &str = "wi-lab";
/// The platform makes a new token when the cached one has less than this left to live, seconds.
const TOKEN_RESERVE_S: i64 = 60;
/// The most lines that the log keeps.
const LOG_LINES: usize = 200;

/// Where the worker's clouds are.
pub(in crate::lab) struct Clouds {
    pub http: reqwest::Client,
    pub sts: String,
    pub secretsmanager: String,
    pub entra: String,
    /// The vault that the automation reads.
    pub vault: String,
    pub google: GoogleUrls,
}

/// The worker of one deployment.
pub(in crate::lab) struct Worker {
    pub(super) clouds: Clouds,
    pub(super) world: Description,
    keys: Arc<Keys>,
    token: Mutex<Option<(SecretString, i64)>>,
    baked: OnceCell<Result<SecretString, String>>,
    imported: OnceCell<SecretString>,
    cached: AsyncMutex<Option<(SecretString, Instant)>>,
    log: Mutex<Vec<String>>,
    /// The application that the platform was told to be, where that is not the one of the world.
    client: OnceLock<String>,
}

impl Worker {
    pub(in crate::lab) fn new(world: Description, keys: Arc<Keys>, clouds: Clouds) -> Self {
        Worker {
            clouds,
            world,
            keys,
            token: Mutex::default(),
            baked: OnceCell::new(),
            imported: OnceCell::new(),
            cached: AsyncMutex::default(),
            log: Mutex::default(),
            client: OnceLock::new(),
        }
    }

    /// What is entered in the platform's form for an application that was registered since; the first word holds.
    pub(super) fn configure(&self, client_id: &str) {
        self.client.get_or_init(|| client_id.to_owned());
    }

    /// The application that it is by workload identity.
    pub(super) fn client_id(&self) -> &str {
        self.client.get().unwrap_or(&self.world.profile.azure.client_id)
    }

    /// What happens when the automation is deployed: a static credential is used now, and not again.
    pub(in crate::lab) async fn deploy(&self) {
        if self.own().reads == Reads::Deploy {
            self.baked().await;
        }
    }

    /// Runs the automation once.
    pub(super) async fn run(&self) -> RunOutcome {
        let began = Instant::now();
        let value = if self.own().assigned { self.value().await.map(Some) } else { Ok(None) };
        let variable = &self.own().variable;
        let output = match value {
            Err(error) => {
                self.note(&format!("Failed to resolve {variable}: {error}"));
                return RunOutcome::Failed { error };
            }
            Ok(None) => {
                format!("ERROR: {variable} env var is not set. Assign it to the automation and kick off again.")
            }
            Ok(Some(value)) => {
                let fingerprint = Fingerprint::of(value.expose_secret().as_bytes());
                format!("Authenticated. credential.fingerprint={}", fingerprint.as_str())
            }
        };
        self.note(&output);
        RunOutcome::Completed { output, seconds: began.elapsed().as_secs_f64() }
    }

    /// What the worker wrote to its log, a line each.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|line| format!("{line}\n")).collect()
    }

    /// The value as the automation's code sees it.
    async fn value(&self) -> Result<SecretString, String> {
        match self.own().reads {
            Reads::Deploy => self.baked().await.clone(),
            Reads::Kickoff => self.through_cache().await,
            Reads::Import => {
                let fresh = self.through_cache().await?;
                Ok(self.imported.get_or_init(|| async { fresh }).await.clone())
            }
        }
    }

    async fn baked(&self) -> &Result<SecretString, String> {
        self.baked.get_or_init(|| async { self.fetch(None).await }).await
    }

    async fn through_cache(&self) -> Result<SecretString, String> {
        let mut cached = self.cached.lock().await;
        if let Some((value, read)) = &*cached
            && read.elapsed() < Duration::from_secs(self.own().cached_s)
        {
            return Ok(value.clone());
        }
        let token = self.token()?;
        let value = self.fetch(Some(&token)).await?;
        self.note(&format!("Workload identity config '{CONFIG}' ({}): 1 secret(s) resolved", self.cloud()));
        *cached = Some((value.clone(), Instant::now()));
        Ok(value)
    }

    /// Reads the secret, by a workload token or with the static credential, and brings it into its form.
    async fn fetch(&self, token: Option<&SecretString>) -> Result<SecretString, String> {
        let named = self.own().source.secret.as_deref().unwrap_or(&self.world.profile.secret);
        let secret = SecretRef::parse(named).map_err(|error| error.to_string())?;
        let whole = match self.cloud() {
            "azure" => read_vault_secret(self, &secret.name, token).await?,
            "gcp" => read_google_secret(&self.google(), &secret.name, token).await?,
            _ => read_aws_secret(self, &secret.name, token).await?,
        };
        formed(self.own().form, &whole, secret.json_key.as_deref())
    }

    /// The platform's token: made anew when the cached one is about to end.
    fn token(&self) -> Result<SecretString, String> {
        let now = server::now();
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, ends)) = &*token
            && now + TOKEN_RESERVE_S < *ends
        {
            return Ok(text.clone());
        }
        let fresh = issuer::workload_token(&self.world, &self.keys, now).map_err(|error| error.to_string())?;
        *token = Some((fresh.clone(), now + self.world.token.lifetime_s - self.world.token.age_s));
        Ok(fresh)
    }

    fn note(&self, line: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() >= LOG_LINES {
            log.remove(0);
        }
        log.push(line.to_owned());
    }

    pub(super) fn own(&self) -> &DeploymentWorld {
        &self.world.deployment
    }

    fn google(&self) -> GoogleReader<'_> {
        GoogleReader {
            http: &self.clouds.http,
            places: &self.clouds.google,
            held: &self.world.profile.google,
            version: self.own().source.version.as_deref(),
        }
    }

    fn cloud(&self) -> &'static str {
        match self.world.guide.as_str() {
            "azure-workload-identity" => "azure",
            "gcp-workload-identity" => "gcp",
            _ => "aws",
        }
    }
}

/// The value, or its field, as the automation makes it.
fn formed(form: Form, whole: &SecretString, field: Option<&str>) -> Result<SecretString, String> {
    let whole = whole.expose_secret();
    let value = match field {
        Some(key) if form != Form::Whole => {
            let document: Value = serde_json::from_str(whole).map_err(|_| format!("JSON key not found: {key}"))?;
            let text = document.get(key).and_then(Value::as_str).ok_or_else(|| format!("JSON key not found: {key}"))?;
            Zeroizing::new(text.to_owned())
        }
        _ => Zeroizing::new(whole.to_owned()),
    };
    Ok(SecretString::from(match form {
        Form::Exact | Form::Whole => value.to_string(),
        Form::Newline => format!("{}\n", *value),
        Form::Crlf => format!("{}\r\n", *value),
        Form::Trimmed => value.trim().to_owned(),
        Form::ByteOrderMark => format!("\u{feff}{}", *value),
        Form::Base64 => STANDARD.encode(value.as_bytes()),
    }))
}

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
        .time(server::time())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_takes_its_form() {
        let whole = SecretString::from(r#"{"password":" p "}"#);
        let of = |form, field| formed(form, &whole, field).map(|value| value.expose_secret().to_owned());
        for (form, value) in [
            (Form::Exact, " p "),
            (Form::Newline, " p \n"),
            (Form::Crlf, " p \r\n"),
            (Form::Trimmed, "p"),
            (Form::ByteOrderMark, "\u{feff} p "),
            (Form::Whole, r#"{"password":" p "}"#),
            (Form::Base64, "IHAg"),
        ] {
            assert_eq!(of(form, Some("password")).as_deref(), Ok(value), "{form:?}");
        }
        assert_eq!(of(Form::Exact, None).as_deref(), Ok(r#"{"password":" p "}"#));
        assert!(of(Form::Exact, Some("user")).unwrap_err().contains("JSON key not found"));
    }
}
