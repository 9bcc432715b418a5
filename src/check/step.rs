//! The steps of a run: each goes out once and brings the facts that some checks are judged by.

use super::facts::Facts;
use crate::domain::guide::{Flow, Workload};
use crate::domain::ids::{CheckId, Cloud};
use crate::domain::profile::{Guide, Profile};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::VariantArray)]
pub enum Step {
    /// Fetch the issuer's discovery document.
    IssuerDocument,
    /// Fetch the keys that the document names.
    IssuerKeys,
    /// Read the token from its source.
    Token,
    /// Verify the token's signature with the issuer's keys.
    Signature,
    /// Look at what the client finds where it starts: variables, shared files, kept sessions.
    Client,
    /// Read the pod's service account and pods of the cluster.
    Cluster,
    /// Find the operator's AWS credentials.
    AwsOperatorKey,
    /// Ask STS who the operator is.
    AwsOperator,
    /// Read the identity provider of the token's issuer.
    AwsOidcProvider,
    /// Read the role, and its trust policy in force.
    AwsRole,
    /// Sign in to Azure as the operator.
    AzureOperator,
    /// Read the application with its federated credentials.
    AzureApplication,
    /// Find the operator's Google access token, and read the project.
    GoogleOperator,
    /// Read the pool with its provider.
    GooglePoolProvider,
    /// Evaluate the trust policy at hand for the token.
    TrustPolicy,
    /// Find the access key.
    AccessKey,
    /// Exchange the token at STS.
    WebIdentity,
    /// Ask STS who the session, or the key's owner, is.
    CallerIdentity,
    /// Evaluate the trust policy at hand for the signed caller.
    RoleTrust,
    /// Assume a role with the credentials at hand.
    AssumeRole,
    /// Read whose the access key is.
    AwsAccessKeyOwner,
    /// Read the policies in force for whoever reads the secret.
    AwsRolePermissions,
    /// Read the secret's settings, its policies and its key.
    AwsSecretSettings,
    /// List the secrets.
    ListSecrets,
    /// Read the secret.
    GetSecret,
    /// Evaluate the permissions policy at hand for the reads.
    Permissions,
    /// Look up what denied a read whose denial has an id.
    AwsAuthorization,
    /// Look for a secret that was not found or not allowed in the partition's other regions.
    LocateSecret,
    /// Exchange the token, or the client secret, at Entra.
    EntraExchange,
    /// Read the role assignments that reach the vault.
    AzureRoleAssignments,
    /// Read the vault's settings.
    AzureVaultSettings,
    /// List the vault's secrets.
    VaultList,
    /// Read the vault's secret.
    VaultGet,
    /// Ask Resource Manager whose directory the vault's subscription is of.
    Subscription,
    /// Exchange the token at Google's STS, or what a service account's key has signed.
    GoogleExchange,
    /// Take the place of a service account with what was exchanged.
    GoogleImpersonate,
    /// Read who has which roles on the project, the secret and the service account.
    GoogleBindings,
    /// Read the project's secret and its version, without a value.
    GoogleSecretSettings,
    /// List the secrets of the project.
    GoogleList,
    /// Read the project's secret, and look where else it may be.
    GoogleGet,
    /// Ask the running deployment for its inputs.
    Deployment,
}

impl Step {
    /// Every step.
    pub const ALL: &[Step] = <Step as strum::VariantArray>::VARIANTS;

    /// The steps that must have ended, however they ended, before this one can begin.
    pub const fn after(self, guide: Guide) -> &'static [Step] {
        match self {
            Step::IssuerDocument
            | Step::Token
            | Step::Client
            | Step::Deployment
            | Step::AccessKey
            | Step::Subscription
            | Step::AwsOperatorKey
            | Step::AzureOperator
            | Step::GoogleOperator => &[],
            Step::GooglePoolProvider | Step::GoogleBindings | Step::GoogleSecretSettings => &[Step::GoogleOperator],
            Step::AwsOperator | Step::AwsRole | Step::AwsSecretSettings => &[Step::AwsOperatorKey],
            // Of whose issuer, and of which user: the token and STS say so, where they do.
            Step::AwsOidcProvider => &[Step::AwsOperatorKey, Step::Token],
            Step::AwsAccessKeyOwner => &[Step::AwsOperatorKey, Step::AccessKey],
            Step::AwsRolePermissions if guide.is_aws_access_key() => &[Step::AwsOperatorKey, Step::CallerIdentity],
            Step::AwsRolePermissions => &[Step::AwsOperatorKey],
            Step::AzureApplication | Step::AzureVaultSettings => &[Step::AzureOperator],
            // Rights are read where the vault is, of the roles that concern the application.
            Step::AzureRoleAssignments => &[Step::AzureApplication, Step::AzureVaultSettings],
            // Whose pods: the token says so, where the profile does not.
            Step::Cluster => &[Step::Token],
            Step::IssuerKeys => &[Step::IssuerDocument],
            Step::Signature => &[Step::Token, Step::IssuerKeys],
            Step::WebIdentity | Step::EntraExchange | Step::GoogleExchange => &[Step::Token],
            Step::GoogleImpersonate => &[Step::GoogleExchange],
            Step::GoogleList | Step::GoogleGet => &[Step::GoogleExchange, Step::GoogleImpersonate],
            // What is in force takes the place of a file.
            Step::TrustPolicy => {
                &[Step::Token, Step::Client, Step::AwsRole, Step::AzureApplication, Step::GooglePoolProvider]
            }
            Step::CallerIdentity => &[Step::AccessKey, Step::WebIdentity],
            // The policy is evaluated for whoever calls.
            Step::RoleTrust => &[Step::CallerIdentity, Step::AwsRolePermissions],
            Step::AssumeRole => &[Step::AccessKey, Step::WebIdentity, Step::CallerIdentity],
            // A key that STS does not know is told once, before anything is read with it.
            Step::ListSecrets | Step::GetSecret if guide.is_aws_access_key() => {
                &[Step::AccessKey, Step::CallerIdentity, Step::AssumeRole]
            }
            Step::ListSecrets | Step::GetSecret => &[Step::WebIdentity, Step::AssumeRole],
            Step::Permissions => &[Step::ListSecrets, Step::AwsRolePermissions, Step::AwsSecretSettings],
            Step::LocateSecret => &[Step::GetSecret],
            Step::AwsAuthorization => &[Step::AwsOperatorKey, Step::ListSecrets, Step::GetSecret],
            Step::VaultList | Step::VaultGet => &[Step::EntraExchange],
        }
    }

    /// The steps whose facts explain what this one met: a refusal, a time that does not fit. Such is judged when they have
    /// ended.
    pub const fn explained_by(self) -> &'static [Step] {
        match self {
            Step::WebIdentity | Step::EntraExchange | Step::GoogleExchange => &[
                Step::IssuerDocument,
                Step::IssuerKeys,
                Step::Signature,
                Step::TrustPolicy,
                Step::AwsOidcProvider,
                Step::AwsRole,
                Step::GooglePoolProvider,
            ],
            // What stands around the token, and whose authority the cloud's certificate is of.
            Step::Client => &[Step::Token, Step::WebIdentity, Step::EntraExchange, Step::GoogleExchange],
            Step::Token => &[Step::IssuerDocument, Step::WebIdentity, Step::EntraExchange, Step::GoogleExchange],
            Step::Deployment => &[Step::IssuerDocument],
            Step::IssuerDocument | Step::IssuerKeys => &[
                Step::Token,
                Step::WebIdentity,
                Step::CallerIdentity,
                Step::EntraExchange,
                Step::GoogleExchange,
                Step::Deployment,
            ],
            // What signs is told by IAM, and that signatures like it are answered by the operator's own.
            Step::CallerIdentity => &[Step::AwsAccessKeyOwner, Step::AwsOperator],
            Step::AwsAccessKeyOwner => &[Step::CallerIdentity, Step::AwsOperator, Step::AwsSecretSettings],
            Step::AssumeRole => &[Step::RoleTrust, Step::Permissions],
            Step::GoogleImpersonate => &[Step::TrustPolicy, Step::GoogleBindings],
            Step::GoogleBindings => &[Step::TrustPolicy, Step::GoogleImpersonate, Step::GoogleList, Step::GoogleGet],
            Step::GooglePoolProvider => &[Step::Token],
            Step::GoogleList => &[Step::GoogleGet, Step::TrustPolicy],
            Step::GoogleGet => &[Step::GoogleList, Step::TrustPolicy],
            Step::VaultList => &[Step::VaultGet],
            Step::VaultGet => &[Step::VaultList],
            Step::ListSecrets => &[Step::Permissions, Step::AwsAuthorization],
            Step::GetSecret => &[Step::ListSecrets, Step::LocateSecret, Step::Permissions, Step::AwsAuthorization],
            Step::AwsRolePermissions => &[Step::Permissions],
            Step::AwsOperator => &[Step::AwsRole, Step::TrustPolicy],
            Step::TrustPolicy => &[Step::WebIdentity, Step::GoogleExchange, Step::GoogleGet],
            Step::AzureVaultSettings | Step::AzureRoleAssignments => &[Step::VaultList, Step::VaultGet],
            _ => &[],
        }
    }

    /// Whether the profile calls for this step.
    pub fn applies(self, profile: &Profile) -> bool {
        match self {
            Step::IssuerDocument | Step::IssuerKeys => profile.issuer_url.is_some(),
            Step::Token | Step::Signature if profile.guide.is_key_beside_aws() => false,
            Step::Token | Step::Signature => {
                let has_secret = is_azure(profile) && profile.azure.client_secret.is_some();
                profile.token.is_some() || profile.guide.flow() == Flow::TokenExchange && !has_secret
            }
            Step::Client => Step::Token.applies(profile) && (!profile.clients.is_empty() || profile.is_of_variables()),
            Step::TrustPolicy if is_azure(profile) => {
                (profile.azure.federated_credential.is_some() || profile.operator.is_some())
                    && Step::Token.applies(profile)
            }
            Step::TrustPolicy if is_google(profile) => {
                let has_file = profile.gcp.provider_file.is_some() && !profile.guide.is_key_beside_aws();
                has_file || Step::GooglePoolProvider.applies(profile)
            }
            Step::TrustPolicy => {
                profile.guide.is_aws_web_identity()
                    && (profile.aws.trust_policy.is_some() || profile.operator.is_some())
            }
            Step::Cluster => profile.operator.is_some() && profile.guide.workload() == Workload::Kubernetes,
            Step::AwsOperatorKey | Step::AwsOperator => is_aws(profile) && profile.operator.is_some(),
            Step::AwsOidcProvider => Step::AwsOperator.applies(profile) && profile.guide.is_aws_web_identity(),
            Step::AwsRole => Step::AwsOperator.applies(profile) && profile.aws.role_arn.is_some(),
            Step::AwsAccessKeyOwner => Step::AwsOperator.applies(profile) && profile.guide.is_aws_access_key(),
            Step::AwsRolePermissions | Step::AwsAuthorization => Step::AwsOperator.applies(profile),
            Step::AwsSecretSettings => Step::AwsOperator.applies(profile) && profile.secret.is_some(),
            Step::AzureOperator => is_azure(profile) && profile.operator.is_some(),
            Step::AzureApplication => Step::AzureOperator.applies(profile) && profile.azure.client_id.is_some(),
            Step::AzureRoleAssignments | Step::AzureVaultSettings => {
                Step::AzureOperator.applies(profile) && profile.azure.known_vault_name().is_some()
            }
            Step::GoogleOperator => is_google(profile) && profile.operator.is_some(),
            Step::GooglePoolProvider => {
                let has_provider = profile.gcp.provider.is_some() && !profile.guide.is_key_beside_aws();
                Step::GoogleOperator.applies(profile) && has_provider
            }
            Step::GoogleBindings => Step::GoogleOperator.applies(profile) && profile.gcp.project_id.is_some(),
            Step::GoogleSecretSettings => Step::GoogleBindings.applies(profile) && profile.secret.is_some(),
            Step::WebIdentity => profile.guide.is_aws_web_identity(),
            Step::AccessKey => profile.guide.is_aws_access_key(),
            Step::RoleTrust => {
                profile.guide == Guide::AwsAssumeRole && profile.aws.trust_policy.is_some()
                    || Step::AwsOperator.applies(profile) && profile.role_to_assume().is_some()
            }
            Step::AssumeRole => profile.guide == Guide::AwsAssumeRole || profile.role_to_assume().is_some(),
            Step::CallerIdentity | Step::ListSecrets => is_aws(profile),
            Step::Permissions => {
                is_aws(profile) && (profile.aws.identity_policy.is_some() || profile.operator.is_some())
            }
            Step::GetSecret | Step::LocateSecret => is_aws(profile) && profile.secret.is_some(),
            Step::EntraExchange | Step::VaultList => is_azure(profile),
            Step::VaultGet => is_azure(profile) && profile.secret.is_some(),
            Step::Subscription => is_azure(profile) && profile.azure.subscription_id.is_some(),
            Step::GoogleExchange => is_google(profile),
            Step::GoogleImpersonate => {
                is_google(profile) && profile.gcp.service_account.is_some() && !profile.guide.is_key_beside_aws()
            }
            Step::GoogleList => is_google(profile),
            Step::GoogleGet => is_google(profile) && profile.secret.is_some(),
            Step::Deployment => profile.deployment.url.is_some(),
        }
    }

    /// Whether the facts so far let this step begin; otherwise the check that stands in its way.
    pub fn obstacle(self, facts: &Facts, profile: &Profile) -> Option<CheckId> {
        let credentials = if profile.guide.is_aws_access_key() {
            CheckId::AwsAccessKey
        } else {
            CheckId::AwsAssumeRoleWithWebIdentity
        };
        if let Some(unread) = self.unread_side(facts, profile) {
            return Some(unread);
        }
        match self {
            Step::IssuerKeys if facts.issuer.jwks_uri().is_none() => Some(CheckId::IssuerDiscovery),
            Step::GoogleExchange if profile.guide.is_key_beside_aws() => None,
            Step::Signature | Step::WebIdentity | Step::GoogleExchange if !facts.has_token() => {
                Some(CheckId::TokenPresent)
            }
            // What the profile makes expected is something to judge a trust by.
            Step::TrustPolicy if !facts.has_token() && facts.predicted.is_none() => Some(CheckId::TokenPresent),
            Step::WebIdentity | Step::EntraExchange | Step::GoogleExchange
                if facts.has_token() && !facts.has_form_of_token() =>
            {
                Some(CheckId::TokenShape)
            }
            Step::AwsAccessKeyOwner | Step::CallerIdentity | Step::AssumeRole | Step::ListSecrets | Step::GetSecret
                if !facts.aws.has_credentials() =>
            {
                Some(credentials)
            }
            Step::AssumeRole | Step::ListSecrets | Step::GetSecret
                if profile.guide.is_aws_access_key()
                    && facts.aws.caller.as_ref().is_some_and(|call| call.refusal().is_some()) =>
            {
                Some(CheckId::AwsCallerIdentity)
            }
            Step::ListSecrets | Step::GetSecret if Step::AssumeRole.applies(profile) && !facts.aws.has_assumed() => {
                Some(CheckId::AwsAssumeRole)
            }
            Step::VaultList | Step::VaultGet if !facts.azure.has_access() => Some(CheckId::AzureExchange),
            Step::GoogleImpersonate | Step::GoogleList | Step::GoogleGet if !facts.google.is_exchanged() => {
                Some(CheckId::GcpExchange)
            }
            Step::GoogleList | Step::GoogleGet
                if Step::GoogleImpersonate.applies(profile) && !facts.google.is_impersonated() =>
            {
                Some(CheckId::GcpImpersonate)
            }
            _ => None,
        }
    }

    /// The same for what an operator reads of the cloud's own side, and for what has nothing else to be judged by.
    fn unread_side(self, facts: &Facts, profile: &Profile) -> Option<CheckId> {
        let side = &facts.operator;
        match self {
            Step::AwsOidcProvider
            | Step::AwsRole
            | Step::AwsAccessKeyOwner
            | Step::AwsRolePermissions
            | Step::AwsSecretSettings
            | Step::AwsAuthorization => (!side.aws.has_credentials()).then_some(CheckId::AwsOperator),
            Step::AzureApplication | Step::AzureRoleAssignments | Step::AzureVaultSettings
                if !side.azure.has_access() =>
            {
                Some(CheckId::AzureOperator)
            }
            Step::AzureRoleAssignments => side.azure.vault_in_force().is_none().then_some(CheckId::AzureVaultSettings),
            Step::GooglePoolProvider | Step::GoogleBindings | Step::GoogleSecretSettings => {
                (!side.google.has_access()).then_some(CheckId::GcpOperator)
            }
            Step::TrustPolicy => {
                let (has_copy, in_force, check) = match profile.guide.cloud() {
                    Cloud::Aws => {
                        (profile.aws.trust_policy.is_some(), side.aws.role_in_force().is_some(), CheckId::AwsRole)
                    }
                    Cloud::Azure => (
                        profile.azure.federated_credential.is_some(),
                        side.azure.credentials_in_force().is_some(),
                        CheckId::AzureApplication,
                    ),
                    Cloud::Gcp => (
                        profile.gcp.provider_file.is_some(),
                        side.google.provider_in_force().is_some(),
                        CheckId::GcpProvider,
                    ),
                };
                (!has_copy && !in_force).then_some(check)
            }
            Step::RoleTrust => {
                let is_known = profile.trust_of_assumed_role().is_some() || side.aws.trust_of_assumed_role().is_some();
                (!is_known).then_some(CheckId::AwsRolePermissions)
            }
            _ => None,
        }
    }

    /// Whether the step would tell anything, given the facts so far.
    pub fn is_called_for(self, facts: &Facts) -> bool {
        match self {
            Step::LocateSecret => facts.aws.secret.as_ref().is_some_and(|call| call.refusal().is_some()),
            Step::AwsAuthorization => !facts.aws.authorization_ids().is_empty(),
            _ => true,
        }
    }
}

fn is_aws(profile: &Profile) -> bool {
    profile.guide.cloud() == Cloud::Aws
}

fn is_google(profile: &Profile) -> bool {
    profile.guide.cloud() == Cloud::Gcp
}

fn is_azure(profile: &Profile) -> bool {
    profile.guide.cloud() == Cloud::Azure
}
