//! What the operator read of the cloud's own side. Each read goes out with credentials of the operator's, which are
//! never the workload's, and changes nothing.

use serde::Serialize;

use super::aws::{Caller, Located};
use super::cluster::ClusterSide;
use super::operator_azure::AzureSide;
use super::operator_google::GoogleSide;
pub use super::read::{Read, Throttled};
use super::secret::Call;
use crate::domain::iam::{AuthorizationDetails, AuthorizationId};
use crate::domain::timestamp::UnixSeconds;

/// The cloud's own side, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorFacts {
    pub aws: AwsSide,
    pub azure: AzureSide,
    pub google: GoogleSide,
    /// Of the pods' cluster.
    pub cluster: Option<ClusterSide>,
}

/// AWS's own side. `None` where something was not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsSide {
    /// Where the operator's credentials come from, or why there are none.
    pub credentials: Option<Result<String, String>>,
    pub caller: Option<Call<Caller>>,
    pub provider: Option<ProviderSide>,
    pub role: Option<Read<RoleInForce>>,
    pub access_key: Option<Read<AccessKeyInForce>>,
    pub policies: Option<PoliciesSide>,
    /// What IAM tells of the denials that carry an id.
    pub authorizations: Vec<AuthorizationSide>,
    pub secret: Option<SecretSide>,
}

impl AwsSide {
    /// Whether there is something to sign with.
    pub fn has_credentials(&self) -> bool {
        matches!(self.credentials, Some(Ok(_)))
    }

    /// What IAM tells of the denial that said this, where it was looked up.
    pub fn authorization(&self, message: &str) -> Option<&AuthorizationSide> {
        let named = AuthorizationId::find(message)?;
        self.authorizations.iter().find(|side| side.id == named.id)
    }

    /// The profile's role as IAM has it, where it was read.
    pub fn role_in_force(&self) -> Option<&RoleInForce> {
        self.role.as_ref()?.seen()
    }

    /// The trust policy in force of the profile's role, with where it comes from.
    pub fn trust_of_role(&self) -> Option<(String, String)> {
        let role = self.role_in_force()?;
        Some((trust_source(&role.arn), role.trust_policy.clone()))
    }

    /// The same of the role that is assumed with credentials, which reads.
    pub fn trust_of_assumed_role(&self) -> Option<(String, String)> {
        let reader = &self.policies.as_ref()?.reader;
        Some((trust_source(&reader.arn), reader.trust_policy.clone()?))
    }
}

/// A role as IAM has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleInForce {
    pub arn: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
    /// The longest session that it grants, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_session_duration_s: Option<u32>,
    /// The policy that bounds what its policies may grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Its trust policy, which `trust.policy` shows.
    #[serde(skip)]
    pub trust_policy: String,
}

/// The identity provider of the token's issuer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProviderSide {
    pub issuer: String,
    pub arn: String,
    pub provider: Read<ProviderInForce>,
    /// The ARNs of all providers of the account.
    pub listed: Read<Vec<String>>,
}

/// An identity provider as IAM has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderInForce {
    /// The audiences that it takes.
    pub client_ids: Vec<String>,
    pub thumbprints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
}

/// An access key as IAM has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessKeyInForce {
    pub user: String,
    /// `Active` or `Inactive`.
    pub status: String,
}

impl AccessKeyInForce {
    /// Whether calls that are signed with it are answered.
    pub fn is_active(&self) -> bool {
        self.status == "Active"
    }
}

/// What IAM tells of a denial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuthorizationSide {
    /// The authorization id.
    pub id: String,
    #[serde(flatten)]
    pub details: Read<AuthorizationDetails>,
    /// Which policies could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// The policies in force of those whose permissions count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoliciesSide {
    /// Whoever reads the secret.
    pub reader: PrincipalSide,
    /// Whoever assumes that role, where the reader is a role that is assumed with credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<PrincipalSide>,
}

/// A role or a user, with every policy that says what it may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrincipalSide {
    /// As the profile or STS names it.
    pub arn: String,
    /// Its policies that were read, those of a user's groups among them.
    pub policies: Vec<PolicyInForce>,
    /// What bounds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<PolicyInForce>,
    /// There is no such role or user.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_nowhere: bool,
    /// What could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What its reads waited for.
    #[serde(skip_serializing_if = "Throttled::is_none")]
    pub throttled: Throttled,
    /// Its trust policy, where it is a role.
    #[serde(skip)]
    pub trust_policy: Option<String>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyInForce {
    /// Such as ``inline policy `Read` ``, or a managed policy's ARN.
    pub name: String,
    #[serde(skip)]
    pub text: String,
}

/// A secret with all that decides whether it can be read, beside the reader's own policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecretSide {
    pub secret: Read<SecretInForce>,
    /// The policies that hang on it.
    pub policies: Vec<PolicyInForce>,
    /// The key that encrypts it, where it is a customer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeySide>,
    /// Where else a secret of this name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub located: Option<Located>,
    /// What else could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What the reads waited for.
    #[serde(skip_serializing_if = "Throttled::is_none")]
    pub throttled: Throttled,
}

/// A secret as Secrets Manager has it, without a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretInForce {
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was marked for deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixSeconds>,
    /// Every label that a version carries.
    pub stages: Vec<String>,
    /// Where it is a replica of a secret in another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<Replica>,
}

/// A replica's primary, and how far the replica is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replica {
    pub primary: String,
    /// As Secrets Manager words it: `InSync`, `InProgress`, `Pending`, `Failed`, `Detached`.
    pub status: String,
}

/// A customer key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeySide {
    /// As the secret names it.
    pub id: String,
    pub key: Read<KeyInForce>,
    /// Its own policy; none where it could not be read.
    #[serde(skip)]
    pub policy: Option<String>,
    /// Who may decrypt by a grant; none where the grants could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantees: Option<Vec<String>>,
}

/// A key as KMS has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInForce {
    pub arn: String,
    pub state: String,
}

fn trust_source(role: &str) -> String {
    format!("the trust policy in force of {role}")
}
