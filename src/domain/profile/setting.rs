//! One value of a profile with where it came from, the question it answers, and what can be wrong with it.

use std::fmt;
use std::path::PathBuf;

use super::key::{Key, Kind};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--set`.
    Flag,
    /// The environment variable of this name.
    Variable(String),
    /// A line of the profile's file.
    File {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// Nothing names it; this is what is taken then.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("--set"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value before it is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    Flag(bool),
}

impl Value {
    /// Whether it is of the type that a key takes.
    pub fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Value::Text(_), Kind::Text | Kind::Path) | (Value::List(_), Kind::List) | (Value::Flag(_), Kind::Flag)
        )
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::List(items) => f.write_str(&items.join(" ")),
            Value::Flag(set) => write!(f, "{set}"),
        }
    }
}

/// A key, its value, and where that came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: Key,
    pub value: Value,
    pub origin: Origin,
}

/// What is wrong with a profile, where, and what would be right. Never quotes what may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it is of one place.
    pub origin: Option<Origin>,
    /// The key's path, or what stands in its place.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What to write instead.
    pub instead: String,
}

impl Problem {
    /// A problem of one setting.
    pub fn of(key: Key, origin: &Origin, fault: Fault) -> Self {
        Problem { origin: Some(origin.clone()), key: key.path().to_owned(), wrong: fault.wrong, instead: fault.instead }
    }
}

impl fmt::Display for Problem {
    /// Where and what; [`Problem::instead`] is for a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.wrong)
    }
}

/// What is wrong with a value, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub wrong: String,
    pub instead: String,
}

impl Fault {
    /// A fault of two sentences.
    pub fn new(wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Fault { wrong: wrong.into(), instead: instead.into() }
    }
}

/// `text` between backticks, cut where it is too long to read.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        None => format!("`{text}`"),
        Some((at, _)) => format!("`{}…`", &text[..at]),
    }
}

/// Whether a guide can be followed without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// What people call the value of a key.
pub fn name(key: Key) -> &'static str {
    match key {
        Key::IssuerUrl => "issuer URL",
        Key::Organization => "organization",
        Key::GitlabProject => "GitLab project",
        Key::GitlabRefType => "branch or tag",
        Key::GitlabRef => "name of the branch or tag",
        Key::CircleciProject => "CircleCI project",
        Key::GithubRepository => "GitHub repository",
        Key::GithubEnvironment => "GitHub environment",
        Key::GithubRef => "branch or tag's full name",
        Key::KubernetesNamespace => "namespace",
        Key::KubernetesServiceAccount => "Kubernetes service account",
        Key::TokenGithubActions => "token request of GitHub Actions",
        Key::TokenFile => "token file",
        Key::TokenEnv => "token variable",
        Key::RoleArn => "role ARN",
        Key::AccountId => "account",
        Key::TargetRoleArn => "sub-account's role ARN",
        Key::Region => "region",
        Key::TrustPolicy => "trust policy file",
        Key::IdentityPolicy => "permissions file",
        Key::AwsAudience => "audience",
        Key::AccessKeysCsv => "access key file",
        Key::ConfigProfile => "profile of ~/.aws",
        Key::ExternalId => "external id",
        Key::SecretPrefix => "prefix of the secrets",
        Key::KmsKeyArn => "KMS key ARN",
        Key::TenantId => "tenant",
        Key::ClientId => "client id",
        Key::SubscriptionId => "subscription",
        Key::ResourceGroup => "resource group",
        Key::VaultUrl => "vault URL",
        Key::VaultName => "vault name",
        Key::FederatedCredential => "federated credential file",
        Key::ClientSecretFile => "client secret's file",
        Key::ClientSecretEnv => "client secret's variable",
        Key::GcpProject => "project",
        Key::GcpProvider => "provider",
        Key::GcpAudience => "audience",
        Key::GcpLocation => "location",
        Key::SecretVersion => "version",
        Key::GcpServiceAccount => "service account",
        Key::GcpKeyFile => "service account key's file",
        Key::ProviderFile => "provider's file",
        Key::IamPolicy => "IAM policy file",
        Key::SecretName => "secret",
        Key::ClientName => "client",
        Key::DeploymentUrl => "deployment URL",
        Key::DeploymentTokenEnv => "deployment token variable",
        Key::DeploymentVariable => "automation's variable",
        _ => key.path(),
    }
}

/// What is asked for a key, with an example.
pub fn ask(key: Key) -> &'static str {
    match key {
        Key::IssuerUrl => "Issuer URL, as the discovery document's `issuer` (https://app.example.com)",
        Key::Organization => "UUID of the organization, part of the token's subject",
        Key::GitlabProject => "GitLab project, with its groups (mygroup/myproject)",
        Key::GitlabRefType => "What the jobs run for: branch or tag",
        Key::GitlabRef => "Branch or tag of the jobs (main)",
        Key::CircleciProject => "UUID of the CircleCI project",
        Key::GithubRepository => "Repository, owner first (octo-org/octo-repo)",
        Key::GithubEnvironment => "Environment that the job names (production); none where it names none",
        Key::GithubRef => "Branch or tag that the job runs for (refs/heads/main)",
        Key::KubernetesNamespace => "Namespace of the pods (team)",
        Key::KubernetesServiceAccount => "Service account that the pods run as (reader)",
        Key::TokenGithubActions => "Whether trustline itself asks GitHub Actions for the token, inside a job (true)",
        Key::TokenFile => "File that holds a token (token.jwt); never the token itself",
        Key::TokenEnv => "Variable that holds the token, its name only (MY_OIDC_TOKEN)",
        Key::RoleArn => "ARN of the role to assume (arn:aws:iam::123456789012:role/NAME)",
        Key::AccountId => "Account of the IAM user, twelve digits",
        Key::TargetRoleArn => "ARN of the sub-account's role, where there is one",
        Key::Region => "AWS region of the secret (us-east-1)",
        Key::TrustPolicy => "File with the role's trust policy, or the answer of `aws iam get-role`",
        Key::IdentityPolicy => "File with the role's permissions",
        Key::AwsAudience => "Audience registered at the identity provider (sts.amazonaws.com)",
        Key::AccessKeysCsv => "File with the access key, as the console offers it (accessKeys.csv)",
        Key::ConfigProfile => "Profile of ~/.aws to take the access key from (default)",
        Key::ExternalId => "External id of the role's trust policy",
        Key::SecretPrefix => "What the readable secrets' names begin with (crewai)",
        Key::KmsKeyArn => "ARN of the customer key that encrypts the secrets, where there is one",
        Key::TenantId => "Directory (tenant) ID of the app registration",
        Key::ClientId => "Application (client) ID of the app registration",
        Key::SubscriptionId => "Subscription of the key vault, a UUID",
        Key::ResourceGroup => "Resource group of the key vault",
        Key::VaultUrl => "Key vault's URL (https://my-vault.vault.azure.net)",
        Key::VaultName => "Key vault's name, where its URL does not begin with it",
        Key::ClientSecretFile => "File that holds the client secret (client-secret); never the secret itself",
        Key::ClientSecretEnv => "Variable that holds the client secret, its name only (AZURE_CLIENT_SECRET)",
        Key::FederatedCredential => "File with `az ad app federated-credential list`'s answer",
        Key::GcpProject => "Id of the project that holds the secrets (my-project)",
        Key::GcpProvider => {
            "Full name of the provider (projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER)"
        }
        Key::GcpAudience => "Audience that the provider allows in place of its own name (https://my-audience.example)",
        Key::SecretVersion => "Version to read: a number, an alias or latest",
        Key::GcpLocation => "Location of regional secrets (europe-west3); without it the secrets are global",
        Key::GcpKeyFile => "File with the service account's key (service-account-key.json); never the key itself",
        Key::GcpServiceAccount => {
            "Service account to impersonate, or that the key is of (reader@my-project.iam.gserviceaccount.com)"
        }
        Key::ProviderFile => "File with the answer of `gcloud iam workload-identity-pools providers describe`",
        Key::IamPolicy => "File with the answer of `gcloud projects get-iam-policy`, or of a secret's",
        Key::SecretName => "Secret to read: name or name#json_key",
        Key::ClientName => "Client library or tool to judge for (boto3); `trustline clients` lists them",
        Key::DeploymentUrl => "The running deployment (https://my-crew.example.com)",
        Key::DeploymentTokenEnv => "Variable that holds the deployment's token, its name only",
        Key::DeploymentVariable => "The automation's variable that carries the secret (API_KEY)",
        _ => key.about(),
    }
}
