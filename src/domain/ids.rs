//! The stable ids: clouds, checks, causes' finders, as they stand in profiles, in JSON and in recordings.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Gives an enum of ids what all of them have: its values in order, each one's text, and that text in JSON.
macro_rules! stable_ids {
    ($($ids:ident),*) => {$(
        impl $ids {
            /// Every one, in order.
            pub const ALL: &[$ids] = <$ids as strum::VariantArray>::VARIANTS;

            /// The stable id.
            pub const fn id(self) -> &'static str {
                self.into_str()
            }
        }

        impl serde::Serialize for $ids {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.id())
            }
        }

        impl<'de> serde::Deserialize<'de> for $ids {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(super) use stable_ids;

stable_ids!(Cloud, CheckId);

/// A text that is no id of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called `{id}`")]
pub struct UnknownId {
    kind: &'static str,
    id: String,
}

impl UnknownId {
    fn cloud(id: &str) -> Self {
        UnknownId { kind: "cloud", id: id.to_owned() }
    }

    pub(super) fn guide(id: &str) -> Self {
        UnknownId { kind: "guide", id: id.to_owned() }
    }

    pub(super) fn workload(id: &str) -> Self {
        UnknownId { kind: "workload", id: id.to_owned() }
    }

    fn check(id: &str) -> Self {
        UnknownId { kind: "check", id: id.to_owned() }
    }

    pub(super) fn cause(id: &str) -> Self {
        UnknownId { kind: "cause", id: id.to_owned() }
    }
}

/// The relying party: whoever is asked to accept the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str, parse_err_ty = UnknownId, parse_err_fn = UnknownId::cloud)]
pub enum Cloud {
    /// AWS: STS and Secrets Manager.
    Aws,
    /// Microsoft: Entra and Key Vault.
    Azure,
    /// Google: STS and Secret Manager.
    Gcp,
}

impl Cloud {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Cloud::Aws => "AWS",
            Cloud::Azure => "Azure",
            Cloud::Gcp => "Google",
        }
    }
}

/// One check, in the order of the chain of trust.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, Display, IntoStaticStr, VariantArray,
)]
#[strum(const_into_str, parse_err_ty = UnknownId, parse_err_fn = UnknownId::check)]
pub enum CheckId {
    #[strum(serialize = "issuer.reachable")]
    IssuerReachable,
    #[strum(serialize = "issuer.tls")]
    IssuerTls,
    #[strum(serialize = "issuer.discovery")]
    IssuerDiscovery,
    #[strum(serialize = "issuer.jwks")]
    IssuerJwks,
    #[strum(serialize = "token.present")]
    TokenPresent,
    #[strum(serialize = "token.shape")]
    TokenShape,
    #[strum(serialize = "token.time")]
    TokenTime,
    #[strum(serialize = "token.signature")]
    TokenSignature,
    #[strum(serialize = "token.claims")]
    TokenClaims,
    #[strum(serialize = "client.credentials")]
    ClientCredentials,
    #[strum(serialize = "client.token-file")]
    ClientTokenFile,
    #[strum(serialize = "client.endpoint")]
    ClientEndpoint,
    #[strum(serialize = "kubernetes.service-account")]
    KubernetesServiceAccount,
    #[strum(serialize = "kubernetes.pod")]
    KubernetesPod,
    #[strum(serialize = "aws.operator")]
    AwsOperator,
    #[strum(serialize = "aws.oidc-provider")]
    AwsOidcProvider,
    #[strum(serialize = "aws.role")]
    AwsRole,
    #[strum(serialize = "azure.operator")]
    AzureOperator,
    #[strum(serialize = "azure.application")]
    AzureApplication,
    #[strum(serialize = "gcp.operator")]
    GcpOperator,
    #[strum(serialize = "gcp.provider")]
    GcpProvider,
    #[strum(serialize = "trust.policy")]
    TrustPolicy,
    #[strum(serialize = "aws.access-key")]
    AwsAccessKey,
    #[strum(serialize = "aws.access-key-owner")]
    AwsAccessKeyOwner,
    #[strum(serialize = "aws.assume-role-with-web-identity")]
    AwsAssumeRoleWithWebIdentity,
    #[strum(serialize = "aws.caller-identity")]
    AwsCallerIdentity,
    #[strum(serialize = "aws.assume-role")]
    AwsAssumeRole,
    #[strum(serialize = "aws.role-permissions")]
    AwsRolePermissions,
    #[strum(serialize = "aws.secret-settings")]
    AwsSecretSettings,
    #[strum(serialize = "aws.list-secrets")]
    AwsListSecrets,
    #[strum(serialize = "aws.get-secret")]
    AwsGetSecret,
    #[strum(serialize = "azure.exchange")]
    AzureExchange,
    #[strum(serialize = "azure.role-assignments")]
    AzureRoleAssignments,
    #[strum(serialize = "azure.vault-settings")]
    AzureVaultSettings,
    #[strum(serialize = "azure.list-secrets")]
    AzureListSecrets,
    #[strum(serialize = "azure.get-secret")]
    AzureGetSecret,
    #[strum(serialize = "azure.subscription")]
    AzureSubscription,
    #[strum(serialize = "gcp.exchange")]
    GcpExchange,
    #[strum(serialize = "gcp.impersonate")]
    GcpImpersonate,
    #[strum(serialize = "gcp.bindings")]
    GcpBindings,
    #[strum(serialize = "gcp.secret-settings")]
    GcpSecretSettings,
    #[strum(serialize = "gcp.list-secrets")]
    GcpListSecrets,
    #[strum(serialize = "gcp.get-secret")]
    GcpGetSecret,
    #[strum(serialize = "secret.json-key")]
    SecretJsonKey,
    #[strum(serialize = "deployment.reachable")]
    DeploymentReachable,
}

/// Who found a cause: a check of a run, or a command that runs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FoundBy {
    Check(CheckId),
    Command(Finder),
}

/// A command that finds causes without a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Finder {
    Explain,
    Trust,
    Rotate,
    Events,
    Audit,
}

impl FoundBy {
    /// The id of the check, or the command's name.
    pub const fn id(self) -> &'static str {
        match self {
            FoundBy::Check(check) => check.id(),
            FoundBy::Command(command) => command.into_str(),
        }
    }

    /// The check, where it was one.
    pub const fn check(self) -> Option<CheckId> {
        match self {
            FoundBy::Check(check) => Some(check),
            FoundBy::Command(_) => None,
        }
    }
}

impl std::fmt::Display for FoundBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl From<CheckId> for FoundBy {
    fn from(check: CheckId) -> Self {
        FoundBy::Check(check)
    }
}

impl From<Finder> for FoundBy {
    fn from(command: Finder) -> Self {
        FoundBy::Command(command)
    }
}

impl PartialEq<CheckId> for FoundBy {
    fn eq(&self, check: &CheckId) -> bool {
        self.check() == Some(*check)
    }
}

impl serde::Serialize for FoundBy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> serde::Deserialize<'de> for FoundBy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let command = |_| text.parse().map(FoundBy::Command);
        text.parse()
            .map(FoundBy::Check)
            .or_else(|unknown| command(()).map_err(|_: strum::ParseError| unknown))
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_no_others() {
        for check in CheckId::ALL {
            assert_eq!(serde_json::to_value(check).unwrap(), check.id());
            assert_eq!(serde_json::from_value::<CheckId>(check.id().into()).unwrap(), *check);
            assert_eq!(serde_json::from_value::<FoundBy>(check.id().into()).unwrap(), *check);
        }
        for finder in Finder::VARIANTS {
            let written = serde_json::to_value(FoundBy::from(*finder)).unwrap();
            assert_eq!(serde_json::from_value::<FoundBy>(written).unwrap(), FoundBy::Command(*finder));
        }
        let unknown = "issuer.tls ".parse::<CheckId>().unwrap_err().to_string();
        assert_eq!(unknown, "no check is called `issuer.tls `");
        assert_eq!(
            serde_json::from_value::<FoundBy>("Explain".into()).unwrap_err().to_string(),
            "no check is called `Explain`"
        );
    }
}
