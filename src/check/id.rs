//! The checks' stable ids, their assertions, and what each needs.

use std::fmt;
use std::str::FromStr;

/// One check. Its id is part of the program's stable interface; its title is an assertion that holds or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    IssuerReachable,
    IssuerTls,
    IssuerDiscovery,
    IssuerJwks,
    TokenPresent,
    TokenShape,
    TokenTime,
    TokenSignature,
    TokenClaims,
    TrustPolicy,
    AwsAccessKey,
    AwsAssumeRoleWithWebIdentity,
    AwsCallerIdentity,
    AwsAssumeRole,
    AwsListSecrets,
    AwsGetSecret,
    AzureExchange,
    AzureListSecrets,
    AzureGetSecret,
    AzureSubscription,
    SecretJsonKey,
    DeploymentReachable,
}

impl CheckId {
    /// Every check, in the order of the chain of trust.
    pub const ALL: &[CheckId] = &[
        CheckId::IssuerReachable,
        CheckId::IssuerTls,
        CheckId::IssuerDiscovery,
        CheckId::IssuerJwks,
        CheckId::TokenPresent,
        CheckId::TokenShape,
        CheckId::TokenTime,
        CheckId::TokenSignature,
        CheckId::TokenClaims,
        CheckId::TrustPolicy,
        CheckId::AwsAccessKey,
        CheckId::AwsAssumeRoleWithWebIdentity,
        CheckId::AwsCallerIdentity,
        CheckId::AwsAssumeRole,
        CheckId::AwsListSecrets,
        CheckId::AwsGetSecret,
        CheckId::AzureExchange,
        CheckId::AzureListSecrets,
        CheckId::AzureGetSecret,
        CheckId::AzureSubscription,
        CheckId::SecretJsonKey,
        CheckId::DeploymentReachable,
    ];

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            CheckId::IssuerReachable => "issuer.reachable",
            CheckId::IssuerTls => "issuer.tls",
            CheckId::IssuerDiscovery => "issuer.discovery",
            CheckId::IssuerJwks => "issuer.jwks",
            CheckId::TokenPresent => "token.present",
            CheckId::TokenShape => "token.shape",
            CheckId::TokenTime => "token.time",
            CheckId::TokenSignature => "token.signature",
            CheckId::TokenClaims => "token.claims",
            CheckId::TrustPolicy => "trust.policy",
            CheckId::AwsAssumeRoleWithWebIdentity => "aws.assume-role-with-web-identity",
            CheckId::AwsAccessKey => "aws.access-key",
            CheckId::AwsAssumeRole => "aws.assume-role",
            CheckId::AwsCallerIdentity => "aws.caller-identity",
            CheckId::AwsListSecrets => "aws.list-secrets",
            CheckId::AwsGetSecret => "aws.get-secret",
            CheckId::AzureExchange => "azure.exchange",
            CheckId::AzureListSecrets => "azure.list-secrets",
            CheckId::AzureGetSecret => "azure.get-secret",
            CheckId::AzureSubscription => "azure.subscription",
            CheckId::SecretJsonKey => "secret.json-key",
            CheckId::DeploymentReachable => "deployment.reachable",
        }
    }

    /// The assertion the check makes.
    pub const fn title(self) -> &'static str {
        match self {
            CheckId::IssuerReachable => "issuer answers",
            CheckId::IssuerTls => "issuer's certificate is trusted",
            CheckId::IssuerDiscovery => "discovery document names the issuer",
            CheckId::IssuerJwks => "signing keys are published",
            CheckId::TokenPresent => "a token is there",
            CheckId::TokenShape => "token is well formed",
            CheckId::TokenTime => "token is valid now",
            CheckId::TokenSignature => "signature is the issuer's",
            CheckId::TokenClaims => "claims are what the cloud expects",
            CheckId::TrustPolicy => "trust policy accepts the token",
            CheckId::AwsAssumeRoleWithWebIdentity => "STS exchanges the token for the role",
            CheckId::AwsAccessKey => "an access key is there",
            CheckId::AwsAssumeRole => "STS lets the caller assume the role",
            CheckId::AwsCallerIdentity => "credentials identify a caller",
            CheckId::AwsListSecrets => "secrets can be listed",
            CheckId::AwsGetSecret => "secret can be read",
            CheckId::AzureExchange => "Entra exchanges the token",
            CheckId::AzureListSecrets => "vault's secrets can be listed",
            CheckId::AzureGetSecret => "vault's secret can be read",
            CheckId::AzureSubscription => "subscription is the directory's",
            CheckId::SecretJsonKey => "secret holds the selected field",
            CheckId::DeploymentReachable => "deployment answers",
        }
    }

    /// The checks that stand in the way of this one when they fail. What a step needs beyond that is the plan's.
    pub const fn needs(self) -> &'static [CheckId] {
        match self {
            CheckId::IssuerTls => &[CheckId::IssuerReachable],
            CheckId::IssuerDiscovery => &[CheckId::IssuerReachable, CheckId::IssuerTls],
            CheckId::TokenShape | CheckId::TokenTime | CheckId::TokenClaims => &[CheckId::TokenPresent],
            // Of the two the plan has the read of the profile's own store.
            CheckId::SecretJsonKey => &[CheckId::AwsGetSecret, CheckId::AzureGetSecret],
            _ => &[],
        }
    }

    /// The vendor's or standard's page about what the check asserts.
    pub const fn docs(self) -> &'static str {
        match self {
            CheckId::IssuerReachable | CheckId::IssuerTls => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html"
            }
            CheckId::IssuerDiscovery => "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata",
            CheckId::IssuerJwks => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html"
            }
            CheckId::TokenPresent | CheckId::TokenShape | CheckId::TokenClaims => {
                "https://openid.net/specs/openid-connect-core-1_0.html#IDToken"
            }
            CheckId::TokenTime => "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4",
            CheckId::TokenSignature => "https://www.rfc-editor.org/rfc/rfc7515#section-5.2",
            CheckId::TrustPolicy => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"
            }
            CheckId::AwsAssumeRoleWithWebIdentity => {
                "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"
            }
            CheckId::AwsAccessKey => "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
            CheckId::AwsAssumeRole => "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
            CheckId::AwsCallerIdentity => {
                "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"
            }
            CheckId::AwsListSecrets => {
                "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html"
            }
            CheckId::AwsGetSecret | CheckId::SecretJsonKey => {
                "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"
            }
            CheckId::AzureExchange => "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
            CheckId::AzureListSecrets | CheckId::AzureGetSecret => {
                "https://learn.microsoft.com/azure/key-vault/general/rbac-guide"
            }
            CheckId::AzureSubscription => "https://learn.microsoft.com/azure/azure-portal/get-subscription-tenant-id",
            CheckId::DeploymentReachable => "https://docs.crewai.com/en/enterprise/guides/kickoff-crew",
        }
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The text is not the id of any check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no check is called `{0}`")]
pub struct UnknownCheck(pub String);

impl FromStr for CheckId {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        CheckId::ALL.iter().copied().find(|c| c.id() == text).ok_or_else(|| UnknownCheck(text.to_owned()))
    }
}

impl serde::Serialize for CheckId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> serde::Deserialize<'de> for CheckId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
