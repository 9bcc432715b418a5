//! The artifacts: policies, commands, job snippets and Terraform that a guide makes of a profile.

use std::fmt;

use super::form::shell::quote;
use crate::domain::guide::{Flow, Workload};
use crate::domain::ids::Cloud;
use crate::domain::keyvault::SecretName;
use crate::domain::profile::{Guide, Profile};
use crate::domain::secret_ref::SecretRef;

/// The language of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Shell,
    Yaml,
    Terraform,
    Python,
}

impl Form {
    /// Its name, as JSON output has it.
    pub const fn id(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Shell => "shell",
            Form::Yaml => "yaml",
            Form::Terraform => "terraform",
            Form::Python => "python",
        }
    }
}

macro_rules! artifacts {
    ($($name:ident = $id:literal, $form:ident, $title:literal, $is_of:path;)*) => {
        /// One artifact. The ids are what `trustline render` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Artifact { $(#[doc = $title] $name,)* }

        impl Artifact {
            /// Every artifact, roughly in the order in which guides need them.
            pub const ALL: &[Artifact] = &[$(Artifact::$name,)*];

            /// The stable id.
            pub const fn id(self) -> &'static str {
                match self { $(Artifact::$name => $id,)* }
            }

            /// What it is, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Artifact::$name => $title,)* }
            }

            pub const fn form(self) -> Form {
                match self { $(Artifact::$name => Form::$form,)* }
            }

            /// Whether it is one of a guide's.
            pub fn is_of(self, guide: Guide) -> bool {
                match self { $(Artifact::$name => $is_of(guide),)* }
            }
        }
    };
}

fn any(_: Guide) -> bool {
    true
}

fn token_exchange(guide: Guide) -> bool {
    guide.flow() == Flow::TokenExchange
}

/// Of those who make a role.
fn role(guide: Guide) -> bool {
    guide.is_aws_web_identity() || guide == Guide::AwsAssumeRole
}

/// Of those who hop from one principal to a role.
fn caller(guide: Guide) -> bool {
    matches!(guide, Guide::AwsAssumeRole | Guide::CircleciAws)
}

fn aws(guide: Guide) -> bool {
    guide.cloud() == Cloud::Aws
}

fn azure(guide: Guide) -> bool {
    guide.cloud() == Cloud::Azure
}

/// Of those whose operator has a role; at AWS it is a policy.
fn operator_role(guide: Guide) -> bool {
    azure(guide) || google(guide)
}

/// Of those whose app proves itself with a client secret.
fn app_with_secret(guide: Guide) -> bool {
    azure(guide) && guide.flow() == Flow::AccessKey
}

fn app_federation(guide: Guide) -> bool {
    azure(guide) && token_exchange(guide)
}

/// Of those whose service account has a key.
fn account_with_key(guide: Guide) -> bool {
    google(guide) && guide.flow() == Flow::AccessKey
}

fn pool_federation(guide: Guide) -> bool {
    google(guide) && token_exchange(guide)
}

fn google(guide: Guide) -> bool {
    guide.cloud() == Cloud::Gcp
}

fn platform(guide: Guide) -> bool {
    guide.workload() == Workload::Platform
}

/// Of those whose credential file nothing else makes, as an action of GitHub's does.
fn credential_file(guide: Guide) -> bool {
    pool_federation(guide) && !github(guide)
}

fn github(guide: Guide) -> bool {
    guide.workload() == Workload::Github
}

fn kubernetes(guide: Guide) -> bool {
    guide.workload() == Workload::Kubernetes
}

fn gitlab(guide: Guide) -> bool {
    guide.workload() == Workload::Gitlab
}

fn circleci(guide: Guide) -> bool {
    guide.workload() == Workload::Circleci
}

artifacts! {
    Discovery = "discovery", Shell, "fetch the issuer's discovery document and its keys", token_exchange;
    TrustPolicy = "trust-policy", Json, "the role's trust policy", role;
    SecretsPolicy = "secrets-policy", Json, "the permissions to read the secrets", aws;
    CreateUser = "create-user", Shell, "create the IAM user", Guide::is_aws_access_key;
    CreateOidcProvider = "create-oidc-provider", Shell, "register the issuer at IAM", Guide::is_aws_web_identity;
    CreateRole = "create-role", Shell, "create the role with its trust policy", role;
    UpdateTrustPolicy = "update-trust-policy", Shell, "replace the trust policy of a role that exists", role;
    PutRolePolicy = "put-role-policy", Shell, "attach the permissions to the role as an inline policy", role;
    ManagedPolicy = "managed-policy", Shell, "attach the permissions as a managed policy of their own", aws;
    CallerPolicy = "caller-policy", Json, "the permission to assume the next role", caller;
    PutCallerPolicy = "put-caller-policy", Shell, "attach the permission to assume the next role", caller;
    TargetTrustPolicy = "target-trust-policy", Json, "the trust policy of the sub-account's role", circleci;
    CreateAccessKey = "create-access-key", Shell, "create the user's access key, into a private file", Guide::is_aws_access_key;
    CreateSecret = "create-secret", Shell, "store a secret, its value typed or piped in", aws;
    RotateSecret = "rotate-secret", Shell, "store a new version of the secret", aws;
    VerifyRead = "verify-read", Shell, "ask AWS who is calling and read the secret's version", aws;
    AppCreate = "app-create", Shell, "create the app registration", azure;
    SpCreate = "sp-create", Shell, "create the app's service principal", azure;
    ClientSecretCreate = "client-secret-create", Shell, "add a client secret, into a private file", app_with_secret;
    FederatedCredential = "federated-credential", Json, "the app's federated credential", app_federation;
    FederatedCredentialCreate = "federated-credential-create", Shell, "add the federated credential to the app", app_federation;
    VaultRbac = "vault-rbac", Shell, "see and set the vault's permission model", azure;
    RoleAssignmentVault = "role-assignment-vault", Shell, "let the app read every secret of the vault", azure;
    RoleAssignmentSecret = "role-assignment-secret", Shell, "let the app read one secret of the vault", azure;
    KeyvaultSecretSet = "keyvault-secret-set", Shell, "store a secret or its next version in the vault", azure;
    EnableServices = "enable-services", Shell, "enable the services that the exchange and the reads go to", google;
    ServiceAccountCreate = "service-account-create", Shell, "create the service account", account_with_key;
    ServiceAccountKeyCreate = "service-account-key-create", Shell, "create the service account's key, into a private file", account_with_key;
    PoolCreate = "pool-create", Shell, "create the workload identity pool", pool_federation;
    ProviderCreate = "provider-create", Shell, "create the pool's provider for the issuer", pool_federation;
    ProviderUpdate = "provider-update", Shell, "change the mapping and condition of a provider that exists", pool_federation;
    ProviderDescribe = "provider-describe", Shell, "see the provider as it is", pool_federation;
    GrantImpersonation = "grant-impersonation", Shell, "let the tokens impersonate the service account", pool_federation;
    GrantViewer = "grant-viewer", Shell, "let the reader list the project's secrets", google;
    GrantAccessor = "grant-accessor", Shell, "let the reader read every secret of the project", google;
    GrantAccessorSecret = "grant-accessor-secret", Shell, "let the reader read one secret", google;
    GcloudSecretCreate = "gcloud-secret-create", Shell, "store a secret in Secret Manager", google;
    GcloudVersionAdd = "gcloud-version-add", Shell, "store a secret's next version in Secret Manager", google;
    CredentialFile = "credential-file", Json, "the credential file that Google's libraries read", credential_file;
    OperatorPolicy = "operator-policy", Json, "the permissions with which an operator reads AWS's own side", aws;
    OperatorRole = "operator-role", Json, "the least role of an operator who reads the cloud's side", operator_role;
    GitlabJob = "gitlab-job", Yaml, "a GitLab CI job that assumes the role", gitlab;
    CircleciConfig = "circleci-config", Yaml, "a CircleCI job that assumes the role", circleci;
    GithubWorkflow = "github-workflow", Yaml, "a workflow of GitHub Actions that exchanges its token", github;
    ClusterIssuer = "cluster-issuer", Shell, "see the cluster's own issuer and keys", kubernetes;
    KubernetesManifest = "kubernetes-manifest", Yaml, "a service account and a pod that exchanges its token", kubernetes;
    ReportFingerprint = "report-fingerprint", Python, "report the variable's fingerprint from an automation", platform;
    ReportFingerprintSh = "report-fingerprint-sh", Shell, "report the variable's fingerprint from a shell", platform;
    Terraform = "terraform", Terraform, "the cloud's side as Terraform", any;
    Commands = "commands", Shell, "the cloud's side as one script, in order", any;
}

impl Artifact {
    /// The artifact of this id.
    pub fn parse(id: &str) -> Option<Artifact> {
        Artifact::ALL.iter().copied().find(|artifact| artifact.id() == id)
    }

    /// The guides that have it, in order.
    pub fn guides(self) -> impl Iterator<Item = Guide> {
        Guide::ALL.iter().copied().filter(move |guide| self.is_of(*guide))
    }

    /// The artifacts of a guide, in order.
    pub fn of(guide: Guide) -> impl Iterator<Item = Artifact> {
        Artifact::ALL.iter().copied().filter(move |artifact| artifact.is_of(guide))
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl<'de> serde::Deserialize<'de> for Artifact {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Artifact::parse(&id).ok_or_else(|| serde::de::Error::custom(format!("no artifact is called `{id}`")))
    }
}

/// Reads a value without showing it; `printf` is the shell's own and no process.
const READ: &str = "read -rs NEW_VALUE && printf %s \"$NEW_VALUE\"";
/// As [`READ`], for `jq`, which takes the value from its environment.
const READ_FOR_JQ: &str = "read -rs NEW_VALUE && export NEW_VALUE";

/// The command for a secret, in one line of bash or zsh.
pub fn rotate_command(profile: &Profile, secret: &SecretRef) -> String {
    let (get, put) = match profile.guide.cloud() {
        Cloud::Azure => at_azure(profile, secret),
        Cloud::Gcp => at_google(profile, secret),
        Cloud::Aws => at_aws(profile, secret),
    };
    let command = match &secret.json_key {
        None => format!("{READ} | {put}"),
        Some(key) => {
            let filter = format!(".[{}] = env.NEW_VALUE", serde_json::Value::from(key.as_str()));
            format!("{READ_FOR_JQ} && {get} | jq -cj {} | {put}", quote(&filter))
        }
    };
    format!("{command}; unset NEW_VALUE")
}

fn at_aws(profile: &Profile, secret: &SecretRef) -> (String, String) {
    let mut place = format!("--secret-id {}", quote(&secret.name));
    if let Some(region) = &profile.aws.region {
        place.push_str(&format!(" --region {}", quote(region)));
    }
    if let Some(url) = profile.aws.secretsmanager_endpoint_url.as_ref().or(profile.aws.endpoint_url.as_ref()) {
        place.push_str(&format!(" --endpoint-url {}", quote(url)));
    }
    (
        format!("aws secretsmanager get-secret-value {place} --query SecretString --output text"),
        format!("aws secretsmanager put-secret-value {place} --secret-string file:///dev/stdin"),
    )
}

fn at_azure(profile: &Profile, secret: &SecretRef) -> (String, String) {
    let name = SecretName::of(&secret.name).map_or_else(|_| secret.name.clone(), |name| name.name);
    let vault = profile.azure.vault_url.as_deref().unwrap_or("<vault-url>").trim_end_matches('/');
    let id = quote(&format!("{vault}/secrets/{name}"));
    let host = vault.trim_start_matches("https://").split('.').next().unwrap_or_default();
    (
        format!("az keyvault secret show --id {id} --query value --output tsv"),
        format!(
            "az keyvault secret set --vault-name {} --name {} --file /dev/stdin --encoding utf-8 --output none",
            quote(host),
            quote(&name)
        ),
    )
}

fn at_google(profile: &Profile, secret: &SecretRef) -> (String, String) {
    let mut place = format!("--project {}", quote(profile.gcp.project_id.as_deref().unwrap_or("<gcp-project-id>")));
    if let Some(location) = &profile.gcp.location {
        place.push_str(&format!(" --location {}", quote(location)));
    }
    let name = quote(&secret.name);
    (
        format!("gcloud secrets versions access latest --secret {name} {place}"),
        format!("gcloud secrets versions add {name} {place} --data-file -"),
    )
}

#[cfg(test)]
mod rotate_command_tests {
    use super::*;

    #[test]
    fn the_value_is_read_from_a_prompt_and_names_are_quoted() {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.aws.region = Some("us-east-1".into());
        let command = |profile: &Profile, secret: &str| rotate_command(profile, &SecretRef::parse(secret).unwrap());
        assert_eq!(
            command(&profile, "a b"),
            "read -rs NEW_VALUE && printf %s \"$NEW_VALUE\" | aws secretsmanager put-secret-value --secret-id 'a b' \
             --region us-east-1 --secret-string file:///dev/stdin; unset NEW_VALUE"
        );
        assert!(
            command(&profile, "a#k'x").contains(r#"jq -cj '.["k'\''x"] = env.NEW_VALUE'"#),
            "{}",
            command(&profile, "a#k'x")
        );
        profile.guide = Guide::AzureWorkloadIdentity;
        profile.azure.vault_url = Some("https://my-vault.vault.azure.net/".into());
        let azure = command(&profile, "db_password");
        assert!(azure.contains("--vault-name my-vault --name db-password --file /dev/stdin"), "{azure}");
        profile.guide = Guide::GcpWorkloadIdentity;
        profile.gcp.project_id = Some("my-project".into());
        let google = command(&profile, "db_password");
        assert!(google.contains("versions add db_password --project my-project --data-file -;"), "{google}");
    }
}
