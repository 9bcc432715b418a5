//! The artifacts: policies, commands, job snippets and Terraform that a guide makes of a profile.

use std::fmt;

use super::form::shell::quote;
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
    ($($name:ident = $id:literal, $form:ident, $title:literal, $guides:expr;)*) => {
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

            /// The guides that have it.
            pub const fn guides(self) -> &'static [Guide] {
                match self { $(Artifact::$name => $guides,)* }
            }
        }
    };
}

const WEB_IDENTITY: &[Guide] = &[Guide::AwsWorkloadIdentity, Guide::GitlabAws, Guide::CircleciAws];
const ROLES: &[Guide] = &[Guide::AwsWorkloadIdentity, Guide::AwsAssumeRole, Guide::GitlabAws, Guide::CircleciAws];
const USERS: &[Guide] = &[Guide::AwsStatic, Guide::AwsAssumeRole];
const CALLERS: &[Guide] = &[Guide::AwsAssumeRole, Guide::CircleciAws];
const AWS: &[Guide] =
    &[Guide::AwsWorkloadIdentity, Guide::AwsStatic, Guide::AwsAssumeRole, Guide::GitlabAws, Guide::CircleciAws];
const AZURE: &[Guide] = &[Guide::AzureWorkloadIdentity];
const GOOGLE: &[Guide] = &[Guide::GcpWorkloadIdentity];
const PLATFORM: &[Guide] = &[
    Guide::AwsWorkloadIdentity,
    Guide::AzureWorkloadIdentity,
    Guide::GcpWorkloadIdentity,
    Guide::AwsStatic,
    Guide::AwsAssumeRole,
];
const ISSUERS: &[Guide] = &[
    Guide::AwsWorkloadIdentity,
    Guide::AzureWorkloadIdentity,
    Guide::GcpWorkloadIdentity,
    Guide::GitlabAws,
    Guide::CircleciAws,
];

artifacts! {
    Discovery = "discovery", Shell, "fetch the issuer's discovery document and its keys", ISSUERS;
    TrustPolicy = "trust-policy", Json, "the role's trust policy", ROLES;
    SecretsPolicy = "secrets-policy", Json, "the permissions to read the secrets", AWS;
    CreateUser = "create-user", Shell, "create the IAM user", USERS;
    CreateOidcProvider = "create-oidc-provider", Shell, "register the issuer at IAM", WEB_IDENTITY;
    CreateRole = "create-role", Shell, "create the role with its trust policy", ROLES;
    UpdateTrustPolicy = "update-trust-policy", Shell, "replace the trust policy of a role that exists", ROLES;
    PutRolePolicy = "put-role-policy", Shell, "attach the permissions to the role as an inline policy", ROLES;
    ManagedPolicy = "managed-policy", Shell, "attach the permissions as a managed policy of their own", AWS;
    CallerPolicy = "caller-policy", Json, "the permission to assume the next role", CALLERS;
    PutCallerPolicy = "put-caller-policy", Shell, "attach the permission to assume the next role", CALLERS;
    TargetTrustPolicy = "target-trust-policy", Json, "the trust policy of the sub-account's role", &[Guide::CircleciAws];
    CreateAccessKey = "create-access-key", Shell, "create the user's access key, into a private file", USERS;
    CreateSecret = "create-secret", Shell, "store a secret, its value typed or piped in", AWS;
    RotateSecret = "rotate-secret", Shell, "store a new version of the secret", AWS;
    VerifyRead = "verify-read", Shell, "ask AWS who is calling and read the secret's version", AWS;
    AppCreate = "app-create", Shell, "create the app registration", AZURE;
    SpCreate = "sp-create", Shell, "create the app's service principal", AZURE;
    FederatedCredential = "federated-credential", Json, "the app's federated credential", AZURE;
    FederatedCredentialCreate = "federated-credential-create", Shell, "add the federated credential to the app", AZURE;
    VaultRbac = "vault-rbac", Shell, "see and set the vault's permission model", AZURE;
    RoleAssignmentVault = "role-assignment-vault", Shell, "let the app read every secret of the vault", AZURE;
    RoleAssignmentSecret = "role-assignment-secret", Shell, "let the app read one secret of the vault", AZURE;
    KeyvaultSecretSet = "keyvault-secret-set", Shell, "store a secret or its next version in the vault", AZURE;
    EnableServices = "enable-services", Shell, "enable the services that the exchange and the reads go to", GOOGLE;
    PoolCreate = "pool-create", Shell, "create the workload identity pool", GOOGLE;
    ProviderCreate = "provider-create", Shell, "create the pool's provider for the issuer", GOOGLE;
    ProviderUpdate = "provider-update", Shell, "change the mapping and condition of a provider that exists", GOOGLE;
    ProviderDescribe = "provider-describe", Shell, "see the provider as it is", GOOGLE;
    GrantImpersonation = "grant-impersonation", Shell, "let the tokens impersonate the service account", GOOGLE;
    GrantViewer = "grant-viewer", Shell, "let the tokens list the project's secrets", GOOGLE;
    GrantAccessor = "grant-accessor", Shell, "let the tokens read every secret of the project", GOOGLE;
    GrantAccessorSecret = "grant-accessor-secret", Shell, "let the tokens read one secret", GOOGLE;
    GcloudSecretCreate = "gcloud-secret-create", Shell, "store a secret in Secret Manager", GOOGLE;
    GcloudVersionAdd = "gcloud-version-add", Shell, "store a secret's next version in Secret Manager", GOOGLE;
    CredentialFile = "credential-file", Json, "the credential file that Google's libraries read", GOOGLE;
    OperatorPolicy = "operator-policy", Json, "the permissions with which an operator reads AWS's own side", AWS;
    OperatorRole = "operator-role", Json, "the least role of an operator who reads the cloud's side", AZURE;
    GitlabJob = "gitlab-job", Yaml, "a GitLab CI job that assumes the role", &[Guide::GitlabAws];
    CircleciConfig = "circleci-config", Yaml, "a CircleCI job that assumes the role", &[Guide::CircleciAws];
    ReportFingerprint = "report-fingerprint", Python, "report the variable's fingerprint from an automation", PLATFORM;
    ReportFingerprintSh = "report-fingerprint-sh", Shell, "report the variable's fingerprint from a shell", PLATFORM;
    Terraform = "terraform", Terraform, "the cloud's side as Terraform", Guide::ALL;
    Commands = "commands", Shell, "the cloud's side as one script, in order", Guide::ALL;
}

impl Artifact {
    /// The artifact of this id.
    pub fn parse(id: &str) -> Option<Artifact> {
        Artifact::ALL.iter().copied().find(|artifact| artifact.id() == id)
    }

    /// The artifacts of a guide, in order.
    pub fn of(guide: Guide) -> impl Iterator<Item = Artifact> {
        Artifact::ALL.iter().copied().filter(move |artifact| artifact.guides().contains(&guide))
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
    let (get, put) = match profile.guide {
        Guide::AzureWorkloadIdentity => azure(profile, secret),
        Guide::GcpWorkloadIdentity => google(profile, secret),
        _ => aws(profile, secret),
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

fn aws(profile: &Profile, secret: &SecretRef) -> (String, String) {
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

fn azure(profile: &Profile, secret: &SecretRef) -> (String, String) {
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

fn google(profile: &Profile, secret: &SecretRef) -> (String, String) {
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
