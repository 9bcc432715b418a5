//! What a person is asked for a key, with an example.

use super::key::Key;

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
        Key::SecretName => "secret",
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
        Key::FederatedCredential => "File with `az ad app federated-credential list`'s answer",
        Key::SecretName => "Secret to read: name or name#json_key",
        Key::DeploymentUrl => "The running deployment (https://my-crew.example.com)",
        Key::DeploymentTokenEnv => "Variable that holds the deployment's token, its name only",
        Key::DeploymentVariable => "The automation's variable that carries the secret (API_KEY)",
        _ => key.about(),
    }
}
