//! A profile: what is wired to what. It names files, variables and commands, and never holds a secret.

mod address;
pub mod capability;
mod cloud_name;
pub mod credential_file;
pub mod document;
pub mod edit;
pub mod environment;
pub mod expected;
mod gcp;
mod gcp_name;
pub mod key;
pub mod placeholder;
pub mod resolve;
pub mod setting;
pub mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use self::key::Key;
use self::setting::{Origin, Setting};
use super::arn::RoleArn;
use super::client::Client;
pub use super::guide::Guide;
use super::national_cloud::{self, NationalCloud};
use super::secret_ref::SecretRef;
pub use gcp::GcpSettings;

/// An API version of Resource Manager's `Subscriptions - Get`.
const SUBSCRIPTION_API_VERSION: &str = "2022-12-01";

/// Where the token comes from. The token itself is never part of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A file, read again whenever it changed.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A program and its arguments; the token is what it prints.
    Command(Vec<String>),
    /// GitHub Actions' request address (`ACTIONS_ID_TOKEN_REQUEST_URL` and `_TOKEN`).
    GithubActions,
    /// Standard input.
    Stdin,
}

/// Settings of the AWS side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsSettings {
    pub role_arn: Option<RoleArn>,
    pub region: Option<String>,
    /// The role's trust policy, as a file: the policy document, or the answer of `aws iam get-role`.
    pub trust_policy: Option<PathBuf>,
    /// The role's permissions, as a file: a policy document, or the answer of `aws iam get-role-policy`.
    pub identity_policy: Option<PathBuf>,
    /// Ask for this session name; `trustline` where none is set.
    pub session_name: Option<String>,
    /// How the user agent begins of whoever asks, where a client is played or a trust judged for one.
    pub user_agent: Option<String>,
    /// Ask for a session of so many seconds.
    pub session_duration_s: Option<i32>,
    /// The audience the provider's client-id list should hold; `sts.amazonaws.com` where none is set.
    pub audience: Option<String>,
    pub endpoint_url: Option<String>,
    pub sts_endpoint_url: Option<String>,
    pub secretsmanager_endpoint_url: Option<String>,
    pub iam_endpoint_url: Option<String>,
    pub kms_endpoint_url: Option<String>,
    /// The endpoint of CloudTrail, which only an operator calls.
    pub cloudtrail_endpoint_url: Option<String>,
    /// The endpoint of IAM's toolbox, which only an operator calls.
    pub iam_toolbox_endpoint_url: Option<String>,
    /// The shared-configuration profile of the static guides.
    pub config_profile: Option<String>,
    /// The static guides' access key, as the file that the console offers for it.
    pub access_keys_csv: Option<PathBuf>,
    pub external_id: Option<String>,
    /// The account of the IAM user of the static guides.
    pub account_id: Option<String>,
    /// What the names of the readable secrets begin with.
    pub secret_prefix: Option<String>,
    /// The customer key that encrypts the secrets.
    pub kms_key_arn: Option<String>,
    /// The role of another account that is assumed from the first role's session, and that reads.
    pub target_role_arn: Option<RoleArn>,
}

/// Settings of the Azure side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureSettings {
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    pub vault_url: Option<String>,
    /// The key vault's name, where its URL does not begin with it.
    pub vault_name: Option<String>,
    /// The subscription of the key vault.
    pub subscription_id: Option<String>,
    /// The resource group of the key vault.
    pub resource_group: Option<String>,
    /// The endpoint of Azure Resource Manager; the vault's cloud decides where none is set.
    pub resource_manager_url: Option<String>,
    pub federated_credential: Option<PathBuf>,
    pub authority_host: Option<String>,
    /// What the access token is asked for; the vault's cloud decides where none is set.
    pub scope: Option<String>,
    /// The static path: used where no token's source is set.
    pub client_secret: Option<SecretSource>,
}

/// Where a secret of the user's own is: a client secret, a bearer token. The secret itself is never part of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "variable {name}"),
            SecretSource::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// Who reads the cloud's side, or writes to it: administrator's credentials by where they are, and never the workload's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The keys of the variables or of the default profile, else what the AWS CLI is signed in with; or this shared
    /// profile, in AWS's own files or in this one.
    Aws { profile: Option<String>, file: Option<PathBuf> },
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
    /// An application with a client secret, and the directory that it is of where that is said.
    AzureApplication { client_id: String, secret: SecretSource, tenant_id: Option<String> },
    /// Whoever is signed in to gcloud, or the access token in this file.
    Google { token_file: Option<PathBuf> },
}

/// Settings of the running deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentSettings {
    pub url: Option<String>,
    /// Where the deployment's bearer token is.
    pub token: Option<SecretSource>,
    /// The inputs of a kickoff, as a file with a JSON object.
    pub inputs: Option<PathBuf>,
    /// The variable of the automation that carries the secret.
    pub variable: Option<String>,
}

/// A resolved, validated profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, or `environment` where none was read.
    pub name: String,
    /// The flags that choose this profile again, quoted for a shell, such as `--profile prod`; empty where the
    /// environment alone says everything.
    pub selector: String,
    /// The one flag that names its file, such as `--profile prod`; `None` where no file of the user's holds it.
    pub chosen_by: Option<String>,
    /// The scenario of a lab that ends with the command: nothing can be fixed there afterwards.
    pub ending_lab: Option<String>,
    /// With whose credentials the cloud's own side is read; not read where there are none.
    pub operator: Option<Operator>,
    /// The values in effect, each with where it came from.
    pub settings: Vec<Setting>,
    pub guide: Guide,
    /// The issuer's URL, exactly as tokens must carry it in `iss`.
    pub issuer_url: Option<String>,
    /// The platform organization's UUID.
    pub organization: Option<String>,
    pub token: Option<TokenSource>,
    /// Whose jobs, runs or pods the tokens are for: the values of the keys that say so.
    pub workload: BTreeMap<Key, String>,
    pub aws: AwsSettings,
    pub azure: AzureSettings,
    pub gcp: GcpSettings,
    pub secret: Option<SecretRef>,
    pub deployment: DeploymentSettings,
    /// The clients that it is judged for; the common ones where none is named.
    pub clients: Vec<&'static Client>,
    /// The client whose exchange is made, instead of this program's own.
    pub acts_as: Option<&'static Client>,
}

impl AzureSettings {
    /// The key vault's name, where it is known: as it is set, else as its URL begins with it.
    pub fn known_vault_name(&self) -> Option<&str> {
        self.vault_name.as_deref().or_else(|| national_cloud::vault_name(self.vault_url.as_deref()?))
    }

    /// Microsoft's cloud: the vault's, else the authority's, else the public one.
    pub fn cloud(&self) -> &'static NationalCloud {
        let of_vault = self.vault_url.as_deref().and_then(national_cloud::of_vault);
        of_vault
            .or_else(|| self.authority_host.as_deref().and_then(national_cloud::of_authority))
            .unwrap_or(national_cloud::PUBLIC)
    }

    /// Where access tokens are asked for: as it is set, else the cloud's authority.
    pub fn effective_authority(&self) -> String {
        self.authority_host.clone().unwrap_or_else(|| format!("https://{}", self.cloud().authority))
    }

    /// What an access token is asked for: as it is set, else the cloud's vaults.
    pub fn effective_scope(&self) -> String {
        self.scope.clone().unwrap_or_else(|| format!("{}/.default", self.cloud().vault_resource))
    }

    /// Where Resource Manager is: as it is set, else the cloud's.
    pub fn effective_resource_manager(&self) -> String {
        self.resource_manager_url.clone().unwrap_or_else(|| format!("https://{}", self.cloud().resource_manager))
    }

    /// Where Resource Manager answers for the vault's subscription.
    pub fn subscription_url(&self) -> Option<Url> {
        let mut url = Url::parse(&self.effective_resource_manager()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(["subscriptions", self.subscription_id.as_deref()?]);
        url.query_pairs_mut().append_pair("api-version", SUBSCRIPTION_API_VERSION);
        Some(url)
    }
}

impl Profile {
    /// The role that an AWS caller assumes with credentials it has: the static variant's, or the second hop.
    pub fn role_to_assume(&self) -> Option<&RoleArn> {
        match self.guide {
            Guide::AwsAssumeRole => self.aws.role_arn.as_ref(),
            guide if guide.is_aws_web_identity() => self.aws.target_role_arn.as_ref(),
            _ => None,
        }
    }

    /// The file with the trust policy of the role that is assumed with credentials. Of two roles in a row the profile has
    /// the first one's.
    pub fn trust_of_assumed_role(&self) -> Option<&Path> {
        self.aws.trust_policy.as_deref().filter(|_| self.aws.target_role_arn.is_none())
    }

    /// Whether a client that starts here finds the token's file in its own variables.
    pub fn is_of_variables(&self) -> bool {
        let of_clients = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"];
        let origin = self.setting(Key::TokenFile).map(|setting| &setting.origin);
        matches!(origin, Some(Origin::Variable(name)) if of_clients.contains(&name.as_str()))
    }

    /// The value in effect for a key, with where it came from.
    pub fn setting(&self, key: Key) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// A profile with its name and guide, and nothing else.
    pub fn bare(name: &str, guide: Guide) -> Self {
        Profile {
            name: name.to_owned(),
            selector: String::new(),
            chosen_by: None,
            ending_lab: None,
            operator: None,
            settings: Vec::new(),
            guide,
            issuer_url: None,
            organization: None,
            token: None,
            workload: BTreeMap::new(),
            aws: AwsSettings::default(),
            azure: AzureSettings::default(),
            gcp: GcpSettings::default(),
            secret: None,
            deployment: DeploymentSettings::default(),
            clients: Vec::new(),
            acts_as: None,
        }
    }
}
