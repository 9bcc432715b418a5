//! Everything that is asked of AWS with an operator's credentials: reads, each with the permission that it takes. What is not
//! here cannot be sent.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use strum::{IntoStaticStr, VariantArray};

/// One operation that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum AwsRead {
    #[strum(serialize = "iam:GetOpenIDConnectProvider")]
    OidcProvider,
    #[strum(serialize = "iam:ListOpenIDConnectProviders")]
    OidcProviders,
    #[strum(serialize = "iam:GetRole")]
    Role,
    #[strum(serialize = "iam:ListRolePolicies")]
    RolePolicies,
    #[strum(serialize = "iam:GetRolePolicy")]
    RolePolicy,
    #[strum(serialize = "iam:ListAttachedRolePolicies")]
    AttachedRolePolicies,
    #[strum(serialize = "iam:GetUser")]
    User,
    #[strum(serialize = "iam:ListUserPolicies")]
    UserPolicies,
    #[strum(serialize = "iam:GetUserPolicy")]
    UserPolicy,
    #[strum(serialize = "iam:ListAttachedUserPolicies")]
    AttachedUserPolicies,
    #[strum(serialize = "iam:GetAccessKeyLastUsed")]
    AccessKeyOwner,
    #[strum(serialize = "iam:ListAccessKeys")]
    AccessKeys,
    #[strum(serialize = "iam:ListGroupsForUser")]
    GroupsOfUser,
    #[strum(serialize = "iam:ListGroupPolicies")]
    GroupPolicies,
    #[strum(serialize = "iam:GetGroupPolicy")]
    GroupPolicy,
    #[strum(serialize = "iam:ListAttachedGroupPolicies")]
    AttachedGroupPolicies,
    #[strum(serialize = "iam:GetPolicy")]
    Policy,
    #[strum(serialize = "iam:GetPolicyVersion")]
    PolicyVersion,
    #[strum(serialize = "secretsmanager:DescribeSecret")]
    Secret,
    #[strum(serialize = "secretsmanager:GetResourcePolicy")]
    ResourcePolicy,
    #[strum(serialize = "secretsmanager:ListResourcePolicies")]
    ResourcePolicies,
    /// By name, in other regions than the profile's.
    #[strum(serialize = "secretsmanager:ListSecrets")]
    Secrets,
    #[strum(serialize = "kms:DescribeKey")]
    Key,
    #[strum(serialize = "kms:GetKeyPolicy")]
    KeyPolicy,
    #[strum(serialize = "kms:ListGrants")]
    Grants,
    #[strum(serialize = "cloudtrail:LookupEvents")]
    Events,
}

impl AwsRead {
    /// Such as `iam:GetRole`.
    pub const fn permission(self) -> &'static str {
        self.into_str()
    }

    /// The service's name in permissions and in signatures.
    pub fn service(self) -> &'static str {
        self.permission().split_once(':').map_or("", |(service, _)| service)
    }

    /// The operation's name.
    pub fn operation(self) -> &'static str {
        self.permission().split_once(':').map_or("", |(_, operation)| operation)
    }
}

impl Serialize for AwsRead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.permission())
    }
}

/// The policy with which an operator may make every one of the reads, and do nothing else.
pub fn operator_policy() -> Value {
    let of_service = |service: &str| {
        let own = AwsRead::VARIANTS.iter().filter(|read| read.service() == service);
        own.map(|read| read.permission()).collect::<Vec<_>>()
    };
    let statement =
        |sid, service| json!({ "Sid": sid, "Effect": "Allow", "Action": of_service(service), "Resource": "*" });
    json!({
        "Version": "2012-10-17",
        "Statement": [
            statement("ReadTrustAndPermissions", "iam"),
            statement("ReadSecretsWithoutValues", "secretsmanager"),
            statement("ReadKeys", "kms"),
            statement("ReadEvents", "cloudtrail"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_reads_and_none_reads_a_value() {
        for read in AwsRead::VARIANTS {
            let is_read = ["Get", "List", "Describe", "Lookup"].iter().any(|verb| read.operation().starts_with(verb));
            assert!(is_read && read.operation() != "GetSecretValue", "{}", read.permission());
        }
    }

    #[test]
    fn the_policy_grants_every_read_once_and_nothing_else() {
        let policy = operator_policy();
        let statements = policy["Statement"].as_array().unwrap();
        let granted: Vec<&str> = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap())
            .collect();
        let asked: BTreeSet<&str> = AwsRead::VARIANTS.iter().map(|read| read.permission()).collect();
        assert_eq!(granted.len(), asked.len());
        assert_eq!(granted.into_iter().collect::<BTreeSet<_>>(), asked);
    }
}
