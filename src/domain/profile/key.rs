//! The keys of a profile: the closed list, each with its dotted TOML path and its type.

use crate::domain::text_difference::nearest;

/// What may stand behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A file's path; relative ones are relative to the profile's file.
    Path,
    /// A list of texts.
    List,
    /// `true`, or absent.
    Flag,
}

macro_rules! keys {
    ($(#[doc = $doc:literal] $name:ident = $path:literal, $kind:ident;)*) => {
        /// One key of a profile.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $(#[doc = $doc] $name,)* }

        impl Key {
            /// Every key, in the order in which a profile is written.
            pub const ALL: &[Key] = &[$(Key::$name,)*];

            /// Its dotted TOML path.
            pub const fn path(self) -> &'static str {
                match self { $(Key::$name => $path,)* }
            }

            /// How an assignment to it begins.
            pub const fn assigned(self) -> &'static str {
                match self { $(Key::$name => concat!($path, "="),)* }
            }

            /// What it is, in a few words.
            pub fn about(self) -> &'static str {
                let doc = match self { $(Key::$name => $doc,)* };
                doc.trim().trim_end_matches('.')
            }

            /// What may stand behind it.
            pub const fn kind(self) -> Kind {
                match self { $(Key::$name => Kind::$kind,)* }
            }
        }
    };
}

keys! {
    /// The setup guide that the profile follows.
    Guide = "guide", Text;
    /// The issuer's URL, as tokens carry it in `iss`.
    IssuerUrl = "issuer.url", Text;
    /// The platform organization's UUID.
    Organization = "platform.organization", Text;
    /// The GitLab project's path, group first.
    GitlabProject = "gitlab.project-path", Text;
    /// Whether GitLab's jobs run for a branch or a tag.
    GitlabRefType = "gitlab.ref-type", Text;
    /// The branch or tag of GitLab's jobs.
    GitlabRef = "gitlab.ref", Text;
    /// The CircleCI project's UUID.
    CircleciProject = "circleci.project", Text;
    /// The GitHub repository, owner first.
    GithubRepository = "github.repository", Text;
    /// The environment that GitHub's jobs name.
    GithubEnvironment = "github.environment", Text;
    /// The full ref of GitHub's workflow runs, such as `refs/heads/main`.
    GithubRef = "github.ref", Text;
    /// The Terraform organization.
    TerraformOrganization = "terraform.organization", Text;
    /// The Terraform project that the workspace is in.
    TerraformProject = "terraform.project", Text;
    /// The Terraform workspace that runs.
    TerraformWorkspace = "terraform.workspace", Text;
    /// Which of a run's two tokens is meant: that of its plan or of its apply.
    TerraformRunPhase = "terraform.run-phase", Text;
    /// The namespace that the pod runs in.
    KubernetesNamespace = "kubernetes.namespace", Text;
    /// The service account that the pod runs as.
    KubernetesServiceAccount = "kubernetes.service-account", Text;
    /// A file that holds the token.
    TokenFile = "token.file", Path;
    /// A variable that holds the token.
    TokenEnv = "token.env", Text;
    /// A program that prints the token.
    TokenCommand = "token.command", List;
    /// Ask GitHub Actions for the token.
    TokenGithubActions = "token.github-actions", Flag;
    /// Read the token from standard input.
    TokenStdin = "token.stdin", Flag;
    /// The role to assume.
    RoleArn = "aws.role-arn", Text;
    /// The account of the IAM user of the static guides.
    AccountId = "aws.account-id", Text;
    /// The role of another account that is assumed from the first role's session.
    TargetRoleArn = "aws.target-role-arn", Text;
    /// The region of STS and of the secret.
    Region = "aws.region", Text;
    /// The role's trust policy.
    TrustPolicy = "aws.trust-policy", Path;
    /// The role's permissions.
    IdentityPolicy = "aws.identity-policy", Path;
    /// The name of the role's session.
    SessionName = "aws.session-name", Text;
    /// How long a session is asked for, in seconds; the hour of STS's own where this is absent.
    SessionDuration = "aws.session-duration-s", Text;
    /// The audience that the identity provider registers.
    AwsAudience = "aws.audience", Text;
    /// The endpoint of every AWS service.
    EndpointUrl = "aws.endpoint-url", Text;
    /// The endpoint of STS.
    StsEndpointUrl = "aws.sts-endpoint-url", Text;
    /// The endpoint of Secrets Manager.
    SecretsmanagerEndpointUrl = "aws.secretsmanager-endpoint-url", Text;
    /// The endpoint of IAM, which only an operator calls.
    IamEndpointUrl = "aws.iam-endpoint-url", Text;
    /// The endpoint of KMS, which only an operator calls.
    KmsEndpointUrl = "aws.kms-endpoint-url", Text;
    /// The endpoint of CloudTrail, which only an operator calls.
    CloudtrailEndpointUrl = "aws.cloudtrail-endpoint-url", Text;
    /// The endpoint of IAM's toolbox, which only an operator calls.
    IamToolboxEndpointUrl = "aws.iam-toolbox-endpoint-url", Text;
    /// The shared-configuration profile of the static guides.
    ConfigProfile = "aws.config-profile", Text;
    /// The access key of the static guides, as the file that the console offers for it.
    AccessKeysCsv = "aws.access-keys-csv", Path;
    /// The external id of the role's trust policy.
    ExternalId = "aws.external-id", Text;
    /// What the names of the readable secrets begin with.
    SecretPrefix = "aws.secret-prefix", Text;
    /// The customer key that encrypts the secrets.
    KmsKeyArn = "aws.kms-key-arn", Text;
    /// The Entra directory.
    TenantId = "azure.tenant-id", Text;
    /// The Entra application.
    ClientId = "azure.client-id", Text;
    /// The subscription of the key vault.
    SubscriptionId = "azure.subscription-id", Text;
    /// The resource group of the key vault.
    ResourceGroup = "azure.resource-group", Text;
    /// The key vault.
    VaultUrl = "azure.vault-url", Text;
    /// The key vault's name, where its URL does not begin with it.
    VaultName = "azure.vault-name", Text;
    /// The endpoint of Azure Resource Manager.
    ResourceManagerUrl = "azure.resource-manager-url", Text;
    /// The application's federated credential.
    FederatedCredential = "azure.federated-credential", Path;
    /// The Entra authority.
    AuthorityHost = "azure.authority-host", Text;
    /// What the access token is asked for; the vault's cloud decides where this is absent.
    AzureScope = "azure.scope", Text;
    /// The variable that holds the application's client secret.
    ClientSecretEnv = "azure.client-secret-env", Text;
    /// A file that holds the application's client secret.
    ClientSecretFile = "azure.client-secret-file", Path;
    /// The Google Cloud project that holds the secrets, by its id.
    GcpProject = "gcp.project-id", Text;
    /// The workload identity pool's provider, by its full name.
    GcpProvider = "gcp.provider", Text;
    /// The audience that the provider allows in place of its own name.
    GcpAudience = "gcp.audience", Text;
    /// The location of regional secrets.
    GcpLocation = "gcp.location", Text;
    /// The domain of a sovereign universe's services, in place of googleapis.com.
    UniverseDomain = "gcp.universe-domain", Text;
    /// The service account that the federated token impersonates, or that the key is of.
    GcpServiceAccount = "gcp.service-account", Text;
    /// The service account's key, as the file that Google makes of it.
    GcpKeyFile = "gcp.key-file", Path;
    /// The provider, as `gcloud iam workload-identity-pools providers describe --format=json` prints it.
    ProviderFile = "gcp.provider-file", Path;
    /// The IAM policy of the project, the secret or the service account.
    IamPolicy = "gcp.iam-policy", Path;
    /// The endpoint of Google's STS.
    GcpStsEndpointUrl = "gcp.sts-endpoint-url", Text;
    /// The endpoint of Google's IAM Credentials.
    GcpIamcredentialsEndpointUrl = "gcp.iamcredentials-endpoint-url", Text;
    /// The endpoint of Google's Secret Manager.
    GcpSecretmanagerEndpointUrl = "gcp.secretmanager-endpoint-url", Text;
    /// The endpoint of Google's IAM, which only an operator calls.
    GcpIamEndpointUrl = "gcp.iam-endpoint-url", Text;
    /// The endpoint of Google's Resource Manager, which only an operator calls.
    GcpResourcemanagerEndpointUrl = "gcp.cloudresourcemanager-endpoint-url", Text;
    /// The endpoint of Google's Logging, which only an operator calls.
    GcpLoggingEndpointUrl = "gcp.logging-endpoint-url", Text;
    /// The secret, or one field of it.
    SecretName = "secret.name", Text;
    /// The version to read: a number, an alias or `latest`; the newest where this is absent.
    SecretVersion = "secret.version", Text;
    /// The client library or tool that is judged, or several with commas between.
    ClientName = "client.name", Text;
    /// The running deployment.
    DeploymentUrl = "deployment.url", Text;
    /// The variable that holds the deployment's token.
    DeploymentTokenEnv = "deployment.token-env", Text;
    /// A file that holds the deployment's token.
    DeploymentTokenFile = "deployment.token-file", Path;
    /// A file with the inputs of a kickoff, a JSON object.
    DeploymentInputs = "deployment.inputs", Path;
    /// The automation's variable that carries the secret.
    DeploymentVariable = "deployment.variable", Text;
}

impl Key {
    /// The key of this path.
    pub fn parse(path: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.path() == path)
    }

    /// The key whose path a mistyped one was most likely meant to be. The last part alone is enough where only one
    /// key ends in it (`role-arn`, `tenant_id`).
    pub fn nearest(path: &str) -> Option<Key> {
        let by_path = nearest(path, Key::ALL.iter().map(|key| key.path())).and_then(Key::parse);
        by_path.or_else(|| {
            let last = path.rsplit('.').next()?.to_lowercase().replace('_', "-");
            let mut ending = Key::ALL.iter().copied().filter(|key| key.name() == last);
            ending.next().filter(|_| ending.next().is_none())
        })
    }

    /// The part of the path behind its table.
    pub fn name(self) -> &'static str {
        self.path().rsplit('.').next().unwrap_or_default()
    }

    /// The table that it stands in; empty for `guide`.
    pub fn table(self) -> &'static str {
        self.path().rsplit_once('.').map_or("", |(table, _)| table)
    }

    /// Whether it says whose jobs, runs or pods the tokens are for.
    pub fn is_workload(self) -> bool {
        matches!(self.table(), "github" | "gitlab" | "circleci" | "terraform" | "kubernetes")
    }

    /// Whether it is the endpoint of one AWS service alone.
    pub fn is_endpoint_of_one_service(self) -> bool {
        self != Key::EndpointUrl && self.table() == "aws" && self.name().ends_with("-endpoint-url")
    }

    /// Whether it says where the token comes from; a profile has at most one that does.
    pub fn is_token_source(self) -> bool {
        self.table() == "token"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_distinct_and_parse_back() {
        for key in Key::ALL {
            assert_eq!(Key::parse(key.path()), Some(*key));
            assert!(!key.about().is_empty() && !key.about().contains('\n'));
        }
    }

    #[test]
    fn names_the_nearest_key() {
        for (typed, meant) in [
            ("aws.role_arn", Some(Key::RoleArn)),
            ("role-arn", Some(Key::RoleArn)),
            ("azure.tenant", Some(Key::TenantId)),
            ("entra.tenant_id", Some(Key::TenantId)),
            ("issuer.uri", Some(Key::IssuerUrl)),
            ("secrets.name", Some(Key::SecretName)),
            ("nothing.like.it", None),
            ("", None),
        ] {
            assert_eq!(Key::nearest(typed), meant, "{typed}");
        }
    }
}
