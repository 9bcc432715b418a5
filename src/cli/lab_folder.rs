//! What the lab's user would have on disk: the authority's certificate, the token, the policies at hand, a profile.
//! In a folder that only its owner can enter, gone when the lab ends.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use toml::{Table, Value};

use super::exit::CliError;
use super::lab_google;
use crate::domain::guide::Flow;
use crate::domain::ids::Cloud;
use crate::domain::profile::Guide;
use crate::guide::form::shell::quote;
use crate::lab::{Lab, TokenFrom};
use crate::private_file;

/// The folder of a running lab; removed when dropped.
pub(super) struct LabFolder {
    folder: TempDir,
}

impl LabFolder {
    /// Writes the folder for a lab.
    pub(super) fn write(lab: &Lab) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new()
            .prefix("trustline-lab-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(failed)?;
        let written = LabFolder { folder };
        written.put("ca.pem", lab.ca_pem.as_bytes())?;
        let token = lab.workload_token().map_err(|e| CliError::new(e.to_string()))?;
        written.put("token.jwt", token.expose_secret().as_bytes())?;
        if let Some(policy) = &lab.profile.trust_policy {
            written.put("trust-policy.json", policy.as_bytes())?;
        }
        if let Some(policy) = &lab.profile.identity_policy {
            written.put("identity-policy.json", policy.as_bytes())?;
        }
        if let Some(credentials) = &lab.profile.azure.federated_credential {
            written.put("federated-credentials.json", credentials.as_bytes())?;
        }
        if let Some(secret) = &lab.profile.azure.client_secret {
            written.put("client-secret", secret.expose_secret().as_bytes())?;
        }
        if let Some((id, secret)) = &lab.profile.access_key {
            let csv = format!("\u{feff}Access key ID,Secret access key\r\n{id},{}\r\n", secret.expose_secret());
            written.put("accessKeys.csv", csv.as_bytes())?;
        }
        let google = &lab.profile.google;
        for (name, text) in
            [(lab_google::PROVIDER_FILE, &google.provider_file), (lab_google::IAM_POLICY, &google.iam_policy)]
        {
            if let Some(text) = text {
                written.put(name, text.as_bytes())?;
            }
        }
        if let Some(key) = &google.key_file {
            written.put(lab_google::KEY_FILE, key.expose_secret().as_bytes())?;
        }
        let credentials = lab_google::credentials(lab, written.path());
        private_file::create(&written.google_credentials_file())
            .and_then(|mut file| file.write_all(credentials.as_bytes()))
            .map_err(failed)?;
        for (name, account) in
            [(lab_google::OPERATOR_TOKEN, &lab.operator), (lab_google::ADMIN_TOKEN, &lab.secrets_admin)]
        {
            written.put(name, account.google_token.expose_secret().as_bytes())?;
        }
        written.put("operator.env", operator(lab, &written).as_bytes())?;
        let secret_file = written.operator_client_secret_file();
        written.put("operator-client-secret", lab.operator.client_secret.expose_secret().as_bytes())?;
        written.put("azure-login.sh", azure_login(lab, &secret_file).as_bytes())?;
        written.put("deployment-token", lab.profile.deployment.token.expose_secret().as_bytes())?;
        if let Some(inputs) = &lab.profile.deployment.inputs {
            written.put("kickoff-inputs.json", inputs.as_bytes())?;
        }
        let admin = &lab.secrets_admin;
        for (name, account) in [("secrets-admin", admin), ("operator", &lab.operator)] {
            let secret = account.secret_access_key.expose_secret();
            let keys =
                format!("[{name}]\naws_access_key_id = {}\naws_secret_access_key = {secret}\n", account.access_key_id);
            written.put(&format!("{name}-credentials"), keys.as_bytes())?;
        }
        written.put("secrets-admin-client-secret", admin.client_secret.expose_secret().as_bytes())?;
        written.put("profile.toml", profile(lab).to_string().as_bytes())?;
        Ok(written)
    }

    /// The authority's certificate.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.path().join("ca.pem")
    }

    /// The variables with which the clouds' command lines act as the lab's administrator.
    pub(super) fn operator_file(&self) -> PathBuf {
        self.path().join("operator.env")
    }

    /// The bearer token of the deployment.
    pub(super) fn deployment_token_file(&self) -> PathBuf {
        self.path().join("deployment-token")
    }

    /// The shared AWS credentials of whoever looks after the secrets, in the profile `secrets-admin`.
    pub(super) fn secrets_admin_credentials_file(&self) -> PathBuf {
        self.path().join("secrets-admin-credentials")
    }

    /// The access token at Google of the lab's administrator.
    pub(super) fn operator_google_token_file(&self) -> PathBuf {
        self.path().join(lab_google::OPERATOR_TOKEN)
    }

    /// The access token at Google of whoever looks after the secrets.
    pub(super) fn secrets_admin_google_token_file(&self) -> PathBuf {
        self.path().join(lab_google::ADMIN_TOKEN)
    }

    /// The shared AWS credentials of the lab's administrator, in the profile `operator`.
    pub(super) fn operator_credentials_file(&self) -> PathBuf {
        self.path().join("operator-credentials")
    }

    /// The client secret of the lab's administrator.
    pub(super) fn operator_client_secret_file(&self) -> PathBuf {
        self.path().join("operator-client-secret")
    }

    /// The client secret of the application that looks after the secrets.
    pub(super) fn secrets_admin_client_secret_file(&self) -> PathBuf {
        self.path().join("secrets-admin-client-secret")
    }

    /// The credential file of Google's client libraries, whose services are the lab's.
    pub(super) fn google_credentials_file(&self) -> PathBuf {
        lab_google::credentials_file(self.path())
    }

    /// The profile that points at the lab.
    pub(super) fn profile_file(&self) -> PathBuf {
        self.path().join("profile.toml")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), CliError> {
        private_file::create(&self.path().join(name)).and_then(|mut file| file.write_all(content)).map_err(failed)
    }
}

fn failed(error: std::io::Error) -> CliError {
    CliError::new(format!("the lab's folder cannot be written: {error}"))
}

fn profile(lab: &Lab) -> Table {
    let held = &lab.profile;
    let mut profile = Table::new();
    profile.insert("guide".into(), held.guide.clone().into());
    let guide = held.guide.parse().unwrap_or(Guide::AwsWorkloadIdentity);
    let has_token = guide.flow() == Flow::TokenExchange;
    if has_token {
        profile.insert("issuer".into(), table([("url", &held.issuer_url)]).into());
    }
    if !held.organization.is_empty() {
        profile.insert("platform".into(), table([("organization", &held.organization)]).into());
    }
    for (key, value) in &held.workload {
        let Some((table, name)) = key.split_once('.').filter(|_| !value.is_empty()) else { continue };
        let table = profile.entry(table).or_insert_with(|| Table::new().into());
        if let Some(table) = table.as_table_mut() {
            table.insert(name.into(), value.as_str().into());
        }
    }
    let token = || token(held.token).into();
    match guide.cloud() {
        Cloud::Azure => {
            if has_token && held.azure.client_secret.is_none() {
                profile.insert("token".into(), token());
            }
            profile.insert("azure".into(), azure(lab).into());
        }
        Cloud::Gcp => {
            if has_token {
                profile.insert("token".into(), token());
            }
            profile.insert("gcp".into(), lab_google::profile(lab).into());
        }
        Cloud::Aws => {
            if has_token {
                profile.insert("token".into(), token());
            }
            profile.insert("aws".into(), aws(lab).into());
        }
    }
    profile.insert("secret".into(), table([("name", &held.secret)]).into());
    if let Some(url) = &held.deployment.url {
        let mut deployment =
            table([("url", url), ("token-file", "deployment-token"), ("variable", &held.deployment.variable)]);
        if held.deployment.inputs.is_some() {
            deployment.insert("inputs".into(), "kickoff-inputs.json".into());
        }
        profile.insert("deployment".into(), deployment.into());
    }
    profile
}

/// Where the profile's token is from.
fn token(from: TokenFrom) -> Table {
    match from {
        TokenFrom::File => table([("file", "token.jwt")]),
        TokenFrom::MissingFile => table([("file", "projected-token")]),
        TokenFrom::GithubActions => Table::from_iter([("github-actions".to_owned(), true.into())]),
    }
}

fn aws(lab: &Lab) -> Table {
    let held = &lab.profile;
    let mut aws = table([
        ("role-arn", &held.role_arn),
        ("region", &held.region),
        ("sts-endpoint-url", &lab.endpoints.sts),
        ("secretsmanager-endpoint-url", &lab.endpoints.secretsmanager),
        ("iam-endpoint-url", &lab.endpoints.iam),
        ("kms-endpoint-url", &lab.endpoints.kms),
        ("cloudtrail-endpoint-url", &lab.endpoints.cloudtrail),
        ("iam-toolbox-endpoint-url", &lab.endpoints.iam_toolbox),
    ]);
    let optional = [
        ("target-role-arn", held.target_role_arn.as_deref()),
        ("external-id", held.external_id.as_deref()),
        ("access-keys-csv", held.access_key.as_ref().map(|_| "accessKeys.csv")),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            aws.insert(key.into(), value.into());
        }
    }
    if let Some(seconds) = held.session_duration_s {
        aws.insert("session-duration-s".into(), i64::from(seconds).into());
    }
    if held.trust_policy.is_some() {
        aws.insert("trust-policy".into(), "trust-policy.json".into());
    }
    if held.identity_policy.is_some() {
        aws.insert("identity-policy".into(), "identity-policy.json".into());
    }
    aws
}

fn azure(lab: &Lab) -> Table {
    let held = &lab.profile.azure;
    let mut azure = table([
        ("tenant-id", &held.tenant_id),
        ("client-id", &held.client_id),
        ("subscription-id", &held.subscription_id),
        ("resource-group", &held.resource_group),
        ("vault-name", &held.vault_name),
        ("authority-host", &held.authority_host),
        ("resource-manager-url", &lab.endpoints.arm),
    ]);
    let files = [
        ("federated-credential", held.federated_credential.as_ref().map(|_| "federated-credentials.json")),
        ("client-secret-file", held.client_secret.as_ref().map(|_| "client-secret")),
    ];
    let texts = [("vault-url", held.vault_url.as_deref()), ("scope", held.scope.as_deref())];
    for (key, value) in files.into_iter().chain(texts) {
        if let Some(value) = value {
            azure.insert(key.into(), value.into());
        }
    }
    azure
}

/// A file for a shell to read: whose calls go to the lab, as its administrator. No variable here is one that a check
/// takes for the workload's.
fn operator(lab: &Lab, folder: &LabFolder) -> String {
    let (places, operator) = (&lab.endpoints, &lab.operator);
    let ca_file = folder.ca_file().display().to_string();
    let azure = folder.path().join("azure-cli").display().to_string();
    let state = folder.path().join("state").display().to_string();
    let secret_file = folder.operator_client_secret_file().display().to_string();
    let lines = [
        ("AWS_ACCESS_KEY_ID", operator.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", operator.secret_access_key.expose_secret()),
        ("AWS_DEFAULT_REGION", &lab.region),
        ("AWS_CA_BUNDLE", &ca_file),
        ("AWS_ENDPOINT_URL_STS", &places.sts),
        ("AWS_ENDPOINT_URL_IAM", &places.iam),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &places.secretsmanager),
        ("AWS_ENDPOINT_URL_KMS", &places.kms),
        ("AWS_ENDPOINT_URL_CLOUDTRAIL", &places.cloudtrail),
        ("AWS_ENDPOINT_URL_IAM_TOOLBOX", &places.iam_toolbox),
        ("TRUSTLINE_OPERATOR_TENANT_ID", &lab.profile.azure.tenant_id),
        ("TRUSTLINE_OPERATOR_CLIENT_ID", &operator.client_id),
        ("TRUSTLINE_OPERATOR_CLIENT_SECRET_FILE", &secret_file),
        // The Azure CLI keeps clouds and sign-ins in files; `azure-login.sh` makes them.
        ("AZURE_CONFIG_DIR", &azure),
        ("AZURE_CORE_INSTANCE_DISCOVERY", "false"),
        ("AZURE_CORE_COLLECT_TELEMETRY", "false"),
        ("REQUESTS_CA_BUNDLE", &ca_file),
        // What a rotation keeps of a lab's secrets ends with the lab.
        ("TRUSTLINE_STATE_DIR", &state),
    ];
    let google = lab_google::operator(lab, folder.path(), &ca_file);
    let lines = lines.into_iter().chain(google.iter().map(|(name, value)| (*name, value.as_str())));
    lines.map(|(name, value)| format!("export {name}={}\n", quote(value))).collect()
}

/// The Azure CLI's part, run once after `operator.env` was read.
fn azure_login(lab: &Lab, secret_file: &Path) -> String {
    let (manager, client) = (quote(&lab.endpoints.arm), quote(&lab.operator.client_id));
    let tenant = quote(&lab.profile.azure.tenant_id);
    let secret = quote(&format!("@{}", secret_file.display()));
    format!(
        "set -e\naz cloud register --name trustline-lab --endpoint-resource-manager {manager}\n\
         az cloud set --name trustline-lab\n\
         az login --service-principal --username {client} --password {secret} --tenant {tenant}\n"
    )
}

fn table<const N: usize>(entries: [(&str, &str); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).collect()
}
