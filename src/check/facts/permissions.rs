//! The permissions policy at hand, evaluated for the reads of this run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Unread;
use crate::domain::iam::{AccessEvaluation, AccessRequest, OtherKeys, Policy, evaluate_access};
use crate::domain::profile::{Guide, Profile};
use crate::domain::region::partition_of;

/// Stands for the six characters that Secrets Manager appends to a secret's name in its ARN, where they are not known.
const SOME_SUFFIX: &str = "-AbCdEf";
/// Stands for how a name may go on behind a prefix.
const SOME_NAME: &str = "example";

/// The permissions policy at hand, evaluated for the reads of this run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PermissionsFact {
    /// Where the policy came from.
    pub source: String,
    /// Its text, from which a corrected one is made.
    #[serde(skip)]
    pub text: Option<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it says to `ListSecrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<AccessEvaluation>,
    /// What it says to `GetSecretValue` of the profile's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<AccessEvaluation>,
    /// What it says to `GetSecretValue` of a secret whose name goes on after the profile's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_prefix: Option<AccessEvaluation>,
}

impl PermissionsFact {
    /// Evaluates `text`, or keeps why it could not be read. `secret_arn` is the secret's own, where it is known.
    pub fn evaluate(source: &str, text: Result<String, Unread>, profile: &Profile, secret_arn: Option<&str>) -> Self {
        let read = text.and_then(|text| match Policy::parse(&text) {
            Ok(policy) => Ok((policy, text)),
            Err(error) => Err(error.to_string().into()),
        });
        let (policy, text) = match read {
            Ok(read) => read,
            Err(unread) => {
                let problem = Some(unread.why);
                return PermissionsFact {
                    source: source.to_owned(),
                    text: None,
                    problem,
                    list: None,
                    get: None,
                    get_prefix: None,
                };
            }
        };
        let policies = [policy];
        let context = BTreeMap::new();
        let evaluate = |action, resource: &str| {
            evaluate_access(
                &policies,
                &AccessRequest { action, resource, context: &context, others: OtherKeys::Unknown },
            )
        };
        let name = profile.secret.as_ref().map(|secret| secret.name.as_str());
        let secret = secret_arn.map(str::to_owned).or_else(|| likely_arn(profile, name?));
        let read = |arn: String| evaluate("secretsmanager:GetSecretValue", &arn);
        let prefixed = profile.aws.secret_prefix.as_ref().and_then(|prefix| {
            // A prefix that is a whole word is gone on with by a separator.
            let joint = if prefix.ends_with(|c: char| c.is_ascii_alphanumeric()) { "-" } else { "" };
            likely_arn(profile, &format!("{prefix}{joint}{SOME_NAME}"))
        });
        PermissionsFact {
            source: source.to_owned(),
            text: Some(text),
            problem: None,
            list: Some(evaluate("secretsmanager:ListSecrets", "*")),
            get: secret.map(read),
            get_prefix: prefixed.map(read),
        }
    }
}

/// The ARN that a secret of this name has, but for the six characters at its end.
fn likely_arn(profile: &Profile, name: &str) -> Option<String> {
    if name.starts_with("arn:") {
        return Some(name.to_owned());
    }
    let region = profile.aws.region.as_ref()?;
    let role = match profile.guide {
        Guide::CircleciAws => profile.aws.target_role_arn.as_ref().or(profile.aws.role_arn.as_ref()),
        _ => profile.aws.role_arn.as_ref(),
    };
    let (partition, account) = match (role, &profile.aws.account_id) {
        (_, Some(account)) if profile.guide == Guide::AwsStatic => (partition_of(region).ok()?.id, account.as_str()),
        (Some(role), _) => (role.partition.as_str(), role.account.as_str()),
        (None, _) => return None,
    };
    Some(format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}{SOME_SUFFIX}"))
}
