//! Everything that is asked of AWS with an operator's credentials: reads, each with the permission that it takes. What is not
//! here cannot be sent.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use strum::{IntoStaticStr, VariantArray};

use crate::domain::arn::{Arn, RoleArn};

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
    /// What denied a request whose denial has an id.
    #[strum(serialize = "iam:GetRequestAuthorizationDetails")]
    AuthorizationDetails,
    #[strum(serialize = "iam:GetRequestAuthorizationPolicy")]
    AuthorizationPolicy,
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
    /// Every role of the account, which only an audit reads.
    #[strum(serialize = "iam:GetAccountAuthorizationDetails")]
    AccountDetails,
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

/// What the reads are about, as far as a profile says; of what it does not say, everything is read.
#[derive(Clone, Debug)]
pub struct OperatorReach {
    pub partition: String,
    pub roles: Vec<RoleArn>,
    /// The secret's name or ARN.
    pub secret: Option<String>,
}

impl OperatorReach {
    /// The resources that a read is narrowed to. Account, path and region are left open: a profile that is wrong about them is
    /// what an operator is asked about.
    fn resources(&self, read: AwsRead) -> Vec<String> {
        let partition = &self.partition;
        let named: Vec<String> = match read {
            AwsRead::Role | AwsRead::RolePolicies | AwsRead::RolePolicy | AwsRead::AttachedRolePolicies => {
                let arns = |role: &RoleArn| {
                    let roles = format!("arn:{partition}:iam::*:role");
                    [format!("{roles}/{}", role.name()), format!("{roles}/*/{}", role.name())]
                };
                self.roles.iter().flat_map(arns).collect()
            }
            AwsRead::Secret | AwsRead::ResourcePolicy | AwsRead::ResourcePolicies => {
                let name = |id: &str| match Arn::parse(id) {
                    Some(arn) => arn.resource.trim_start_matches("secret:").to_owned(),
                    None => id.to_owned(),
                };
                self.secret
                    .iter()
                    .map(|id| format!("arn:{partition}:secretsmanager:*:*:secret:{}*", name(id)))
                    .collect()
            }
            _ => Vec::new(),
        };
        if named.is_empty() { vec!["*".to_owned()] } else { named }
    }
}

/// The policy with which an operator may make every one of the reads that one profile takes, and do nothing else.
pub fn operator_policy(reach: &OperatorReach) -> Value {
    const SERVICES: &[(&str, &str)] = &[
        ("iam", "ReadTrustAndPermissions"),
        ("secretsmanager", "ReadSecretsWithoutValues"),
        ("kms", "ReadKeys"),
        ("cloudtrail", "ReadEvents"),
    ];
    let mut statements = Vec::new();
    for (service, sid) in SERVICES {
        let mut by_resources: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
        for read in
            AwsRead::VARIANTS.iter().filter(|read| read.service() == *service && **read != AwsRead::AccountDetails)
        {
            by_resources.entry(reach.resources(*read)).or_default().push(read.permission());
        }
        for (resources, actions) in by_resources {
            let narrowed = if resources == ["*"] { "" } else { "Named" };
            let resource = if let [only] = resources.as_slice() { json!(only) } else { json!(resources) };
            statements.push(
                json!({ "Sid": format!("{sid}{narrowed}"), "Effect": "Allow", "Action": actions, "Resource": resource }),
            );
        }
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
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
        let policy = operator_policy(&OperatorReach { partition: "aws".into(), roles: Vec::new(), secret: None });
        let statements = policy["Statement"].as_array().unwrap();
        let granted: Vec<&str> = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap())
            .collect();
        let of_one_profile = AwsRead::VARIANTS.iter().filter(|read| **read != AwsRead::AccountDetails);
        let asked: BTreeSet<&str> = of_one_profile.map(|read| read.permission()).collect();
        assert_eq!(granted.len(), asked.len());
        assert_eq!(granted.into_iter().collect::<BTreeSet<_>>(), asked);
    }

    #[test]
    fn what_a_profile_names_is_all_that_is_read_of_its_kind() {
        let roles = vec![RoleArn::parse("arn:aws:iam::123456789012:role/ci/reader").unwrap()];
        let policy =
            operator_policy(&OperatorReach { partition: "aws".into(), roles, secret: Some("db/password".into()) });
        let resource = |action: &str| {
            let statements = policy["Statement"].as_array().unwrap();
            let holds = |one: &&Value| one["Action"].as_array().unwrap().iter().any(|own| own == action);
            statements.iter().find(holds).unwrap()["Resource"].clone()
        };
        assert_eq!(resource("iam:GetRole"), json!(["arn:aws:iam::*:role/reader", "arn:aws:iam::*:role/*/reader"]));
        assert_eq!(resource("secretsmanager:DescribeSecret"), "arn:aws:secretsmanager:*:*:secret:db/password*");
        assert_eq!((resource("iam:GetPolicy"), resource("secretsmanager:ListSecrets")), (json!("*"), json!("*")));
        let sids: BTreeSet<&str> =
            policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap()).collect();
        assert_eq!(sids.len(), policy["Statement"].as_array().unwrap().len());
    }
}
